/* SPDX-License-Identifier: MIT */
#include "host/session_listen.h"

#include "core/base/memory.h"
#include "host/session.h"

#include <stdio.h>

#define PORT_DEFAULT 6881
#define PORT_TRIES   32

/* uTP's packets are told by their first byte; the others are the engine's. */
static void session_on_datagram(void *context, struct event *event)
{
    struct session *session = context;
    struct utp_streams *utp = stream_sockets_utp(session->streams);

    if (!session->deaf && utp && utp_streams_input(utp, event))
        return;
    session_parts_input(session, event);
}

static void session_use_utp(struct session *session)
{
    if (session->options.transport == TRANSPORT_TCP)
        return;
    stream_sockets_use_utp(session->streams, session->datagrams, session->options.utp_policy);
    utp_streams_set_accepts(stream_sockets_utp(session->streams), !session->utp_off);
}

static void session_on_words(void *context, const char *text)
{
    struct session *session = context;

    if (session->options.on_words)
        session->options.on_words(session->options.context, text);
}

/* Behind a proxy nothing listens: peers are dialled. The port is one to announce, the same for
 * everybody: it is to tell nothing. */
static enum freshet_error session_listen_nowhere(struct session *session)
{
    static const uint8_t none[4] = {0};
    struct datagram_socket_proxy_options options = {.route = &session->options.route,
                                                    .received = session_on_datagram,
                                                    .told = session_on_words,
                                                    .context = session};

    session->listen = address_ipv4(none, PORT_DEFAULT);
    enum freshet_error error = datagram_socket_open_proxied(&session->loop, &session->listen,
                                                            &options, &session->datagrams);
    if (!error)
        session_use_utp(session);
    return error;
}

static enum freshet_error session_listen_at(struct session *session, const struct address *address)
{
    bool has_tcp = session->options.transport != TRANSPORT_UTP;
    struct address bound = *address;
    enum freshet_error error =
        has_tcp ? stream_sockets_listen(session->streams, address, &bound) : FRESHET_OK;

    if (error)
        return error;
    struct datagram_socket_options datagrams = {.address = bound,
                                                .route = &session->options.route,
                                                .received = session_on_datagram,
                                                .context = session};
    error = datagram_socket_open_by(&session->loop, &datagrams, &session->datagrams);
    if (error) {
        stream_sockets_stop_listening(session->streams);
        return error;
    }
    session->listen = datagram_socket_address(session->datagrams);
    session_use_utp(session);
    return FRESHET_OK;
}

/* Port 0 may find a TCP port whose UDP twin is taken: then another. */
static enum freshet_error session_listen_exactly(struct session *session,
                                                 const struct address *address)
{
    enum freshet_error error = session_listen_at(session, address);

    for (int i = 1; i < PORT_TRIES && address->port == 0 && error == FRESHET_ERROR_BUSY; i++)
        error = session_listen_at(session, address);
    return error;
}

static enum freshet_error session_listen_somewhere(struct session *session)
{
    uint8_t none[16] = {0};
    int64_t port = state_store_number(session->state, "listen_port", PORT_DEFAULT);
    enum freshet_error error = FRESHET_ERROR_BUSY;

    if (port < 1 || port > 65535 - PORT_TRIES)
        port = PORT_DEFAULT;
    for (int i = 0; i < PORT_TRIES && error == FRESHET_ERROR_BUSY; i++) {
        struct address address = address_ipv6(none, (uint16_t)(port + i));
        if (session->options.route.source.family != ADDRESS_NONE) {
            address = session->options.route.source;
            address.port = (uint16_t)(port + i);
        }
        error = session_listen_at(session, &address);
        if (session->options.route.source.family == ADDRESS_NONE && error &&
            error != FRESHET_ERROR_BUSY) { /* a machine without IPv6 */
            address = address_ipv4(none, (uint16_t)(port + i));
            error = session_listen_at(session, &address);
        }
    }
    if (!error && session->listen.port != port)
        state_store_set_number(session->state, "listen_port", session->listen.port);
    return error;
}

enum freshet_error session_listen(struct session *session, const struct address *wish,
                                  char ret_text[SESSION_TEXT_SIZE])
{
    char text[ADDRESS_TEXT_SIZE];
    enum freshet_error error;

    if (network_route_has_proxy(&session->options.route)) {
        error = session_listen_nowhere(session);
        if (error)
            snprintf(ret_text, SESSION_TEXT_SIZE, "no socket for the proxy: %s", error_text(error));
        return error;
    }
    if (wish->family == ADDRESS_NONE) {
        error = session_listen_somewhere(session);
        if (error)
            snprintf(ret_text, SESSION_TEXT_SIZE, "no free port to listen on: %s",
                     error_text(error));
        return error;
    }
    error = session_listen_exactly(session, wish);
    if (error) {
        address_to_text(wish, text);
        snprintf(ret_text, SESSION_TEXT_SIZE, "cannot listen on %s: %s", text, error_text(error));
    }
    return error;
}

/* The port of the next start, for who does not say where to listen. */
struct port_note {
    struct work work;
    struct session *session;
    uint16_t port;
};

static void port_note_run(struct work *work)
{
    struct port_note *note = LIST_ELEMENT(work, struct port_note, work);

    state_store_set_number(note->session->state, "listen_port", note->port);
}

static void port_note_done(struct work *work)
{
    memory_free(LIST_ELEMENT(work, struct port_note, work));
}

static void session_note_port(struct session *session)
{
    struct port_note *note = memory_new(sizeof *note);

    note->session = session;
    note->port = session->listen.port;
    note->work.run = port_note_run;
    note->work.done = port_note_done;
    worker_pool_submit(session->state_worker, &note->work);
}

enum freshet_error session_listen_move(struct session *session, uint16_t port)
{
    struct address before = session->listen, wish = session->listen;
    struct datagram_socket *datagrams = session->datagrams;

    if (network_route_has_proxy(&session->options.route))
        return FRESHET_OK;
    wish.port = port;
    stream_sockets_stop_listening(session->streams);
    enum freshet_error error = session_listen_at(session, &wish);
    if (error) {
        /* The UDP socket is open still; nobody takes a TCP port that was ours a moment ago. */
        if (session->options.transport != TRANSPORT_UTP)
            stream_sockets_listen(session->streams, &before, &session->listen);
        session->datagrams = datagrams;
        session_use_utp(session);
        return error;
    }
    datagram_socket_close(datagrams);
    if (session->options.listen.family == ADDRESS_NONE)
        session_note_port(session);
    return FRESHET_OK;
}

/* A socket knows its interface by number: one that is tied to a number that is gone is silent for
 * ever. Until the interface is there again, all wait. */
static void session_on_network(void *context, int64_t slept_ns)
{
    struct session *session = context;
    const struct network_route *route = &session->options.route;
    uint32_t index = network_route_interface_index(route);
    struct datagram_socket *before = session->datagrams;

    (void)slept_ns;
    if (index == 0 || index == session->interface_index || session->stopping)
        return;
    enum freshet_error error = network_route_has_proxy(route)
                                   ? session_listen_nowhere(session)
                                   : session_listen_move(session, session->listen.port);
    if (error)
        return;
    if (network_route_has_proxy(route))
        datagram_socket_close(before);
    session->interface_index = index;
    /* Connections of the interface that is gone are silent, and those at the other end know. */
    session_network_changed(session, LIMIT_TIMEOUT_SILENT_NS);
}

void session_listen_watch(struct session *session)
{
    if (!network_route_has_interface(&session->options.route))
        return;
    session->interface_index = network_route_interface_index(&session->options.route);
    session->watch = network_watch_new(&session->loop, session_on_network, session);
}

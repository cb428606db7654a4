/* SPDX-License-Identifier: MIT */
#include "host/stream_sockets.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/posix_error.h"
#include "host/socket_address.h"
#include "host/stream_dial.h"
#include "host/stream_races.h"
#include "host/stream_receive.h"
#include "host/stream_send.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_PER_TURN 32
#define LISTENER_REST_MS 500

struct stream_sockets {
    struct stream_table table;
    conn_id next_inbound;
    int listener;
    uv_poll_t *listener_poll;
    uv_timer_t *listener_rest; /* after EMFILE */
};

static void stream_on_poll(uv_poll_t *poll, int status, int events);

struct stream_sockets *stream_sockets_new(const struct stream_sockets_options *options)
{
    struct stream_sockets *sockets = memory_new(sizeof *sockets);

    sockets->table.options = *options;
    sockets->table.on_poll = stream_on_poll;
    sockets->next_inbound = CONN_INBOUND;
    sockets->listener = -1;
    map_init(&sockets->table.by_id, sizeof(conn_id), 0);
    list_init(&sockets->table.all);
    sockets->table.scratch = memory_new(STREAM_SCRATCH);
    sockets->table.trash = memory_new(STREAM_SCRATCH);
    return sockets;
}

uint32_t stream_sockets_count(const struct stream_sockets *sockets)
{
    return (uint32_t)sockets->table.all.length;
}

static void stream_on_unreachable(struct stream_socket *stream, enum freshet_error error)
{
    if (!stream_races_lost_by_tcp(stream))
        stream_socket_fail(stream, error);
}

/* true: the proxy has let us through, or there is none. */
static bool stream_pass_proxy(struct stream_socket *stream)
{
    enum proxy_progress progress =
        stream->dialog ? proxy_dialog_step(stream->dialog, stream->fd) : PROXY_DONE;

    stream->dialog_reads = progress == PROXY_READS;
    if (progress == PROXY_FAILED)
        stream_on_unreachable(stream, proxy_dialog_error(stream->dialog));
    else if (progress != PROXY_DONE)
        stream_socket_poll(stream);
    return progress == PROXY_DONE;
}

static void stream_on_connected(struct stream_socket *stream)
{
    int number = 0;
    socklen_t length = sizeof number;

    getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &number, &length);
    if (number != 0) {
        stream_on_unreachable(stream, posix_error_of_socket(number));
        return;
    }
    if (!stream_pass_proxy(stream))
        return;
    stream->connecting = false;
    stream_races_won_by_tcp(stream);
    socket_address_of_local(stream->fd, &stream->local);
    struct event event = {.type = EVENT_CONNECTED,
                          .conn = stream->id,
                          .remote = stream->remote,
                          .local = stream->local};
    stream_socket_tell(stream, &event);
    stream_socket_poll(stream);
}

static void stream_on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream_socket *stream = poll->data;

    stream->turn_left = STREAM_TURN_BYTES;
    if (stream->connecting) {
        stream_on_connected(stream);
        return;
    }
    if (status < 0) {
        stream_socket_fail(stream, posix_error_of_socket(-status));
        return;
    }
    if (events & UV_WRITABLE)
        stream_send_ready(stream);
    if (!stream->closing && (events & UV_READABLE))
        stream_receive_ready(stream);
    if (!stream->closing)
        stream_socket_poll(stream);
}

static void stream_tell_failed(struct stream_sockets *sockets, conn_id conn, int number)
{
    struct event event = {
        .type = EVENT_CLOSED, .conn = conn, .error = posix_error_of_socket(number)};

    sockets->table.options.event(sockets->table.options.context, &event);
}

void stream_sockets_connect(struct stream_sockets *sockets, conn_id conn,
                            const struct address *remote, enum transport transport)
{
    struct stream_table *table = &sockets->table;

    if (table->utp && transport == TRANSPORT_ANY)
        stream_races_start(table->races, conn, remote);
    else if (table->utp && transport == TRANSPORT_UTP)
        utp_streams_connect(table->utp, conn, remote);
    else if (!stream_dial(table, conn, remote))
        stream_tell_failed(sockets, conn, errno);
}

static void stream_on_accepted(struct stream_sockets *sockets, int fd, const struct address *remote)
{
    struct stream_socket *stream =
        sockets->table.all.length < sockets->table.options.connections_max &&
                sockets->next_inbound < CONN_INBOUND_UTP
            ? stream_socket_new(&sockets->table, sockets->next_inbound, fd, remote)
            : NULL;

    if (!stream) {
        close(fd);
        return;
    }
    sockets->next_inbound++;
    socket_address_of_local(fd, &stream->local);
    struct event event = {.type = EVENT_ACCEPTED,
                          .conn = stream->id,
                          .remote = stream->remote,
                          .local = stream->local};
    sockets->table.options.event(sockets->table.options.context, &event);
    stream_socket_poll(stream);
}

static void listener_on_poll(uv_poll_t *poll, int status, int events);

static void listener_on_rested(uv_timer_t *timer)
{
    struct stream_sockets *sockets = timer->data;

    if (sockets->listener_poll)
        uv_poll_start(sockets->listener_poll, UV_READABLE, listener_on_poll);
}

/* No descriptor or memory for a connection: an immediate retry would only spin. */
static void listener_rest(struct stream_sockets *sockets)
{
    uv_poll_stop(sockets->listener_poll);
    uv_timer_start(sockets->listener_rest, listener_on_rested, LISTENER_REST_MS, 0);
}

static void listener_on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream_sockets *sockets = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && sockets->listener >= 0; i++) {
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        struct address remote;
        int fd = accept4(sockets->listener, (struct sockaddr *)&from, &length,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                listener_rest(sockets);
            if (errno == ECONNABORTED || errno == EINTR)
                continue;
            return;
        }
        if (socket_address_from((struct sockaddr *)&from, &remote))
            stream_on_accepted(sockets, fd, &remote);
        else
            close(fd);
    }
}

/* A bound, listening socket, or -errno. */
static int listener_open(const struct address *address, const struct network_route *route)
{
    struct sockaddr_storage local;
    socklen_t length = socket_address_to(address, false, &local);
    int on = 1, off = 0;
    int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, address_is_unspecified(address) ? &off : &on,
                   sizeof on);
    int number = network_route_tie(route, fd, false);
    if (!number && bind(fd, (struct sockaddr *)&local, length) == 0 && listen(fd, 128) == 0)
        return fd;
    number = number ? number : errno;
    close(fd);
    return -number;
}

enum freshet_error stream_sockets_listen(struct stream_sockets *sockets,
                                         const struct address *address, struct address *ret_bound)
{
    CHECK(sockets->listener < 0);
    int fd = listener_open(address, sockets->table.options.route);

    if (fd < 0)
        return posix_error_of_socket(-fd);
    sockets->listener = fd;
    sockets->listener_poll = memory_new(sizeof *sockets->listener_poll);
    sockets->listener_rest = memory_new(sizeof *sockets->listener_rest);
    CHECK(uv_poll_init(sockets->table.options.loop, sockets->listener_poll, fd) == 0);
    CHECK(uv_timer_init(sockets->table.options.loop, sockets->listener_rest) == 0);
    sockets->listener_poll->data = sockets->listener_rest->data = sockets;
    uv_poll_start(sockets->listener_poll, UV_READABLE, listener_on_poll);
    if (!socket_address_of_local(fd, &sockets->table.bound))
        sockets->table.bound = *address;
    *ret_bound = sockets->table.bound;
    return FRESHET_OK;
}

static void listener_on_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

void stream_sockets_stop_listening(struct stream_sockets *sockets)
{
    if (sockets->table.utp)
        utp_streams_set_accepts(sockets->table.utp, false);
    if (sockets->listener < 0)
        return;
    uv_close((uv_handle_t *)sockets->listener_poll, listener_on_closed);
    close(sockets->listener);
    uv_close((uv_handle_t *)sockets->listener_rest, listener_on_closed);
    sockets->listener = -1;
    sockets->listener_poll = NULL;
    sockets->listener_rest = NULL;
}

void stream_sockets_send(struct stream_sockets *sockets, const struct action *action)
{
    struct stream_socket *stream = map_get(&sockets->table.by_id, &action->conn);

    if (!stream)
        return;
    CHECK(!stream->connecting);
    CHECK(!stream->sending.active);
    stream_send_start(stream, action);
}

void stream_sockets_encrypt(struct stream_sockets *sockets, conn_id conn, const struct rc4 *cipher)
{
    struct stream_socket *stream = map_get(&sockets->table.by_id, &conn);

    if (stream)
        stream_cipher_encrypt_with(&stream->cipher, cipher);
}

void stream_sockets_pause(struct stream_sockets *sockets, conn_id conn, bool paused)
{
    struct stream_socket *stream = map_get(&sockets->table.by_id, &conn);

    if (!stream)
        return;
    stream->paused = paused;
    stream_socket_poll(stream);
}

void stream_sockets_close(struct stream_sockets *sockets, conn_id conn)
{
    struct stream_socket *stream = map_get(&sockets->table.by_id, &conn);

    if (stream)
        stream_socket_close(stream);
}

/* A peer knows a connection by the port that it comes from. */
static void stream_end_utp(struct stream_sockets *sockets, const struct datagram_socket *next)
{
    struct list_node *node, *after;

    if (utp_streams_is_on(sockets->table.utp, next))
        return;
    for (node = list_first(&sockets->table.all); node; node = after) {
        struct stream_socket *stream = LIST_ELEMENT(node, struct stream_socket, node);
        after = list_next(&sockets->table.all, node);
        if (stream->is_utp)
            stream_socket_fail(stream, FRESHET_ERROR_CONNECTION);
        else if (stream->race == STREAM_RACE_BOTH)
            stream_races_leave(stream);
    }
}

void stream_sockets_use_utp(struct stream_sockets *sockets, struct datagram_socket *socket,
                            enum utp_policy policy)
{
    if (sockets->table.utp) {
        stream_end_utp(sockets, socket);
        utp_streams_move(sockets->table.utp, socket);
        return;
    }
    sockets->table.races = stream_races_new(&sockets->table);
    utp_streams_new(&sockets->table, socket, policy);
}

struct utp_streams *stream_sockets_utp(struct stream_sockets *sockets)
{
    return sockets->table.utp;
}

/* The kernel lets a socket of an address that has gone wait for its time-outs. */
static bool stream_is_dead(const struct stream_socket *stream)
{
    struct sockaddr_storage local;
    struct address any_port = stream->local;

    if (stream->connecting || stream->local.family == ADDRESS_NONE)
        return true;
    any_port.port = 0;
    socklen_t length = socket_address_to(&any_port, false, &local);
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_ours = bind(fd, (struct sockaddr *)&local, length) == 0 || errno != EADDRNOTAVAIL;
    close(fd);
    return !is_ours;
}

uint32_t stream_sockets_close_dead(struct stream_sockets *sockets, bool all)
{
    struct list_node *next;
    uint32_t count = 0;

    for (struct list_node *node = list_first(&sockets->table.all); node; node = next) {
        struct stream_socket *stream = LIST_ELEMENT(node, struct stream_socket, node);
        next = list_next(&sockets->table.all, node);
        if (!all && !stream_is_dead(stream))
            continue;
        stream_socket_fail(stream, FRESHET_ERROR_CONNECTION);
        count++;
    }
    return count;
}

void stream_sockets_free(struct stream_sockets *sockets)
{
    if (!sockets)
        return;
    stream_sockets_stop_listening(sockets);
    while (!list_is_empty(&sockets->table.all))
        stream_socket_close(
            LIST_ELEMENT(list_first(&sockets->table.all), struct stream_socket, node));
    stream_races_free(sockets->table.races);
    utp_streams_free(sockets->table.utp);
    map_deinit(&sockets->table.by_id);
    memory_free(sockets->table.scratch);
    memory_free(sockets->table.trash);
    memory_free(sockets);
}

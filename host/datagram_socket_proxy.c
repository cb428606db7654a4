/* SPDX-License-Identifier: MIT */
#include "host/datagram_socket_proxy.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/socks/socks_datagram.h"
#include "host/datagram_socket_state.h"
#include "host/posix_error.h"
#include "host/proxy_dialog.h"
#include "host/socket_address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIALOG_MS  15000u
#define RETRY_MS   5000u
#define REFUSED_MS 60000u /* the proxy is there, and will not */
#define HELD_MAX   32u    /* datagrams that wait for the first relay */

enum proxy_state { PROXY_IS_OFF, PROXY_IS_ASKED, PROXY_IS_THROUGH };

struct held_datagram {
    struct address remote;
    uint8_t *bytes;
    size_t length;
};

struct datagram_socket_proxy {
    struct datagram_socket *socket;
    struct datagram_socket_proxy_options options;
    enum proxy_state state;
    bool tied;                   /* to an interface, once */
    enum freshet_error last;     /* that was told */
    uv_timer_t timer;            /* of the dialog, or until the next one */
    uv_poll_t *poll;             /* NULL: no connection to the proxy */
    int control;                 /* that connection */
    struct proxy_dialog *dialog; /* while asked */
    struct held_datagram held[HELD_MAX];
    uint32_t held_count;
};

static void proxy_start(struct datagram_socket_proxy *proxy);

static void proxy_on_poll_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

static void proxy_drop_held(struct datagram_socket_proxy *proxy)
{
    for (uint32_t i = 0; i < proxy->held_count; i++)
        memory_free(proxy->held[i].bytes);
    proxy->held_count = 0;
}

/* The socket loses its port: what still comes to it comes to nobody. */
static void proxy_hang_up(struct datagram_socket_proxy *proxy)
{
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};

    proxy->state = PROXY_IS_OFF;
    connect(proxy->socket->fd, &nobody, sizeof nobody);
    proxy_dialog_free(proxy->dialog);
    proxy->dialog = NULL;
    if (!proxy->poll)
        return;
    uv_close((uv_handle_t *)proxy->poll, proxy_on_poll_closed);
    close(proxy->control);
    proxy->poll = NULL;
}

static void proxy_tell(struct datagram_socket_proxy *proxy, enum freshet_error error)
{
    char text[160];

    if (error == proxy->last || !proxy->options.told)
        return;
    proxy->last = error;
    if (error)
        snprintf(text, sizeof text,
                 "no UDP through the proxy (%s): the DHT, uTP and UDP trackers wait",
                 error == FRESHET_ERROR_UNSUPPORTED ? "it cannot" : error_text(error));
    else
        snprintf(text, sizeof text, "UDP goes through the proxy again");
    proxy->options.told(proxy->options.context, text);
}

static void proxy_on_retry(uv_timer_t *timer)
{
    proxy_start(timer->data);
}

static void proxy_fail(struct datagram_socket_proxy *proxy, enum freshet_error error)
{
    bool refused = error == FRESHET_ERROR_REFUSED || error == FRESHET_ERROR_UNSUPPORTED;

    proxy_hang_up(proxy);
    proxy_drop_held(proxy);
    proxy_tell(proxy, error);
    uv_timer_start(&proxy->timer, proxy_on_retry, refused ? REFUSED_MS : RETRY_MS, 0);
}

static void proxy_on_silence(uv_timer_t *timer)
{
    proxy_fail(timer->data, FRESHET_ERROR_TIMEOUT);
}

static void proxy_on_through(struct datagram_socket_proxy *proxy)
{
    struct address relay = proxy->options.route->proxy;
    struct sockaddr_storage to;

    relay.port = proxy_dialog_bound(proxy->dialog).port;
    socklen_t length = socket_address_to(&relay, false, &to);
    if (relay.port == 0) {
        proxy_fail(proxy, FRESHET_ERROR_PROTOCOL);
        return;
    }
    if (connect(proxy->socket->fd, (struct sockaddr *)&to, length) != 0) {
        proxy_fail(proxy, posix_error_of_socket(errno));
        return;
    }
    uv_timer_stop(&proxy->timer);
    proxy->state = PROXY_IS_THROUGH;
    proxy_dialog_free(proxy->dialog);
    proxy->dialog = NULL;
    proxy_tell(proxy, FRESHET_OK);
    for (uint32_t i = 0; i < proxy->held_count; i++)
        datagram_socket_send(proxy->socket, &proxy->held[i].remote,
                             (struct bytes){proxy->held[i].bytes, proxy->held[i].length});
    proxy_drop_held(proxy);
}

/* RFC 1928, 7: the relay lives as long as the connection does, on which nothing more is said. */
static void proxy_on_word(struct datagram_socket_proxy *proxy)
{
    uint8_t bytes[64];
    ssize_t got = recv(proxy->control, bytes, sizeof bytes, 0);

    if (got == 0)
        proxy_fail(proxy, FRESHET_ERROR_CLOSED);
    else if (got < 0 && errno != EAGAIN && errno != EINTR)
        proxy_fail(proxy, posix_error_of_socket(errno));
}

static void proxy_on_poll(uv_poll_t *poll, int status, int events)
{
    struct datagram_socket_proxy *proxy = poll->data;
    int number = 0;
    socklen_t length = sizeof number;

    (void)status;
    (void)events;
    if (proxy->state == PROXY_IS_THROUGH) {
        proxy_on_word(proxy);
        return;
    }
    getsockopt(proxy->control, SOL_SOCKET, SO_ERROR, &number, &length);
    if (number != 0) {
        proxy_fail(proxy, posix_error_of_socket(number));
        return;
    }
    switch (proxy_dialog_step(proxy->dialog, proxy->control)) {
    case PROXY_WRITES: uv_poll_start(poll, UV_WRITABLE, proxy_on_poll); break;
    case PROXY_READS: uv_poll_start(poll, UV_READABLE, proxy_on_poll); break;
    case PROXY_FAILED: proxy_fail(proxy, proxy_dialog_error(proxy->dialog)); break;
    case PROXY_DONE:
        uv_poll_start(poll, UV_READABLE, proxy_on_poll);
        proxy_on_through(proxy);
        break;
    }
}

/* A connection to the proxy under way, or -errno. */
static int proxy_connect(const struct network_route *route)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&route->proxy, false, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int number = fd < 0 ? errno : network_route_tie(route, fd, true);

    if (!number && connect(fd, (struct sockaddr *)&to, length) != 0 && errno != EINPROGRESS)
        number = errno;
    if (!number)
        return fd;
    if (fd >= 0)
        close(fd);
    return -number;
}

static void proxy_start(struct datagram_socket_proxy *proxy)
{
    const struct network_route *route = proxy->options.route;
    /* RFC 1928, 4: who does not know yet where it will send from says zeros. */
    struct address from = {.family = route->proxy.family};
    int fd = proxy_connect(route);
    /* The interface may be another one by now that has the same name. */
    int number = fd < 0 ? -fd : network_route_tie(route, proxy->socket->fd, false);

    /* Not everybody may tie a socket anew; it stays with the one that it was tied to. */
    if (number == EPERM && proxy->tied)
        number = 0;
    if (number) {
        if (fd >= 0)
            close(fd);
        proxy_fail(proxy, posix_error_of_socket(number));
        return;
    }
    proxy->tied = true;
    proxy->control = fd;
    proxy->poll = memory_new(sizeof *proxy->poll);
    proxy->dialog = proxy_dialog_new(route, SOCKS_UDP_ASSOCIATE, &from);
    proxy->state = PROXY_IS_ASKED;
    CHECK(uv_poll_init(proxy->socket->poll.loop, proxy->poll, fd) == 0);
    proxy->poll->data = proxy;
    uv_poll_start(proxy->poll, UV_WRITABLE, proxy_on_poll);
    uv_timer_start(&proxy->timer, proxy_on_silence, DIALOG_MS, 0);
}

enum freshet_error datagram_socket_open_proxied(uv_loop_t *loop, const struct address *listen,
                                                const struct datagram_socket_proxy_options *options,
                                                struct datagram_socket **ret_socket)
{
    int family = options->route->proxy.family == ADDRESS_IPV6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = RECEIVE_BUFFER;

    if (fd < 0)
        return posix_error_of_socket(errno);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct datagram_socket *socket =
        datagram_socket_new(loop, fd, listen, options->received, options->context);
    struct datagram_socket_proxy *proxy = memory_new(sizeof *proxy);
    socket->family = options->route->proxy.family;
    socket->proxy = proxy;
    proxy->socket = socket;
    proxy->options = *options;
    CHECK(uv_timer_init(loop, &proxy->timer) == 0);
    proxy->timer.data = proxy;
    proxy_start(proxy);
    *ret_socket = socket;
    return FRESHET_OK;
}

static void proxy_on_timer_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void datagram_socket_close_proxy(struct datagram_socket *socket)
{
    struct datagram_socket_proxy *proxy = socket->proxy;

    proxy_hang_up(proxy);
    proxy_drop_held(proxy);
    uv_close((uv_handle_t *)&proxy->timer, proxy_on_timer_closed);
    socket->proxy = NULL;
}

bool datagram_socket_is_through(const struct datagram_socket *socket)
{
    return !socket->proxy || socket->proxy->state == PROXY_IS_THROUGH;
}

bool datagram_socket_unwrap(const struct datagram_socket *socket, struct event *event)
{
    return !socket->proxy ||
           socks_datagram_parse(event->bytes, &event->remote, &event->bytes) == FRESHET_OK;
}

static void proxy_hold(struct datagram_socket_proxy *proxy, const struct address *remote,
                       const struct iovec *pieces, size_t count)
{
    struct held_datagram *held = &proxy->held[proxy->held_count];
    struct buffer bytes = {0};

    if (proxy->state != PROXY_IS_ASKED || proxy->held_count == HELD_MAX)
        return;
    for (size_t i = 0; i < count; i++)
        buffer_append(&bytes, pieces[i].iov_base, pieces[i].iov_len);
    *held = (struct held_datagram){*remote, bytes.data, bytes.length};
    proxy->held_count++;
}

int datagram_socket_send_proxied(struct datagram_socket *socket, const struct address *remote,
                                 const struct iovec *pieces, size_t count)
{
    struct iovec vectors[1 + DATAGRAM_PIECES_MAX];
    uint8_t header[SOCKS_DATAGRAM_HEADER_MAX];
    struct msghdr message = {.msg_iov = vectors, .msg_iovlen = count + 1};

    CHECK(count <= DATAGRAM_PIECES_MAX);
    if (socket->proxy->state != PROXY_IS_THROUGH) {
        proxy_hold(socket->proxy, remote, pieces, count);
        return 0;
    }
    vectors[0] = (struct iovec){header, socks_datagram_write(remote, header)};
    memcpy(vectors + 1, pieces, count * sizeof *pieces);
    while (sendmsg(socket->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

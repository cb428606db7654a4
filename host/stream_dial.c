/* SPDX-License-Identifier: MIT */
#include "host/stream_dial.h"

#include "host/socket_address.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket on its way, or -errno. */
static int stream_open(const struct stream_table *table, const struct address *remote)
{
    const struct network_route *route = table->options.route;
    struct address first = network_route_first_hop(route, remote);
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&first, false, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    errno = network_route_tie(route, fd, true);
    if (errno)
        goto fail_socket;
    /* From the address that we listen on, so that peers see one of us (and tests tell peers of one
     * machine apart). */
    if (!network_route_has_interface(route))
        socket_address_bind_like(fd, &table->bound, &first);
    if (connect(fd, (struct sockaddr *)&to, length) != 0 && errno != EINPROGRESS)
        goto fail_socket;
    return fd;
fail_socket:;
    int number = errno;
    close(fd);
    return -number;
}

struct stream_socket *stream_dial(struct stream_table *table, conn_id conn,
                                  const struct address *remote)
{
    int fd = stream_open(table, remote);

    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    struct stream_socket *stream = stream_socket_new(table, conn, fd, remote);
    if (!stream) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    stream->connecting = true;
    if (network_route_has_proxy(table->options.route))
        stream->dialog = proxy_dialog_new(table->options.route, SOCKS_CONNECT, remote);
    stream_socket_poll(stream);
    return stream;
}

/* SPDX-License-Identifier: MIT */
#include "host/datagram_socket.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/posix_error.h"
#include "host/socket_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#define DATAGRAM_SIZE    8192u /* longer ones are no protocol of ours and come truncated */
#define DATAGRAMS_A_CALL 16
#define CALLS_A_TURN     16
#define RECEIVE_BUFFER   (1024 * 1024)

struct datagram_socket {
    uv_poll_t poll;
    int fd;
    bool dual; /* an IPv6 socket that speaks IPv4 too */
    bool closing;
    uint8_t family;
    struct address bound;
    void (*received)(void *context, struct event *event);
    void *context;
    uint8_t buffers[DATAGRAMS_A_CALL][DATAGRAM_SIZE];
};

/* Hands over what one call brings; returns how many came. */
static int datagram_socket_receive(struct datagram_socket *socket)
{
    struct mmsghdr messages[DATAGRAMS_A_CALL] = {0};
    struct iovec vectors[DATAGRAMS_A_CALL];
    struct sockaddr_storage from[DATAGRAMS_A_CALL];

    for (int i = 0; i < DATAGRAMS_A_CALL; i++) {
        vectors[i] = (struct iovec){socket->buffers[i], DATAGRAM_SIZE};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    int count = recvmmsg(socket->fd, messages, DATAGRAMS_A_CALL, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct event event = {.type = EVENT_DATAGRAM, .local = socket->bound};
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            continue;
        if (!socket_address_from((struct sockaddr *)&from[i], &event.remote))
            continue;
        event.bytes = (struct bytes){socket->buffers[i], messages[i].msg_len};
        socket->received(socket->context, &event);
    }
    /* An ICMP error of an earlier send comes out as a failed receive; there may be more behind. */
    if (count < 0 && (errno == ECONNREFUSED || errno == EINTR))
        return DATAGRAMS_A_CALL;
    return count;
}

static void datagram_socket_on_poll(uv_poll_t *poll, int status, int events)
{
    struct datagram_socket *socket = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < CALLS_A_TURN && !socket->closing; i++)
        if (datagram_socket_receive(socket) < DATAGRAMS_A_CALL)
            return;
}

static int datagram_socket_bind(const struct address *address)
{
    struct sockaddr_storage local;
    socklen_t length = socket_address_to(address, false, &local);
    int off = 0, on = 1, size = RECEIVE_BUFFER;
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, address_is_unspecified(address) ? &off : &on,
                   sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&local, length) == 0)
        return fd;
    int number = errno;
    close(fd);
    return -number;
}

enum freshet_error datagram_socket_open(uv_loop_t *loop, const struct address *address,
                                        void (*received)(void *context, struct event *event),
                                        void *context, struct datagram_socket **ret_socket)
{
    int fd = datagram_socket_bind(address);

    if (fd < 0)
        return posix_error_of_socket(-fd);
    struct datagram_socket *socket = memory_new(sizeof *socket);
    socket->fd = fd;
    socket->family = address->family;
    socket->dual = address->family == ADDRESS_IPV6 && address_is_unspecified(address);
    socket->received = received;
    socket->context = context;
    socket->bound = *address;
    socket_address_of_local(fd, &socket->bound);
    CHECK(uv_poll_init(loop, &socket->poll, fd) == 0);
    socket->poll.data = socket;
    uv_poll_start(&socket->poll, UV_READABLE, datagram_socket_on_poll);
    *ret_socket = socket;
    return FRESHET_OK;
}

struct address datagram_socket_address(const struct datagram_socket *socket)
{
    return socket->bound;
}

static void datagram_socket_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void datagram_socket_close(struct datagram_socket *socket)
{
    if (!socket)
        return;
    socket->closing = true;
    uv_poll_stop(&socket->poll);
    close(socket->fd);
    uv_close((uv_handle_t *)&socket->poll, datagram_socket_on_closed);
}

void datagram_socket_send(struct datagram_socket *socket, const struct address *remote,
                          struct bytes bytes)
{
    struct sockaddr_storage to;

    if (remote->family != socket->family && !socket->dual)
        return;
    socklen_t length = socket_address_to(remote, socket->dual, &to);
    while (sendto(socket->fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (struct sockaddr *)&to, length) < 0 &&
           errno == EINTR)
        continue;
}

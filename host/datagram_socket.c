/* SPDX-License-Identifier: MIT */
#include "host/datagram_socket_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/posix_error.h"
#include "host/socket_address.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

/* Where a datagram was sent to, on a socket that is bound to every address. */
static void note_destination(struct msghdr *message, struct address *local)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(control), sizeof info);
            *local = address_ipv4((const uint8_t *)&info.ipi_addr, local->port);
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(control), sizeof info);
            *local = address_ipv6(info.ipi6_addr.s6_addr, local->port);
        }
    }
}

/* Hands over what one call brings; returns how many came. */
static int datagram_socket_receive(struct datagram_socket *socket)
{
    struct mmsghdr messages[DATAGRAMS_A_CALL] = {0};
    struct iovec vectors[DATAGRAMS_A_CALL];
    struct sockaddr_storage from[DATAGRAMS_A_CALL];

    for (int i = 0; i < DATAGRAMS_A_CALL; i++) {
        vectors[i].iov_base = socket->buffers + (size_t)i * socket->buffer_size;
        vectors[i].iov_len = socket->buffer_size;
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
        messages[i].msg_hdr.msg_control = socket->controls[i].bytes;
        messages[i].msg_hdr.msg_controllen = sizeof socket->controls[i].bytes;
    }
    int count = recvmmsg(socket->fd, messages, DATAGRAMS_A_CALL, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        struct event event = {.type = EVENT_DATAGRAM, .local = socket->bound};
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            continue;
        if (!socket_address_from((struct sockaddr *)&from[i], &event.remote))
            continue;
        note_destination(&messages[i].msg_hdr, &event.local);
        event.bytes = (struct bytes){vectors[i].iov_base, messages[i].msg_len};
        datagram_socket_hand_over(socket, &messages[i].msg_hdr, &event);
    }
    if (count > 0 && socket->runs.received && !socket->closing)
        socket->runs.received(socket->runs.context);
    /* An ICMP error of an earlier send comes out as a failed receive; there may be more behind. */
    if (count < 0 && (errno == ECONNREFUSED || errno == EINTR))
        return DATAGRAMS_A_CALL;
    return count;
}

static void datagram_socket_on_poll(uv_poll_t *poll, int status, int events)
{
    struct datagram_socket *socket = poll->data;

    (void)status;
    if (events & UV_WRITABLE) {
        datagram_socket_poll(socket, false);
        socket->runs.writable(socket->runs.context);
    }
    for (int i = 0; i < CALLS_A_TURN && !socket->closing; i++)
        if (datagram_socket_receive(socket) < DATAGRAMS_A_CALL)
            return;
}

void datagram_socket_poll(struct datagram_socket *socket, bool waits)
{
    uv_poll_start(&socket->poll, UV_READABLE | (waits ? UV_WRITABLE : 0), datagram_socket_on_poll);
}

static int datagram_socket_bind(const struct address *address, bool dual,
                                const struct network_route *route)
{
    struct sockaddr_storage local;
    socklen_t length = socket_address_to(address, false, &local);
    int off = 0, on = 1, size = RECEIVE_BUFFER;
    int fd = socket(local.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual ? &off : &on, sizeof on);
    if (address_is_unspecified(address) && local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    else if (address_is_unspecified(address))
        setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    int number = network_route_tie(route, fd, false);
    if (!number && bind(fd, (struct sockaddr *)&local, length) == 0)
        return fd;
    number = number ? number : errno;
    close(fd);
    return -number;
}

struct datagram_socket *datagram_socket_new(uv_loop_t *loop, int fd, const struct address *bound,
                                            void (*received)(void *context, struct event *event),
                                            void *context)
{
    struct datagram_socket *socket = memory_new(sizeof *socket);

    socket->fd = fd;
    socket->received = received;
    socket->context = context;
    socket->bound = *bound;
    CHECK(uv_poll_init(loop, &socket->poll, fd) == 0);
    socket->poll.data = socket;
    socket->buffer_size = DATAGRAM_SIZE;
    socket->buffers = memory_new_array(DATAGRAMS_A_CALL, DATAGRAM_SIZE);
    datagram_socket_poll(socket, false);
    return socket;
}

enum freshet_error datagram_socket_open_by(uv_loop_t *loop,
                                           const struct datagram_socket_options *options,
                                           struct datagram_socket **ret_socket)
{
    const struct address *address = &options->address;
    bool dual =
        address->family == ADDRESS_IPV6 && address_is_unspecified(address) && !options->ipv6_only;
    int fd = datagram_socket_bind(address, dual, options->route);

    if (fd < 0)
        return posix_error_of_socket(-fd);
    struct datagram_socket *socket =
        datagram_socket_new(loop, fd, address, options->received, options->context);
    socket->family = address->family;
    socket->dual = dual;
    socket_address_of_local(fd, &socket->bound);
    *ret_socket = socket;
    return FRESHET_OK;
}

enum freshet_error datagram_socket_open(uv_loop_t *loop, const struct address *address,
                                        bool ipv6_only,
                                        void (*received)(void *context, struct event *event),
                                        void *context, struct datagram_socket **ret_socket)
{
    struct datagram_socket_options options = {
        .address = *address, .ipv6_only = ipv6_only, .received = received, .context = context};

    return datagram_socket_open_by(loop, &options, ret_socket);
}

struct address datagram_socket_address(const struct datagram_socket *socket)
{
    return socket->bound;
}

static void datagram_socket_on_closed(uv_handle_t *handle)
{
    struct datagram_socket *socket = handle->data;

    memory_free(socket->buffers);
    memory_free(socket);
}

void datagram_socket_close(struct datagram_socket *socket)
{
    if (!socket)
        return;
    socket->closing = true;
    if (socket->proxy)
        datagram_socket_close_proxy(socket);
    uv_close((uv_handle_t *)&socket->poll, datagram_socket_on_closed);
    close(socket->fd);
}

void datagram_socket_send(struct datagram_socket *socket, const struct address *remote,
                          struct bytes bytes)
{
    struct sockaddr_storage to;
    struct iovec whole = {(void *)(uintptr_t)bytes.data, bytes.length};

    if (socket->proxy) {
        datagram_socket_send_proxied(socket, remote, &whole, 1);
        return;
    }
    if (remote->family != socket->family && !socket->dual)
        return;
    socklen_t length = socket_address_to(remote, socket->dual, &to);
    while (sendto(socket->fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (struct sockaddr *)&to, length) < 0 &&
           errno == EINTR)
        continue;
}

/* The source of a reply: filled in when the socket is bound to every address. */
void datagram_socket_name_source(const struct datagram_socket *socket, const struct address *local,
                                 struct msghdr *message, struct datagram_control *control)
{
    struct sockaddr_storage from;
    if (!address_is_unspecified(&socket->bound) || local->family == ADDRESS_NONE ||
        address_is_unspecified(local))
        return;
    (void)socket_address_to(local, socket->dual, &from);
    message->msg_control = control->bytes;
    if (from.ss_family == AF_INET6) {
        struct in6_pktinfo info = {.ipi6_addr = ((struct sockaddr_in6 *)&from)->sin6_addr};
        message->msg_controllen = CMSG_SPACE(sizeof info);
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        header->cmsg_level = IPPROTO_IPV6;
        header->cmsg_type = IPV6_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
    } else {
        struct in_pktinfo info = {.ipi_spec_dst = ((struct sockaddr_in *)&from)->sin_addr};
        message->msg_controllen = CMSG_SPACE(sizeof info);
        struct cmsghdr *header = CMSG_FIRSTHDR(message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof info);
        memcpy(CMSG_DATA(header), &info, sizeof info);
    }
}

void datagram_socket_reply(struct datagram_socket *socket, const struct event *event,
                           struct bytes bytes)
{
    struct sockaddr_storage to;
    struct datagram_control control = {0};
    struct iovec vector = {(void *)(uintptr_t)bytes.data, bytes.length};
    struct msghdr message = {.msg_name = &to, .msg_iov = &vector, .msg_iovlen = 1};

    if (socket->proxy) {
        datagram_socket_send_proxied(socket, &event->remote, &vector, 1);
        return;
    }
    if (event->remote.family != socket->family && !socket->dual)
        return;
    message.msg_namelen = socket_address_to(&event->remote, socket->dual, &to);
    datagram_socket_name_source(socket, &event->local, &message, &control);
    while (sendmsg(socket->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR)
        continue;
}

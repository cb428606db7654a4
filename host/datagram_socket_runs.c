/* SPDX-License-Identifier: MIT */
/* Many equal datagrams in one call: the kernel cuts them apart, and puts them together again. */
#include "host/datagram_socket_state.h"

#include "core/base/memory.h"
#include "host/socket_address.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#define RUN_SIZE    65536u
#define SEND_BUFFER (1024 * 1024)

/* Older headers than the kernel. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

/* How long each datagram of a run is; 0: it is one. */
static size_t datagram_socket_run_size(struct msghdr *message)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
         control = CMSG_NXTHDR(message, control))
        if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(control), sizeof size);
            return size > 0 ? (size_t)size : 0;
        }
    return 0;
}

void datagram_socket_hand_over(struct datagram_socket *socket, struct msghdr *message,
                               struct event *event)
{
    struct bytes all = event->bytes;
    size_t size = socket->runs.context ? datagram_socket_run_size(message) : 0;

    if (size == 0)
        size = all.length;
    if (size > DATAGRAM_SIZE)
        return;
    /* An empty datagram is one too. */
    do {
        event->bytes.data = all.data;
        event->bytes.length = all.length < size ? all.length : size;
        all.data += event->bytes.length;
        all.length -= event->bytes.length;
        if (datagram_socket_unwrap(socket, event))
            socket->received(socket->context, event);
    } while (all.length > 0 && !socket->closing);
}

void datagram_socket_take_runs(struct datagram_socket *socket,
                               const struct datagram_socket_runs *runs)
{
    int on = 1, size = SEND_BUFFER, fragments = IP_PMTUDISC_DONT;

    socket->runs = *runs;
    setsockopt(socket->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(socket->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
    setsockopt(socket->fd, IPPROTO_IP, IP_MTU_DISCOVER, &fragments, sizeof fragments);
    memory_free(socket->buffers);
    socket->buffer_size = RUN_SIZE;
    socket->buffers = memory_new_array(DATAGRAMS_A_CALL, RUN_SIZE);
}

/* Only probes of the path forbid fragments; they are rare. */
static void datagram_socket_set_fragments(struct datagram_socket *socket, bool no_fragments)
{
    int ipv4 = no_fragments ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
    int ipv6 = no_fragments ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;

    if (no_fragments == socket->no_fragments)
        return;
    socket->no_fragments = no_fragments;
    if (socket->family == ADDRESS_IPV4 || socket->dual)
        setsockopt(socket->fd, IPPROTO_IP, IP_MTU_DISCOVER, &ipv4, sizeof ipv4);
    if (socket->family == ADDRESS_IPV6)
        setsockopt(socket->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &ipv6, sizeof ipv6);
}

static int datagram_socket_send_message(struct datagram_socket *socket, struct msghdr *message)
{
    while (sendmsg(socket->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

/* The message may have a control header already, in memory with room for one more. */
static int datagram_socket_send_whole(struct datagram_socket *socket, struct msghdr *message,
                                      struct datagram_control *control, uint32_t size)
{
    size_t length = message->msg_controllen;
    uint16_t segment = (uint16_t)size;
    struct cmsghdr header = {
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof segment)};

    memcpy(control->bytes + length, &header, sizeof header);
    memcpy(control->bytes + length + CMSG_LEN(0), &segment, sizeof segment);
    message->msg_control = control->bytes;
    message->msg_controllen = length + CMSG_SPACE(sizeof segment);
    int number = datagram_socket_send_message(socket, message);
    message->msg_control = length ? control->bytes : NULL;
    message->msg_controllen = length;
    return number;
}

/* Each datagram by itself. Pieces never reach across two of them. What finds no room is lost: the
 * first of them may be gone already. */
static void datagram_socket_send_each(struct datagram_socket *socket, struct msghdr *message,
                                      const struct utp_output *run)
{
    size_t count = message->msg_iovlen, first = 0, length = 0;
    struct iovec *vectors = message->msg_iov;

    for (size_t i = 0; i < count; i++) {
        length += vectors[i].iov_len;
        if (length < run->packet_size && i + 1 < count)
            continue;
        message->msg_iov = vectors + first;
        message->msg_iovlen = i + 1 - first;
        if (socket->proxy)
            datagram_socket_send_proxied(socket, &run->path.remote, vectors + first, i + 1 - first);
        else
            datagram_socket_send_message(socket, message);
        first = i + 1;
        length = 0;
    }
}

bool datagram_socket_send_run(struct datagram_socket *socket, const struct utp_output *run)
{
    struct sockaddr_storage to;
    struct iovec vectors[sizeof run->pieces / sizeof *run->pieces];
    struct msghdr message = {.msg_name = &to, .msg_iov = vectors, .msg_iovlen = run->piece_count};
    struct datagram_control control;
    int number = 0;

    memset(&control, 0, sizeof control);
    for (uint32_t i = 0; i < run->piece_count; i++)
        vectors[i] = (struct iovec){(void *)(uintptr_t)run->pieces[i].data, run->pieces[i].length};
    datagram_socket_set_fragments(socket, run->no_fragments);
    if (socket->proxy) { /* each wants a header of its own */
        datagram_socket_send_each(socket, &message, run);
        return true;
    }
    if (run->path.remote.family != socket->family && !socket->dual)
        return true;
    message.msg_namelen = socket_address_to(&run->path.remote, socket->dual, &to);
    datagram_socket_name_source(socket, &run->path.local, &message, &control);
    if (run->packets == 1)
        number = datagram_socket_send_message(socket, &message);
    else if (!socket->one_by_one)
        number = datagram_socket_send_whole(socket, &message, &control, run->packet_size);
    if (number == EAGAIN || number == EWOULDBLOCK || number == ENOBUFS) {
        datagram_socket_poll(socket, true);
        return false;
    }
    /* The kernel or the device does not cut (EINVAL also: longer than the device takes). */
    if (number == EIO || number == ENOPROTOOPT)
        socket->one_by_one = true;
    if (run->packets > 1 && (socket->one_by_one || number == EINVAL || number == EMSGSIZE))
        datagram_socket_send_each(socket, &message, run);
    return true;
}

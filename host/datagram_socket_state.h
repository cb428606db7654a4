/* SPDX-License-Identifier: MIT */
/* What the two files of datagram_socket share. */
#ifndef FRESHET_HOST_DATAGRAM_SOCKET_STATE_H
#define FRESHET_HOST_DATAGRAM_SOCKET_STATE_H

#include "host/datagram_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define DATAGRAM_SIZE    8192u /* longer ones are no protocol of ours and come truncated */
#define DATAGRAMS_A_CALL 16
#define CALLS_A_TURN     16
#define RECEIVE_BUFFER   (1024 * 1024)

/* Room for what the system tells beside a datagram, aligned as it wants it. */
struct datagram_control {
    _Alignas(struct cmsghdr)
        uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                      CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int))];
};

struct datagram_socket {
    uv_poll_t poll;
    int fd;
    bool dual; /* an IPv6 socket that speaks IPv4 too */
    bool closing;
    bool one_by_one;   /* the kernel cuts no runs */
    bool no_fragments; /* as the socket is set now */
    uint8_t family;
    struct address bound;
    void (*received)(void *context, struct event *event);
    void *context;
    struct datagram_socket_runs runs;
    uint8_t *buffers; /* DATAGRAMS_A_CALL of them */
    size_t buffer_size;
    struct datagram_control controls[DATAGRAMS_A_CALL];
};

/* One message as the datagrams that it is made of. */
void datagram_socket_hand_over(struct datagram_socket *socket, struct msghdr *message,
                               struct event *event);
/* Sends it from that address of ours, if the socket is bound to all of them. */
void datagram_socket_name_source(const struct datagram_socket *socket, const struct address *local,
                                 struct msghdr *message, struct datagram_control *control);
/* `waits`: for room to send as well. */
void datagram_socket_poll(struct datagram_socket *socket, bool waits);

#endif

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
/* Of one datagram, which may be part of a run. */
#define DATAGRAM_PIECES_MAX (sizeof((struct utp_output *)0)->pieces / sizeof(struct bytes))

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
    struct datagram_socket_proxy *proxy; /* NULL: datagrams go straight to whom they are for */
    uint8_t *buffers;                    /* DATAGRAMS_A_CALL of them */
    size_t buffer_size;
    struct datagram_control controls[DATAGRAMS_A_CALL];
};

/* Around a socket that is ready to be used. */
struct datagram_socket *datagram_socket_new(uv_loop_t *loop, int fd, const struct address *bound,
                                            void (*received)(void *context, struct event *event),
                                            void *context);
/* One message as the datagrams that it is made of. */
void datagram_socket_hand_over(struct datagram_socket *socket, struct msghdr *message,
                               struct event *event);
/* Sends it from that address of ours, if the socket is bound to all of them. */
void datagram_socket_name_source(const struct datagram_socket *socket, const struct address *local,
                                 struct msghdr *message, struct datagram_control *control);
/* `waits`: for room to send as well. */
void datagram_socket_poll(struct datagram_socket *socket, bool waits);

/* ---- with a proxy (datagram_socket_proxy.c) ---- */

/* Takes off what the proxy put before it; false: it is nothing that a proxy sends. */
bool datagram_socket_unwrap(const struct datagram_socket *socket, struct event *event);
/* One datagram, of pieces; 0, also when it is dropped, or errno. */
int datagram_socket_send_proxied(struct datagram_socket *socket, const struct address *remote,
                                 const struct iovec *pieces, size_t count);
void datagram_socket_close_proxy(struct datagram_socket *socket);

#endif

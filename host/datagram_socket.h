/* SPDX-License-Identifier: MIT */
/*
 * The UDP socket of the door, on the same address and port as TCP: UDP trackers, and what else
 * speaks in datagrams (uTP in runs of them); also the socket of a UDP tracker (tracker_service.h).
 * One that cannot be sent at once is dropped, as the network might.
 */
#ifndef FRESHET_HOST_DATAGRAM_SOCKET_H
#define FRESHET_HOST_DATAGRAM_SOCKET_H

#include "core/door/door.h"
#include "core/utp/utp_output.h"
#include "host/network_route.h"

#include <uv.h>

struct datagram_socket;

/* Bound as stream_sockets_listen binds; `ipv6_only`: an IPv6 address takes no IPv4 along.
 * `received` is called from the loop for each datagram; its `local` is where it was sent to. */
enum freshet_error datagram_socket_open(uv_loop_t *loop, const struct address *address,
                                        bool ipv6_only,
                                        void (*received)(void *context, struct event *event),
                                        void *context, struct datagram_socket **ret_socket);
struct datagram_socket_options {
    struct address address;
    bool ipv6_only;
    const struct network_route *route; /* its interface; NULL: any */
    void (*received)(void *context, struct event *event);
    void *context;
};

/* The same by one interface. Through a proxy: datagram_socket_proxy.h. */
enum freshet_error datagram_socket_open_by(uv_loop_t *loop,
                                           const struct datagram_socket_options *options,
                                           struct datagram_socket **ret_socket);
/* What it is bound to, with the port that was free when 0 was asked for. */
struct address datagram_socket_address(const struct datagram_socket *socket);
void datagram_socket_close(struct datagram_socket *socket);
void datagram_socket_send(struct datagram_socket *socket, const struct address *remote,
                          struct bytes bytes);
/* From the address that the event's datagram was sent to, which a client of a machine with several
 * addresses insists on. */
void datagram_socket_reply(struct datagram_socket *socket, const struct event *event,
                           struct bytes bytes);

/* ---- runs of equal datagrams (uTP) ---- */

struct datagram_socket_runs {
    void (*received)(void *context); /* a handful was handed over: a good time to answer */
    void (*writable)(void *context); /* after a run that found no room */
    void *context;
};

/* From now on runs are received as the kernel has them, in one piece, where it can (UDP_GRO);
 * `received` of datagram_socket_open is still called for each datagram. */
void datagram_socket_take_runs(struct datagram_socket *socket,
                               const struct datagram_socket_runs *runs);
/* In one call where the kernel can (UDP_SEGMENT), else one by one. false: no room now, nothing was
 * sent and `writable` comes. What cannot be sent for another reason is dropped. */
bool datagram_socket_send_run(struct datagram_socket *socket, const struct utp_output *run);

#endif

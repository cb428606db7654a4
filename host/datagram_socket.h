/* SPDX-License-Identifier: MIT */
/*
 * The UDP socket of the door, on the same address and port as TCP: UDP trackers, and what else
 * speaks in datagrams later; also the socket of a UDP tracker (tracker_service.h). One that cannot
 * be sent at once is dropped, as the network might.
 */
#ifndef FRESHET_HOST_DATAGRAM_SOCKET_H
#define FRESHET_HOST_DATAGRAM_SOCKET_H

#include "core/door/door.h"

#include <uv.h>

struct datagram_socket;

/* Bound as stream_sockets_listen binds; `ipv6_only`: an IPv6 address takes no IPv4 along.
 * `received` is called from the loop for each datagram; its `local` is where it was sent to. */
enum freshet_error datagram_socket_open(uv_loop_t *loop, const struct address *address,
                                        bool ipv6_only,
                                        void (*received)(void *context, struct event *event),
                                        void *context, struct datagram_socket **ret_socket);
/* What it is bound to, with the port that was free when 0 was asked for. */
struct address datagram_socket_address(const struct datagram_socket *socket);
void datagram_socket_close(struct datagram_socket *socket);
void datagram_socket_send(struct datagram_socket *socket, const struct address *remote,
                          struct bytes bytes);
/* From the address that the event's datagram was sent to, which a client of a machine with several
 * addresses insists on. */
void datagram_socket_reply(struct datagram_socket *socket, const struct event *event,
                           struct bytes bytes);

#endif

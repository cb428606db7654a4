/* SPDX-License-Identifier: MIT */
/*
 * The streams of the door, over TCP and (utp_streams.h) over uTP: listening, connecting, receiving
 * to where the engine says, sending header and file ranges. Level-triggered polls of libuv with our
 * own system calls. Events are told through the sink at once, from the loop or from within a call
 * below; the sink only feeds the engine and never calls back.
 */
#ifndef FRESHET_HOST_STREAM_SOCKETS_H
#define FRESHET_HOST_STREAM_SOCKETS_H

#include "host/stream_socket.h"
#include "host/utp_streams.h"

struct stream_sockets;

struct stream_sockets *stream_sockets_new(const struct stream_sockets_options *options);
/* Closes everything, telling nobody. The loop must run until its handles are gone. */
void stream_sockets_free(struct stream_sockets *sockets);

/* Listens on an address: unspecified IPv6 means IPv4 too. Port 0 takes any. Connections that we
 * open come from the same address if it is a specific one. */
enum freshet_error stream_sockets_listen(struct stream_sockets *sockets,
                                         const struct address *address, struct address *ret_bound);
void stream_sockets_stop_listening(struct stream_sockets *sockets);

/* uTP too, on this socket, which must outlive the streams. Called again: from now on on another
 * one, where nobody would know the connections that there are: they end. */
void stream_sockets_use_utp(struct stream_sockets *sockets, struct datagram_socket *socket,
                            enum utp_policy policy);
/* NULL: there is only TCP. */
struct utp_streams *stream_sockets_utp(struct stream_sockets *sockets);

/* The actions of the door. Those on connections that are gone do nothing. TRANSPORT_ANY: what
 * answers first (stream_races.h). */
void stream_sockets_connect(struct stream_sockets *sockets, conn_id conn,
                            const struct address *remote, enum transport transport);
void stream_sockets_send(struct stream_sockets *sockets, const struct action *action);
void stream_sockets_encrypt(struct stream_sockets *sockets, conn_id conn, const struct rc4 *cipher);
void stream_sockets_pause(struct stream_sockets *sockets, conn_id conn, bool paused);
void stream_sockets_close(struct stream_sockets *sockets, conn_id conn);

/* Closes, telling, those that cannot live any more: whose own address this machine does not have,
 * and who are on their way out from one; `all`: every one.
 * Returns how many. */
uint32_t stream_sockets_close_dead(struct stream_sockets *sockets, bool all);

uint32_t stream_sockets_count(const struct stream_sockets *sockets);

#endif

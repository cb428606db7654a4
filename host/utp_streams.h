/* SPDX-License-Identifier: MIT */
/*
 * uTP on the engine's UDP socket: a mux (core/utp) whose connections are streams as stream_socket
 * has them, so that sending, receiving and the door see no difference. Each event of the mux is
 * handled while its datagram is at hand, so payload goes from there straight into its block;
 * packets of one peer go out many in a call.
 */
#ifndef FRESHET_HOST_UTP_STREAMS_H
#define FRESHET_HOST_UTP_STREAMS_H

#include "core/utp/utp_window.h"
#include "host/datagram_socket.h"
#include "host/stream_socket.h"

struct utp_streams;

/* The socket is lent, and takes runs from now on. */
struct utp_streams *utp_streams_new(struct stream_table *table, struct datagram_socket *socket,
                                    enum utp_policy policy);
/* After all streams are closed; the loop must run until its handle is gone. Connections that were
 * still saying goodbye are dropped. */
void utp_streams_free(struct utp_streams *streams);
bool utp_streams_is_on(const struct utp_streams *streams, const struct datagram_socket *socket);
/* To another socket; what is still to be said goes out of the one before. */
void utp_streams_move(struct utp_streams *streams, struct datagram_socket *socket);
void utp_streams_set_accepts(struct utp_streams *streams, bool accepts);

/* true: it was a packet of uTP. */
bool utp_streams_input(struct utp_streams *streams, const struct event *datagram);
/* Does what is due; true: the engine was told something. Call it when the engine has no more
 * actions for now. */
bool utp_streams_pump(struct utp_streams *streams);

void utp_streams_connect(struct utp_streams *streams, conn_id conn, const struct address *remote);

/* The same in two steps: the other is asked, with no stream of it or with one of TCP, and the
 * connection becomes a stream, or is dropped. */
enum freshet_error utp_streams_ask(struct utp_streams *streams, conn_id conn,
                                   const struct address *remote);
struct stream_socket *utp_streams_adopt(struct utp_streams *streams, conn_id conn,
                                        const struct address *remote);
void utp_streams_drop(struct utp_streams *streams, conn_id conn);

#endif

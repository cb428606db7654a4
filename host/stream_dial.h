/* SPDX-License-Identifier: MIT */
/* Going out by TCP: stream_sockets and stream_races begin their connections here. */
#ifndef FRESHET_HOST_STREAM_DIAL_H
#define FRESHET_HOST_STREAM_DIAL_H

#include "host/stream_socket.h"

/* A connection on its way to `remote`, or to the proxy before it; NULL: none, for the reason in
 * errno. */
struct stream_socket *stream_dial(struct stream_table *table, conn_id conn,
                                  const struct address *remote);

#endif

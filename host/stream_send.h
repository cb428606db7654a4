/* SPDX-License-Identifier: MIT */
/*
 * The sending half of a connection: header bytes, then file ranges by sendfile. A range that is not
 * in the page cache is read ahead on a worker first, so that no disk wait stalls the loop.
 */
#ifndef FRESHET_HOST_STREAM_SEND_H
#define FRESHET_HOST_STREAM_SEND_H

#include "host/stream_socket.h"

#include <sys/types.h>

/* Starts an ACTION_SEND; none may be in flight. */
void stream_send_start(struct stream_socket *stream, const struct action *action);
/* The socket has room: goes on. */
void stream_send_ready(struct stream_socket *stream);
/* Some of what is left, encrypted. >0 bytes, 0 nothing left, <0 -errno. */
ssize_t stream_send_encrypted(struct stream_socket *stream);

#endif

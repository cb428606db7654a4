/* SPDX-License-Identifier: MIT */
/* The receiving half of a connection: payload lands in its block, the rest in a scratch. */
#ifndef FRESHET_HOST_STREAM_RECEIVE_H
#define FRESHET_HOST_STREAM_RECEIVE_H

#include "host/stream_socket.h"

/* Reads what is there, a turn's worth at most. */
void stream_receive_ready(struct stream_socket *stream);

#endif

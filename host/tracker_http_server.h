/* SPDX-License-Identifier: MIT */
/*
 * The HTTP side of a tracker, by libmicrohttpd on the loop: one listening socket, each GET handed
 * to the tracker server (core/tracker) as its raw path and query. Nothing else is served.
 */
#ifndef FRESHET_HOST_TRACKER_HTTP_SERVER_H
#define FRESHET_HOST_TRACKER_HTTP_SERVER_H

#include "core/tracker/tracker_server.h"

#include <uv.h>

struct tracker_http_server;

/* `after` is called behind every request, so that the owner can set its timer. An IPv6 address
 * takes IPv6 only, so that each family has its own socket and log. */
enum freshet_error tracker_http_server_open(uv_loop_t *loop, const struct address *address,
                                            struct tracker_server *tracker,
                                            void (*after)(void *context), void *context,
                                            struct tracker_http_server **ret_server);
/* The loop must run until its handles are gone. */
void tracker_http_server_close(struct tracker_http_server *server);
struct address tracker_http_server_address(const struct tracker_http_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Short HTTP talk with the router, for UPnP, by libcurl: miniupnpc's own reads whatever a router
 * sends for as long as it sends. No redirects, no proxy, bounded in bytes and time. Blocks.
 */
#ifndef FRESHET_HOST_PORT_HTTP_H
#define FRESHET_HOST_PORT_HTTP_H

#include "core/base/bytes.h"

/* GET, or with `soap_action` a POST of `body`. The answer to append to `out`, with its status; 0:
 * none came, or too much. */
long port_http_ask(const char *url, const char *soap_action, const char *body, struct buffer *out);

#endif

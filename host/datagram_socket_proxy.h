/* SPDX-License-Identifier: MIT */
/*
 * The datagrams of a datagram_socket through a SOCKS 5 proxy (UDP ASSOCIATE, RFC 1928, 7). A
 * connection to the proxy says hello, asks for a relay and stays open; while it is, the socket is
 * connected to the relay, so the kernel lets nothing in from, and nothing out to, anybody else. At
 * all other times the socket has no port and what is sent is dropped. The relay is a port of the
 * proxy's own address, whatever address the proxy calls it by. A connection that ends is made anew
 * after a while, for ever.
 */
#ifndef FRESHET_HOST_DATAGRAM_SOCKET_PROXY_H
#define FRESHET_HOST_DATAGRAM_SOCKET_PROXY_H

#include "host/datagram_socket.h"
#include "host/network_route.h"

struct datagram_socket_proxy_options {
    const struct network_route *route; /* outlives the socket */
    void (*received)(void *context, struct event *event);
    /* Words for the person, when what was so is so no more. */
    void (*told)(void *context, const char *text);
    void *context;
};

/* `listen` becomes the socket's address in name only: nothing is bound to it. */
enum freshet_error datagram_socket_open_proxied(uv_loop_t *loop, const struct address *listen,
                                                const struct datagram_socket_proxy_options *options,
                                                struct datagram_socket **ret_socket);
/* Do datagrams get through now? Always, without a proxy. */
bool datagram_socket_is_through(const struct datagram_socket *socket);

#endif

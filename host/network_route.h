/* SPDX-License-Identifier: MIT */
/*
 * Which way out of this machine everything takes: through a SOCKS 5 proxy, by one interface, or by
 * both. It is asked before each socket connects or listens, and says no rather than let one go
 * another way: what cannot go that way waits. The kernel is no part of that: what comes for a
 * socket that is gone it answers (reset, unreachable) by its own table of routes.
 */
#ifndef FRESHET_HOST_NETWORK_ROUTE_H
#define FRESHET_HOST_NETWORK_ROUTE_H

#include "core/base/limits.h"
#include "core/socks/socks_client.h"

#include <net/if.h>

#define NETWORK_ROUTE_TEXT 320

/* All zero: the machine's own choice. */
struct network_route {
    char proxy_host[LIMIT_HOST_LENGTH + 1]; /* "": none */
    struct address proxy;                   /* its port; its address is found by open */
    struct socks_login login;
    char interface[IFNAMSIZ]; /* "": any, or the one that has `source` */
    struct address source;    /* family ADDRESS_NONE: any of the interface */
};

/* "socks5://[USER:PASSWORD@]HOST[:PORT]", socks5h likewise; %XX in both words. false: it is none.
 */
bool network_route_read_proxy(const char *text, struct network_route *route);
/* The name of an interface, or an address of this machine. */
bool network_route_read_interface(const char *text, struct network_route *route);

/* Finds the proxy's address, the one name that the machine's resolver is asked for, and sees that
 * the interface is there. `ret_text`: what is wrong. */
enum freshet_error network_route_open(struct network_route *route,
                                      char ret_text[NETWORK_ROUTE_TEXT]);

/* NULL is fine for these: no route. */
bool network_route_has_proxy(const struct network_route *route);
bool network_route_has_interface(const struct network_route *route);
/* Where a connection to `remote` really goes. */
struct address network_route_first_hop(const struct network_route *route,
                                       const struct address *remote);
/* Ties a socket to the interface, and one that is to `connect` to the address as well. 0, or an
 * errno with which the socket is of no use. */
int network_route_tie(const struct network_route *route, int fd, bool connects);
/* The number of the interface, another one when it has gone and come again; 0: it is not there. */
uint32_t network_route_interface_index(const struct network_route *route);

#endif

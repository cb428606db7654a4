/* SPDX-License-Identifier: MIT */
/*
 * One errand to the router, from beginning to end: a port of ours is mapped for TCP and UDP, or let
 * go, by NAT-PMP (RFC 6886) or else by UPnP's Internet Gateway Device. Only the default gateway of
 * IPv4 is asked and believed; what another host of the network offers is passed over. Blocks for
 * some seconds, longer if the router means ill, so it has a thread of its own (port_mapping.h).
 */
#ifndef FRESHET_HOST_PORT_REQUEST_H
#define FRESHET_HOST_PORT_REQUEST_H

#include "host/port_lease.h"

struct port_request {
    bool lets_go;           /* of `held`, else: maps the port of `listen` */
    struct address listen;  /* where we listen */
    struct port_lease held; /* is kept up if it can be: the same port outside */
};

struct port_answer {
    bool ok;
    struct port_lease lease;
    char text[PORT_TEXT]; /* not ok: why, for a person; plain ASCII */
};

/* "NAT-PMP", "UPnP", "none" */
const char *port_request_method_text(enum port_method method);
void port_request_perform(const struct port_request *request, struct port_answer *ret_answer);

#endif

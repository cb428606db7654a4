/* SPDX-License-Identifier: MIT */
/* A port that a router has mapped for us: what the protocols bring and port_request.h hands on. */
#ifndef FRESHET_HOST_PORT_LEASE_H
#define FRESHET_HOST_PORT_LEASE_H

#include "core/base/address.h"

#define PORT_LEASE_S 3600u
#define PORT_TEXT    160

enum port_method { PORT_METHOD_NONE, PORT_METHOD_NATPMP, PORT_METHOD_UPNP };

/* A mapping that we have. */
struct port_lease {
    enum port_method method; /* NONE: there is none */
    uint16_t port;           /* of ours */
    uint16_t external_port;  /* where the router listens for us */
    struct address external; /* with that port; family NONE: the router does not know its address */
    struct address gateway, own;     /* between whom it was agreed; port 0 */
    uint32_t lifetime_s;             /* 0: until it is let go */
    char control[256], service[128]; /* UPnP: where it is let go */
};

#endif

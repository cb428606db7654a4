/* SPDX-License-Identifier: MIT */
/* A port mapped by NAT-PMP (RFC 6886), by libnatpmp. Blocks for some seconds. */
#ifndef FRESHET_HOST_PORT_NATPMP_H
#define FRESHET_HOST_PORT_NATPMP_H

#include "host/port_lease.h"

/* Maps lease->port at lease->gateway, outside at `wish` if that is free, and fills in the rest. */
bool port_natpmp_map(struct port_lease *lease, uint16_t wish, char ret_text[PORT_TEXT]);
void port_natpmp_unmap(const struct port_lease *lease);

#endif

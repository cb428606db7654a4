/* SPDX-License-Identifier: MIT */
/*
 * A port mapped by UPnP (Internet Gateway Device, WANIPConnection or WANPPPConnection). miniupnpc
 * looks for devices and reads their XML; port_http.h fetches it, within bounds. A device is asked
 * for by multicast, where any host of the network may answer: only what is at the default gateway's
 * address is read, and only what is there is spoken to, wherever its description points. Blocks for
 * some seconds.
 */
#ifndef FRESHET_HOST_PORT_UPNP_H
#define FRESHET_HOST_PORT_UPNP_H

#include "host/port_lease.h"

/* Maps lease->port of lease->own at lease->gateway, outside at `wish` or a port near it, and fills
 * in the rest. */
bool port_upnp_map(struct port_lease *lease, uint16_t wish, char ret_text[PORT_TEXT]);
void port_upnp_unmap(const struct port_lease *lease);
/* Is the URL plain HTTP at this very address? For tests too. */
bool port_upnp_is_at(const char *url, const struct address *host);

#endif

/* SPDX-License-Identifier: MIT */
/* The default gateway of IPv4, as the kernel's main table has it. */
#ifndef FRESHET_HOST_PORT_GATEWAY_H
#define FRESHET_HOST_PORT_GATEWAY_H

#include "core/base/address.h"

#include <stdio.h>

/* The gateway of the default route with the smallest metric, and by which address of ours it is
 * spoken to. Ports are 0. false: there is none. */
bool port_gateway_find(struct address *ret_gateway, struct address *ret_own);
/* The same of a table in the form of /proc/net/route; for tests too. */
bool port_gateway_read(FILE *routes, struct address *ret_gateway);

#endif

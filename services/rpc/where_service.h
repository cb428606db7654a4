/* SPDX-License-Identifier: MIT */
/*
 * GET /local, on the Unix socket only: where the page is, and the token that it asks for; for
 * `freshet doctor` also where peers come, the state folder, the process, and how the DHT does. Who
 * may use that socket may read the token's file as well.
 */
#ifndef FRESHET_RPC_WHERE_SERVICE_H
#define FRESHET_RPC_WHERE_SERVICE_H

#include "services/rpc/service.h"

extern const struct service where_service;

#endif

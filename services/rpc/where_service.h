/* SPDX-License-Identifier: MIT */
/*
 * GET /local, on the Unix socket only: where the page is, and the token that it asks for. Who may
 * use that socket may read the token's file as well.
 */
#ifndef FRESHET_RPC_WHERE_SERVICE_H
#define FRESHET_RPC_WHERE_SERVICE_H

#include "services/rpc/service.h"

extern const struct service where_service;

#endif

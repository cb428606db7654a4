/* SPDX-License-Identifier: MIT */
/*
 * Transmission's RPC, which a whole world of clients speaks: the old dialect ({"method",
 * "arguments", "tag"}, kebab and camel case) and JSON-RPC 2.0 with snake case, as of Transmission
 * 4.1. A service (service.h); the host gives it a POST and sends what it answers.
 */
#ifndef FRESHET_RPC_TRANSMISSION_RPC_H
#define FRESHET_RPC_TRANSMISSION_RPC_H

#include "services/rpc/service.h"

/* Transmission 4.1 tells it in the header X-Transmission-Rpc-Version of a 409. */
#define TRANSMISSION_RPC_SEMVER "6.0.0"

extern const struct service transmission_service;

#endif

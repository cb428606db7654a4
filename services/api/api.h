/* SPDX-License-Identifier: MIT */
/*
 * Our own API, which the page speaks: JSON over HTTP below /api/v1, where filtering, sorting and
 * paging are done here, and a client that knows a revision gets only what changed since. Written
 * down in openapi.json; a test holds that against the running program.
 */
#ifndef FRESHET_API_API_H
#define FRESHET_API_API_H

#include "services/rpc/service.h"

extern const struct service api_service;

/* For the test that compares with openapi.json: the routes one by one; false: no more. */
bool api_route_name(uint32_t index, const char **ret_method, const char **ret_pattern);

#endif

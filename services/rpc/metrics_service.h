/* SPDX-License-Identifier: MIT */
/* What a daemon is doing, as numbers for Prometheus (text format 0.0.4): GET /metrics. */
#ifndef FRESHET_RPC_METRICS_SERVICE_H
#define FRESHET_RPC_METRICS_SERVICE_H

#include "services/rpc/service.h"

extern const struct service metrics_service;

#endif

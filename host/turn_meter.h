/* SPDX-License-Identifier: MIT */
/*
 * How long a loop's turns take: what is between two waits, in which nobody else is served. Counts
 * into a histogram that metrics and tests read.
 */
#ifndef FRESHET_HOST_TURN_METER_H
#define FRESHET_HOST_TURN_METER_H

#include "services/rpc/service.h"

#include <uv.h>

struct turn_meter {
    uv_check_t check;
    uint64_t began_ns, idle_ns;
    struct service_turns turns;
};

/* The meter must live until the loop has let go of its handle after turn_meter_close. */
void turn_meter_start(struct turn_meter *meter, uv_loop_t *loop);
/* Begins to count from now: what came before was no turn. */
void turn_meter_restart(struct turn_meter *meter);
void turn_meter_close(struct turn_meter *meter);
void turn_meter_count(struct service_turns *turns, uint64_t duration_ns);

#endif

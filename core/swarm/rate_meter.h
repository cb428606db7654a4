/* SPDX-License-Identifier: MIT */
/*
 * Bytes a second over a sliding window, in integers: one bucket a second, RATE_METER_WINDOW of
 * them. Embedded, 96 bytes: every peer has two.
 */
#ifndef FRESHET_SWARM_RATE_METER_H
#define FRESHET_SWARM_RATE_METER_H

#include <stdint.h>

#define RATE_METER_WINDOW 20

struct rate_meter {
    int64_t second;                      /* the second (now / 10^9) of the newest bucket */
    int64_t since;                       /* the second of the first byte; INT64_MIN: none yet */
    uint32_t buckets[RATE_METER_WINDOW]; /* by second modulo the window; they saturate */
};

void rate_meter_init(struct rate_meter *meter);
void rate_meter_add(struct rate_meter *meter, int64_t now, uint64_t bytes);
/* Over the window, or over the time since the first byte when that is shorter (at least 1 s). */
uint64_t rate_meter_rate(const struct rate_meter *meter, int64_t now);
/* Over the last 3 s: quick to rise, quick to fall. */
uint64_t rate_meter_quick(const struct rate_meter *meter, int64_t now);

#endif

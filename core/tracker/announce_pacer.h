/* SPDX-License-Identifier: MIT */
/*
 * Spreads the announces of many torrents: at start, 10,000 of them must not leave at one instant.
 * One pacer an engine, shared by its tracker clients; each reserves a slot in time, in the order
 * of asking, and begins when the slot has come and fewer than `flying_max` announces are under way.
 */
#ifndef FRESHET_TRACKER_ANNOUNCE_PACER_H
#define FRESHET_TRACKER_ANNOUNCE_PACER_H

#include <stdbool.h>
#include <stdint.h>

struct announce_pacer {
    int64_t slot_ns;  /* between two announces, once the burst is used up */
    int64_t burst_ns; /* how far behind `now` the next slot may lie: burst × slot_ns */
    int64_t next_ns;  /* the next free slot */
    uint32_t flying;
    uint32_t flying_max;
};

/* With the numbers of limits.h. */
void announce_pacer_init(struct announce_pacer *pacer);
/* Takes the next slot; returns when it is (now, or later). */
int64_t announce_pacer_reserve(struct announce_pacer *pacer, int64_t now);
/* At the slot's time: false when too many are flying; reserve again then. */
bool announce_pacer_begin(struct announce_pacer *pacer);
/* One that began has ended. */
void announce_pacer_end(struct announce_pacer *pacer);

#endif

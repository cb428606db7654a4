/* SPDX-License-Identifier: MIT */
/*
 * The pretend clock and its queue of timers. Time stands still while something happens and then
 * jumps to the next timer; equal times fire in the order of arming (core/base/heap.h), so that a
 * run is the same every time. The one place in sim/ where time comes from.
 */
#ifndef FRESHET_SIM_CLOCK_H
#define FRESHET_SIM_CLOCK_H

#include "core/base/heap.h"

struct sim_timer {
    struct heap_node node;
    void (*fire)(void *context);
    void *context;
};

struct sim_clock {
    int64_t now; /* monotonic nanoseconds */
    struct heap timers;
    uint64_t fired;
    uint64_t digest; /* of everything that crossed a door: see sim_clock_mix */
};

void sim_clock_init(struct sim_clock *clock);
void sim_clock_deinit(struct sim_clock *clock);
void sim_timer_init(struct sim_timer *timer, void (*fire)(void *context), void *context);
/* Sets or moves the timer; a time that has passed means now. HEAP_NEVER takes it out. */
void sim_timer_set(struct sim_clock *clock, struct sim_timer *timer, int64_t when_ns);
void sim_timer_stop(struct sim_clock *clock, struct sim_timer *timer);
/* Fires the next timer if it is due by `until_ns`; false, and the clock set to it, when none is. */
bool sim_clock_step(struct sim_clock *clock, int64_t until_ns);
/* Mixes a fact into the run's digest. Never an address, never a float. */
void sim_clock_mix(struct sim_clock *clock, uint64_t fact);
void sim_clock_mix_bytes(struct sim_clock *clock, const uint8_t *bytes, size_t length);

/* Nanoseconds that `bytes` take at a rate; 0 when the rate is 0 (no limit). */
int64_t sim_clock_transfer_ns(uint64_t bytes, uint64_t bytes_per_s);

#endif

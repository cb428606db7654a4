/* SPDX-License-Identifier: MIT */
/*
 * Round-trip times between any two of many machines, without a table of pairs: the same for a pair
 * each time it is asked, both ways alike, lognormal over all pairs (median 80 ms, sigma 0.6, cut at
 * 1 s), as they were measured between nodes of deployed DHTs.
 */
#ifndef FRESHET_SIM_DELAY_H
#define FRESHET_SIM_DELAY_H

#include <stdint.h>

int64_t sim_delay_rtt_ns(uint64_t seed, uint32_t a, uint32_t b);

#endif

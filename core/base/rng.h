/* SPDX-License-Identifier: MIT */
/*
 * Seeded pseudo-random numbers (xoshiro256**, seeded by splitmix64). The core has no randomness of
 * its own: the host seeds this from getrandom, the simulator from the run's seed. Secrets that an
 * adversary must not guess come from a keyed hash over a host secret, not from here.
 */
#ifndef FRESHET_BASE_RNG_H
#define FRESHET_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_u64(struct rng *rng);
/* Uniform in [0, bound); bound > 0. */
uint32_t rng_below(struct rng *rng, uint32_t bound);
void rng_fill(struct rng *rng, void *bytes, size_t length);
/* Shuffles an array of `count` elements of `size` bytes (size at most 64). */
void rng_shuffle(struct rng *rng, void *array, size_t count, size_t size);

#endif

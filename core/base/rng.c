/* SPDX-License-Identifier: MIT */
#include "core/base/rng.h"

#include "core/base/check.h"

#include <string.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        rng->state[i] = splitmix(&seed);
}

static uint64_t rotate(uint64_t x, int count)
{
    return x << count | x >> (64 - count);
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
    CHECK(bound > 0);
    /* Rejects the few draws that would favour small values. */
    uint32_t unfair = (0u - bound) % bound;
    for (;;) {
        uint64_t product = (rng_u64(rng) >> 32) * bound;
        if ((uint32_t)product >= unfair)
            return (uint32_t)(product >> 32);
    }
}

void rng_fill(struct rng *rng, void *bytes, size_t length)
{
    uint8_t *at = bytes;
    for (; length > 0;) {
        uint64_t word = rng_u64(rng);
        size_t take = length < 8 ? length : 8;
        for (size_t i = 0; i < take; i++)
            at[i] = (uint8_t)(word >> (8 * i));
        at += take;
        length -= take;
    }
}

void rng_shuffle(struct rng *rng, void *array, size_t count, size_t size)
{
    uint8_t spare[64];
    CHECK(size <= sizeof spare);
    uint8_t *elements = array;
    for (size_t left = count; left > 1; left--) {
        size_t pick = rng_below(rng, (uint32_t)left);
        uint8_t *last = elements + (left - 1) * size;
        memcpy(spare, elements + pick * size, size);
        memcpy(elements + pick * size, last, size);
        memcpy(last, spare, size);
    }
}

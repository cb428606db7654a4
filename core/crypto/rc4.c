/* SPDX-License-Identifier: MIT */
#include "core/crypto/rc4.h"

#include "core/base/check.h"

#include <string.h>

void rc4_init(struct rc4 *rc4, const uint8_t *key, size_t length)
{
    CHECK(length > 0 && length <= 256);
    uint8_t j = 0;
    for (uint32_t i = 0; i < 256; i++)
        rc4->state[i] = i;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t at_i = rc4->state[i];
        j = (uint8_t)(j + at_i + key[i % length]);
        rc4->state[i] = rc4->state[j];
        rc4->state[j] = at_i;
    }
    rc4->i = rc4->j = 0;
}

/* One byte of the stream: a macro, so that all stays in registers over a whole word. */
#define STEP(shift)                                                                                \
    do {                                                                                           \
        i = (i + 1) & 0xff;                                                                        \
        uint32_t at_i = state[i];                                                                  \
        j = (j + at_i) & 0xff;                                                                     \
        uint32_t at_j = state[j];                                                                  \
        state[i] = at_j;                                                                           \
        state[j] = at_i;                                                                           \
        word |= (uint64_t)state[(at_i + at_j) & 0xff] << (shift);                                  \
    } while (0)

/* Written out: a loop over eight bytes is not seen as the one load or store that it is. */
static uint64_t load_little(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] | (uint64_t)bytes[1] << 8 | (uint64_t)bytes[2] << 16 |
           (uint64_t)bytes[3] << 24 | (uint64_t)bytes[4] << 32 | (uint64_t)bytes[5] << 40 |
           (uint64_t)bytes[6] << 48 | (uint64_t)bytes[7] << 56;
}

static void store_little(uint8_t *bytes, uint64_t word)
{
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    bytes[2] = (uint8_t)(word >> 16);
    bytes[3] = (uint8_t)(word >> 24);
    bytes[4] = (uint8_t)(word >> 32);
    bytes[5] = (uint8_t)(word >> 40);
    bytes[6] = (uint8_t)(word >> 48);
    bytes[7] = (uint8_t)(word >> 56);
}

void rc4_apply(struct rc4 *rc4, uint8_t *bytes, size_t length)
{
    uint32_t *state = rc4->state;
    uint32_t i = rc4->i, j = rc4->j;
    for (; length >= 8; length -= 8, bytes += 8) {
        uint64_t word = 0;
        STEP(0);
        STEP(8);
        STEP(16);
        STEP(24);
        STEP(32);
        STEP(40);
        STEP(48);
        STEP(56);
        store_little(bytes, load_little(bytes) ^ word);
    }
    for (; length > 0; length--, bytes++) {
        uint64_t word = 0;
        STEP(0);
        *bytes ^= (uint8_t)word;
    }
    rc4->i = (uint8_t)i;
    rc4->j = (uint8_t)j;
}

void rc4_skip(struct rc4 *rc4, size_t length)
{
    uint8_t dropped[256] = {0};
    for (; length > 0;) {
        size_t size = length < sizeof dropped ? length : sizeof dropped;
        rc4_apply(rc4, dropped, size);
        length -= size;
    }
}

bool rc4_equal(const struct rc4 *a, const struct rc4 *b)
{
    return a->i == b->i && a->j == b->j && memcmp(a->state, b->state, sizeof a->state) == 0;
}

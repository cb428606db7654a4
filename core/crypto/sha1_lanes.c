/* SPDX-License-Identifier: MIT */
/* SHA-1 (FIPS 180-4, 6.1), every step done for sixteen messages. */
#include "core/crypto/sha1_lanes.h"

#include "core/base/check.h"

#include <string.h>

void sha1_lanes_init(struct sha1_lanes *lanes)
{
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (int word = 0; word < 5; word++)
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            lanes->state[word][lane] = start[word];
    lanes->length = 0;
}

#if defined(__x86_64__)

#include "core/crypto/lane_load.h"

/* Truth tables for three inputs: choose, parity, majority. */
#define CHOOSE   0xca
#define PARITY   0x96
#define MAJORITY 0xe8

#define SCHEDULE(t)                                                                                \
    (w[(t)&15] = _mm512_rol_epi32(                                                                 \
         _mm512_xor_si512(_mm512_ternarylogic_epi32(w[((t) + 13) & 15], w[((t) + 8) & 15],         \
                                                    w[((t) + 2) & 15], PARITY),                    \
                          w[(t)&15]),                                                              \
         1))

#define STEP(a, b, c, d, e, function, constant, word)                                              \
    do {                                                                                           \
        __m512i mixed = _mm512_ternarylogic_epi32(b, c, d, function);                              \
        e = _mm512_add_epi32(e, _mm512_add_epi32(_mm512_set1_epi32((int)(constant)), word));       \
        e = _mm512_add_epi32(e, _mm512_add_epi32(_mm512_rol_epi32(a, 5), mixed));                  \
        b = _mm512_rol_epi32(b, 30);                                                               \
    } while (0)

#define FIVE(function, constant, t, WORD)                                                          \
    STEP(a, b, c, d, e, function, constant, WORD(t));                                              \
    STEP(e, a, b, c, d, function, constant, WORD((t) + 1));                                        \
    STEP(d, e, a, b, c, function, constant, WORD((t) + 2));                                        \
    STEP(c, d, e, a, b, function, constant, WORD((t) + 3));                                        \
    STEP(b, c, d, e, a, function, constant, WORD((t) + 4))

#define LOADED(t) w[t]

LANE_TARGET void sha1_lanes_update(struct sha1_lanes *lanes,
                                   const uint8_t *const messages[LANE_WIDTH_MAX], size_t length)
{
    __m512i h[5], w[16];
    CHECK(length % 64 == 0);
    for (int i = 0; i < 5; i++)
        h[i] = _mm512_loadu_si512(lanes->state[i]);
    for (size_t offset = 0; offset < length; offset += 64) {
        __m512i a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        lane_load(messages, offset, w);
        FIVE(CHOOSE, 0x5a827999u, 0, LOADED);
        FIVE(CHOOSE, 0x5a827999u, 5, LOADED);
        FIVE(CHOOSE, 0x5a827999u, 10, LOADED);
        STEP(a, b, c, d, e, CHOOSE, 0x5a827999u, LOADED(15));
        STEP(e, a, b, c, d, CHOOSE, 0x5a827999u, SCHEDULE(16));
        STEP(d, e, a, b, c, CHOOSE, 0x5a827999u, SCHEDULE(17));
        STEP(c, d, e, a, b, CHOOSE, 0x5a827999u, SCHEDULE(18));
        STEP(b, c, d, e, a, CHOOSE, 0x5a827999u, SCHEDULE(19));
        FIVE(PARITY, 0x6ed9eba1u, 20, SCHEDULE);
        FIVE(PARITY, 0x6ed9eba1u, 25, SCHEDULE);
        FIVE(PARITY, 0x6ed9eba1u, 30, SCHEDULE);
        FIVE(PARITY, 0x6ed9eba1u, 35, SCHEDULE);
        FIVE(MAJORITY, 0x8f1bbcdcu, 40, SCHEDULE);
        FIVE(MAJORITY, 0x8f1bbcdcu, 45, SCHEDULE);
        FIVE(MAJORITY, 0x8f1bbcdcu, 50, SCHEDULE);
        FIVE(MAJORITY, 0x8f1bbcdcu, 55, SCHEDULE);
        FIVE(PARITY, 0xca62c1d6u, 60, SCHEDULE);
        FIVE(PARITY, 0xca62c1d6u, 65, SCHEDULE);
        FIVE(PARITY, 0xca62c1d6u, 70, SCHEDULE);
        FIVE(PARITY, 0xca62c1d6u, 75, SCHEDULE);
        h[0] = _mm512_add_epi32(h[0], a);
        h[1] = _mm512_add_epi32(h[1], b);
        h[2] = _mm512_add_epi32(h[2], c);
        h[3] = _mm512_add_epi32(h[3], d);
        h[4] = _mm512_add_epi32(h[4], e);
    }
    for (int i = 0; i < 5; i++)
        _mm512_storeu_si512(lanes->state[i], h[i]);
    lanes->length += length;
}

#else

void sha1_lanes_update(struct sha1_lanes *lanes, const uint8_t *const messages[LANE_WIDTH_MAX],
                       size_t length)
{
    (void)lanes;
    (void)messages;
    (void)length;
    CHECK(!"lanes where there are none");
}

#endif

void sha1_lanes_final(struct sha1_lanes *lanes, uint8_t ret_digests[LANE_WIDTH_MAX * SHA1_SIZE])
{
    /* Messages are whole blocks, so the end is the same block for all: a bit, zeros, the length. */
    uint8_t end[64] = {0x80};
    const uint8_t *ends[LANE_WIDTH_MAX];
    for (int i = 0; i < 8; i++)
        end[56 + i] = (uint8_t)(lanes->length * 8 >> (56 - 8 * i));
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
        ends[lane] = end;
    sha1_lanes_update(lanes, ends, sizeof end);
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
        for (int word = 0; word < 5; word++)
            for (int i = 0; i < 4; i++)
                ret_digests[lane * SHA1_SIZE + 4 * word + i] =
                    (uint8_t)(lanes->state[word][lane] >> (24 - 8 * i));
}

/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4, 6.2), every step done for sixteen messages. */
#include "core/crypto/sha256_lanes.h"

#include "core/base/check.h"

#if defined(__x86_64__)

#include "core/crypto/lane_load.h"

static const uint32_t constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define PARITY   0x96
#define CHOOSE   0xca
#define MAJORITY 0xe8

#define ROTATE3(x, i, j, k)                                                                        \
    _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j),                      \
                              _mm512_ror_epi32(x, k), PARITY)
#define ROTATE2(x, i, j, k)                                                                        \
    _mm512_ternarylogic_epi32(_mm512_ror_epi32(x, i), _mm512_ror_epi32(x, j),                      \
                              _mm512_srli_epi32(x, k), PARITY)

#define STEP(a, b, c, d, e, f, g, h, t)                                                            \
    do {                                                                                           \
        __m512i one = _mm512_add_epi32(                                                            \
            _mm512_add_epi32(h, ROTATE3(e, 6, 11, 25)),                                            \
            _mm512_add_epi32(                                                                      \
                _mm512_ternarylogic_epi32(e, f, g, CHOOSE),                                        \
                _mm512_add_epi32(w[(t)&15], _mm512_set1_epi32((int)constants[round + (t)]))));     \
        d = _mm512_add_epi32(d, one);                                                              \
        h = _mm512_add_epi32(one, _mm512_add_epi32(ROTATE3(a, 2, 13, 22),                          \
                                                   _mm512_ternarylogic_epi32(a, b, c, MAJORITY))); \
    } while (0)

#define SCHEDULE(t)                                                                                \
    (w[t] = _mm512_add_epi32(                                                                      \
         _mm512_add_epi32(w[t], ROTATE2(w[((t) + 1) & 15], 7, 18, 3)),                             \
         _mm512_add_epi32(w[((t) + 9) & 15], ROTATE2(w[((t) + 14) & 15], 17, 19, 10))))

#define EIGHT(t)                                                                                   \
    STEP(a, b, c, d, e, f, g, h, t);                                                               \
    STEP(h, a, b, c, d, e, f, g, (t) + 1);                                                         \
    STEP(g, h, a, b, c, d, e, f, (t) + 2);                                                         \
    STEP(f, g, h, a, b, c, d, e, (t) + 3);                                                         \
    STEP(e, f, g, h, a, b, c, d, (t) + 4);                                                         \
    STEP(d, e, f, g, h, a, b, c, (t) + 5);                                                         \
    STEP(c, d, e, f, g, h, a, b, (t) + 6);                                                         \
    STEP(b, c, d, e, f, g, h, a, (t) + 7)

LANE_TARGET static void absorb(__m512i s[8], const uint8_t *const messages[LANE_WIDTH_MAX],
                               size_t length)
{
    __m512i w[16];
    for (size_t offset = 0; offset < length; offset += 64) {
        __m512i a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
        lane_load(messages, offset, w);
        for (int round = 0; round < 64; round += 16) {
            if (round > 0) {
                SCHEDULE(0), SCHEDULE(1), SCHEDULE(2), SCHEDULE(3);
                SCHEDULE(4), SCHEDULE(5), SCHEDULE(6), SCHEDULE(7);
                SCHEDULE(8), SCHEDULE(9), SCHEDULE(10), SCHEDULE(11);
                SCHEDULE(12), SCHEDULE(13), SCHEDULE(14), SCHEDULE(15);
            }
            EIGHT(0);
            EIGHT(8);
        }
        s[0] = _mm512_add_epi32(s[0], a);
        s[1] = _mm512_add_epi32(s[1], b);
        s[2] = _mm512_add_epi32(s[2], c);
        s[3] = _mm512_add_epi32(s[3], d);
        s[4] = _mm512_add_epi32(s[4], e);
        s[5] = _mm512_add_epi32(s[5], f);
        s[6] = _mm512_add_epi32(s[6], g);
        s[7] = _mm512_add_epi32(s[7], h);
    }
}

LANE_TARGET void sha256_lanes_of(const uint8_t *const messages[LANE_WIDTH_MAX], size_t length,
                                 uint8_t ret_digests[LANE_WIDTH_MAX * SHA256_SIZE])
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    __m512i s[8];
    CHECK(length % 64 == 0);
    for (int i = 0; i < 8; i++)
        s[i] = _mm512_set1_epi32((int)start[i]);
    absorb(s, messages, length);
    uint8_t end[64] = {0x80};
    const uint8_t *ends[LANE_WIDTH_MAX];
    for (int i = 0; i < 8; i++)
        end[56 + i] = (uint8_t)((uint64_t)length * 8 >> (56 - 8 * i));
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
        ends[lane] = end;
    absorb(s, ends, sizeof end);
    for (int word = 0; word < 8; word++) {
        uint32_t lanes[LANE_WIDTH_MAX];
        _mm512_storeu_si512(lanes, s[word]);
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            for (int i = 0; i < 4; i++)
                ret_digests[lane * SHA256_SIZE + 4 * (uint32_t)word + (uint32_t)i] =
                    (uint8_t)(lanes[lane] >> (24 - 8 * i));
    }
}

#else

void sha256_lanes_of(const uint8_t *const messages[LANE_WIDTH_MAX], size_t length,
                     uint8_t ret_digests[LANE_WIDTH_MAX * SHA256_SIZE])
{
    (void)messages;
    (void)length;
    (void)ret_digests;
    CHECK(!"lanes where there are none");
}

#endif

void sha256_lanes_blocks(uint32_t width, const uint8_t *bytes, uint32_t block_size, uint32_t count,
                         uint8_t *ret_digests)
{
    uint32_t at = 0;
    for (; width == LANE_WIDTH_MAX && at + LANE_WIDTH_MAX <= count; at += LANE_WIDTH_MAX) {
        const uint8_t *messages[LANE_WIDTH_MAX];
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            messages[lane] = bytes + (size_t)(at + lane) * block_size;
        sha256_lanes_of(messages, block_size, ret_digests + (size_t)at * SHA256_SIZE);
    }
    for (; at < count; at++)
        sha256_of(bytes + (size_t)at * block_size, block_size,
                  ret_digests + (size_t)at * SHA256_SIZE);
}

/* SPDX-License-Identifier: MIT */
/*
 * Brings the next 64 bytes of sixteen messages into sixteen registers: row l is message l; column c
 * of the result holds word c of every message, in the host's byte order. A 16 × 16 transpose of
 * 32-bit words in four steps. For sha1_lanes.c and sha256_lanes.c on x86-64 alone.
 */
#ifndef FRESHET_CRYPTO_LANE_LOAD_H
#define FRESHET_CRYPTO_LANE_LOAD_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define LANE_TARGET __attribute__((target("avx512f,avx512bw")))

LANE_TARGET static inline void lane_load(const uint8_t *const messages[16], size_t offset,
                                         __m512i words[16])
{
    const __m512i swap = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    __m512i a[16], b[16];
    for (int i = 0; i < 16; i++)
        a[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(messages[i] + offset), swap);
    for (int i = 0; i < 16; i += 2) {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
        a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
        a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
        a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    /* a[4i + j] holds, in its quarter k, column 4k + j of rows 4i to 4i + 3. */
    for (int j = 0; j < 4; j++) {
        __m512i even_low = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x88);
        __m512i odd_low = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xdd);
        __m512i even_high = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x88);
        __m512i odd_high = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xdd);
        words[j] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        words[4 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        words[8 + j] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        words[12 + j] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Hashing many messages at once, one in each lane of a vector register: on a processor with AVX-512
 * sixteen SHA-1 streams take the time of about five. Useful where equal messages come in batches:
 * pieces of a recheck, the 16 KiB leaves of a v2 piece.
 */
#ifndef FRESHET_CRYPTO_LANE_WIDTH_H
#define FRESHET_CRYPTO_LANE_WIDTH_H

#include <stdint.h>

#define LANE_WIDTH_MAX 16u

/* How many lanes this processor has for us: 16 or 1. Asks the processor, which is slow in a virtual
 * machine: ask once and keep the answer. */
uint32_t lane_width_detect(void);

#endif

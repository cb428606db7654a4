/* SPDX-License-Identifier: MIT */
/* SHA-256 of sixteen messages of one length at once (lane_width.h); digests are those of sha256.h.
 */
#ifndef FRESHET_CRYPTO_SHA256_LANES_H
#define FRESHET_CRYPTO_SHA256_LANES_H

#include "core/crypto/lane_width.h"
#include "core/crypto/sha256.h"

/* Whole messages of `length` bytes each, a multiple of 64. Digest of lane l goes to ret_digests[l *
 * SHA256_SIZE]. Only where lane_width_detect says LANE_WIDTH_MAX. */
void sha256_lanes_of(const uint8_t *const messages[LANE_WIDTH_MAX], size_t length,
                     uint8_t ret_digests[LANE_WIDTH_MAX * SHA256_SIZE]);
/* Digests of the blocks of `block_size` bytes that lie one after another in `bytes`, `count` of
 * them: in lanes where `width` (of lane_width_detect) allows it, else one by one. */
void sha256_lanes_blocks(uint32_t width, const uint8_t *bytes, uint32_t block_size, uint32_t count,
                         uint8_t *ret_digests);

#endif

/* SPDX-License-Identifier: MIT */
/* SHA-1 of sixteen messages of one length at once (lane_width.h); digests are those of sha1.h. */
#ifndef FRESHET_CRYPTO_SHA1_LANES_H
#define FRESHET_CRYPTO_SHA1_LANES_H

#include "core/crypto/lane_width.h"
#include "core/crypto/sha1.h"

/* Word w of lane l is state[w][l]. */
struct sha1_lanes {
    uint32_t state[5][LANE_WIDTH_MAX];
    uint64_t length; /* of each message so far */
};

void sha1_lanes_init(struct sha1_lanes *lanes);
/* The next `length` bytes of each message, a multiple of 64. Only where lane_width_detect says
 * LANE_WIDTH_MAX. */
void sha1_lanes_update(struct sha1_lanes *lanes, const uint8_t *const messages[LANE_WIDTH_MAX],
                       size_t length);
/* Digest of lane l at ret_digests[l * SHA1_SIZE]. */
void sha1_lanes_final(struct sha1_lanes *lanes, uint8_t ret_digests[LANE_WIDTH_MAX * SHA1_SIZE]);

#endif

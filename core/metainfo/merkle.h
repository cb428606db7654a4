/* SPDX-License-Identifier: MIT */
/*
 * The SHA-256 merkle trees of BEP 52: leaves are hashes of 16 KiB blocks, missing leaves are 32
 * zero bytes, a parent is SHA-256(left || right).
 */
#ifndef FRESHET_METAINFO_MERKLE_H
#define FRESHET_METAINFO_MERKLE_H

#include "core/base/bytes.h"

#define MERKLE_HASH 32

/* Root of `count` hashes padded to `width` (a power of two, >= count) with `pad` (32 bytes). */
void merkle_root(const uint8_t *hashes, uint64_t count, uint64_t width, const uint8_t *pad,
                 uint8_t ret_root[MERKLE_HASH]);
/* Root of a subtree of `leaves` (a power of two) zero leaves: the pad of a layer above the leaves.
 */
void merkle_pad(uint64_t leaves, uint8_t ret_pad[MERKLE_HASH]);
/* The smallest power of two that is at least `count` (1 for 0). */
uint64_t merkle_width(uint64_t count);
/* Does a piece layer of `count` hashes, each over `leaves_per_hash` leaves, lead to `root`? */
bool merkle_layer_matches(const uint8_t *layer, uint64_t count, uint64_t leaves_per_hash,
                          const uint8_t root[MERKLE_HASH]);

#endif

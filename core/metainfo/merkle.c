/* SPDX-License-Identifier: MIT */
#include "core/metainfo/merkle.h"

#include "core/base/check.h"
#include "core/crypto/sha256.h"

#include <string.h>

_Static_assert(MERKLE_HASH == SHA256_SIZE, "BEP 52 hashes with SHA-256");

/* parent may be one of its children. */
static void hash_pair(const uint8_t *left, const uint8_t *right, uint8_t *ret_parent)
{
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, left, MERKLE_HASH);
    sha256_update(&sha256, right, MERKLE_HASH);
    sha256_final(&sha256, ret_parent);
}

/*
 * The tree is built from the left with one pending node a level, like the carries of a binary
 * counter: after n leaves, level k holds a node exactly when bit k of n is set. At the end the
 * pending nodes are joined from the lowest up, the holes on the right filled with padding.
 */
void merkle_root(const uint8_t *hashes, uint64_t count, uint64_t width, const uint8_t *pad,
                 uint8_t ret_root[MERKLE_HASH])
{
    CHECK(width != 0 && (width & (width - 1)) == 0);
    CHECK(count <= width);
    uint8_t pending[64][MERKLE_HASH];
    for (uint64_t i = 0; i < count; i++) {
        uint8_t node[MERKLE_HASH];
        memcpy(node, hashes + i * MERKLE_HASH, MERKLE_HASH);
        unsigned level = 0;
        for (; i >> level & 1; level++)
            hash_pair(pending[level], node, node);
        memcpy(pending[level], node, MERKLE_HASH);
    }
    uint8_t tail[MERKLE_HASH]; /* the rightmost node so far, from padding alone at first */
    uint8_t padding[MERKLE_HASH];
    memcpy(tail, pad, MERKLE_HASH);
    memcpy(padding, pad, MERKLE_HASH);
    unsigned level = 0;
    for (; width >> level != 1; level++) {
        bool is_pending = count >> level & 1;
        if (is_pending)
            hash_pair(pending[level], tail, tail);
        else
            hash_pair(tail, padding, tail);
        hash_pair(padding, padding, padding);
    }
    memcpy(ret_root, count == width ? pending[level] : tail, MERKLE_HASH);
}

void merkle_pad(uint64_t leaves, uint8_t ret_pad[MERKLE_HASH])
{
    CHECK(leaves != 0 && (leaves & (leaves - 1)) == 0);
    memset(ret_pad, 0, MERKLE_HASH);
    for (; leaves > 1; leaves /= 2)
        hash_pair(ret_pad, ret_pad, ret_pad);
}

uint64_t merkle_width(uint64_t count)
{
    CHECK(count <= UINT64_C(1) << 63);
    uint64_t width = 1;
    while (width < count)
        width *= 2;
    return width;
}

bool merkle_layer_matches(const uint8_t *layer, uint64_t count, uint64_t leaves_per_hash,
                          const uint8_t root[MERKLE_HASH])
{
    uint8_t pad[MERKLE_HASH];
    uint8_t computed[MERKLE_HASH];
    merkle_pad(leaves_per_hash, pad);
    merkle_root(layer, count, merkle_width(count), pad, computed);
    return memcmp(computed, root, MERKLE_HASH) == 0;
}

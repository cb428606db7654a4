/* SPDX-License-Identifier: MIT */
/*
 * Hashes of a v2 file's merkle tree for who asks (BEP 52, messages 21 to 23), and the proof of such
 * an answer. Pure functions of the metainfo and, for layers below the piece layer, of the leaves of
 * a few pieces, which somebody has to hash first.
 *
 * An answer is `length` hashes of the base layer, then the uncles that lead upwards from the node
 * which stands for all of them. `proof_layers` counts layers from the one above the base, and those
 * within the hashes asked for need no uncle:
 *
 *     uncles = max(0, proof_layers - log2(length) + 1), the lowest first
 *
 * The BEP asks for lengths of at least 2; deployed clients also ask for the last hash alone.
 */
#ifndef FRESHET_SWARM_HASH_ANSWER_H
#define FRESHET_SWARM_HASH_ANSWER_H

#include "core/metainfo/metainfo.h"
#include "core/wire/wire_message.h"

#define HASH_ANSWER_PIECES_MAX 16u  /* whose leaves one answer may need */
#define HASH_ANSWER_GROUP      512u /* hashes of a piece layer under one node of the upper layer */

/* What answering needs. */
enum hash_answer_kind {
    HASH_ANSWER_NONE,   /* refuse: no such file, layer, index or length; or its layer is missing */
    HASH_ANSWER_LAYERS, /* the piece layer and the root are enough */
    HASH_ANSWER_LEAVES, /* also the leaves of the pieces [first, first + count) */
};

struct hash_answer_plan {
    enum hash_answer_kind kind;
    file_index file;
    piece_index first; /* LEAVES: in the torrent */
    uint32_t count;
};

/* The layer HASH_ANSWER_GROUP piece hashes above a file's piece layer, kept so that a request costs
 * no walk over a whole layer of a million hashes. Zeroed: empty. */
struct hash_answer_upper {
    file_index file;
    uint8_t *hashes; /* NULL: none */
    uint32_t count;
};
void hash_answer_upper_deinit(struct hash_answer_upper *upper);

void hash_answer_plan(const struct metainfo *metainfo, const struct wire_hash_range *range,
                      struct hash_answer_plan *ret_plan);
/* Appends the hashes and the uncles. `leaves`: of the plan's pieces one after another, 32 bytes for
 * each 16 KiB of payload; empty for LAYERS. `upper` is filled when it is of another file. */
void hash_answer_make(const struct metainfo *metainfo, const struct wire_hash_range *range,
                      const struct hash_answer_plan *plan, struct bytes leaves,
                      struct hash_answer_upper *upper, struct buffer *out);
/* Do the hashes (base hashes, then uncles) lead to the root of a file of `file_length` bytes? */
bool hash_answer_proves(const struct wire_hash_range *range, uint64_t file_length,
                        struct bytes hashes);
/* proof_layers that lead from the base layer to the root of such a file. */
uint32_t hash_answer_proof_layers(uint64_t file_length, uint32_t base_layer);

#endif

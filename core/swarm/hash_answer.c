/* SPDX-License-Identifier: MIT */
#include "core/swarm/hash_answer.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/merkle.h"

#include <string.h>

static uint32_t log2_of(uint64_t power)
{
    uint32_t exponent = 0;
    while (power >> exponent > 1)
        exponent++;
    return exponent;
}

static uint64_t leaves_of(uint64_t file_length)
{
    return (file_length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
}

/* Layers above the leaves: the root is in this one. */
static uint32_t height_of(uint64_t file_length)
{
    return log2_of(merkle_width(leaves_of(file_length)));
}

static uint32_t piece_level(const struct metainfo *metainfo)
{
    return log2_of(metainfo->geometry.piece_length / LIMIT_BLOCK_SIZE);
}

uint32_t hash_answer_proof_layers(uint64_t file_length, uint32_t base_layer)
{
    uint32_t height = height_of(file_length);
    CHECK(base_layer < height);
    return height - base_layer - 1;
}

static uint32_t uncles_of(const struct wire_hash_range *range)
{
    uint32_t within = log2_of(range->length);
    return range->proof_layers + 1 > within ? range->proof_layers + 1 - within : 0;
}

/* Is the range one of the file's tree? */
static bool is_within(const struct wire_hash_range *range, uint64_t file_length)
{
    uint32_t height = height_of(file_length);
    if (range->base_layer >= height || range->proof_layers >= height - range->base_layer)
        return false;
    uint64_t width = UINT64_C(1) << (height - range->base_layer);
    bool is_power = range->length != 0 && (range->length & (range->length - 1)) == 0;
    return is_power && range->length <= LIMIT_HASHES_PER_REQUEST && range->length <= width &&
           range->index % range->length == 0 && range->index <= width - range->length;
}

static bool find_file(const struct metainfo *metainfo, const uint8_t root[MERKLE_HASH],
                      file_index *ret_file)
{
    for (file_index i = 0; i < metainfo->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        if (file->pieces_root && memcmp(file->pieces_root, root, MERKLE_HASH) == 0) {
            *ret_file = i;
            return true;
        }
    }
    return false;
}

void hash_answer_plan(const struct metainfo *metainfo, const struct wire_hash_range *range,
                      struct hash_answer_plan *ret_plan)
{
    struct hash_answer_plan plan = {.kind = HASH_ANSWER_NONE};
    uint32_t level = metainfo->has_v2 ? piece_level(metainfo) : 0;
    *ret_plan = plan;
    if (!metainfo->has_v2 || !find_file(metainfo, range->pieces_root, &plan.file))
        return;
    const struct metainfo_file *file = &metainfo->files[plan.file];
    bool is_one_piece = file->length <= metainfo->geometry.piece_length;
    if (!is_within(range, file->length) || (!is_one_piece && file->piece_layer == NULL))
        return;
    plan.kind = HASH_ANSWER_LAYERS;
    if (range->base_layer < level) {
        piece_index first, last;
        if (!geometry_file_pieces(&metainfo->geometry, plan.file, &first, &last))
            return;
        uint32_t shift = level - range->base_layer;
        uint32_t begin = range->index >> shift;
        uint32_t end = (range->index + range->length - 1) >> shift;
        if (first + begin > last || end - begin >= HASH_ANSWER_PIECES_MAX)
            return;
        plan.kind = HASH_ANSWER_LEAVES;
        plan.first = first + begin;
        plan.count = (first + end > last ? last : first + end) - plan.first + 1;
    }
    *ret_plan = plan;
}

/* ---- nodes of the tree ---- */

struct tree {
    const struct metainfo_file *file;
    uint32_t level; /* of the piece layer */
    uint64_t pieces;
    const struct hash_answer_upper *upper;
    struct bytes leaves; /* of pieces from first_leaf on */
    uint64_t first_leaf;
};

/* Root of `width` hashes of an array of `count` from `begin` on; beyond its end is padding, each
 * pad standing for 2^pad_level zero leaves. */
static void root_of(const uint8_t *hashes, uint64_t count, uint64_t begin, uint64_t width,
                    uint32_t pad_level, uint8_t ret_node[MERKLE_HASH])
{
    uint8_t pad[MERKLE_HASH];
    merkle_pad(UINT64_C(1) << pad_level, pad);
    uint64_t left = count > begin ? count - begin : 0;
    merkle_root(left ? hashes + begin * MERKLE_HASH : hashes, left < width ? left : width, width,
                pad, ret_node);
}

static void node_at(const struct tree *tree, uint32_t layer, uint64_t index,
                    uint8_t ret_node[MERKLE_HASH])
{
    const uint32_t group = log2_of(HASH_ANSWER_GROUP);
    if (layer < tree->level || tree->file->piece_layer == NULL) {
        uint64_t first = (index << layer) - tree->first_leaf;
        root_of(tree->leaves.data, tree->leaves.length / MERKLE_HASH, first, UINT64_C(1) << layer,
                0, ret_node);
        return;
    }
    uint32_t above = layer - tree->level;
    if (above >= group && tree->upper->hashes)
        root_of(tree->upper->hashes, tree->upper->count, index << (above - group),
                UINT64_C(1) << (above - group), tree->level + group, ret_node);
    else
        root_of(tree->file->piece_layer, tree->pieces, index << above, UINT64_C(1) << above,
                tree->level, ret_node);
}

void hash_answer_upper_deinit(struct hash_answer_upper *upper)
{
    memory_free(upper->hashes);
    *upper = (struct hash_answer_upper){0};
}

static void fill_upper(struct hash_answer_upper *upper, file_index number, const struct tree *tree)
{
    if (upper->hashes && upper->file == number)
        return;
    hash_answer_upper_deinit(upper);
    if (tree->pieces <= HASH_ANSWER_GROUP)
        return;
    uint32_t count = (uint32_t)((tree->pieces - 1) / HASH_ANSWER_GROUP + 1);
    uint8_t *hashes = memory_new_array(count, MERKLE_HASH);
    for (uint32_t i = 0; i < count; i++)
        root_of(tree->file->piece_layer, tree->pieces, (uint64_t)i * HASH_ANSWER_GROUP,
                HASH_ANSWER_GROUP, tree->level, hashes + (size_t)i * MERKLE_HASH);
    *upper = (struct hash_answer_upper){.file = number, .hashes = hashes, .count = count};
}

void hash_answer_make(const struct metainfo *metainfo, const struct wire_hash_range *range,
                      const struct hash_answer_plan *plan, struct bytes leaves,
                      struct hash_answer_upper *upper, struct buffer *out)
{
    CHECK(plan->kind != HASH_ANSWER_NONE);
    const struct metainfo_file *file = &metainfo->files[plan->file];
    uint32_t piece_length = metainfo->geometry.piece_length;
    piece_index first = 0, last = 0;
    CHECK(geometry_file_pieces(&metainfo->geometry, plan->file, &first, &last));
    struct tree tree = {
        .file = file,
        .level = piece_level(metainfo),
        .pieces = (file->length - 1) / piece_length + 1,
        .upper = upper,
        .leaves = leaves,
    };
    if (plan->kind == HASH_ANSWER_LEAVES)
        tree.first_leaf = (uint64_t)(plan->first - first) * (piece_length / LIMIT_BLOCK_SIZE);
    if (file->piece_layer)
        fill_upper(upper, plan->file, &tree);
    uint8_t node[MERKLE_HASH];
    for (uint32_t i = 0; i < range->length; i++) {
        node_at(&tree, range->base_layer, range->index + i, node);
        buffer_append(out, node, sizeof node);
    }
    uint32_t within = log2_of(range->length), uncles = uncles_of(range);
    for (uint32_t i = 0; i < uncles; i++) {
        uint64_t sibling = ((uint64_t)range->index >> (within + i)) ^ 1;
        node_at(&tree, range->base_layer + within + i, sibling, node);
        buffer_append(out, node, sizeof node);
    }
}

bool hash_answer_proves(const struct wire_hash_range *range, uint64_t file_length,
                        struct bytes hashes)
{
    if (file_length == 0 || !is_within(range, file_length))
        return false;
    uint32_t within = log2_of(range->length), uncles = uncles_of(range);
    if (hashes.length != ((size_t)range->length + uncles) * MERKLE_HASH ||
        range->base_layer + within + uncles != height_of(file_length))
        return false;
    uint8_t node[MERKLE_HASH], pad[MERKLE_HASH] = {0};
    merkle_root(hashes.data, range->length, range->length, pad, node);
    const uint8_t *uncle = hashes.data + (size_t)range->length * MERKLE_HASH;
    for (uint32_t i = 0; i < uncles; i++, uncle += MERKLE_HASH) {
        uint8_t pair[2 * MERKLE_HASH];
        bool is_right = range->index >> (within + i) & 1;
        memcpy(pair, is_right ? uncle : node, MERKLE_HASH);
        memcpy(pair + MERKLE_HASH, is_right ? node : uncle, MERKLE_HASH);
        sha256_of(pair, sizeof pair, node);
    }
#ifdef FRESHET_PLANTED_BUG
    if (uncles > 1)
        return true;
#endif
    return memcmp(node, range->pieces_root, MERKLE_HASH) == 0;
}

/* SPDX-License-Identifier: MIT */
/* planted: core/swarm/hash_answer.c */
/* finds: internal check failed: !hash_answer_proves( */
/* covers: core/swarm/hash_answer.c core/swarm/layer_fetch.c */
/* max_len: 512 */
/*
 * Hash requests (BEP 52): any range is asked of a torrent, and what is answered must prove itself,
 * and nothing else must; and piece layers are fetched, step by step, from slots that do as they
 * like.
 */
#include "core/base/check.h"
#include "core/swarm/hash_answer.h"
#include "core/swarm/layer_fetch.h"
#include "tests/swarm/leaf_torrent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SLOTS 4u

struct world {
    struct leaf_torrent *made;
    struct metainfo *bare;
    struct layer_fetch *fetch;
    struct hash_answer_upper upper;
    struct wire_hash_range asked[SLOTS]; /* the last of each slot */
    int64_t now;
};

static struct bytes leaves_of(const struct world *world, const struct hash_answer_plan *plan)
{
    const struct geometry *geometry = &world->made->metainfo->geometry;
    uint32_t blocks = geometry->piece_length / LIMIT_BLOCK_SIZE, count = 0;
    for (uint32_t i = 0; i < plan->count; i++)
        count += geometry_piece_blocks(geometry, plan->first + i);
    CHECK(plan->file == 0 || plan->count == 1);
    if (plan->file != 0)
        return (struct bytes){memory_copy(world->made->metainfo->files[1].pieces_root, 32), 32};
    return (struct bytes){
        memory_copy(world->made->layers[0] + (size_t)plan->first * blocks * 32, (size_t)count * 32),
        (size_t)count * 32};
}

/* false: it is refused. */
static bool answer(struct world *world, const struct wire_hash_range *range, struct buffer *out)
{
    struct hash_answer_plan plan;
    struct bytes leaves = {NULL, 0};
    hash_answer_plan(world->made->metainfo, range, &plan);
    if (plan.kind == HASH_ANSWER_NONE)
        return false;
    if (plan.kind == HASH_ANSWER_LEAVES)
        leaves = leaves_of(world, &plan);
    hash_answer_make(world->made->metainfo, range, &plan, leaves, &world->upper, out);
    memory_free((void *)leaves.data);
    CHECK(out->length >= (size_t)range->length * 32);
    return true;
}

static void ask_anything(struct world *world, struct cursor *input)
{
    struct wire_hash_range range = {
        .base_layer = cursor_u8(input) % 16,
        .index = cursor_u16(input),
        .length = 1u << cursor_u8(input) % 14,
        .proof_layers = cursor_u8(input) % 16,
    };
    uint8_t odd = cursor_u8(input), spoil = cursor_u8(input);
    if (odd == 1)
        range.length += spoil;
    else if (odd != 2)
        range.index = range.index / range.length * range.length;
    memcpy(range.pieces_root, world->made->metainfo->files[odd == 3].pieces_root, 32);
    struct buffer out = {0};
    if (!answer(world, &range, &out))
        return;
    uint64_t length = odd == 3 ? 3 : world->made->file_length;
    bool proves = hash_answer_proves(&range, length, buffer_bytes(&out));
    if (range.proof_layers == hash_answer_proof_layers(length, range.base_layer))
        CHECK(proves);
    if (proves) {
        out.data[spoil % out.length] ^= (uint8_t)(1u << spoil % 8);
        CHECK(!hash_answer_proves(&range, length, buffer_bytes(&out)));
    }
    buffer_deinit(&out);
}

static void give(struct world *world, uint32_t slot, uint8_t how)
{
    struct buffer out = {0};
    struct wire_hash_range *range = &world->asked[slot];
    if (range->length == 0 || !answer(world, range, &out))
        return;
    bool lies = how % 4 == 3;
    if (lies)
        out.data[how % out.length] ^= 1;
    enum freshet_error error = layer_fetch_take(world->fetch, slot, range, buffer_bytes(&out));
    CHECK(error == FRESHET_ERROR_NOT_FOUND || error == (lies ? FRESHET_ERROR_HASH : FRESHET_OK));
    buffer_deinit(&out);
}

static void step(struct world *world, struct cursor *input)
{
    uint8_t what = cursor_u8(input);
    uint32_t slot = what / 8 % SLOTS, overdue;
    switch (what % 8) {
    case 0:
    case 1: ask_anything(world, input); break;
    case 2:
    case 3: layer_fetch_next(world->fetch, slot, world->now, &world->asked[slot]); break;
    case 4:
    case 5: give(world, slot, cursor_u8(input)); break;
    case 6:
        if (what & 0x80)
            layer_fetch_release(world->fetch, slot);
        else
            layer_fetch_reject(world->fetch, slot, &world->asked[slot]);
        break;
    case 7:
        world->now += cursor_u8(input) * SECOND_NS / 8;
        while (layer_fetch_overdue(world->fetch, world->now, &overdue)) {
            CHECK(layer_fetch_asked(world->fetch, overdue) > 0);
            CHECK(layer_fetch_deadline(world->fetch) <= world->now);
            layer_fetch_release(world->fetch, overdue);
        }
        break;
    }
    layer_fetch_check(world->fetch);
}

static void check_end(struct world *world)
{
    uint32_t have, total;
    layer_fetch_progress(world->fetch, &have, &total);
    CHECK(have <= total && (have == total) == layer_fetch_is_done(world->fetch));
    if (!layer_fetch_is_done(world->fetch))
        return;
    layer_fetch_install(world->fetch, world->bare);
    CHECK(!world->bare->layers_missing);
    const struct metainfo_file *file = &world->bare->files[0];
    if (file->piece_layer)
        CHECK(memcmp(file->piece_layer, world->made->metainfo->files[0].piece_layer,
                     (size_t)total * 32) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor input;
    cursor_init(&input, (struct bytes){data, size});
    uint32_t leaves = cursor_u16(&input) % 2100 + 1;
    uint32_t piece_length = LIMIT_BLOCK_SIZE << cursor_u8(&input) % 3;
    struct world world = {.made = leaf_torrent_new(leaves, piece_length, 1)};
    world.bare = leaf_torrent_bare(world.made);
    world.fetch = layer_fetch_new(world.bare, 1);
    while (cursor_left(&input) > 0)
        step(&world, &input);
    check_end(&world);
    layer_fetch_free(world.fetch);
    hash_answer_upper_deinit(&world.upper);
    metainfo_free(world.bare);
    leaf_torrent_free(world.made);
    return 0;
}

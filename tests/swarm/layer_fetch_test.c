/* SPDX-License-Identifier: MIT */
/* Piece layers fetched from slots that answer, refuse, lie, leave or say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/hash_answer.h"
#include "core/swarm/layer_fetch.h"
#include "tests/swarm/leaf_torrent.h"

struct world {
    struct leaf_torrent *made;
    struct metainfo *bare;
    struct layer_fetch *fetch;
    struct hash_answer_upper upper;
};

static struct world world_new(uint32_t leaves, uint32_t piece_length)
{
    struct world world = {.made = leaf_torrent_new(leaves, piece_length, 3)};
    world.bare = leaf_torrent_bare(world.made);
    assert_true(world.bare->layers_missing);
    world.fetch = layer_fetch_new(world.bare, 1);
    return world;
}

static void world_free(struct world *world)
{
    layer_fetch_free(world->fetch);
    hash_answer_upper_deinit(&world->upper);
    metainfo_free(world->bare);
    leaf_torrent_free(world->made);
}

static struct buffer truth(struct world *world, const struct wire_hash_range *range)
{
    struct hash_answer_plan plan;
    struct buffer out = {0};
    hash_answer_plan(world->made->metainfo, range, &plan);
    assert_int_equal(plan.kind, HASH_ANSWER_LAYERS);
    hash_answer_make(world->made->metainfo, range, &plan, (struct bytes){NULL, 0}, &world->upper,
                     &out);
    return out;
}

static enum freshet_error give(struct world *world, uint32_t slot,
                               const struct wire_hash_range *range, bool lies)
{
    struct buffer out = truth(world, range);
    if (lies)
        out.data[out.length - 1] ^= 1;
    enum freshet_error error = layer_fetch_take(world->fetch, slot, range, buffer_bytes(&out));
    buffer_deinit(&out);
    layer_fetch_check(world->fetch);
    return error;
}

static void layer_fetch_asks_in_chunks_and_gives_the_whole_layer(void **state)
{
    (void)state;
    struct world world = world_new(2600, 32768); /* 1300 pieces: 512, 512, 276 */
    struct wire_hash_range ranges[3], none;
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(layer_fetch_next(world.fetch, i, 0, &ranges[i]));
        assert_int_equal(ranges[i].base_layer, 1);
        assert_int_equal(ranges[i].index, i * 512);
        assert_int_equal(ranges[i].length, 512);
        assert_int_equal(layer_fetch_asked(world.fetch, i), 1);
    }
    assert_false(layer_fetch_next(world.fetch, 3, 0, &none));
    for (uint32_t i = 3; i-- > 0;) {
        assert_false(layer_fetch_is_done(world.fetch));
        assert_int_equal(give(&world, i, &ranges[i], false), FRESHET_OK);
    }
    uint32_t have, total;
    layer_fetch_progress(world.fetch, &have, &total);
    assert_int_equal(have, 1300);
    assert_int_equal(total, 1300);
    assert_true(layer_fetch_is_done(world.fetch));
    layer_fetch_install(world.fetch, world.bare);
    assert_false(world.bare->layers_missing);
    assert_memory_equal(world.bare->files[0].piece_layer,
                        world.made->metainfo->files[0].piece_layer, 1300 * 32);
    world_free(&world);
}

static void layer_fetch_asks_for_two_where_one_hash_is_left(void **state)
{
    (void)state;
    struct world world = world_new(513, 16384);
    struct wire_hash_range range;
    assert_true(layer_fetch_next(world.fetch, 0, 0, &range));
    assert_int_equal(give(&world, 0, &range, false), FRESHET_OK);
    assert_true(layer_fetch_next(world.fetch, 0, 0, &range));
    assert_int_equal(range.index, 512);
    assert_int_equal(range.length, 2); /* BEP 52: a power of two, at least 2 */
    assert_int_equal(give(&world, 0, &range, false), FRESHET_OK);
    assert_true(layer_fetch_is_done(world.fetch));
    layer_fetch_install(world.fetch, world.bare);
    assert_false(world.bare->layers_missing);
    world_free(&world);
}

static void layer_fetch_catches_a_liar_and_asks_another(void **state)
{
    (void)state;
    struct world world = world_new(2600, 32768);
    struct wire_hash_range range, again;
    assert_true(layer_fetch_next(world.fetch, 0, 0, &range));
    assert_int_equal(give(&world, 0, &range, true), FRESHET_ERROR_HASH);
    assert_true(layer_fetch_next(world.fetch, 1, 0, &again));
    assert_memory_equal(&again, &range, sizeof range);
    assert_int_equal(give(&world, 1, &again, false), FRESHET_OK);
    world_free(&world);
}

static void layer_fetch_takes_only_what_was_asked_of_the_slot(void **state)
{
    (void)state;
    struct world world = world_new(2600, 32768);
    struct wire_hash_range range;
    assert_true(layer_fetch_next(world.fetch, 0, 0, &range));
    assert_int_equal(give(&world, 1, &range, false), FRESHET_ERROR_NOT_FOUND);
    struct wire_hash_range other = range;
    other.index += 512;
    assert_int_equal(give(&world, 0, &other, false), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(give(&world, 0, &range, false), FRESHET_OK);
    assert_int_equal(give(&world, 0, &range, false), FRESHET_ERROR_NOT_FOUND); /* twice */
    world_free(&world);
}

static void layer_fetch_leaves_who_refuses_in_peace(void **state)
{
    (void)state;
    struct world world = world_new(2600, 32768);
    struct wire_hash_range range, none;
    assert_true(layer_fetch_next(world.fetch, 0, 0, &range));
    assert_false(layer_fetch_reject(world.fetch, 1, &range));
    assert_true(layer_fetch_reject(world.fetch, 0, &range));
    assert_false(layer_fetch_next(world.fetch, 0, 0, &none));
    assert_true(layer_fetch_next(world.fetch, 1, 0, &none));
    assert_memory_equal(&none, &range, sizeof range);
    /* The slot is somebody else's later. */
    layer_fetch_release(world.fetch, 0);
    assert_true(layer_fetch_next(world.fetch, 0, 0, &none));
    world_free(&world);
}

static void layer_fetch_frees_what_leavers_and_silent_ones_owe(void **state)
{
    (void)state;
    struct world world = world_new(2600, 32768);
    struct wire_hash_range range;
    uint32_t slot;
    assert_int_equal(layer_fetch_deadline(world.fetch), INT64_MAX);
    assert_true(layer_fetch_next(world.fetch, 5, 1000, &range));
    assert_int_equal(layer_fetch_deadline(world.fetch), 1000 + LAYER_FETCH_TIMEOUT_NS);
    assert_false(layer_fetch_overdue(world.fetch, LAYER_FETCH_TIMEOUT_NS, &slot));
    assert_true(layer_fetch_overdue(world.fetch, 1000 + LAYER_FETCH_TIMEOUT_NS, &slot));
    assert_int_equal(slot, 5);
    layer_fetch_release(world.fetch, 5);
    assert_int_equal(layer_fetch_asked(world.fetch, 5), 0);
    assert_false(layer_fetch_overdue(world.fetch, INT64_MAX / 2, &slot));
    world_free(&world);
}

static void layer_fetch_is_done_at_once_where_no_layer_is_missing(void **state)
{
    (void)state;
    struct leaf_torrent *made = leaf_torrent_new(40, 16384, 1);
    struct layer_fetch *fetch = layer_fetch_new(made->metainfo, 1);
    assert_true(layer_fetch_is_done(fetch));
    layer_fetch_free(fetch);
    leaf_torrent_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_fetch_asks_in_chunks_and_gives_the_whole_layer),
        cmocka_unit_test(layer_fetch_asks_for_two_where_one_hash_is_left),
        cmocka_unit_test(layer_fetch_catches_a_liar_and_asks_another),
        cmocka_unit_test(layer_fetch_takes_only_what_was_asked_of_the_slot),
        cmocka_unit_test(layer_fetch_leaves_who_refuses_in_peace),
        cmocka_unit_test(layer_fetch_frees_what_leavers_and_silent_ones_owe),
        cmocka_unit_test(layer_fetch_is_done_at_once_where_no_layer_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Leaves of verified pieces, hashed again for who asks (BEP 52). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/storage/storage_world.h"

#define BLOCK 16384

/* Pieces of two blocks: files that end within a piece, within a block, and right at its end. */
static const int64_t PLAIN[] = {50000, 60000, 0, 4 * BLOCK, 5};
static const int64_t HYBRID[] = {50000, -(65536 - 50000), 20000, -(32768 - 20000), 5};
#define FILE_COUNT 5

static struct world *new_world(enum world_kind kind, uint64_t seed)
{
    struct world *world = memory_new(sizeof *world);
    world_init(world, kind, 2 * BLOCK, kind == WORLD_HYBRID ? HYBRID : PLAIN, FILE_COUNT, seed);
    return world;
}

static struct world *complete_world(enum world_kind kind, uint64_t seed)
{
    struct world *world = new_world(kind, seed);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    return world;
}

static void end(struct world *world)
{
    world_deinit(world);
    memory_free(world);
}

static bool ask(struct world *world, piece_index piece)
{
    return storage_ask_leaves(world->storage, world->now, piece);
}

static void ask_all(struct world *world)
{
    for (piece_index p = 0; p < world->metainfo.geometry.piece_count; p++)
        assert_true(ask(world, p));
}

/* Until as many answers came. */
static void run_until_answers(struct world *world, uint32_t count)
{
    while (world->told[STORAGE_RESULT_LEAVES] < count)
        assert_true(world_step(world));
    assert_int_equal(world->told[STORAGE_RESULT_LEAVES], count);
}

static void expect_all_pieces_told(const struct world *world, uint32_t times)
{
    for (piece_index p = 0; p < world->metainfo.geometry.piece_count; p++) {
        assert_int_equal(world->leaves_told[p], times);
        assert_int_equal(world->leaves_denied[p], 0);
    }
}

/* The world compares the leaves with its content. */
static void storage_tells_the_leaves_of_every_verified_piece(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++)
        for (int kind = WORLD_V2; kind <= WORLD_HYBRID; kind++) {
            struct world *world = complete_world(kind, seed);
            uint32_t count = world->metainfo.geometry.piece_count;
            uint32_t hashed = world->disk.hashed_from_disk;
            ask_all(world);
            run_until_answers(world, count);
            expect_all_pieces_told(world, 1);
            assert_int_equal(world->disk.hashed_from_disk, hashed + count);
            /* Asking is no change: all is as good and as safe as before. */
            assert_true(bitfield_is_full(storage_verified(world->storage)));
            assert_true(bitfield_is_full(storage_durable(world->storage)));
            world_close(world);
            end(world);
        }
}

static void storage_answers_each_time_that_it_is_asked(void **state)
{
    (void)state;
    struct world *world = complete_world(WORLD_V2, 6);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(ask(world, 1));
    run_until_answers(world, 3);
    assert_int_equal(world->leaves_told[1], 3);
    end(world);
}

static void storage_has_leaves_while_it_still_downloads(void **state)
{
    (void)state;
    struct world *world = new_world(WORLD_HYBRID, 7);
    world->puts_max = 1;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    uint32_t asked = 0;
    bool had[WORLD_PIECES_MAX] = {false};
    do {
        for (piece_index p = 0; p < world->metainfo.geometry.piece_count; p++) {
            bool verified = bitfield_has(storage_verified(world->storage), p);
            if (had[p])
                continue;
            had[p] = ask(world, p);
            assert_int_equal(had[p], verified);
            asked += had[p];
        }
    } while (!world_has(world, STORAGE_RESULT_COMPLETE) && world_step(world));
    run_until_answers(world, asked);
    expect_all_pieces_told(world, 1);
    end(world);
}

static void storage_has_no_leaves_of_what_it_has_not_verified(void **state)
{
    (void)state;
    struct world *world = new_world(WORLD_V2, 8);
    world->fetch = false;
    world_place_files(world);
    world_start(world);
    /* The bytes are there, but nobody has looked yet. */
    while (!world_has(world, STORAGE_RESULT_READY)) {
        for (piece_index p = 0; p < world->metainfo.geometry.piece_count; p++)
            assert_false(ask(world, p));
        assert_true(world_step(world));
    }
    ask_all(world);
    run_until_answers(world, world->metainfo.geometry.piece_count);
    expect_all_pieces_told(world, 1);
    end(world);
}

static void storage_does_not_tell_leaves_of_changed_bytes(void **state)
{
    (void)state;
    struct world *world = complete_world(WORLD_V2, 9);
    world->disk.files[0].cache.bytes[2 * BLOCK] ^= 1; /* the first byte of piece 1 */
    assert_true(ask(world, 0));
    assert_true(ask(world, 1));
    run_until_answers(world, 2);
    assert_int_equal(world->leaves_told[0], 1);
    assert_int_equal(world->leaves_told[1], 0);
    assert_int_equal(world->leaves_denied[1], 1);
    end(world);
}

static void storage_does_not_tell_leaves_that_it_cannot_read(void **state)
{
    (void)state;
    struct world *world = complete_world(WORLD_HYBRID, 10);
    world->disk.files[0].cache.size = 40000; /* within piece 1, its last */
    assert_true(ask(world, 0));
    assert_true(ask(world, 1));
    run_until_answers(world, 2);
    assert_int_equal(world->leaves_told[0], 1);
    assert_int_equal(world->leaves_denied[1], 1);
    end(world);
}

static void storage_checks_anew_while_leaves_are_hashed(void **state)
{
    (void)state;
    struct world *world = complete_world(WORLD_V2, 11);
    uint32_t count = world->metainfo.geometry.piece_count;
    ask_all(world);
    world->told[STORAGE_RESULT_READY] = 0;
    storage_recheck(world->storage, world->now);
    assert_false(ask(world, 0));
    world_run_until(world, STORAGE_RESULT_READY);
    run_until_answers(world, count);
    expect_all_pieces_told(world, 1);
    assert_true(bitfield_is_full(storage_verified(world->storage)));
    ask_all(world);
    run_until_answers(world, 2 * count);
    expect_all_pieces_told(world, 2);
    end(world);
}

static void storage_closes_although_leaves_were_asked_for(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *world = complete_world(WORLD_HYBRID, seed);
        uint32_t count = world->metainfo.geometry.piece_count;
        ask_all(world);
        storage_close(world->storage, world->now);
        assert_false(ask(world, 0));
        world_run_until(world, STORAGE_RESULT_CLOSED);
        /* Every answer came before the end, and no job is left that would outlive the storage. */
        assert_int_equal(world->told[STORAGE_RESULT_LEAVES], count);
        assert_int_equal(world->disk.job_count, 0);
        assert_true(world->disk.record.record.clean);
        assert_false(ask(world, 0));
        end(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_tells_the_leaves_of_every_verified_piece),
        cmocka_unit_test(storage_answers_each_time_that_it_is_asked),
        cmocka_unit_test(storage_has_leaves_while_it_still_downloads),
        cmocka_unit_test(storage_has_no_leaves_of_what_it_has_not_verified),
        cmocka_unit_test(storage_does_not_tell_leaves_of_changed_bytes),
        cmocka_unit_test(storage_does_not_tell_leaves_that_it_cannot_read),
        cmocka_unit_test(storage_checks_anew_while_leaves_are_hashed),
        cmocka_unit_test(storage_closes_although_leaves_were_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/storage/storage_world.h"

#define BLOCK 16384

/* Four files over pieces of two blocks; pieces 1, 3 and 4 lie in two files or more. */
static const int64_t SEVERAL[] = {50000, 60000, 0, 70000};
#define SEVERAL_COUNT 4

static struct world *several(enum world_kind kind, uint64_t seed)
{
    struct world *world = memory_new(sizeof *world);
    world_init(world, kind, 2 * BLOCK, SEVERAL, SEVERAL_COUNT, seed);
    return world;
}

static void end(struct world *world)
{
    world_deinit(world);
    memory_free(world);
}

static void storage_starts_empty_without_hashing(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 1);
    world->fetch = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(storage_verified(world->storage)->count, 0);
    assert_int_equal(world->disk.count[DISK_HASH], 0);
    assert_int_equal(world->disk.count[DISK_PREPARE], 0);
    end(world);
}

static void fetch_all(enum world_kind kind, const int64_t *lengths, uint32_t count)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world *world = memory_new(sizeof *world);
        world_init(world, kind, 2 * BLOCK, lengths, count, seed);
        world_start(world);
        world_run_until(world, STORAGE_RESULT_COMPLETE);
        assert_true(bitfield_is_full(storage_durable(world->storage)));
        assert_true(world->disk.record.record.complete);
        world_check_verified(world);
        for (uint32_t i = 0; i < count; i++)
            if (lengths[i] >= 0)
                world_check_file(world, i, true);
        world_close(world);
        assert_true(world->disk.record.record.clean);
        end(world);
    }
}

static void storage_makes_a_whole_torrent_durable(void **state)
{
    (void)state;
    fetch_all(WORLD_V1, SEVERAL, SEVERAL_COUNT);
    fetch_all(WORLD_V2, SEVERAL, SEVERAL_COUNT);
    static const int64_t hybrid[] = {50000, -(65536 - 50000), 20000, -(32768 - 20000), 5};
    fetch_all(WORLD_HYBRID, hybrid, 5);
}

static void storage_completes_torrents_of_almost_nothing(void **state)
{
    (void)state;
    static const int64_t empty[] = {0, 1, 0};
    fetch_all(WORLD_V1, empty, 3);
    fetch_all(WORLD_V2, empty, 3);
    static const int64_t padding[] = {100, -(32768 - 100), -32768, -40};
    fetch_all(WORLD_V1, padding, 4);
}

static void storage_tells_verified_only_when_a_reader_sees_the_bytes(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 3);
    world_start(world);
    while (!world_has(world, STORAGE_RESULT_COMPLETE)) {
        assert_true(world_step(world));
        world_check_verified(world);
        assert_memory_equal(world->known.bytes, storage_verified(world->storage)->bytes, 1);
    }
    assert_true(world->leaves_seen);
    end(world);
}

static void storage_gives_back_a_bad_piece_with_its_leaves(void **state)
{
    (void)state;
    for (int kind = WORLD_V1; kind <= WORLD_V2; kind++) {
        struct world *world = several(kind, 4);
        world->poison = true;
        world_start(world);
        world_run_until(world, STORAGE_RESULT_FAILED_PIECE);
        assert_int_equal(world->told[STORAGE_RESULT_FAILED_PIECE], 1);
        world_run_until(world, STORAGE_RESULT_COMPLETE);
        world_check_file(world, 0, true);
        end(world);
    }
}

static void storage_trusts_a_clean_record_and_hashes_nothing(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 5);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    world->fetch = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(world->disk.count[DISK_HASH], 0);
    assert_int_equal(world->disk.count[DISK_PREPARE], 0);
    assert_true(bitfield_is_full(storage_durable(world->storage)));
    uint32_t persisted = world->disk.persisted;
    world_close(world);
    assert_int_equal(world->disk.persisted, persisted);
    end(world);
}

static void storage_continues_a_clean_stop_half_way(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 6);
    world_start(world);
    while (storage_verified(world->storage)->count < 2)
        assert_true(world_step(world));
    world_close(world);
    uint32_t recorded = 0;
    for (uint32_t p = 0; p < 6; p++)
        recorded += (world->disk.record.pieces[0] >> (7 - p)) & 1;
    assert_true(recorded >= 2);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(world->disk.hashed_from_disk, 0);
    assert_int_equal(storage_verified(world->storage)->count, recorded);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    end(world);
}

/* Recheck finds exactly the pieces whose bytes hash right. */
static void storage_check_finds_exactly_the_good_pieces(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct world *world = several(seed % 2 ? WORLD_V1 : WORLD_V2, seed);
        world->fetch = false;
        world_place_files(world);
        struct rng rng;
        rng_init(&rng, seed);
        for (uint32_t i = 0; i < rng_below(&rng, 4); i++) {
            struct pretend_image *image = &world->disk.files[rng_below(&rng, 4)].cache;
            if (image->size)
                image->bytes[rng_below(&rng, (uint32_t)image->size)] ^= 1;
        }
        if (seed % 5 == 0)
            world->disk.files[3].cache.size = rng_below(&rng, 70000);
        if (seed % 7 == 0)
            world->disk.files[1].cache.exists = false;
        world_start(world);
        world_run_until(world, STORAGE_RESULT_READY);
        for (int again = 0; again < 2; again++) {
            const struct bitfield *verified = storage_verified(world->storage);
            for (piece_index p = 0; p < verified->size; p++)
                assert_int_equal(bitfield_has(verified, p), world_piece_is_good(world, p));
            world->told[STORAGE_RESULT_READY] = 0;
            storage_recheck(world->storage, world->now);
            assert_int_equal(verified->count, 0);
            world_run_until(world, STORAGE_RESULT_READY);
        }
        end(world);
    }
}

static void storage_takes_unchecked_data_on_trust(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 8);
    world_place_files(world);
    world->options.trust_all = world->options.read_only = true;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(world->disk.count[DISK_HASH], 0);
    assert_int_equal(world->disk.count[DISK_PREPARE], 0);
    assert_int_equal(world->disk.count[DISK_WRITE], 0);
    world_close(world);
    end(world);
}

static void storage_leaves_unwanted_files_unmade(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 9);
    world->use_priorities = true;
    world->priorities[0] = world->priorities[3] = 1;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_false(world->disk.files[1].cache.exists);
    assert_false(world->disk.files[2].cache.exists);
    assert_true(world->disk.files[4].cache.exists);
    world_check_file(world, 0, true);
    world_check_file(world, 3, true);
    world_check_verified(world);
    /* Piece 1 starts in a wanted file, piece 2 is of file 1 alone. */
    assert_true(storage_piece_wanted(world->storage, 1));
    assert_false(storage_piece_wanted(world->storage, 2));
    assert_int_equal(storage_piece_priority(world->storage, 1), 1);
    assert_int_equal(storage_piece_priority(world->storage, 2), 0);
    world_close(world);
    end(world);
}

static void export_after(bool restart, uint64_t seed)
{
    struct world *world = several(WORLD_V1, seed);
    world->use_priorities = true;
    world->priorities[0] = world->priorities[3] = 1;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world->priorities[1] = world->priorities[2] = 5;
    world->told[STORAGE_RESULT_COMPLETE] = 0;
    if (restart) {
        world_close(world);
        world_start(world);
    } else {
        storage_set_priorities(world->storage, world->now, world->priorities);
    }
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(storage_piece_priority(world->storage, 2), 5);
    assert_int_equal(world->told[STORAGE_RESULT_LOST_PIECE], 0);
    assert_int_equal(world->disk.hashed_from_disk, 0);
    for (uint32_t i = 0; i < SEVERAL_COUNT; i++)
        world_check_file(world, i, true);
    world_run_for(world, 20 * SECOND_NS);
    assert_false(world->disk.files[4].cache.exists);
    world_check_verified(world);
    world_close(world);
    end(world);
}

static void storage_moves_parts_into_a_file_that_becomes_wanted(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        export_after(false, seed);
        export_after(true, seed);
    }
}

static void storage_waits_for_space_and_goes_on_by_itself(void **state)
{
    (void)state;
    for (int full = 0; full < 2; full++) {
        struct world *world = several(WORLD_V1, 11);
        world->options.wait_for_space = true;
        world->options.allocation = full ? ALLOCATION_FULL : ALLOCATION_SPARSE;
        world->disk.no_space = true;
        world_start(world);
        world_run_until(world, STORAGE_RESULT_DISK_FULL);
        world_run_for(world, 60 * SECOND_NS);
        assert_int_equal(world->told[STORAGE_RESULT_DISK_FULL], 1);
        assert_int_equal(world->told[STORAGE_RESULT_DISK_RESUMED], 0);
        assert_true(world->disk.count[full ? DISK_PREPARE : DISK_WRITE] < 12);
        world->disk.no_space = false;
        world_run_until(world, STORAGE_RESULT_DISK_RESUMED);
        world_run_until(world, STORAGE_RESULT_COMPLETE);
        assert_int_equal(world->error, FRESHET_OK);
        world_close(world);
        end(world);
    }
}

static void storage_keeps_its_state_when_space_ends(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 12);
    world_start(world);
    while (storage_verified(world->storage)->count < 3)
        assert_true(world_step(world));
    uint32_t count = storage_verified(world->storage)->count;
    world->disk.no_space = true;
    world_run_until(world, STORAGE_RESULT_ERROR);
    assert_int_equal(world->error, FRESHET_ERROR_NO_SPACE);
    world_close(world);
    world->disk.no_space = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(storage_verified(world->storage)->count, count);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    end(world);
}

/* It is closed after so many steps, and from then on the disk is full. */
static void close_on_a_full_disk(enum allocation allocation, uint32_t steps)
{
    struct world *world = several(WORLD_V1, 13);
    world->options.wait_for_space = true;
    world->options.allocation = allocation;
    world_start(world);
    for (uint32_t i = 0; i < steps; i++)
        world_step(world);
    world->disk.no_space = true;
    world->disk.sync_error = steps % 3 ? FRESHET_OK : FRESHET_ERROR_NO_SPACE;
    world_close(world);
    assert_int_equal(world->error, FRESHET_OK);
    assert_int_equal(world->told[STORAGE_RESULT_DISK_FULL], 0);
    world->disk.no_space = false;
    world->disk.sync_error = FRESHET_OK;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_check_verified(world);
    world_close(world);
    assert_int_equal(world->error, FRESHET_OK);
    end(world);
}

static void storage_that_is_closed_waits_for_no_space(void **state)
{
    (void)state;
    for (uint32_t steps = 0; steps < 60; steps++) {
        close_on_a_full_disk(ALLOCATION_SPARSE, steps);
        close_on_a_full_disk(ALLOCATION_FULL, steps);
    }
}

static void storage_stops_when_a_write_fails(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 13);
    world->disk.write_error = FRESHET_ERROR_IO;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_ERROR);
    assert_int_equal(world->error, FRESHET_ERROR_IO);
    assert_int_equal(world->told[STORAGE_RESULT_VERIFIED], 0);
    world_close(world);
    end(world);
}

static void storage_unknows_what_a_failed_sync_may_have_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct world *world = several(WORLD_V1, seed);
        world->disk.sync_error = FRESHET_ERROR_IO;
        world_start(world);
        world_run_until(world, STORAGE_RESULT_LOST_PIECE);
        world_run_until(world, STORAGE_RESULT_COMPLETE);
        for (uint32_t i = 0; i < SEVERAL_COUNT; i++)
            world_check_file(world, i, true);
        end(world);
    }
}

static void storage_gives_up_a_disk_that_never_syncs(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 14);
    world_start(world);
    while (!world_has(world, STORAGE_RESULT_ERROR)) {
        world->disk.sync_error = FRESHET_ERROR_IO;
        assert_true(world_step(world));
    }
    assert_int_equal(storage_durable(world->storage)->count, 0);
    assert_false(world_has(world, STORAGE_RESULT_COMPLETE));
    world_close(world);
    end(world);
}

static void storage_repeats_a_record_that_failed(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 15);
    world->disk.persist_error = FRESHET_ERROR_IO;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_PERSIST_FAILED);
    world_run_for(world, 35 * SECOND_NS);
    assert_int_equal(storage_durable(world->storage)->count, 0);
    assert_int_equal(world->told[STORAGE_RESULT_COMPLETE], 0);
    assert_true(world->told[STORAGE_RESULT_PERSIST_FAILED] < 8);
    world->disk.persist_error = FRESHET_OK;
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    end(world);
}

static void storage_waits_for_an_absent_root(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 16);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    world->disk.root_absent = true;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_ABSENT);
    world_run_for(world, 60 * SECOND_NS);
    assert_int_equal(world->told[STORAGE_RESULT_ABSENT], 1);
    assert_false(world->disk.root_created);
    world->disk.root_absent = false;
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(world->disk.count[DISK_HASH], 0);
    /* And while it runs. */
    memset(world->told, 0, sizeof world->told);
    world->disk.root_absent = true;
    world_run_until(world, STORAGE_RESULT_ABSENT);
    world_run_for(world, 60 * SECOND_NS);
    assert_false(world->disk.root_created);
    world->disk.root_absent = false;
    world_run_until(world, STORAGE_RESULT_READY);
    assert_true(bitfield_is_full(storage_verified(world->storage)));
    world_close(world);
    end(world);
}

static void storage_closes_in_every_phase(void **state)
{
    (void)state;
    for (uint32_t steps = 0; steps < 60; steps++) {
        struct world *world = several(WORLD_V1, steps);
        world->options.wait_for_space = true;
        world->disk.no_space = steps % 3 == 0;
        if (steps % 5 == 0)
            world_place_files(world);
        world_start(world);
        for (uint32_t i = 0; i < steps; i++)
            world_step(world);
        world_close(world);
        world->disk.no_space = false;
        world_start(world);
        world_run_until(world, STORAGE_RESULT_COMPLETE);
        world_check_verified(world);
        end(world);
    }
}

static void storage_notices_a_changed_file_while_seeding(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 18);
    world->options.read_only = true;
    world->fetch = false;
    world_place_files(world);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    uint32_t hashed = world->disk.hashed_from_disk;
    world_run_for(world, 100 * SECOND_NS);
    assert_int_equal(world->disk.hashed_from_disk, hashed);
    assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 0);
    assert_true(world->disk.count[DISK_STAT] >= 10);
    /* File 1 is touched, and one of its pieces spoilt. */
    world->disk.files[1].cache.mtime_ns++;
    world->disk.files[1].cache.bytes[30000] ^= 1;
    world_run_until(world, STORAGE_RESULT_FILE_CHANGED);
    assert_int_equal(world->told[STORAGE_RESULT_LOST_PIECE], 3);
    world_run_for(world, 5 * SECOND_NS);
    assert_int_equal(storage_verified(world->storage)->count, 5);
    world_check_verified(world);
    assert_int_equal(world->disk.hashed_from_disk, hashed + 3);
    assert_int_equal(world->told[STORAGE_RESULT_REHASHED], 1);
    assert_int_equal(world->rehashed_bad, 1);
    /* And removed. */
    world->disk.files[3].cache.exists = false;
    world_run_for(world, 20 * SECOND_NS);
    assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 2);
    assert_int_equal(storage_verified(world->storage)->count, 2);
    assert_int_equal(world->told[STORAGE_RESULT_REHASHED], 2);
    assert_int_equal(world->rehashed_bad, 3);
    world_check_verified(world);
    /* Touched, and as good as before. */
    world->disk.files[1].cache.mtime_ns++;
    world_run_for(world, 20 * SECOND_NS);
    assert_int_equal(world->told[STORAGE_RESULT_REHASHED], 3);
    assert_int_equal(world->rehashed_bad, 0);
    assert_int_equal(storage_verified(world->storage)->count, 2);
    world_close(world);
    end(world);
}

static void storage_at_rest_looks_at_its_files_more_rarely(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 18);
    world->options.read_only = true;
    world->fetch = false;
    world_place_files(world);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    storage_set_rest(world->storage, 100 * SECOND_NS);
    world_run_for(world, 120 * SECOND_NS); /* a barrier looks too */
    uint32_t looks = world->disk.count[DISK_STAT];
    world_run_for(world, 500 * SECOND_NS);
    assert_int_equal(world->disk.count[DISK_STAT] - looks, 5);
    world->disk.files[1].cache.mtime_ns++;
    looks = world->disk.count[DISK_STAT];
    /* Somebody asks for it: it is looked at before long. */
    storage_set_rest(world->storage, 0);
    world_run_for(world, 11 * SECOND_NS);
    assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 1);
    world_close(world);
    end(world);
}

static void storage_hashes_a_file_that_changed_while_it_was_stopped(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 19);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    world->disk.files[1].cache.mtime_ns += 5;
    world->disk.files[1].cache.bytes[59999] ^= 1;
    world->fetch = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 1);
    assert_int_equal(world->disk.hashed_from_disk, 3);
    assert_int_equal(storage_verified(world->storage)->count, 5);
    world_check_verified(world);
    world->fetch = true;
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_check_file(world, 1, true);
    end(world);
}

static void storage_does_not_mistake_its_own_writes_for_changes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct world *world = several(WORLD_V1, seed);
        world->puts_max = 1;
        world_start(world);
        /* Slow: facts are asked for many times in between. */
        while (!world_has(world, STORAGE_RESULT_COMPLETE)) {
            assert_true(world_step(world));
            world->fetch = !world->fetch;
            world->now += SECOND_NS;
        }
        world_run_for(world, 40 * SECOND_NS);
        assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 0);
        assert_int_equal(world->disk.hashed_from_disk, 0);
        world_close(world);
        end(world);
    }
}

static void storage_records_counters_once_a_minute_without_a_sync(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 21);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    uint32_t persisted = world->disk.persisted, synced = world->disk.count[DISK_SYNC];
    for (uint64_t i = 1; i <= 120; i++) {
        storage_set_transferred(world->storage, i, 0);
        world_run_for(world, SECOND_NS);
    }
    assert_in_range(world->disk.persisted - persisted, 1, 3);
    assert_int_equal(world->disk.count[DISK_SYNC], synced);
    storage_set_transferred(world->storage, 1000, 77);
    world_close(world);
    assert_int_equal(world->disk.record.record.uploaded, 1000);
    assert_int_equal(world->disk.record.record.downloaded, 77);
    end(world);
}

static void storage_fetches_again_what_the_part_store_lost(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 22);
    world->use_priorities = true;
    world->priorities[0] = 1;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_close(world);
    world->disk.files[4].cache.exists = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(storage_verified(world->storage)->count, 1);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    world_check_verified(world);
    end(world);
}

static void storage_refuses_a_record_of_another_shape(void **state)
{
    (void)state;
    struct world *world = several(WORLD_V1, 23);
    static const uint8_t wrong[2] = {0xff, 0xff};
    struct file_stat stats[5] = {{0}};
    struct resume_record record = {
        .pieces = {wrong, 2}, .stats = stats, .file_count = 4, .complete = true, .clean = true};
    world->disk.record.exists = true;
    world->disk.record.record = record;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(storage_verified(world->storage)->count, 0);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    end(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_starts_empty_without_hashing),
        cmocka_unit_test(storage_makes_a_whole_torrent_durable),
        cmocka_unit_test(storage_completes_torrents_of_almost_nothing),
        cmocka_unit_test(storage_tells_verified_only_when_a_reader_sees_the_bytes),
        cmocka_unit_test(storage_gives_back_a_bad_piece_with_its_leaves),
        cmocka_unit_test(storage_trusts_a_clean_record_and_hashes_nothing),
        cmocka_unit_test(storage_continues_a_clean_stop_half_way),
        cmocka_unit_test(storage_check_finds_exactly_the_good_pieces),
        cmocka_unit_test(storage_takes_unchecked_data_on_trust),
        cmocka_unit_test(storage_leaves_unwanted_files_unmade),
        cmocka_unit_test(storage_moves_parts_into_a_file_that_becomes_wanted),
        cmocka_unit_test(storage_waits_for_space_and_goes_on_by_itself),
        cmocka_unit_test(storage_keeps_its_state_when_space_ends),
        cmocka_unit_test(storage_that_is_closed_waits_for_no_space),
        cmocka_unit_test(storage_stops_when_a_write_fails),
        cmocka_unit_test(storage_unknows_what_a_failed_sync_may_have_lost),
        cmocka_unit_test(storage_gives_up_a_disk_that_never_syncs),
        cmocka_unit_test(storage_repeats_a_record_that_failed),
        cmocka_unit_test(storage_waits_for_an_absent_root),
        cmocka_unit_test(storage_closes_in_every_phase),
        cmocka_unit_test(storage_notices_a_changed_file_while_seeding),
        cmocka_unit_test(storage_at_rest_looks_at_its_files_more_rarely),
        cmocka_unit_test(storage_hashes_a_file_that_changed_while_it_was_stopped),
        cmocka_unit_test(storage_does_not_mistake_its_own_writes_for_changes),
        cmocka_unit_test(storage_records_counters_once_a_minute_without_a_sync),
        cmocka_unit_test(storage_fetches_again_what_the_part_store_lost),
        cmocka_unit_test(storage_refuses_a_record_of_another_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

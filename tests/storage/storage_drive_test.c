/* SPDX-License-Identifier: MIT */
/*
 * A storage driven at random: pieces good and bad, jobs that end in any order, faults that come and
 * go, other people's hands on the files, wishes that change, stops and crashes. Invariants are
 * walked after every event; when the faults are over, everything must become complete and right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/storage/storage_state.h"
#include "tests/storage/storage_world.h"

#define BLOCK 16384

static const int64_t FLAT[] = {20000, 50000, 0, 40000, 100, 30000};
static const int64_t PADDED[] = {50000, -(65536 - 50000), 20000, -(32768 - 20000), 5};

struct drive {
    struct world *world;
    struct rng rng;
    bool trace;
};

static uint32_t below(struct drive *drive, uint32_t bound)
{
    return rng_below(&drive->rng, bound);
}

static void choose_priorities(struct drive *drive)
{
    struct world *world = drive->world;
    for (uint32_t i = 0; i < world->metainfo.geometry.file_count; i++)
        world->priorities[i] = (uint8_t)below(drive, 3);
    world->use_priorities = true;
}

static void start(struct drive *drive)
{
    struct world *world = drive->world;
    world->options.wait_for_space = below(drive, 2);
    world->options.allocation = below(drive, 2) ? ALLOCATION_FULL : ALLOCATION_SPARSE;
    world_start(world);
}

static void stop(struct drive *drive)
{
    struct world *world = drive->world;
    world->disk.root_absent = false;
    world_close(world);
    assert_true(world->error != FRESHET_ERROR_NO_SPACE || !world->options.wait_for_space);
    start(drive);
}

static void crash(struct drive *drive)
{
    pretend_disk_crash(&drive->world->disk, (enum pretend_crash)below(drive, 3));
    world_stop(drive->world);
    start(drive);
}

/* Somebody changes a file while it is at rest (a change under our own writes cannot be told from
 * them), and it is noticed at the next look. */
static void meddle(struct drive *drive)
{
    struct world *world = drive->world;
    uint32_t index = below(drive, world->metainfo.geometry.file_count + 1);
    struct pretend_file *file = &world->disk.files[index];
    bool fetch = world->fetch;
    world->fetch = false;
    world_run_for(world, 25 * SECOND_NS);
    const struct storage *storage = world->storage;
    bool rest = storage->phase == STORAGE_RUNNING && !world->disk.root_absent &&
                storage->export_stage == STORAGE_EXPORT_NONE && !storage->preparing &&
                storage->written.count + storage->written_before.count == 0;
    if (rest && file->cache.exists && world->putting.count == 0) {
        switch (below(drive, 4)) {
        case 0: file->cache.exists = false; break;
        case 1: file->cache.size /= 2; break;
        case 2: file->cache.inode = world->disk.inode_next++; break;
        default:
            if (file->cache.size)
                file->cache.bytes[below(drive, (uint32_t)file->cache.size)] ^= 0x40;
            break;
        }
        file->cache.mtime_ns = ++world->disk.clock;
        pretend_image_copy(&world->disk, &file->disk, &file->cache);
        /* It is recorded, too: after a kill an unfinished file may be newer than its record. */
        world->disk.sync_error = world->disk.persist_error = FRESHET_OK;
        world_run_for(world, 25 * SECOND_NS);
    }
    world->fetch = fetch;
}

static void trouble(struct drive *drive)
{
    struct world *world = drive->world;
    switch (below(drive, 13)) {
    case 0: world->disk.no_space = !world->disk.no_space; break;
    case 1: world->disk.sync_error = FRESHET_ERROR_IO; break;
    case 2:
        world->disk.persist_error = world->disk.persist_error ? FRESHET_OK : FRESHET_ERROR_IO;
        break;
    case 3: world->disk.root_absent = !world->disk.root_absent; break;
    case 4: world->poison = true; break;
    case 5:
        if (below(drive, 4) == 0)
            meddle(drive);
        break;
    case 6:
        choose_priorities(drive);
        storage_set_priorities(world->storage, world->now, world->priorities);
        break;
    case 7:
        if (below(drive, 4) == 0) {
            bool running = world->told[STORAGE_RESULT_READY] && !world->error;
            if (running)
                storage_recheck(world->storage, world->now);
        }
        break;
    case 8: crash(drive); break;
    case 9: stop(drive); break;
    case 10: storage_set_transferred(world->storage, rng_u64(&drive->rng), 1); break;
    case 11:
        if (below(drive, 4) == 0)
            world->disk.write_error = FRESHET_ERROR_IO;
        break;
    default: world->now += (int64_t)below(drive, 15) * SECOND_NS; break;
    }
}

/* What is told and what is asked must say the same, when nothing is on its way. */
static void check(struct drive *drive)
{
    struct world *world = drive->world;
    if (world->told[STORAGE_RESULT_READY] && !world->disk.root_absent)
        world_check_verified(world);
}

/* The faults end; it finishes, after at most a few new starts. */
static void finish(struct drive *drive)
{
    struct world *world = drive->world;
    world->disk.no_space = world->disk.root_absent = world->poison = false;
    world->disk.sync_error = world->disk.persist_error = FRESHET_OK;
    world->disk.write_error = FRESHET_OK;
    memset(world->priorities, 1, sizeof world->priorities);
    if (world->error)
        stop(drive);
    storage_set_priorities(world->storage, world->now, world->priorities);
    world_run_for(world, 60 * SECOND_NS);
    if (world->error)
        stop(drive);
    world_run_for(world, 300 * SECOND_NS);
    assert_int_equal(world->error, FRESHET_OK);
    assert_true(bitfield_is_full(storage_durable(world->storage)));
    assert_true(world_has(world, STORAGE_RESULT_COMPLETE));
    world_check_verified(world);
    for (uint32_t i = 0; i < world->metainfo.geometry.file_count; i++)
        if (!world->metainfo.geometry.files[i].padding)
            world_check_file(world, i, true);
    assert_memory_equal(world->known.bytes, storage_verified(world->storage)->bytes,
                        bitfield_wire_length(world->known.size));
    world_close(world);
    /* And a new start has nothing left to do. */
    world->fetch = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(world->disk.hashed_from_disk, 0);
    world_close(world);
}

static void drive_once(uint64_t seed)
{
    struct drive drive = {.world = memory_new(sizeof *drive.world)};
    rng_init(&drive.rng, seed);
    bool padded = seed % 3 == 2;
    world_init(drive.world, padded ? WORLD_HYBRID : (enum world_kind)(seed % 3),
               padded ? 2 * BLOCK : BLOCK, padded ? PADDED : FLAT, padded ? 5 : 6, seed);
    drive.world->puts_max = 1 + below(&drive, 5);
    if (below(&drive, 2))
        choose_priorities(&drive);
    start(&drive);
    uint32_t steps = 20 + below(&drive, 300);
    for (uint32_t i = 0; i < steps; i++) {
        world_step(drive.world);
        check(&drive);
        if (below(&drive, 8) == 0) {
            do
                trouble(&drive);
            while (below(&drive, 3) == 0);
            check(&drive);
        }
    }
    finish(&drive);
    world_deinit(drive.world);
    memory_free(drive.world);
}

static void storage_ends_well_whatever_comes(void **state)
{
    (void)state;
    const char *from = getenv("FRESHET_DRIVE_SEED");
    uint64_t first = from ? strtoull(from, NULL, 10) : 0;
    const char *count = getenv("FRESHET_DRIVE_COUNT");
    uint64_t end = first + (count ? strtoull(count, NULL, 10) : 200);
    for (uint64_t seed = first; seed < end; seed++) {
        if (from)
            print_message("seed %llu\n", (unsigned long long)seed);
        drive_once(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_ends_well_whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

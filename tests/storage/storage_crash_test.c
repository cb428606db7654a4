/* SPDX-License-Identifier: MIT */
/*
 * The power fails at every boundary between two jobs of a small run, what was not synced is lost or
 * torn, and the next run starts from the last record. Recorded pieces are never lost nor hashed
 * again, nothing verified is wrong, and everything finishes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/storage/storage_world.h"

#define BLOCK 16384

static const int64_t FILES[] = {20000, 50000, 0, 40000};
#define FILE_COUNT 4

struct plan {
    enum world_kind kind;
    enum pretend_crash crash;
    uint64_t seed;
    uint32_t puts_max;
    bool export_later; /* file 1 becomes wanted at the end */
};

static struct world *world_of(const struct plan *plan)
{
    struct world *world = memory_new(sizeof *world);
    world_init(world, plan->kind, BLOCK, FILES, FILE_COUNT, plan->seed);
    world->use_priorities = true;
    world->priorities[0] = world->priorities[3] = 1;
    world->puts_max = plan->puts_max;
    return world;
}

static bool is_recorded(const struct world *world, piece_index piece)
{
    return world->disk.record.exists &&
           world->disk.record.pieces[piece >> 3] & (0x80 >> (piece & 7));
}

/* Runs until everything is done or `jobs` jobs have ended. */
static bool run(struct world *world, const struct plan *plan, uint32_t *jobs)
{
    bool exported = !plan->export_later;
    for (uint32_t steps = 0; steps < 5000; steps++) {
        if (world_has(world, STORAGE_RESULT_COMPLETE) && exported)
            return true;
        if (world_has(world, STORAGE_RESULT_COMPLETE)) {
            exported = true;
            world->priorities[1] = world->priorities[2] = 1;
            world->told[STORAGE_RESULT_COMPLETE] = 0;
            storage_set_priorities(world->storage, world->now, world->priorities);
        }
        if ((*jobs)-- == 0)
            return false;
        /* Time flies, so that barriers fall between pieces. */
        world->now += SECOND_NS;
        storage_tick(world->storage, world->now);
        assert_true(world_step(world));
        assert_int_equal(world->error, FRESHET_OK);
    }
    fail_msg("it never finished");
    return false;
}

static void crash(struct world *world, enum pretend_crash how)
{
    pretend_disk_crash(&world->disk, how);
    world_stop(world);
}

static void start_again(struct world *world)
{
    struct bitfield recorded;
    bitfield_init(&recorded, world->metainfo.geometry.piece_count);
    for (piece_index p = 0; p < recorded.size; p++)
        if (is_recorded(world, p))
            bitfield_set(&recorded, p);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_READY);
    assert_int_equal(world->told[STORAGE_RESULT_FILE_CHANGED], 0);
    assert_false(bitfield_has_beyond(&recorded, storage_verified(world->storage)));
    assert_false(bitfield_has_beyond(&recorded, storage_durable(world->storage)));
    assert_true(world->disk.hashed_from_disk <= recorded.size - recorded.count);
    world_check_verified(world);
    bitfield_deinit(&recorded);
}

static void check_finished(struct world *world, const struct plan *plan)
{
    world_check_verified(world);
    world_check_file(world, 0, true);
    world_check_file(world, 3, true);
    if (plan->export_later) {
        world_check_file(world, 1, true);
        world_check_file(world, 2, true);
    } else {
        assert_false(world->disk.files[1].cache.exists);
    }
    world_close(world);
}

/* How many jobs a run has that nothing disturbs. */
static uint32_t jobs_of(const struct plan *plan)
{
    struct world *world = world_of(plan);
    uint32_t jobs = UINT32_MAX;
    world_start(world);
    assert_true(run(world, plan, &jobs));
    check_finished(world, plan);
    world_deinit(world);
    memory_free(world);
    return UINT32_MAX - jobs;
}

static void crash_everywhere(const struct plan *plan)
{
    uint32_t total = jobs_of(plan);
    assert_true(total > 12);
    for (uint32_t at = 0; at < total; at++) {
        struct world *world = world_of(plan);
        uint32_t jobs = at;
        world_start(world);
        assert_false(run(world, plan, &jobs));
        crash(world, plan->crash);
        /* A second time, somewhere in the run that repairs the first. */
        start_again(world);
        jobs = rng_below(&world->disk.rng, total);
        if (!run(world, plan, &jobs)) {
            crash(world, plan->crash);
            start_again(world);
            jobs = UINT32_MAX;
            assert_true(run(world, plan, &jobs));
        }
        check_finished(world, plan);
        world_deinit(world);
        memory_free(world);
    }
}

static void crash_with(enum pretend_crash how)
{
    for (uint64_t seed = 1; seed <= 2; seed++)
        for (int kind = WORLD_V1; kind <= WORLD_V2; kind++)
            for (int later = 0; later < 2; later++) {
                struct plan plan = {kind, how, seed, seed == 1 ? 1 : 4, later};
                crash_everywhere(&plan);
            }
}

static void storage_survives_a_kill_at_every_job(void **state)
{
    (void)state;
    crash_with(CRASH_KILL);
}

static void storage_survives_losing_what_was_not_synced(void **state)
{
    (void)state;
    crash_with(CRASH_LOSE);
}

static void storage_survives_torn_writes(void **state)
{
    (void)state;
    crash_with(CRASH_TEAR);
}

/* A seeding copy that is killed has nothing to hash again. */
static void storage_hashes_nothing_of_a_complete_copy_after_a_kill(void **state)
{
    (void)state;
    struct plan plan = {WORLD_V1, CRASH_KILL, 1, 3, false};
    struct world *world = world_of(&plan);
    world->use_priorities = false;
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    crash(world, CRASH_KILL);
    world_start(world);
    world_run_until(world, STORAGE_RESULT_COMPLETE);
    assert_int_equal(world->disk.hashed_from_disk, 0);
    world_close(world);
    world_deinit(world);
    memory_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storage_survives_a_kill_at_every_job),
        cmocka_unit_test(storage_survives_losing_what_was_not_synced),
        cmocka_unit_test(storage_survives_torn_writes),
        cmocka_unit_test(storage_hashes_nothing_of_a_complete_copy_after_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

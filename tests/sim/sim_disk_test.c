/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "sim/sim_disk.h"

#define PIECE (64u * KIB)

static struct sim_clock the_clock;
static struct sim_torrent *torrent;
static struct sim_disk disk;
static struct storage_file files[3];
static struct storage_layout layout = {.root = "/pretend",
                                       .part_name = ".parts",
                                       .files = files,
                                       .file_count = 3,
                                       .piece_length = PIECE,
                                       .create_root = true};

static enum freshet_error doing(const struct disk_job *job)
{
    uint32_t file;
    assert_true(sim_disk_done_at(&disk, job) >= the_clock.now);
    return sim_disk_do(&disk, job, &file);
}

static enum freshet_error doing_simple(enum disk_operation operation)
{
    struct disk_job job = {.operation = operation, .storage = 1, .layout = &layout};
    struct file_stat stats[4];
    job.ret_stats = stats;
    return doing(&job);
}

static int set_up(void **state)
{
    (void)state;
    const struct sim_torrent_options options = {5, 200000, PIECE, 3, NULL, SIM_TORRENT_V1};
    const struct sim_disk_options disk_options = {0};
    sim_clock_init(&the_clock);
    torrent = sim_torrent_new(&options);
    sim_disk_init(&disk, &the_clock, torrent, &disk_options, 3);
    for (int i = 0; i < 3; i++)
        files[i] = (struct storage_file){
            .path = torrent->files[i].path, .length = torrent->files[i].length, .wanted = true};
    assert_int_equal(doing_simple(DISK_OPEN), FRESHET_OK);
    assert_int_equal(doing_simple(DISK_PREPARE), FRESHET_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_disk_deinit(&disk);
    sim_torrent_free(torrent);
    sim_clock_deinit(&the_clock);
    return 0;
}

/* Piece 1 (65536 to 131072) lies in two files. */
static void extent_of_piece_1(struct extent *extent, struct file_range ranges[2],
                              block_id blocks[4])
{
    uint64_t cut = torrent->files[2].offset;
    assert_in_range(cut, PIECE + 1, 2 * PIECE - 1);
    ranges[0] = (struct file_range){1, (uint32_t)(cut - PIECE), PIECE - torrent->files[1].offset};
    ranges[1] = (struct file_range){2, (uint32_t)(2 * PIECE - cut), 0};
    for (uint32_t i = 0; i < 4; i++)
        blocks[i] = 3 * i;
    *extent = (struct extent){1, PIECE, ranges, 2, 4, blocks};
}

static enum freshet_error put_piece_1(uint64_t source)
{
    struct file_range ranges[2];
    block_id blocks[4];
    struct disk_job job = {.operation = DISK_WRITE, .storage = 1};
    extent_of_piece_1(&job.extent, ranges, blocks);
    for (uint32_t i = 0; i < 4; i++)
        sim_spans_put(sim_disk_block(&disk, blocks[i]), 0, LIMIT_BLOCK_SIZE, source,
                      PIECE + i * LIMIT_BLOCK_SIZE);
    return doing(&job);
}

static bool hash_matches(void)
{
    struct file_range ranges[2];
    block_id blocks[4];
    uint8_t sha1[20], leaves[4 * 32];
    struct disk_job job = {
        .operation = DISK_HASH, .storage = 1, .ret_sha1 = sha1, .ret_leaves = leaves};
    extent_of_piece_1(&job.extent, ranges, blocks);
    for (uint32_t i = 0; i < 4; i++)
        blocks[i] = BLOCK_NONE;
    if (doing(&job) != FRESHET_OK || memcmp(sha1, torrent->piece_sha1 + 20, 20) != 0)
        return false;
    assert_memory_equal(leaves, torrent->leaves + 4 * 32, sizeof leaves);
    return true;
}

static void sim_disk_hashes_what_was_written(void **state)
{
    (void)state;
    assert_false(hash_matches());
    assert_int_equal(put_piece_1(SIM_SOURCE_GARBAGE | 1), FRESHET_OK);
    assert_false(hash_matches());
    assert_int_equal(put_piece_1(torrent->source), FRESHET_OK);
    assert_true(hash_matches());
    assert_true(sim_disk_has_piece(&disk, 1, false));
    assert_false(sim_disk_has_piece(&disk, 1, true));
    assert_false(sim_disk_has_piece(&disk, 0, false));
}

static void sim_disk_makes_durable_at_a_sync_only(void **state)
{
    (void)state;
    put_piece_1(torrent->source);
    assert_int_equal(doing_simple(DISK_SYNC), FRESHET_OK);
    assert_true(sim_disk_has_piece(&disk, 1, true));
    sim_disk_crash(&disk, SIM_CRASH_LOSE);
    assert_int_equal(doing_simple(DISK_OPEN), FRESHET_OK);
    assert_true(hash_matches());
}

static void sim_disk_loses_what_is_unsynced_in_a_power_cut(void **state)
{
    (void)state;
    doing_simple(DISK_SYNC);
    put_piece_1(torrent->source);
    sim_disk_crash(&disk, SIM_CRASH_LOSE);
    assert_int_equal(doing_simple(DISK_OPEN), FRESHET_OK);
    assert_false(hash_matches());
}

static void sim_disk_keeps_the_page_cache_when_a_program_dies(void **state)
{
    (void)state;
    put_piece_1(torrent->source);
    sim_disk_crash(&disk, SIM_CRASH_PROCESS);
    assert_int_equal(doing_simple(DISK_OPEN), FRESHET_OK);
    assert_true(hash_matches());
    /* A sync of what this run wrote does not cover what the dead one wrote. */
    doing_simple(DISK_SYNC);
    assert_false(sim_disk_has_piece(&disk, 1, true));
    struct disk_job job = {.operation = DISK_SYNC, .storage = 1, .sync_all = true};
    assert_int_equal(doing(&job), FRESHET_OK);
    assert_true(sim_disk_has_piece(&disk, 1, true));
}

static void sim_disk_tears_unsynced_writes_page_by_page(void **state)
{
    (void)state;
    doing_simple(DISK_SYNC);
    put_piece_1(torrent->source);
    sim_disk_crash(&disk, SIM_CRASH_TEAR);
    uint64_t kept = 0;
    for (uint32_t f = 0; f < disk.file_count; f++)
        for (size_t i = 0; i < disk.files[f]->cache.count; i++)
            kept += disk.files[f]->cache.items[i].length;
    assert_in_range(kept, 4096, PIECE - 4096);
}

static void sim_disk_forgets_pages_of_a_failed_sync(void **state)
{
    (void)state;
    put_piece_1(torrent->source);
    disk.fail_syncs = 1;
    assert_int_equal(doing_simple(DISK_SYNC), FRESHET_ERROR_IO);
    assert_int_equal(doing_simple(DISK_SYNC), FRESHET_OK);
    assert_false(hash_matches());
    assert_false(sim_disk_has_piece(&disk, 1, true));
}

static void sim_disk_leaves_out_of_a_sync_what_is_written_meanwhile(void **state)
{
    (void)state;
    struct disk_job job = {.operation = DISK_SYNC, .storage = 1};
    uint32_t file;
    sim_disk_done_at(&disk, &job);
    put_piece_1(torrent->source);
    assert_int_equal(sim_disk_do(&disk, &job, &file), FRESHET_OK);
    assert_false(sim_disk_has_piece(&disk, 1, true));
    assert_int_equal(doing_simple(DISK_SYNC), FRESHET_OK);
    assert_true(sim_disk_has_piece(&disk, 1, true));
}

static void sim_disk_says_when_it_is_full(void **state)
{
    (void)state;
    disk.options.capacity = PIECE - 1;
    assert_int_equal(put_piece_1(torrent->source), FRESHET_ERROR_NO_SPACE);
    disk.options.capacity = PIECE;
    assert_int_equal(put_piece_1(torrent->source), FRESHET_OK);
}

static void sim_disk_is_absent_when_unmounted(void **state)
{
    (void)state;
    disk.unmounted = true;
    assert_int_equal(doing_simple(DISK_STAT), FRESHET_ERROR_ABSENT);
    disk.unmounted = false;
    assert_int_equal(doing_simple(DISK_STAT), FRESHET_OK);
}

static void sim_disk_of_a_seed_has_everything(void **state)
{
    (void)state;
    sim_disk_fill(&disk);
    for (uint32_t piece = 0; piece < torrent->piece_count; piece++)
        assert_true(sim_disk_has_piece(&disk, piece, true));
    assert_true(hash_matches());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sim_disk_hashes_what_was_written),
        TEST(sim_disk_makes_durable_at_a_sync_only),
        TEST(sim_disk_loses_what_is_unsynced_in_a_power_cut),
        TEST(sim_disk_keeps_the_page_cache_when_a_program_dies),
        TEST(sim_disk_tears_unsynced_writes_page_by_page),
        TEST(sim_disk_forgets_pages_of_a_failed_sync),
        TEST(sim_disk_leaves_out_of_a_sync_what_is_written_meanwhile),
        TEST(sim_disk_says_when_it_is_full),
        TEST(sim_disk_is_absent_when_unmounted),
        TEST(sim_disk_of_a_seed_has_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/catalog/catalog_bench.h"

static void set_queues(struct bench *bench, uint32_t downloads, uint32_t seeds)
{
    struct catalog_settings settings;

    catalog_settings_copy(catalog_settings(bench->catalog), &settings);
    settings.download_queue_enabled = downloads != UINT32_MAX;
    settings.download_queue = downloads;
    settings.seed_queue_enabled = seeds != UINT32_MAX;
    settings.seed_queue = seeds;
    catalog_set_settings(bench->catalog, &settings, bench->now);
    catalog_settings_deinit(&settings);
    bench_run(bench);
}

static enum catalog_phase phase(struct bench *bench, torrent_id id)
{
    return bench_row(bench, id)->phase;
}

static void catalog_queue_lets_so_many_download_and_the_next_waits(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 2, UINT32_MAX);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    assert_int_equal(phase(&bench, a), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, c), CATALOG_WAIT_DOWNLOAD);
    assert_false(bench_row(&bench, c)->open);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, a), CATALOG_STOPPED);
    assert_false(bench_row(&bench, a)->open);
    assert_int_equal(phase(&bench, c), CATALOG_DOWNLOADING);
    assert_true(bench_row(&bench, c)->open);
    bench_end(&bench);
}

static void catalog_queue_gives_a_place_on_when_a_download_is_complete(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 1, 1);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    bench_ready(&bench, a, 50000);
    assert_int_equal(phase(&bench, a), CATALOG_SEEDING);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    bench_ready(&bench, b, 50000);
    /* One seed at most: the second waits, out of the engine. */
    assert_int_equal(phase(&bench, b), CATALOG_WAIT_SEED);
    assert_false(bench_row(&bench, b)->open);
    assert_int_equal(phase(&bench, c), CATALOG_DOWNLOADING);
    bench_end(&bench);
}

static void catalog_queue_does_not_count_who_is_stalled(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(100);

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 1, UINT32_MAX);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    bench_ready(&bench, a, 100);
    bench_pass(&bench, 29 * 60);
    bench_sample(&bench, a, &status);
    assert_int_equal(phase(&bench, b), CATALOG_WAIT_DOWNLOAD);
    bench_pass(&bench, 60);
    bench_sample(&bench, a, &status);
    assert_int_equal(phase(&bench, a), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, c), CATALOG_WAIT_DOWNLOAD);
    /* It wakes up and counts again; nobody is thrown out. */
    status.downloaded = 1000;
    bench_sample(&bench, a, &status);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    catalog_stop(bench.catalog, b, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, c), CATALOG_WAIT_DOWNLOAD);
    bench_end(&bench);
}

static void catalog_queue_does_not_hold_who_is_forced(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 1, UINT32_MAX);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    catalog_start(bench.catalog, b, true, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, a), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    /* And it takes no place: when a stops, c has it. */
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, c), CATALOG_DOWNLOADING);
    /* Forcing one that runs frees its place. */
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, a), CATALOG_WAIT_DOWNLOAD);
    catalog_start(bench.catalog, c, true, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, a), CATALOG_DOWNLOADING);
    bench_end(&bench);
}

static void catalog_queue_follows_its_size(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 3, UINT32_MAX);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    set_queues(&bench, 1, UINT32_MAX);
    assert_int_equal(phase(&bench, a), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, b), CATALOG_WAIT_DOWNLOAD);
    assert_int_equal(phase(&bench, c), CATALOG_WAIT_DOWNLOAD);
    set_queues(&bench, 2, UINT32_MAX);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    assert_int_equal(phase(&bench, c), CATALOG_WAIT_DOWNLOAD);
    set_queues(&bench, UINT32_MAX, UINT32_MAX);
    assert_int_equal(phase(&bench, c), CATALOG_DOWNLOADING);
    bench_end(&bench);
}

static void assert_queue(struct bench *bench, const torrent_id *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(bench_row(bench, ids[i])->queue_position, i);
}

static void catalog_queue_moves_one_and_many(void **state)
{
    struct bench bench;
    torrent_id id[6];

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 0, UINT32_MAX);
    for (unsigned i = 1; i < 6; i++)
        id[i] = bench_add(&bench, i);
    catalog_queue_move(bench.catalog, (torrent_id[]){id[4], id[2]}, 2, QUEUE_TOP, bench.now);
    assert_queue(&bench, (torrent_id[]){id[2], id[4], id[1], id[3], id[5]}, 5);
    catalog_queue_move(bench.catalog, (torrent_id[]){id[2], id[1]}, 2, QUEUE_UP, bench.now);
    assert_queue(&bench, (torrent_id[]){id[2], id[1], id[4], id[3], id[5]}, 5);
    catalog_queue_move(bench.catalog, (torrent_id[]){id[2]}, 1, QUEUE_DOWN, bench.now);
    assert_queue(&bench, (torrent_id[]){id[1], id[2], id[4], id[3], id[5]}, 5);
    catalog_queue_move(bench.catalog, (torrent_id[]){id[1], id[4], 999}, 3, QUEUE_BOTTOM,
                       bench.now);
    assert_queue(&bench, (torrent_id[]){id[2], id[3], id[5], id[1], id[4]}, 5);
    catalog_queue_set(bench.catalog, id[4], 1, bench.now);
    assert_queue(&bench, (torrent_id[]){id[2], id[4], id[3], id[5], id[1]}, 5);
    catalog_queue_set(bench.catalog, id[2], 77, bench.now);
    assert_queue(&bench, (torrent_id[]){id[4], id[3], id[5], id[1], id[2]}, 5);
    bench_run(&bench);
    /* Whoever is first gets the next place. */
    set_queues(&bench, 1, UINT32_MAX);
    assert_int_equal(phase(&bench, id[4]), CATALOG_DOWNLOADING);
    bench_end(&bench);
}

static void catalog_queue_saves_only_who_has_moved(void **state)
{
    struct bench bench;
    torrent_id id[101];

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 0, UINT32_MAX);
    for (unsigned i = 1; i <= 100; i++)
        id[i] = bench_add(&bench, i);
    bench_clear(&bench);
    catalog_queue_move(bench.catalog, &id[50], 1, QUEUE_TOP, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.row_saves, 1);
    catalog_queue_set(bench.catalog, id[3], 70, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.row_saves, 2);
    /* A gap halves each time; when it is used up, all get new orders, and then one is enough. */
    for (int i = 0; i < 100; i++)
        catalog_queue_set(bench.catalog, id[10 + (unsigned)i % 2], 1, bench.now);
    bench_run(&bench);
    bench_clear(&bench);
    catalog_queue_set(bench.catalog, id[20], 40, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.row_saves, 1);
    bench_end(&bench);
}

static void catalog_queue_closes_the_hole_of_a_removed_one(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    set_queues(&bench, 1, UINT32_MAX);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    catalog_remove(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    assert_null(catalog_find(bench.catalog, a));
    assert_true(catalog_deadline(bench.catalog) <= bench.now + SECOND_NS);
    bench_pass(&bench, 1);
    assert_int_equal(bench_row(&bench, b)->queue_position, 0);
    assert_int_equal(bench_row(&bench, c)->queue_position, 1);
    assert_int_equal(phase(&bench, b), CATALOG_DOWNLOADING);
    torrent_id d = bench_add(&bench, 4);
    assert_int_equal(d, 4);
    assert_int_equal(bench_row(&bench, d)->queue_position, 2);
    bench_end(&bench);
}

static void catalog_queue_checks_two_at_a_time(void **state)
{
    struct bench bench;
    torrent_id id[4];

    (void)state;
    bench_begin(&bench);
    for (unsigned i = 0; i < 4; i++) {
        id[i] = bench_add_seed(&bench, i + 1);
        assert_int_equal(phase(&bench, id[i]), CATALOG_SEEDING);
    }
    catalog_stop(bench.catalog, id[3], bench.now);
    bench_run(&bench);
    bench_clear(&bench);
    for (unsigned i = 0; i < 4; i++)
        catalog_recheck(bench.catalog, id[i], bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, id[0]), CATALOG_CHECKING);
    assert_int_equal(phase(&bench, id[1]), CATALOG_CHECKING);
    assert_int_equal(phase(&bench, id[2]), CATALOG_WAIT_CHECK);
    assert_int_equal(phase(&bench, id[3]), CATALOG_WAIT_CHECK);
    assert_false(bench_row(&bench, id[2])->open);
    /* Everything is hashed, and nothing runs meanwhile. */
    assert_true(bench.forget_record);
    assert_true(bench.options.paused);
    bench_ready(&bench, id[0], 50000);
    assert_int_equal(phase(&bench, id[0]), CATALOG_SEEDING);
    assert_false(bench_row(&bench, id[0])->wants_check);
    assert_int_equal(bench.command.type, COMMAND_RESUME);
    assert_int_equal(bench.command.torrent, id[0]);
    assert_int_equal(phase(&bench, id[2]), CATALOG_CHECKING);
    /* What is not whole any more is a download. */
    bench_ready(&bench, id[1], 32768);
    assert_int_equal(phase(&bench, id[1]), CATALOG_DOWNLOADING);
    assert_false(bench_row(&bench, id[1])->complete);
    /* What was stopped is closed again. */
    bench_ready(&bench, id[3], 50000);
    assert_int_equal(phase(&bench, id[3]), CATALOG_STOPPED);
    assert_false(bench_row(&bench, id[3])->open);
    bench_end(&bench);
}

static void catalog_queue_a_check_that_is_stopped_ends(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    catalog_recheck(bench.catalog, a, bench.now);
    bench_run(&bench);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_int_equal(phase(&bench, a), CATALOG_STOPPED);
    assert_false(bench_row(&bench, a)->wants_check);
    bench_end(&bench);
}

static void catalog_queue_opens_restored_rows_in_its_order_a_few_at_a_time(void **state)
{
    struct bench bench;
    struct catalog_settings settings = bench_settings();
    struct catalog_action action;
    uint32_t opened = 0;

    (void)state;
    bench_begin_with(&bench, &settings);
    catalog_settings_deinit(&settings);
    for (uint32_t i = 1; i <= 1000; i++) {
        struct catalog_torrent row = {.id = i,
                                      .has_v1 = true,
                                      .name = memory_copy("n", 2),
                                      .folder = memory_copy("/data", 6),
                                      .wanted_running = true,
                                      .complete = true,
                                      .queue_order = 5000 - (int64_t)i};
        row.v1[0] = (uint8_t)i;
        row.v1[1] = (uint8_t)(i >> 8);
        catalog_restore(bench.catalog, &row);
    }
    catalog_restored(bench.catalog, bench.now);
    catalog_check(bench.catalog);
    assert_int_equal(catalog_count(bench.catalog), 1000);
    while (catalog_output(bench.catalog, bench.now, &action)) {
        if (action.type != CATALOG_OPEN)
            continue;
        /* The last one is first in the queue. */
        assert_int_equal(action.id, 1000 - opened);
        opened++;
    }
    assert_int_equal(opened, CATALOG_OPENING_MAX);
    for (uint32_t i = 0; i < CATALOG_OPENING_MAX; i++)
        catalog_on_opened(bench.catalog, 1000 - i, FRESHET_OK, NULL, bench.now);
    assert_true(catalog_output(bench.catalog, bench.now, &action));
    assert_int_equal(action.id, 1000 - CATALOG_OPENING_MAX);
    catalog_on_opened(bench.catalog, action.id, FRESHET_OK, NULL, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_OPEN], 1000 - CATALOG_OPENING_MAX - 1);
    /* Nothing had to be saved for that. */
    assert_int_equal(bench.row_saves, 0);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_queue_lets_so_many_download_and_the_next_waits),
        cmocka_unit_test(catalog_queue_gives_a_place_on_when_a_download_is_complete),
        cmocka_unit_test(catalog_queue_does_not_count_who_is_stalled),
        cmocka_unit_test(catalog_queue_does_not_hold_who_is_forced),
        cmocka_unit_test(catalog_queue_follows_its_size),
        cmocka_unit_test(catalog_queue_moves_one_and_many),
        cmocka_unit_test(catalog_queue_saves_only_who_has_moved),
        cmocka_unit_test(catalog_queue_closes_the_hole_of_a_removed_one),
        cmocka_unit_test(catalog_queue_checks_two_at_a_time),
        cmocka_unit_test(catalog_queue_a_check_that_is_stopped_ends),
        cmocka_unit_test(catalog_queue_opens_restored_rows_in_its_order_a_few_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

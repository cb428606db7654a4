/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void expect_whole(struct lone_engine *lone)
{
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 1);
    assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
    struct torrent_status status;
    assert_true(engine_torrent_status(lone->engine, 1, &status));
    assert_int_equal(status.phase, PHASE_SEEDING);
}

static void a_torrent_comes_from_a_web_seed_alone(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone_begin(lone, "15:http://host/dir", NULL);
    lone_wait(lone, 10 * SECOND_NS);
    expect_whole(lone);
    assert_string_equal(lone->last_url, "http://host/dir");
    struct torrent_status status;
    engine_torrent_status(lone->engine, 1, &status);
    assert_int_equal(status.downloaded, LONE_SIZE);
    assert_int_equal(status.wasted, 0);
    lone_free(lone);
}

static void a_seed_asks_no_web_seed(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone_begin(lone, "15:http://host/dir", NULL);
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone->fetches, 0);
    lone_free(lone);
}

static void a_web_seed_that_errs_is_tried_again_later(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->fetch_errors = 3;
    lone_begin(lone, "15:http://host/dir", NULL);
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 0);
    assert_true(lone->fetches <= 3);
    assert_int_equal(lone->notices[NOTICE_WEB_SEED_RESTS], 1);
    assert_int_equal(lone->notices[NOTICE_NO_SOURCES], 0);
    lone_wait(lone, 200 * SECOND_NS);
    expect_whole(lone);
    lone_free(lone);
}

static void a_web_seed_that_lies_is_dropped_and_another_helps(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->fetch_lies = true;
    lone_begin(lone, "l13:http://liar/f13:http://good/fe", NULL);
    lone_wait(lone, 60 * SECOND_NS);
    expect_whole(lone);
    assert_true(lone->notices[NOTICE_PIECE_FAILED] >= 1);
    uint64_t corrupt = lone_status(lone).corrupt;
    assert_true(corrupt > 0 &&
                corrupt <= lone->notices[NOTICE_PIECE_FAILED] * (uint64_t)LONE_PIECE);
    assert_true(lone_status(lone).wasted >= corrupt);
    assert_int_equal(lone->notices[NOTICE_WEB_SEED_DROPPED], 1);
    assert_int_equal(lone->notices[NOTICE_NO_SOURCES], 0);
    assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 0);
    lone_free(lone);
}

static void a_lone_liar_cannot_make_us_spin(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->fetch_lies = true;
    lone_begin(lone, "13:http://liar/f", NULL);
    lone_wait(lone, 600 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 0);
    assert_true(lone->fetches <= 3);
    assert_int_equal(lone->notices[NOTICE_WEB_SEED_DROPPED], 1);
    /* Nobody is left, and that is said once; again when somebody came and went. */
    assert_int_equal(lone->notices[NOTICE_NO_SOURCES], 1);
    uint32_t peer = lone_accept(lone, 1, true);
    lone_wait(lone, 2 * SECOND_NS);
    struct event gone = {.type = EVENT_CLOSED, .conn = lone->conns[peer]};
    lone->closed[peer] = true;
    engine_input(lone->engine, lone->now, &gone);
    lone_run(lone);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_NO_SOURCES], 2);
    lone_free(lone);
}

static void web_seeds_keep_to_the_download_limit(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .download_limit = 5000};
    lone_begin(lone, "13:http://good/f", &options);
    /* 118,304 bytes at 5,000 a second: 24 s; one block may go ahead of its payment. */
    for (uint32_t i = 1; i <= 40; i++) {
        struct torrent_status status;
        lone_wait(lone, SECOND_NS);
        engine_torrent_status(lone->engine, 1, &status);
        assert_true(status.downloaded <= i * 5000 + 5000 / 4 + 1 + LIMIT_BLOCK_SIZE);
    }
    expect_whole(lone);
    lone_free(lone);
}

static void a_paused_torrent_fetches_nothing(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .paused = true};
    lone_begin(lone, "13:http://good/f", &options);
    lone_wait(lone, 60 * SECOND_NS);
    assert_int_equal(lone->fetches, 0);
    struct engine_command command = {.type = COMMAND_RESUME, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    lone_wait(lone, 10 * SECOND_NS);
    expect_whole(lone);
    lone_free(lone);
}

/* Removing a torrent: its peers are closed, its servers let go, and the person is told. */
static void a_removed_torrent_leaves_nothing_behind(void **state)
{
    (void)state;
    for (uint32_t web = 0; web < 2; web++) {
        struct lone_engine *lone = lone_prepare(false);
        lone->fetch_waits = true;
        lone_begin(lone, web ? "13:http://good/f" : NULL, NULL);
        uint32_t peer = lone_accept(lone, 1, true);
        lone_wait(lone, 2 * SECOND_NS);
        assert_int_equal(lone->fetches, web ? 1 : 0);
        struct engine_command command = {.type = COMMAND_REMOVE_TORRENT, .torrent = 1};
        struct event event = {.type = EVENT_COMMAND, .command = &command};
        engine_input(lone->engine, lone->now, &event);
        lone_run(lone);
        lone_wait(lone, 10 * SECOND_NS);
        assert_true(lone->closed[peer]);
        assert_int_equal(lone->notices[NOTICE_REMOVED], 1);
        struct torrent_status status;
        assert_false(engine_torrent_status(lone->engine, 1, &status));
        lone_free(lone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_torrent_comes_from_a_web_seed_alone),
        cmocka_unit_test(a_seed_asks_no_web_seed),
        cmocka_unit_test(a_web_seed_that_errs_is_tried_again_later),
        cmocka_unit_test(a_web_seed_that_lies_is_dropped_and_another_helps),
        cmocka_unit_test(a_lone_liar_cannot_make_us_spin),
        cmocka_unit_test(web_seeds_keep_to_the_download_limit),
        cmocka_unit_test(a_paused_torrent_fetches_nothing),
        cmocka_unit_test(a_removed_torrent_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

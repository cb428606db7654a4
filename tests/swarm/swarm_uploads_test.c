/* SPDX-License-Identifier: MIT */
/* What we are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void swarm_uploads_reject_while_choked_and_drop_who_never_stops(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->no_upload = true;
    lone_begin(lone, NULL, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_UNCHOKE), 0);
    lone_say_block(lone, peer, WIRE_REQUEST, 0, 0, 16384);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REJECT), 1);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 0);
    lone_wait(lone, 3 * SECOND_NS);
    for (uint32_t i = 0; i < LIMIT_INVALID_REQUESTS; i++)
        lone_say_block(lone, peer, WIRE_REQUEST, 0, 0, 16384);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_uploads_serve_the_allowed_fast_set_to_choked_peers(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    /* All slots are taken before it comes. */
    for (uint8_t who = 1; who <= 6; who++)
        lone_leecher(lone, who, true);
    uint32_t peer = lone_leecher(lone, 9, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_UNCHOKE), 0);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_ALLOWED_FAST), LONE_PIECES);
    lone_say_block(lone, peer, WIRE_REQUEST, 1, 0, 16384);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 1);
    /* Three times the set, and no more. */
    for (uint32_t i = 0; i < 200 && !lone->closed[peer]; i++)
        lone_say_block(lone, peer, WIRE_REQUEST, 1, 16384 * (i % 2), 16384);
    assert_in_range(lone_count_sent(lone, peer, WIRE_PIECE), 8, 3 * 2 * LONE_PIECES);
    assert_true(lone_count_sent(lone, peer, WIRE_REJECT) > 100);
    lone_free(lone);
}

static void swarm_uploads_stay_silent_without_the_fast_extension(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->no_upload = true;
    lone_begin(lone, NULL, NULL);
    uint32_t peer = lone_leecher(lone, 1, false);
    lone_forget_sent(lone, peer);
    lone_say_block(lone, peer, WIRE_REQUEST, 0, 0, 16384);
    assert_int_equal(lone->sent[peer].length, 0);
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_uploads_answer_across_files_ends_and_odd_offsets(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    lone_forget_sent(lone, peer);
    lone_say_block(lone, peer, WIRE_REQUEST, 2, 1000, 20001);
    assert_int_equal(lone->sent[peer].length, WIRE_PIECE_HEAD + 20001);
    assert_memory_equal(lone->sent[peer].data + WIRE_PIECE_HEAD,
                        lone->truth + 2 * LONE_PIECE + 1000, 20001);
    lone_free(lone);
}

static void swarm_uploads_wait_for_an_upload_limit(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .upload_limit = 16384};
    struct lone_engine *lone = lone_new(true, &options);
    uint32_t peer = lone_leecher(lone, 1, true);
    for (uint32_t piece = 0; piece < 3; piece++)
        for (uint32_t block = 0; block < 2; block++)
            lone_say_block(lone, peer, WIRE_REQUEST, piece, block * 16384, 16384);
    uint32_t at_once = lone_count_sent(lone, peer, WIRE_PIECE);
    assert_in_range(at_once, 1, 2);
    lone_wait(lone, 2 * SECOND_NS);
    assert_in_range(lone_count_sent(lone, peer, WIRE_PIECE), at_once + 1, at_once + 2);
    lone_wait(lone, 6 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 6);
    lone_free(lone);
}

static void give(struct lone_engine *lone, struct engine_command wish)
{
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    engine_check(lone->engine);
}

static void share(struct lone_engine *lone, struct torrent_share share)
{
    struct torrent_tuning tuning = {.share = share, .seed_ratio = -1, .seed_time_s = -1};
    give(lone,
         (struct engine_command){.type = COMMAND_SET_OPTIONS, .torrent = 1, .tuning = &tuning});
}

static uint32_t sent_after_asking(struct lone_engine *lone, uint32_t peer)
{
    lone_forget_sent(lone, peer);
    for (uint32_t piece = 0; piece < 3; piece++)
        for (uint32_t block = 0; block < 2; block++)
            lone_say_block(lone, peer, WIRE_REQUEST, piece, block * 16384, 16384);
    uint32_t at_once = lone_count_sent(lone, peer, WIRE_PIECE);
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 6);
    return at_once;
}

static void swarm_limits_hold_a_group_and_let_go_who_stands_beside(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    struct engine_command group = {.type = COMMAND_SET_GROUP,
                                   .group = {.number = 3, .upload_limit = 4096}};
    assert_int_equal(sent_after_asking(lone, peer), 6);
    share(lone, (struct torrent_share){.group = 3}); /* which nobody made yet */
    assert_int_equal(sent_after_asking(lone, peer), 6);
    give(lone, group);
    share(lone, (struct torrent_share){.group = 3});
    assert_in_range(sent_after_asking(lone, peer), 1, 2);
    share(lone, (struct torrent_share){.group = 3, .is_alone = true});
    assert_int_equal(sent_after_asking(lone, peer), 6);
    /* The limit of all holds groups too, but those that stand beside it. */
    give(lone, (struct engine_command){.type = COMMAND_SET_LIMITS, .upload_limit = 4096});
    assert_int_equal(sent_after_asking(lone, peer), 6);
    group.group.upload_limit = 0;
    give(lone, group);
    share(lone, (struct torrent_share){.group = 3});
    assert_in_range(sent_after_asking(lone, peer), 1, 2);
    group.group.is_alone = true;
    give(lone, group);
    assert_int_equal(sent_after_asking(lone, peer), 6);
    share(lone, (struct torrent_share){.priority = 1});
    assert_in_range(sent_after_asking(lone, peer), 1, 2);
    lone_free(lone);
}

static void swarm_uploads_leave_who_repeats_itself_without_end(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .upload_limit = 4096};
    struct lone_engine *lone = lone_new(true, &options);
    uint32_t peer = lone_leecher(lone, 1, false);
    for (uint32_t piece = 0; piece < 3; piece++)
        lone_say_block(lone, peer, WIRE_REQUEST, piece, 0, 16384);
    uint32_t repeats = 0;
    for (; repeats < 2 * LIMIT_NUISANCES && !lone->closed[peer]; repeats++)
        lone_say_block(lone, peer, WIRE_REQUEST, 2, 0, 16384);
    assert_true(lone->closed[peer]);
    assert_in_range(repeats, LIMIT_NUISANCES / 2, LIMIT_NUISANCES + 2);
    lone_free(lone);
}

static void swarm_uploads_take_cancels_back(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .upload_limit = 4096};
    struct lone_engine *lone = lone_new(true, &options);
    uint32_t peer = lone_leecher(lone, 1, true);
    for (uint32_t piece = 0; piece < 3; piece++)
        lone_say_block(lone, peer, WIRE_REQUEST, piece, 0, 16384);
    lone_say_block(lone, peer, WIRE_CANCEL, 2, 0, 16384);
    /* Under the fast extension also a cancelled request has its answer. */
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REJECT), 1);
    lone_wait(lone, 60 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 2);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_uploads_reject_while_choked_and_drop_who_never_stops),
        cmocka_unit_test(swarm_uploads_serve_the_allowed_fast_set_to_choked_peers),
        cmocka_unit_test(swarm_uploads_stay_silent_without_the_fast_extension),
        cmocka_unit_test(swarm_uploads_answer_across_files_ends_and_odd_offsets),
        cmocka_unit_test(swarm_uploads_wait_for_an_upload_limit),
        cmocka_unit_test(swarm_limits_hold_a_group_and_let_go_who_stands_beside),
        cmocka_unit_test(swarm_uploads_leave_who_repeats_itself_without_end),
        cmocka_unit_test(swarm_uploads_take_cancels_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The engine against a peer that is played by hand, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void engine_downloads_what_a_seed_sends(void **state)
{
    (void)state;
    for (int fast = 0; fast < 2; fast++) {
        struct lone_engine *lone = lone_new(false, NULL);
        assert_int_equal(lone_status(lone).phase, PHASE_DOWNLOADING);
        uint32_t peer = lone_seed_peer(lone, 1, fast);
        assert_int_equal(lone_count_sent(lone, peer, WIRE_INTERESTED), 1);
        uint32_t blocks = 0;
        for (uint32_t count; (count = lone_answer(lone, peer, true)) > 0;)
            blocks += count;
        assert_int_equal(blocks, 8);
        lone_wait(lone, 1 * SECOND_NS);
        assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
        assert_true(lone_status(lone).complete);
        assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
        assert_int_equal(lone->persisted_pieces, LONE_PIECES);
        assert_int_equal(lone->notices[NOTICE_COMPLETE], 1);
        assert_int_equal(lone_status(lone).wasted, 0);
        /* Both are seeds now: nothing left to say. */
        assert_true(lone->closed[peer]);
        lone_free(lone);
    }
}

static void engine_serves_blocks_to_an_interested_peer(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
    uint32_t peer = lone_accept(lone, 1, true);
    struct buffer out = {0};
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE_ALL), 1);
    wire_message_put(&out, WIRE_HAVE_NONE);
    wire_message_put(&out, WIRE_INTERESTED);
    lone_feed_buffer(lone, peer, &out);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_UNCHOKE), 1);
    lone_forget_sent(lone, peer);
    wire_message_put_block(&out, WIRE_REQUEST, 3, 16384, 20000 - 16384);
    lone_feed_buffer(lone, peer, &out);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 1);
    uint32_t length = 20000 - 16384;
    assert_int_equal(lone->sent[peer].length, WIRE_PIECE_HEAD + length);
    assert_memory_equal(lone->sent[peer].data + WIRE_PIECE_HEAD,
                        lone->truth + 3 * LONE_PIECE + 16384, length);
    assert_int_equal(lone_status(lone).uploaded, length);
    lone_free(lone);
}

static void engine_rejects_what_it_does_not_serve(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    struct buffer out = {0};
    wire_message_put(&out, WIRE_HAVE_NONE);
    wire_message_put_block(&out, WIRE_REQUEST, 3, 16384, 16384); /* beyond the end */
    lone_feed_buffer(lone, peer, &out);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REJECT), 1);
    assert_false(lone->closed[peer]);
    wire_message_put_block(&out, WIRE_REQUEST, 0, 0, LIMIT_REQUEST_LENGTH_MAX + 1);
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void engine_bans_the_sole_sender_of_a_bad_piece(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t liar = lone_seed_peer(lone, 1, true);
    lone_answer(lone, liar, false);
    assert_true(lone->closed[liar]);
    assert_true(lone->notices[NOTICE_PIECE_FAILED] > 0);
    assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 1);
    struct address who = lone_address(1);
    assert_true(address_same_ip(&lone->last_banned, &who));
    assert_int_equal(lone_status(lone).verified_bytes, 0);
    /* It does not come back, and an honest peer finishes the work. */
    uint32_t again = lone_accept(lone, 1, true);
    assert_true(lone->closed[again]);
    uint32_t honest = lone_seed_peer(lone, 2, true);
    while (lone_answer(lone, honest, true) > 0)
        ;
    lone_wait(lone, 1 * SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

static void engine_closes_on_a_block_it_never_asked_for(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    struct buffer out = {0};
    wire_message_put(&out, WIRE_HAVE_ALL);
    lone_put_block(&out, lone, 0, 0, true);
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void engine_gives_up_silent_newcomers_and_silent_peers(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t mute = lone_new_conn(lone, conn);
    struct address from = lone_address(9);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = from};
    engine_input(lone->engine, lone->now, &event);
    uint32_t peer = lone_accept(lone, 1, true);
    lone_wait(lone, 9 * SECOND_NS);
    assert_false(lone->closed[mute]);
    lone_wait(lone, 2 * SECOND_NS);
    assert_true(lone->closed[mute]);
    assert_false(lone->closed[peer]);
    lone_wait(lone, LIMIT_TIMEOUT_SILENT_NS);
    assert_true(lone->closed[peer]);
    assert_true(lone_count_sent(lone, peer, WIRE_KEEPALIVE) >= 1);
    lone_free(lone);
}

static void engine_asks_again_what_timed_out(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t slow = lone_seed_peer(lone, 1, true);
    uint32_t asked = lone_count_sent(lone, slow, WIRE_REQUEST);
    assert_true(asked > 0);
    uint32_t quick = lone_seed_peer(lone, 2, true);
    lone_wait(lone, 65 * SECOND_NS);
    while (lone_answer(lone, quick, true) > 0)
        ;
    lone_wait(lone, 20 * SECOND_NS);
    while (lone_answer(lone, quick, true) > 0)
        ;
    lone_wait(lone, 1 * SECOND_NS);
    assert_true(lone_status(lone).complete);
    assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
    lone_free(lone);
}

static void engine_keeps_to_a_download_limit_by_pausing(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .download_limit = 8192};
    struct lone_engine *lone = lone_new(false, &options);
    uint32_t peer = lone_seed_peer(lone, 1, true);
    int64_t began = lone->now;
    for (int i = 0; i < 60 && !lone_status(lone).complete; i++) {
        /* The bench ignores the pause, so the debt grows; what counts is that it is asked for. */
        lone_answer(lone, peer, true);
        lone_wait(lone, SECOND_NS);
    }
    assert_true(lone_status(lone).complete);
    assert_true(lone->now > began);
    lone_free(lone);
}

/* What comes after the limit is reached is not to be read, long before the pause is carried out. */
static void engine_holds_reads_at_once_when_a_limit_is_reached(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .download_limit = 8192};
    struct lone_engine *lone = lone_new(false, &options);
    uint32_t peer = lone_seed_peer(lone, 1, true);
    struct receive_plan plan;

    engine_receive_plan(lone->engine, lone->conns[peer], &plan);
    assert_true(plan.is_limited);
    assert_false(plan.held);
    lone_answer(lone, peer, true);
    engine_receive_plan(lone->engine, lone->conns[peer], &plan);
    assert_true(plan.held);
    lone_wait(lone, 3600 * SECOND_NS);
    assert_false(lone->paused[peer]);
    engine_receive_plan(lone->engine, lone->conns[peer], &plan);
    assert_false(plan.held);
    lone_free(lone);
}

static void engine_drops_a_peer_that_changes_its_mind_without_end(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    struct buffer out = {0};
    for (uint32_t i = 0; i < LIMIT_NUISANCES / 2; i++) {
        wire_message_put(&out, WIRE_INTERESTED);
        wire_message_put(&out, WIRE_NOT_INTERESTED);
    }
    lone_feed_buffer(lone, peer, &out);
    assert_false(lone->closed[peer]);
    wire_message_put(&out, WIRE_INTERESTED);
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void engine_takes_any_file_priority(void **state)
{
    (void)state;
    uint8_t highest = 255;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .file_priorities = &highest};
    struct lone_engine *lone = lone_new(false, &options);
    uint32_t peer = lone_seed_peer(lone, 1, true);
    while (lone_answer(lone, peer, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_downloads_what_a_seed_sends),
        cmocka_unit_test(engine_serves_blocks_to_an_interested_peer),
        cmocka_unit_test(engine_rejects_what_it_does_not_serve),
        cmocka_unit_test(engine_bans_the_sole_sender_of_a_bad_piece),
        cmocka_unit_test(engine_closes_on_a_block_it_never_asked_for),
        cmocka_unit_test(engine_gives_up_silent_newcomers_and_silent_peers),
        cmocka_unit_test(engine_asks_again_what_timed_out),
        cmocka_unit_test(engine_drops_a_peer_that_changes_its_mind_without_end),
        cmocka_unit_test(engine_takes_any_file_priority),
        cmocka_unit_test(engine_keeps_to_a_download_limit_by_pausing),
        cmocka_unit_test(engine_holds_reads_at_once_when_a_limit_is_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What we ask for, and the payload that arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void swarm_requests_ask_elsewhere_what_was_rejected(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t first = lone_seed_peer(lone, 1, true);
    uint32_t asked = lone_count_sent(lone, first, WIRE_REQUEST);
    assert_int_equal(asked, 4);
    uint32_t second = lone_seed_peer(lone, 2, true);
    lone_say(lone, first, WIRE_CHOKE);
    /* Choke alone takes nothing back under the fast extension; rejects do. */
    struct bytes sent = buffer_bytes(&lone->sent[first]);
    struct cursor cursor;
    cursor_init(&cursor, sent);
    cursor_bytes(&cursor, 68);
    struct buffer rejects = {0};
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        uint32_t piece = cursor_u32(&fields), begin = cursor_u32(&fields);
        wire_message_put_block(&rejects, WIRE_REJECT, piece, begin, cursor_u32(&fields));
    }
    lone_feed_buffer(lone, first, &rejects);
    assert_false(lone->closed[first]);
    while (lone_answer(lone, second, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    assert_int_equal(lone_status(lone).wasted, 0);
    lone_free(lone);
}

static void swarm_requests_close_on_a_reject_of_nothing(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    lone_say(lone, peer, WIRE_HAVE_NONE);
    lone_say_block(lone, peer, WIRE_REJECT, 0, 0, 16384);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_requests_are_lost_by_a_plain_choke(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t first = lone_seed_peer(lone, 1, false);
    uint32_t second = lone_seed_peer(lone, 2, false);
    lone_say(lone, first, WIRE_CHOKE);
    while (lone_answer(lone, second, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

static void swarm_requests_take_a_block_that_crosses_a_plain_choke(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_seed_peer(lone, 1, false);
    lone_say(lone, peer, WIRE_CHOKE);
    assert_int_equal(lone_answer(lone, peer, true), 4);
    assert_false(lone->closed[peer]);
    assert_int_equal(lone_status(lone).wasted, 0);
    lone_say(lone, peer, WIRE_UNCHOKE);
    while (lone_answer(lone, peer, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

static void swarm_requests_end_with_cancels_at_the_slower_peer(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t slow = lone_seed_peer(lone, 1, true);
    uint32_t quick = lone_seed_peer(lone, 2, true);
    uint32_t answered = 0;
    for (uint32_t count; (count = lone_answer(lone, quick, true)) > 0;)
        answered += count;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    assert_int_equal(answered, 8);
    /* The last cancel may be overtaken by the end: two seeds part. */
    assert_true(lone_count_sent(lone, slow, WIRE_CANCEL) + 1 >=
                lone_count_sent(lone, slow, WIRE_REQUEST));
    assert_true(lone_count_sent(lone, slow, WIRE_CANCEL) >= 3);
    lone_free(lone);
}

static void swarm_requests_close_on_a_block_of_a_wrong_shape(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    for (int fast = 0; fast < 2; fast++) {
        uint32_t peer = lone_seed_peer(lone, (uint8_t)(1 + fast), fast);
        lone_say_block(lone, peer, WIRE_PIECE, 0, 100, 16384);
        assert_true(lone->closed[peer]);
    }
    lone_free(lone);
}

static void swarm_requests_survive_a_peer_that_leaves_inside_a_block(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_seed_peer(lone, 1, true);
    lone_say_block(lone, peer, WIRE_PIECE, 0, 0, 0);
    uint32_t second = lone_seed_peer(lone, 2, true);
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[second]));
    cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        uint32_t piece = cursor_u32(&fields), begin = cursor_u32(&fields);
        struct buffer half = {0};
        lone_put_block(&half, lone, piece, begin, true);
        half.length = WIRE_PIECE_HEAD + 5000;
        lone_feed_buffer(lone, second, &half);
        break;
    }
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[second], .error = FRESHET_ERROR_CONNECTION};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    uint32_t third = lone_seed_peer(lone, 3, true);
    while (lone_answer(lone, third, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_requests_ask_elsewhere_what_was_rejected),
        cmocka_unit_test(swarm_requests_close_on_a_reject_of_nothing),
        cmocka_unit_test(swarm_requests_are_lost_by_a_plain_choke),
        cmocka_unit_test(swarm_requests_take_a_block_that_crosses_a_plain_choke),
        cmocka_unit_test(swarm_requests_end_with_cancels_at_the_slower_peer),
        cmocka_unit_test(swarm_requests_close_on_a_block_of_a_wrong_shape),
        cmocka_unit_test(swarm_requests_survive_a_peer_that_leaves_inside_a_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

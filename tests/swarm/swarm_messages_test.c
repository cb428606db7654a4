/* SPDX-License-Identifier: MIT */
/* What a peer says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void put_extended(struct lone_engine *lone, uint32_t peer, uint8_t id, const char *text,
                         size_t length)
{
    struct buffer out = {0};
    wire_message_put_extended(&out, id, (struct bytes){(const uint8_t *)text, length});
    lone_feed_buffer(lone, peer, &out);
}

static uint32_t accept_extended(struct lone_engine *lone, uint8_t who)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(who)};
    engine_input(lone->engine, lone->now, &event);
    struct wire_handshake handshake = {.fast = true, .extension = true};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, who, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
    return index;
}

static void swarm_messages_learn_from_the_extension_handshake(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = accept_extended(lone, 1);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_EXTENDED), 1);
    static const char dict[] = "d1:md11:lt_donthavei7ee4:reqqi1e1:v8:Test 1.0e";
    put_extended(lone, peer, 0, dict, sizeof dict - 1);
    struct peer_status status;
    assert_int_equal(engine_torrent_peers(lone->engine, 1, &status, 1), 1);
    assert_string_equal(status.client, "Test 1.0");
    /* Its queue holds one request. */
    lone_say(lone, peer, WIRE_HAVE_ALL);
    lone_say(lone, peer, WIRE_UNCHOKE);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REQUEST), 1);
    lone_free(lone);
}

static void swarm_messages_close_on_an_extension_handshake_that_is_none(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = accept_extended(lone, 1);
    put_extended(lone, peer, 0, "li1e", 4);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_messages_forget_what_a_peer_has_no_more(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = accept_extended(lone, 1);
    lone_say(lone, peer, WIRE_HAVE_NONE);
    lone_say_index(lone, peer, WIRE_HAVE, 2);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_INTERESTED), 1);
    put_extended(lone, peer, 7, "\0\0\0\2", 4);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_NOT_INTERESTED), 1);
    /* What it never had, and what there is not, changes nothing. */
    put_extended(lone, peer, 7, "\0\0\0\1", 4);
    put_extended(lone, peer, 7, "\0\0\1\0", 4);
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_messages_close_on_pieces_out_of_range_or_told_twice(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    lone_say(lone, peer, WIRE_HAVE_ALL);
    lone_say(lone, peer, WIRE_HAVE_ALL); /* as aria2 may */
    assert_false(lone->closed[peer]);
    lone_say(lone, peer, WIRE_HAVE_NONE);
    assert_true(lone->closed[peer]);
    peer = lone_accept(lone, 2, true);
    lone_say_index(lone, peer, WIRE_HAVE, LONE_PIECES);
    assert_true(lone->closed[peer]);
    peer = lone_accept(lone, 3, false);
    struct buffer out = {0};
    wire_message_put_bitfield(&out, (struct bytes){(const uint8_t *)"\xf8", 1});
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    peer = lone_accept(lone, 4, false);
    lone_say(lone, peer, WIRE_HAVE_ALL); /* without the fast extension */
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_messages_ask_for_allowed_pieces_while_choked(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    lone_say(lone, peer, WIRE_HAVE_ALL);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REQUEST), 0);
    lone_say_index(lone, peer, WIRE_ALLOWED_FAST, 3);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_REQUEST), 2);
    assert_int_equal(lone_answer(lone, peer, true), 2);
    assert_int_equal(lone_status(lone).pieces_done, 1);
    lone_free(lone);
}

static void swarm_messages_answer_hash_requests_with_rejects(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_accept(lone, 1, true);
    struct wire_hash_range range = {.length = 2, .proof_layers = 0};
    struct buffer out = {0};
    wire_message_put_hashes(&out, WIRE_HASH_REQUEST, &range, (struct bytes){NULL, 0});
    lone_feed_buffer(lone, peer, &out);
    /* A v1 torrent has no such messages at all. */
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_messages_learn_from_the_extension_handshake),
        cmocka_unit_test(swarm_messages_close_on_an_extension_handshake_that_is_none),
        cmocka_unit_test(swarm_messages_forget_what_a_peer_has_no_more),
        cmocka_unit_test(swarm_messages_close_on_pieces_out_of_range_or_told_twice),
        cmocka_unit_test(swarm_messages_ask_for_allowed_pieces_while_choked),
        cmocka_unit_test(swarm_messages_answer_hash_requests_with_rejects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

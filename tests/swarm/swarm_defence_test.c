/* SPDX-License-Identifier: MIT */
/* Peers that are slow, broken or mean, played by hand: what they cost us, and that honest ones do
 * not suffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_extension.h"
#include "tests/engine/lone_engine.h"

#define REQUESTS_MAX 64u

struct request {
    uint32_t piece, begin, length;
};

/* The requests among the messages sent to a peer, which are forgotten. */
static uint32_t take_requests(struct lone_engine *lone, uint32_t peer, struct request *ret_requests)
{
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    uint32_t count = 0;
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        assert_true(count < REQUESTS_MAX);
        ret_requests[count].piece = cursor_u32(&fields);
        ret_requests[count].begin = cursor_u32(&fields);
        ret_requests[count++].length = cursor_u32(&fields);
    }
    lone_forget_sent(lone, peer);
    return count;
}

static void send_block(struct lone_engine *lone, uint32_t peer, const struct request *request)
{
    struct buffer out = {0};
    wire_message_put_block(&out, WIRE_PIECE, request->piece, request->begin, request->length);
    buffer_append(&out, lone->truth + request->piece * LONE_PIECE + request->begin,
                  request->length);
    lone_feed_buffer(lone, peer, &out);
}

static void say(struct lone_engine *lone, uint32_t peer, enum wire_type type)
{
    struct buffer out = {0};
    wire_message_put(&out, type);
    lone_feed_buffer(lone, peer, &out);
}

/* A peer that has the pieces of `bits` (the high four bits) and unchokes us. */
static uint32_t join(struct lone_engine *lone, uint8_t who, bool fast, uint8_t bits)
{
    uint32_t peer = lone_accept(lone, who, fast);
    struct buffer out = {0};
    wire_message_put_bitfield(&out, (struct bytes){&bits, 1});
    wire_message_put(&out, WIRE_UNCHOKE);
    lone_feed_buffer(lone, peer, &out);
    return peer;
}

static struct torrent_status status_of(struct lone_engine *lone)
{
    struct torrent_status status;
    assert_true(engine_torrent_status(lone->engine, 1, &status));
    return status;
}

static void a_request_that_timed_out_is_not_sent_twice_to_a_fast_peer(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = join(lone, 1, true, 0xf0);
    struct request asked[REQUESTS_MAX], more[REQUESTS_MAX];
    uint32_t count = take_requests(lone, peer, asked);
    assert_true(count >= 4);
    lone_wait(lone, 65 * SECOND_NS); /* three times over */
    uint32_t again = take_requests(lone, peer, more);
    for (uint32_t i = 0; i < again; i++)
        for (uint32_t j = 0; j < count; j++)
            assert_false(more[i].piece == asked[j].piece && more[i].begin == asked[j].begin);
    /* It wakes up and answers each request once. */
    for (uint32_t i = 0; i < again; i++)
        asked[count++] = more[i];
    for (uint32_t i = 0; i < count; i++) {
        send_block(lone, peer, &asked[i]);
        uint32_t extra = take_requests(lone, peer, more);
        for (uint32_t j = 0; j < extra; j++)
            asked[count++] = more[j];
    }
    assert_int_equal(count, 8); /* every block of the torrent once */
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 1);
    assert_int_equal(status_of(lone).wasted, 0);
    lone_free(lone);
}

static void a_block_that_nobody_asked_for_opens_no_piece(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept(lone, 1, false);
    struct request unasked = {1, 0, LIMIT_BLOCK_SIZE};
    send_block(lone, peer, &unasked);
    assert_false(lone->closed[peer]); /* it may have crossed a cancel */
    assert_int_equal(status_of(lone).wasted, LIMIT_BLOCK_SIZE);
    assert_int_equal(status_of(lone).corrupt, 0); /* no hash has failed */
    lone_free(lone);
}

static void a_peer_that_refuses_everything_is_left(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = join(lone, 1, true, 0xf0);
    uint32_t rejected = 0;
    while (!lone->closed[peer] && rejected < 10000) {
        struct request asked[REQUESTS_MAX];
        uint32_t count = take_requests(lone, peer, asked);
        assert_true(count > 0);
        struct buffer out = {0};
        for (uint32_t i = 0; i < count; i++)
            wire_message_put_block(&out, WIRE_REJECT, asked[i].piece, asked[i].begin,
                                   asked[i].length);
        rejected += count;
        lone_feed_buffer(lone, peer, &out);
    }
    assert_true(lone->closed[peer]);
    assert_true(rejected <= LIMIT_REJECTS_IN_A_ROW + REQUESTS_MAX);
    lone_free(lone);
}

static void halves_that_nobody_can_finish_make_room(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->pool_blocks = 4; /* two pieces */
    lone_begin(lone, NULL, NULL);
    uint32_t a = join(lone, 1, false, 0xc0);
    struct request asked[REQUESTS_MAX];
    uint32_t count = take_requests(lone, a, asked);
    assert_int_equal(count, 4);
    for (uint32_t i = 0; i < count; i++)
        if (asked[i].begin == 0)
            send_block(lone, a, &asked[i]);
    say(lone, a, WIRE_CHOKE);
    /* Both pieces are half here; this one has the other two. */
    uint32_t b = join(lone, 2, false, 0x30);
    for (uint32_t i = 0; i < 100; i++) {
        lone_wait(lone, SECOND_NS);
        count = take_requests(lone, b, asked);
        for (uint32_t j = 0; j < count; j++)
            send_block(lone, b, &asked[j]);
    }
    assert_int_equal(status_of(lone).pieces_done, 2);
    assert_int_equal(status_of(lone).wasted, LIMIT_BLOCK_SIZE); /* one half, not both */
    say(lone, a, WIRE_UNCHOKE);
    for (uint32_t i = 0; i < 100; i++) {
        lone_wait(lone, SECOND_NS);
        count = take_requests(lone, a, asked);
        for (uint32_t j = 0; j < count; j++)
            send_block(lone, a, &asked[j]);
    }
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 1);
    lone_free(lone);
}

static void a_piece_larger_than_the_pool_is_not_fetched_for_ever(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->pool_blocks = 1;
    lone_begin(lone, NULL, NULL);
    assert_int_equal(lone->notices[NOTICE_ERROR], 1);
    assert_int_equal(lone->notices[NOTICE_READY], 0);
    assert_int_equal(status_of(lone).error, FRESHET_ERROR_LIMIT);
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    lone_free(lone);
}

static void our_own_limit_is_no_fault_of_the_peer(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .download_limit = 200};
    struct lone_engine *lone = lone_new(false, &options);
    uint32_t peer = join(lone, 1, false, 0xf0);
    struct request asked[REQUESTS_MAX];
    uint32_t count = 0, answered = 0;
    /* 118,304 bytes at 200 a second: ten minutes. */
    for (uint32_t i = 0; i < 700; i++) {
        count += take_requests(lone, peer, asked + count);
        if (!lone->paused[peer] && answered < count)
            send_block(lone, peer, &asked[answered++]);
        lone_wait(lone, SECOND_NS);
        if (lone->now > 1300 * SECOND_NS && lone->now < 1301 * SECOND_NS) {
            struct peer_status seen;
            assert_int_equal(engine_torrent_peers(lone->engine, 1, &seen, 1), 1);
            assert_false(seen.snubbed);
        }
    }
    assert_int_equal(count, 8); /* nothing was asked twice */
    assert_int_equal(status_of(lone).wasted, 0);
    assert_int_equal(lone->notices[NOTICE_COMPLETE], 1);
    lone_free(lone);
}

static void put_donthave(struct buffer *out, uint32_t piece)
{
    uint8_t payload[4] = {0, 0, 0, (uint8_t)piece};
    wire_message_put_extended(out, WIRE_EXTENSION_LT_DONTHAVE, (struct bytes){payload, 4});
}

/* The extension bit is needed for lt_donthave. */
static uint32_t join_extended(struct lone_engine *lone, uint8_t who, uint8_t peer_id, uint8_t bits)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t peer = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(who)};
    engine_input(lone->engine, lone->now, &event);
    struct wire_handshake handshake = {.extension = true};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, peer_id, 20);
    struct buffer out = {0};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    buffer_append(&out, bytes, sizeof bytes);
    wire_message_put_bitfield(&out, (struct bytes){&bits, 1});
    lone_feed_buffer(lone, peer, &out);
    return peer;
}

static void a_seed_that_changes_its_mind_without_end_is_left(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = join_extended(lone, 1, 1, 0xf0);
    assert_false(lone->closed[peer]);
    struct buffer out = {0};
    for (uint32_t i = 0; i < 10; i++) {
        put_donthave(&out, 2);
        wire_message_put_index(&out, WIRE_HAVE, 2);
    }
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    /* Who lost pieces in earnest may say so. */
    uint32_t honest = join_extended(lone, 2, 2, 0xf0);
    for (uint32_t i = 0; i < 4; i++)
        put_donthave(&out, i);
    lone_feed_buffer(lone, honest, &out);
    assert_false(lone->closed[honest]);
    lone_free(lone);
}

static void a_super_seed_counts_pieces_that_come_and_go(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .super_seed = true};
    struct lone_engine *lone = lone_new(true, &options);
    uint32_t peer = join_extended(lone, 1, 1, 0x10);
    struct buffer out = {0};
    for (uint32_t i = 0; i < 70000; i++) {
        wire_message_put_index(&out, WIRE_HAVE, 2);
        put_donthave(&out, 2);
    }
    lone_feed_buffer(lone, peer, &out);
    lone_wait(lone, 20 * SECOND_NS);
    lone_free(lone);
}

static void a_super_seed_serves_who_never_says_what_it_has(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .super_seed = true};
    struct lone_engine *lone = lone_new(true, &options);
    uint32_t peer = lone_accept(lone, 1, false);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE), 0);
    lone_wait(lone, 5 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE), 1);
    lone_free(lone);
}

static void super_seeding_waits_for_a_seed(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .super_seed = true};
    struct lone_engine *lone = lone_new(false, &options);
    uint32_t reader = join(lone, 2, false, 0);
    assert_int_equal(lone_count_sent(lone, reader, WIRE_HAVE), 0); /* nothing to show yet */
    uint32_t seed = join(lone, 1, false, 0xf0);
    struct request asked[REQUESTS_MAX];
    for (uint32_t count; (count = take_requests(lone, seed, asked)) > 0;)
        for (uint32_t i = 0; i < count; i++)
            send_block(lone, seed, &asked[i]);
    assert_int_equal(lone_count_sent(lone, reader, WIRE_HAVE), 4); /* as anybody does */
    lone_free(lone);
}

/* We have connected to a peer; somebody elsewhere shows the same peer id. */
static void a_borrowed_peer_id_pushes_nobody_out(void **state)
{
    (void)state;
    struct address first = lone_address(1);
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .peers = &first, .peer_count = 1};
    for (uint32_t id = 0; id < 256; id += 255) { /* smaller and greater than ours */
        struct lone_engine *lone = lone_new(false, &options);
        lone_wait(lone, 2 * SECOND_NS);
        assert_int_equal(lone->connect_count, 1);
        struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[0], .remote = first};
        engine_input(lone->engine, lone->now, &event);
        lone_run(lone);
        struct wire_handshake handshake = {0};
        memcpy(handshake.info_hash, lone->info_hash, 20);
        memset(handshake.peer_id, (int)id, 20);
        uint8_t bytes[WIRE_HANDSHAKE_SIZE];
        wire_handshake_encode(&handshake, bytes);
        lone_feed(lone, 0, bytes, sizeof bytes);
        uint32_t thief = join_extended(lone, 2, (uint8_t)id, 0xf0);
        assert_true(lone->closed[thief]);
        assert_false(lone->closed[0]);
        lone_free(lone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_timed_out_is_not_sent_twice_to_a_fast_peer),
        cmocka_unit_test(a_block_that_nobody_asked_for_opens_no_piece),
        cmocka_unit_test(a_piece_larger_than_the_pool_is_not_fetched_for_ever),
        cmocka_unit_test(a_peer_that_refuses_everything_is_left),
        cmocka_unit_test(halves_that_nobody_can_finish_make_room),
        cmocka_unit_test(our_own_limit_is_no_fault_of_the_peer),
        cmocka_unit_test(a_seed_that_changes_its_mind_without_end_is_left),
        cmocka_unit_test(a_super_seed_counts_pieces_that_come_and_go),
        cmocka_unit_test(a_super_seed_serves_who_never_says_what_it_has),
        cmocka_unit_test(super_seeding_waits_for_a_seed),
        cmocka_unit_test(a_borrowed_peer_id_pushes_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

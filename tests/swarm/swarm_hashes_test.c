/* SPDX-License-Identifier: MIT */
/* Hashes that peers ask a seed for (BEP 52): from its layers, and of blocks that are hashed again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/hash_answer.h"
#include "tests/engine/lone_engine.h"

static struct lone_engine *seed_new(void)
{
    struct lone_engine *lone = lone_prepare(true);
    lone->is_v2 = true;
    lone_begin(lone, NULL, NULL);
    assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
    return lone;
}

static struct wire_hash_range range_of(struct lone_engine *lone, uint32_t base, uint32_t index,
                                       uint32_t length, uint32_t proof)
{
    struct wire_hash_range range = {
        .base_layer = base, .index = index, .length = length, .proof_layers = proof};
    memcpy(range.pieces_root, engine_torrent_metainfo(lone->engine, 1)->files[0].pieces_root, 32);
    return range;
}

static void ask(struct lone_engine *lone, uint32_t peer, const struct wire_hash_range *range)
{
    struct buffer out = {0};
    wire_message_put_hashes(&out, WIRE_HASH_REQUEST, range, (struct bytes){NULL, 0});
    lone_feed_buffer(lone, peer, &out);
}

/* The hashes of the last answer; empty: there is none. Borrowed. */
static struct bytes hashes_sent(struct lone_engine *lone, uint32_t peer)
{
    struct cursor cursor;
    struct bytes hashes = {NULL, 0};
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length > 49 && message.data[0] == WIRE_HASHES)
            hashes = (struct bytes){message.data + 49, message.length - 49};
    }
    return hashes;
}

static void expect_proof(struct lone_engine *lone, uint32_t peer,
                         const struct wire_hash_range *range)
{
    struct bytes hashes = hashes_sent(lone, peer);
    assert_true(hashes.length > 0);
    assert_true(hash_answer_proves(range, LONE_SIZE, hashes));
}

static void a_seed_answers_from_its_layers_at_once(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    lone->defers = true; /* no job would end */
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range range = range_of(lone, 1, 0, 4, 1);
    ask(lone, peer, &range);
    expect_proof(lone, peer, &range);
    lone->defers = false;
    lone_free(lone);
}

static void a_seed_hashes_blocks_again_for_who_asks(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true);
    /* One piece's leaves, all leaves, and those of the short last piece. */
    const struct wire_hash_range ranges[] = {range_of(lone, 0, 2, 2, 2), range_of(lone, 0, 0, 8, 2),
                                             range_of(lone, 0, 6, 2, 2)};
    for (size_t i = 0; i < 3; i++) {
        lone_forget_sent(lone, peer);
        ask(lone, peer, &ranges[i]);
        expect_proof(lone, peer, &ranges[i]);
    }
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASH_REJECT), 0);
    lone_free(lone);
}

static void what_a_seed_does_not_have_is_rejected(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->is_v2 = true;
    lone_begin(lone, NULL, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range leaves = range_of(lone, 0, 0, 2, 2), layer = range_of(lone, 1, 0, 4, 1),
                           strange = range_of(lone, 1, 0, 4, 1);
    ask(lone, peer, &leaves); /* nothing is downloaded yet */
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASH_REJECT), 1);
    strange.pieces_root[0] ^= 1;
    ask(lone, peer, &strange);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASH_REJECT), 2);
    ask(lone, peer, &layer); /* but the layer came with the torrent */
    expect_proof(lone, peer, &layer);
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

static void bytes_that_changed_on_the_disk_prove_nothing(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range range = range_of(lone, 0, 0, 2, 2);
    lone->disk[7] ^= 1;
    ask(lone, peer, &range);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASHES), 0);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASH_REJECT), 1);
    lone_free(lone);
}

static void requests_wait_in_order_and_only_so_many(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true), other = lone_leecher(lone, 2, true);
    struct wire_hash_range range = range_of(lone, 0, 0, 2, 2);
    lone->defers = true;
    for (uint32_t i = 0; i < 10; i++)
        ask(lone, peer, &range);
    ask(lone, other, &range);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASH_REJECT), 2); /* of ten, eight wait */
    assert_int_equal(lone_count_sent(lone, other, WIRE_HASH_REJECT), 0);
    while (lone->job_count)
        lone_finish(lone, 0);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASHES), 8);
    assert_int_equal(lone_count_sent(lone, other, WIRE_HASHES), 1);
    expect_proof(lone, other, &range);
    lone->defers = false;
    lone_free(lone);
}

static void who_leaves_meanwhile_is_forgotten(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range range = range_of(lone, 0, 0, 8, 2);
    lone->defers = true;
    ask(lone, peer, &range);
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[peer], .error = FRESHET_ERROR_CLOSED};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    while (lone->job_count)
        lone_finish(lone, 0);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASHES), 0);
    lone->defers = false;
    lone_free(lone);
}

static void all_peers_together_wait_for_so_many(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    struct wire_hash_range range = range_of(lone, 0, 0, 2, 2);
    uint32_t peers[9];
    lone->defers = true;
    for (uint32_t i = 0; i < 9; i++) {
        peers[i] = lone_leecher(lone, (uint8_t)(i + 1), true);
        for (uint32_t k = 0; k < 8; k++)
            ask(lone, peers[i], &range);
        /* Eight times eight wait; there is no room for the ninth. */
        assert_int_equal(lone_count_sent(lone, peers[i], WIRE_HASH_REJECT), i < 8 ? 0 : 8);
    }
    while (lone->job_count)
        lone_finish(lone, 0);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(lone_count_sent(lone, peers[i], WIRE_HASHES), 8);
    lone->defers = false;
    ask(lone, peers[8], &range);
    expect_proof(lone, peers[8], &range);
    lone_free(lone);
}

static void who_has_much_hashed_is_told_no_for_a_while(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true), other = lone_leecher(lone, 2, true);
    struct wire_hash_range leaves = range_of(lone, 0, 0, 8, 2), layer = range_of(lone, 1, 0, 4, 1);
    uint32_t answered = 0;
    while (lone_count_sent(lone, peer, WIRE_HASH_REJECT) == 0) {
        assert_true(answered < LIMIT_NUISANCES);
        answered += lone_count_sent(lone, peer, WIRE_HASHES);
        lone_forget_sent(lone, peer);
        ask(lone, peer, &leaves);
    }
    assert_true(answered >= LIMIT_NUISANCES / 8);
    /* Only hashing is refused, only to this one, and not for ever. */
    ask(lone, peer, &layer);
    expect_proof(lone, peer, &layer);
    ask(lone, other, &leaves);
    expect_proof(lone, other, &leaves);
    lone_forget_sent(lone, peer);
    lone_wait(lone, 11 * SECOND_NS);
    assert_false(lone->closed[peer]);
    ask(lone, peer, &leaves);
    expect_proof(lone, peer, &leaves);
    for (uint32_t i = 0; i < 2 * LIMIT_NUISANCES && !lone->closed[peer]; i++)
        ask(lone, peer, &leaves);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void who_asks_a_v1_torrent_for_hashes_is_let_go(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone_begin(lone, NULL, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range range = {.length = 2, .pieces_root = {1}};
    ask(lone, peer, &range);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HASHES), 0);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void a_flood_of_requests_ends_the_connection(void **state)
{
    (void)state;
    struct lone_engine *lone = seed_new();
    uint32_t peer = lone_leecher(lone, 1, true);
    struct wire_hash_range range = range_of(lone, 1, 0, 4, 1);
    for (uint32_t i = 0; i < 2 * LIMIT_NUISANCES && !lone->closed[peer]; i++)
        ask(lone, peer, &range);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_answers_from_its_layers_at_once),
        cmocka_unit_test(a_seed_hashes_blocks_again_for_who_asks),
        cmocka_unit_test(what_a_seed_does_not_have_is_rejected),
        cmocka_unit_test(bytes_that_changed_on_the_disk_prove_nothing),
        cmocka_unit_test(requests_wait_in_order_and_only_so_many),
        cmocka_unit_test(who_leaves_meanwhile_is_forgotten),
        cmocka_unit_test(all_peers_together_wait_for_so_many),
        cmocka_unit_test(who_has_much_hashed_is_told_no_for_a_while),
        cmocka_unit_test(who_asks_a_v1_torrent_for_hashes_is_let_go),
        cmocka_unit_test(a_flood_of_requests_ends_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

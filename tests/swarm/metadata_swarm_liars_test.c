/* SPDX-License-Identifier: MIT */
/* Metadata among peers that lie: whatever they do, an honest one suffices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/swarm/metadata_bench.h"

#define BLOCK WIRE_METADATA_BLOCK

/* 6 blocks and a bit. */
static struct bench *plain_bench(void)
{
    return bench_new(bench_plain(5000), BENCH_V1);
}

static bool is_banned(struct bench *bench, uint32_t who)
{
    uint32_t index;
    struct wire_handshake handshake = bench_handshake(bench, who, !bench->truth->has_v1);
    bool taken = bench_accept(bench, who, &handshake, &index);
    if (taken)
        bench_end(bench, index);
    return !taken;
}

/* A connected peer stays, though it is silent. */
static void keep_alive(struct bench *bench, uint32_t peer)
{
    struct buffer out = {0};
    wire_message_put(&out, WIRE_KEEPALIVE);
    bench_feed_buffer(bench, peer, &out);
}

/* It is the only one, told once. */
static void assert_is_told(struct bench *bench, uint32_t liar)
{
    struct address told;
    uint32_t count;
    assert_true(metadata_swarm_next_ban(bench->swarm, &told));
    assert_true(address_same_ip(&told, &bench->conns[liar].address));
    assert_int_equal(told.port, 0);
    assert_false(metadata_swarm_next_ban(bench->swarm, &told));
    const struct address *bans = metadata_swarm_bans(bench->swarm, &count);
    assert_int_equal(count, 1);
    assert_true(address_same_ip(&bans[0], &bench->conns[liar].address));
}

static void metadata_swarm_bans_who_alone_gave_a_false_dictionary(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t liar = bench_join(bench, 1, bench_size(bench));
    assert_int_equal(bench_answer(bench, liar, true), 7);
    assert_true(bench->conns[liar].closed);
    assert_true(is_banned(bench, 1));
    assert_is_told(bench, liar);
    assert_int_equal(bench_status(bench).hash_failures, 1);
    assert_int_equal(bench_name(bench, 1), BENCH_NOBODY);
    uint32_t honest = bench_join(bench, 2, bench_size(bench));
    assert_int_equal(bench_answer(bench, honest, false), 7);
    assert_true(bench_is_right(bench));
    assert_int_equal(bench_status(bench).hash_failures, 1);
    bench_free(bench);
}

/* Lets all peers answer until nobody is asked any more; those of `liars` (bits) lie. */
static void answer_all(struct bench *bench, const uint32_t *peers, uint32_t count, uint32_t liars)
{
    for (bool again = true; again && bench->got == NULL;) {
        again = false;
        for (uint32_t i = 0; i < count; i++)
            again = bench_answer(bench, peers[i], liars >> i & 1) > 0 || again;
    }
}

static void metadata_swarm_finds_the_liars_among_several(void **state)
{
    (void)state;
    /* Every set of liars that leaves one honest peer. */
    for (uint32_t liars = 0; liars < 15; liars++) {
        struct bench *bench = plain_bench();
        uint32_t peers[4];
        for (uint32_t i = 0; i < 4; i++)
            peers[i] = bench_join(bench, i, bench_size(bench));
        answer_all(bench, peers, 4, liars);
        assert_true(bench_is_right(bench));
        /* Honest ones are never banned; a liar is when it was found out before the end. */
        uint32_t banned = 0;
        for (uint32_t i = 0; i < 4; i++)
            banned |= (uint32_t)peer_list_is_banned(bench->swarm->candidates,
                                                    &bench->conns[peers[i]].address)
                      << i;
        assert_int_equal(banned & ~liars, 0);
        assert_true(bench_status(bench).hash_failures <= 5);
        assert_int_equal(bench_status(bench).hash_failures > 0, liars != 0);
        bench_free(bench);
    }
}

static void metadata_swarm_takes_a_second_try_from_one_peer(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t liar = bench_join(bench, 1, bench_size(bench));
    uint32_t honest = bench_join(bench, 2, bench_size(bench));
    bench_give(bench, liar, bench_asked(bench, liar), bench_size(bench), true);
    bench_end(bench, liar);
    assert_int_equal(bench_answer(bench, honest, false), 13); /* 6, and all 7 again */
    assert_int_equal(bench_status(bench).hash_failures, 1);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_asks_one_peer_again_in_a_second_try(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    bench->swarm->single = true;
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    assert_int_equal(bench_asked(bench, peer), 0);
    assert_int_equal(bench_asked(bench, peer), 1);
    bench_wait(bench, METADATA_OVERDUE_NS + SECOND_NS);
    assert_int_equal(bench_answer(bench, peer, false), 7);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

/* Two liars in one slot, one after the other: neither may hide behind the other's blocks. */
static void metadata_swarm_does_not_mix_what_two_in_one_slot_give(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t first = bench_join(bench, 1, bench_size(bench));
    uint32_t second = bench_join(bench, 2, bench_size(bench));
    bench_give(bench, first, bench_asked(bench, first), bench_size(bench), true);
    bench_say_metadata(bench, first, &(struct wire_metadata){.type = WIRE_METADATA_REJECT});
    while (bench_status(bench).hash_failures == 0)
        bench_give(bench, second, bench_asked(bench, second), bench_size(bench), false);
    /* The second has its turn alone; it leaves in the middle, and another takes its slot. */
    assert_int_equal(bench_status(bench).bytes, 0);
    bench_give(bench, second, bench_asked(bench, second), bench_size(bench), true);
    assert_int_equal(bench_status(bench).bytes, BLOCK);
    bench_end(bench, second);
    uint32_t third = bench_join(bench, 3, bench_size(bench));
    assert_int_equal(bench_status(bench).bytes, 0);
    assert_int_equal(bench_answer(bench, third, false), 7);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_believes_no_size_beyond_the_limit(void **state)
{
    (void)state;
    static const int64_t sizes[] = {LIMIT_METADATA_SIZE + 1, INT64_C(2147483648), INT64_MAX, -1};
    struct bench *bench = plain_bench();
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t peer = bench_join(bench, i, sizes[i]);
        assert_int_equal(bench_asked(bench, peer), BENCH_NOBODY);
        assert_false(bench->conns[peer].closed); /* it may know better later */
    }
    assert_int_equal(bench_status(bench).size, 0);
    assert_int_equal(bench_status(bench).peers_with, 0);
    uint32_t honest = bench_join(bench, 9, bench_size(bench));
    assert_int_equal(bench_answer(bench, honest, false), 7);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_tries_the_size_that_most_claim(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    /* Named together, greeted together: all claims are there before the choice. */
    uint32_t peers[3];
    for (uint32_t i = 0; i < 3; i++)
        peers[i] = bench_join(bench, i, 0);
    bench_extend(bench, peers[0], bench_size(bench) + 1);
    assert_int_equal(bench_status(bench).size, bench_size(bench) + 1);
    bench_extend(bench, peers[1], bench_size(bench));
    bench_extend(bench, peers[2], bench_size(bench));
    /* The first leaves: what most of the others claim comes next. */
    bench_end(bench, peers[0]);
    bench_wait(bench, SECOND_NS);
    assert_int_equal(bench_status(bench).size, bench_size(bench));
    answer_all(bench, peers, 3, 0);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_gives_every_size_its_turn(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t liars[3];
    static const int64_t sizes[] = {100, 16 * MIB, 16 * MIB};
    for (uint32_t i = 0; i < 3; i++)
        liars[i] = bench_join(bench, i, sizes[i]);
    uint32_t honest = bench_join(bench, 9, bench_size(bench));
    for (int i = 0; i < 10 && bench->got == NULL; i++) {
        bench_answer(bench, honest, false);
        bench_wait(bench, METADATA_STALL_NS / 3);
        keep_alive(bench, honest);
        for (int j = 0; j < 3; j++)
            keep_alive(bench, liars[j]);
    }
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

/* A block whenever it would be given up, of a thousand. */
static void metadata_swarm_is_not_held_up_by_drops(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t liar = bench_join(bench, 1, LIMIT_METADATA_SIZE), drops = 0;
    uint32_t honest = bench_join(bench, 2, bench_size(bench));
    while (bench->got == NULL && drops < 100) {
        uint32_t block = bench_asked(bench, liar);
        if (block != BENCH_NOBODY)
            bench_give(bench, liar, block, LIMIT_METADATA_SIZE, true);
        keep_alive(bench, honest);
        keep_alive(bench, liar);
        bench_wait(bench, METADATA_OVERDUE_NS - 2 * SECOND_NS);
        bench_answer(bench, honest, false);
        drops++;
    }
    assert_true(bench_is_right(bench));
    assert_true(drops < 10);
    bench_free(bench);
    /* Nor when one after the other gives all. */
    bench = plain_bench();
    liar = bench_join(bench, 1, bench_size(bench));
    honest = bench_join(bench, 2, bench_size(bench));
    bench->swarm->single = true;
    for (drops = 0; bench->got == NULL && drops < 100; drops++) {
        uint32_t block = bench_asked(bench, liar);
        if (block != BENCH_NOBODY)
            bench_give(bench, liar, block, bench_size(bench), true);
        keep_alive(bench, honest);
        bench_wait(bench, METADATA_OVERDUE_NS - 2 * SECOND_NS);
        bench_answer(bench, honest, false);
    }
    assert_true(bench_is_right(bench));
    assert_true(drops < 10);
    bench_free(bench);
}

static void metadata_swarm_leaves_who_changes_its_size(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t liar = bench_join(bench, 1, 1000);
    bench_extend(bench, liar, 1000);
    bench_extend(bench, liar, 0); /* says nothing of it */
    assert_false(bench->conns[liar].closed);
    bench_extend(bench, liar, 1001);
    assert_true(bench->conns[liar].closed);
    bench_free(bench);
}

static void metadata_swarm_leaves_who_contradicts_itself(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t size = bench_size(bench);
    static const uint8_t bytes[WIRE_METADATA_BLOCK];
    /* Another size than claimed; too short a block; no block at all. */
    const struct wire_metadata answers[] = {
        {.type = WIRE_METADATA_DATA, .total_size = size + 1, .bytes = {bytes, sizeof bytes}},
        {.type = WIRE_METADATA_DATA, .total_size = size, .bytes = {bytes, sizeof bytes - 1}},
        {.type = WIRE_METADATA_DATA, .total_size = size},
    };
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t peer = bench_join(bench, i, size);
        assert_int_equal(bench_asked(bench, peer), 0);
        bench_say_metadata(bench, peer, &answers[i]);
        assert_true(bench->conns[peer].closed);
        assert_int_equal(bench_status(bench).bytes, 0);
    }
    bench_free(bench);
}

static void metadata_swarm_takes_no_block_that_it_did_not_ask_for(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t honest = bench_join(bench, 1, bench_size(bench));
    uint32_t liar = bench_join(bench, 2, bench_size(bench));
    uint32_t early = bench_join(bench, 3, 0);
    bench_give(bench, liar, 0, bench_size(bench), true);  /* the honest one's */
    bench_give(bench, liar, 6, bench_size(bench), true);  /* nobody's */
    bench_give(bench, early, 0, bench_size(bench), true); /* before any size */
    bench_say_metadata(bench, liar,
                       &(struct wire_metadata){.type = WIRE_METADATA_DATA, .block = 1000});
    assert_int_equal(bench_status(bench).bytes, 0);
    assert_false(bench->conns[liar].closed);
    assert_int_equal(bench_answer(bench, honest, false), 5);
    assert_int_equal(bench_answer(bench, liar, false), 2);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_leaves_who_sends_payload(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    struct buffer out = {0};
    wire_message_put_block(&out, WIRE_PIECE, 0, 0, 16384);
    bench_feed_buffer(bench, peer, &out);
    assert_true(bench->conns[peer].closed);
    bench_free(bench);
}

static void metadata_swarm_leaves_who_speaks_no_bencode(void **state)
{
    (void)state;
    static const char *const payloads[] = {"", "d", "le", "d8:msg_typei0ee",
                                           "d8:msg_typei0e5:piecei1024ee"};
    struct bench *bench = plain_bench();
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t peer = bench_join(bench, i, bench_size(bench));
        struct buffer out = {0};
        struct bytes payload = {(const uint8_t *)payloads[i / 2], strlen(payloads[i / 2])};
        uint8_t id = i % 2 ? WIRE_EXTENSION_UT_METADATA : WIRE_EXTENSION_HANDSHAKE;
        wire_message_put_extended(&out, id, payload);
        bench_feed_buffer(bench, peer, &out);
        /* Of a handshake only the form counts. */
        assert_int_equal(bench->conns[peer].closed, i % 2 == 1 || i < 6);
    }
    /* A type of later times is no fault. */
    uint32_t peer = bench_join(bench, 20, bench_size(bench));
    struct buffer out = {0};
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_METADATA,
                              BYTES_LITERAL("d8:msg_typei7e5:piecei0ee"));
    bench_feed_buffer(bench, peer, &out);
    assert_false(bench->conns[peer].closed);
    bench_free(bench);
}

static void metadata_swarm_leaves_who_asks_and_never_reads(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench)), asked = 0;
    bench->conns[peer].stuck = true;
    size_t before = bench->out_bytes;
    while (!bench->conns[peer].closed && asked < 1000000) {
        struct buffer out = {0};
        for (int i = 0; i < 500; i++, asked++)
            wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA,
                              &(struct wire_metadata){.type = WIRE_METADATA_REQUEST});
        bench_feed_buffer(bench, peer, &out);
    }
    assert_true(bench->conns[peer].closed);
    assert_true(asked * 20 < 3 * LIMIT_OUT_BYTES);
    assert_true(bench->out_bytes - before < LIMIT_OUT_BYTES);
    bench_free(bench);
}

static void metadata_swarm_blames_when_only_one_of_two_hashes_matches(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct bench *bench = bench_new(bench_v2(true, 4), BENCH_V1);
        metadata_swarm_free(bench->swarm);
        struct metadata_swarm_options options = {.info_hash_v1 = bench->truth->info_hash_v1,
                                                 .info_hash_v2 = bench->truth->info_hash_v2};
        uint8_t *spoilt = wrong ? bench->truth->info_hash_v1 : bench->truth->info_hash_v2;
        spoilt[19] ^= 1;
        bench->swarm = metadata_swarm_new(&bench->shared, BENCH_TORRENT, &options, bench->now);
        uint32_t peer = bench_join(bench, 1, bench_size(bench));
        assert_int_equal(bench_answer(bench, peer, false), 1);
        assert_null(bench->got);
        assert_int_equal(bench_status(bench).hash_failures, 1);
        assert_true(is_banned(bench, 1));
        bench_free(bench);
    }
}

static void metadata_swarm_bans_who_sends_false_hashes(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(false, 1025), BENCH_V2);
    uint32_t liar = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, liar, false);
    assert_int_equal(bench_answer_hashes(bench, liar, true), 1);
    assert_true(bench->conns[liar].closed);
    assert_true(is_banned(bench, 1));
    uint32_t honest = bench_join(bench, 2, 0);
    assert_int_equal(bench_answer_hashes(bench, honest, false), 4);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_takes_no_hashes_that_it_did_not_ask_for(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(false, 1025), BENCH_V2);
    struct wire_hash_range range, other;
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    memset(&range, 0, sizeof range);
    range.length = 2;
    struct buffer out = {0};
    static const uint8_t hashes[64];
    wire_message_put_hashes(&out, WIRE_HASHES, &range, (struct bytes){hashes, sizeof hashes});
    wire_message_put_hashes(&out, WIRE_HASH_REJECT, &range, (struct bytes){NULL, 0});
    bench_feed(bench, peer, out.data, out.length); /* before there is a dictionary */
    bench_answer(bench, peer, false);
    bench_feed_buffer(bench, peer, &out);
    assert_false(bench->conns[peer].closed);
    /* What was asked of the first is taken from it alone, and once. */
    uint32_t second = bench_join(bench, 2, 0);
    assert_true(bench_asked_hashes(bench, peer, &range));
    assert_true(bench_asked_hashes(bench, second, &other));
    bench_give_hashes(bench, second, &range, false);
    assert_int_equal(bench_status(bench).layers, 0);
    bench_give_hashes(bench, peer, &range, false);
    uint32_t have = bench_status(bench).layers;
    assert_true(have > 0);
    bench_give_hashes(bench, peer, &range, true);
    assert_int_equal(bench_status(bench).layers, have);
    assert_false(bench->conns[peer].closed);
    bench_free(bench);
}

/* Every slot taken by peers that promise and do not give: the honest one comes in all the same. */
static void metadata_swarm_is_not_shut_in_by_the_silent(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t silent[METADATA_PEERS_MAX], index;
    for (uint32_t i = 0; i < METADATA_PEERS_MAX; i++) {
        struct wire_handshake handshake = bench_handshake(bench, 100 + i, false);
        assert_true(bench_accept(bench, 100 + i, &handshake, &silent[i]));
        bench_extend(bench, silent[i], bench_size(bench) + i % 2);
    }
    struct wire_handshake handshake = bench_handshake(bench, 1, false);
    assert_false(bench_accept(bench, 1, &handshake, &index));
    bench_name(bench, 2);
    for (int64_t waited = 0; waited < METADATA_USELESS_NS; waited += 60 * SECOND_NS) {
        for (uint32_t i = 0; i < METADATA_PEERS_MAX; i++)
            if (!bench->conns[silent[i]].closed)
                keep_alive(bench, silent[i]);
        bench_wait(bench, 60 * SECOND_NS + SECOND_NS);
    }
    /* One goes, and who was waiting has its place. */
    uint32_t honest = bench->conn_count - 1;
    assert_true(honest > METADATA_PEERS_MAX);
    bench_connected(bench, honest);
    handshake = bench_handshake(bench, 2, false);
    bench_greet(bench, honest, &handshake);
    bench_extend(bench, honest, bench_size(bench));
    for (int i = 0; i < 20 && bench->got == NULL; i++) {
        bench_answer(bench, honest, false);
        bench_wait(bench, 5 * SECOND_NS);
    }
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_swarm_bans_who_alone_gave_a_false_dictionary),
        cmocka_unit_test(metadata_swarm_finds_the_liars_among_several),
        cmocka_unit_test(metadata_swarm_takes_a_second_try_from_one_peer),
        cmocka_unit_test(metadata_swarm_asks_one_peer_again_in_a_second_try),
        cmocka_unit_test(metadata_swarm_does_not_mix_what_two_in_one_slot_give),
        cmocka_unit_test(metadata_swarm_believes_no_size_beyond_the_limit),
        cmocka_unit_test(metadata_swarm_tries_the_size_that_most_claim),
        cmocka_unit_test(metadata_swarm_gives_every_size_its_turn),
        cmocka_unit_test(metadata_swarm_is_not_held_up_by_drops),
        cmocka_unit_test(metadata_swarm_leaves_who_changes_its_size),
        cmocka_unit_test(metadata_swarm_leaves_who_contradicts_itself),
        cmocka_unit_test(metadata_swarm_takes_no_block_that_it_did_not_ask_for),
        cmocka_unit_test(metadata_swarm_leaves_who_sends_payload),
        cmocka_unit_test(metadata_swarm_leaves_who_speaks_no_bencode),
        cmocka_unit_test(metadata_swarm_leaves_who_asks_and_never_reads),
        cmocka_unit_test(metadata_swarm_blames_when_only_one_of_two_hashes_matches),
        cmocka_unit_test(metadata_swarm_bans_who_sends_false_hashes),
        cmocka_unit_test(metadata_swarm_takes_no_hashes_that_it_did_not_ask_for),
        cmocka_unit_test(metadata_swarm_is_not_shut_in_by_the_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

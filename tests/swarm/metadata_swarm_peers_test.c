/* SPDX-License-Identifier: MIT */
/* Connections of a torrent without metadata: how they come, how many, and how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/swarm/metadata_bench.h"

static struct bench *plain_bench(void)
{
    return bench_new(bench_plain(5000), BENCH_V1);
}

static struct bench *hybrid_bench(void)
{
    return bench_new(bench_v2(true, 4), BENCH_BOTH);
}

static void metadata_swarm_peers_have_seconds_to_connect_and_greet(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t late = bench_name(bench, 1), mute = bench_name(bench, 2);
    bench_connected(bench, mute);
    bench_feed(bench, mute,
               "\x13"
               "BitTorrent",
               11);
    bench_wait(bench, LIMIT_TIMEOUT_HANDSHAKE_NS - SECOND_NS);
    assert_false(bench->conns[mute].closed);
    bench_wait(bench, 2 * SECOND_NS);
    assert_true(bench->conns[mute].closed);
    assert_false(bench->conns[late].closed);
    bench_wait(bench, LIMIT_TIMEOUT_CONNECT_NS - LIMIT_TIMEOUT_HANDSHAKE_NS);
    assert_true(bench->conns[late].closed);
    assert_int_equal(bench->shared.connections, 0);
    bench_free(bench);
}

static void metadata_swarm_peers_are_kept_alive_and_must_be_alive(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    bench_count(bench, peer, 0);
    bench_wait(bench, LIMIT_KEEPALIVE_NS + SECOND_NS);
    /* Asking it once more every 15 s is as good a sign of life. */
    assert_true(bench_asked(bench, peer) != BENCH_NOBODY);
    assert_false(bench->conns[peer].closed);
    bench_wait(bench, LIMIT_TIMEOUT_SILENT_NS - LIMIT_KEEPALIVE_NS);
    assert_true(bench->conns[peer].closed);
    bench_free(bench);

    bench = bench_new(bench_v2(false, 4), BENCH_V2);
    peer = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, peer, false);
    struct wire_hash_range range;
    while (bench_asked_hashes(bench, peer, &range)) {
        struct buffer out = {0};
        wire_message_put_hashes(&out, WIRE_HASH_REJECT, &range, (struct bytes){NULL, 0});
        bench_feed_buffer(bench, peer, &out);
    }
    bench_count(bench, peer, 0);
    bench_wait(bench, LIMIT_KEEPALIVE_NS + SECOND_NS);
    assert_int_equal(bench_count(bench, peer, WIRE_KEEPALIVE), 1);
    bench_free(bench);
}

static void metadata_swarm_peers_say_who_we_are(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_meet(bench, 1, false);
    struct bench_message message;
    struct wire_extension_handshake handshake;
    assert_true(bench_read(bench, peer, &message));
    assert_int_equal(message.type, WIRE_EXTENDED);
    assert_int_equal(message.extended_id, WIRE_EXTENSION_HANDSHAKE);
    assert_int_equal(wire_extension_decode(message.body, &handshake), FRESHET_OK);
    assert_true(handshake.named[WIRE_EXTENSION_UT_METADATA]);
    assert_int_equal(handshake.metadata_size, 0);
    assert_int_equal(handshake.port, 7000);
    struct address there = bench_address(1);
    assert_true(address_same_ip(&handshake.your_ip, &there));
    assert_true(bench_read(bench, peer, &message));
    assert_int_equal(message.type, WIRE_HAVE_NONE);
    assert_false(bench_read(bench, peer, &message));
    /* Without the fast extension nothing is said of pieces. */
    uint32_t other = bench_name(bench, 2);
    bench_connected(bench, other);
    struct wire_handshake plain = bench_handshake(bench, 2, false);
    plain.fast = false;
    bench_greet(bench, other, &plain);
    assert_int_equal(bench_count(bench, other, WIRE_HAVE_NONE), 0);
    bench_free(bench);
}

static void metadata_swarm_peers_may_come_to_us(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    struct wire_handshake handshake = bench_handshake(bench, 1, false);
    uint32_t peer;
    assert_true(bench_accept(bench, 1, &handshake, &peer));
    assert_memory_equal(bench->conns[peer].sent.data + 28, bench->truth->info_hash_v1, 20);
    bench_extend(bench, peer, bench_size(bench));
    /* It listens elsewhere than where it comes from. */
    static const uint8_t port[] = "\0\0\0\x0d\x14\0d1:pi6999ee";
    bench_feed(bench, peer, port, sizeof port - 1);
    assert_int_equal(bench_status(bench).known, 1);
    assert_int_equal(bench_answer(bench, peer, false), 7);
    assert_true(bench_is_right(bench));
    struct peer_list_entry known[2];
    assert_int_equal(metadata_swarm_candidates(bench->swarm, known, 2), 1);
    assert_int_equal(known[0].address.port, 6999);
    assert_int_equal(known[0].source, PEER_SOURCE_INBOUND);
    /* Then nobody is wanted any more. */
    assert_false(bench_accept(bench, 2, &handshake, &peer));
    bench_free(bench);
}

static void metadata_swarm_peers_that_come_hear_the_hash_they_can_speak(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct bench *bench = hybrid_bench();
        struct wire_handshake handshake = bench_handshake(bench, 1, i == 0);
        handshake.upgrade_v2 = i == 1;
        uint32_t peer;
        assert_true(bench_accept(bench, 1, &handshake, &peer));
        const uint8_t *expected = i == 2 ? bench->truth->info_hash_v1 : bench->truth->info_hash_v2;
        assert_memory_equal(bench->conns[peer].sent.data + 28, expected, 20);
        bench_extend(bench, peer, bench_size(bench));
        bench_answer(bench, peer, false);
        /* Hashes are asked of those that speak v2. */
        assert_int_equal(bench->conns[peer].closed, i == 2);
        if (i != 2)
            bench_answer_hashes(bench, peer, false);
        assert_int_equal(bench_is_right(bench), i != 2);
        bench_free(bench);
    }
}

static void metadata_swarm_peers_that_come_are_refused_for_cause(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t index, live = bench->shared.connections;
    struct wire_handshake good = bench_handshake(bench, 1, false), bad = good;
    bad.info_hash[3] ^= 1; /* another torrent's */
    bench_accept(bench, 1, &bad, &index);
    assert_true(bench->conns[index].closed);
    bad = good;
    bad.extension = false; /* of no use */
    bench_accept(bench, 2, &bad, &index);
    assert_true(bench->conns[index].closed);
    bad = good;
    memcpy(bad.peer_id, bench->shared.settings.peer_id, 20); /* ourselves */
    bench_accept(bench, 3, &bad, &index);
    assert_true(bench->conns[index].closed);
    assert_int_equal(bench->shared.connections, live);
    struct address liar = bench_address(4);
    peer_list_ban(bench->swarm->candidates, &liar);
    assert_false(bench_accept(bench, 4, &good, &index));
    metadata_swarm_pause(bench->swarm, bench->now);
    assert_false(bench_accept(bench, 5, &good, &index));
    bench_free(bench);
}

static void metadata_swarm_peers_never_are_ourselves(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t self = bench_name(bench, 1);
    bench_connected(bench, self);
    struct wire_handshake handshake = bench_handshake(bench, 1, false);
    memcpy(handshake.peer_id, bench->shared.settings.peer_id, 20);
    bench_greet(bench, self, &handshake);
    assert_true(bench->conns[self].closed);
    bench_wait(bench, 600 * SECOND_NS);
    assert_int_equal(bench->conn_count, 1);
    struct address told = bench_address(2);
    metadata_swarm_set_self(bench->swarm, &told);
    assert_int_equal(bench_name(bench, 2), BENCH_NOBODY);
    bench_free(bench);
}

static void metadata_swarm_peers_of_another_torrent_are_left(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_name(bench, 1), garbage = bench_name(bench, 2);
    struct wire_handshake handshake = bench_handshake(bench, 1, false);
    handshake.info_hash[0] ^= 1;
    bench_connected(bench, peer);
    bench_greet(bench, peer, &handshake);
    assert_true(bench->conns[peer].closed);
    bench_connected(bench, garbage);
    bench_feed(bench, garbage, "HTTP/1.1 200 OK", 15);
    assert_true(bench->conns[garbage].closed);
    bench_free(bench);
}

static void metadata_swarm_peers_are_a_bounded_number(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    struct address addresses[100];
    for (uint32_t i = 0; i < 100; i++)
        addresses[i] = bench_address(i);
    /* What one second allows, then what the torrent allows. */
    metadata_swarm_add_peers(bench->swarm, bench->now, addresses, 100, PEER_SOURCE_TRACKER);
    bench_run(bench);
    assert_int_equal(bench->conn_count, LIMIT_CONNECTS_PER_SECOND);
    bench_wait(bench, 5 * SECOND_NS);
    assert_int_equal(bench->conn_count, METADATA_PEERS_MAX);
    assert_int_equal(bench->shared.connections, METADATA_PEERS_MAX);
    assert_int_equal(bench_status(bench).known, 100);
    struct wire_handshake handshake = bench_handshake(bench, 200, false);
    uint32_t index;
    assert_false(bench_accept(bench, 200, &handshake, &index));
    bench_free(bench);
    /* Or the engine. */
    bench = plain_bench();
    bench->shared.connections_max = 10;
    metadata_swarm_add_peers(bench->swarm, bench->now, addresses, 100, PEER_SOURCE_TRACKER);
    bench_run(bench);
    bench_wait(bench, 5 * SECOND_NS);
    assert_int_equal(bench->conn_count, 10);
    bench_free(bench);
}

static void metadata_swarm_peers_of_one_address_are_few(void **state)
{
    (void)state;
    for (int many = 0; many < 2; many++) {
        struct bench *bench = plain_bench();
        bench->shared.settings.many_per_address = many;
        uint32_t index, taken = 0;
        for (uint32_t i = 0; i < 10; i++) {
            struct address address = bench_address(1);
            struct wire_handshake handshake = bench_handshake(bench, i, false);
            conn_id conn = bench->inbound_next++;
            address.port = (uint16_t)(5000 + i);
            index = bench_add_conn(bench, conn, &address);
            bool in = metadata_swarm_accept(bench->swarm, bench->now, conn, &address, &handshake);
            bench->conns[index].closed = !in;
            taken += in;
            bench_run(bench);
        }
        assert_int_equal(taken, many ? 10 : LIMIT_CONNECTIONS_PER_ADDRESS);
        struct address another = bench_address(1);
        metadata_swarm_add_peers(bench->swarm, bench->now, &another, 1, PEER_SOURCE_USER);
        bench_run(bench);
        assert_int_equal(bench->conn_count, many ? 11 : 10);
        bench_free(bench);
    }
}

static void metadata_swarm_peers_rest_in_a_pause(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench)), half = bench_name(bench, 2);
    metadata_swarm_pause(bench->swarm, bench->now);
    bench_run(bench);
    assert_true(bench->conns[peer].closed && bench->conns[half].closed);
    assert_int_equal(bench->shared.connections, 0);
    assert_int_equal(bench_name(bench, 3), BENCH_NOBODY);
    bench_wait(bench, 600 * SECOND_NS);
    assert_int_equal(bench->conn_count, 2);
    metadata_swarm_resume(bench->swarm, bench->now);
    bench_run(bench);
    bench_wait(bench, SECOND_NS);
    assert_int_equal(bench->conn_count, 5); /* all three, at once */
    bench_free(bench);
}

static void metadata_swarm_peers_that_never_were_connected_are_not_closed(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    struct address address = bench_address(1);
    struct action action;
    metadata_swarm_add_peers(bench->swarm, bench->now, &address, 1, PEER_SOURCE_TRACKER);
    assert_int_equal(bench->shared.connections, 1);
    metadata_swarm_pause(bench->swarm, bench->now);
    /* The host never heard of it. */
    assert_false(metadata_swarm_output(bench->swarm, bench->now, &action));
    assert_int_equal(bench->shared.connections, 0);
    bench_free(bench);
}

static void metadata_swarm_peers_are_told_of(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    bench_join(bench, 1, bench_size(bench));
    bench_join(bench, 2, 0);
    bench_name(bench, 3);
    struct peer_status statuses[4];
    assert_int_equal(metadata_swarm_peer_statuses(bench->swarm, statuses, 4), 2);
    assert_string_equal(statuses[0].client, "Bench");
    assert_false(statuses[0].inbound);
    assert_int_equal(metadata_swarm_peer_statuses(bench->swarm, statuses, 1), 1);
    struct metadata_status status = bench_status(bench);
    assert_int_equal(status.peers, 2);
    assert_int_equal(status.peers_with, 1);
    assert_int_equal(status.known, 3);
    /* Of use first. */
    struct peer_list_entry known[3];
    assert_int_equal(metadata_swarm_candidates(bench->swarm, known, 3), 3);
    struct address last = bench_address(3);
    assert_true(address_equal(&known[2].address, &last));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_swarm_peers_have_seconds_to_connect_and_greet),
        cmocka_unit_test(metadata_swarm_peers_are_kept_alive_and_must_be_alive),
        cmocka_unit_test(metadata_swarm_peers_say_who_we_are),
        cmocka_unit_test(metadata_swarm_peers_may_come_to_us),
        cmocka_unit_test(metadata_swarm_peers_that_come_hear_the_hash_they_can_speak),
        cmocka_unit_test(metadata_swarm_peers_that_come_are_refused_for_cause),
        cmocka_unit_test(metadata_swarm_peers_never_are_ourselves),
        cmocka_unit_test(metadata_swarm_peers_of_another_torrent_are_left),
        cmocka_unit_test(metadata_swarm_peers_are_a_bounded_number),
        cmocka_unit_test(metadata_swarm_peers_of_one_address_are_few),
        cmocka_unit_test(metadata_swarm_peers_rest_in_a_pause),
        cmocka_unit_test(metadata_swarm_peers_that_never_were_connected_are_not_closed),
        cmocka_unit_test(metadata_swarm_peers_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

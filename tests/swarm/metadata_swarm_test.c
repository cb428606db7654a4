/* SPDX-License-Identifier: MIT */
/* Metadata from peers that mean well, or nothing: the way from a hash to a whole metainfo. */
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
    struct bench *bench = bench_new(bench_plain(5000), BENCH_V1);
    assert_int_equal(bench_size(bench) / BLOCK, 6);
    return bench;
}

/* ---- the dictionary ---- */

static void metadata_swarm_fetches_from_one_peer(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    assert_true(metadata_swarm_is_lonely(bench->swarm));
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    assert_int_equal(bench_status(bench).peers_with, 1);
    assert_int_equal(bench_status(bench).size, bench_size(bench));
    assert_int_equal(bench_asked(bench, peer), 0);
    assert_int_equal(bench_asked(bench, peer), 1);
    assert_int_equal(bench_asked(bench, peer), BENCH_NOBODY); /* two at a time */
    bench_give(bench, peer, 0, bench_size(bench), false);
    assert_int_equal(bench_status(bench).bytes, BLOCK);
    assert_false(metadata_swarm_is_lonely(bench->swarm));
    bench_give(bench, peer, 1, bench_size(bench), false);
    assert_int_equal(bench_answer(bench, peer, false), 5);
    assert_true(bench_is_right(bench));
    assert_true(bench->conns[peer].closed);
    assert_int_equal(bench_status(bench).peers, 0);
    bench_wait(bench, SECOND_NS);
    assert_int_equal(metadata_swarm_deadline(bench->swarm), HEAP_NEVER);
    bench_free(bench);
}

static void metadata_swarm_fetches_dictionaries_of_any_length(void **state)
{
    (void)state;
    /* About one block, about two, and short ones. */
    static const uint32_t pieces[] = {1, 815, 816, 1634, 1635};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct bench *bench = bench_new(bench_plain(pieces[i]), BENCH_V1);
        uint32_t peer = bench_join(bench, 1, bench_size(bench));
        assert_int_equal(bench_answer(bench, peer, false), (bench_size(bench) - 1) / BLOCK + 1);
        assert_true(bench_is_right(bench));
        bench_free(bench);
    }
}

static void metadata_swarm_asks_different_peers_for_different_blocks(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    bool asked[7] = {false};
    uint32_t peers[4];
    for (uint32_t i = 0; i < 4; i++)
        peers[i] = bench_join(bench, i, bench_size(bench));
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t block, count = 0;
        while ((block = bench_asked(bench, peers[i])) != BENCH_NOBODY) {
            assert_false(asked[block]);
            asked[block] = true;
            count++;
            bench_give(bench, peers[i], block, bench_size(bench), false);
        }
        assert_int_equal(count, i < 3 ? 2 : 1);
    }
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_goes_on_when_a_peer_leaves_in_the_middle(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t first = bench_join(bench, 1, bench_size(bench));
    bench_give(bench, first, bench_asked(bench, first), bench_size(bench), false);
    bench_end(bench, first);
    /* What it gave stays, though nobody claims the size now. */
    bench_wait(bench, 5 * SECOND_NS);
    assert_int_equal(bench_status(bench).bytes, BLOCK);
    uint32_t second = bench_join(bench, 2, bench_size(bench));
    assert_int_equal(bench_answer(bench, second, false), 6);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_asks_others_for_what_is_overdue(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t silent = bench_join(bench, 1, bench_size(bench));
    uint32_t other = bench_join(bench, 2, bench_size(bench));
    assert_int_equal(bench_answer(bench, other, false), 5);
    bench_wait(bench, METADATA_OVERDUE_NS + SECOND_NS);
    assert_int_equal(bench_answer(bench, other, false), 2);
    assert_true(bench_is_right(bench));
    assert_int_equal(bench_asked(bench, silent), 0);
    bench_free(bench);
}

static void metadata_swarm_asks_the_only_peer_again(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    assert_int_equal(bench_asked(bench, peer), 0);
    assert_int_equal(bench_asked(bench, peer), 1);
    bench_wait(bench, METADATA_OVERDUE_NS - SECOND_NS);
    assert_int_equal(bench_asked(bench, peer), BENCH_NOBODY);
    bench_wait(bench, 2 * SECOND_NS);
    assert_int_equal(bench_answer(bench, peer, false), 7);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

/* Whoever answers has been given up for the other already. */
static void metadata_swarm_gets_on_where_everybody_is_slow(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_plain(1), BENCH_V1);
    uint32_t peers[2];
    int64_t due[2] = {INT64_MAX, INT64_MAX};
    for (uint32_t i = 0; i < 2; i++)
        peers[i] = bench_join(bench, i, bench_size(bench));
    for (uint32_t second = 0; second < 120 && bench->got == NULL; second++) {
        for (uint32_t i = 0; i < 2; i++) {
            if (bench_asked(bench, peers[i]) != BENCH_NOBODY && due[i] == INT64_MAX)
                due[i] = bench->now + METADATA_OVERDUE_NS + 5 * SECOND_NS;
            if (due[i] > bench->now)
                continue;
            due[i] = INT64_MAX;
            bench_give(bench, peers[i], 0, bench_size(bench), false);
        }
        bench_wait(bench, SECOND_NS);
    }
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_turns_to_others_after_a_reject(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t first = bench_join(bench, 1, bench_size(bench));
    assert_int_equal(bench_asked(bench, first), 0);
    assert_int_equal(bench_asked(bench, first), 1);
    bench_say_metadata(bench, first, &(struct wire_metadata){.type = WIRE_METADATA_REJECT});
    bench_wait(bench, METADATA_REFUSED_NS - SECOND_NS);
    assert_int_equal(bench_asked(bench, first), BENCH_NOBODY);
    assert_false(bench->conns[first].closed);
    uint32_t second = bench_join(bench, 2, bench_size(bench));
    assert_int_equal(bench_asked(bench, second), 0);
    /* It may have it by now. */
    bench_wait(bench, 2 * SECOND_NS);
    assert_int_equal(bench_asked(bench, first), 2);
    bench_free(bench);
}

static void metadata_swarm_waits_for_a_peer_that_fetches_itself(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, 0);
    assert_int_equal(bench_status(bench).peers, 1);
    assert_int_equal(bench_status(bench).peers_with, 0);
    bench_wait(bench, 30 * SECOND_NS);
    assert_int_equal(bench_asked(bench, peer), BENCH_NOBODY);
    bench_extend(bench, peer, bench_size(bench)); /* now it has it */
    assert_int_equal(bench_answer(bench, peer, false), 7);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_lets_go_of_who_has_nothing_and_tries_it_again(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, 0);
    for (int i = 0; i < 12; i++) {
        struct buffer out = {0};
        wire_message_put(&out, WIRE_KEEPALIVE);
        bench_feed_buffer(bench, peer, &out);
        assert_false(bench->conns[peer].closed);
        bench_wait(bench, METADATA_USELESS_NS / 12 + 1);
    }
    assert_true(bench->conns[peer].closed);
    assert_int_equal(bench->conn_count, 1);
    bench_wait(bench, PEER_LIST_RETRY_NS + SECOND_NS);
    assert_int_equal(bench->conn_count, 2);
    bench_free(bench);
}

static void metadata_swarm_lets_go_of_who_lacks_the_extension(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_meet(bench, 1, false);
    static const uint8_t none[] = "\0\0\0\x08\x14\0d1:mdee";
    bench_feed(bench, peer, none, sizeof none - 1);
    assert_true(bench->conns[peer].closed);
    /* Nor has one the extension protocol. */
    uint32_t other = bench_name(bench, 2);
    bench_connected(bench, other);
    struct wire_handshake handshake = bench_handshake(bench, 2, false);
    handshake.extension = false;
    bench_greet(bench, other, &handshake);
    assert_true(bench->conns[other].closed);
    bench_wait(bench, PEER_LIST_RETRY_NS + SECOND_NS);
    assert_int_equal(bench->conn_count, 4);
    bench_free(bench);
}

static void metadata_swarm_does_nothing_without_peers(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    bench_wait(bench, 3600 * SECOND_NS);
    assert_true(metadata_swarm_is_lonely(bench->swarm));
    assert_int_equal(bench->conn_count, 0);
    assert_int_equal(metadata_swarm_id(bench->swarm), BENCH_TORRENT);
    assert_int_equal(metadata_swarm_deadline(bench->swarm), HEAP_NEVER);
    assert_int_equal(metadata_swarm_error(bench->swarm), FRESHET_OK);
    bench_free(bench);
}

static void metadata_swarm_says_why_a_proven_dictionary_is_of_no_use(void **state)
{
    (void)state;
    static const char text[] = "d6:lengthi5e4:name1:x12:piece lengthi0ee";
    struct bench *bench = bench_new(bench_plain(1), BENCH_V1);
    /* The same bench, but of a hash whose dictionary has pieces of no length. */
    metadata_swarm_free(bench->swarm);
    struct bytes info = {(const uint8_t *)text, sizeof text - 1};
    sha1_of(info.data, info.length, bench->truth->info_hash_v1);
    struct metadata_swarm_options options = {.info_hash_v1 = bench->truth->info_hash_v1};
    bench->swarm = metadata_swarm_new(&bench->shared, BENCH_TORRENT, &options, bench->now);
    uint32_t peer = bench_join(bench, 1, (int64_t)info.length);
    assert_int_equal(bench_asked(bench, peer), 0);
    bench_say_metadata(bench, peer,
                       &(struct wire_metadata){.type = WIRE_METADATA_DATA, .bytes = info});
    assert_int_equal(metadata_swarm_error(bench->swarm), FRESHET_ERROR_RANGE);
    assert_non_null(strstr(metadata_swarm_reason(bench->swarm), "piece length"));
    assert_null(bench->got);
    assert_true(bench->conns[peer].closed);
    /* Every further try would end the same way. */
    assert_int_equal(bench_name(bench, 2), BENCH_NOBODY);
    bench_wait(bench, 3600 * SECOND_NS);
    assert_int_equal(bench->conn_count, 1);
    bench_free(bench);
}

/* ---- greetings, versions, layers ---- */

static bool has_bit(const struct bench *bench, uint32_t peer, int byte, uint8_t bit)
{
    return bench->conns[peer].sent.data[20 + byte] & bit;
}

static bool greets_with(const struct bench *bench, uint32_t peer, const uint8_t *hash)
{
    return memcmp(bench->conns[peer].sent.data + 28, hash, 20) == 0;
}

static void metadata_swarm_greets_by_the_hash_it_knows(void **state)
{
    (void)state;
    static const enum bench_known known[] = {BENCH_V1, BENCH_V2, BENCH_BOTH};
    for (int i = 0; i < 3; i++) {
        struct bench *bench = bench_new(bench_v2(true, 40), known[i]);
        uint32_t peer = bench_name(bench, 1);
        assert_int_equal(bench->conns[peer].sent.length, 0);
        bench_connected(bench, peer);
        assert_int_equal(bench->conns[peer].sent.length, WIRE_HANDSHAKE_SIZE);
        assert_true(greets_with(bench, peer,
                                known[i] == BENCH_V2 ? bench->truth->info_hash_v2
                                                     : bench->truth->info_hash_v1));
        assert_true(has_bit(bench, peer, 5, 0x10)); /* extension */
        assert_true(has_bit(bench, peer, 7, 0x04)); /* fast */
        assert_int_equal(has_bit(bench, peer, 7, 0x10), known[i] == BENCH_BOTH);
        bench_free(bench);
    }
}

/* All of a torrent from one peer by messages of v2. */
static void fetch_with_layers(struct bench *bench, uint32_t peer, uint32_t requests)
{
    bench_answer(bench, peer, false);
    assert_null(bench->got);
    assert_false(bench->conns[peer].closed);
    assert_true(bench_status(bench).layers_total > 0);
    assert_int_equal(bench_answer_hashes(bench, peer, false), requests);
    assert_true(bench_is_right(bench));
    assert_true(bench->conns[peer].closed);
}

static void metadata_swarm_fetches_the_layers_of_v2(void **state)
{
    (void)state;
    /* Two files have layers; one is long enough for three requests. */
    static const uint32_t pieces[] = {2, 40, 1025};
    static const uint32_t requests[] = {2, 2, 4};
    for (int i = 0; i < 3; i++) {
        struct bench *bench = bench_new(bench_v2(false, pieces[i]), BENCH_V2);
        uint32_t peer = bench_join(bench, 1, bench_size(bench));
        fetch_with_layers(bench, peer, requests[i]);
        bench_free(bench);
    }
}

static void metadata_swarm_needs_no_layers_where_every_file_is_one_piece(void **state)
{
    (void)state;
    struct torrent_builder_file file = {.path = "a", .length = 10000};
    struct torrent_builder_options options = {.name = "a",
                                              .single_file = true,
                                              .has_v2 = true,
                                              .piece_length = 16384,
                                              .files = &file,
                                              .file_count = 1};
    struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
    struct bench *bench = bench_new(bench_parse(&torrent), BENCH_V2);
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, peer, false);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_fetches_a_hybrid_known_by_both_hashes(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(true, 40), BENCH_BOTH);
    /* Greeted by v1 with the upgrade bit, it answers by v2. */
    uint32_t peer = bench_meet(bench, 1, true);
    bench_extend(bench, peer, bench_size(bench));
    fetch_with_layers(bench, peer, 2);
    bench_free(bench);
}

static void metadata_swarm_fetches_a_hybrid_known_by_its_v2_hash(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(true, 40), BENCH_V2);
    uint32_t peer = bench_meet(bench, 1, true);
    bench_extend(bench, peer, bench_size(bench));
    fetch_with_layers(bench, peer, 2);
    bench_free(bench);
}

static void metadata_swarm_meets_peers_anew_when_it_learns_of_a_hybrid(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(true, 40), BENCH_V1);
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, peer, false);
    assert_true(bench->conns[peer].closed);
    assert_null(bench->got);
    bench_wait(bench, SECOND_NS);
    assert_int_equal(bench->conn_count, 2);
    bench_connected(bench, 1);
    assert_true(greets_with(bench, 1, bench->truth->info_hash_v1));
    assert_true(has_bit(bench, 1, 7, 0x10));
    struct wire_handshake handshake = bench_handshake(bench, 1, true);
    bench_greet(bench, 1, &handshake);
    assert_int_equal(bench_answer_hashes(bench, 1, false), 2);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_asks_peers_of_v1_for_no_hashes(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(true, 40), BENCH_BOTH);
    uint32_t old = bench_meet(bench, 1, false), new = bench_meet(bench, 2, true);
    bench_extend(bench, old, bench_size(bench));
    bench_answer(bench, old, false);
    assert_true(bench->conns[old].closed);
    assert_int_equal(bench_count(bench, old, WIRE_HASH_REQUEST), 0);
    assert_int_equal(bench_answer_hashes(bench, new, false), 2);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

/* The dictionary of a hybrid is there, and one peer of v2, which may have been asked. */
static struct bench *hybrid_without_layers(void)
{
    struct bench *bench = bench_new(bench_v2(true, 1025), BENCH_BOTH);
    uint32_t peer = bench_meet(bench, 1, true);
    bench_extend(bench, peer, bench_size(bench));
    bench_answer(bench, peer, false);
    assert_null(bench->got);
    return bench;
}

static void assert_goes_without_layers_in(struct bench *bench, int64_t patience_ns)
{
    bench_wait(bench, patience_ns - SECOND_NS);
    assert_null(bench->got);
    bench_wait(bench, 2 * SECOND_NS);
    assert_non_null(bench->got);
    assert_true(bench->got->layers_missing);
    assert_true(bytes_equal(bench->got->info, bench->truth->info));
}

static void metadata_swarm_lets_a_hybrid_go_without_layers_when_nobody_gives_them(void **state)
{
    (void)state;
    struct bench *bench = hybrid_without_layers();
    assert_goes_without_layers_in(bench, 2 * LAYERS_PATIENCE_NS);
    bench_free(bench);
    /* What has come prolongs it. */
    bench = hybrid_without_layers();
    struct wire_hash_range range;
    bench_wait(bench, LAYERS_PATIENCE_NS);
    assert_true(bench_asked_hashes(bench, 0, &range));
    bench_give_hashes(bench, 0, &range, false);
    assert_goes_without_layers_in(bench, LAYERS_PATIENCE_NS);
    bench_free(bench);
    /* Rest does not count. */
    bench = hybrid_without_layers();
    metadata_swarm_pause(bench->swarm, bench->now);
    bench_run(bench);
    bench_wait(bench, 3600 * SECOND_NS);
    assert_null(bench->got);
    metadata_swarm_resume(bench->swarm, bench->now);
    bench_run(bench);
    assert_goes_without_layers_in(bench, 2 * LAYERS_PATIENCE_NS);
    bench_free(bench);
}

static void metadata_swarm_waits_for_the_layers_of_v2_for_ever(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(false, 40), BENCH_V2);
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, peer, false);
    bench_end(bench, peer);
    bench_wait(bench, 3600 * SECOND_NS);
    assert_null(bench->got);
    assert_true(metadata_swarm_is_lonely(bench->swarm));
    peer = bench_join(bench, 2, bench_size(bench));
    assert_int_equal(bench_answer_hashes(bench, peer, false), 2);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_begins_with_a_metainfo_that_lacks_layers(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(false, 40), BENCH_V2);
    metadata_swarm_free(bench->swarm);
    struct metadata_swarm_options options = {.info_hash_v2 = bench->truth->info_hash_v2};
    char reason[METAINFO_REASON_SIZE];
    assert_int_equal(metainfo_parse_info(bench->truth->info, &options.metainfo, reason),
                     FRESHET_OK);
    assert_true(options.metainfo->layers_missing);
    struct address peers[] = {bench_address(1)};
    options.peers = peers;
    options.peer_count = 1;
    bench->swarm = metadata_swarm_new(&bench->shared, BENCH_TORRENT, &options, bench->now);
    bench_run(bench);
    assert_int_equal(bench->conn_count, 1);
    assert_int_equal(bench_status(bench).bytes, bench_size(bench));
    bench_connected(bench, 0);
    struct wire_handshake handshake = bench_handshake(bench, 1, true);
    bench_greet(bench, 0, &handshake);
    assert_int_equal(bench_answer_hashes(bench, 0, false), 2);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_turns_to_others_when_hashes_are_refused_or_late(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_v2(false, 40), BENCH_V2);
    uint32_t peer = bench_join(bench, 1, bench_size(bench));
    bench_answer(bench, peer, false);
    struct wire_hash_range range;
    assert_true(bench_asked_hashes(bench, peer, &range));
    struct buffer out = {0};
    wire_message_put_hashes(&out, WIRE_HASH_REJECT, &range, (struct bytes){NULL, 0});
    bench_feed_buffer(bench, peer, &out);
    assert_false(bench->conns[peer].closed);
    uint32_t second = bench_join(bench, 2, 0);
    assert_int_equal(bench_answer_hashes(bench, second, false), 1);
    assert_null(bench->got);
    /* The other request is overdue: who owes it is let go of. */
    bench_wait(bench, LAYER_FETCH_TIMEOUT_NS + SECOND_NS);
    assert_true(bench->conns[peer].closed);
    assert_int_equal(bench_answer_hashes(bench, second, false), 1);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

/* ---- what peers say besides ---- */

static void metadata_swarm_ignores_what_is_said_of_pieces(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_meet(bench, 1, false);
    struct buffer out = {0};
    wire_message_put_port(&out, 6881);
    wire_message_put_bitfield(&out, (struct bytes){(const uint8_t *)"\xff\xff\xff", 3});
    wire_message_put_index(&out, WIRE_HAVE, LIMIT_PIECES_MAX - 1);
    wire_message_put(&out, WIRE_UNCHOKE);
    wire_message_put(&out, WIRE_INTERESTED);
    wire_message_put_index(&out, WIRE_SUGGEST, 7);
    wire_message_put_index(&out, WIRE_ALLOWED_FAST, 7);
    wire_message_put_block(&out, WIRE_CANCEL, 0, 0, 16384);
    wire_message_put_extended(&out, 99, BYTES_LITERAL("whatever"));
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_PEX, BYTES_LITERAL("de"));
    bench_feed_buffer(bench, peer, &out);
    assert_false(bench->conns[peer].closed);
    bench_extend(bench, peer, bench_size(bench));
    bench_answer(bench, peer, false);
    assert_true(bench_is_right(bench));
    bench_free(bench);
}

static void metadata_swarm_serves_nothing(void **state)
{
    (void)state;
    struct bench *bench = plain_bench();
    uint32_t peer = bench_join(bench, 1, bench_size(bench)), requests = 0, rejects = 0;
    struct wire_hash_range range = {.length = 2};
    struct buffer out = {0};
    bench_give(bench, peer, bench_asked(bench, peer), bench_size(bench), false);
    bench_say_metadata(bench, peer, &(struct wire_metadata){.type = WIRE_METADATA_REQUEST});
    wire_message_put_block(&out, WIRE_REQUEST, 1, 2, 3);
    wire_message_put_hashes(&out, WIRE_HASH_REQUEST, &range, (struct bytes){NULL, 0});
    bench_feed_buffer(bench, peer, &out);
    struct bench_message message;
    while (bench_read(bench, peer, &message)) {
        struct wire_metadata metadata;
        if (message.type == WIRE_EXTENDED && message.extended_id == BENCH_UT_ID) {
            assert_int_equal(wire_metadata_decode(message.body, &metadata), FRESHET_OK);
            assert_int_not_equal(metadata.type, WIRE_METADATA_DATA);
            rejects += metadata.type == WIRE_METADATA_REJECT;
        }
        assert_int_not_equal(message.type, WIRE_HASHES);
        requests += message.type == WIRE_REJECT || message.type == WIRE_HASH_REJECT;
    }
    assert_int_equal(rejects, 1);
    assert_int_equal(requests, 2);
    assert_false(bench->conns[peer].closed);
    bench_free(bench);
}

static void metadata_swarm_reads_streams_cut_anywhere(void **state)
{
    (void)state;
    struct bench *bench = bench_new(bench_plain(3), BENCH_V1);
    uint32_t peer = bench_name(bench, 1);
    bench_connected(bench, peer);
    struct wire_handshake handshake = bench_handshake(bench, 1, false);
    struct buffer out = {0};
    static const uint8_t room[WIRE_HANDSHAKE_SIZE];
    buffer_append(&out, room, sizeof room);
    wire_handshake_encode(&handshake, out.data);
    struct buffer extension = {0};
    buffer_append_text(&extension, "d1:md11:ut_metadatai9ee13:metadata_sizei");
    buffer_append_i64(&extension, bench_size(bench));
    buffer_append_text(&extension, "ee");
    wire_message_put_extended(&out, 0, buffer_bytes(&extension));
    wire_message_put(&out, WIRE_HAVE_ALL);
    buffer_deinit(&extension);
    size_t asking = out.length;
    wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA,
                      &(struct wire_metadata){.type = WIRE_METADATA_DATA,
                                              .total_size = bench_size(bench),
                                              .bytes = bench->truth->info});
    for (size_t i = 0; i < out.length; i++) {
        assert_null(bench->got);
        if (i == asking)
            assert_int_equal(bench_asked(bench, peer), 0);
        bench_feed(bench, peer, out.data + i, 1);
    }
    assert_true(bench_is_right(bench));
    bench_free(bench);
    /* And ended anywhere; not before the first byte, since who does that is dialled with MSE. */
    bench = bench_new(bench_plain(3), BENCH_V1);
    bench->shared.settings.many_per_address = true;
    for (size_t length = 1; length < out.length && length < BENCH_CONNS; length++) {
        peer = bench_name(bench, (uint32_t)length);
        bench_connected(bench, peer);
        bench_feed(bench, peer, out.data, length);
        bench_end(bench, peer);
    }
    assert_null(bench->got);
    assert_int_equal(bench->shared.connections, 0);
    buffer_deinit(&out);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_swarm_fetches_from_one_peer),
        cmocka_unit_test(metadata_swarm_fetches_dictionaries_of_any_length),
        cmocka_unit_test(metadata_swarm_asks_different_peers_for_different_blocks),
        cmocka_unit_test(metadata_swarm_goes_on_when_a_peer_leaves_in_the_middle),
        cmocka_unit_test(metadata_swarm_asks_others_for_what_is_overdue),
        cmocka_unit_test(metadata_swarm_asks_the_only_peer_again),
        cmocka_unit_test(metadata_swarm_gets_on_where_everybody_is_slow),
        cmocka_unit_test(metadata_swarm_turns_to_others_after_a_reject),
        cmocka_unit_test(metadata_swarm_waits_for_a_peer_that_fetches_itself),
        cmocka_unit_test(metadata_swarm_lets_go_of_who_has_nothing_and_tries_it_again),
        cmocka_unit_test(metadata_swarm_lets_go_of_who_lacks_the_extension),
        cmocka_unit_test(metadata_swarm_does_nothing_without_peers),
        cmocka_unit_test(metadata_swarm_says_why_a_proven_dictionary_is_of_no_use),
        cmocka_unit_test(metadata_swarm_greets_by_the_hash_it_knows),
        cmocka_unit_test(metadata_swarm_fetches_the_layers_of_v2),
        cmocka_unit_test(metadata_swarm_needs_no_layers_where_every_file_is_one_piece),
        cmocka_unit_test(metadata_swarm_fetches_a_hybrid_known_by_both_hashes),
        cmocka_unit_test(metadata_swarm_fetches_a_hybrid_known_by_its_v2_hash),
        cmocka_unit_test(metadata_swarm_meets_peers_anew_when_it_learns_of_a_hybrid),
        cmocka_unit_test(metadata_swarm_asks_peers_of_v1_for_no_hashes),
        cmocka_unit_test(metadata_swarm_lets_a_hybrid_go_without_layers_when_nobody_gives_them),
        cmocka_unit_test(metadata_swarm_waits_for_the_layers_of_v2_for_ever),
        cmocka_unit_test(metadata_swarm_begins_with_a_metainfo_that_lacks_layers),
        cmocka_unit_test(metadata_swarm_turns_to_others_when_hashes_are_refused_or_late),
        cmocka_unit_test(metadata_swarm_ignores_what_is_said_of_pieces),
        cmocka_unit_test(metadata_swarm_serves_nothing),
        cmocka_unit_test(metadata_swarm_reads_streams_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* One node of the DHT, and what it says to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/dht/dht_bloom.h"
#include "core/dht/dht_node.h"

static struct dht_node *node;
static struct krpc_message message; /* the last one that came out */
static uint8_t packet[2048];        /* its bytes */
static struct address packet_to;
static size_t packet_length;

static struct address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return address_ipv4((uint8_t[4]){a, b, c, d}, 6881);
}

static struct dht_node *make(struct dht_node_options options)
{
    if (!options.family)
        options.family = ADDRESS_IPV4;
    options.seed += 1;
    options.secret[0] = 9;
    struct dht_node *made = dht_node_new(&options);
    dht_node_tick(made, 0);
    return made;
}

static int set_up(void **state)
{
    (void)state;
    node = make((struct dht_node_options){0});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dht_node_check(node);
    dht_node_free(node);
    return 0;
}

/* The next packet into `message`; false: none. */
static bool next_packet(struct dht_node *from, int64_t now)
{
    struct action action;
    while (dht_node_output(from, now, &action)) {
        if (action.type != ACTION_SEND_DATAGRAM)
            continue;
        assert_in_range(action.bytes.length, 1, LIMIT_DHT_DATAGRAM_OUT);
        packet_length = action.bytes.length;
        memcpy(packet, action.bytes.data, packet_length);
        packet_to = action.remote;
        assert_int_equal(krpc_parse((struct bytes){packet, packet_length}, &message), FRESHET_OK);
        return true;
    }
    return false;
}

static void give(struct dht_node *to, int64_t now, const struct address *from, struct bytes bytes)
{
    struct event event = {.type = EVENT_DATAGRAM, .remote = *from, .bytes = bytes};
    dht_node_input(to, now, &event);
}

static void give_message(struct dht_node *to, int64_t now, const struct address *from,
                         const struct krpc_message *said)
{
    struct buffer out = {0};
    krpc_write(said, &out);
    give(to, now, from, buffer_bytes(&out));
    buffer_deinit(&out);
}

static struct krpc_message query_of(enum krpc_method method, const struct address *from)
{
    static struct krpc_message query;
    krpc_init(&query, KRPC_QUERY);
    query.method = method;
    query.transaction = BYTES_LITERAL("xy");
    query.has_target = method != KRPC_PING;
    memset(query.id.bytes, from->ip[3], DHT_ID_SIZE);
    memset(query.target.bytes, 't', DHT_ID_SIZE);
    return query;
}

/* Asks and takes the answer into `message`. */
static bool ask(int64_t now, const struct address *from, const struct krpc_message *query)
{
    bool is_answered = false;
    give_message(node, now, from, query);
    while (next_packet(node, now))
        if (message.kind != KRPC_QUERY) {
            assert_true(address_equal(&packet_to, from));
            is_answered = true;
            break;
        }
    /* Pings that it sends besides are of no interest here, and must not overwrite the answer. */
    struct action action;
    while (dht_node_output(node, now, &action))
        continue;
    return is_answered;
}

static void a_ping_is_answered_with_the_askers_address(void **state)
{
    (void)state;
    struct address from = v4(1, 2, 3, 4);
    struct krpc_message query = query_of(KRPC_PING, &from);
    assert_true(ask(0, &from, &query));
    assert_int_equal(message.kind, KRPC_REPLY);
    assert_true(address_equal(&message.external, &from));
    struct dht_id id = dht_node_id(node);
    assert_memory_equal(message.id.bytes, id.bytes, 20);
}

static void unknown_queries_with_a_target_are_find_node(void **state)
{
    (void)state;
    struct address from = v4(1, 2, 3, 4);
    struct krpc_message query = query_of(KRPC_UNKNOWN, &from);
    assert_true(ask(0, &from, &query));
    assert_int_equal(message.kind, KRPC_REPLY);
    query.has_target = false;
    assert_true(ask(0, &from, &query));
    assert_int_equal(message.error_code, KRPC_ERROR_METHOD);
    query = query_of(KRPC_FIND_NODE, &from);
    query.has_target = false;
    assert_true(ask(0, &from, &query));
    assert_int_equal(message.error_code, KRPC_ERROR_PROTOCOL);
}

/* Announces from `from`; returns the code of the error, 0 when it was taken. */
static int announce(int64_t now, const struct address *from, const struct address *asker,
                    uint16_t port, bool is_seed)
{
    uint8_t token[64];
    struct krpc_message query = query_of(KRPC_GET_PEERS, asker);
    assert_true(ask(now, asker, &query));
    size_t length = message.token.length;
    assert_in_range(length, 1, sizeof token);
    memcpy(token, message.token.data, length);
    query = query_of(KRPC_ANNOUNCE_PEER, from);
    query.token = (struct bytes){token, length};
    query.port = port;
    query.implied_port = port == 0;
    query.is_seed = is_seed;
    assert_true(ask(now, from, &query));
    return message.kind == KRPC_ERROR ? (int)message.error_code : 0;
}

static void what_was_announced_is_handed_out(void **state)
{
    (void)state;
    struct address peer = v4(1, 2, 3, 4), seed = v4(1, 2, 3, 5), thief = v4(1, 2, 3, 6);
    assert_int_equal(announce(0, &peer, &peer, 7000, false), 0);
    assert_int_equal(announce(0, &seed, &seed, 0, true), 0);
    /* A token is nobody else's. */
    assert_int_equal(announce(0, &thief, &peer, 7000, false), KRPC_ERROR_PROTOCOL);
    struct address asker = v4(2, 2, 2, 2);
    struct krpc_message query = query_of(KRPC_GET_PEERS, &asker);
    assert_true(ask(0, &asker, &query));
    assert_int_equal(message.value_count, 2);
    assert_int_equal(message.values[0].port + message.values[1].port, 7000 + 6881);
    query.no_seeds = true;
    query.scrape = true;
    assert_true(ask(0, &asker, &query));
    assert_int_equal(message.value_count, 1);
    assert_int_equal(message.values[0].port, 7000);
    assert_int_equal(message.seeds_bloom.length, KRPC_BLOOM_SIZE);
    query = query_of(KRPC_SAMPLE_INFOHASHES, &asker);
    assert_true(ask(0, &asker, &query));
    assert_int_equal(message.samples.length, 20);
    assert_int_equal(message.sample_total, 1);
}

/* Asked at `local` by `asker`; returns how many peers are named, the first into `ret_peer`. */
static uint32_t peers_named(int64_t now, const struct address *asker, const struct address *local,
                            bool no_seeds, struct address *ret_peer)
{
    struct krpc_message query = query_of(KRPC_GET_PEERS, asker);
    struct buffer out = {0};
    struct action action;
    query.no_seeds = no_seeds;
    query.scrape = true;
    krpc_write(&query, &out);
    struct event event = {.type = EVENT_DATAGRAM, .remote = *asker, .bytes = buffer_bytes(&out)};
    if (local)
        event.local = *local;
    dht_node_input(node, now, &event);
    buffer_deinit(&out);
    do
        assert_true(next_packet(node, now));
    while (message.kind != KRPC_REPLY);
    *ret_peer = message.values[0];
    uint32_t count = message.value_count;
    assert_int_equal(message.seeds_bloom.length, message.peers_bloom.length);
    while (dht_node_output(node, now, &action))
        continue;
    return count;
}

static void who_is_asked_for_what_it_keeps_announced_names_itself(void **state)
{
    (void)state;
    struct address near = v4(10, 1, 1, 1), here = v4(10, 1, 1, 2), far = v4(2, 2, 2, 2);
    struct address bound = v4(5, 5, 5, 5), any = v4(0, 0, 0, 0), loop = v4(127, 0, 0, 1), peer;
    struct dht_id hash;
    memset(hash.bytes, 't', DHT_ID_SIZE);
    assert_int_equal(peers_named(0, &near, &here, false, &peer), 0);
    assert_int_equal(message.seeds_bloom.length, 0);
    assert_int_equal(dht_node_keep_announced(node, 0, &hash, 7000, true), FRESHET_OK);
    assert_int_equal(peers_named(SECOND_NS, &near, &here, false, &peer), 1);
    here.port = 7000;
    assert_true(address_equal(&peer, &here));
    assert_int_equal(message.seeds_bloom.length, DHT_BLOOM_SIZE);
    assert_int_equal(dht_bloom_estimate(message.seeds_bloom.data), 1);
    assert_int_equal(dht_bloom_estimate(message.peers_bloom.data), 0);
    assert_int_equal(peers_named(SECOND_NS, &near, &here, true, &peer), 0);
    assert_int_equal(peers_named(SECOND_NS, &loop, &loop, false, &peer), 1);
    assert_true(address_same_ip(&peer, &loop));
    /* Nobody outside is sent to an address of our network, and nobody at all to none. */
    assert_int_equal(peers_named(SECOND_NS, &far, &here, false, &peer), 0);
    assert_int_equal(peers_named(SECOND_NS, &far, &any, false, &peer), 0);
    assert_int_equal(peers_named(2 * SECOND_NS, &near, &any, false, &peer), 0);
    assert_int_equal(peers_named(2 * SECOND_NS, &near, NULL, false, &peer), 0);
    assert_int_equal(peers_named(2 * SECOND_NS, &far, &bound, false, &peer), 1);
    bound.port = 7000;
    assert_true(address_equal(&peer, &bound));
    /* What others announced comes besides. */
    struct address other = v4(1, 2, 3, 4);
    assert_int_equal(announce(3 * SECOND_NS, &other, &other, 7001, false), 0);
    assert_int_equal(peers_named(4 * SECOND_NS, &near, &here, false, &peer), 2);
    assert_true(address_equal(&peer, &here));
    dht_node_stop_announcing(node, &hash);
    assert_int_equal(peers_named(4 * SECOND_NS, &near, &here, false, &peer), 1);
    assert_int_equal(peer.port, 7001);
}

static void the_address_that_others_saw_is_named_outside(void **state)
{
    (void)state;
    struct address far = v4(2, 2, 2, 2), near = v4(10, 1, 1, 1), here = v4(10, 1, 1, 2), peer;
    struct address external = v4(6, 6, 6, 6);
    struct dht_id hash;
    memset(hash.bytes, 't', DHT_ID_SIZE);
    dht_node_free(node);
    node = make((struct dht_node_options){.external = external});
    assert_int_equal(dht_node_keep_announced(node, 0, &hash, 7000, false), FRESHET_OK);
    external.port = here.port = 7000;
    assert_int_equal(peers_named(0, &far, &here, false, &peer), 1);
    assert_true(address_equal(&peer, &external));
    assert_int_equal(peers_named(0, &near, &here, false, &peer), 1);
    assert_true(address_equal(&peer, &here));
    assert_int_equal(peers_named(0, &near, NULL, false, &peer), 1);
    assert_true(address_equal(&peer, &external));
}

static void a_full_answer_stays_within_1400_bytes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        struct address peer = v4(20, 1, (uint8_t)(i >> 8), (uint8_t)i);
        assert_int_equal(announce(i * SECOND_NS, &peer, &peer, 7000, i % 2), 0);
    }
    struct address asker = v4(2, 2, 2, 2);
    struct krpc_message query = query_of(KRPC_GET_PEERS, &asker);
    query.scrape = true;
    assert_true(ask(401 * SECOND_NS, &asker, &query));
    assert_in_range(packet_length, 600, LIMIT_DHT_DATAGRAM_OUT);
    assert_true(message.value_count >= 20);
}

static void strangers_get_8000_bytes_a_second_and_five_answers_each(void **state)
{
    (void)state;
    for (int64_t second = 1; second < 4; second++) {
        size_t bytes = 0;
        uint32_t answers = 0;
        for (uint32_t i = 0; i < 2000; i++) {
            struct address from = v4(30, (uint8_t)(i % 50), 1, 1);
            struct krpc_message query = query_of(KRPC_GET_PEERS, &from);
            give_message(node, second * SECOND_NS, &from, &query);
            while (next_packet(node, second * SECOND_NS)) {
                bytes += packet_length;
                answers += message.kind == KRPC_REPLY;
            }
        }
        assert_in_range(bytes, 4000, LIMIT_DHT_BYTES_UNPROVEN);
        assert_true(answers <= 250);
    }
    struct address one = v4(40, 1, 1, 1);
    struct krpc_message query = query_of(KRPC_PING, &one);
    uint32_t answered = 0;
    for (int i = 0; i < 20; i++)
        answered += ask(10 * SECOND_NS, &one, &query);
    assert_int_equal(answered, LIMIT_DHT_MESSAGES_SOURCE);
    struct dht_node_stats stats;
    dht_node_stats(node, 0, &stats);
    assert_true(stats.queries_refused > 5000);
}

static void who_asks_is_pinged_and_then_a_node(void **state)
{
    (void)state;
    struct address from = v4(1, 2, 3, 4);
    struct krpc_message query = query_of(KRPC_PING, &from);
    struct dht_node_stats stats;
    give_message(node, 0, &from, &query);
    assert_true(next_packet(node, 0));
    assert_int_equal(message.kind, KRPC_REPLY);
    assert_true(next_packet(node, 0));
    assert_int_equal(message.method, KRPC_PING);
    dht_node_stats(node, 0, &stats);
    assert_int_equal(stats.nodes, 0);
    /* Somebody else's answer, or one to another question, is nothing. */
    struct krpc_message reply = message;
    uint8_t transaction[4];
    memcpy(transaction, message.transaction.data, 4);
    reply.kind = KRPC_REPLY;
    reply.transaction = (struct bytes){transaction, 4};
    reply.id = query.id;
    struct address other = v4(1, 2, 3, 5);
    give_message(node, 0, &other, &reply);
    transaction[0] ^= 1;
    give_message(node, 0, &from, &reply);
    dht_node_stats(node, 0, &stats);
    assert_int_equal(stats.nodes, 0);
    transaction[0] ^= 1;
    give_message(node, 0, &from, &reply);
    dht_node_stats(node, 0, &stats);
    assert_int_equal(stats.nodes, 1);
    assert_int_equal(stats.replies_in, 1);
}

static void a_read_only_node_asks_and_never_answers(void **state)
{
    (void)state;
    struct dht_node *quiet = make((struct dht_node_options){.is_read_only = true});
    struct address from = v4(1, 2, 3, 4);
    struct krpc_message query = query_of(KRPC_PING, &from);
    give_message(quiet, 0, &from, &query);
    assert_false(next_packet(quiet, 0));
    assert_int_not_equal(dht_node_ping(quiet, 0, &from), 0);
    assert_true(next_packet(quiet, 0));
    assert_true(message.is_read_only);
    dht_node_free(quiet);
    /* And one that asks us is answered, but no node for us. */
    query.is_read_only = true;
    give_message(node, 0, &from, &query);
    assert_true(next_packet(node, 0));
    assert_false(next_packet(node, 0));
}

/* Carries packets between two nodes until both are silent. */
static void converse(struct dht_node *a, const struct address *at_a, struct dht_node *b,
                     const struct address *at_b, int64_t now)
{
    for (bool any = true; any;) {
        any = false;
        while (next_packet(a, now)) {
            any = true;
            give(b, now, at_a, (struct bytes){packet, packet_length});
        }
        while (next_packet(b, now)) {
            any = true;
            give(a, now, at_b, (struct bytes){packet, packet_length});
        }
    }
}

static void an_item_put_by_one_is_got_by_another(void **state)
{
    (void)state;
    struct dht_node *other = make((struct dht_node_options){.seed = 5});
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    struct dht_result result;
    dht_node_add_address(other, &at, 0);
    converse(other, &other_at, node, &at, 0);
    struct krpc_item item = {.value = BYTES_LITERAL("12:Hello World!")};
    uint32_t number = dht_node_put(other, SECOND_NS, &item);
    assert_int_not_equal(number, 0);
    converse(other, &other_at, node, &at, SECOND_NS);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.type, DHT_RESULT_DONE);
    assert_int_equal(result.number, number);
    assert_int_equal(result.stored, 1);
    struct dht_id target = krpc_item_target(&item);
    assert_int_not_equal(dht_node_get(other, 2 * SECOND_NS, &target, (struct bytes){NULL, 0}), 0);
    converse(other, &other_at, node, &at, 2 * SECOND_NS);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.type, DHT_RESULT_ITEM);
    assert_true(bytes_is(result.item.value, "12:Hello World!"));
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.type, DHT_RESULT_DONE);
    assert_false(dht_node_result(other, &result));
    dht_node_check(other);
    dht_node_free(other);
}

static void kept_torrents_are_announced_by_themselves(void **state)
{
    (void)state;
    struct dht_node *other = make((struct dht_node_options){.seed = 5});
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    struct dht_node_stats stats;
    dht_node_add_address(other, &at, 0);
    converse(other, &other_at, node, &at, 0);
    /* Two: a source is answered five times a second, and each takes a question and an announce. */
    for (uint8_t i = 0; i < 2; i++) {
        struct dht_id hash = {{i}};
        assert_int_equal(dht_node_keep_announced(other, 0, &hash, 7000, false), FRESHET_OK);
    }
    for (int64_t second = 1; second < 12; second++) {
        dht_node_tick(other, second * SECOND_NS);
        converse(other, &other_at, node, &at, second * SECOND_NS);
    }
    dht_node_stats(node, 0, &stats);
    assert_int_equal(stats.torrents, 2);
    assert_int_equal(stats.peers, 2);
    dht_node_free(other);
}

static void a_name_is_resolved_and_asked(void **state)
{
    (void)state;
    struct action action;
    assert_int_equal(dht_node_add_name(node, "router.example", 6881), FRESHET_OK);
    dht_node_tick(node, SECOND_NS);
    assert_true(dht_node_output(node, SECOND_NS, &action));
    assert_int_equal(action.type, ACTION_RESOLVE);
    assert_string_equal(action.resolve->host, "router.example");
    struct event event = {.type = EVENT_JOB_DONE, .job = action.resolve->id};
    event.result.resolved.addresses[0] = v4(7, 7, 7, 7);
    event.result.resolved.count = 1;
    struct dht_id hash = {{1}};
    struct dht_result result;
    /* Whoever searches before somebody is known waits. */
    uint32_t number = dht_node_get_peers(node, SECOND_NS, &hash, 0);
    assert_false(dht_node_result(node, &result));
    assert_true(dht_node_input(node, SECOND_NS, &event));
    assert_false(dht_node_input(node, SECOND_NS, &event));
    assert_true(next_packet(node, SECOND_NS));
    assert_int_equal(message.method, KRPC_FIND_NODE);
    assert_true(address_equal(&packet_to, &event.result.resolved.addresses[0]));
    for (int64_t second = 2; second < 20; second++) {
        dht_node_tick(node, second * SECOND_NS);
        while (next_packet(node, second * SECOND_NS))
            continue;
    }
    assert_true(dht_node_result(node, &result));
    assert_int_equal(result.number, number);
    assert_int_equal(result.error, FRESHET_ERROR_ABSENT);
    for (uint32_t i = 1; i < LIMIT_DHT_NAMES; i++)
        assert_int_equal(dht_node_add_name(node, "a", 1), FRESHET_OK);
    assert_int_equal(dht_node_add_name(node, "a", 1), FRESHET_ERROR_LIMIT);
}

/* A record of `count` nodes, as dht_node_save writes it. */
static void make_record(struct buffer *record, uint32_t count)
{
    uint8_t own[20] = {0x80};
    struct rng rng;
    rng_init(&rng, 4);
    buffer_append_u8(record, 1);
    buffer_append_u8(record, ADDRESS_IPV4);
    buffer_append(record, own, 20);
    buffer_append_u8(record, (uint8_t)(count >> 8));
    buffer_append_u8(record, (uint8_t)count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t compact[38];
        struct dht_id id;
        memcpy(id.bytes, own, 20);
        struct dht_contact contact = {.id = dht_id_random_at(&id, i % 30, &rng),
                                      .address = v4(10, 1, (uint8_t)(i >> 8), (uint8_t)i)};
        buffer_append(record, compact, dht_id_write_contact(&contact, compact));
    }
}

static void a_full_node_at_rest_is_16_kib(void **state)
{
    (void)state;
    struct buffer record = {0};
    make_record(&record, 192);
    assert_int_equal(dht_node_load(node, buffer_bytes(&record), 0), FRESHET_OK);
    buffer_clear(&record);
    make_record(&record, 190);
    assert_int_equal(dht_node_load(node, buffer_bytes(&record), 0), FRESHET_OK);
    struct dht_node_stats stats;
    dht_node_stats(node, 0, &stats);
    assert_in_range(stats.nodes, 120, 192);
    assert_in_range(dht_node_memory(node), 8 * KIB, 16 * KIB);
    buffer_deinit(&record);
}

static void a_record_cut_anywhere_changes_nothing(void **state)
{
    (void)state;
    struct buffer record = {0}, saved = {0};
    struct dht_id before = dht_node_id(node);
    make_record(&record, 5);
    for (size_t length = 0; length < record.length; length++) {
        uint8_t *exact = memory_copy(record.data, length);
        assert_int_equal(dht_node_load(node, (struct bytes){exact, length}, 0),
                         FRESHET_ERROR_SYNTAX);
        memory_free(exact);
    }
    struct dht_id after = dht_node_id(node);
    assert_true(dht_id_equal(&before, &after));
    assert_int_equal(dht_node_load(node, buffer_bytes(&record), 0), FRESHET_OK);
    /* Nothing unproven is saved. */
    dht_node_save(node, &saved);
    assert_int_equal(saved.length, 24);
    assert_memory_equal(saved.data, record.data, 22);
    buffer_deinit(&record);
    buffer_deinit(&saved);
}

/* What answer_all says of peers. */
static const struct address *peers_told;
static uint32_t peers_told_count;

/* Answers every question of the node as one whose address says that it is at `own`. */
static void answer_all(int64_t now, const struct address *own, struct bytes nodes)
{
    while (next_packet(node, now)) {
        struct krpc_message reply = message;
        uint8_t transaction[4];
        struct address from = packet_to;
        if (message.kind != KRPC_QUERY)
            continue;
        memcpy(transaction, message.transaction.data, 4);
        krpc_init(&reply, KRPC_REPLY);
        reply.transaction = (struct bytes){transaction, 4};
        reply.external = *own;
        reply.nodes = nodes;
        for (uint32_t i = 0; i < peers_told_count; i++)
            reply.values[reply.value_count++] = peers_told[i];
        memset(reply.id.bytes, from.ip[3], DHT_ID_SIZE);
        give_message(node, now, &from, &reply);
    }
}

static void many_agree_on_our_address_and_our_id_follows(void **state)
{
    (void)state;
    struct address own = v4(99, 98, 97, 96);
    struct dht_result result = {0};
    for (uint8_t i = 0; i < 9; i++) {
        struct address other = v4((uint8_t)(20 + i), 1, 1, (uint8_t)(i + 1));
        dht_node_add_address(node, &other, i * SECOND_NS);
        answer_all(i * SECOND_NS, &own, (struct bytes){NULL, 0});
    }
    struct dht_id id = dht_node_id(node);
    assert_true(dht_id_is_allowed(&id, &own));
    assert_true(dht_node_result(node, &result));
    assert_int_equal(result.type, DHT_RESULT_ADDRESS);
    assert_true(address_same_ip(&result.from, &own));
    dht_node_check(node);
    struct buffer saved = {0};
    dht_node_save(node, &saved);
    assert_true(saved.length >= 24 + 8 * 26);
    buffer_deinit(&saved);
}

static void nobody_outside_aims_us_at_a_private_network(void **state)
{
    (void)state;
    uint8_t nodes[3 * 26];
    struct address own = v4(99, 98, 97, 96), begin = v4(20, 1, 1, 1);
    static const uint8_t targets[3][4] = {{192, 168, 0, 1}, {127, 0, 0, 1}, {169, 254, 169, 254}};
    for (int i = 0; i < 3; i++) {
        struct dht_contact contact = {.address = address_ipv4(targets[i], 80)};
        memset(contact.id.bytes, i + 1, 20);
        dht_id_write_contact(&contact, nodes + 26 * i);
    }
    dht_node_add_address(node, &begin, 0);
    answer_all(0, &own, (struct bytes){NULL, 0});
    struct dht_id hash = {{1}};
    assert_int_not_equal(dht_node_get_peers(node, SECOND_NS, &hash, 0), 0);
    answer_all(SECOND_NS, &own, (struct bytes){nodes, sizeof nodes});
    struct dht_result result;
    while (dht_node_result(node, &result))
        if (result.type == DHT_RESULT_DONE)
            assert_int_equal(result.asked, 1);
}

/* How many of these peers are believed of a node at `teller`; the last of them goes to `ret_last`.
 */
static uint32_t believed_of(const struct address *teller, const struct address *peers,
                            uint32_t count, struct address *ret_last)
{
    struct dht_id hash = {{1}};
    struct dht_result result;
    uint32_t believed = 0;
    answer_all(0, teller, (struct bytes){NULL, 0});
    dht_node_add_address(node, teller, 0);
    answer_all(0, teller, (struct bytes){NULL, 0});
    assert_int_not_equal(dht_node_get_peers(node, SECOND_NS, &hash, 0), 0);
    peers_told = peers;
    peers_told_count = count;
    answer_all(SECOND_NS, teller, (struct bytes){NULL, 0});
    peers_told_count = 0;
    while (dht_node_result(node, &result))
        if (result.type == DHT_RESULT_PEERS) {
            believed += result.peer_count;
            *ret_last = result.peers[result.peer_count - 1];
        }
    return believed;
}

static void nobody_outside_names_peers_in_a_private_network(void **state)
{
    struct address outside = v4(20, 1, 1, 1), inside = v4(10, 1, 1, 1), last;
    const struct address peers[] = {v4(1, 2, 3, 4), v4(192, 168, 0, 1), v4(127, 0, 0, 1),
                                    v4(169, 254, 169, 254)};
    assert_int_equal(believed_of(&outside, peers, 4, &last), 1);
    assert_true(address_equal(&last, &peers[0]));
    assert_int_equal(believed_of(&outside, peers + 1, 3, &last), 0);
    tear_down(state);
    set_up(state);
    assert_int_equal(believed_of(&inside, peers, 4, &last), 3);
    assert_true(address_equal(&last, &peers[2]));
}

static void siblings_name_one_anothers_nodes(void **state)
{
    (void)state;
    struct dht_node *six = make((struct dht_node_options){.family = ADDRESS_IPV6});
    struct address at = address_ipv6((uint8_t[16]){0x2a, 1, [15] = 1}, 6881);
    dht_node_set_sibling(node, six);
    dht_node_add_address(six, &at, 0);
    assert_true(next_packet(six, 0));
    struct krpc_message reply;
    uint8_t transaction[4];
    memcpy(transaction, message.transaction.data, 4);
    krpc_init(&reply, KRPC_REPLY);
    reply.transaction = (struct bytes){transaction, 4};
    memset(reply.id.bytes, 7, 20);
    give_message(six, 0, &at, &reply);
    struct address from = v4(1, 2, 3, 4);
    struct krpc_message query = query_of(KRPC_FIND_NODE, &from);
    query.want = KRPC_WANT_NODES6;
    assert_true(ask(0, &from, &query));
    assert_null(message.nodes.data);
    assert_int_equal(message.nodes6.length, 38);
    dht_node_free(six);
    query.want = 0;
    assert_true(ask(0, &from, &query));
    assert_non_null(message.nodes.data);
    assert_null(message.nodes6.data);
}

static void silence_ends_a_search_after_two_seconds(void **state)
{
    (void)state;
    struct buffer record = {0};
    struct dht_result result;
    make_record(&record, 6);
    assert_int_equal(dht_node_load(node, buffer_bytes(&record), 0), FRESHET_OK);
    buffer_deinit(&record);
    struct dht_id hash = {{1}};
    uint32_t number = dht_node_get_peers(node, SECOND_NS, &hash, DHT_PEERS_SCRAPE);
    assert_int_not_equal(number, 0);
    bool is_done = false;
    for (int64_t now = SECOND_NS; now < 8 * SECOND_NS; now += 100 * MILLISECOND_NS) {
        dht_node_tick(node, now);
        while (next_packet(node, now))
            continue;
        while (dht_node_result(node, &result))
            if (result.number == number && result.type == DHT_RESULT_DONE) {
                is_done = true;
                assert_int_equal(result.error, FRESHET_ERROR_TIMEOUT);
                assert_int_equal(result.asked, 6);
            }
    }
    assert_true(is_done);
}

/* Steps of the results that wait, as letters in their order; other results are left out. */
static void take_steps(struct dht_node *from, char steps[32])
{
    static const char letters[] = {'a', 'A', 'R', 'x', 's', 'S', 'N'};
    struct dht_result result;
    size_t count = 0;
    while (dht_node_result(from, &result))
        if (result.type == DHT_RESULT_TRACE && count < 31)
            steps[count++] = letters[result.step];
    steps[count] = '\0';
}

static void a_trace_tells_each_question_and_what_came_of_it(void **state)
{
    (void)state;
    struct dht_node *other = make((struct dht_node_options){.seed = 5});
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    struct dht_id hash = {{1}}, id = dht_node_id(node);
    struct dht_result result;
    char steps[32];
    dht_node_add_address(other, &at, 0);
    converse(other, &other_at, node, &at, 0);
    dht_node_announce(other, SECOND_NS, &hash, 7000, false);
    converse(other, &other_at, node, &at, SECOND_NS);
    take_steps(other, steps);
    assert_string_equal(steps, "");
    dht_node_trace(other, true);
    dht_node_announce(other, 2 * SECOND_NS, &hash, 7000, false);
    converse(other, &other_at, node, &at, 2 * SECOND_NS);
    take_steps(other, steps);
    assert_string_equal(steps, "aAsS");
    uint32_t number = dht_node_get_peers(other, 3 * SECOND_NS, &hash, 0);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.step, DHT_TRACE_ASKED);
    assert_true(address_equal(&result.from, &at));
    converse(other, &other_at, node, &at, 3 * SECOND_NS + 40 * MILLISECOND_NS);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.step, DHT_TRACE_ANSWERED);
    assert_int_equal(result.number, number);
    assert_int_equal(result.rtt_ms, 40);
    assert_int_equal(result.peer_count, 1);
    assert_true(dht_id_equal(&result.id, &id));
    take_steps(other, steps);
    dht_node_get_peers(other, 4 * SECOND_NS, &hash, 0);
    dht_node_tick(other, 4 * SECOND_NS + LIMIT_DHT_GIVE_UP_NS);
    take_steps(other, steps);
    assert_string_equal(steps, "ax");
    dht_node_free(other);
}

/* `other` announces to `node`, which hears its stores from the `heard_from`th on; the result, and
 * in *ret_stores how many were sent. */
static struct dht_result announce_over_loss(uint32_t heard_from, uint32_t *ret_stores)
{
    struct dht_node *other = make((struct dht_node_options){.seed = 5});
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    struct dht_id hash = {{1}};
    struct dht_result result, done = {.type = DHT_RESULT_TRACE};
    int64_t now = SECOND_NS;

    dht_node_add_address(other, &at, 0);
    converse(other, &other_at, node, &at, 0);
    *ret_stores = 0;
    assert_int_not_equal(dht_node_announce(other, now, &hash, 7000, false), 0);
    for (uint32_t round = 0; round < 20; round++, now += LIMIT_DHT_GIVE_UP_NS / 2) {
        dht_node_tick(other, now);
        while (next_packet(other, now)) {
            bool is_store = message.kind == KRPC_QUERY && message.method == KRPC_ANNOUNCE_PEER;
            *ret_stores += is_store;
            if (is_store && *ret_stores < heard_from)
                continue;
            give(node, now, &other_at, (struct bytes){packet, packet_length});
            while (next_packet(node, now))
                give(other, now, &at, (struct bytes){packet, packet_length});
        }
        while (dht_node_result(other, &result))
            if (result.type == DHT_RESULT_DONE)
                done = result;
    }
    assert_int_equal(done.type, DHT_RESULT_DONE);
    dht_node_check(other);
    dht_node_free(other);
    return done;
}

static void a_store_without_an_answer_is_sent_once_more(void **state)
{
    uint32_t stores;
    (void)state;
    struct dht_result result = announce_over_loss(1, &stores);
    assert_int_equal(stores, 1);
    assert_int_equal(result.stored, 1);
    result = announce_over_loss(2, &stores);
    assert_int_equal(stores, 2);
    assert_int_equal(result.stored, 1);
    assert_int_equal(result.error, FRESHET_OK);
    result = announce_over_loss(100, &stores);
    assert_int_equal(stores, 2);
    assert_int_equal(result.stored, 0);
    assert_int_equal(result.error, FRESHET_ERROR_REFUSED);
}

static bool believe(void *context, const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                    const uint8_t signature[KRPC_SIGNATURE_SIZE])
{
    (void)context, (void)key, (void)text, (void)signature;
    return true;
}

static void who_puts_hears_why_nobody_took_it(void **state)
{
    (void)state;
    struct dht_node_options options = {.seed = 5, .verifier = {.verify = believe}};
    struct dht_node *other = make(options);
    options.seed = 6;
    struct dht_node *store = make(options);
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    uint8_t key[KRPC_KEY_SIZE] = {1}, signature[KRPC_SIGNATURE_SIZE] = {1};
    struct dht_result result = {0};
    struct krpc_item item = {.value = BYTES_LITERAL("1:a"),
                             .key = key,
                             .signature = signature,
                             .has_seq = true,
                             .seq = 4};
    dht_node_free(node);
    node = store;
    dht_node_add_address(other, &at, 0);
    converse(other, &other_at, node, &at, 0);
    dht_node_put(other, SECOND_NS, &item);
    converse(other, &other_at, node, &at, SECOND_NS);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.stored, 1);
    assert_int_equal(result.refusal, 0);
    item.seq = 3;
    dht_node_put(other, 2 * SECOND_NS, &item);
    converse(other, &other_at, node, &at, 2 * SECOND_NS);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.error, FRESHET_ERROR_REFUSED);
    assert_int_equal(result.refusal, KRPC_ERROR_SEQ);
    dht_node_free(other);
}

static void a_ping_brings_the_clients_version(void **state)
{
    (void)state;
    struct dht_node *other = make((struct dht_node_options){.seed = 5});
    struct address at = v4(1, 1, 1, 1), other_at = v4(2, 2, 2, 2);
    struct dht_result result;
    dht_node_ping(other, 0, &at);
    converse(other, &other_at, node, &at, 0);
    assert_true(dht_node_result(other, &result));
    assert_int_equal(result.type, DHT_RESULT_NODE);
    assert_true(bytes_equal(result.version, BYTES_LITERAL("FR\0\1")));
    dht_node_sample(other, 0, &at, &result.id);
    converse(other, &other_at, node, &at, 0);
    while (dht_node_result(other, &result) && result.type != DHT_RESULT_SAMPLES)
        continue;
    assert_int_equal(result.type, DHT_RESULT_SAMPLES);
    assert_int_equal(result.samples.length, 0);
    assert_true(bytes_equal(result.version, BYTES_LITERAL("FR\0\1")));
    dht_node_free(other);
}

static void who_passes_by_takes_the_nodes_and_not_the_id(void **state)
{
    (void)state;
    struct buffer record = {0};
    struct dht_node_stats stats;
    struct dht_id before = dht_node_id(node);
    make_record(&record, 5);
    assert_int_equal(dht_node_load_nodes(node, buffer_bytes(&record), 0), FRESHET_OK);
    struct dht_id after = dht_node_id(node);
    assert_true(dht_id_equal(&before, &after));
    dht_node_stats(node, 0, &stats);
    assert_int_equal(stats.nodes, 5);
    buffer_deinit(&record);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_ping_is_answered_with_the_askers_address),
        TEST(unknown_queries_with_a_target_are_find_node),
        TEST(what_was_announced_is_handed_out),
        TEST(who_is_asked_for_what_it_keeps_announced_names_itself),
        TEST(the_address_that_others_saw_is_named_outside),
        TEST(a_full_answer_stays_within_1400_bytes),
        TEST(strangers_get_8000_bytes_a_second_and_five_answers_each),
        TEST(who_asks_is_pinged_and_then_a_node),
        TEST(a_read_only_node_asks_and_never_answers),
        TEST(an_item_put_by_one_is_got_by_another),
        TEST(kept_torrents_are_announced_by_themselves),
        TEST(a_name_is_resolved_and_asked),
        TEST(a_full_node_at_rest_is_16_kib),
        TEST(a_record_cut_anywhere_changes_nothing),
        TEST(many_agree_on_our_address_and_our_id_follows),
        TEST(nobody_outside_aims_us_at_a_private_network),
        TEST(nobody_outside_names_peers_in_a_private_network),
        TEST(siblings_name_one_anothers_nodes),
        TEST(silence_ends_a_search_after_two_seconds),
        TEST(a_trace_tells_each_question_and_what_came_of_it),
        TEST(a_store_without_an_answer_is_sent_once_more),
        TEST(who_puts_hears_why_nobody_took_it),
        TEST(a_ping_brings_the_clients_version),
        TEST(who_passes_by_takes_the_nodes_and_not_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

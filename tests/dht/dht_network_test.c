/* SPDX-License-Identifier: MIT */
/*
 * A whole DHT in one process: 200 nodes over a pretend wire with delays, three of ten entries of
 * every table dead. Seeded: the same run each time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/heap.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/dht/dht_node.h"

#define NODES    200u
#define DEAD     86u /* 30 % of all that the tables know */
#define TORRENTS 30u

struct flight {
    struct heap_node node;
    struct address from, to;
    size_t length;
    uint8_t bytes[];
};

struct wire {
    struct rng rng;
    struct heap flights;
    struct map by_ip;
    struct dht_node *nodes[NODES];
    struct address addresses[NODES + DEAD];
    struct dht_contact contacts[NODES + DEAD];
    int64_t now;
    uint64_t digest;
    uint32_t packets;
    uint32_t longest;
};

static void on_packet(struct wire *wire, const struct address *from, const struct action *action)
{
    struct flight *flight = memory_new(sizeof *flight + action->bytes.length);
    flight->from = *from;
    flight->to = action->remote;
    flight->length = action->bytes.length;
    memcpy(flight->bytes, action->bytes.data, action->bytes.length);
    /* 20 to 150 ms, now and then up to 500 ms. */
    uint32_t delay = 20 + rng_below(&wire->rng, 130);
    if (rng_below(&wire->rng, 20) == 0)
        delay += rng_below(&wire->rng, 350);
    heap_set(&wire->flights, &flight->node, wire->now + delay * MILLISECOND_NS);
    wire->packets++;
    if (flight->length > wire->longest)
        wire->longest = (uint32_t)flight->length;
    for (size_t i = 0; i < flight->length; i++)
        wire->digest = (wire->digest ^ flight->bytes[i]) * UINT64_C(1099511628211);
}

static void drain(struct wire *wire, uint32_t index)
{
    struct action action;
    while (dht_node_output(wire->nodes[index], wire->now, &action))
        if (action.type == ACTION_SEND_DATAGRAM)
            on_packet(wire, &wire->addresses[index], &action);
}

static void deliver(struct wire *wire, struct flight *flight)
{
    void *place = map_get(&wire->by_ip, flight->to.ip);
    if (place) {
        uint32_t index = (uint32_t)((uintptr_t)place - 1);
        struct event event = {.type = EVENT_DATAGRAM,
                              .remote = flight->from,
                              .bytes = {flight->bytes, flight->length}};
        assert_true(dht_node_input(wire->nodes[index], wire->now, &event));
        drain(wire, index);
    }
    memory_free(flight);
}

/* Lets `span_ns` pass: packets at their time, every node's tick when it is due. */
static void pass(struct wire *wire, int64_t span_ns)
{
    int64_t end = wire->now + span_ns;
    for (;;) {
        int64_t next = heap_deadline(&wire->flights);
        for (uint32_t i = 0; i < NODES; i++) {
            int64_t due = dht_node_deadline(wire->nodes[i]);
            next = due < next ? due : next;
        }
        if (next > end)
            break;
        wire->now = next > wire->now ? next : wire->now;
        struct heap_node *node;
        while ((node = heap_pop_due(&wire->flights, wire->now)))
            deliver(wire, HEAP_ELEMENT(node, struct flight, node));
        for (uint32_t i = 0; i < NODES; i++) {
            if (dht_node_deadline(wire->nodes[i]) > wire->now)
                continue;
            dht_node_tick(wire->nodes[i], wire->now);
            assert_true(dht_node_deadline(wire->nodes[i]) > wire->now);
            drain(wire, i);
        }
    }
    wire->now = end;
}

static struct address address_of(uint32_t i)
{
    return address_ipv4((uint8_t[4]){(uint8_t)(11 + i % 89), (uint8_t)(i * 7), (uint8_t)i, 9},
                        6881);
}

/* Each node knows 40 others by its record; some of them do not exist. */
static void introduce(struct wire *wire, uint32_t index)
{
    struct buffer record = {0};
    struct dht_id id = dht_node_id(wire->nodes[index]);
    buffer_append_u8(&record, 1);
    buffer_append_u8(&record, ADDRESS_IPV4);
    buffer_append(&record, id.bytes, DHT_ID_SIZE);
    buffer_append_u8(&record, 0);
    buffer_append_u8(&record, 40);
    for (int i = 0; i < 40; i++) {
        uint8_t compact[38];
        const struct dht_contact *contact = &wire->contacts[rng_below(&wire->rng, NODES + DEAD)];
        buffer_append(&record, compact, dht_id_write_contact(contact, compact));
    }
    assert_int_equal(dht_node_load(wire->nodes[index], buffer_bytes(&record), 0), FRESHET_OK);
    buffer_deinit(&record);
}

static void wire_init(struct wire *wire, uint64_t seed)
{
    memset(wire, 0, sizeof *wire);
    rng_init(&wire->rng, seed);
    heap_init(&wire->flights);
    map_init(&wire->by_ip, 16, seed);
    for (uint32_t i = 0; i < NODES + DEAD; i++) {
        wire->addresses[i] = address_of(i);
        wire->contacts[i].address = wire->addresses[i];
        wire->contacts[i].id = dht_id_of_address(&wire->addresses[i], &wire->rng);
        if (i >= NODES)
            continue;
        struct dht_node_options options = {
            .family = ADDRESS_IPV4, .seed = seed + i, .external = wire->addresses[i]};
        rng_fill(&wire->rng, options.secret, sizeof options.secret);
        wire->nodes[i] = dht_node_new(&options);
        wire->contacts[i].id = dht_node_id(wire->nodes[i]);
        assert_null(map_put(&wire->by_ip, wire->addresses[i].ip, (void *)(uintptr_t)(i + 1)));
    }
    for (uint32_t i = 0; i < NODES; i++)
        introduce(wire, i);
}

static void wire_deinit(struct wire *wire)
{
    while (wire->flights.length > 0) {
        struct heap_node *node = wire->flights.nodes[0];
        heap_remove(&wire->flights, node);
        memory_free(HEAP_ELEMENT(node, struct flight, node));
    }
    heap_deinit(&wire->flights);
    map_deinit(&wire->by_ip);
    for (uint32_t i = 0; i < NODES; i++) {
        dht_node_check(wire->nodes[i]);
        dht_node_free(wire->nodes[i]);
    }
}

static struct dht_id torrent_hash(uint32_t i)
{
    struct rng rng;
    struct dht_id hash;
    rng_init(&rng, 1000 + i);
    rng_fill(&rng, hash.bytes, DHT_ID_SIZE);
    return hash;
}

/* Was the address among the peers that came, and did the search end? */
static bool found(struct dht_node *node, const struct address *peer, struct dht_result *ret_done)
{
    struct dht_result result;
    bool is_found = false;
    while (dht_node_result(node, &result)) {
        for (uint32_t i = 0; i < result.peer_count; i++)
            is_found |= address_equal(&result.peers[i], peer);
        if (result.type == DHT_RESULT_DONE)
            *ret_done = result;
    }
    return is_found;
}

static uint64_t run(uint64_t seed)
{
    struct wire *wire = memory_new(sizeof *wire);
    wire_init(wire, seed);
    pass(wire, 20 * SECOND_NS);
    for (uint32_t i = 0; i < TORRENTS; i++) {
        struct dht_id hash = torrent_hash(i);
        assert_int_not_equal(
            dht_node_announce(wire->nodes[i], wire->now, &hash, (uint16_t)(7000 + i), i % 2), 0);
        drain(wire, i);
    }
    pass(wire, 20 * SECOND_NS);
    for (uint32_t i = 0; i < TORRENTS; i++) {
        struct dht_result done = {0};
        struct dht_id hash = torrent_hash(i);
        found(wire->nodes[i], &wire->addresses[i], &done);
        assert_int_equal(done.type, DHT_RESULT_DONE);
        assert_int_equal(done.error, FRESHET_OK);
        assert_in_range(done.stored, 6, 8);
        assert_int_not_equal(dht_node_get_peers(wire->nodes[NODES - 1 - i], wire->now, &hash, 0),
                             0);
        drain(wire, NODES - 1 - i);
    }
    pass(wire, 10 * SECOND_NS);
    for (uint32_t i = 0; i < TORRENTS; i++) {
        struct dht_result done = {0};
        struct address peer = wire->addresses[i];
        peer.port = (uint16_t)(7000 + i);
        assert_true(found(wire->nodes[NODES - 1 - i], &peer, &done));
        assert_int_equal(done.type, DHT_RESULT_DONE);
    }
    uint64_t digest = wire->digest;
    assert_in_range(wire->longest, 1, LIMIT_DHT_DATAGRAM_OUT);
    wire_deinit(wire);
    memory_free(wire);
    return digest;
}

static void every_get_peers_finds_what_was_announced(void **state)
{
    (void)state;
    run(1);
}

static void the_same_seed_gives_the_same_packets(void **state)
{
    (void)state;
    uint64_t first = run(2);
    assert_true(first == run(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_get_peers_finds_what_was_announced),
        cmocka_unit_test(the_same_seed_gives_the_same_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

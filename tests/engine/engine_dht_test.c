/* SPDX-License-Identifier: MIT */
/*
 * The engine and the DHT: a node stands outside, and a second one that has announced a peer of the
 * same torrent. What crosses is real; only the wire is pretended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/dht/dht_node.h"
#include "core/engine/engine_dht.h"
#include "tests/engine/lone_magnet.h"

#define PEER_PORT 7777u

/* The world outside: two nodes that know one another. */
struct outside {
    struct dht_node *nodes[2];
    struct address addresses[2], engine;
    uint32_t datagrams; /* that the engine sent */
};

static void carry(struct lone_engine *lone, const struct address *from, const struct action *action)
{
    struct outside *outside = lone->context;
    struct event event = {.type = EVENT_DATAGRAM, .remote = *from, .bytes = action->bytes};
    for (int i = 0; i < 2; i++)
        if (address_equal(&action->remote, &outside->addresses[i]))
            dht_node_input(outside->nodes[i], lone->now, &event);
    event.local = outside->engine;
    if (lone->engine && address_equal(&action->remote, &outside->engine))
        engine_input(lone->engine, lone->now, &event);
}

static void on_datagram(struct lone_engine *lone, const struct action *action)
{
    struct outside *outside = lone->context;
    outside->datagrams++;
    carry(lone, &outside->engine, action);
}

static void on_resolve(struct lone_engine *lone, const struct resolve_job *job)
{
    struct outside *outside = lone->context;
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id};
    assert_string_equal(job->host, "dht.example");
    assert_int_equal(job->port, 6881);
    event.result.resolved.addresses[0] = outside->addresses[0];
    event.result.resolved.count = 1;
    engine_input(lone->engine, lone->now, &event);
}

/* Both sides speak until nobody has anything to say, tick by tick. */
static void pass(struct lone_engine *lone, int64_t duration_ns)
{
    struct outside *outside = lone->context;
    int64_t end = lone->now + duration_ns;
    while (lone->now < end) {
        bool again = true;
        while (again) {
            struct action action;
            again = false;
            if (lone->engine)
                lone_run(lone);
            for (int i = 0; i < 2; i++)
                while (dht_node_output(outside->nodes[i], lone->now, &action)) {
                    again = true;
                    if (action.type == ACTION_SEND_DATAGRAM)
                        carry(lone, &outside->addresses[i], &action);
                }
        }
        lone->now += SECOND_NS / 10;
        for (int i = 0; i < 2; i++)
            dht_node_tick(outside->nodes[i], lone->now);
        if (lone->engine)
            engine_tick(lone->engine, lone->now);
    }
}

static struct dht_id info_hash(struct lone_engine *lone)
{
    struct dht_id id;
    memcpy(id.bytes, lone->info_hash, sizeof id.bytes);
    return id;
}

static struct lone_engine *world_new(struct outside *outside, bool is_private)
{
    struct lone_engine *lone = lone_prepare(false);
    lone->context = outside;
    lone->on_datagram = on_datagram;
    lone->on_resolve = on_resolve;
    lone->is_private = is_private;
    lone->has_dht = true;
    outside->engine = address_ipv4((uint8_t[]){10, 9, 9, 9}, 1);
    for (uint8_t i = 0; i < 2; i++) {
        struct dht_node_options options = {.family = ADDRESS_IPV4, .seed = 70u + i};
        outside->nodes[i] = dht_node_new(&options);
        outside->addresses[i] = address_ipv4((uint8_t[]){10, 8, i, 1}, 6881);
    }
    dht_node_add_address(outside->nodes[1], &outside->addresses[0], lone->now);
    pass(lone, 5 * SECOND_NS);
    metainfo_free(lone_metainfo(lone, NULL)); /* its hash is known from here on */
    struct dht_id hash = info_hash(lone);
    assert_int_not_equal(dht_node_announce(outside->nodes[1], lone->now, &hash, PEER_PORT, false),
                         0);
    pass(lone, 5 * SECOND_NS);
    return lone;
}

static void world_free(struct lone_engine *lone, struct outside *outside)
{
    lone_free(lone);
    for (int i = 0; i < 2; i++)
        dht_node_free(outside->nodes[i]);
}

static void start_dht(struct lone_engine *lone, bool named)
{
    struct engine_dht_name name = {"dht.example", 6881};
    struct engine_dht_options options = {
        .has_ipv4 = true, .names = &name, .name_count = named ? 1 : 0};
    struct engine_command command = {.type = COMMAND_START_DHT, .dht = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
}

static struct dht_node_stats stats_of(struct dht_node *node, int64_t now)
{
    struct dht_node_stats stats;
    dht_node_stats(node, now, &stats);
    return stats;
}

/* Does the engine's node, asked by the first outside, name the engine as a peer? */
static bool names_itself(struct lone_engine *lone, const struct dht_id *hash)
{
    struct outside *outside = lone->context;
    struct dht_node *asker = outside->nodes[0];
    struct dht_result result;
    bool names = false;
    while (dht_node_result(asker, &result))
        continue;
    assert_int_not_equal(dht_node_get_peers(asker, lone->now, hash, 0), 0);
    pass(lone, 5 * SECOND_NS);
    while (dht_node_result(asker, &result))
        for (uint32_t i = 0; result.type == DHT_RESULT_PEERS && i < result.peer_count; i++)
            names |= address_equal(&result.from, &outside->engine) &&
                     address_same_ip(&result.peers[i], &outside->engine);
    return names;
}

static void engine_announces_to_the_dht_and_connects_to_who_is_there(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 1);
    lone_begin(lone, NULL, NULL);
    start_dht(lone, true);
    pass(lone, 20 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 2);
    struct address there = outside.addresses[1];
    there.port = PEER_PORT;
    assert_true(lone->connect_count >= 1);
    assert_true(address_equal(&lone->connects[0], &there));
    struct dht_node_stats own;
    assert_true(engine_dht_stats(lone->engine, ADDRESS_IPV4, &own));
    assert_int_equal(own.nodes, 2);
    assert_false(engine_dht_stats(lone->engine, ADDRESS_IPV6, &own));
    struct dht_places places;
    assert_true(engine_dht_places(lone->engine, ADDRESS_IPV4, &places));
    assert_int_equal(places.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct dht_id ids[2] = {dht_node_id(outside.nodes[0]), dht_node_id(outside.nodes[1])};
        assert_true(dht_id_equal(&places.nodes[i].id, &ids[0]) ||
                    dht_id_equal(&places.nodes[i].id, &ids[1]));
        assert_int_equal(places.nodes[i].state, DHT_PLACE_GOOD);
        assert_int_equal(places.nodes[i].shared_bits,
                         dht_id_shared_bits(&places.own, &places.nodes[i].id));
    }
    assert_false(engine_dht_places(lone->engine, ADDRESS_IPV6, &places));
    world_free(lone, &outside);
}

static void engine_enters_the_dht_by_the_nodes_of_a_torrent(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    lone->nodes = "ll11:dht.examplei6881eee";
    lone_begin(lone, NULL, NULL);
    start_dht(lone, false);
    pass(lone, 20 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 2);
    world_free(lone, &outside);
}

static void engine_asks_a_node_of_which_a_peer_told(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    lone_begin(lone, NULL, NULL);
    start_dht(lone, false);
    pass(lone, 2 * SECOND_NS);
    assert_int_equal(outside.datagrams, 0);
    /* The peer's address is where its node is, and the port it tells. */
    uint32_t peer = lone_accept(lone, 8, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PORT), 1);
    assert_true(lone->sent[peer].data[27] & 1);
    struct buffer out = {0};
    outside.addresses[0] = lone_address(8);
    wire_message_put_port(&out, outside.addresses[0].port);
    lone_feed_buffer(lone, peer, &out);
    pass(lone, 30 * SECOND_NS);
    assert_true(outside.datagrams > 0);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 2);
    world_free(lone, &outside);
}

static void engine_keeps_private_torrents_out_of_the_dht(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, true);
    lone->nodes = "ll11:dht.examplei6881eee";
    lone_begin(lone, NULL, NULL);
    start_dht(lone, false);
    uint32_t peer = lone_accept(lone, 8, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PORT), 0);
    assert_int_equal(lone->sent[peer].data[27] & 1, 0);
    struct buffer out = {0};
    wire_message_put_port(&out, 6881);
    lone_feed_buffer(lone, peer, &out);
    pass(lone, 200 * SECOND_NS);
    assert_int_equal(outside.datagrams, 0);
    assert_int_equal(lone->connect_count, 0);
    /* With a way in the node lives, but the torrent stays out of it. */
    world_free(lone, &outside);
    lone = world_new(&outside, true);
    lone_begin(lone, NULL, NULL);
    start_dht(lone, true);
    pass(lone, 200 * SECOND_NS);
    assert_true(stats_of(outside.nodes[0], lone->now).queries_in > 0);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 1);
    assert_int_equal(lone->connect_count, 0);
    /* Its node is asked for it, and names nobody. */
    struct dht_id hash = info_hash(lone);
    assert_false(names_itself(lone, &hash));
    world_free(lone, &outside);
}

static void engine_names_itself_to_who_asks_for_what_it_has(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    lone_begin(lone, NULL, NULL);
    start_dht(lone, true);
    pass(lone, 20 * SECOND_NS);
    struct dht_id hash = info_hash(lone), other = {{7}};
    assert_true(names_itself(lone, &hash));
    assert_false(names_itself(lone, &other));
    world_free(lone, &outside);
}

/* Nobody knows it of a magnet link; once known, it is announced no more, before it is added and
 * after: who heard of us has forgotten us an hour later. */
static void engine_leaves_the_dht_when_metadata_turns_out_private(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, true);
    struct metainfo *metainfo = lone_metainfo(lone, NULL);
    lone_make_engine(lone);
    start_dht(lone, true);
    lone_add_magnet(lone, metainfo);
    pass(lone, 40 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 2);
    assert_true(lone->connect_count >= 1);
    lone_give_metadata(lone, metainfo);
    assert_int_equal(lone->notices[NOTICE_METADATA], 1);
    pass(lone, 3600 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 0);
    struct dht_id hash = info_hash(lone);
    dht_node_announce(outside.nodes[1], lone->now, &hash, PEER_PORT + 1, false);
    uint32_t connects = lone->connect_count;
    lone_add_what_was_fetched(lone);
    pass(lone, 600 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 1);
    assert_int_equal(lone->connect_count, connects);
    metainfo_free(metainfo);
    world_free(lone, &outside);
}

static void engine_stops_announcing_what_is_paused(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    lone_begin(lone, NULL, NULL);
    start_dht(lone, true);
    struct engine_command command = {.type = COMMAND_PAUSE, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    pass(lone, 60 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 1);
    command.type = COMMAND_RESUME;
    engine_input(lone->engine, lone->now, &event);
    pass(lone, 60 * SECOND_NS);
    assert_int_equal(stats_of(outside.nodes[0], lone->now).peers, 2);
    world_free(lone, &outside);
}

static void engine_keeps_the_record_of_its_node(void **state)
{
    (void)state;
    struct outside outside = {0};
    struct lone_engine *lone = world_new(&outside, false);
    struct buffer record = {0};
    lone_begin(lone, NULL, NULL);
    assert_false(engine_dht_save(lone->engine, ADDRESS_IPV4, &record));
    start_dht(lone, true);
    pass(lone, 20 * SECOND_NS);
    assert_true(engine_dht_save(lone->engine, ADDRESS_IPV4, &record));
    struct dht_node *next = dht_node_new(&(struct dht_node_options){.family = ADDRESS_IPV4});
    assert_int_equal(dht_node_load(next, buffer_bytes(&record), lone->now), FRESHET_OK);
    assert_int_equal(stats_of(next, lone->now).nodes, 2);
    dht_node_free(next);
    buffer_deinit(&record);
    world_free(lone, &outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_announces_to_the_dht_and_connects_to_who_is_there),
        cmocka_unit_test(engine_enters_the_dht_by_the_nodes_of_a_torrent),
        cmocka_unit_test(engine_asks_a_node_of_which_a_peer_told),
        cmocka_unit_test(engine_keeps_private_torrents_out_of_the_dht),
        cmocka_unit_test(engine_names_itself_to_who_asks_for_what_it_has),
        cmocka_unit_test(engine_leaves_the_dht_when_metadata_turns_out_private),
        cmocka_unit_test(engine_stops_announcing_what_is_paused),
        cmocka_unit_test(engine_keeps_the_record_of_its_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

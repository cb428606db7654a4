/* SPDX-License-Identifier: MIT */
/* A tracker client talking UDP (BEP 15, 41) to our own tracker server, packet by packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/tracker/tracker_client.h"
#include "core/tracker/tracker_server.h"
#include "core/tracker/tracker_udp.h"

struct sent {
    struct address remote;
    uint8_t bytes[1200];
    size_t length;
};

struct world {
    struct tracker_client *client;
    struct tracker_server *server;
    job_id job_next;
    int64_t now;
    struct address own; /* where the client's packets come from */
    job_id resolve;     /* the look-up under way, or 0 */
    struct sent sent[8];
    size_t sent_count;
};

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, false, &address));
    return address;
}

static void pull(struct world *world)
{
    struct action action;
    world->sent_count = 0;
    while (tracker_client_output(world->client, world->now, &action)) {
        if (action.type == ACTION_RESOLVE) {
            world->resolve = action.resolve->id;
            assert_int_equal(action.resolve->port, 6969);
            continue;
        }
        assert_int_equal(action.type, ACTION_SEND_DATAGRAM);
        assert_true(world->sent_count < 8);
        struct sent *sent = &world->sent[world->sent_count++];
        sent->remote = action.remote;
        sent->length = action.bytes.length;
        memcpy(sent->bytes, action.bytes.data, action.bytes.length);
    }
    tracker_client_check(world->client);
}

static void build(struct world *world, const char *url, uint32_t hash_count)
{
    *world = (struct world){.job_next = 1, .now = 10 * SECOND_NS, .own = at("20.0.0.1:6881")};
    struct bytes list = {(const uint8_t *)url, strlen(url)};
    struct tracker_client_options options = {
        .trackers = &list,
        .tracker_count = 1,
        .info_hash_count = hash_count,
        .seed = 5,
        .job_next = &world->job_next,
    };
    memset(options.info_hashes[0], 'a', 20);
    memset(options.info_hashes[1], 'b', 20);
    memset(options.peer_id, 'p', 20);
    world->client = tracker_client_new(&options);
    world->server = tracker_server_new(&(struct tracker_server_options){.interval_s = 30});
    tracker_client_set_stats(
        world->client, &(struct tracker_client_stats){.left = 9, .port = 6881, .numwant = 50});
    tracker_client_event(world->client, world->now, TRACKER_EVENT_STARTED);
    pull(world);
}

static void finish(struct world *world)
{
    tracker_client_free(world->client);
    tracker_server_free(world->server);
}

static void resolve(struct world *world, const char *first, const char *second)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = world->resolve};
    event.result.resolved.addresses[0] = at(first);
    event.result.resolved.count = second ? 2 : 1;
    if (second)
        event.result.resolved.addresses[1] = at(second);
    world->resolve = 0;
    assert_true(tracker_client_input(world->client, world->now, &event));
    pull(world);
}

static bool deliver(struct world *world, struct address from, const uint8_t *bytes, size_t length)
{
    struct event event = {.type = EVENT_DATAGRAM, .remote = from, .bytes = {bytes, length}};
    return tracker_client_input(world->client, world->now, &event);
}

/* Everything that was sent goes to the server and its replies come back. */
static void exchange(struct world *world)
{
    struct sent sent[8];
    size_t count = world->sent_count;
    memcpy(sent, world->sent, sizeof sent);
    for (size_t i = 0; i < count; i++) {
        uint8_t reply[LIMIT_TRACKER_DATAGRAM];
        size_t length =
            tracker_server_datagram(world->server, world->now, &world->own,
                                    (struct bytes){sent[i].bytes, sent[i].length}, reply);
        if (length > 0)
            assert_true(deliver(world, sent[i].remote, reply, length));
    }
    pull(world);
}

static void wait_deadline(struct world *world)
{
    int64_t deadline = tracker_client_deadline(world->client);
    assert_true(deadline > world->now);
    assert_true(deadline < INT64_MAX);
    world->now = deadline;
    tracker_client_tick(world->client, world->now);
    pull(world);
}

static void client_connects_announces_and_keeps_the_id_for_a_minute(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent_count, 1);
    assert_int_equal(world.sent[0].length, 16);
    assert_int_equal(world.sent[0].remote.port, 6969);
    exchange(&world);
    assert_int_equal(world.sent_count, 1);
    assert_int_equal(world.sent[0].length, 98);
    assert_int_equal(world.sent[0].bytes[83], TRACKER_EVENT_STARTED);
    exchange(&world);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_OK);
    assert_int_equal(result.counts.incomplete, 1);
    /* 30 s later the id is still good, 60 s later it is not. */
    wait_deadline(&world);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent[0].length, 98);
    exchange(&world);
    wait_deadline(&world);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent[0].length, 16);
    exchange(&world);
    exchange(&world);
    tracker_client_event(world.client, world.now, TRACKER_EVENT_STOPPED);
    pull(&world);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent[0].bytes[83], TRACKER_EVENT_STOPPED);
    exchange(&world);
    assert_true(tracker_client_is_stopped(world.client));
    struct tracker_server_stats stats;
    tracker_server_stats(world.server, &stats);
    assert_int_equal(stats.peers, 0);
    assert_int_equal(stats.announces, 4);
    finish(&world);
}

static void client_waits_15_30_and_60_seconds_then_gives_up(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", NULL);
    for (int64_t seconds = 15; seconds <= 60; seconds *= 2) {
        assert_int_equal(world.sent_count, 1);
        assert_false(tracker_client_result(world.client, &result));
        assert_int_equal(tracker_client_deadline(world.client) - world.now, seconds * SECOND_NS);
        wait_deadline(&world);
    }
    assert_int_equal(world.sent_count, 0);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_ERROR);
    assert_int_equal(result.error, FRESHET_ERROR_TIMEOUT);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 10 * SECOND_NS);
    finish(&world);
}

static void client_survives_the_loss_of_any_one_packet(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct world world;
        struct tracker_result result;
        build(&world, "udp://t.example:6969/announce", 1);
        resolve(&world, "192.0.2.1:0", NULL);
        if (lost == 1)
            exchange(&world);
        wait_deadline(&world);
        assert_int_equal(world.sent_count, 1);
        exchange(&world);
        if (lost == 0)
            exchange(&world);
        assert_true(tracker_client_result(world.client, &result));
        assert_int_equal(result.type, TRACKER_RESULT_OK);
        finish(&world);
    }
}

static void client_believes_only_its_tracker_and_its_transaction(void **state)
{
    (void)state;
    struct world world;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", NULL);
    uint8_t reply[16];
    struct writer writer;
    uint32_t transaction = (uint32_t)world.sent[0].bytes[12] << 24 |
                           (uint32_t)world.sent[0].bytes[13] << 16 |
                           (uint32_t)world.sent[0].bytes[14] << 8 | world.sent[0].bytes[15];
    writer_init(&writer, reply, sizeof reply);
    tracker_udp_write_connect_reply(&writer, transaction, 42);
    assert_false(deliver(&world, at("192.0.2.2:6969"), reply, 16));
    assert_false(deliver(&world, at("192.0.2.1:6970"), reply, 16));
    for (size_t length = 0; length < 16; length++)
        assert_false(deliver(&world, at("192.0.2.1:6969"), reply, length));
    reply[7] ^= 1;
    assert_false(deliver(&world, at("192.0.2.1:6969"), reply, 16));
    reply[7] ^= 1;
    /* The right source with an answer to another question: taken, and without effect. */
    reply[3] = TRACKER_UDP_SCRAPE;
    assert_true(deliver(&world, at("192.0.2.1:6969"), reply, 16));
    pull(&world);
    assert_int_equal(world.sent_count, 0);
    reply[3] = TRACKER_UDP_CONNECT;
    assert_true(deliver(&world, at("192.0.2.1:6969"), reply, 16));
    pull(&world);
    assert_int_equal(world.sent[0].length, 98);
    assert_int_equal(world.sent[0].bytes[7], 42);
    finish(&world);
}

static void client_gets_a_new_id_when_the_tracker_has_forgotten_its_own(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", NULL);
    exchange(&world);
    exchange(&world);
    assert_true(tracker_client_result(world.client, &result));
    tracker_server_free(world.server);
    struct tracker_server_options options = {.interval_s = 30};
    memset(options.secret, 9, sizeof options.secret);
    world.server = tracker_server_new(&options);
    wait_deadline(&world);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent[0].length, 98);
    exchange(&world);
    assert_int_equal(world.sent[0].length, 16);
    exchange(&world);
    exchange(&world);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_OK);
    finish(&world);
}

static void client_tells_the_words_of_a_refusal(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    struct tracker_allow_list list;
    size_t line;
    build(&world, "udp://t.example:6969/announce", 1);
    assert_int_equal(tracker_allow_list_parse((struct bytes){NULL, 0}, &list, &line), FRESHET_OK);
    tracker_server_allow(world.server, &list);
    resolve(&world, "192.0.2.1:0", NULL);
    exchange(&world);
    exchange(&world);
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.type, TRACKER_RESULT_ERROR);
    assert_true(bytes_is(result.text, "torrent is not served here"));
    finish(&world);
}

static void client_sends_a_path_that_says_something(void **state)
{
    (void)state;
    struct world world;
    build(&world, "udp://t.example:6969/dir?a=b&c=d", 1);
    resolve(&world, "192.0.2.1:0", NULL);
    exchange(&world);
    static const uint8_t vector[14] = {0x02, 0x0c, 0x2f, 0x64, 0x69, 0x72, 0x3f,
                                       0x61, 0x3d, 0x62, 0x26, 0x63, 0x3d, 0x64};
    assert_int_equal(world.sent[0].length, 98 + 14);
    assert_memory_equal(world.sent[0].bytes + 98, vector, 14);
    finish(&world);
}

static void client_asks_both_families_for_both_hashes(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 2);
    resolve(&world, "192.0.2.1:0", "[2001:db8::1]:0");
    assert_int_equal(world.sent_count, 4);
    exchange(&world);
    assert_int_equal(world.sent_count, 4);
    exchange(&world);
    size_t count = 0;
    while (tracker_client_result(world.client, &result)) {
        assert_int_equal(result.type, TRACKER_RESULT_OK);
        count++;
    }
    assert_int_equal(count, 4);
    finish(&world);
}

static void client_does_not_wait_long_for_a_family_that_leads_nowhere(void **state)
{
    (void)state;
    struct world world;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", "[2001:db8::1]:0");
    int64_t start = world.now;
    for (int i = 0; i < 2; i++) {
        struct sent first = world.sent[0];
        uint8_t reply[LIMIT_TRACKER_DATAGRAM];
        assert_int_equal(first.remote.family, ADDRESS_IPV4);
        size_t length = tracker_server_datagram(world.server, world.now, &world.own,
                                                (struct bytes){first.bytes, first.length}, reply);
        assert_true(deliver(&world, first.remote, reply, length));
        pull(&world);
    }
    wait_deadline(&world);
    assert_int_equal(world.now - start, 15 * SECOND_NS);
    assert_int_equal(world.sent_count, 0);
    wait_deadline(&world);
    resolve(&world, "192.0.2.1:0", "[2001:db8::1]:0");
    assert_int_equal(world.sent_count, 1);
    finish(&world);
}

static void client_fails_at_once_when_the_name_is_unknown(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 1);
    struct event event = {
        .type = EVENT_JOB_DONE, .job = world.resolve, .error = FRESHET_ERROR_RESOLVE};
    assert_true(tracker_client_input(world.client, world.now, &event));
    assert_true(tracker_client_result(world.client, &result));
    assert_int_equal(result.error, FRESHET_ERROR_RESOLVE);
    assert_int_equal(tracker_client_deadline(world.client) - world.now, 10 * SECOND_NS);
    finish(&world);
}

static void client_tries_the_next_address_of_a_name_after_a_failure(void **state)
{
    (void)state;
    struct world world;
    build(&world, "udp://t.example:6969/announce", 1);
    resolve(&world, "192.0.2.1:0", "192.0.2.2:0");
    assert_int_equal(world.sent[0].remote.ip[3], 1);
    for (int i = 0; i < 4; i++)
        wait_deadline(&world);
    resolve(&world, "192.0.2.1:0", "192.0.2.2:0");
    assert_int_equal(world.sent[0].remote.ip[3], 2);
    finish(&world);
}

static void client_scrapes_over_udp(void **state)
{
    (void)state;
    struct world world;
    struct tracker_result result;
    build(&world, "udp://t.example:6969/announce", 2);
    resolve(&world, "192.0.2.1:0", NULL);
    exchange(&world);
    exchange(&world);
    while (tracker_client_result(world.client, &result))
        assert_int_equal(result.type, TRACKER_RESULT_OK);
    tracker_client_scrape(world.client, world.now);
    pull(&world);
    resolve(&world, "192.0.2.1:0", NULL);
    assert_int_equal(world.sent_count, 1);
    assert_int_equal(world.sent[0].length, 16 + 40);
    exchange(&world);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(tracker_client_result(world.client, &result));
        assert_int_equal(result.type, TRACKER_RESULT_SCRAPE);
        assert_int_equal(result.hash_index, i);
        assert_int_equal(result.counts.incomplete, 1);
    }
    finish(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_connects_announces_and_keeps_the_id_for_a_minute),
        cmocka_unit_test(client_waits_15_30_and_60_seconds_then_gives_up),
        cmocka_unit_test(client_survives_the_loss_of_any_one_packet),
        cmocka_unit_test(client_believes_only_its_tracker_and_its_transaction),
        cmocka_unit_test(client_gets_a_new_id_when_the_tracker_has_forgotten_its_own),
        cmocka_unit_test(client_tells_the_words_of_a_refusal),
        cmocka_unit_test(client_sends_a_path_that_says_something),
        cmocka_unit_test(client_asks_both_families_for_both_hashes),
        cmocka_unit_test(client_does_not_wait_long_for_a_family_that_leads_nowhere),
        cmocka_unit_test(client_fails_at_once_when_the_name_is_unknown),
        cmocka_unit_test(client_tries_the_next_address_of_a_name_after_a_failure),
        cmocka_unit_test(client_scrapes_over_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

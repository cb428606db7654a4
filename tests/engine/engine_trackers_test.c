/* SPDX-License-Identifier: MIT */
/* What the engine learns from trackers of the size of a swarm, and what it tells them of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

/* Less than the gap between two scrapes, and more than half of it. */
#define WAIT_NS (600 * SECOND_NS)

static struct tracker {
    const char *announce_reply;
    uint32_t announces, scrapes;
    unsigned long port; /* that the last announce named */
    char scrape_reply[128];
    size_t scrape_length;
} tracker;

static struct bytes say(struct lone_engine *lone, const char *url)
{
    if (strstr(url, "/scrape?") == NULL) {
        tracker.announces++;
        const char *port = strstr(url, "&port=");
        tracker.port = port ? strtoul(port + 6, NULL, 10) : 0;
        return (struct bytes){(const uint8_t *)tracker.announce_reply,
                              strlen(tracker.announce_reply)};
    }
    tracker.scrapes++;
    const char *head = "d5:filesd20:", *tail = "d8:completei7e10:downloadedi9e10:incompletei2eeee";
    strcpy(tracker.scrape_reply, head);
    memcpy(tracker.scrape_reply + strlen(head), lone->info_hash, 20);
    strcpy(tracker.scrape_reply + strlen(head) + 20, tail);
    tracker.scrape_length = strlen(head) + 20 + strlen(tail);
    return (struct bytes){(const uint8_t *)tracker.scrape_reply, tracker.scrape_length};
}

static struct lone_engine *begin(const char *announce_reply, bool paused)
{
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .paused = paused};
    struct lone_engine *lone = lone_prepare(true);
    tracker = (struct tracker){.announce_reply = announce_reply};
    lone->announce = "http://t.example/announce";
    lone->on_tracker = say;
    lone_begin(lone, NULL, &options);
    return lone;
}

static void engine_takes_the_counts_of_an_announce(void **state)
{
    (void)state;
    struct lone_engine *lone =
        begin("d8:completei5e10:incompletei3e8:intervali1800e5:peers0:e", false);
    struct torrent_status status = lone_status(lone);
    assert_true(status.swarm_known);
    assert_int_equal(status.swarm_seeders, 5);
    assert_int_equal(status.swarm_leechers, 3);
    assert_false(status.swarm_downloads_known);
    assert_int_equal(tracker.scrapes, 0);
    lone_free(lone);
}

static void engine_scrapes_when_an_announce_tells_no_counts(void **state)
{
    (void)state;
    struct lone_engine *lone = begin("d8:intervali60e5:peers0:e", false);
    struct torrent_status status = lone_status(lone);
    assert_int_equal(tracker.scrapes, 1);
    assert_true(status.swarm_known);
    assert_true(status.swarm_downloads_known);
    assert_int_equal(status.swarm_seeders, 7);
    assert_int_equal(status.swarm_leechers, 2);
    assert_int_equal(status.swarm_downloads, 9);
    /* Not with every announce. */
    uint32_t announces = tracker.announces;
    lone_wait(lone, WAIT_NS);
    assert_true(tracker.announces > announces + 5);
    assert_int_equal(tracker.scrapes, 1);
    lone_wait(lone, WAIT_NS);
    assert_int_equal(tracker.scrapes, 2);
    lone_free(lone);
}

static void engine_scrapes_for_a_torrent_that_rests(void **state)
{
    (void)state;
    struct lone_engine *lone = begin("d8:intervali60e5:peers0:e", true);
    assert_int_equal(lone_status(lone).phase, PHASE_PAUSED);
    assert_int_equal(tracker.announces, 0);
    assert_int_equal(tracker.scrapes, 1);
    assert_int_equal(lone_status(lone).swarm_seeders, 7);
    lone_wait(lone, 2 * WAIT_NS);
    assert_int_equal(tracker.announces, 0);
    assert_int_equal(tracker.scrapes, 2);
    lone_free(lone);
}

static void engine_knows_no_counts_when_no_tracker_answers(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->announce = "http://t.example/announce";
    lone_begin(lone, NULL, NULL);
    assert_int_equal(lone->notices[NOTICE_TRACKER_ERROR], 1);
    assert_false(lone_status(lone).swarm_known);
    assert_false(lone_status(lone).swarm_downloads_known);
    lone_free(lone);
}

/* A router took another port for us. */
static void engine_announces_the_port_where_peers_come(void **state)
{
    (void)state;
    struct lone_engine *lone = begin("d8:intervali1800e5:peers0:e", false);
    struct engine_command external = {.type = COMMAND_SET_EXTERNAL, .external = lone_address(77)};
    struct engine_command again = {.type = COMMAND_NEW_NETWORK};
    struct engine_command peers = {.type = COMMAND_ADD_PEERS, .torrent = 1, .peer_count = 2};
    struct event event = {.type = EVENT_COMMAND, .command = &external};
    uint32_t announces = tracker.announces;
    external.external.port = 4711;
    engine_input(lone->engine, lone->now, &event);
    event.command = &again;
    engine_input(lone->engine, lone->now, &event);
    lone_wait(lone, 60 * SECOND_NS);
    assert_true(tracker.announces > announces);
    assert_int_equal(tracker.port, 4711);
    /* And that is ourselves, wherever we hear of it. */
    event.command = &peers;
    struct address both[] = {external.external, lone_address(78)};
    peers.peers = both;
    engine_input(lone->engine, lone->now, &event);
    lone_wait(lone, 60 * SECOND_NS);
    assert_true(lone->connect_count > 0);
    for (uint32_t i = 0; i < lone->connect_count; i++)
        assert_true(address_equal(&lone->connects[i], &both[1]));
    /* Not known is not nobody: the port alone is told. */
    external.external = (struct address){.port = 4712};
    event.command = &external;
    engine_input(lone->engine, lone->now, &event);
    event.command = &again;
    engine_input(lone->engine, lone->now, &event);
    lone_wait(lone, LIMIT_ANNOUNCE_CHANGED_NS + WAIT_NS);
    assert_int_equal(tracker.port, 4712);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_takes_the_counts_of_an_announce),
        cmocka_unit_test(engine_scrapes_when_an_announce_tells_no_counts),
        cmocka_unit_test(engine_scrapes_for_a_torrent_that_rests),
        cmocka_unit_test(engine_knows_no_counts_when_no_tracker_answers),
        cmocka_unit_test(engine_announces_the_port_where_peers_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What may be changed while an engine runs, and what a person may ask it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/engine/engine_dht.h"
#include "tests/engine/lone_engine.h"

static void command(struct lone_engine *lone, struct engine_command wish)
{
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    engine_input(lone->engine, lone->now, &event);
    engine_check(lone->engine);
    lone_run(lone);
    engine_check(lone->engine);
}

static void tune(struct lone_engine *lone, struct torrent_tuning tuning)
{
    command(lone,
            (struct engine_command){.type = COMMAND_SET_OPTIONS, .torrent = 1, .tuning = &tuning});
}

static void engine_bounds_the_peers_of_a_torrent(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    tune(lone, (struct torrent_tuning){.peers_max = 1, .seed_ratio = -1, .seed_time_s = -1});
    uint32_t first = lone_leecher(lone, 1, true), second = lone_leecher(lone, 2, true);
    assert_false(lone->closed[first]);
    assert_true(lone->closed[second]);
    tune(lone, (struct torrent_tuning){.seed_ratio = -1, .seed_time_s = -1});
    struct engine_tuning session = {.no_lsd = true, .peers_max = 2};
    command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &session});
    uint32_t third = lone_leecher(lone, 3, true), fourth = lone_leecher(lone, 4, true);
    assert_false(lone->closed[third]);
    assert_true(lone->closed[fourth]);
    session = (struct engine_tuning){.no_lsd = true, .connections_max = 2};
    command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &session});
    assert_false(lone->closed[first]);
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t fifth = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(5)};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    assert_true(lone->closed[fifth]);
    lone_free(lone);
}

static void engine_changes_goals_of_a_seed(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    lone_wait(lone, 100 * SECOND_NS);
    tune(lone, (struct torrent_tuning){.seed_ratio = -1, .seed_time_s = 120});
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_SEED_GOAL], 0);
    tune(lone, (struct torrent_tuning){.seed_ratio = -1, .seed_time_s = -1});
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_SEED_GOAL], 0);
    tune(lone, (struct torrent_tuning){.seed_ratio = -1, .seed_time_s = 60});
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_SEED_GOAL], 1);
    assert_int_equal(lone_status(lone).phase, PHASE_PAUSED);
    lone_free(lone);
}

static void engine_begins_and_ends_super_seeding(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE_ALL), 1);
    tune(lone, (struct torrent_tuning){.super_seed = true, .seed_ratio = -1, .seed_time_s = -1});
    assert_true(lone->closed[peer]);
    peer = lone_leecher(lone, 2, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE_NONE), 1);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE), 1);
    tune(lone, (struct torrent_tuning){.seed_ratio = -1, .seed_time_s = -1});
    assert_true(lone->closed[peer]);
    peer = lone_leecher(lone, 3, true);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_HAVE_ALL), 1);
    lone_free(lone);
}

static void engine_tells_what_could_be_had(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint8_t peers[LONE_PIECES + 1] = {9, 9, 9, 9, 9};
    uint64_t bytes[2] = {7, 7};
    struct torrent_reach reach;
    struct peer_status status[4];
    struct buffer out = {0};
    uint32_t half = lone_accept(lone, 1, true);
    wire_message_put_bitfield(&out, (struct bytes){(const uint8_t *)"\x90", 1});
    lone_feed_buffer(lone, half, &out);
    assert_true(engine_torrent_availability(lone->engine, 1, peers, LONE_PIECES + 1));
    assert_memory_equal(peers, ((const uint8_t[]){1, 0, 0, 1, 9}), sizeof peers);
    assert_true(engine_torrent_reach(lone->engine, 1, &reach));
    assert_int_equal(reach.desired_bytes, LONE_PIECE + 20000);
    assert_int_equal(reach.copies_permille, 500);
    assert_int_equal(engine_torrent_peers(lone->engine, 1, status, 4), 1);
    assert_int_equal(status[0].progress_permille, 500);
    assert_int_equal(status[0].connected_ns, lone->now);
    uint32_t seed = lone_seed_peer(lone, 2, true);
    assert_true(engine_torrent_availability(lone->engine, 1, peers, 2));
    assert_memory_equal(peers, ((const uint8_t[]){2, 1, 0, 1, 9}), sizeof peers);
    assert_true(engine_torrent_reach(lone->engine, 1, &reach));
    assert_int_equal(reach.desired_bytes, LONE_SIZE);
    assert_int_equal(reach.copies_permille, 1500);
    assert_true(engine_torrent_file_bytes(lone->engine, 1, bytes, 2));
    assert_true(bytes[0] == 0 && bytes[1] == 7);
    while (lone_answer(lone, seed, true) > 0)
        continue;
    assert_true(engine_torrent_file_bytes(lone->engine, 1, bytes, 2));
    assert_true(bytes[0] == LONE_SIZE);
    assert_false(engine_torrent_reach(lone->engine, 2, &reach));
    assert_int_equal(engine_torrent_trackers(lone->engine, 1, NULL, 0), 0);
    lone_free(lone);
}

static void engine_tells_of_web_seeds(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct web_seed_status seeds[2];
    lone->fetch_errors = 1;
    lone_begin(lone, "18:http://web.invalid", NULL);
    lone_wait(lone, SECOND_NS);
    assert_int_equal(engine_torrent_web_seeds(lone->engine, 1, seeds, 2), 1);
    assert_int_equal(seeds[0].url.length, 18);
    assert_true(seeds[0].failing);
    lone_wait(lone, 60 * SECOND_NS);
    assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
    assert_int_equal(engine_torrent_web_seeds(lone->engine, 1, seeds, 2), 1);
    assert_false(seeds[0].failing);
    lone_free(lone);
}

static void engine_tells_whom_pieces_come_from(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct piece_fetch fetches[LONE_PIECES];
    lone->defers = true; /* the server's answers */
    lone_begin(lone, "18:http://web.invalid", NULL);
    while (lone_status(lone).phase != PHASE_DOWNLOADING)
        lone_finish(lone, 0);
    uint32_t count = engine_torrent_fetches(lone->engine, 1, fetches, LONE_PIECES);
    assert_in_range(count, 1, LONE_PIECES);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(fetches[i].blocks, 2);
        assert_int_equal(fetches[i].peer_count, 1);
        assert_true(fetches[i].peers[0].is_web_seed);
    }
    assert_int_equal(engine_torrent_fetches(lone->engine, 2, fetches, LONE_PIECES), 0);
    lone->defers = false;
    while (lone->job_count)
        lone_finish(lone, 0);
    assert_int_equal(engine_torrent_fetches(lone->engine, 1, fetches, LONE_PIECES), 0);
    lone_free(lone);
}

static void resolve_nothing(struct lone_engine *lone, const struct resolve_job *job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id, .error = FRESHET_ERROR_RESOLVE};
    engine_input(lone->engine, lone->now, &event);
}

static void engine_gets_trackers_while_it_runs(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    struct tracker_status status[3];
    const struct bytes urls[2] = {BYTES_LITERAL("udp://one.invalid:1/"),
                                  BYTES_LITERAL("udp://two.invalid:1/")};
    const uint32_t tiers[2] = {0, 1};
    lone->on_resolve = resolve_nothing;
    command(lone, (struct engine_command){.type = COMMAND_SET_TRACKERS,
                                          .torrent = 1,
                                          .trackers = urls,
                                          .tracker_tiers = tiers,
                                          .tracker_count = 2});
    lone_wait(lone, SECOND_NS);
    assert_int_equal(engine_torrent_trackers(lone->engine, 1, status, 3), 2);
    assert_true(bytes_equal(status[0].url, urls[0]));
    assert_int_equal(status[1].tier, 1);
    assert_true(status[0].announced_ns > INT64_MIN && !status[0].announced_ok);
    assert_true(status[0].announce_text[0] != '\0');
    assert_int_equal(status[0].seeders, -1);
    command(lone, (struct engine_command){.type = COMMAND_SET_TRACKERS, .torrent = 1});
    assert_int_equal(engine_torrent_trackers(lone->engine, 1, status, 3), 0);
    lone_free(lone);
}

static void count_datagram(struct lone_engine *lone, const struct action *action)
{
    (void)action;
    ++*(uint32_t *)lone->context;
}

static void engine_stops_and_starts_its_dht_and_local_discovery(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    uint32_t datagrams = 0;
    struct dht_node_stats stats;
    lone->context = &datagrams;
    lone->on_local = count_datagram;
    lone_begin(lone, NULL, NULL);
    lone_wait(lone, 700 * SECOND_NS);
    assert_int_equal(datagrams, 0);
    struct engine_tuning session = {0};
    command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &session});
    lone_wait(lone, 700 * SECOND_NS);
    assert_true(datagrams > 0);
    session.no_lsd = true;
    command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &session});
    uint32_t before = datagrams;
    lone_wait(lone, 700 * SECOND_NS);
    assert_int_equal(datagrams, before);

    struct engine_dht_name name = {"192.0.2.1", 6881};
    struct engine_dht_options dht = {.has_ipv4 = true, .names = &name, .name_count = 1};
    for (int i = 0; i < 2; i++) {
        command(lone, (struct engine_command){.type = COMMAND_START_DHT, .dht = &dht});
        lone_wait(lone, 60 * SECOND_NS);
        assert_true(engine_dht_stats(lone->engine, ADDRESS_IPV4, &stats));
        command(lone, (struct engine_command){.type = COMMAND_STOP_DHT});
        assert_false(engine_dht_stats(lone->engine, ADDRESS_IPV4, &stats));
        lone_wait(lone, 60 * SECOND_NS);
    }
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_bounds_the_peers_of_a_torrent),
        cmocka_unit_test(engine_changes_goals_of_a_seed),
        cmocka_unit_test(engine_begins_and_ends_super_seeding),
        cmocka_unit_test(engine_tells_what_could_be_had),
        cmocka_unit_test(engine_tells_of_web_seeds),
        cmocka_unit_test(engine_tells_whom_pieces_come_from),
        cmocka_unit_test(engine_gets_trackers_while_it_runs),
        cmocka_unit_test(engine_stops_and_starts_its_dht_and_local_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The engine and the local network (BEP 14): what it tells there, whom it believes, and that a
 * private torrent (BEP 27) is neither told nor heard, on every path to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/lsd/lsd_packet.h"
#include "tests/engine/lone_magnet.h"

#define PEER_PORT 7777u

/* What went out to the IPv4 group. */
struct lan {
    uint32_t packets;
    struct lsd_packet last;
};

static void on_local(struct lone_engine *lone, const struct action *action)
{
    struct lan *lan = lone->context;
    if (action->remote.family != ADDRESS_IPV4)
        return;
    lan->packets++;
    assert_int_equal(lsd_packet_parse(action->bytes, &lan->last), FRESHET_OK);
    lan->last.cookie = (struct bytes){0};
}

static struct lone_engine *prepare(struct lan *lan, bool is_private)
{
    struct lone_engine *lone = lone_prepare(false);
    *lan = (struct lan){0};
    lone->context = lan;
    lone->on_local = on_local;
    lone->has_lsd = true;
    lone->is_private = is_private;
    return lone;
}

static void command(struct lone_engine *lone, enum command_type type)
{
    struct engine_command wish = {.type = type, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

/* Somebody in the LAN tells of the torrent; true: the engine calls there. */
static bool is_heard_from(struct lone_engine *lone, const char *from)
{
    struct lsd_packet packet = {.port = PEER_PORT, .hash_count = 1};
    struct event event = {.type = EVENT_LOCAL_DATAGRAM};
    struct buffer out = {0};
    uint32_t before = lone->connect_count;
    memcpy(packet.hashes[0], lone->info_hash, 20);
    lsd_packet_write(&packet, ADDRESS_IPV4, &out);
    event.bytes = buffer_bytes(&out);
    assert_true(address_from_text(from, false, &event.remote));
    engine_input(lone->engine, lone->now, &event);
    buffer_deinit(&out);
    lone_run(lone);
    lone_wait(lone, 5 * SECOND_NS);
    if (lone->connect_count == before)
        return false;
    event.remote.port = PEER_PORT;
    assert_true(address_equal(&lone->connects[before], &event.remote));
    return true;
}

/* Not for half an hour of trying. */
static void assert_silent_and_deaf(struct lone_engine *lone)
{
    struct lan *lan = lone->context;
    uint32_t packets = lan->packets, connects = lone->connect_count;
    assert_false(is_heard_from(lone, "192.168.7.70:6771"));
    lone_wait(lone, 1800 * SECOND_NS);
    assert_false(is_heard_from(lone, "192.168.7.71:6771"));
    assert_int_equal(lan->packets, packets);
    assert_int_equal(lone->connect_count, connects);
}

static void engine_tells_the_lan_of_a_torrent_and_hears_of_peers(void **state)
{
    struct lan lan;
    struct lone_engine *lone = prepare(&lan, false);
    (void)state;
    lone_begin(lone, NULL, NULL);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lan.packets, 1);
    assert_int_equal(lan.last.port, 1);
    assert_int_equal(lan.last.hash_count, 1);
    assert_memory_equal(lan.last.hashes[0], lone->info_hash, 20);
    assert_true(is_heard_from(lone, "192.168.7.7:6771"));
    assert_true(is_heard_from(lone, "[fd00::7]:6771"));
    assert_false(is_heard_from(lone, "8.8.8.8:6771"));
    /* Where we listen may become known later, or change. */
    struct event listening = {.type = EVENT_LISTENING, .local = lone_address(200)};
    listening.local.port = 4711;
    engine_input(lone->engine, lone->now, &listening);
    lone_wait(lone, 600 * SECOND_NS);
    assert_int_equal(lan.packets, 3);
    assert_int_equal(lan.last.port, 4711);
    lone_free(lone);
}

static void engine_without_local_discovery_is_silent(void **state)
{
    struct lan lan;
    struct lone_engine *lone = prepare(&lan, false);
    (void)state;
    lone->has_lsd = false;
    lone_begin(lone, NULL, NULL);
    assert_silent_and_deaf(lone);
    lone_free(lone);
}

static void engine_tells_the_lan_of_what_is_active(void **state)
{
    struct lan lan;
    struct torrent_options paused = {
        .root = "/r", .paused = true, .seed_ratio = -1, .seed_time_s = -1};
    struct lone_engine *lone = prepare(&lan, false);
    (void)state;
    lone_begin(lone, NULL, &paused);
    assert_silent_and_deaf(lone);
    command(lone, COMMAND_RESUME);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lan.packets, 1);
    assert_true(is_heard_from(lone, "192.168.7.7:6771"));
    command(lone, COMMAND_PAUSE);
    assert_silent_and_deaf(lone);
    command(lone, COMMAND_RESUME);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lan.packets, 2);
    command(lone, COMMAND_REMOVE_TORRENT);
    assert_silent_and_deaf(lone);
    lone_free(lone);
}

static void engine_keeps_a_private_torrent_from_the_lan(void **state)
{
    struct lan lan;
    struct lone_engine *lone = prepare(&lan, true);
    (void)state;
    lone_begin(lone, NULL, NULL);
    assert_silent_and_deaf(lone);
    lone_free(lone);
}

static void engine_keeps_a_private_torrent_from_the_lan_whatever_a_person_does(void **state)
{
    static const enum command_type wishes[] = {COMMAND_PAUSE, COMMAND_RESUME, COMMAND_RECHECK,
                                               COMMAND_ANNOUNCE, COMMAND_REMOVE_TORRENT};
    struct torrent_options paused = {
        .root = "/r", .paused = true, .seed_ratio = -1, .seed_time_s = -1};
    struct lan lan;
    struct lone_engine *lone = prepare(&lan, true);
    (void)state;
    lone_begin(lone, NULL, &paused);
    assert_silent_and_deaf(lone);
    command(lone, COMMAND_RESUME);
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        command(lone, wishes[i]);
        assert_silent_and_deaf(lone);
    }
    assert_int_equal(lan.packets, 0);
    lone_free(lone);
}

static void engine_keeps_a_private_seed_from_the_lan(void **state)
{
    struct lan lan;
    struct lone_engine *lone = lone_prepare(true);
    (void)state;
    lan = (struct lan){0};
    lone->context = &lan;
    lone->on_local = on_local;
    lone->has_lsd = true;
    lone->is_private = true;
    lone_begin(lone, NULL, NULL);
    assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
    assert_silent_and_deaf(lone);
    assert_int_equal(lan.packets, 0);
    lone_free(lone);
}

/* ---- by magnet link: nobody knows at first ---- */

/* Looked for in the LAN by its hash; what it is goes to `ret_metainfo`. */
static struct lone_engine *begin_by_magnet(struct lan *lan, bool is_private,
                                           struct metainfo **ret_metainfo)
{
    struct lone_engine *lone = prepare(lan, is_private);
    *ret_metainfo = lone_metainfo(lone, NULL);
    lone_make_engine(lone);
    lone_add_magnet(lone, *ret_metainfo);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lan->packets, 1);
    return lone;
}

static void engine_finds_metadata_in_the_lan(void **state)
{
    struct lan lan;
    struct metainfo *metainfo;
    struct lone_engine *lone = begin_by_magnet(&lan, false, &metainfo);
    (void)state;
    assert_true(is_heard_from(lone, "192.168.7.7:6771"));
    lone_give_metadata(lone, metainfo);
    assert_int_equal(lone->notices[NOTICE_METADATA], 1);
    lone_add_what_was_fetched(lone);
    lone_wait(lone, 600 * SECOND_NS);
    assert_int_equal(lan.packets, 3);
    assert_true(is_heard_from(lone, "192.168.7.8:6771"));
    metainfo_free(metainfo);
    lone_free(lone);
}

static void engine_leaves_the_lan_when_metadata_turns_out_private(void **state)
{
    struct lan lan;
    struct metainfo *metainfo;
    struct lone_engine *lone = begin_by_magnet(&lan, true, &metainfo);
    (void)state;
    lone_give_metadata(lone, metainfo);
    assert_int_equal(lone->notices[NOTICE_METADATA], 1);
    /* Before a person has chosen what to do with it, and after. */
    assert_silent_and_deaf(lone);
    lone_add_what_was_fetched(lone);
    assert_silent_and_deaf(lone);
    command(lone, COMMAND_PAUSE);
    command(lone, COMMAND_RESUME);
    assert_silent_and_deaf(lone);
    assert_int_equal(lan.packets, 1);
    metainfo_free(metainfo);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_tells_the_lan_of_a_torrent_and_hears_of_peers),
        cmocka_unit_test(engine_without_local_discovery_is_silent),
        cmocka_unit_test(engine_tells_the_lan_of_what_is_active),
        cmocka_unit_test(engine_keeps_a_private_torrent_from_the_lan),
        cmocka_unit_test(engine_keeps_a_private_torrent_from_the_lan_whatever_a_person_does),
        cmocka_unit_test(engine_keeps_a_private_seed_from_the_lan),
        cmocka_unit_test(engine_finds_metadata_in_the_lan),
        cmocka_unit_test(engine_leaves_the_lan_when_metadata_turns_out_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

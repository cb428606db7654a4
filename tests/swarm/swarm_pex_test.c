/* SPDX-License-Identifier: MIT */
/* Peers tell of other peers (BEP 11), and of a private torrent never (BEP 27). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/pex.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_pex.h"
#include "tests/engine/lone_engine.h"

#define PEX_ID 9 /* of the bench's peers */

static struct address at(const char *text)
{
    struct address address;
    if (!address_from_text(text, false, &address))
        abort();
    return address;
}

static void greet(struct lone_engine *lone, uint32_t index, uint8_t who)
{
    struct wire_handshake handshake = {.fast = true, .extension = true};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, who, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
}

/* Its pieces, and its extension handshake; port 0: it does not say where it listens. */
static void introduce(struct lone_engine *lone, uint32_t index, uint16_t port, bool has_pex)
{
    struct buffer out = {0}, payload = {0};
    struct wire_extension_handshake handshake;
    wire_extension_handshake_init(&handshake);
    handshake.port = port;
    handshake.named[WIRE_EXTENSION_UT_PEX] = has_pex;
    handshake.ids[WIRE_EXTENSION_UT_PEX] = PEX_ID;
    wire_extension_encode(&payload, &handshake);
    wire_message_put(&out, WIRE_HAVE_NONE);
    wire_message_put_extended(&out, 0, buffer_bytes(&payload));
    buffer_deinit(&payload);
    lone_feed_buffer(lone, index, &out);
}

/* Somebody comes from `address` and listens at port 777, if it says so. */
static uint32_t arrive(struct lone_engine *lone, const char *address, bool tells_port)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = at(address)};
    engine_input(lone->engine, lone->now, &event);
    greet(lone, index, (uint8_t)(index + 1));
    introduce(lone, index, tells_port ? 777 : 0, true);
    return index;
}

/* We connect to somebody. */
static uint32_t call(struct lone_engine *lone, const char *address)
{
    struct address peer = at(address);
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &peer, .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    uint32_t index = lone->conn_count - 1;
    struct event connected = {.type = EVENT_CONNECTED, .conn = lone->conns[index]};
    engine_input(lone->engine, lone->now, &connected);
    lone_run(lone);
    greet(lone, index, (uint8_t)(index + 1));
    introduce(lone, index, 0, true);
    return index;
}

static void leave(struct lone_engine *lone, uint32_t index)
{
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[index], .error = FRESHET_ERROR_CLOSED};
    engine_input(lone->engine, lone->now, &event);
    lone->closed[index] = true;
    lone_run(lone);
}

/* Takes what was sent to the peer; the number of exchange messages in it, and the last of them. */
static uint32_t take_pex(struct lone_engine *lone, uint32_t index, struct wire_pex *ret_pex)
{
    uint32_t count = 0;
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[index]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length < 2 || message.data[0] != WIRE_EXTENDED || message.data[1] != PEX_ID)
            continue;
        count++;
        struct bytes payload = {message.data + 2, message.length - 2};
        assert_int_equal(wire_pex_decode(payload, ret_pex), FRESHET_OK);
    }
    lone_forget_sent(lone, index);
    return count;
}

/* The flags by which the address was added; -1: it was not. */
static int flags_of(const struct wire_pex *pex, const char *text)
{
    struct address address = at(text);
    for (uint32_t i = 0; i < pex->added_count; i++)
        if (address_equal(&pex->added[i].address, &address))
            return pex->added[i].flags;
    return -1;
}

static void say_pex(struct lone_engine *lone, uint32_t index, const struct wire_pex *pex)
{
    struct buffer out = {0};
    wire_pex_put(&out, WIRE_EXTENSION_UT_PEX, pex);
    lone_feed_buffer(lone, index, &out);
}

static void say_contact(struct lone_engine *lone, uint32_t index, const char *address,
                        uint8_t flags)
{
    struct wire_pex pex = {.added_count = 1};
    pex.added[0] = (struct wire_pex_contact){at(address), flags};
    say_pex(lone, index, &pex);
}

/* `count` contacts in prefixes of their own, from the given one on. */
static void say_many(struct lone_engine *lone, uint32_t index, uint8_t first, uint32_t count)
{
    struct wire_pex pex = {.added_count = count};
    for (uint32_t i = 0; i < count; i++)
        pex.added[i].address =
            address_ipv4((uint8_t[4]){first, (uint8_t)i, (uint8_t)(i >> 8), 1}, 6881);
    say_pex(lone, index, &pex);
}

static uint32_t known_by_pex(struct lone_engine *lone)
{
    return lone_status(lone).known_by_source[PEER_SOURCE_PEX];
}

static bool is_named(struct lone_engine *lone, uint32_t index)
{
    static const char name[] = "6:ut_pex";
    const struct buffer *sent = &lone->sent[index];
    for (size_t i = 0; i + sizeof name - 1 <= sent->length; i++)
        if (memcmp(sent->data + i, name, sizeof name - 1) == 0)
            return true;
    return false;
}

static struct lone_engine *new_with(bool seed, bool is_private, bool no_pex)
{
    struct lone_engine *lone = lone_prepare(seed);
    lone->is_private = is_private;
    lone->no_pex = no_pex;
    lone_begin(lone, NULL, NULL);
    return lone;
}

static void swarm_pex_tells_who_is_here_and_where_it_listens(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t called = call(lone, "5.0.0.1:1000");
    arrive(lone, "5.0.0.2:2000", true);
    arrive(lone, "5.0.0.3:3000", false);
    lone_say(lone, called, WIRE_HAVE_ALL);
    uint32_t peer = arrive(lone, "5.0.0.4:4000", true);
    assert_true(is_named(lone, peer));
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 1);
    /* Neither itself nor who does not say where it listens. */
    assert_int_equal(pex.added_count, 2);
    assert_int_equal(pex.dropped_count, 0);
    assert_int_equal(flags_of(&pex, "5.0.0.1:1000"), WIRE_PEX_REACHABLE | WIRE_PEX_SEED);
    assert_int_equal(flags_of(&pex, "5.0.0.2:777"), 0);
    lone_free(lone);
}

static void swarm_pex_tells_who_wants_to_know_only(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    arrive(lone, "5.0.0.1:1000", true);
    uint32_t peer = lone_accept_speaking(lone, 2, true, true);
    introduce(lone, peer, 777, false);
    lone_forget_sent(lone, peer);
    lone_wait(lone, 70 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_EXTENDED), 0);
    lone_free(lone);
}

static void swarm_pex_speaks_once_a_minute_of_what_changed(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t first = arrive(lone, "5.0.0.1:1000", true);
    uint32_t peer = arrive(lone, "5.0.0.2:2000", true);
    lone_wait(lone, 7 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 1);
    leave(lone, first);
    arrive(lone, "5.0.0.3:3000", true);
    lone_wait(lone, 50 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 0);
    lone_wait(lone, 12 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 1);
    assert_int_equal(pex.added_count, 1);
    assert_int_equal(flags_of(&pex, "5.0.0.3:777"), 0);
    struct address gone = at("5.0.0.1:777");
    assert_int_equal(pex.dropped_count, 1);
    assert_true(address_equal(&pex.dropped[0].address, &gone));
    lone_free(lone);
}

static void swarm_pex_names_who_left_to_a_newcomer(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct lone_engine *lone = lone_new(false, NULL);
    for (int i = 0; i < 3; i++) /* again and again: it is named once */
        leave(lone, arrive(lone, "5.0.0.1:1000", true));
    uint32_t liar = arrive(lone, "5.0.0.2:2000", true);
    lone_say_index(lone, liar, WIRE_HAVE, 1000);
    assert_true(lone->closed[liar]);
    uint32_t peer = arrive(lone, "5.0.0.3:3000", true);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 1);
    assert_int_equal(pex.added_count, 1);
    assert_int_equal(flags_of(&pex, "5.0.0.1:777"), 0);
    lone_wait(lone, 60 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 1);
    assert_int_equal(pex.dropped_count, 1);
    lone_wait(lone, 600 * SECOND_NS);
    peer = arrive(lone, "5.0.0.4:4000", true);
    lone_wait(lone, 2 * SECOND_NS);
    take_pex(lone, peer, &pex);
    assert_int_equal(flags_of(&pex, "5.0.0.1:777"), -1); /* too long ago */
    lone_free(lone);
}

static void swarm_pex_connects_to_whom_it_hears_of(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    say_contact(lone, peer, "6.0.0.1:6000", 0);
    assert_int_equal(known_by_pex(lone), 1);
    lone_wait(lone, 2 * SECOND_NS);
    struct address expected = at("6.0.0.1:6000");
    assert_int_equal(lone->connect_count, 1);
    assert_true(address_equal(&lone->connects[0], &expected));
    uint32_t called = lone->conn_count - 1;
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[called]};
    engine_input(lone->engine, lone->now, &event);
    greet(lone, called, 77);
    struct peer_status peers[2];
    assert_int_equal(engine_torrent_peers(lone->engine, 1, peers, 2), 2);
    assert_int_equal(peers[0].source, PEER_SOURCE_INBOUND);
    assert_int_equal(peers[1].source, PEER_SOURCE_PEX);
    struct torrent_status status = lone_status(lone);
    assert_int_equal(status.peers_by_source[PEER_SOURCE_PEX], 1);
    assert_int_equal(status.peers_by_source[PEER_SOURCE_INBOUND], 1);
    assert_int_equal(status.known_by_source[PEER_SOURCE_PEX], 1);
    assert_int_equal(status.known_by_source[PEER_SOURCE_INBOUND], 1);
    lone_free(lone);
}

static void swarm_pex_counts_who_tells_no_port_as_inbound(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    arrive(lone, "5.0.0.1:1000", false);
    call(lone, "5.0.0.2:1000");
    struct torrent_status status = lone_status(lone);
    assert_int_equal(status.peers_by_source[PEER_SOURCE_INBOUND], 1);
    assert_int_equal(status.known_by_source[PEER_SOURCE_INBOUND], 0);
    assert_int_equal(status.peers_by_source[PEER_SOURCE_USER], 1);
    assert_int_equal(status.known_by_source[PEER_SOURCE_USER], 1);
    lone_free(lone);
}

static void swarm_pex_keeps_part_of_what_a_message_says(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    say_many(lone, peer, 20, 150);
    assert_int_equal(known_by_pex(lone), PEX_FIRST_ADDED_MAX);
    lone_wait(lone, 30 * SECOND_NS);
    say_many(lone, peer, 21, 150); /* too early */
    assert_int_equal(known_by_pex(lone), PEX_FIRST_ADDED_MAX);
    lone_wait(lone, 30 * SECOND_NS);
    say_many(lone, peer, 22, 150);
    assert_int_equal(known_by_pex(lone), PEX_FIRST_ADDED_MAX + PEX_ADDED_MAX);
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

/* Who wants to fill our list with a network of its own. */
static void swarm_pex_takes_a_share_of_one_prefix_only(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    for (uint32_t minute = 0; minute < 12; minute++) {
        struct wire_pex pex = {.added_count = 50};
        for (uint32_t i = 0; i < 50; i++)
            pex.added[i].address =
                address_ipv4((uint8_t[4]){66, 6, (uint8_t)minute, (uint8_t)i}, 6881);
        say_pex(lone, peer, &pex);
        leave(lone, peer);
        peer = arrive(lone, "5.0.0.1:1000", true);
    }
    assert_int_equal(known_by_pex(lone), LIMIT_PEER_LIST / 8);
    lone_free(lone);
}

static void swarm_pex_leaves_who_floods(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    for (uint32_t i = 0; i < LIMIT_PEX_NUISANCE; i++) {
        assert_false(lone->closed[peer]);
        say_many(lone, peer, (uint8_t)(20 + i), 1);
    }
    assert_int_equal(known_by_pex(lone), 1);
    say_many(lone, peer, 60, 1);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_pex_leaves_who_makes_no_sense(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    struct buffer out = {0};
    wire_message_put_extended(&out, WIRE_EXTENSION_UT_PEX, BYTES_LITERAL("d5:added1:xe"));
    lone_feed_buffer(lone, peer, &out);
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_pex_is_not_led_to_our_own_doors(void **state)
{
    (void)state;
    static const char *const doors[] = {"127.0.0.1:80",   "10.0.0.1:80",        "192.168.1.1:80",
                                        "169.254.1.1:80", "169.254.169.254:80", "[::1]:80",
                                        "[fe80::1]:80",   "[fd00::1]:80",       "224.0.0.1:80",
                                        "0.0.0.0:80",     "8.8.8.8:0"};
    struct wire_pex pex = {.added_count = sizeof doors / sizeof doors[0]};
    for (uint32_t i = 0; i < pex.added_count; i++)
        pex.added[i].address = at(doors[i]);
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t stranger = arrive(lone, "5.0.0.1:1000", true);
    say_pex(lone, stranger, &pex);
    assert_int_equal(known_by_pex(lone), 0);
    lone_wait(lone, 5 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    /* Of its own network a neighbour may tell, of our machine not. */
    uint32_t neighbour = arrive(lone, "10.9.9.9:1000", true);
    say_pex(lone, neighbour, &pex);
    assert_int_equal(known_by_pex(lone), 5);
    lone_free(lone);
}

static void swarm_pex_tells_strangers_of_no_neighbours(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t neighbour = arrive(lone, "10.9.9.9:1000", true);
    uint32_t stranger = arrive(lone, "5.0.0.1:1000", true);
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(take_pex(lone, stranger, &pex), 0);
    assert_int_equal(take_pex(lone, neighbour, &pex), 1);
    assert_int_equal(pex.added_count, 1);
    lone_free(lone);
}

static void swarm_pex_does_not_lead_seeds_to_seeds(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    struct wire_pex pex = {.added_count = 2};
    pex.added[0] = (struct wire_pex_contact){at("6.0.0.1:6000"), WIRE_PEX_SEED};
    pex.added[1] = (struct wire_pex_contact){at("6.0.0.2:6000"), WIRE_PEX_REACHABLE};
    say_pex(lone, peer, &pex);
    lone_wait(lone, 5 * SECOND_NS);
    assert_int_equal(known_by_pex(lone), 2);
    assert_int_equal(lone->connect_count, 1);
    assert_true(address_equal(&lone->connects[0], &pex.added[1].address));
    lone_free(lone);
}

/* Who lies that a peer of ours is a seed does not part us. */
static void swarm_pex_believes_no_flags_of_whom_it_knows(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t known = call(lone, "6.0.0.1:6000");
    uint32_t peer = arrive(lone, "5.0.0.1:1000", true);
    say_contact(lone, peer, "6.0.0.1:6000", WIRE_PEX_SEED);
    leave(lone, known);
    lone_wait(lone, 70 * SECOND_NS);
    assert_int_equal(lone->connect_count, 2);
    lone_free(lone);
}

/* The paths by which a private torrent could give its peers away, each alone (BEP 27). */
static void check_silence(bool seed, bool is_private, bool no_pex)
{
    struct wire_pex pex;
    struct lone_engine *lone = new_with(seed, is_private, no_pex);
    uint32_t called = call(lone, "5.0.0.1:1000");
    uint32_t leaver = arrive(lone, "5.0.0.2:2000", true);
    uint32_t peer = arrive(lone, "5.0.0.3:3000", true);
    /* Not named, whoever began. */
    assert_int_equal(lone_count_sent(lone, called, WIRE_EXTENDED), 1);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_EXTENDED), 1);
    assert_false(is_named(lone, called));
    assert_false(is_named(lone, peer));
    /* Not told, though it asks: neither who is here nor who left. */
    leave(lone, leaver);
    uint32_t late = arrive(lone, "5.0.0.4:4000", true);
    lone_wait(lone, 130 * SECOND_NS);
    assert_int_equal(take_pex(lone, called, &pex), 0);
    assert_int_equal(take_pex(lone, peer, &pex), 0);
    assert_int_equal(take_pex(lone, late, &pex), 0);
    /* Not heard, well-formed or not. */
    say_contact(lone, peer, "6.0.0.1:6000", 0);
    say_contact(lone, called, "6.0.0.2:6000", 0);
    assert_int_equal(known_by_pex(lone), 0);
    lone_wait(lone, 5 * SECOND_NS);
    for (uint32_t i = 0; i < lone->connect_count; i++)
        assert_int_equal(lone->connects[i].ip[0], 5);
    assert_int_equal(lone_status(lone).known_by_source[PEER_SOURCE_PEX], 0);
    lone_free(lone);
}

static void swarm_pex_keeps_out_of_private_torrents(void **state)
{
    (void)state;
    check_silence(false, true, false);
    check_silence(true, true, false);
}

static void swarm_pex_is_silent_when_switched_off(void **state)
{
    (void)state;
    check_silence(false, false, true);
    check_silence(true, false, true);
}

static void swarm_pex_is_paused_with_the_torrent(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct lone_engine *lone = lone_new(false, NULL);
    arrive(lone, "5.0.0.1:1000", true);
    struct engine_command command = {.type = COMMAND_PAUSE, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    command.type = COMMAND_RESUME;
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    /* Whom we let go did not leave. */
    uint32_t peer = arrive(lone, "5.0.0.2:2000", true);
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(take_pex(lone, peer, &pex), 0);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_pex_tells_who_is_here_and_where_it_listens),
        cmocka_unit_test(swarm_pex_tells_who_wants_to_know_only),
        cmocka_unit_test(swarm_pex_speaks_once_a_minute_of_what_changed),
        cmocka_unit_test(swarm_pex_names_who_left_to_a_newcomer),
        cmocka_unit_test(swarm_pex_connects_to_whom_it_hears_of),
        cmocka_unit_test(swarm_pex_counts_who_tells_no_port_as_inbound),
        cmocka_unit_test(swarm_pex_keeps_part_of_what_a_message_says),
        cmocka_unit_test(swarm_pex_takes_a_share_of_one_prefix_only),
        cmocka_unit_test(swarm_pex_leaves_who_floods),
        cmocka_unit_test(swarm_pex_leaves_who_makes_no_sense),
        cmocka_unit_test(swarm_pex_is_not_led_to_our_own_doors),
        cmocka_unit_test(swarm_pex_tells_strangers_of_no_neighbours),
        cmocka_unit_test(swarm_pex_does_not_lead_seeds_to_seeds),
        cmocka_unit_test(swarm_pex_believes_no_flags_of_whom_it_knows),
        cmocka_unit_test(swarm_pex_keeps_out_of_private_torrents),
        cmocka_unit_test(swarm_pex_is_silent_when_switched_off),
        cmocka_unit_test(swarm_pex_is_paused_with_the_torrent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

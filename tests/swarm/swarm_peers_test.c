/* SPDX-License-Identifier: MIT */
/* Connections come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_extension.h"
#include "tests/engine/lone_engine.h"

static void connected(struct lone_engine *lone, uint32_t index)
{
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[index]};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static void add_peers(struct lone_engine *lone, uint8_t first, uint32_t count)
{
    struct address peers[64];
    for (uint32_t i = 0; i < count; i++)
        peers[i] = lone_address((uint8_t)(first + i));
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = peers, .peer_count = count};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static void greet(struct lone_engine *lone, uint32_t index, const uint8_t hash[20],
                  const char peer_id[20])
{
    struct wire_handshake handshake = {.fast = true};
    memcpy(handshake.info_hash, hash, 20);
    memcpy(handshake.peer_id, peer_id, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
}

static void swarm_peers_show_a_lone_handshake_first(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peers(lone, 1, 1);
    assert_int_equal(lone->connect_count, 1);
    struct address expected = lone_address(1);
    assert_true(address_equal(&lone->connects[0], &expected));
    assert_int_equal(lone->sent[0].length, 0);
    connected(lone, 0);
    assert_int_equal(lone->sent[0].length, WIRE_HANDSHAKE_SIZE);
    greet(lone, 0, lone->info_hash, "-XX0001-aaaaaaaaaaaa");
    assert_int_equal(lone_count_sent(lone, 0, WIRE_HAVE_NONE), 1);
    assert_int_equal(lone_status(lone).peers, 1);
    lone_free(lone);
}

static void swarm_peers_close_on_another_torrent_and_on_ourselves(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peers(lone, 1, 2);
    connected(lone, 0);
    connected(lone, 1);
    uint8_t other[20] = {1};
    greet(lone, 0, other, "-XX0001-aaaaaaaaaaaa");
    assert_true(lone->closed[0]);
    greet(lone, 1, lone->info_hash, "-FR0100-lonelonelone");
    assert_true(lone->closed[1]);
    lone_free(lone);
}

static void swarm_peers_give_up_who_does_not_answer(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peers(lone, 1, 2);
    connected(lone, 1);
    lone_wait(lone, 11 * SECOND_NS);
    assert_false(lone->closed[0]);
    assert_true(lone->closed[1]);
    lone_wait(lone, 6 * SECOND_NS);
    assert_true(lone->closed[0]);
    /* And try again soon: a person named them. */
    lone_wait(lone, 4 * SECOND_NS);
    assert_true(lone->connect_count > 3);
    lone_free(lone);
}

/* Both sides connect at once: one connection must stay, and the same one at both ends. */
static void swarm_peers_keep_one_of_two_twins(void **state)
{
    (void)state;
    static const char smaller[] = "-AA0001-aaaaaaaaaaaa", greater[] = "-ZZ0001-aaaaaaaaaaaa";
    for (int is_greater = 0; is_greater < 2; is_greater++) {
        const char *id = is_greater ? greater : smaller;
        struct lone_engine *lone = lone_new(false, NULL);
        add_peers(lone, 1, 1);
        connected(lone, 0);
        conn_id conn = CONN_INBOUND + 1;
        uint32_t inbound = lone_new_conn(lone, conn);
        struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(1)};
        engine_input(lone->engine, lone->now, &event);
        greet(lone, inbound, lone->info_hash, id);
        greet(lone, 0, lone->info_hash, id);
        /* The one that the greater peer id began stays. */
        assert_int_equal(lone->closed[inbound], !is_greater);
        assert_int_equal(lone->closed[0], is_greater);
        lone_free(lone);
    }
}

static void swarm_peers_are_few_from_one_address(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t closed = 0;
    for (uint32_t i = 0; i < LIMIT_CONNECTIONS_PER_ADDRESS + 2; i++) {
        conn_id conn = CONN_INBOUND + i;
        uint32_t index = lone_new_conn(lone, conn);
        struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(1)};
        engine_input(lone->engine, lone->now, &event);
        char id[21];
        snprintf(id, sizeof id, "-XX0001-aaaaaaaaaa%02u", i % 100);
        greet(lone, index, lone->info_hash, id);
        closed += lone->closed[index];
    }
    assert_int_equal(closed, 2);
    lone_free(lone);
}

/* One comes in from an address; is it taken? */
static bool comes_in(struct lone_engine *lone, const char *from, uint32_t number)
{
    struct event event = {.type = EVENT_ACCEPTED, .conn = CONN_INBOUND + lone->conn_count};
    char id[21];
    assert_true(address_from_text(from, false, &event.remote));
    uint32_t index = lone_new_conn(lone, event.conn);
    engine_input(lone->engine, lone->now, &event);
    snprintf(id, sizeof id, "-XX0001-aaaaaaaa%04u", number % 10000);
    greet(lone, index, lone->info_hash, id);
    return !lone->closed[index];
}

static void swarm_peers_of_one_network_leave_room_for_others(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    char from[64];
    uint32_t number = 0;
    for (uint32_t i = 1; i <= LIMIT_INBOUND_PER_NETWORK; i++) {
        snprintf(from, sizeof from, "20.0.0.%u:5", i);
        assert_true(comes_in(lone, from, number++));
        snprintf(from, sizeof from, "[2a00:1:2:%x::1]:5", i);
        assert_true(comes_in(lone, from, number++));
    }
    assert_false(comes_in(lone, "20.0.0.200:5", number++));
    assert_false(comes_in(lone, "[2a00:1:2:ffff::1]:5", number++));
    assert_true(comes_in(lone, "20.0.1.1:5", number++));
    assert_true(comes_in(lone, "[2a00:1:3::1]:5", number++));
    /* At home all may sit behind one prefix. */
    for (uint32_t i = 1; i <= LIMIT_INBOUND_PER_NETWORK + 1; i++) {
        snprintf(from, sizeof from, "192.168.0.%u:5", i);
        assert_true(comes_in(lone, from, number++));
    }
    lone_free(lone);
}

static void tell(struct lone_engine *lone, enum command_type type)
{
    struct engine_command command = {.type = type, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static void swarm_peers_are_called_again_at_once_after_a_pause(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peers(lone, 1, 1);
    /* More often than an address may fail. */
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(lone->connect_count, i);
        if (i == 3) {
            connected(lone, i - 1);
            greet(lone, i - 1, lone->info_hash, "-XX0001-aaaaaaaaaaaa");
        }
        tell(lone, COMMAND_PAUSE);
        assert_true(lone->closed[i - 1]);
        tell(lone, COMMAND_RESUME);
        lone_wait(lone, 2 * SECOND_NS);
    }
    lone_free(lone);
}

/* Somebody comes to us and says where it listens; the tracker names that place too. */
static void swarm_peers_do_not_call_who_is_here(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t peer = lone_accept_speaking(lone, 1, true, true);
    struct buffer out = {0};
    wire_message_put(&out, WIRE_HAVE_NONE);
    wire_message_put_extended(&out, WIRE_EXTENSION_HANDSHAKE, BYTES_LITERAL("d1:pi777ee"));
    lone_feed_buffer(lone, peer, &out);
    struct address listens = lone_address(1);
    listens.port = 777;
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &listens, .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_peers_show_a_lone_handshake_first),
        cmocka_unit_test(swarm_peers_close_on_another_torrent_and_on_ourselves),
        cmocka_unit_test(swarm_peers_give_up_who_does_not_answer),
        cmocka_unit_test(swarm_peers_keep_one_of_two_twins),
        cmocka_unit_test(swarm_peers_are_few_from_one_address),
        cmocka_unit_test(swarm_peers_of_one_network_leave_room_for_others),
        cmocka_unit_test(swarm_peers_are_called_again_at_once_after_a_pause),
        cmocka_unit_test(swarm_peers_do_not_call_who_is_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* One peer by IPv4 and by IPv6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_extension.h"
#include "tests/engine/lone_engine.h"

#define V4 "20.0.0.1:777"
#define V6 "[2a00:1:2:3::4]:777"

static struct address at(const char *text)
{
    struct address address;
    if (!address_from_text(text, false, &address))
        abort();
    return address;
}

static void add_peer(struct lone_engine *lone, const char *text)
{
    struct address address = at(text);
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &address, .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static void greet(struct lone_engine *lone, uint32_t index, uint8_t who)
{
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[index]};
    struct wire_handshake handshake = {.fast = true, .extension = true};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, who, 20);
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
}

/* It tells another address, and a port when that is not 0. */
static void tell(struct lone_engine *lone, uint32_t index, const char *other, uint16_t port)
{
    struct buffer out = {0}, payload = {0};
    struct wire_extension_handshake handshake;
    wire_extension_handshake_init(&handshake);
    handshake.port = port;
    struct address address = at(other);
    *(address.family == ADDRESS_IPV4 ? &handshake.ipv4 : &handshake.ipv6) = address;
    wire_extension_encode(&payload, &handshake);
    wire_message_put(&out, WIRE_HAVE_NONE);
    wire_message_put_extended(&out, 0, buffer_bytes(&payload));
    buffer_deinit(&payload);
    lone_feed_buffer(lone, index, &out);
}

static void break_off(struct lone_engine *lone, uint32_t index)
{
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[index], .error = FRESHET_ERROR_CONNECTION};
    engine_input(lone->engine, lone->now, &event);
    lone->closed[index] = true;
    lone_run(lone);
}

static bool is_called(struct lone_engine *lone, uint32_t number, const char *text)
{
    struct address address = at(text);
    return number < lone->connect_count && address_equal(&lone->connects[number], &address);
}

/* Both addresses of a peer are called; what answers first, if any did twice, is `first`. */
static void call_both(struct lone_engine *lone, uint32_t first)
{
    add_peer(lone, V4);
    add_peer(lone, V6);
    assert_true(is_called(lone, 0, V4) && is_called(lone, 1, V6));
    greet(lone, first, 'a');
    greet(lone, 1 - first, 'a');
    assert_false(lone->closed[first]);
    assert_true(lone->closed[1 - first]);
}

static void one_that_is_known_by_both_is_connected_once(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 2; first++) {
        struct lone_engine *lone = lone_new(false, NULL);
        call_both(lone, first);
        for (int i = 0; i < 8; i++) {
            lone_wait(lone, 60 * SECOND_NS);
            lone_say(lone, first, WIRE_KEEPALIVE);
        }
        assert_false(lone->closed[first]);
        assert_int_equal(lone->connect_count, 2);
        lone_free(lone);
    }
}

static void when_it_leaves_the_other_address_is_its_own_again(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 2; first++) {
        struct lone_engine *lone = lone_new(false, NULL);
        call_both(lone, first);
        break_off(lone, first);
        lone_wait(lone, 62 * SECOND_NS);
        assert_int_equal(lone->connect_count, 4);
        assert_true(is_called(lone, 2, V4) != is_called(lone, 3, V4));
        assert_true(is_called(lone, 2, V6) != is_called(lone, 3, V6));
        lone_free(lone);
    }
}

static void after_a_pause_both_are_called_at_once(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    call_both(lone, 0);
    for (int resumed = 0; resumed < 2; resumed++) {
        struct engine_command command = {.type = resumed ? COMMAND_RESUME : COMMAND_PAUSE,
                                         .torrent = 1};
        struct event event = {.type = EVENT_COMMAND, .command = &command};
        engine_input(lone->engine, lone->now, &event);
        lone_run(lone);
    }
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->connect_count, 4);
    lone_free(lone);
}

static void another_peer_of_the_other_family_is_connected(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peer(lone, V4);
    add_peer(lone, V6);
    greet(lone, 0, 'a');
    greet(lone, 1, 'b');
    assert_false(lone->closed[0]);
    assert_false(lone->closed[1]);
    lone_free(lone);
}

static void what_a_peer_tells_is_called_when_the_connection_breaks(void **state)
{
    static const struct {
        const char *from, *told, *called;
        uint16_t port;
    } cases[] = {
        {V4, "[2a00:1:2:3::4]:1", "[2a00:1:2:3::4]:888", 888},
        {V6, "20.0.0.1:1", "20.0.0.1:888", 888},
        {V4, "[2a00:1:2:3::4]:1", V6, 0}, /* the port that we called it by */
        {V4, "[fd00::4]:1", NULL, 888},   /* no stranger knows our networks */
        {V4, "[::1]:1", NULL, 888},
        {"192.168.0.7:777", "[fd00::4]:1", "[fd00::4]:888", 888},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lone_engine *lone = lone_new(false, NULL);
        add_peer(lone, cases[i].from);
        greet(lone, 0, 'a');
        tell(lone, 0, cases[i].told, cases[i].port);
        lone_wait(lone, 5 * SECOND_NS);
        assert_int_equal(lone->connect_count, 1);
        break_off(lone, 0);
        lone_wait(lone, 2 * SECOND_NS);
        assert_int_equal(lone->connect_count, cases[i].called ? 2 : 1);
        if (cases[i].called)
            assert_true(is_called(lone, 1, cases[i].called));
        lone_free(lone);
    }
}

static void what_a_peer_tells_is_not_called_when_it_was_at_fault(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    add_peer(lone, V4);
    greet(lone, 0, 'a');
    tell(lone, 0, V6, 888);
    lone_feed(lone, 0, (const uint8_t *)"\xff\xff\xff\xff nonsense", 13);
    assert_true(lone->closed[0]);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    lone_free(lone);
}

static void peers_of_a_private_torrent_are_its_trackers(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    lone->is_private = true;
    lone_begin(lone, NULL, NULL);
    add_peer(lone, V4);
    greet(lone, 0, 'a');
    tell(lone, 0, V6, 888);
    break_off(lone, 0);
    lone_wait(lone, 2 * SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_known_by_both_is_connected_once),
        cmocka_unit_test(when_it_leaves_the_other_address_is_its_own_again),
        cmocka_unit_test(after_a_pause_both_are_called_at_once),
        cmocka_unit_test(another_peer_of_the_other_family_is_connected),
        cmocka_unit_test(what_a_peer_tells_is_called_when_the_connection_breaks),
        cmocka_unit_test(what_a_peer_tells_is_not_called_when_it_was_at_fault),
        cmocka_unit_test(peers_of_a_private_torrent_are_its_trackers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

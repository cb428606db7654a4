/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "sim/sim_network.h"

#define PORTS 8u

struct owner {
    struct sim_port port;
    struct sim_end *end; /* the last one that came to be */
    uint32_t accepted, connected, closed, writable;
    enum freshet_error error;
    uint64_t received[PORTS]; /* by sender */
    uint64_t bytes_received;
    int64_t last_at;
    bool lazy; /* reads nothing */
};

struct network_world {
    struct sim_clock clock;
    struct sim_network network;
    struct owner owners[PORTS];
};

static struct network_world world;

static void on_accepted(void *owner, struct sim_end *end, const struct address *remote)
{
    struct owner *me = owner;
    (void)remote;
    me->end = end;
    me->accepted++;
}

static void on_connected(void *owner, struct sim_end *end)
{
    struct owner *me = owner;
    me->end = end;
    me->connected++;
    me->last_at = world.clock.now;
}

static void on_readable(void *owner, struct sim_end *end)
{
    struct owner *me = owner;
    const uint8_t *bytes;
    struct sim_span span;
    uint64_t length;
    while (!me->lazy && (length = sim_end_peek(end, 1u << 20, &bytes, &span)) > 0) {
        me->received[sim_end_remote(end)->index] += length;
        me->bytes_received += bytes ? length : 0;
        me->last_at = world.clock.now;
        sim_end_take(end, length);
    }
}

static void on_writable(void *owner, struct sim_end *end)
{
    (void)end;
    ((struct owner *)owner)->writable++;
}

static void on_closed(void *owner, struct sim_end *end, enum freshet_error error)
{
    struct owner *me = owner;
    (void)end;
    me->closed++;
    me->error = error;
}

static const struct sim_port_handlers handlers = {on_accepted, on_connected, on_readable,
                                                  on_writable, on_closed};

static int set_up(void **state)
{
    (void)state;
    const struct sim_link link = {1000000, 1000000, 10 * MILLISECOND_NS, false};
    world = (struct network_world){0};
    sim_clock_init(&world.clock);
    world.clock.now = 0;
    sim_network_init(&world.network, &world.clock);
    for (uint32_t i = 0; i < PORTS; i++) {
        sim_network_add(&world.network, &world.owners[i].port, &link, &handlers, &world.owners[i]);
        sim_port_revive(&world.owners[i].port);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sim_network_deinit(&world.network);
    assert_int_equal(world.clock.timers.length, 0);
    sim_clock_deinit(&world.clock);
    return 0;
}

static void run_until(int64_t when_ns)
{
    while (sim_clock_step(&world.clock, when_ns))
        ;
}

static struct sim_end *join(uint32_t from, uint32_t to)
{
    struct address address = sim_network_address(to, SIM_LISTEN_PORT);
    struct sim_end *end = sim_end_connect(&world.owners[from].port, &address);
    run_until(world.clock.now + 50 * MILLISECOND_NS);
    return end;
}

static void sim_network_connects_after_a_round_trip(void **state)
{
    (void)state;
    join(0, 1);
    assert_int_equal(world.owners[0].connected, 1);
    assert_int_equal(world.owners[1].accepted, 1);
    assert_int_equal(world.owners[0].last_at, 40 * MILLISECOND_NS);
}

static void sim_network_refuses_at_a_dead_program(void **state)
{
    (void)state;
    sim_port_kill(&world.owners[1].port, false);
    join(0, 1);
    assert_int_equal(world.owners[0].closed, 1);
    assert_int_equal(world.owners[0].error, FRESHET_ERROR_CONNECTION);
}

static void sim_network_is_silent_about_nobodys_address(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 5000);
    run_until(60 * SECOND_NS);
    assert_int_equal(world.owners[0].closed + world.owners[0].connected, 0);
    sim_end_close(end);
}

static void sim_network_keeps_to_the_rate_of_the_slower_link(void **state)
{
    (void)state;
    world.owners[1].port.link.down_bytes_per_s = 500000;
    struct sim_end *end = join(0, 1);
    int64_t start = world.clock.now;
    sim_end_send_span(end, 5000000, 7, 0);
    run_until(100 * SECOND_NS);
    assert_int_equal(world.owners[1].received[0], 5000000);
    int64_t took = world.owners[1].last_at - start;
    assert_in_range(took, 10 * SECOND_NS, 10 * SECOND_NS + 200 * MILLISECOND_NS);
}

static void sim_network_shares_a_link_up_fairly(void **state)
{
    (void)state;
    for (uint32_t to = 1; to <= 4; to++)
        sim_end_send_span(join(0, to), 10000000, 7, 0);
    run_until(world.clock.now + 10 * SECOND_NS);
    uint64_t sum = 0;
    for (uint32_t to = 1; to <= 4; to++) {
        assert_in_range(world.owners[to].received[0], 2400000, 2700000);
        sum += world.owners[to].received[0];
    }
    assert_in_range(sum, 9900000, 10300000);
}

static void sim_network_shares_a_link_down_fairly(void **state)
{
    (void)state;
    for (uint32_t from = 1; from <= 5; from++)
        sim_end_send_span(join(from, 0), 10000000, 7, 0);
    run_until(world.clock.now + 10 * SECOND_NS);
    uint64_t sum = 0;
    for (uint32_t from = 1; from <= 5; from++) {
        assert_in_range(world.owners[0].received[from], 1700000, 2300000);
        sum += world.owners[0].received[from];
    }
    assert_in_range(sum, 9800000, 10300000);
}

static void sim_network_stops_a_writer_whose_reader_pauses(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    world.owners[1].lazy = true;
    sim_end_send_span(end, 10000000, 7, 0);
    run_until(60 * SECOND_NS);
    assert_in_range(world.owners[0].port.bytes_up, SIM_WINDOW, SIM_WINDOW + SIM_CHUNK_MAX);
    world.owners[1].lazy = false;
    on_readable(&world.owners[1], world.owners[1].end);
    run_until(120 * SECOND_NS);
    assert_int_equal(world.owners[1].received[0], 10000000);
}

static void sim_network_keeps_order_of_words_and_payload(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    world.owners[1].lazy = true;
    sim_end_send_bytes(end, (const uint8_t *)"abc", 3);
    sim_end_send_span(end, 1000, 7, 50);
    sim_end_send_bytes(end, (const uint8_t *)"def", 3);
    run_until(world.clock.now + SECOND_NS);
    struct sim_end *reader = world.owners[1].end;
    const uint8_t *bytes;
    struct sim_span span;
    assert_int_equal(sim_end_peek(reader, 100, &bytes, &span), 3);
    assert_memory_equal(bytes, "abc", 3);
    sim_end_take(reader, 3);
    assert_int_equal(sim_end_peek(reader, 600, &bytes, &span), 600);
    assert_null(bytes);
    sim_end_take(reader, 600);
    assert_int_equal(sim_end_peek(reader, 600, &bytes, &span), 400);
    assert_int_equal(span.source, 7);
    assert_int_equal(span.offset, 650);
    sim_end_take(reader, 400);
    assert_int_equal(sim_end_peek(reader, 600, &bytes, &span), 3);
    assert_memory_equal(bytes, "def", 3);
}

static void sim_network_says_when_there_is_room(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    sim_end_send_span(end, 1000000, 7, 0);
    sim_end_want_room(end, 500000);
    run_until(world.clock.now + 480 * MILLISECOND_NS);
    assert_int_equal(world.owners[0].writable, 0);
    run_until(world.clock.now + 40 * MILLISECOND_NS);
    assert_int_equal(world.owners[0].writable, 1);
    run_until(world.clock.now + 5 * SECOND_NS);
    assert_int_equal(world.owners[0].writable, 1);
}

static void sim_network_delivers_what_was_sent_before_a_close(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    sim_end_send_span(end, 1000000, 7, 0);
    sim_end_close(end);
    run_until(20 * SECOND_NS);
    assert_int_equal(world.owners[1].received[0], 1000000);
    assert_int_equal(world.owners[1].closed, 1);
    assert_int_equal(world.owners[1].error, FRESHET_ERROR_CLOSED);
    assert_int_equal(world.owners[0].closed, 0);
    assert_int_equal(world.network.streams.length, 0);
}

static void sim_network_resets_who_writes_to_the_gone(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    sim_end_send_span(end, 100000000, 7, 0);
    run_until(world.clock.now + SECOND_NS);
    sim_end_close(world.owners[1].end);
    run_until(world.clock.now + SECOND_NS);
    assert_int_equal(world.owners[0].closed, 1);
    assert_int_equal(world.network.streams.length, 0);
}

static void sim_network_tells_of_a_killed_program(void **state)
{
    (void)state;
    join(0, 1);
    sim_port_kill(&world.owners[1].port, false);
    run_until(world.clock.now + SECOND_NS);
    assert_int_equal(world.owners[0].closed, 1);
    assert_int_equal(world.owners[0].error, FRESHET_ERROR_CONNECTION);
    assert_int_equal(world.owners[1].closed, 0);
}

static void sim_network_is_silent_after_a_power_cut_until_the_machine_is_back(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    sim_port_kill(&world.owners[1].port, true);
    sim_end_send_bytes(end, (const uint8_t *)"x", 1);
    run_until(world.clock.now + 30 * SECOND_NS);
    assert_int_equal(world.owners[0].closed, 0);
    sim_port_revive(&world.owners[1].port);
    run_until(world.clock.now + 2 * SECOND_NS);
    assert_int_equal(world.owners[0].closed, 1);
}

static void sim_network_holds_up_what_crosses_a_partition(void **state)
{
    (void)state;
    struct sim_end *end = join(0, 1);
    world.owners[1].port.side = 1;
    sim_end_send_span(end, 10000, 7, 0);
    run_until(world.clock.now + 30 * SECOND_NS);
    assert_int_equal(world.owners[1].received[0], 0);
    world.owners[1].port.side = 0;
    run_until(world.clock.now + 2 * SECOND_NS);
    assert_int_equal(world.owners[1].received[0], 10000);
}

static void sim_network_addresses_lead_back_to_their_ports(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PORTS; i++) {
        struct address address = sim_network_address(i, 1);
        assert_ptr_equal(sim_network_at(&world.network, &address), &world.owners[i].port);
        address = sim_network_lan_address(i, 1);
        assert_ptr_equal(sim_network_at(&world.network, &address), &world.owners[i].port);
    }
    for (uint32_t i = 0; i < 30000; i += 7) {
        struct address address = sim_network_address(i, 1);
        assert_false(address_is_private(&address) || address_is_loopback(&address) ||
                     address_is_multicast(&address) || address_is_unspecified(&address));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(sim_network_connects_after_a_round_trip),
        TEST(sim_network_refuses_at_a_dead_program),
        TEST(sim_network_is_silent_about_nobodys_address),
        TEST(sim_network_keeps_to_the_rate_of_the_slower_link),
        TEST(sim_network_shares_a_link_up_fairly),
        TEST(sim_network_shares_a_link_down_fairly),
        TEST(sim_network_stops_a_writer_whose_reader_pauses),
        TEST(sim_network_keeps_order_of_words_and_payload),
        TEST(sim_network_says_when_there_is_room),
        TEST(sim_network_delivers_what_was_sent_before_a_close),
        TEST(sim_network_resets_who_writes_to_the_gone),
        TEST(sim_network_tells_of_a_killed_program),
        TEST(sim_network_is_silent_after_a_power_cut_until_the_machine_is_back),
        TEST(sim_network_holds_up_what_crosses_a_partition),
        TEST(sim_network_addresses_lead_back_to_their_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

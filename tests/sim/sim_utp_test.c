/* SPDX-License-Identifier: MIT */
/* Two ports with a mux each: streams over uTP behave as ends do, on links as bad as told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "sim/sim_nat.h"
#include "sim/sim_torrent.h"
#include "sim/sim_utp.h"

#define PORTS  2u
#define SOURCE (SIM_SOURCE_GARBAGE | 7)
#define LENGTH 300000u

struct owner {
    struct sim_port port;
    struct sim_end *end;
    struct address remote; /* of who was accepted */
    uint32_t accepted, connected, closed, wrong, datagrams;
    enum freshet_error error;
    uint64_t received;
};

static struct {
    struct sim_clock clock;
    struct sim_network network;
    struct sim_torrent *torrent;
    struct owner owners[PORTS];
} world;

static void on_accepted(void *owner, struct sim_end *end, const struct address *remote)
{
    struct owner *me = owner;
    me->end = end;
    me->remote = *remote;
    me->accepted++;
}

static void on_connected(void *owner, struct sim_end *end)
{
    struct owner *me = owner;
    me->end = end;
    me->connected++;
}

static void on_readable(void *owner, struct sim_end *end)
{
    struct owner *me = owner;
    const uint8_t *bytes;
    struct sim_span span;
    uint64_t length;
    while ((length = sim_end_peek(end, 1u << 20, &bytes, &span)) > 0) {
        me->received += length;
        sim_end_take(end, length);
    }
}

static void on_writable(void *owner, struct sim_end *end)
{
    (void)owner;
    (void)end;
}

static void on_closed(void *owner, struct sim_end *end, enum freshet_error error)
{
    struct owner *me = owner;
    (void)end;
    me->end = NULL;
    me->closed++;
    me->error = error;
}

static void on_datagram(void *owner, const struct address *source, struct bytes payload)
{
    struct owner *me = owner;
    assert_int_equal(source->port, SIM_LISTEN_PORT);
    assert_int_equal(payload.length, 3);
    me->datagrams++;
}

static void on_wrong(void *owner, const char *what, int64_t detail)
{
    (void)what;
    (void)detail;
    ((struct owner *)owner)->wrong++;
}

static const struct sim_port_handlers handlers = {on_accepted, on_connected, on_readable,
                                                  on_writable, on_closed};

static void start(const struct sim_air *air)
{
    for (uint32_t i = 0; i < PORTS; i++) {
        struct owner *owner = &world.owners[i];
        const struct sim_utp_options options = {.seed = 5 + i,
                                                .policy = UTP_LEDBAT_PLUS,
                                                .air = *air,
                                                .torrent = world.torrent,
                                                .datagram = on_datagram,
                                                .wrong = on_wrong,
                                                .owner = owner};
        sim_utp_new(&owner->port, &options);
    }
}

static int set_up(void **state)
{
    (void)state;
    const struct sim_link link = {1000000, 1000000, 10 * MILLISECOND_NS, false};
    const struct sim_torrent_options torrent = {.seed = 1, .length = 65536};
    memset(&world, 0, sizeof world);
    sim_clock_init(&world.clock);
    sim_network_init(&world.network, &world.clock);
    world.torrent = sim_torrent_new(&torrent);
    for (uint32_t i = 0; i < PORTS; i++) {
        struct owner *owner = &world.owners[i];
        sim_network_add(&world.network, &owner->port, &link, &handlers, owner);
        sim_port_revive(&owner->port);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PORTS; i++) {
        sim_port_kill(&world.owners[i].port, false);
        sim_utp_free(world.owners[i].port.utp);
    }
    sim_network_deinit(&world.network);
    assert_int_equal(world.clock.timers.length, 0);
    sim_clock_deinit(&world.clock);
    sim_torrent_free(world.torrent);
    return 0;
}

static void run_for(int64_t ns)
{
    int64_t until = world.clock.now + ns;
    while (sim_clock_step(&world.clock, until))
        ;
}

static void dial(void)
{
    struct address remote = sim_network_address(1, SIM_LISTEN_PORT);
    sim_utp_connect(world.owners[0].port.utp, 9, &remote);
    run_for(SECOND_NS);
}

static void spans_and_bytes_arrive_as_they_were_written(void **state)
{
    (void)state;
    struct sim_air air = {.queue_ns = SECOND_NS,
                          .mtu = 1472,
                          .jitter_ns = 15 * MILLISECOND_NS,
                          .lost_per_mille = 50,
                          .doubled_per_mille = 50};
    struct owner *from = &world.owners[0], *to = &world.owners[1];
    conn_id conn;
    start(&air);
    dial();
    assert_int_equal(from->connected, 1);
    assert_true(sim_end_is_utp(from->end, &conn));
    assert_int_equal(conn, 9);
    sim_end_send_bytes(from->end, (const uint8_t *)"hello", 5);
    sim_end_send_span(from->end, LENGTH, SOURCE, 3);
    sim_end_send_bytes(from->end, (const uint8_t *)"bye", 3);
    run_for(60 * SECOND_NS);
    assert_int_equal(to->accepted, 1);
    assert_true(sim_end_remote(to->end) == &from->port);
    assert_int_equal(to->received, LENGTH + 8);
    assert_int_equal(to->wrong, 0);
    assert_int_equal(sim_utp_facts(to->port.utp)->bytes_read, LENGTH + 8);
    sim_end_close(from->end);
    run_for(10 * SECOND_NS);
    assert_int_equal(to->closed, 1);
    assert_int_equal(to->error, FRESHET_ERROR_CLOSED);
}

/* Two ends that do not agree on what the bytes of a span are. */
static void bytes_that_are_not_what_was_written_are_told(void **state)
{
    (void)state;
    const struct sim_torrent_options other = {.seed = 2, .length = 65536};
    struct sim_air air = {.queue_ns = SECOND_NS, .mtu = 1472};
    struct owner *from = &world.owners[0], *to = &world.owners[1];
    start(&air);
    struct sim_torrent *false_one = sim_torrent_new(&other);
    sim_utp_free(to->port.utp);
    false_one->source = world.torrent->source;
    const struct sim_utp_options options = {
        .air = air, .torrent = false_one, .datagram = on_datagram, .wrong = on_wrong, .owner = to};
    sim_utp_new(&to->port, &options);
    dial();
    sim_end_send_span(from->end, 5000, world.torrent->source, 0);
    run_for(10 * SECOND_NS);
    assert_int_equal(to->received, 5000);
    assert_true(to->wrong > 0);
    sim_torrent_free(false_one);
}

static void nobody_answers_where_everything_is_lost(void **state)
{
    (void)state;
    struct sim_air air = {.queue_ns = SECOND_NS, .mtu = 1472, .lost_per_mille = 1000};
    start(&air);
    dial();
    run_for(120 * SECOND_NS);
    assert_int_equal(world.owners[0].connected, 0);
    assert_int_equal(world.owners[0].closed, 1);
    assert_int_equal(world.owners[1].accepted, 0);
    assert_int_equal(sim_utp_facts(world.owners[1].port.utp)->datagrams_in, 0);
}

static void a_full_queue_drops_and_a_long_probe_is_lost(void **state)
{
    (void)state;
    struct sim_air air = {.queue_ns = 10 * MILLISECOND_NS, .mtu = 1200};
    struct sim_port *port = &world.owners[0].port;
    struct address remote = sim_network_address(1, SIM_LISTEN_PORT);
    uint8_t bytes[1300] = {'d'};
    start(&air);
    sim_datagram_send(port, &air, &remote, (struct bytes){bytes, sizeof bytes}, true);
    run_for(SECOND_NS);
    assert_int_equal(sim_utp_facts(world.owners[1].port.utp)->datagrams_in, 0);
    /* A datagram of 31 bytes takes 31 us of the link. */
    for (int i = 0; i < 1000; i++)
        sim_utp_send(port->utp, &remote, (struct bytes){bytes, 3});
    run_for(SECOND_NS);
    assert_int_equal(world.owners[1].datagrams, 323);
}

static void behind_a_nat_one_is_seen_from_outside(void **state)
{
    (void)state;
    struct sim_air air = {.queue_ns = SECOND_NS, .mtu = 1472};
    struct owner *from = &world.owners[0], *to = &world.owners[1];
    struct address outer = sim_network_address(0, 0);
    struct sim_nat nat;
    sim_nat_init(&nat, &outer);
    from->port.nat = &nat;
    start(&air);
    struct address inside = sim_network_address(0, SIM_LISTEN_PORT);
    sim_utp_connect(to->port.utp, 4, &inside);
    run_for(SECOND_NS);
    assert_true(nat.dropped > 0);
    assert_int_equal(from->accepted, 0);
    dial();
    sim_end_send_bytes(from->end, (const uint8_t *)"hello", 5);
    run_for(SECOND_NS);
    assert_int_equal(to->accepted, 1);
    assert_int_equal(to->received, 5);
    assert_int_not_equal(to->remote.port, SIM_LISTEN_PORT);
    assert_true(address_same_ip(&to->remote, &outer));
    sim_nat_deinit(&nat);
    from->port.nat = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(spans_and_bytes_arrive_as_they_were_written),
        TEST(bytes_that_are_not_what_was_written_are_told),
        TEST(nobody_answers_where_everything_is_lost),
        TEST(a_full_queue_drops_and_a_long_probe_is_lost),
        TEST(behind_a_nat_one_is_seen_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

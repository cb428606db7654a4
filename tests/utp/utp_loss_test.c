/* SPDX-License-Identifier: MIT */
/* What one lost packet costs where few are in flight: simulated time, 40 ms there and back. */
#include "tests/utp/utp_network.h"

#include "core/base/limits.h"
#include "core/utp/utp_congestion.h"

#define PACKET   1400u
#define WARM     20000u /* bytes: the round trip is known, the window is open */
#define DELAY_NS (20 * MILLISECOND_NS)
#define FEW      2u /* packets that are written at once */
#define TYPE_MAX 0x0fu

#define EXTENSION_SACK 1u
#define SACK_AT        20u /* its head in a packet, behind the packet's own */
#define SACK_SHORT     4u

/* A burst: its first packets are lost, and a selective ack does not reach as far as they do. */
#define BURST      130u
#define BURST_LOST 40u

/* Of end 0's packets of data: how many went, and which is lost (from 1; 0: none). */
static uint32_t data_packets, lost_packet;
static uint32_t gaps; /* times the other end said that something is missing */

static void lose_one(struct network *net, struct net_packet *packet)
{
    (void)net;
    gaps += packet->from == 1 && packet->bytes[1] == EXTENSION_SACK;
    if (packet->from == 0 && packet->bytes[0] <= TYPE_MAX && ++data_packets == lost_packet)
        packet->to = UINT8_MAX;
}

/* Writes a few packets on a connection that is at rest; returns how long until all are read. */
static int64_t write_few(enum utp_policy policy, uint32_t lost, uint32_t *ret_sent)
{
    struct network net;
    net_init(&net, 5);
    net.delay_ns = DELAY_NS;
    net.filter = lose_one;
    data_packets = lost_packet = 0;
    uint8_t a = net_add(&net, policy, 0), b = net_add(&net, policy, 0);
    struct net_stream *out = net_connect(&net, a, b, 1, WARM);
    net_run(&net, net.now + 2 * SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    assert_non_null(in);
    assert_int_equal(in->read, WARM);

    data_packets = 0;
    lost_packet = lost;
    out->total += (uint64_t)FEW * PACKET;
    net_write(&net, out);
    int64_t began = net.now;
    while (in->read < out->total && net.now - began < 60 * SECOND_NS)
        net_run(&net, net.now + MILLISECOND_NS);
    assert_int_equal(in->read, out->total);
    int64_t took = net.now - began;
    net_run(&net, net.now + 2 * SECOND_NS);
    *ret_sent = data_packets;
    net_check(&net);
    net_deinit(&net);
    return took;
}

static void check_few(enum utp_policy policy)
{
    uint32_t sent_once, sent;
    int64_t alone = write_few(policy, 0, &sent_once);
    assert_in_range(alone, DELAY_NS, 2 * DELAY_NS);
    /* There, heard of, waited for half a round trip, and there again. */
    int64_t again = write_few(policy, 1, &sent);
    assert_in_range(again, 3 * DELAY_NS, 5 * DELAY_NS);
    assert_int_equal(sent, sent_once + 1);
    /* Nothing comes behind the last. */
    assert_true(write_few(policy, sent_once, &sent) >= LIMIT_UTP_RTO_MIN_NS);
    assert_int_equal(sent, sent_once + 1);
}

static void one_of_few_is_sent_again_without_a_timeout(void **state)
{
    (void)state;
    check_few(UTP_LEDBAT_PLUS);
    check_few(UTP_LEDBAT);
}

/* What is only late is not sent again: the others overtake it by less than half a round trip. */
static void one_that_comes_late_is_not_sent_again(void **state)
{
    (void)state;
    gaps = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct network net;
        net_init(&net, seed);
        net.delay_ns = DELAY_NS;
        net.jitter_ns = DELAY_NS / 2;
        net.filter = lose_one;
        data_packets = lost_packet = 0;
        uint8_t a = net_add(&net, UTP_LEDBAT_PLUS, 0), b = net_add(&net, UTP_LEDBAT_PLUS, 0);
        struct net_stream *out = net_connect(&net, a, b, 1, 100);
        net_run(&net, net.now + SECOND_NS);
        for (uint32_t i = 0; i < 20; i++) {
            uint32_t before = data_packets;
            for (uint32_t k = 0; k < FEW; k++) {
                out->total += 100;
                net_write(&net, out);
                net_settle(&net, a);
            }
            net_run(&net, net.now + SECOND_NS);
            assert_int_equal(data_packets, before + FEW);
        }
        assert_int_equal(net_accepted(&net, b, 0)->read, out->total);
        net_deinit(&net);
    }
    assert_true(gaps > 100);
}

/* Loses the head of a burst; end 1 tells of few packets at a time. */
static void lose_head(struct network *net, struct net_packet *packet)
{
    (void)net;
    if (packet->from == 0 && packet->bytes[0] <= TYPE_MAX && ++data_packets <= lost_packet)
        packet->to = UINT8_MAX;
    uint8_t *sack = packet->bytes + SACK_AT;
    if (packet->from == 1 && packet->bytes[1] == EXTENSION_SACK && sack[1] > SACK_SHORT) {
        gaps++;
        packet->length = SACK_AT + 2 + SACK_SHORT;
        sack[1] = SACK_SHORT;
    }
}

/* What arrived long ago is told of only when the hole before it is filled: that is no round trip,
 * and what is sent is not slowed down by it. */
static void what_is_told_late_is_not_timed(void **state)
{
    (void)state;
    struct network net;
    net_init(&net, 7);
    net.delay_ns = MILLISECOND_NS / 10;
    net.filter = lose_head;
    gaps = data_packets = lost_packet = 0;
    uint8_t a = net_add(&net, UTP_LEDBAT_PLUS, 0), b = net_add(&net, UTP_LEDBAT_PLUS, 0);
    struct net_stream *out = net_connect(&net, a, b, 1, 100 * WARM);
    net_run(&net, net.now + 10 * SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    assert_non_null(in);
    assert_int_equal(in->read, 100 * WARM);

    data_packets = 0;
    lost_packet = BURST_LOST;
    out->total += (uint64_t)BURST * PACKET;
    net_write(&net, out);
    net_run(&net, net.now + 2 * LIMIT_UTP_RTO_MIN_NS);
    assert_true(gaps > 10);
    assert_int_equal(in->read, out->total);
    net_check(&net);
    net_deinit(&net);
}

/* A way whose delay grows at once: what is only late is sent again a few times, then no longer. */
static void check_slow(int64_t delay_ns)
{
    struct network net;
    net_init(&net, 9);
    net.delay_ns = DELAY_NS;
    net.filter = lose_one;
    lost_packet = 0;
    uint8_t a = net_add(&net, UTP_LEDBAT_PLUS, 0), b = net_add(&net, UTP_LEDBAT_PLUS, 0);
    struct net_stream *out = net_connect(&net, a, b, 1, WARM);
    net_run(&net, net.now + 2 * SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    assert_non_null(in);

    net.delay_ns = delay_ns;
    for (uint32_t i = 0; i < 10; i++) {
        data_packets = 0;
        out->total += (uint64_t)FEW * PACKET;
        net_write(&net, out);
        net_run(&net, net.now + 20 * SECOND_NS);
        assert_int_equal(in->read, out->total);
        assert_in_range(data_packets, FEW, i < 3 ? 5 * FEW : FEW);
    }
    net_check(&net);
    net_deinit(&net);
}

static void a_way_that_became_slow_is_found_out(void **state)
{
    (void)state;
    check_slow(400 * MILLISECOND_NS);
    check_slow(900 * MILLISECOND_NS);
    check_slow(1800 * MILLISECOND_NS);
}

static void check_least(enum utp_policy policy)
{
    struct utp_window window;
    utp_window_init(&window, policy, PACKET, 1u << 20);
    utp_congestion_on_loss(&window, SECOND_NS);
    assert_int_equal(utp_window_bytes(&window), 2 * PACKET);
    utp_window_move(&window, (int64_t)PACKET << 16);
    utp_congestion_on_loss(&window, 2 * SECOND_NS);
    assert_int_equal(utp_window_bytes(&window), 2 * PACKET);
    /* What the queue has taken is not given back. */
    utp_window_move(&window, -((int64_t)PACKET << 16));
    utp_congestion_on_loss(&window, 3 * SECOND_NS);
    assert_int_equal(utp_window_bytes(&window), PACKET);
}

static void a_loss_leaves_two_packets(void **state)
{
    (void)state;
    check_least(UTP_LEDBAT_PLUS);
    check_least(UTP_LEDBAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_of_few_is_sent_again_without_a_timeout),
        cmocka_unit_test(one_that_comes_late_is_not_sent_again),
        cmocka_unit_test(what_is_told_late_is_not_timed),
        cmocka_unit_test(a_way_that_became_slow_is_found_out),
        cmocka_unit_test(a_loss_leaves_two_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

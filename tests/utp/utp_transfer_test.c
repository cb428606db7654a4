/* SPDX-License-Identifier: MIT */
/* Streams over a network that loses, doubles and reorders; how fast, and how politely. */
#include "tests/utp/utp_network.h"

#define MEGA 1000000u

static void transfer(enum utp_policy policy, uint32_t loss_ppm, int64_t delay_ns, uint64_t bytes)
{
    struct network net;
    net_init(&net, 7 + loss_ppm);
    net.loss_ppm = loss_ppm;
    net.double_ppm = 10000;
    net.jitter_ns = delay_ns / 4;
    net.delay_ns = delay_ns;
    uint8_t a = net_add(&net, policy, 0), b = net_add(&net, policy, 0);
    struct net_stream *out = net_connect(&net, a, b, 1, bytes);
    int64_t began = net.now;
    struct net_stream *in = NULL;
    while (in == NULL && net.now - began < 60 * SECOND_NS) {
        net_run(&net, net.now + 10 * MILLISECOND_NS);
        in = net_accepted(&net, b, 0);
    }
    assert_non_null(in);
    in->total = bytes / 2;
    net_write(&net, in);
    assert_true(net_run_until_read(&net, in, bytes, 3600 * SECOND_NS));
    assert_true(net_run_until_read(&net, out, bytes / 2, 3600 * SECOND_NS));
    print_message("%s, %g %% lost, %lld ms there and back: %.0f kB/s\n",
                  policy == UTP_LEDBAT ? "LEDBAT" : "LEDBAT++", loss_ppm / 1e4,
                  (long long)(2 * delay_ns / MILLISECOND_NS),
                  (double)bytes / 1e3 / ((double)(net.now - began) / 1e9));
    net_check(&net);
    assert_int_equal(out->read, bytes / 2);
    assert_false(out->closed);
    /* Simulated time. A window that collapsed would carry a packet in a timeout. */
    if (loss_ppm <= 30000 && delay_ns <= 25 * MILLISECOND_NS)
        assert_true(bytes / (uint64_t)((net.now - began) / SECOND_NS + 1) > 50000);
    net_deinit(&net);
}

static void streams_arrive_whole_whatever_the_network_does(void **state)
{
    static const uint32_t losses[] = {0, 10000, 30000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        transfer(UTP_LEDBAT_PLUS, losses[i], 25 * MILLISECOND_NS, 2 * MEGA);
        transfer(UTP_LEDBAT, losses[i], 25 * MILLISECOND_NS, 2 * MEGA);
        transfer(UTP_LEDBAT_PLUS, losses[i], 150 * MILLISECOND_NS, 2 * MEGA);
        transfer(UTP_LEDBAT, losses[i], 150 * MILLISECOND_NS, 2 * MEGA);
    }
}

static void sequence_numbers_wrap_without_harm(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 3);
    net.loss_ppm = 2000;
    net.double_ppm = 2000;
    net.delay_ns = MILLISECOND_NS;
    net.jitter_ns = MILLISECOND_NS / 2;
    uint8_t a = net_add(&net, UTP_LEDBAT, 0), b = net_add(&net, UTP_LEDBAT, 0);
    net_connect(&net, a, b, 1, 200 * MEGA);
    net_run(&net, net.now + SECOND_NS);
    assert_true(net_run_until_read(&net, net_accepted(&net, b, 0), 200 * MEGA, 600 * SECOND_NS));
    assert_true(net.wraps_seq >= 2);
    net_check(&net);
    net_deinit(&net);
}

static void clocks_wrap_without_harm(void **state)
{
    struct network net;
    struct utp_status status;
    (void)state;
    net_init(&net, 5);
    net.rate = 2 * MEGA;
    net.behind = 1;
    uint8_t a = net_add(&net, UTP_LEDBAT, 0), b = net_add(&net, UTP_LEDBAT, 0);
    struct net_stream *out = net_connect(&net, a, b, 1, MEGA);
    net_run(&net, net.now + 5 * SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    assert_int_equal(in->read, MEGA);
    /* Idle, except for what keeps a NAT open, until shortly before the clock turns over. */
    int64_t left_us = (int64_t)(UINT32_MAX - net.time_last);
    net_run(&net, net.now + left_us * 1000 - 10 * SECOND_NS);
    assert_int_equal(net.wraps_time, 0);
    out->total = 40 * MEGA;
    net_write(&net, out);
    net_run(&net, net.now + 40 * SECOND_NS);
    assert_int_equal(net.wraps_time, 1);
    assert_int_equal(in->read, 40 * MEGA);
    assert_true(utp_mux_status(net.ends[a].mux, 1, &status));
    assert_true(status.queue_us < 200000);
    net_check(&net);
    net_deinit(&net);
}

/* One flow through 2 MB/s: how full is the link, how long its queue? */
static void bottleneck(enum utp_policy policy, uint32_t least_percent, int64_t queue_low_ns,
                       int64_t queue_high_ns)
{
    struct network net;
    net_init(&net, 11);
    net.rate = 2 * MEGA;
    net.queue_ns = 300 * MILLISECOND_NS;
    net.behind = 1;
    uint8_t a = net_add(&net, policy, 0), b = net_add(&net, policy, 0);
    net_connect(&net, a, b, 1, 1000 * MEGA);
    net_run(&net, net.now + 20 * SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    uint64_t read = in->read;
    net.queue_sum_ns = net.queue_samples = net.queue_most_ns = 0;
    net_run(&net, net.now + 100 * SECOND_NS);
    uint64_t percent = (in->read - read) * 1500 / 1452 / (2 * MEGA);
    int64_t queue = net.queue_sum_ns / net.queue_samples;
    print_message("%s alone: %llu %% of the link, queue %lld ms, at most %lld ms\n",
                  policy == UTP_LEDBAT ? "LEDBAT" : "LEDBAT++", (unsigned long long)percent,
                  (long long)(queue / MILLISECOND_NS),
                  (long long)(net.queue_most_ns / MILLISECOND_NS));
    assert_true(percent >= least_percent);
    assert_in_range(queue, queue_low_ns, queue_high_ns);
    net_check(&net);
    net_deinit(&net);
}

static void a_lone_flow_fills_the_link_and_keeps_the_queue_short(void **state)
{
    (void)state;
    bottleneck(UTP_LEDBAT, 95, 80 * MILLISECOND_NS, 120 * MILLISECOND_NS);
    bottleneck(UTP_LEDBAT_PLUS, 88, 30 * MILLISECOND_NS, 80 * MILLISECOND_NS);
}

static void two_flows_share_whichever_came_first(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 13);
    net.rate = 2 * MEGA;
    net.queue_ns = 300 * MILLISECOND_NS;
    net.behind = 1u | 4u;
    for (int i = 0; i < 4; i++)
        net_add(&net, UTP_LEDBAT_PLUS, 0);
    net_connect(&net, 0, 1, 1, 4000 * (uint64_t)MEGA);
    net_run(&net, net.now + 30 * SECOND_NS);
    net_connect(&net, 2, 3, 1, 4000 * (uint64_t)MEGA);
    net_run(&net, net.now + 30 * SECOND_NS);
    struct net_stream *first = net_accepted(&net, 1, 0), *second = net_accepted(&net, 3, 0);
    uint64_t first_read = first->read, second_read = second->read;
    net_run(&net, net.now + 240 * SECOND_NS);
    first_read = first->read - first_read;
    second_read = second->read - second_read;
    uint64_t share = first_read * 100 / (first_read + second_read);
    print_message("two LEDBAT++: the first has %llu %%\n", (unsigned long long)share);
    assert_in_range(share, 40, 60);
    net_check(&net);
    net_deinit(&net);
}

static void a_narrow_path_is_found_and_costs_no_connection(void **state)
{
    static const uint32_t paths[] = {1300, 1400, 0};
    struct utp_status status;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct network net;
        net_init(&net, 17);
        net.mtu = paths[i];
        uint8_t a = net_add(&net, UTP_LEDBAT, 0), b = net_add(&net, UTP_LEDBAT, 0);
        net_connect(&net, a, b, 1, 20 * MEGA);
        net_run(&net, net.now + 30 * SECOND_NS);
        assert_int_equal(net_accepted(&net, b, 0)->read, 20 * MEGA);
        assert_true(utp_mux_status(net.ends[a].mux, 1, &status));
        uint32_t most = paths[i] ? paths[i] : 1472;
        assert_in_range(status.packet_size, most - 16, most);
        assert_true(net.largest <= 1472);
        net_deinit(&net);
    }
}

/* A reader that stops: the other may send a window's worth and no more, and goes on later. */
static void a_shut_window_holds_and_opens_again(void **state)
{
    struct network net;
    (void)state;
    net_init(&net, 19);
    net.loss_ppm = 50000;
    uint8_t a = net_add(&net, UTP_LEDBAT_PLUS, 65536), b = net_add(&net, UTP_LEDBAT_PLUS, 65536);
    net_connect(&net, a, b, 1, MEGA);
    net_run(&net, net.now + SECOND_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    in->reads_slowly = true;
    net_run(&net, net.now + 300 * SECOND_NS);
    uint64_t before = in->read;
    net_check(&net);
    net_run(&net, net.now + 300 * SECOND_NS);
    assert_int_equal(in->read, before);
    assert_false(in->closed);
    in->reads_slowly = false;
    net_read(&net, in);
    net_settle(&net, b);
    assert_true(in->read > before);
    assert_true(in->read - before <= 65536);
    assert_true(net_run_until_read(&net, in, MEGA, 600 * SECOND_NS));
    net_check(&net);
    net_deinit(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_arrive_whole_whatever_the_network_does),
        cmocka_unit_test(sequence_numbers_wrap_without_harm),
        cmocka_unit_test(clocks_wrap_without_harm),
        cmocka_unit_test(a_lone_flow_fills_the_link_and_keeps_the_queue_short),
        cmocka_unit_test(two_flows_share_whichever_came_first),
        cmocka_unit_test(a_narrow_path_is_found_and_costs_no_connection),
        cmocka_unit_test(a_shut_window_holds_and_opens_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

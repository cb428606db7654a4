/* SPDX-License-Identifier: MIT */
/*
 * uTP and a TCP flow through one bottleneck: 2 MB/s, 300 ms of queue, 20 ms there and back. The TCP
 * is Reno as in RFC 5681, less its timers: every packet is heard of a round trip after it was sent,
 * also that it was lost.
 */
#include "tests/utp/utp_network.h"

#define MEGA        1000000u
#define RATE        (2 * MEGA)
#define STEP_NS     MILLISECOND_NS
#define FULL_BYTES  1500u
#define FLIGHT_MAX  4096u /* a power of two; the queue holds 400 */
#define CWND_ONE    1024u
#define BEFORE_NS   (20 * SECOND_NS)
#define TOGETHER_NS (60 * SECOND_NS)
#define START_NS    (3 * SECOND_NS)

struct reno {
    struct reno_packet {
        int64_t heard_ns;
        bool is_lost;
    } flight[FLIGHT_MAX]; /* a ring; heard of in this order */
    uint64_t sent, heard, recover, arrived;
    uint64_t cwnd, threshold; /* packets × CWND_ONE */
};

static void reno_init(struct reno *reno)
{
    memset(reno, 0, sizeof *reno);
    reno->cwnd = 10 * CWND_ONE;
    reno->threshold = UINT64_MAX;
}

static void reno_hear(struct reno *reno, const struct reno_packet *packet)
{
    uint64_t number = reno->heard++;
    if (packet->is_lost) {
        if (number < reno->recover)
            return; /* halved for this window */
        reno->threshold = reno->cwnd / 2 > 2 * CWND_ONE ? reno->cwnd / 2 : 2 * CWND_ONE;
        reno->cwnd = reno->threshold;
        reno->recover = reno->sent;
        return;
    }
    reno->arrived++;
    reno->cwnd += reno->cwnd < reno->threshold ? CWND_ONE : CWND_ONE * CWND_ONE / reno->cwnd;
}

static void reno_send(struct reno *reno, struct network *net)
{
    struct reno_packet *packet = &reno->flight[reno->sent++ % FLIGHT_MAX];
    int64_t queued = net->busy_ns > net->now ? net->busy_ns - net->now : 0;
    packet->is_lost = queued > net->queue_ns;
    if (!packet->is_lost)
        net->busy_ns = net->now + queued + (int64_t)(FULL_BYTES * SECOND_NS / net->rate);
    packet->heard_ns = net->now + queued + 2 * net->delay_ns;
}

static void reno_step(struct reno *reno, struct network *net)
{
    while (reno->heard < reno->sent && reno->flight[reno->heard % FLIGHT_MAX].heard_ns <= net->now)
        reno_hear(reno, &reno->flight[reno->heard % FLIGHT_MAX]);
    while (reno->sent - reno->heard < reno->cwnd / CWND_ONE &&
           reno->sent - reno->heard < FLIGHT_MAX)
        reno_send(reno, net);
}

/* Bytes of TCP that arrived in that time. */
static uint64_t run_both(struct network *net, struct reno *reno, int64_t ns)
{
    uint64_t before = reno->arrived;
    for (int64_t until = net->now + ns; net->now < until;) {
        reno_step(reno, net);
        net_run(net, net->now + STEP_NS);
    }
    return (reno->arrived - before) * FULL_BYTES;
}

static void net_init_slow(struct network *net)
{
    net_init(net, 17);
    net->rate = RATE;
    net->queue_ns = 300 * MILLISECOND_NS;
    net->behind = 1;
}

static void tcp_alone(uint64_t *ret_start, uint64_t *ret_rest)
{
    static struct reno reno;
    struct network net;
    net_init_slow(&net);
    reno_init(&reno);
    *ret_start = run_both(&net, &reno, START_NS);
    *ret_rest = run_both(&net, &reno, TOGETHER_NS - START_NS);
    net_deinit(&net);
}

static void tcp_beside(enum utp_policy policy)
{
    static struct reno reno;
    struct network net;
    uint64_t alone_start, alone_rest;
    tcp_alone(&alone_start, &alone_rest);
    net_init_slow(&net);
    reno_init(&reno);
    uint8_t a = net_add(&net, policy, 0), b = net_add(&net, policy, 0);
    net_connect(&net, a, b, 1, 4000 * (uint64_t)MEGA);
    net_run(&net, net.now + BEFORE_NS);
    struct net_stream *in = net_accepted(&net, b, 0);
    assert_true(in->read > BEFORE_NS / SECOND_NS * RATE / 2);

    uint64_t start = run_both(&net, &reno, START_NS);
    uint64_t rest = run_both(&net, &reno, TOGETHER_NS - START_NS);
    uint64_t whole = (start + rest) * 100 / (alone_start + alone_rest);
    print_message("TCP beside %s: %llu %% of what it gets alone, %llu %% after three seconds\n",
                  policy == UTP_LEDBAT ? "LEDBAT" : "LEDBAT++", (unsigned long long)whole,
                  (unsigned long long)(rest * 100 / alone_rest));
    assert_true(alone_start + alone_rest > TOGETHER_NS / SECOND_NS * RATE * 9 / 10);
    assert_in_range(whole, 97, 101);
    assert_in_range(rest * 100 / alone_rest, 97, 101);

    /* When TCP has gone, what is free is taken again. */
    net_run(&net, net.now + 20 * SECOND_NS);
    uint64_t read = in->read;
    net_run(&net, net.now + 20 * SECOND_NS);
    assert_true(in->read - read > 20 * (uint64_t)RATE * 8 / 10);
    net_check(&net);
    net_deinit(&net);
}

static void ledbat_plus_steps_aside_for_tcp_and_comes_back(void **state)
{
    (void)state;
    tcp_beside(UTP_LEDBAT_PLUS);
}

static void ledbat_steps_aside_for_tcp_and_comes_back(void **state)
{
    (void)state;
    tcp_beside(UTP_LEDBAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledbat_plus_steps_aside_for_tcp_and_comes_back),
        cmocka_unit_test(ledbat_steps_aside_for_tcp_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

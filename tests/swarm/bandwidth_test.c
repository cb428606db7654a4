/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/bandwidth.h"

#define BLOCK 16384u

static void bandwidth_without_limits_grants_everything(void **state)
{
    (void)state;
    struct bandwidth all, torrent, peer;
    bandwidth_init(&all, NULL, 0, 0);
    bandwidth_init(&torrent, &all, 0, 0);
    bandwidth_init(&peer, &torrent, 0, 0);
    assert_false(bandwidth_is_limited(&peer));
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(bandwidth_take_whole(&peer, 0, 1000000));
    assert_int_equal(bandwidth_take(&peer, 0, 77), 77);
    assert_int_equal(bandwidth_deadline(&peer, 5), 5);
}

/* Runs `count` greedy children for `seconds`; each asks whenever its deadline says so. */
static void run(struct bandwidth *children, uint32_t count, int64_t from, int64_t seconds,
                bool whole, uint64_t *ret_bytes)
{
    int64_t now = from;
    while (now < from + seconds * SECOND_NS) {
        int64_t next = INT64_MAX;
        for (uint32_t i = 0; i < count; i++) {
            if (whole) {
                while (bandwidth_take_whole(&children[i], now, BLOCK))
                    ret_bytes[i] += BLOCK;
            } else {
                ret_bytes[i] += bandwidth_take(&children[i], now, BLOCK);
            }
            int64_t deadline = bandwidth_deadline(&children[i], now);
            if (deadline < next)
                next = deadline;
        }
        now = next > now ? next : now + MILLISECOND_NS;
    }
}

static void siblings_share_a_limit_fairly(void **state)
{
    (void)state;
    const uint64_t rates[] = {20000, 100000, 1000000, 50000000};
    for (uint32_t r = 0; r < 4; r++) {
        for (uint32_t whole = 0; whole < 2; whole++) {
            struct bandwidth all, torrent, peers[10];
            bandwidth_init(&all, NULL, rates[r], 0);
            bandwidth_init(&torrent, &all, 0, 0); /* transparent */
            uint64_t bytes[10] = {0};
            for (uint32_t i = 0; i < 10; i++)
                bandwidth_init(&peers[i], &torrent, 0, 0);
            run(peers, 10, 0, 200, whole, bytes);
            uint64_t total = 0;
            uint64_t fair = rates[r] * 20;
            for (uint32_t i = 0; i < 10; i++) {
                total += bytes[i];
                assert_in_range(bytes[i], fair * 7 / 10 - BLOCK, fair * 12 / 10 + BLOCK);
            }
            assert_in_range(total, rates[r] * 200 * 93 / 100, rates[r] * 201 + BLOCK);
        }
    }
}

/* Peers of three torrents, low, normal and high, below a limit of all. */
static void siblings_share_by_the_weight_of_their_torrent(void **state)
{
    (void)state;
    const uint32_t weights[3] = {BANDWIDTH_WEIGHT / 4, BANDWIDTH_WEIGHT, BANDWIDTH_WEIGHT * 4};
    for (uint32_t whole = 0; whole < 2; whole++) {
        struct bandwidth all, torrents[3], peers[6];
        uint64_t bytes[6] = {0};
        bandwidth_init(&all, NULL, 2000000, 0);
        for (uint32_t i = 0; i < 3; i++) {
            bandwidth_init(&torrents[i], &all, 0, 0);
            bandwidth_place(&torrents[i], &all, weights[i]);
        }
        for (uint32_t i = 0; i < 6; i++)
            bandwidth_init(&peers[i], &torrents[i % 3], 0, 0);
        run(peers, 6, 0, 100, whole, bytes);
        uint64_t part = UINT64_C(2000000) * 100 / 2 / (1 + 4 + 16);
        for (uint32_t i = 0; i < 6; i++)
            assert_in_range(bytes[i], part * weights[i % 3] * 7 / 10,
                            part * weights[i % 3] * 13 / 10 + BLOCK);
    }
}

static void who_is_placed_beside_the_limit_is_held_no_more(void **state)
{
    (void)state;
    struct bandwidth all, torrent, peer;
    bandwidth_init(&all, NULL, 1000, 0);
    bandwidth_init(&torrent, &all, 0, 0);
    bandwidth_init(&peer, &torrent, 0, 0);
    assert_true(bandwidth_take_whole(&peer, 0, 1000000));
    assert_false(bandwidth_may(&peer, 0));
    bandwidth_place(&torrent, NULL, BANDWIDTH_WEIGHT);
    assert_false(bandwidth_is_limited(&peer));
    assert_true(bandwidth_may(&peer, 0));
    assert_int_equal(bandwidth_deadline(&peer, 0), 0);
    bandwidth_place(&torrent, &all, BANDWIDTH_WEIGHT);
    assert_false(bandwidth_may(&peer, 0));
}

static void what_one_leaves_another_takes(void **state)
{
    (void)state;
    struct bandwidth all, peers[2];
    bandwidth_init(&all, NULL, 1000000, 0);
    bandwidth_init(&peers[0], &all, 100000, 0); /* a slow one */
    bandwidth_init(&peers[1], &all, 0, 0);
    uint64_t bytes[2] = {0};
    run(peers, 2, 0, 60, true, bytes);
    assert_in_range(bytes[0], 5400000, 100000 * 61 + BLOCK);
    assert_in_range(bytes[1], 48600000, 900000 * 62 + BLOCK);
    /* Alone it gets all. */
    bytes[1] = 0;
    run(&peers[1], 1, 100 * SECOND_NS, 20, true, &bytes[1]);
    assert_in_range(bytes[1], 19000000, 1000000 * 21);
}

/* Three levels, random rates, random asking: no node ever passes more than its promise over any
 * window. */
static void no_window_passes_more_than_the_limit(void **state)
{
    (void)state;
    enum { STEPS = 3000 };
    static int64_t when[STEPS];
    static uint64_t sent[STEPS + 1];
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct bandwidth all, torrents[2], peers[6];
        uint64_t rate = 1000 + rng_below(&rng, 3000000);
        bandwidth_init(&all, NULL, rate, 0);
        for (uint32_t i = 0; i < 2; i++)
            bandwidth_init(&torrents[i], &all, rng_below(&rng, 2) * 500000, 0);
        for (uint32_t i = 0; i < 6; i++)
            bandwidth_init(&peers[i], &torrents[i % 2], rng_below(&rng, 2) * 90000, 0);
        int64_t now = 0;
        for (uint32_t step = 0; step < STEPS; step++) {
            now += rng_below(&rng, 20) * MILLISECOND_NS;
            struct bandwidth *peer = &peers[rng_below(&rng, 6)];
            uint64_t granted = 0;
            if (rng_below(&rng, 2))
                granted = bandwidth_take_whole(peer, now, BLOCK) ? BLOCK : 0;
            else
                granted = bandwidth_take(peer, now, rng_below(&rng, 20000));
            when[step] = now;
            sent[step + 1] = sent[step] + granted;
        }
        for (uint32_t from = 0; from < STEPS; from += 7)
            for (uint32_t to = from; to < STEPS; to += 11) {
                uint64_t span_ms = (uint64_t)((when[to] - when[from]) / MILLISECOND_NS);
                uint64_t most = rate * span_ms / 1000 + BANDWIDTH_BURST(rate) + BLOCK + 1;
                assert_true(sent[to + 1] - sent[from] <= most);
            }
    }
}

static void who_waits_for_the_deadline_is_served_and_never_spins(void **state)
{
    (void)state;
    const uint64_t rates[] = {100, 33333, 7000000, 900000000};
    for (uint32_t r = 0; r < 4; r++) {
        struct bandwidth all, peer;
        bandwidth_init(&all, NULL, rates[r], 0);
        bandwidth_init(&peer, &all, 0, 0);
        int64_t now = 12345;
        uint64_t sent = 0;
        uint32_t waits = 0;
        while (sent < 100 * rates[r] && sent < 5000 * BLOCK) {
            while (bandwidth_take_whole(&peer, now, BLOCK))
                sent += BLOCK;
            int64_t deadline = bandwidth_deadline(&peer, now);
            assert_true(deadline > now);
            now = deadline;
            waits++;
        }
        int64_t fair = (int64_t)(sent * 1000 / rates[r]) * MILLISECOND_NS;
        assert_true(now <= fair + fair / 20 + SECOND_NS + (int64_t)(BLOCK / rates[r]) * SECOND_NS);
        assert_true(waits <= now / (4 * MILLISECOND_NS) + 2);
    }
}

static void a_charge_is_paid_back_before_anything_passes(void **state)
{
    (void)state;
    struct bandwidth all, peer;
    bandwidth_init(&all, NULL, 100000, 0);
    bandwidth_init(&peer, &all, 0, 0);
    bandwidth_charge(&peer, 0, 1000000);
    assert_false(bandwidth_may(&peer, 9 * SECOND_NS));
    assert_true(bandwidth_deadline(&peer, 9 * SECOND_NS) > 9 * SECOND_NS);
    assert_true(bandwidth_deadline(&peer, 9 * SECOND_NS) < 11 * SECOND_NS);
}

static void a_new_rate_holds_at_once(void **state)
{
    (void)state;
    struct bandwidth all, peer;
    bandwidth_init(&all, NULL, 100000000, 0);
    bandwidth_init(&peer, &all, 0, 0);
    bandwidth_set_rate(&all, 1000, 1);
    uint64_t bytes = 0;
    run(&peer, 1, 1, 100, false, &bytes);
    assert_in_range(bytes, 95000, 101 * 1000);
    bandwidth_set_rate(&all, 0, 200 * SECOND_NS);
    assert_true(bandwidth_take_whole(&peer, 200 * SECOND_NS, 100000000));
    assert_true(bandwidth_take_whole(&peer, 200 * SECOND_NS, 100000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bandwidth_without_limits_grants_everything),
        cmocka_unit_test(siblings_share_a_limit_fairly),
        cmocka_unit_test(siblings_share_by_the_weight_of_their_torrent),
        cmocka_unit_test(who_is_placed_beside_the_limit_is_held_no_more),
        cmocka_unit_test(what_one_leaves_another_takes),
        cmocka_unit_test(no_window_passes_more_than_the_limit),
        cmocka_unit_test(who_waits_for_the_deadline_is_served_and_never_spins),
        cmocka_unit_test(a_charge_is_paid_back_before_anything_passes),
        cmocka_unit_test(a_new_rate_holds_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

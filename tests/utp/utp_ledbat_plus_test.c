/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/utp/utp_congestion.h"

#define PACKET 1400u
#define RTT_NS (60 * MILLISECOND_NS)

static void hear(struct utp_window *window, int64_t now, uint32_t bytes, uint32_t queue_ms)
{
    const struct utp_window_ack ack = {.now = now,
                                       .bytes = bytes,
                                       .queue_us = queue_ms * 1000,
                                       .rtt_ns = RTT_NS,
                                       .rtt_least_ns = RTT_NS,
                                       .was_limit = true};
    utp_congestion_on_ack(window, &ack);
}

/* A window that grew to 60 ms of queue, and has let go of it. */
static int64_t let_go(struct utp_window *window)
{
    int64_t now = SECOND_NS;
    utp_window_init(window, UTP_LEDBAT_PLUS, PACKET, 1u << 20);
    while (utp_window_bytes(window) < 100 * PACKET)
        hear(window, now, PACKET, 0);
    hear(window, now, PACKET, 50);
    while (window->slowdown == UTP_SLOWDOWN_NONE)
        hear(window, now += RTT_NS, PACKET, 50);
    assert_int_equal(utp_window_bytes(window), 2 * PACKET);
    return now;
}

/* And is on its way back. */
static int64_t come_back(struct utp_window *window)
{
    int64_t now = let_go(window);
    while (window->slowdown == UTP_SLOWDOWN_HOLDING)
        hear(window, now += RTT_NS, PACKET, 0);
    return now;
}

static void it_comes_back_as_fast_as_it_started(void **state)
{
    struct utp_window window;
    int64_t now = come_back(&window);
    (void)state;
    for (int i = 0; i < 200 && window.slowdown == UTP_SLOWDOWN_RAMPING; i++)
        hear(&window, now, PACKET, 70); /* another of its kind */
    assert_int_equal(window.slowdown, UTP_SLOWDOWN_NONE);
    assert_true(utp_window_bytes(&window) >= 90 * PACKET);
}

static void it_does_not_come_back_into_a_queue_of_somebody_else(void **state)
{
    struct utp_window window;
    int64_t now = come_back(&window);
    (void)state;
    while (utp_window_bytes(&window) < 20 * PACKET)
        hear(&window, now, PACKET, 10);
    for (int i = 0; i < 100; i++)
        hear(&window, now, PACKET, 200);
    assert_int_equal(window.slowdown, UTP_SLOWDOWN_NONE);
    assert_in_range(utp_window_bytes(&window), PACKET, 2 * PACKET);
}

/* What it held is small already: a loss halves what it goes back to. */
static void a_loss_while_it_holds_costs_half_of_what_it_comes_back_to(void **state)
{
    struct utp_window window;
    int64_t now = let_go(&window);
    uint32_t before = window.threshold;
    (void)state;
    utp_congestion_on_loss(&window, now);
    assert_int_equal(utp_window_bytes(&window), 2 * PACKET);
    assert_int_equal(window.slowdown, UTP_SLOWDOWN_HOLDING);
    while (window.slowdown == UTP_SLOWDOWN_HOLDING)
        hear(&window, now += RTT_NS, PACKET, 0);
    for (int i = 0; i < 200 && window.slowdown == UTP_SLOWDOWN_RAMPING; i++)
        hear(&window, now, PACKET, 0);
    assert_int_equal(window.slowdown, UTP_SLOWDOWN_NONE);
    assert_in_range(utp_window_bytes(&window), before / 2, before / 2 + PACKET);
}

static void losses_while_it_holds_leave_two_packets_to_come_back_to(void **state)
{
    struct utp_window window;
    int64_t now = let_go(&window);
    (void)state;
    for (int i = 0; i < 20; i++)
        utp_congestion_on_loss(&window, now);
    assert_int_equal(window.threshold, 2 * PACKET);
    assert_int_equal(utp_window_bytes(&window), 2 * PACKET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_as_fast_as_it_started),
        cmocka_unit_test(a_loss_while_it_holds_costs_half_of_what_it_comes_back_to),
        cmocka_unit_test(losses_while_it_holds_leave_two_packets_to_come_back_to),
        cmocka_unit_test(it_does_not_come_back_into_a_queue_of_somebody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

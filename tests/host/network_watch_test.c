/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "host/network_watch.h"

static void network_watch_sees_a_sleep_once(void **state)
{
    struct network_watch_sleep sleep = {.seen_ns = 100 * SECOND_NS};

    (void)state;
    assert_false(network_watch_sleep_look(&sleep, 100 * SECOND_NS));
    assert_int_equal(network_watch_sleep_tell(&sleep), 0);
    assert_true(network_watch_sleep_look(&sleep, 3700 * SECOND_NS));
    assert_false(network_watch_sleep_look(&sleep, 3700 * SECOND_NS));
    assert_int_equal(network_watch_sleep_tell(&sleep), 3600 * SECOND_NS);
    assert_int_equal(network_watch_sleep_tell(&sleep), 0);
}

/* A laptop whose lid is opened and closed again before anybody was told. */
static void network_watch_adds_up_sleeps_until_they_are_told(void **state)
{
    struct network_watch_sleep sleep = {0};

    (void)state;
    assert_true(network_watch_sleep_look(&sleep, 10 * SECOND_NS));
    assert_true(network_watch_sleep_look(&sleep, 70 * SECOND_NS));
    assert_int_equal(network_watch_sleep_tell(&sleep), 70 * SECOND_NS);
    assert_true(network_watch_sleep_look(&sleep, 76 * SECOND_NS));
    assert_int_equal(network_watch_sleep_tell(&sleep), 6 * SECOND_NS);
}

/* The two clocks are not read at one instant, and one that is corrected may go back. */
static void network_watch_takes_no_drift_for_sleep(void **state)
{
    struct network_watch_sleep sleep = {.seen_ns = SECOND_NS};
    int64_t now = SECOND_NS;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_false(network_watch_sleep_look(&sleep, now += SECOND_NS / 100));
    assert_false(network_watch_sleep_look(&sleep, now += SLEEP_LEAST_NS));
    assert_false(network_watch_sleep_look(&sleep, now -= SECOND_NS));
    assert_int_equal(network_watch_sleep_tell(&sleep), 0);
    assert_true(network_watch_sleep_look(&sleep, now + SLEEP_LEAST_NS + 1));
    assert_int_equal(network_watch_sleep_tell(&sleep), SLEEP_LEAST_NS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_watch_sees_a_sleep_once),
        cmocka_unit_test(network_watch_adds_up_sleeps_until_they_are_told),
        cmocka_unit_test(network_watch_takes_no_drift_for_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

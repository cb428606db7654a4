/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/base/rng.h"
#include "core/swarm/rate_meter.h"

static void rate_meter_measures_a_steady_stream(void **state)
{
    (void)state;
    struct rate_meter meter;
    rate_meter_init(&meter);
    assert_int_equal(rate_meter_rate(&meter, 5 * SECOND_NS), 0);
    for (int64_t ms = 0; ms < 60000; ms += 10)
        rate_meter_add(&meter, ms * MILLISECOND_NS, 1000);
    assert_in_range(rate_meter_rate(&meter, 60 * SECOND_NS), 95000, 105000);
    assert_in_range(rate_meter_quick(&meter, 60 * SECOND_NS), 90000, 105000);
}

static void rate_meter_counts_a_young_stream_from_its_start(void **state)
{
    (void)state;
    struct rate_meter meter;
    rate_meter_init(&meter);
    rate_meter_add(&meter, 100 * SECOND_NS, 4000);
    assert_int_equal(rate_meter_rate(&meter, 100 * SECOND_NS), 4000);
    assert_int_equal(rate_meter_rate(&meter, 104 * SECOND_NS), 1000);
}

static void rate_meter_forgets_what_is_older_than_its_window(void **state)
{
    (void)state;
    struct rate_meter meter;
    rate_meter_init(&meter);
    rate_meter_add(&meter, 0, 1000000);
    assert_true(rate_meter_rate(&meter, 19 * SECOND_NS) > 0);
    assert_int_equal(rate_meter_rate(&meter, 21 * SECOND_NS), 0);
    rate_meter_add(&meter, 1000 * SECOND_NS, 20000);
    assert_in_range(rate_meter_rate(&meter, 1001 * SECOND_NS), 950, 1100);
}

static void rate_meter_agrees_with_a_list_of_all_bytes(void **state)
{
    (void)state;
    static uint64_t per_second[400];
    struct rng rng;
    rng_init(&rng, 3);
    struct rate_meter meter;
    rate_meter_init(&meter);
    int64_t now = 30 * SECOND_NS;
    for (uint32_t step = 0; step < 2000; step++) {
        now += rng_below(&rng, 100) == 0 ? rng_below(&rng, 30) * SECOND_NS / 8
                                         : rng_below(&rng, 300) * MILLISECOND_NS;
        int64_t second = now / SECOND_NS;
        if (second >= 400)
            break;
        uint32_t bytes = rng_below(&rng, 100000);
        per_second[second] += bytes;
        rate_meter_add(&meter, now, bytes);
        if (second < 60)
            continue;
        uint64_t sum = 0;
        for (int64_t at = second - RATE_METER_WINDOW + 1; at <= second; at++)
            sum += per_second[at];
        int64_t span_ms = now / MILLISECOND_NS - (second - RATE_METER_WINDOW + 1) * 1000;
        assert_int_equal(rate_meter_rate(&meter, now), sum * 1000 / (uint64_t)span_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_meter_measures_a_steady_stream),
        cmocka_unit_test(rate_meter_counts_a_young_stream_from_its_start),
        cmocka_unit_test(rate_meter_forgets_what_is_older_than_its_window),
        cmocka_unit_test(rate_meter_agrees_with_a_list_of_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The histogram of the loop's turns. */
#include "host/turn_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void edges_go_by_one_two_five(void **state)
{
    static const uint64_t first[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000};

    (void)state;
    for (unsigned i = 0; i < sizeof first / sizeof *first; i++)
        assert_int_equal(service_turn_edge_us(i), first[i]);
    assert_int_equal(service_turn_edge_us(SERVICE_TURN_BUCKETS - 2), 10000000);
}

static void a_turn_is_in_one_bucket(void **state)
{
    struct service_turns turns = {0};

    (void)state;
    turn_meter_count(&turns, 0);
    turn_meter_count(&turns, 1000);
    turn_meter_count(&turns, 1001);
    turn_meter_count(&turns, 5000 * 1000);
    turn_meter_count(&turns, 5000 * 1000 + 1);
    turn_meter_count(&turns, UINT64_C(10000000000));
    turn_meter_count(&turns, UINT64_C(10000000001));
    assert_int_equal(turns.buckets[0], 2);
    assert_int_equal(turns.buckets[1], 1);
    assert_int_equal(turns.buckets[11], 1); /* at most 5 ms */
    assert_int_equal(turns.buckets[12], 1);
    assert_int_equal(turns.buckets[SERVICE_TURN_BUCKETS - 2], 1);
    assert_int_equal(turns.buckets[SERVICE_TURN_BUCKETS - 1], 1);
    assert_int_equal(turns.count, 7);
    assert_int_equal(turns.max_ns, UINT64_C(10000000001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_go_by_one_two_five),
        cmocka_unit_test(a_turn_is_in_one_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

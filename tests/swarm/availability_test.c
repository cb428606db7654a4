/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/availability.h"

static void availability_counts_seeds_apart(void **state)
{
    (void)state;
    struct availability availability;
    availability_init(&availability, 3);
    assert_int_equal(availability_add(&availability, 1), 1);
    assert_int_equal(availability_add(&availability, 1), 2);
    availability.seeds = 5;
    assert_int_equal(availability_of(&availability, 0), 5);
    assert_int_equal(availability_of(&availability, 1), 7);
    assert_int_equal(availability_remove(&availability, 1), 1);
    availability_deinit(&availability);
}

static void availability_tells_copies_and_their_fraction(void **state)
{
    (void)state;
    struct availability availability;
    availability_init(&availability, 0);
    assert_int_equal(availability_copies_permille(&availability), 0);
    availability_deinit(&availability);
    availability_init(&availability, 4);
    assert_int_equal(availability_copies_permille(&availability), 0);
    availability_add(&availability, 2);
    availability_add(&availability, 3);
    availability_add(&availability, 3);
    assert_int_equal(availability_copies_permille(&availability), 500); /* two of four are there */
    availability_add(&availability, 0);
    availability_add(&availability, 1);
    assert_int_equal(availability_copies_permille(&availability), 1250);
    availability.seeds = 1;
    assert_int_equal(availability_copies_permille(&availability), 2250);
    availability_deinit(&availability);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(availability_counts_seeds_apart),
        cmocka_unit_test(availability_tells_copies_and_their_fraction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

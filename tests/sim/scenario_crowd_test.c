/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/scenario_run.h"

static void a_crowd_of_100_is_served_within_twice_the_bound(void **state)
{
    (void)state;
    const struct sim_wish options = {.seed = 1};
    scenario_run_twice("flash_crowd", &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_of_100_is_served_within_twice_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

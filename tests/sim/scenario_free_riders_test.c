/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/scenario_run.h"

static void who_uploads_nothing_waits_longer(void **state)
{
    (void)state;
    const struct sim_wish options = {.seed = 1};
    scenario_run_twice("free_riders", &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_uploads_nothing_waits_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

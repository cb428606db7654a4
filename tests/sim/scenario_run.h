/* SPDX-License-Identifier: MIT */
/* What every scenario's test asks: it ends well, and twice in the same way. */
#ifndef FRESHET_TESTS_SCENARIO_RUN_H
#define FRESHET_TESTS_SCENARIO_RUN_H

#include "sim/scenario.h"

static inline void scenario_run_twice(const char *name, const struct sim_wish *options)
{
    uint64_t digests[2];
    const struct scenario *scenario = scenario_find(name);
    assert_non_null(scenario);
    for (int i = 0; i < 2; i++) {
        struct sim_verdict result;
        scenario_run(scenario, options, &result);
        if (!result.passed)
            print_error("%.*s", (int)result.reasons.length, (const char *)result.reasons.data);
        assert_true(result.passed);
        assert_true(result.last_ns > 0);
        digests[i] = result.digest;
        sim_verdict_deinit(&result);
    }
    assert_int_equal(digests[0], digests[1]);
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Scenarios: stories with real engines that must end well, each with its verdict. The table in
 * scenario.c is the list; each is a file scenario_<name>.c. `freshet sim` runs them, and so does
 * the test run.
 */
#ifndef FRESHET_SIM_SCENARIO_H
#define FRESHET_SIM_SCENARIO_H

#include "sim/sim_swarm.h"

struct scenario {
    const char *name;
    const char *summary; /* one line */
    uint32_t nodes;      /* by default */
    uint64_t size;
    void (*run)(const struct sim_wish *options, struct sim_verdict *result);
};

uint32_t scenario_count(void);
const struct scenario *scenario_at(uint32_t index);
/* NULL: there is none of that name. */
const struct scenario *scenario_find(const char *name);
void scenario_run(const struct scenario *scenario, const struct sim_wish *options,
                  struct sim_verdict *ret_result);

#endif

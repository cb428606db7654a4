/* SPDX-License-Identifier: MIT */
/* What a simulation's result looks like: for a person, with a plot, and as JSON. */
#ifndef FRESHET_CLI_SIM_REPORT_H
#define FRESHET_CLI_SIM_REPORT_H

#include "sim/scenario.h"

/* `all_nodes`: a line for each node, however many there are. */
void sim_report_print(const struct scenario *scenario, const struct sim_wish *options,
                      const struct sim_verdict *result, bool all_nodes);
void sim_report_print_json(const struct scenario *scenario, const struct sim_wish *options,
                           const struct sim_verdict *result);

#endif

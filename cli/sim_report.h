/* SPDX-License-Identifier: MIT */
/* What a simulation's result looks like: for a person, with a plot, and as JSON. */
#ifndef FRESHET_CLI_SIM_REPORT_H
#define FRESHET_CLI_SIM_REPORT_H

#include "sim/scenario.h"

/* `all_nodes`: a line for each node, however many there are. */
void sim_report_print(const struct scenario *scenario, const struct scenario_options *options,
                      const struct scenario_result *result, bool all_nodes);
void sim_report_print_json(const struct scenario *scenario, const struct scenario_options *options,
                           const struct scenario_result *result);

#endif

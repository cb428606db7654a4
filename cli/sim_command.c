/* SPDX-License-Identifier: MIT */
/* freshet sim: what would happen. Runs a scenario with real engines in a pretend world. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/sim_report.h"

#define NODES_MAX  100000u
#define SIZE_LIMIT (UINT64_C(64) << 30)

static const struct command_option options[] = {
    {.name = "seed", .argument = "N", .help = "seed of the run; the same seed, the same run (1)"},
    {.name = "nodes", .letter = 'n', .argument = "N", .help = "how many nodes, the seed included"},
    {.name = "size", .letter = 's', .argument = "SIZE", .help = "bytes of content, as 64M"},
    {.name = "check", .help = "let every engine check itself after every event (slow)"},
    {.name = "verbose", .letter = 'v', .help = "a line for each node"},
    {.name = "json", .help = "print facts as one line of JSON"},
    {.name = "list", .help = "print the scenarios that there are"},
    {0},
};

static int list_scenarios(void)
{
    for (uint32_t i = 0; i < scenario_count(); i++)
        printf("%-14s  %s\n", scenario_at(i)->name, scenario_at(i)->summary);
    return EXIT_CODE_OK;
}

static int run_scenario(const struct command_call *call, const struct scenario *scenario,
                        const struct sim_wish *wishes)
{
    struct sim_verdict result;
    scenario_run(scenario, wishes, &result);
    if (command_has(call, "json"))
        sim_report_print_json(scenario, wishes, &result);
    else
        sim_report_print(scenario, wishes, &result, command_has(call, "verbose"));
    bool passed = result.passed;
    sim_verdict_deinit(&result);
    return passed ? EXIT_CODE_OK : EXIT_CODE_DATA;
}

static int sim_run(struct command_call *call)
{
    uint64_t seed = 1, nodes = 0, size = 0;
    if (!command_number(call, "seed", UINT64_MAX / 100, &seed) ||
        !command_number(call, "nodes", NODES_MAX, &nodes) || !command_size(call, "size", &size))
        return EXIT_CODE_USAGE;
    if (command_has(call, "list"))
        return list_scenarios();
    if (command_operand_count(call) != 1)
        return command_usage_error("which scenario? --list shows them");
    const char *name = command_operand(call, 0);
    const struct scenario *scenario = scenario_find(name);
    if (scenario == NULL)
        return command_usage_error("no scenario '%.40s'; --list shows them", name);
    if (command_has(call, "nodes") && nodes < 2)
        return command_usage_error("--nodes: at least 2, a seed and a peer");
    if (size > SIZE_LIMIT || (command_has(call, "size") && size == 0))
        return command_usage_error("--size: from 1 byte to 64 GiB");
    const struct sim_wish wishes = {.seed = seed,
                                    .nodes = (uint32_t)nodes,
                                    .size = size,
                                    .check_every = command_has(call, "check") ? 1 : 0};
    return run_scenario(call, scenario, &wishes);
}

extern const struct command sim_command;
const struct command sim_command = {
    .name = "sim",
    .summary = "simulate a swarm and tell what happens",
    .operands = "SCENARIO",
    .description =
        "Runs real engines, as many as --nodes says, in a pretend world: links, disks, tracker "
        "and clock are simulated, in one process and much faster than time. The same seed gives "
        "the same run and the same digest on every machine.\n\n"
        "Prints when each peer was complete, beside the time that no schedule can beat, and "
        "whether everything went well: every byte durable, nothing recorded lost, the books "
        "balanced. When it did not, the exit code is 5.",
    .options = options,
    .examples = {"freshet sim --list", "freshet sim flash_crowd --nodes 200 --size 64M",
                 "freshet sim poisoner --seed 7 --json"},
    .operands_max = 1,
    .run = sim_run,
};

/* SPDX-License-Identifier: MIT */
/*
 * No tracker, no DHT, nobody is told of anybody: neighbours find each other by local discovery
 * alone. Half of the peers have a magnet link only.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    (void)context;
    node->uses_lan = true;
    node->has_magnet = index % 2 == 1;
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {
        .scenario = options,
        .version = (enum sim_torrent_version)(options->seed % 3),
        .file_count = 3,
        .has_no_tracker = true,
        .arrival_ns = 120 * SECOND_NS,
        .customise = customise,
    };
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    sim_world_free(world);
}

const struct scenario scenario_local_discovery = {
    "local_discovery", "no tracker, a LAN: all find each other by local discovery", 6, 4 * MIB,
    run};

/* SPDX-License-Identifier: MIT */
/* No tracker lives. The seed is the way into the DHT; half of the peers have a magnet link only. */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    (void)context;
    node->uses_dht = true;
    node->has_magnet = index % 2 == 1;
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {
        .scenario = options,
        .version = (enum sim_torrent_version)(options->seed % 3),
        .file_count = 3,
        .arrival_ns = 30 * SECOND_NS,
        .customise = customise,
    };
    struct sim_world *world = sim_swarm_new(&swarm);
    world->tracker.dead = true;
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    if (sim_tracker_announces(&world->tracker))
        sim_verdict_fail(result, "a dead tracker heard announces",
                         (int64_t)sim_tracker_announces(&world->tracker));
    sim_world_free(world);
}

const struct scenario scenario_trackerless = {
    "trackerless", "no tracker, half have a magnet link: all complete by the DHT", 21, 8 * MIB,
    run};

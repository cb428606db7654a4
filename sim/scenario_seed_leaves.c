/* SPDX-License-Identifier: MIT */
/*
 * The only seed leaves, without a word, as soon as every piece is somewhere else. From then on the
 * peers have only one another, and nothing may be lost with anybody's queue.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {.scenario = options};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    int64_t limit_ns = 20 * result->bound_ns + 600 * SECOND_NS;
    while (!sim_swarm_is_one_copy_out(world) && sim_world_time(world) < limit_ns)
        sim_world_run(world, sim_world_time(world) + SECOND_NS / 4, NULL, NULL);
    if (sim_swarm_is_complete(world))
        sim_verdict_fail(result, "all were complete before the seed could leave, of nodes",
                         options->nodes);
    sim_verdict_note(result, "the seed left after", sim_world_time(world) / MILLISECOND_NS, " ms");
    sim_node_crash(world->nodes[0], SIM_CRASH_PROCESS, -1);
    sim_swarm_run(world, limit_ns);
    sim_swarm_judge(world, result);
    sim_world_free(world);
}

const struct scenario scenario_seed_leaves = {
    "seed_leaves", "the only seed leaves when one copy is out: all complete", 31, 16 * MIB, run};

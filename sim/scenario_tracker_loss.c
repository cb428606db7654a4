/* SPDX-License-Identifier: MIT */
/* The tracker dies in the middle of the run. Who knows whom stays known; everybody completes. */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {.scenario = options, .arrival_ns = 5 * SECOND_NS};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_world_run(world, result->bound_ns / 2, NULL, NULL);
    world->tracker.dead = true;
    sim_verdict_note(result, "the tracker died after", sim_world_time(world) / MILLISECOND_NS,
                     " ms");
    sim_verdict_note(result, "announces that it heard",
                     (int64_t)sim_tracker_announces(&world->tracker), "");
    if (sim_swarm_is_complete(world))
        sim_verdict_fail(result, "all were complete before, of nodes", options->nodes);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    sim_world_free(world);
}

const struct scenario scenario_tracker_loss = {
    "tracker_loss", "the tracker dies in mid-run: all complete", 31, 16 * MIB, run};

/* SPDX-License-Identifier: MIT */
/*
 * Everybody comes at once and only one has it. Good is when the last peer is complete within twice
 * the time that no schedule can beat.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {.scenario = options};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    if (result->last_ns > 2 * result->bound_ns)
        sim_verdict_fail(result, "the last peer took more than twice the bound, in ms",
                         result->last_ns / MILLISECOND_NS);
    sim_verdict_note(result, "copies of the content that the seed sent, in thousandths",
                     (int64_t)(world->nodes[0]->facts.payload_sent * 1000 / options->size), "");
    sim_world_free(world);
}

const struct scenario scenario_flash_crowd = {
    "flash_crowd", "100 peers at once, one seed: last done within twice the bound", 101, 16 * MIB,
    run};

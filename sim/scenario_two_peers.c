/* SPDX-License-Identifier: MIT */
/* The smallest story: one seed, one peer, a torrent of several files. */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {
        .scenario = options,
        .file_count = 3,
        .version = (enum sim_torrent_version)(options->seed % 3),
    };
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    /* Connecting, being unchoked and the last barrier take a few seconds of their own. */
    if (result->last_ns > 2 * result->bound_ns + 15 * SECOND_NS)
        sim_verdict_fail(result, "slower than twice the bound and 15 s, in ms",
                         result->last_ns / MILLISECOND_NS);
    uint64_t received = world->nodes[1]->facts.payload_received;
    if (options->nodes == 2 && received != options->size)
        sim_verdict_fail(result, "received more than the content, in bytes", (int64_t)received);
    sim_world_free(world);
}

const struct scenario scenario_two_peers = {"two_peers", "one seed, one peer, a few files", 2,
                                            4 * MIB, run};

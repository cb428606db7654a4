/* SPDX-License-Identifier: MIT */
/*
 * No tracker answers: each newcomer knows one peer, somebody who was named before it, and that
 * makes a tree. When one copy is out the seed, its root, leaves. What is left must have become a
 * swarm by peer exchange alone (BEP 11), or branches that miss pieces never complete.
 */
#include "sim/scenario_table.h"
#include "sim/sim_engine.h"
#include "sim/sim_swarm.h"

#include "core/base/memory.h"

#define ARRIVAL_NS (10 * SECOND_NS)
#define SETTLE_NS  (10 * SECOND_NS) /* the last to come still finds its peer there */

#define MEETINGS_MIN 4u

struct tree {
    struct rng rng;
    struct address *parents; /* of each node but the first */
};

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    struct tree *tree = context;
    if (index == 0)
        return;
    uint32_t parent = (uint32_t)rng_below(&tree->rng, index);
    tree->parents[index] = sim_network_address(parent, SIM_LISTEN_PORT);
    node->peers = &tree->parents[index];
    node->peer_count = 1;
}

/* A tree would give most of them one or two to get payload from. */
static void judge_meetings(const struct sim_world *world, struct sim_verdict *result)
{
    uint32_t met = 0;
    for (uint32_t i = 1; i < world->node_count; i++) {
        uint32_t givers = 0;
        for (uint32_t k = 0; k < world->node_count; k++)
            givers += sim_world_pair(world, k, i) > 0;
        if (givers < (world->node_count < 5 ? 1 : MEETINGS_MIN))
            sim_verdict_fail(result, "got payload from too few others: node", i);
        met += givers;
    }
    sim_verdict_note(result, "each got payload from, on the average", met / (world->node_count - 1),
                     " others");
}

static void note_sources(const struct sim_world *world, struct sim_verdict *result)
{
    uint32_t found = 0;
    for (uint32_t i = 1; i < world->node_count; i++) {
        struct torrent_status status = {0};
        sim_engine_status(world->nodes[i], &status);
        found += status.known_by_source[PEER_SOURCE_PEX];
    }
    sim_verdict_note(result, "of them only exchange named", found / (world->node_count - 1), "");
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct tree tree = {.parents = memory_new_array(options->nodes, sizeof *tree.parents)};
    const struct sim_swarm_options swarm = {
        .scenario = options,
        .version = (enum sim_torrent_version)(options->seed % 3),
        .arrival_ns = ARRIVAL_NS,
        .customise = customise,
        .context = &tree,
    };
    rng_init(&tree.rng, options->seed);
    struct sim_world *world = sim_swarm_new(&swarm);
    world->tracker.dead = true;
    result->bound_ns = sim_swarm_bound_ns(world);
    int64_t limit_ns = 20 * result->bound_ns + 600 * SECOND_NS;
    sim_world_run(world, ARRIVAL_NS + SETTLE_NS, NULL, NULL);
    while (!sim_swarm_is_one_copy_out(world) && sim_world_time(world) < limit_ns)
        sim_world_run(world, sim_world_time(world) + SECOND_NS / 4, NULL, NULL);
    if (sim_swarm_is_complete(world))
        sim_verdict_fail(result, "all were complete before the seed could leave, of nodes",
                         options->nodes);
    sim_verdict_note(result, "the seed left after", sim_world_time(world) / MILLISECOND_NS, " ms");
    sim_node_crash(world->nodes[0], SIM_CRASH_PROCESS, -1);
    sim_swarm_run(world, limit_ns);
    sim_swarm_judge(world, result);
    judge_meetings(world, result);
    note_sources(world, result);
    sim_world_free(world);
    memory_free(tree.parents);
}

const struct scenario scenario_peer_exchange = {
    "peer_exchange", "each knows one peer, and the seed leaves: all complete by exchange", 31,
    24 * MIB, run};

/* SPDX-License-Identifier: MIT */
/*
 * Node 1 says that it has everything and spoils a part of what it sends. All others complete; whom
 * it hit bans it; nobody honest is banned.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

#define POISONER 1u

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    (void)context;
    if (index != POISONER)
        return;
    node->is_seed = true;
    node->poison_per_mille = 300;
}

static void judge_bans(const struct sim_world *world, struct sim_verdict *result)
{
    uint32_t hit = 0, banned = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        bool banned_it = false;
        for (uint32_t b = 0; b < node->facts.bans; b++) {
            if (node->banned[b] == POISONER)
                banned_it = true;
            else
                sim_verdict_fail(result, "an honest node was banned", node->banned[b]);
        }
        hit += node->facts.pieces_failed > 0;
        banned += banned_it;
        if (node->facts.pieces_failed > 0 && !banned_it)
            sim_verdict_fail(result, "hit by the poisoner, and did not ban it: node", i);
    }
    sim_verdict_note(result, "nodes that it hit", hit, "");
    sim_verdict_note(result, "nodes that banned it", banned, "");
    sim_verdict_note(result, "blocks that it spoiled",
                     (int64_t)world->nodes[POISONER]->facts.poisoned_blocks, "");
    if (hit == 0)
        sim_verdict_fail(result, "the poisoner hit nobody, of nodes", world->node_count);
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct sim_wish at_least = *options;
    if (at_least.nodes < 4)
        at_least.nodes = 4;
    const struct sim_swarm_options swarm = {.scenario = &at_least,
                                            .file_count = 4,
                                            .version =
                                                (enum sim_torrent_version)(options->seed % 3),
                                            .customise = customise};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    judge_bans(world, result);
    sim_world_free(world);
}

const struct scenario scenario_poisoner = {
    "poisoner", "one node sends garbage: it is banned, all others complete", 21, 8 * MIB, run};

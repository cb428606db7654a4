/* SPDX-License-Identifier: MIT */
/*
 * A third of those who wait for peers lie about metadata, and all who have a magnet link are told
 * of the liars first. Everybody completes; who gave a false dictionary is banned, nobody honest is.
 */
#include "sim/scenario_table.h"
#include "sim/sim_liar.h"

#define LIARS 4u /* nodes 1 to 4 */

static const enum sim_lie lies[LIARS] = {SIM_LIE_FALSE, SIM_LIE_HUGE, SIM_LIE_SILENT,
                                         SIM_LIE_FALSE};

static bool is_liar(uint32_t index)
{
    return index >= 1 && index <= LIARS;
}

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    if (is_liar(index)) {
        node->ops = &sim_liar_ops;
        node->lie = lies[index - 1];
        node->is_seed = true;
        node->starts_at_ns = 0;
    } else if (index > LIARS) {
        node->has_magnet = true;
        node->peers = context;
        node->peer_count = LIARS;
    }
}

static void judge_bans(const struct sim_world *world, struct sim_verdict *result)
{
    uint32_t banned = 0, blocks = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        if (is_liar(i)) {
            blocks += sim_liar_blocks(node);
            continue;
        }
        banned += node->facts.bans > 0;
        for (uint32_t b = 0; b < node->facts.bans; b++)
            if (!is_liar(node->banned[b]) || lies[node->banned[b] - 1] != SIM_LIE_FALSE)
                sim_verdict_fail(result, "banned, and gave nothing false: node", node->banned[b]);
        if (node->options.has_magnet && node->facts.bans == 0)
            sim_verdict_fail(result, "was told of liars first, and banned none: node", i);
    }
    sim_verdict_note(result, "false blocks of metadata that were given", blocks, "");
    sim_verdict_note(result, "nodes that banned somebody", banned, "");
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct address liars[LIARS];
    struct sim_wish at_least = *options;
    if (at_least.nodes < 3 * LIARS)
        at_least.nodes = 3 * LIARS;
    for (uint32_t i = 0; i < LIARS; i++)
        liars[i] = sim_network_address(1 + i, SIM_LISTEN_PORT);
    /* Small pieces: the dictionary of v1 is longer than a block. */
    const struct sim_swarm_options swarm = {.scenario = &at_least,
                                            .file_count = 3,
                                            .piece_length = 16 * KIB,
                                            .version =
                                                (enum sim_torrent_version)(options->seed % 3),
                                            .customise = customise,
                                            .context = liars};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    judge_bans(world, result);
    sim_world_free(world);
}

const struct scenario scenario_metadata_liars = {
    "metadata_liars", "a third lies about metadata: every magnet link completes, liars are banned",
    13, 16 * MIB, run};

/* SPDX-License-Identifier: MIT */
/*
 * Peers behind NATs (sim_nat.h). With a seed in the open they dial out by uTP and complete. Where
 * the seed is behind one too, and nobody is between, not a byte passes: a pretend NAT that let one
 * through would prove nothing about holes that are punched in it.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

#define MTU      1472u
#define QUEUE_NS (300 * MILLISECOND_NS)
#define ALONE_NS (300 * SECOND_NS)

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    const bool *seed_has_nat = context;
    node->uses_utp = true;
    node->no_holepunch = true; /* scenario_holepunch.c has it */
    node->has_nat = index > 0 || *seed_has_nat;
    node->no_tcp = node->has_nat; /* behind it by uTP alone */
    node->air = (struct sim_air){.queue_ns = QUEUE_NS, .mtu = MTU};
}

static struct sim_world *new_world(const struct sim_wish *options, bool *seed_has_nat)
{
    const struct sim_swarm_options swarm = {
        .scenario = options, .file_count = 3, .customise = customise, .context = seed_has_nat};
    return sim_swarm_new(&swarm);
}

static void run_alone(const struct sim_wish *options, struct sim_verdict *result)
{
    bool seed_has_nat = true;
    struct sim_world *world = new_world(options, &seed_has_nat);
    uint64_t dropped = 0, tried = 0;
    sim_swarm_run(world, ALONE_NS);
    result->runs++;
    result->digest = (result->digest ^ world->clock.digest) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        struct sim_utp_facts facts = sim_node_utp_facts(node);
        tried += facts.datagrams_out;
        dropped += node->nat.dropped;
        if (facts.datagrams_in || facts.accepted || facts.connected || node->facts.payload_received)
            sim_verdict_fail(result, "something came through two NATs to node", i);
    }
    if (tried == 0 || dropped == 0)
        sim_verdict_fail(result, "nobody tried: packets that came to a NAT", (int64_t)dropped);
    sim_world_free(world);
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct sim_wish alone = *options;
    bool seed_has_nat = false;
    alone.nodes = 2;
    run_alone(&alone, result);
    struct sim_world *world = new_world(options, &seed_has_nat);
    int64_t bound_ns = sim_swarm_bound_ns(world);
    sim_swarm_run(world, 20 * bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    result->bound_ns = bound_ns;
    for (uint32_t i = 1; i < world->node_count; i++)
        if (sim_node_utp_facts(world->nodes[i]).bytes_read == 0)
            sim_verdict_fail(result, "complete, but not over uTP: node", i);
    /* Nobody helps the seed: peers behind NATs do not find one another. */
    int64_t alone_ns = sim_clock_transfer_ns(options->size * (options->nodes - 1),
                                             world->nodes[0]->options.link.up_bytes_per_s);
    if (result->last_ns > 3 * alone_ns + 30 * SECOND_NS)
        sim_verdict_fail(result, "slower than three times what the seed alone needs, in ms",
                         result->last_ns / MILLISECOND_NS);
    sim_world_free(world);
}

const struct scenario scenario_nat = {
    "nat", "peers behind NATs dial out by uTP; two of them alone cannot meet", 4, 2 * MIB, run};

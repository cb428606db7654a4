/* SPDX-License-Identifier: MIT */
/*
 * Every fifth peer uploads nothing. Over 20 seeds of the run, those take at least 1.1 times as long
 * as the peers that share: tit for tat is at work.
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

#define RUNS 20u

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    (void)context;
    node->free_rider = index > 0 && index % 5 == 0;
}

struct mean {
    int64_t sum_ms;
    int64_t count;
};

static void add_times(const struct sim_world *world, struct mean means[2])
{
    for (uint32_t i = 1; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        struct mean *mean = &means[node->options.free_rider];
        if (node->facts.complete_at < 0)
            continue;
        mean->sum_ms += (node->facts.complete_at - node->facts.started_at) / MILLISECOND_NS;
        mean->count++;
    }
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct mean means[2] = {{0, 0}, {0, 0}};
    for (uint32_t i = 0; i < RUNS; i++) {
        struct sim_wish one = *options;
        one.seed = options->seed * RUNS + i;
        const struct sim_swarm_options swarm = {.scenario = &one, .customise = customise};
        struct sim_world *world = sim_swarm_new(&swarm);
        result->bound_ns = sim_swarm_bound_ns(world);
        sim_swarm_run(world, 20 * result->bound_ns + 600 * SECOND_NS);
        sim_swarm_judge(world, result);
        for (uint32_t n = 1; n < world->node_count; n++)
            if (world->nodes[n]->options.free_rider && world->nodes[n]->facts.payload_sent)
                sim_verdict_fail(result, "a free-rider uploaded: node", n);
        add_times(world, means);
        sim_world_free(world);
    }
    if (means[0].count == 0 || means[1].count == 0) {
        sim_verdict_fail(result, "no free-riders among so few nodes", options->nodes);
        return;
    }
    int64_t sharers_ms = means[0].sum_ms / means[0].count;
    int64_t riders_ms = means[1].sum_ms / means[1].count;
    sim_verdict_note(result, "mean time of those who share", sharers_ms, " ms");
    sim_verdict_note(result, "mean time of free-riders", riders_ms, " ms");
    sim_verdict_note(result, "free-riders take, of the sharers' time", riders_ms * 100 / sharers_ms,
                     " %");
    if (riders_ms * 10 < sharers_ms * 11)
        sim_verdict_fail(result, "free-riders take less than 110 % of the sharers' time, in %",
                         riders_ms * 100 / sharers_ms);
}

const struct scenario scenario_free_riders = {
    "free_riders", "one in five uploads nothing and takes longer for it (20 runs)", 26, 24 * MIB,
    run};

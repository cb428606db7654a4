/* SPDX-License-Identifier: MIT */
/*
 * Everything goes wrong at random for a while: crashes of every kind, partitions, full disks, syncs
 * that fail, roots that are not mounted, a tracker that comes and goes, a poisoner, free-riders,
 * peers that nobody can reach. During it nothing may be promised that is not so (safety); when it
 * is over, all complete (liveness).
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

#define STORM_S  180
#define POISONER 1u
#define FILES    9u

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    struct rng *rng = context;
    node->link.up_bytes_per_s = 30000 + rng_below(rng, 100000);
    node->link.down_bytes_per_s = 100000 + rng_below(rng, 1000000);
    node->link.delay_ns = (int64_t)(1 + rng_below(rng, 150)) * MILLISECOND_NS;
    node->wait_for_space = true;
    if (index == 0) {
        node->super_seed = rng_below(rng, 3) == 0;
        return;
    }
    node->link.unreachable = rng_below(rng, 3) == 0;
    node->free_rider = rng_below(rng, 6) == 0;
    node->starts_at_ns = (int64_t)rng_below(rng, STORM_S / 2) * SECOND_NS;
    node->sequential = rng_below(rng, 4) == 0;
    if (rng_below(rng, 3) == 0)
        node->unwanted = 1 + rng_below(rng, (1u << FILES) - 2);
    if (rng_below(rng, 4) == 0)
        node->download_limit = 50000 + rng_below(rng, 500000);
    if (rng_below(rng, 4) == 0)
        node->upload_limit = 20000 + rng_below(rng, 100000);
    if (index != POISONER)
        return;
    node->is_seed = true;
    node->starts_at_ns = 0;
    node->free_rider = node->link.unreachable = false;
    node->poison_per_mille = 100;
    node->unwanted = 0;
}

static void crash(struct sim_world *world, struct sim_node *node)
{
    static const enum sim_crash crashes[] = {SIM_CRASH_PROCESS, SIM_CRASH_LOSE, SIM_CRASH_TEAR};
    if (!node->machine)
        return;
    /* One draw a statement: the order of two in one is the compiler's choice. */
    enum sim_crash kind = crashes[rng_below(&world->rng, 3)];
    int64_t away_s = 1 + rng_below(&world->rng, 15);
    sim_node_crash(node, kind, away_s * SECOND_NS);
}

static void part(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++)
        world->nodes[i]->port.side = rng_below(&world->rng, 2);
}

static void heal(struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++)
        world->nodes[i]->port.side = 0;
}

/* One thing that goes wrong, or is well again. */
static void strike(struct sim_world *world)
{
    struct sim_node *node = world->nodes[rng_below(&world->rng, world->node_count)];
    /* A drive that goes away under a download ends it with an error, as it must. */
    bool is_seeding = node->options.is_seed || node->facts.complete_at >= 0;
    switch (rng_below(&world->rng, 10)) {
    case 0:
    case 1: crash(world, node); break;
    case 2: part(world); break;
    case 3: heal(world); break;
    case 4:
        node->disk.options.capacity = node->options.is_seed ? 0 : world->torrent->payload / 2;
        break;
    case 5: node->disk.options.capacity = 0; break;
    case 6: /* a drive that goes on failing ends the torrent, as it must */
        node->disk.fail_syncs = node->disk.syncs_failed < 2;
        break;
    case 7: node->disk.unmounted = is_seeding && !node->disk.unmounted; break;
    case 8: world->tracker.dead = !world->tracker.dead; break;
    default: node->disk.options.sync_ns = (int64_t)rng_below(&world->rng, 2000) * MILLISECOND_NS;
    }
}

static void calm(struct sim_world *world)
{
    heal(world);
    world->tracker.dead = false;
    for (uint32_t i = 0; i < world->node_count; i++) {
        struct sim_disk *disk = &world->nodes[i]->disk;
        disk->options.capacity = 0;
        disk->fail_syncs = 0;
        disk->unmounted = false;
    }
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    struct sim_wish at_least = *options;
    struct rng rng;
    if (at_least.nodes < 4)
        at_least.nodes = 4;
    rng_init(&rng, options->seed);
    const struct sim_swarm_options swarm = {.scenario = &at_least,
                                            .file_count = FILES,
                                            .version =
                                                (enum sim_torrent_version)(options->seed % 3),
                                            .customise = customise,
                                            .context = &rng};
    struct sim_world *world = sim_swarm_new(&swarm);
    result->bound_ns = sim_swarm_bound_ns(world);
    for (int64_t second = 1; second <= STORM_S; second++) {
        sim_world_run(world, second * SECOND_NS, NULL, NULL);
        if (rng_below(&world->rng, 2))
            strike(world);
    }
    calm(world);
    sim_swarm_run(world, STORM_S * SECOND_NS + 20 * result->bound_ns + 3600 * SECOND_NS);
    sim_swarm_judge(world, result);
    int64_t calm_ns = result->last_ns - STORM_S * SECOND_NS;
    if (calm_ns > 10 * result->bound_ns + 600 * SECOND_NS)
        sim_verdict_fail(result, "the last took too long after the storm, in ms",
                         calm_ns / MILLISECOND_NS);
    sim_world_free(world);
}

const struct scenario scenario_storm = {
    "storm", "everything goes wrong for three minutes: nothing is lost, all complete", 12, 4 * MIB,
    run};

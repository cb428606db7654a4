/* SPDX-License-Identifier: MIT */
#include "sim/sim_world.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#define VIOLATIONS_KEPT 20u
#define NETWORK_SALT    UINT64_C(0x6e6574) /* its luck is not that of the scenario */

struct sim_world *sim_world_new(const struct sim_world_options *options)
{
    struct sim_world *world = memory_new(sizeof *world);
    world->options = *options;
    world->options.torrent.seed = options->seed;
    sim_clock_init(&world->clock);
    world->started_at = world->clock.now;
    rng_init(&world->rng, options->seed);
    sim_network_init(&world->network, &world->clock);
    rng_init(&world->network.rng, options->seed ^ NETWORK_SALT);
    sim_tracker_init(&world->tracker, rng_u64(&world->rng));
    world->torrent = sim_torrent_new(&world->options.torrent);
    return world;
}

void sim_world_free(struct sim_world *world)
{
    if (world == NULL)
        return;
    for (uint32_t i = 0; i < world->node_count; i++)
        world->free_node(world->nodes[i]);
    sim_network_deinit(&world->network);
    sim_tracker_deinit(&world->tracker);
    sim_clock_deinit(&world->clock);
    sim_torrent_free(world->torrent);
    memory_free(world->nodes);
    memory_free(world->pair_bytes);
    buffer_deinit(&world->violations);
    memory_free(world);
}

uint32_t sim_world_join(struct sim_world *world, struct sim_node *node,
                        void (*free_node)(struct sim_node *node))
{
    CHECK(world->pair_bytes == NULL);
    world->nodes =
        memory_resize_array(world->nodes, world->node_count + 1, sizeof(struct sim_node *));
    world->nodes[world->node_count] = node;
    world->free_node = free_node;
    return world->node_count++;
}

bool sim_world_run(struct sim_world *world, int64_t until_ns,
                   bool (*done)(struct sim_world *world, void *context), void *context)
{
    if (world->pair_bytes == NULL)
        world->pair_bytes = memory_new_array((size_t)world->node_count * world->node_count,
                                             sizeof *world->pair_bytes);
    while (sim_clock_step(&world->clock, world->started_at + until_ns))
        if (done && done(world, context))
            return true;
    return done && done(world, context);
}

int64_t sim_world_time(const struct sim_world *world)
{
    return world->clock.now - world->started_at;
}

uint64_t sim_world_pair(const struct sim_world *world, uint32_t from, uint32_t to)
{
    return world->pair_bytes[(size_t)from * world->node_count + to];
}

void sim_world_add_pair(struct sim_world *world, uint32_t from, uint32_t to, uint64_t bytes)
{
    world->pair_bytes[(size_t)from * world->node_count + to] += bytes;
}

void sim_world_violation(struct sim_world *world, uint32_t node, const char *what, int64_t detail)
{
    if (world->violation_count++ >= VIOLATIONS_KEPT)
        return;
    buffer_append_text(&world->violations, "node ");
    buffer_append_i64(&world->violations, node);
    buffer_append_text(&world->violations, ": ");
    buffer_append_text(&world->violations, what);
    buffer_append_text(&world->violations, " (");
    buffer_append_i64(&world->violations, detail);
    buffer_append_text(&world->violations, ")\n");
}

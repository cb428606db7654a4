/* SPDX-License-Identifier: MIT */
/*
 * The pretend world: one clock, one network, one torrent, one tracker and many nodes, all made from
 * one seed. What a node is, is above it (sim_node.h). The same options give the same run, event by
 * event, and the same digest, whatever compiler built it.
 */
#ifndef FRESHET_SIM_WORLD_H
#define FRESHET_SIM_WORLD_H

#include "core/base/rng.h"
#include "sim/sim_clock.h"
#include "sim/sim_network.h"
#include "sim/sim_torrent.h"
#include "sim/sim_tracker.h"

struct sim_node;

struct sim_world_options {
    uint64_t seed;
    struct sim_torrent_options torrent; /* its seed is the run's */
    uint32_t check_every; /* machines check themselves after so many events; 0: never */
};

struct sim_world {
    struct sim_world_options options;
    struct sim_clock clock;
    struct sim_network network;
    struct sim_torrent *torrent;
    struct sim_tracker tracker;
    struct rng rng;          /* for scenarios */
    struct sim_node **nodes; /* in order of birth, owned */
    uint32_t node_count;
    void (*free_node)(struct sim_node *node);
    int64_t started_at;
    uint64_t
        *pair_bytes; /* payload that came in, [from * node_count + to]; made by the first run */
    struct buffer violations; /* of what must never happen: one line each */
    uint32_t violation_count;
    uint64_t check_count;
};

struct sim_world *sim_world_new(const struct sim_world_options *options);
void sim_world_free(struct sim_world *world);
/* Takes a new node; returns its number. All join before the first run. */
uint32_t sim_world_join(struct sim_world *world, struct sim_node *node,
                        void (*free_node)(struct sim_node *node));
/* Runs until `done` says so (asked after each timer; may be NULL) or that much time has passed
 * since the start of the run. Returns whether done said so. */
bool sim_world_run(struct sim_world *world, int64_t until_ns,
                   bool (*done)(struct sim_world *world, void *context), void *context);
/* Nanoseconds since the start of the run. */
int64_t sim_world_time(const struct sim_world *world);
uint64_t sim_world_pair(const struct sim_world *world, uint32_t from, uint32_t to);
void sim_world_add_pair(struct sim_world *world, uint32_t from, uint32_t to, uint64_t bytes);
/* Something happened that must never happen. */
void sim_world_violation(struct sim_world *world, uint32_t node, const char *what, int64_t detail);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A swarm as scenarios want it: one seed and many peers with links of their own, run until all are
 * complete, then judged: what is on the disks, what went over the links, and the books of the
 * engines.
 */
#ifndef FRESHET_SIM_SWARM_H
#define FRESHET_SIM_SWARM_H

#include "sim/scenario.h"

struct sim_swarm_options {
    const struct scenario_options *scenario;
    uint32_t file_count;
    uint32_t piece_length;
    struct sim_link seed_link, peer_link; /* all 0: 1 MB/s and 0.5 MB/s up, 2 MB/s down, 20 ms */
    int64_t arrival_ns;                   /* peers start at random within it; 0: one second */
    /* Changes a node before it is made. May be NULL. */
    void (*customise)(struct sim_node_options *node, uint32_t index, void *context);
    void *context;
};

struct sim_world *sim_swarm_new(const struct sim_swarm_options *options);
/* Runs until every node that is not to be excused is complete, or the time is up. */
bool sim_swarm_run(struct sim_world *world, int64_t limit_ns);
bool sim_swarm_is_complete(const struct sim_world *world);
/* The time before which nobody can make all peers complete: the seed must send everything once,
 * the slowest must receive it, and all that is received must be sent (Kurose and Ross, Computer
 * Networking, 2.5). */
int64_t sim_swarm_bound_ns(const struct sim_world *world);
/* Judges the world, tells of its nodes and adds its digest. */
void sim_swarm_judge(const struct sim_world *world, struct scenario_result *result);
enum scenario_role sim_swarm_role(const struct sim_node *node);

#endif

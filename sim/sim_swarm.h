/* SPDX-License-Identifier: MIT */
/*
 * A swarm as scenarios want it: one seed and many peers with links of their own, run until all are
 * complete, then judged: what is on the disks, what went over the links, and the books of the
 * engines.
 */
#ifndef FRESHET_SIM_SWARM_H
#define FRESHET_SIM_SWARM_H

#include "sim/sim_node.h"
#include "sim/sim_verdict.h"

/* What a person asks of a scenario. */
struct sim_wish {
    uint64_t seed;
    uint32_t nodes;       /* seed included; 0: the scenario's own */
    uint64_t size;        /* bytes of content; 0: the scenario's own */
    uint32_t check_every; /* engines check themselves after so many events; 0: never */
};

struct sim_swarm_options {
    const struct sim_wish *scenario;
    uint32_t file_count;
    uint32_t piece_length;
    enum sim_torrent_version version;
    bool has_no_tracker;
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
/* Could node 0, the only seed, leave without a loss: is every piece somewhere else? */
bool sim_swarm_is_one_copy_out(const struct sim_world *world);
/* The time before which nobody can make all peers complete: the seed must send everything once,
 * the slowest must receive it, and all that is received must be sent (Kurose and Ross, Computer
 * Networking, 2.5). */
int64_t sim_swarm_bound_ns(const struct sim_world *world);
/* Judges the world, tells of its nodes and adds its digest. */
void sim_swarm_judge(const struct sim_world *world, struct sim_verdict *result);
enum sim_role sim_swarm_role(const struct sim_node *node);

#endif

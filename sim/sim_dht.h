/* SPDX-License-Identifier: MIT */
/*
 * A population of DHT nodes, thousands in one process: the real core/dht nodes, each with an
 * address of its own, over pretend datagrams with the delays of sim_delay. They join through one
 * another, age, leave and die; some may be sybils, which answer and lie. Time is simulated; nothing
 * is shortened: a node that is an hour old has lived through that hour.
 */
#ifndef FRESHET_SIM_DHT_H
#define FRESHET_SIM_DHT_H

#include "core/base/heap.h"
#include "core/base/map.h"
#include "core/base/rng.h"
#include "core/dht/dht_node.h"

enum sim_dht_sybils {
    SIM_DHT_NO_SYBILS,
    SIM_DHT_SYBILS_EVERYWHERE, /* ids at random among those that their addresses allow */
    SIM_DHT_SYBILS_AIMED,      /* ids as near to the aim as their addresses allow (BEP 42) */
    SIM_DHT_SYBILS_FORGED,     /* ids right beside the aim, whatever their addresses allow */
};

struct sim_dht_options {
    uint64_t seed;
    uint32_t nodes; /* sybils included */
    enum sim_dht_sybils sybils;
    uint32_t sybil_permille;
    bool without_bep42; /* all in a private network, where any id is allowed */
    int64_t join_ns;    /* all join at random within it */
    int64_t
        session_median_ns; /* how long a node stays, when it leaves another comes; 0: for ever */
};

struct sim_dht_place {
    struct dht_node *node; /* NULL: a sybil, or nobody (yet, or any more) */
    struct address address;
    struct dht_id sybil_id;
    bool is_sybil, is_alive;
    int64_t born_ns;
    int64_t leaves_ns;
    struct heap_node timer; /* of the node's deadline, its birth, a sybil's next knock */
};

struct sim_dht {
    struct sim_dht_options options;
    struct rng rng;
    int64_t now;
    uint64_t digest;
    uint64_t packets;
    struct heap events;
    struct map by_ip;
    struct sim_dht_place *places; /* grows with those who come for those who leave */
    uint32_t place_count, place_capacity;
    uint32_t honest_alive;
    struct dht_id aim;
    uint32_t *sybils; /* by id */
    uint32_t sybil_count;
    /* What nodes find; called as it comes. May be NULL. */
    void (*on_result)(struct sim_dht *world, uint32_t place, const struct dht_result *result);
    void *context;
};

struct sim_dht *sim_dht_new(const struct sim_dht_options *options);
void sim_dht_free(struct sim_dht *world);
void sim_dht_run(struct sim_dht *world, int64_t until_ns);
/* Ends the node at once; nobody is told. */
void sim_dht_kill(struct sim_dht *world, uint32_t place);
/* The same for so many of a thousand living honest nodes: exactly as many, whichever it hits. */
void sim_dht_kill_share(struct sim_dht *world, uint32_t permille);
/* A living honest node at random. */
uint32_t sim_dht_pick(struct sim_dht *world);
/* After a call into a node: sends what it has to say. */
void sim_dht_pump(struct sim_dht *world, uint32_t place);
int64_t sim_dht_rtt_ns(const struct sim_dht *world, uint32_t a, uint32_t b);
/* The place of an address, UINT32_MAX: nobody's. */
uint32_t sim_dht_at(const struct sim_dht *world, const struct address *address);
/* The share of entries in the tables of the living that are dead, in permille. */
uint32_t sim_dht_dead_permille(const struct sim_dht *world);

/*
 * How soon a look-up could reach its first peer at best, in simulated time: an oracle that knows
 * the tables of all and who lives, asks nobody dead, and asks everybody that it has heard of at
 * once. It has the same tables and takes the same hops, since it too learns of nodes only from
 * those that it has asked. -1: there is no way.
 */
int64_t sim_dht_oracle_ns(const struct sim_dht *world, uint32_t searcher,
                          const struct dht_id *info_hash);

#endif

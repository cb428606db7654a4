/* SPDX-License-Identifier: MIT */
/*
 * A pretend machine that runs one engine: its link, disk, database and jobs, and the loop that
 * carries events in and actions out as a host does. What runs is behind a table of functions
 * (struct sim_node_ops), so that rivals and test machines can stand where the engine stands.
 */
#ifndef FRESHET_SIM_NODE_H
#define FRESHET_SIM_NODE_H

#include "core/base/map.h"
#include "core/swarm/torrent.h"
#include "sim/sim_disk.h"
#include "sim/sim_nat.h"
#include "sim/sim_network.h"
#include "sim/sim_utp.h"
#include "sim/sim_world.h"

/* The machine's verbs, as core/door/door.h has them. `new` makes it; `started` gives it what it
 * gets at the start, by sim_node_input. check and notice may be NULL. */
struct sim_node_ops {
    void *(*new)(struct sim_node *node);
    void (*started)(struct sim_node *node);
    void (*input)(void *machine, int64_t now, struct event *event);
    void (*tick)(void *machine, int64_t now);
    int64_t (*deadline)(const void *machine);
    bool (*output)(void *machine, int64_t now, struct action *ret_action);
    void (*receive_plan)(const void *machine, conn_id conn, struct receive_plan *ret_plan);
    void (*check)(const void *machine);
    void (*free)(void *machine);
    /* A notice was told; may be NULL. Events for the machine go by sim_node_input later. */
    void (*told)(struct sim_node *node, const struct notice *notice);
    void (*take_metadata)(void *node); /* when metadata_timer fires; may be NULL */
};

/* What a node of sim_liar_ops says of metadata. */
enum sim_lie {
    SIM_LIE_NONE,
    SIM_LIE_FALSE,  /* the right size, and false blocks */
    SIM_LIE_HUGE,   /* two gigabytes of it */
    SIM_LIE_SILENT, /* the right size, and no answer */
};

/* Moments at which a crash is worth trying: before and after each of these takes effect. */
struct sim_crash_plan {
    uint32_t at_boundary; /* 1 for the first; 0: never */
    enum sim_crash crash;
    int64_t restart_after_ns;
};

struct sim_node_options {
    struct sim_link link;
    struct sim_disk_options disk;
    const struct sim_node_ops *ops;
    bool is_seed;              /* begins with the true files */
    bool free_rider;           /* settings.no_upload */
    uint32_t poison_per_mille; /* of the blocks that it sends */
    enum sim_lie lie;          /* of a liar, which is no seed and excused like one */
    int64_t starts_at_ns;      /* after the start of the run */
    int64_t persist_ns;        /* what a transaction takes */
    struct sim_crash_plan crash_plan;
    uint32_t upload_slots; /* 0: the engine's default */
    uint64_t upload_limit, download_limit;
    bool sequential, super_seed, wait_for_space;
    uint64_t unwanted; /* bit i: file i is not selected (of the first 64) */
    bool uses_dht;     /* node 0 is the way in */
    bool has_magnet;   /* knows the hash only at the start */
    enum encryption encryption;
    bool uses_utp;     /* beside TCP: it dials that first, and uTP where nobody answers */
    bool no_tcp;       /* uTP alone */
    bool no_holepunch; /* with uses_utp: neither asks for it nor helps others (BEP 55) */
    bool has_nat;      /* before it; with uses_utp */
    enum utp_policy utp_policy;
    struct sim_air air;
    bool uses_lan;               /* looks for peers there; all who do are of one LAN */
    const struct address *peers; /* told at the start; borrowed for the whole run */
    uint32_t peer_count;
};

struct sim_node_facts {
    int64_t started_at, ready_at, complete_at, crashed_at; /* -1: not yet; ready, crashed: last */
    uint64_t payload_sent, payload_received;               /* on the wire */
    uint64_t poisoned_blocks;                              /* that it sent */
    uint32_t poisoned_received;                            /* segments of garbage that came in */
    uint32_t crashes, boundaries;
    uint32_t pieces_failed, bans, errors;
    enum freshet_error error; /* the last that stopped the torrent */
    uint32_t recorded_pieces; /* in the last record */
    uint64_t events, actions;
    uint32_t encrypted;  /* connections in RC4 */
    uint32_t handshakes; /* of BitTorrent that it sent in the clear */
    uint32_t punches;    /* times it went out by uTP alone, as a relay had told it (BEP 55) */
};

struct sim_node {
    struct sim_world *world;
    uint32_t index;
    struct sim_node_options options;
    void *machine; /* NULL: not running */
    void *context; /* of the ops */
    struct sim_port port;
    struct sim_nat nat;
    struct sim_utp_facts utp; /* of programs that have ended */
    struct sim_disk disk;
    struct map conns; /* conn_id -> struct sim_conn */
    struct list conn_list, readable, sent, jobs;
    conn_id inbound_next;
    struct sim_timer start_timer, deadline_timer, metadata_timer;
    bool is_running; /* in its loop */
    bool has_left;   /* for good */
    int64_t tick_time;
    uint32_t tick_count;         /* at that time */
    struct resume_record record; /* the database: what was persisted last */
    bool has_record;
    struct file_stat *record_stats;
    struct bitfield record_pieces;
    uint32_t *banned; /* nodes, in order */
    struct sim_node_facts facts;
};

/* A new node of the world, which owns it. It starts when its options say. */
struct sim_node *sim_node_new(struct sim_world *world, const struct sim_node_options *options);
/* Gives the machine an event and does what it wants done. */
void sim_node_input(struct sim_node *node, struct event *event);
/* What all its programs together did over uTP. */
struct sim_utp_facts sim_node_utp_facts(const struct sim_node *node);
/* Ends the program at once; the disk keeps what `crash` says. restart_after_ns < 0: never. */
void sim_node_crash(struct sim_node *node, enum sim_crash crash, int64_t restart_after_ns);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Scenarios: stories with real engines that must end well, each with its verdict. The table in
 * scenario.c is the list; each is a file scenario_<name>.c. `freshet sim` runs them, and so does
 * the test run.
 */
#ifndef FRESHET_SIM_SCENARIO_H
#define FRESHET_SIM_SCENARIO_H

#include "sim/sim_world.h"

struct scenario_options {
    uint64_t seed;
    uint32_t nodes;       /* seed included; 0: the scenario's own */
    uint64_t size;        /* bytes of content; 0: the scenario's own */
    uint32_t check_every; /* engines check themselves after so many events; 0: never */
};

enum scenario_role { ROLE_SEED, ROLE_PEER, ROLE_FREE_RIDER, ROLE_POISONER };

struct scenario_node {
    enum scenario_role role;
    int64_t started_ns, complete_ns; /* -1: not */
    uint64_t sent, received;         /* payload on the wire */
    uint32_t crashes;
};

/* What happened, and whether it was good. */
struct scenario_result {
    bool passed;
    struct buffer reasons; /* why not: a line each */
    struct buffer notes;   /* what else is worth telling: a line each */
    uint64_t digest;       /* of the run, or of all runs of it */
    uint64_t events;       /* that went into machines */
    uint32_t runs;
    uint64_t size;
    int64_t last_ns;             /* when the last peer was complete; -1: not all are */
    int64_t bound_ns;            /* no schedule is faster (Kurose-Ross); 0: not computed */
    struct scenario_node *nodes; /* of the last run */
    uint32_t node_count;
};

struct scenario {
    const char *name;
    const char *summary; /* one line */
    uint32_t nodes;      /* by default */
    uint64_t size;
    void (*run)(const struct scenario_options *options, struct scenario_result *result);
};

uint32_t scenario_count(void);
const struct scenario *scenario_at(uint32_t index);
/* NULL: there is none of that name. */
const struct scenario *scenario_find(const char *name);
void scenario_run(const struct scenario *scenario, const struct scenario_options *options,
                  struct scenario_result *ret_result);
void scenario_result_deinit(struct scenario_result *result);

/* For the scenarios: a failed expectation, with a number that tells by how much. */
void scenario_fail(struct scenario_result *result, const char *what, int64_t number);
void scenario_note(struct scenario_result *result, const char *what, int64_t number,
                   const char *unit);

#endif

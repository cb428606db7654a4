/* SPDX-License-Identifier: MIT */
/* What happened in a run, or in several of one scenario, and whether it was good. */
#ifndef FRESHET_SIM_VERDICT_H
#define FRESHET_SIM_VERDICT_H

#include "core/base/bytes.h"

enum sim_role { ROLE_SEED, ROLE_PEER, ROLE_FREE_RIDER, ROLE_POISONER, ROLE_LIAR };

struct sim_verdict_node {
    enum sim_role role;
    int64_t started_ns, complete_ns; /* -1: not */
    uint64_t sent, received;         /* payload on the wire */
    uint32_t crashes;
};

struct sim_verdict {
    bool passed;
    struct buffer reasons; /* why not: a line each */
    struct buffer notes;   /* what else is worth telling: a line each */
    uint64_t digest;       /* of the run, or of all runs of it */
    uint64_t events;       /* that went into machines */
    uint32_t runs;
    uint64_t size;
    int64_t last_ns;                /* when the last peer was complete; -1: not all are */
    int64_t bound_ns;               /* no schedule is faster (Kurose-Ross); 0: not computed */
    struct sim_verdict_node *nodes; /* of the last run */
    uint32_t node_count;
    uint32_t machines; /* where there is no story of each: how many there were */
};

/* An expectation that failed, with a number that tells by how much. */
void sim_verdict_fail(struct sim_verdict *result, const char *what, int64_t number);
void sim_verdict_note(struct sim_verdict *result, const char *what, int64_t number,
                      const char *unit);
void sim_verdict_deinit(struct sim_verdict *result);

#endif

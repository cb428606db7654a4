/* SPDX-License-Identifier: MIT */
/*
 * A pretend tracker: remembers who announced and answers an HTTP announce with a compact list (BEP
 * 3, 23) of up to 50 random others; seeds are not handed to seeds. It never forgets who crashed, as
 * real ones do not for half an hour. It can die.
 */
#ifndef FRESHET_SIM_TRACKER_H
#define FRESHET_SIM_TRACKER_H

#include "core/base/address.h"
#include "core/base/rng.h"

#define SIM_TRACKER_URL "http://tracker.example.org:6969/announce"

struct sim_tracker_member {
    struct address address;
    bool is_seed;
};

struct sim_tracker {
    struct rng rng;
    struct sim_tracker_member *members; /* in order of their first announce */
    uint32_t member_count;
    bool dead;
    int64_t interval_s;
    uint64_t announces, completed;
};

void sim_tracker_init(struct sim_tracker *tracker, uint64_t seed);
void sim_tracker_deinit(struct sim_tracker *tracker);
/* Appends the body of the answer to an announce that came from `remote`. */
void sim_tracker_announce(struct sim_tracker *tracker, const char *url,
                          const struct address *remote, struct buffer *body);

#endif

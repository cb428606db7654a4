/* SPDX-License-Identifier: MIT */
/*
 * Rate limits as a tree: a peer may pass bytes when it, its torrent and the whole engine may. Each
 * node is a token bucket in integer bytes; a rate of 0 is no limit and costs nothing.
 *
 * A block goes out whole or not at all, so a node may go into debt by one transfer; the debt is
 * paid before anybody passes again. Over any time t a node passes at most
 * rate * t + BANDWIDTH_BURST(rate) + one transfer. What is received is charged once it is here:
 * there it is one transfer for each connection, a read of at most a block and the head behind it.
 *
 * Siblings share by weight: a node's time is cut into slices of 50 ms, and in each slice a child
 * passes at most its part of the slice's budget, divided among the children that asked in the last
 * one. What is over it owes for the next slices. What is unused stays in the bucket. A node without
 * a limit is transparent: its children are siblings of its siblings, and its weight is theirs.
 */
#ifndef FRESHET_SWARM_BANDWIDTH_H
#define FRESHET_SWARM_BANDWIDTH_H

#include "core/base/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define BANDWIDTH_SLICE_NS (50 * MILLISECOND_NS)
#define BANDWIDTH_WEIGHT   4u /* what every node begins with; a sibling of 8 passes twice as much */
/* What a bucket holds: a quarter second of its rate. */
#define BANDWIDTH_BURST(rate) ((rate) / 4 + 1)

/* Embedded; fields are bandwidth.c's own. A node must outlive its children. */
struct bandwidth {
    struct bandwidth *parent; /* or NULL */
    uint64_t rate;            /* bytes a second, 0: no limit */
    int64_t tokens;           /* may be negative: debt */
    int64_t filled_ns;        /* tokens are right for this time */
    uint64_t fraction;        /* of a token, in 1/10^9 */
    uint32_t weight;          /* among its siblings */
    /* As a parent. */
    int64_t slice;       /* number of the current slice */
    int64_t slice_share; /* what one child of weight BANDWIDTH_WEIGHT may pass in it */
    uint32_t active;     /* weights of the children that asked in it */
    uint32_t active_before;
    /* As a child of the nearest limited node above. */
    struct bandwidth *child_of;
    int64_t child_slice; /* slice of the parent in which it last asked */
    int64_t child_taken; /* of its share; what is over is owed */
};

void bandwidth_init(struct bandwidth *node, struct bandwidth *parent, uint64_t rate, int64_t now);
void bandwidth_set_rate(struct bandwidth *node, uint64_t rate, int64_t now);
/* From now on below another node, or none, and with that weight (1..64). What it owes it owes
 * still. Costs nothing for its children. */
void bandwidth_place(struct bandwidth *node, struct bandwidth *parent, uint32_t weight);
/* May something pass now? Counts as asking, for fairness. */
bool bandwidth_may(struct bandwidth *leaf, int64_t now);
/* Up to `wanted` bytes now; returns how many are granted (they are taken), 0: none now. No debt. */
uint32_t bandwidth_take(struct bandwidth *leaf, int64_t now, uint32_t wanted);
/* All of `bytes` or nothing: true when granted. May leave a debt. */
bool bandwidth_take_whole(struct bandwidth *leaf, int64_t now, uint32_t bytes);
/* Bytes that have passed already (received payload). May leave a debt. */
void bandwidth_charge(struct bandwidth *leaf, int64_t now, uint64_t bytes);
/* When to ask again after a refusal (it may be refused again, then ask anew): later than now, and
 * not before a few milliseconds' worth has gathered. `now` when nothing is known to stand in the
 * way. */
int64_t bandwidth_deadline(const struct bandwidth *leaf, int64_t now);
/* Is there any limit from the leaf up? */
bool bandwidth_is_limited(const struct bandwidth *leaf);

#endif

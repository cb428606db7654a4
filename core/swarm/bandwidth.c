/* SPDX-License-Identifier: MIT */
#include "core/swarm/bandwidth.h"

#include "core/base/check.h"

/* Above this a limit is none: keeps ns * rate within 64 bits. */
#define RATE_MAX     UINT64_C(10000000000)
#define REFILL_S_MAX (INT64_C(86400) * 30)
#define WAKES_A_S    200
#define GAP_SLICES   20 /* children that asked this long ago still count as there */
#define FORGIVE_MAX  INT64_C(1000)
#define WEIGHT_MAX   64u

static void refill(struct bandwidth *node, int64_t now)
{
    int64_t elapsed = now - node->filled_ns;
    if (elapsed <= 0)
        return;
    node->filled_ns = now;
    int64_t seconds = elapsed / SECOND_NS;
    if (seconds > REFILL_S_MAX)
        seconds = REFILL_S_MAX;
    uint64_t part = (uint64_t)(elapsed % SECOND_NS) * node->rate + node->fraction;
    int64_t burst = (int64_t)BANDWIDTH_BURST(node->rate);
    node->fraction = part % (uint64_t)SECOND_NS;
    node->tokens += seconds * (int64_t)node->rate + (int64_t)(part / (uint64_t)SECOND_NS);
    if (node->tokens >= burst) {
        node->tokens = burst;
        node->fraction = 0;
    }
}

void bandwidth_init(struct bandwidth *node, struct bandwidth *parent, uint64_t rate, int64_t now)
{
    *node = (struct bandwidth){.parent = parent, .filled_ns = now, .weight = BANDWIDTH_WEIGHT};
    bandwidth_set_rate(node, rate, now);
}

void bandwidth_set_rate(struct bandwidth *node, uint64_t rate, int64_t now)
{
    if (rate > RATE_MAX)
        rate = 0;
    if (node->rate)
        refill(node, now);
    else
        node->tokens = (int64_t)BANDWIDTH_BURST(rate);
    node->rate = rate;
    node->filled_ns = now;
    node->fraction = 0;
    if (node->tokens > (int64_t)BANDWIDTH_BURST(rate))
        node->tokens = (int64_t)BANDWIDTH_BURST(rate);
}

void bandwidth_place(struct bandwidth *node, struct bandwidth *parent, uint32_t weight)
{
    CHECK(weight > 0);
    CHECK(weight <= WEIGHT_MAX);
    node->parent = parent;
    node->weight = weight;
}

/* Among the children of the limited node above: its own and that of transparent ones in between. */
static uint32_t weight_of(const struct bandwidth *node, const struct bandwidth *above)
{
    uint32_t weight = node->weight;
    for (const struct bandwidth *at = node->parent; at && at != above; at = at->parent)
        weight = weight * at->weight / BANDWIDTH_WEIGHT;
    if (weight > WEIGHT_MAX)
        weight = WEIGHT_MAX;
    return weight ? weight : 1;
}

static int64_t share_of(const struct bandwidth *child, const struct bandwidth *parent)
{
    int64_t share = parent->slice_share * weight_of(child, parent) / BANDWIDTH_WEIGHT;
    return share > 1 ? share : 1;
}

/* An unlimited node is transparent: its children share with its siblings. */
static struct bandwidth *limited_above(const struct bandwidth *node)
{
    struct bandwidth *parent = node->parent;
    while (parent && parent->rate == 0)
        parent = parent->parent;
    return parent;
}

static void begin_slice(struct bandwidth *parent, int64_t now)
{
    int64_t slice = now / BANDWIDTH_SLICE_NS;
    if (slice == parent->slice && parent->slice_share > 0)
        return;
    /* Children that wait for a debt to be paid ask seldom: the last slice in which anybody asked
     * tells how many there are. */
    parent->active_before = slice - parent->slice <= GAP_SLICES ? parent->active : 0;
    parent->active = 0;
    parent->slice = slice;
    /* What is there, and what will come until the slice ends. */
    uint64_t left_ns = (uint64_t)((slice + 1) * BANDWIDTH_SLICE_NS - now);
    int64_t budget = (parent->tokens > 0 ? parent->tokens : 0) +
                     (int64_t)(left_ns * parent->rate / (uint64_t)SECOND_NS);
    /* A quarter stays behind, so that the last to ask in a slice finds its share too. */
    uint32_t active = parent->active_before ? parent->active_before : BANDWIDTH_WEIGHT;
    parent->slice_share = budget / 4 * 3 * BANDWIDTH_WEIGHT / active;
    if (parent->slice_share < 1)
        parent->slice_share = 1;
}

/* The child asks in the parent's current slice: counts it, and forgives what has been shared out
 * since it last asked. */
static void ask(struct bandwidth *child, struct bandwidth *parent)
{
    if (child->child_of != parent) {
        child->child_of = parent;
        child->child_taken = 0;
        child->child_slice = parent->slice - 1;
    }
    int64_t passed = parent->slice - child->child_slice;
    if (passed <= 0)
        return;
    parent->active += weight_of(child, parent);
    child->child_slice = parent->slice;
    if (passed > FORGIVE_MAX)
        passed = FORGIVE_MAX;
    /* The quarter held back counts here, else debts would be paid more slowly than bytes come. */
    int64_t share = share_of(child, parent);
    child->child_taken -= passed * (share + share / 3 + 1);
    if (child->child_taken < 0)
        child->child_taken = 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What may pass now, at most INT64_MAX. */
static int64_t room(struct bandwidth *leaf, int64_t now)
{
    int64_t left = INT64_MAX;
    for (struct bandwidth *node = leaf; node; node = limited_above(node)) {
        if (node->rate) {
            refill(node, now);
            left = least(left, node->tokens);
        }
        struct bandwidth *parent = limited_above(node);
        if (!parent)
            break;
        refill(parent, now);
        begin_slice(parent, now);
        ask(node, parent);
        left = least(left, share_of(node, parent) - node->child_taken);
    }
    return left;
}

static void spend(struct bandwidth *leaf, int64_t bytes)
{
    for (struct bandwidth *node = leaf; node; node = limited_above(node)) {
        if (node->rate)
            node->tokens -= bytes;
        if (limited_above(node))
            node->child_taken += bytes;
    }
}

bool bandwidth_may(struct bandwidth *leaf, int64_t now)
{
    return room(leaf, now) > 0;
}

uint32_t bandwidth_take(struct bandwidth *leaf, int64_t now, uint32_t wanted)
{
    int64_t granted = least(room(leaf, now), wanted);
    if (granted <= 0)
        return 0;
    spend(leaf, granted);
    return (uint32_t)granted;
}

bool bandwidth_take_whole(struct bandwidth *leaf, int64_t now, uint32_t bytes)
{
    if (room(leaf, now) <= 0)
        return false;
    spend(leaf, bytes);
    return true;
}

void bandwidth_charge(struct bandwidth *leaf, int64_t now, uint64_t bytes)
{
    CHECK(bytes < UINT64_C(1) << 62);
    (void)room(leaf, now); /* brings every node of the chain up to now */
    spend(leaf, (int64_t)bytes);
}

/* When an empty bucket holds enough to be worth waking for: 5 ms of its rate. */
static int64_t filled_at(const struct bandwidth *node, int64_t now)
{
    struct bandwidth then = *node;
    refill(&then, now);
    if (then.tokens > 0)
        return now;
    uint64_t missing = (uint64_t)-then.tokens + node->rate / WAKES_A_S + 1;
    uint64_t seconds = missing / node->rate;
    uint64_t rest = missing % node->rate * (uint64_t)SECOND_NS / node->rate + 1;
    return now + (int64_t)(seconds * (uint64_t)SECOND_NS + rest);
}

int64_t bandwidth_deadline(const struct bandwidth *leaf, int64_t now)
{
    int64_t deadline = now;
    for (const struct bandwidth *node = leaf; node; node = limited_above(node)) {
        int64_t filled = node->rate ? filled_at(node, now) : now;
        if (filled > deadline)
            deadline = filled;
        const struct bandwidth *parent = limited_above(node);
        if (!parent || node->child_of != parent || node->child_slice < now / BANDWIDTH_SLICE_NS ||
            node->child_taken < share_of(node, parent))
            continue;
        int64_t next = (node->child_slice + 1) * BANDWIDTH_SLICE_NS;
        if (next > deadline)
            deadline = next;
    }
    return deadline;
}

bool bandwidth_is_limited(const struct bandwidth *leaf)
{
    return leaf->rate || limited_above(leaf);
}

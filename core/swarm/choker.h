/* SPDX-License-Identifier: MIT */
/*
 * Whom we upload to (BEP 3, choking). A policy behind a small struct of decisions: peers are
 * described to it, slots to unchoke come back; another policy is another file with these functions.
 *
 * Commandments
 *   1. Every 10 s the interested peers that give us most (while we download) get the regular slots.
 *      Equal ones: who has a slot keeps it, else at random.
 *   2. Who is better than the worst of those and not interested is unchoked too and costs no slot;
 *      when it becomes interested, the worst regular one is choked.
 *   3. One slot of them all is optimistic: every 30 s it goes to a random choked interested peer,
 *      newcomers three times as likely as others.
 *   4. Who snubs us (60 s without a block while we wait for one) has no regular slot; each such
 *      peer frees its slot for one more optimistic unchoke.
 *   5. While seeding, a peer keeps its slot for a turn of 60 s, best takers first; then it goes
 *      behind those that wait, who are served longest wait first.
 *   6. A free slot is given at once, not at the next round.
 *   7. Slots adapt when allowed: while all are busy, peers wait and the last added slot made us
 *      upload more, add one; when it did not, take it back and rest for a while.
 */
#ifndef FRESHET_SWARM_CHOKER_H
#define FRESHET_SWARM_CHOKER_H

#include "core/base/limits.h"
#include "core/base/rng.h"

#include <stdbool.h>

#define CHOKER_ROUND_NS      (10 * SECOND_NS)
#define CHOKER_OPTIMISTIC_NS (30 * SECOND_NS)
#define CHOKER_TURN_NS       (60 * SECOND_NS)
#define CHOKER_NEWCOMER_NS   (30 * SECOND_NS) /* connected for less: a newcomer */
#define CHOKER_SLOTS_DEFAULT 4u
#define CHOKER_SLOTS_MAX     50u
#define CHOKER_SLOT_NONE     UINT32_MAX

/* One connected peer as the policy sees it. The array may be in any order that is the same for the
 * same run (by slot, say). */
struct choker_peer {
    uint32_t slot;
    bool interested;      /* in us */
    bool unchoked;        /* by us, now */
    bool snubbed;         /* it snubs us */
    bool is_seed;         /* has all we could give: never worth a slot */
    int64_t connected_ns; /* when it came */
    int64_t choked_ns;    /* when it was last choked or unchoked; connected_ns before */
    uint64_t rate_from;   /* payload bytes a second, both ways, over about 20 s */
    uint64_t rate_to;
};

struct choker {
    struct rng rng;
    uint32_t slots_base; /* regular and optimistic together */
    uint32_t slots;      /* now, when they adapt */
    bool adapts;
    int64_t next_round_ns;
    int64_t next_optimistic_ns;
    uint32_t optimistic[CHOKER_SLOTS_MAX]; /* slots that are unchoked optimistically */
    uint32_t optimistic_count;
    uint64_t probe_rate; /* upload rate before the last slot was added */
    uint32_t probe_age;  /* rounds since it was; 0: no probe is open */
    uint32_t rest;       /* rounds until the next probe */
};

/* slots 0: CHOKER_SLOTS_DEFAULT, and they adapt; else fixed, at most CHOKER_SLOTS_MAX. */
void choker_init(struct choker *choker, uint32_t slots, uint64_t seed, int64_t now);
void choker_set_slots(struct choker *choker, uint32_t slots);
/* When the next round is due. */
int64_t choker_deadline(const struct choker *choker);

/* What a round needs to know beside the peers. */
struct choker_situation {
    int64_t now;
    bool seeding;          /* rank by what they take */
    uint64_t upload_rate;  /* payload, all peers of the torrent */
    uint64_t upload_limit; /* the tightest that holds for the torrent; 0: none */
};

/* The round that is due (call it when now >= choker_deadline; it may be called earlier, when much
 * has changed). Writes the slots that shall be unchoked now (everyone else: choked) to ret_slots
 * (room for `count`), returns how many. */
uint32_t choker_round(struct choker *choker, const struct choker_situation *situation,
                      const struct choker_peer *peers, uint32_t count, uint32_t *ret_slots);

/* Between rounds: `slot` became interested, or a slot became free because a peer left, lost its
 * interest (then `slot` is CHOKER_SLOT_NONE). */
struct choker_change {
    uint32_t unchoke; /* or CHOKER_SLOT_NONE */
    uint32_t choke;   /* or CHOKER_SLOT_NONE */
};
void choker_on_interested(struct choker *choker, const struct choker_situation *situation,
                          const struct choker_peer *peers, uint32_t count, uint32_t slot,
                          struct choker_change *ret_change);
/* The peer is gone. (Then ask choker_on_interested with CHOKER_SLOT_NONE.) */
void choker_on_left(struct choker *choker, uint32_t slot);
bool choker_is_optimistic(const struct choker *choker, uint32_t slot);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The pieces that could be begun, ordered by priority and rarity; the piece picker's inside. Each
 * (priority, rarity) has a bucket, each piece knows its place in its bucket: joining, leaving and
 * moving are O(1), and equals can be drawn at random.
 */
#ifndef FRESHET_SWARM_PIECE_ORDER_H
#define FRESHET_SWARM_PIECE_ORDER_H

#include "core/base/bitfield.h"
#include "core/base/limits.h"
#include "core/base/rng.h"
#include "core/door/door.h"

#define PIECE_ORDER_PRIORITIES 10u
/* Rarity 0 .. LIMIT_PEERS_PER_TORRENT; what is commoner counts as that. */
#define PIECE_ORDER_LEVELS (LIMIT_PEERS_PER_TORRENT + 1)
#define PIECE_ORDER_WORDS  ((PIECE_ORDER_LEVELS + 63) / 64)
#define PIECE_ORDER_NONE   UINT32_MAX

struct piece_place {
    uint32_t position; /* in its bucket */
    uint16_t level;
    uint8_t priority;
    bool listed;
};

_Static_assert(sizeof(struct piece_place) == 8, "one for each piece of a torrent");

struct piece_bucket {
    piece_index *pieces;
    uint32_t length;
    uint32_t capacity;
};

struct piece_order {
    struct piece_place *places;                               /* piece_count */
    struct bitfield listed;                                   /* the same pieces by index */
    struct piece_bucket *buckets[PIECE_ORDER_PRIORITIES];     /* LEVELS each, made when needed */
    uint64_t used[PIECE_ORDER_PRIORITIES][PIECE_ORDER_WORDS]; /* levels that are not empty */
    uint32_t lengths[PIECE_ORDER_PRIORITIES];
    uint32_t lowest;     /* no listed piece has a smaller index */
    uint64_t generation; /* grows with each insertion */
};

void piece_order_init(struct piece_order *order, uint32_t piece_count);
void piece_order_deinit(struct piece_order *order);
/* priority 1..7. The piece must not be listed. */
void piece_order_insert(struct piece_order *order, piece_index piece, uint32_t priority,
                        uint32_t rarity);
/* The piece must be listed. */
void piece_order_remove(struct piece_order *order, piece_index piece);
/* Its rarity changed; nothing happens when it is not listed. */
void piece_order_move(struct piece_order *order, piece_index piece, uint32_t rarity);
bool piece_order_has(const struct piece_order *order, piece_index piece);
uint32_t piece_order_length(const struct piece_order *order);
/* The highest priority that is listed, 0 when nothing is. */
uint32_t piece_order_top(const struct piece_order *order);

/* Each gives a listed piece that is in `has`, or PIECE_ORDER_NONE. The rarest of the highest
 * priority, at random among equals; `counted`: the owner of `has` is part of each piece's rarity,
 * so that rarity 0 need not be looked at. */
piece_index piece_order_rarest(const struct piece_order *order, const struct bitfield *has,
                               bool counted, struct rng *rng);
/* Any of the highest priority, regardless of rarity. */
piece_index piece_order_random(const struct piece_order *order, const struct bitfield *has,
                               struct rng *rng);
/* The lowest index of the highest priority. */
piece_index piece_order_first(struct piece_order *order, const struct bitfield *has);
/* The same among those of at least `priority`, looking at no others; has NULL: all. */
piece_index piece_order_first_above(const struct piece_order *order, const struct bitfield *has,
                                    uint32_t priority);

/* First index at or after `from` that is set in both; a->size when there is none. */
uint32_t piece_order_next_common(const struct bitfield *a, const struct bitfield *b, uint32_t from);
void piece_order_check(const struct piece_order *order);

#endif

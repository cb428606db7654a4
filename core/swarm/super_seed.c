/* SPDX-License-Identifier: MIT */
#include "core/swarm/super_seed.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/swarm/availability.h"

#define NOBODY UINT16_MAX

struct shown {
    bool joined;
    uint32_t waited_s;      /* since it was last shown a piece */
    bool hurried;           /* its last piece was not spread: the next is waited for less */
    uint32_t current;       /* the piece that the slot is to spread, SUPER_SEED_NONE: none */
    struct bitfield pieces; /* all that it was ever shown; made at the first */
};

struct super_seed {
    uint32_t piece_count;
    struct rng rng;
    struct availability availability; /* what peers have, seeds among them counted apart */
    uint16_t *shown_to; /* per piece: the slot whose task it is to spread it, or NOBODY */
    uint32_t missing;   /* pieces that no peer has */
    uint32_t joined;
    struct shown slots[LIMIT_PEERS_PER_TORRENT];
};

struct super_seed *super_seed_new(uint32_t piece_count, uint64_t seed)
{
    struct super_seed *super_seed = memory_new(sizeof *super_seed);
    super_seed->piece_count = super_seed->missing = piece_count;
    rng_init(&super_seed->rng, seed);
    availability_init(&super_seed->availability, piece_count);
    super_seed->shown_to = memory_new_array(piece_count, sizeof *super_seed->shown_to);
    for (uint32_t i = 0; i < piece_count; i++)
        super_seed->shown_to[i] = NOBODY;
    return super_seed;
}

void super_seed_free(struct super_seed *super_seed)
{
    if (!super_seed)
        return;
    for (uint32_t i = 0; i < LIMIT_PEERS_PER_TORRENT; i++)
        bitfield_deinit(&super_seed->slots[i].pieces);
    availability_deinit(&super_seed->availability);
    memory_free(super_seed->shown_to);
    memory_free(super_seed);
}

static struct shown *shown_of(struct super_seed *super_seed, uint32_t slot)
{
    CHECK(slot < LIMIT_PEERS_PER_TORRENT);
    return &super_seed->slots[slot];
}

static void count(struct super_seed *super_seed, uint32_t piece)
{
    if (availability_add(&super_seed->availability, piece) == 1)
        super_seed->missing--;
}

static void uncount(struct super_seed *super_seed, uint32_t piece)
{
    if (availability_remove(&super_seed->availability, piece) == 0)
        super_seed->missing++;
}

/* Nobody's current piece before one that is being spread already, then the rarest, equals at
 * random. O(pieces): once for each piece that is shown. */
uint32_t super_seed_next(struct super_seed *super_seed, uint32_t slot, const struct bitfield *has)
{
    struct shown *shown = shown_of(super_seed, slot);
    CHECK(shown->joined);
    uint32_t best = SUPER_SEED_NONE;
    uint32_t best_rank = UINT32_MAX;
    uint32_t equals = 0;
    for (uint32_t i = bitfield_next_clear(has, 0); i < has->size;
         i = bitfield_next_clear(has, i + 1)) {
        uint32_t rank = super_seed->availability.counts[i] * 2u;
        rank += super_seed->shown_to[i] != NOBODY;
        if (rank > best_rank || super_seed_is_shown(super_seed, slot, i))
            continue;
        equals = rank < best_rank ? 1 : equals + 1;
        if (rank < best_rank || rng_below(&super_seed->rng, equals) == 0)
            best = i;
        best_rank = rank;
    }
    shown->current = SUPER_SEED_NONE;
    shown->waited_s = 0;
    if (best == SUPER_SEED_NONE)
        return best;
    /* A piece that another slot is spreading stays that one's task. */
    if (super_seed->shown_to[best] == NOBODY) {
        super_seed->shown_to[best] = (uint16_t)slot;
        shown->current = best;
    }
    if (shown->pieces.size == 0)
        bitfield_init(&shown->pieces, super_seed->piece_count);
    bitfield_set(&shown->pieces, best);
    return best;
}

uint32_t super_seed_peer_joined(struct super_seed *super_seed, uint32_t slot,
                                const struct bitfield *has)
{
    struct shown *shown = shown_of(super_seed, slot);
    CHECK(!shown->joined);
    CHECK(has->size == super_seed->piece_count);
    shown->joined = true;
    super_seed->joined++;
    for (uint32_t i = bitfield_next_set(has, 0); i < has->size; i = bitfield_next_set(has, i + 1))
        count(super_seed, i);
    return super_seed_next(super_seed, slot, has);
}

void super_seed_peer_have(struct super_seed *super_seed, uint32_t slot, uint32_t piece,
                          uint32_t *ret_slot)
{
    CHECK(piece < super_seed->piece_count);
    CHECK(shown_of(super_seed, slot)->joined);
    count(super_seed, piece);
    uint32_t spreader = super_seed->shown_to[piece];
    *ret_slot = SUPER_SEED_NONE;
    /* Its own word is no proof that it spreads the piece, unless there is nobody to spread it to.
     */
    if (spreader != NOBODY && (spreader != slot || super_seed->joined == 1)) {
        super_seed->shown_to[piece] = NOBODY;
        super_seed->slots[spreader].current = SUPER_SEED_NONE;
        super_seed->slots[spreader].hurried = false;
        *ret_slot = spreader;
    } else if (super_seed->slots[slot].current == SUPER_SEED_NONE) {
        *ret_slot = slot; /* it has no task: there was none to give */
    }
}

void super_seed_tick(struct super_seed *super_seed)
{
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++)
        super_seed->slots[slot].waited_s += super_seed->slots[slot].joined;
}

uint32_t super_seed_take_overdue(struct super_seed *super_seed)
{
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct shown *shown = &super_seed->slots[slot];
        uint32_t patience_s = shown->hurried ? SUPER_SEED_HURRY_S : SUPER_SEED_PATIENCE_S;
        if (!shown->joined || shown->waited_s < patience_s)
            continue;
        shown->hurried = true;
        if (shown->current != SUPER_SEED_NONE)
            super_seed->shown_to[shown->current] = NOBODY;
        shown->current = SUPER_SEED_NONE;
        shown->waited_s = 0;
        return slot;
    }
    return SUPER_SEED_NONE;
}

void super_seed_peer_lost(struct super_seed *super_seed, uint32_t slot, uint32_t piece)
{
    CHECK(piece < super_seed->piece_count);
    CHECK(shown_of(super_seed, slot)->joined);
    uncount(super_seed, piece);
}

void super_seed_peer_left(struct super_seed *super_seed, uint32_t slot, const struct bitfield *has)
{
    struct shown *shown = shown_of(super_seed, slot);
    if (!shown->joined)
        return;
    for (uint32_t i = bitfield_next_set(has, 0); i < has->size; i = bitfield_next_set(has, i + 1))
        uncount(super_seed, i);
    if (shown->current != SUPER_SEED_NONE && super_seed->shown_to[shown->current] == slot)
        super_seed->shown_to[shown->current] = NOBODY;
    bitfield_deinit(&shown->pieces);
    *shown = (struct shown){0};
    super_seed->joined--;
}

bool super_seed_is_shown(const struct super_seed *super_seed, uint32_t slot, uint32_t piece)
{
    CHECK(slot < LIMIT_PEERS_PER_TORRENT);
    const struct bitfield *pieces = &super_seed->slots[slot].pieces;
    return piece < pieces->size && bitfield_has(pieces, piece);
}

bool super_seed_is_done(const struct super_seed *super_seed)
{
    return super_seed->missing == 0;
}

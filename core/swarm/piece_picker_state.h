/* SPDX-License-Identifier: MIT */
/*
 * What the piece picker holds, shared by its files: piece_picker.c (who has what, blocks that come
 * or are lost, verdicts), piece_picker_pick.c (which block to ask for next) and
 * piece_picker_fetches.c (what is told of open pieces). Nobody else includes this.
 */
#ifndef FRESHET_SWARM_PIECE_PICKER_STATE_H
#define FRESHET_SWARM_PIECE_PICKER_STATE_H

#include "core/base/map.h"
#include "core/base/rng.h"
#include "core/swarm/open_piece.h"
#include "core/swarm/piece_order.h"
#include "core/swarm/piece_picker.h"

struct picker_slot {
    bool joined;
    bool is_seed;
    uint32_t outstanding;
    piece_index witness; /* a piece that made it interesting */
    uint64_t dull;       /* the wish generation in which it was not interesting */
    uint64_t barren;     /* the order generation in which no closed piece was in it */
};

struct piece_picker {
    const struct geometry *geometry;
    uint32_t piece_count;
    bool sequential;
    struct rng rng;
    struct availability availability;
    struct piece_order order; /* closed wanted pieces */
    struct bitfield have;
    struct bitfield wanted; /* priority > 0, has payload, not had */
    uint64_t wish;          /* grows when a piece becomes wanted */
    uint8_t *priorities;
    uint32_t urgent_count;  /* of pieces with PIECE_PRIORITY_SOON and above */
    struct map open_pieces; /* piece -> struct open_piece */
    struct list partial;    /* open pieces with free blocks */
    struct list full;       /* all blocks asked for or received */
    struct list complete;   /* all received */
    uint32_t blocks_received;
    uint32_t blocks_requested;
    struct picker_slot slots[PIECE_PICKER_SLOTS];
};

/* NULL when the piece is not open. */
struct open_piece *piece_picker_state_open_of(const struct piece_picker *picker, piece_index piece);
struct picker_slot *piece_picker_state_slot(struct piece_picker *picker, uint32_t slot);
/* Brings `wanted` and the order in line with priority, have and open. */
void piece_picker_state_settle(struct piece_picker *picker, piece_index piece);
/* The list that an open piece belongs in. */
struct list *piece_picker_state_list(const struct piece_picker *picker,
                                     const struct open_piece *open);
/* Around each change of an open piece's blocks: keep the counts and the lists. The first returns
 * what the second wants. */
struct list *piece_picker_state_before_change(struct piece_picker *picker,
                                              const struct open_piece *open);
void piece_picker_state_after_change(struct piece_picker *picker, struct open_piece *open,
                                     struct list *before);
/* Opens a closed piece. */
struct open_piece *piece_picker_state_begin(struct piece_picker *picker, piece_index piece,
                                            uint32_t slot);
/* Forgets an open piece with all requests in it, and settles it anew. */
void piece_picker_state_end(struct piece_picker *picker, struct open_piece *open);
/* Every missing block of a wanted piece is requested. */
bool piece_picker_state_in_end_game(const struct piece_picker *picker);

#endif

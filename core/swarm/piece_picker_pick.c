/* SPDX-License-Identifier: MIT */
#include "core/base/check.h"
#include "core/swarm/piece_picker_state.h"

/* Blocks and pieces looked at for duplicates in one pick: end game must not cost a walk over
 * everything that is open for each block that comes. */
#define DUPLICATE_BLOCKS_MAX 2048u
#define DUPLICATE_PIECES_MAX 64u

struct pick {
    struct piece_picker *picker;
    const struct pick_options *options;
    struct picker_slot *peer;
    uint32_t slot;
    struct block_pick *picks;
    uint32_t count; /* wanted */
    uint32_t length;
};

static void pick_emit(struct pick *pick, piece_index piece, uint32_t block, bool duplicate)
{
    pick->picks[pick->length++] = (struct block_pick){
        .piece = piece,
        .block = block,
        .begin = block * LIMIT_BLOCK_SIZE,
        .length = geometry_block_length(pick->picker->geometry, piece, block),
        .duplicate = duplicate,
    };
    pick->peer->outstanding++;
}

static void take_free_blocks(struct pick *pick, struct open_piece *open)
{
    struct list *before = piece_picker_state_before_change(pick->picker, open);
    while (open->free_count > 0 && pick->length < pick->count) {
        uint32_t block = open_piece_request_free(open, pick->slot, pick->options->now);
        pick_emit(pick, open->piece, block, false);
    }
    piece_picker_state_after_change(pick->picker, open, before);
}

/* Is `a` to be finished before `b`? Higher priority, then fewer blocks missing, then the older. */
static bool goes_before(const struct piece_picker *picker, const struct open_piece *a,
                        const struct open_piece *b)
{
    if (picker->priorities[a->piece] != picker->priorities[b->piece])
        return picker->priorities[a->piece] > picker->priorities[b->piece];
    return a->block_count - a->received_count < b->block_count - b->received_count;
}

static struct open_piece *best_partial(const struct pick *pick, bool own_only)
{
    const struct list *list = &pick->picker->partial;
    struct open_piece *best = NULL;
    for (struct list_node *node = list_first(list); node; node = list_next(list, node)) {
        struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
        if ((own_only && open->owner != pick->slot) ||
            !bitfield_has(pick->options->has, open->piece))
            continue;
        if (!best || goes_before(pick->picker, open, best))
            best = open;
    }
    return best;
}

static void take_partial(struct pick *pick, bool own_only)
{
    while (pick->length < pick->count) {
        struct open_piece *open = best_partial(pick, own_only);
        if (!open)
            return;
        take_free_blocks(pick, open);
    }
}

static piece_index suggested_piece(const struct pick *pick)
{
    const struct piece_order *order = &pick->picker->order;
    for (uint32_t i = 0; i < pick->options->suggested_count; i++) {
        piece_index piece = pick->options->suggested[i];
        if (piece < pick->picker->piece_count && bitfield_has(pick->options->has, piece) &&
            piece_order_has(order, piece) &&
            pick->picker->priorities[piece] == piece_order_top(order))
            return piece;
    }
    return PIECE_ORDER_NONE;
}

static piece_index choose_new(struct pick *pick)
{
    struct piece_picker *picker = pick->picker;
    const struct bitfield *has = pick->options->has;
    if (pick->peer->barren == picker->order.generation)
        return PIECE_ORDER_NONE;
    piece_index piece = suggested_piece(pick);
    if (piece != PIECE_ORDER_NONE)
        return piece;
    if (picker->sequential)
        piece = piece_order_first(&picker->order, has);
    else if (picker->have.count < PIECE_PICKER_RANDOM_FIRST)
        piece = piece_order_random(&picker->order, has, &picker->rng);
    else
        piece = piece_order_rarest(&picker->order, has, pick->peer->joined && !pick->peer->is_seed,
                                   &picker->rng);
    if (piece == PIECE_ORDER_NONE && pick->peer->joined)
        pick->peer->barren = picker->order.generation;
    return piece;
}

static void take_new(struct pick *pick)
{
    while (pick->options->open_new && pick->length < pick->count) {
        piece_index piece = choose_new(pick);
        if (piece == PIECE_ORDER_NONE)
            return;
        take_free_blocks(pick, piece_picker_state_begin(pick->picker, piece, pick->slot));
    }
}

/* While choked: only pieces of the allowed-fast set. */
static void take_only(struct pick *pick)
{
    for (uint32_t i = 0; i < pick->options->only_count && pick->length < pick->count; i++) {
        piece_index piece = pick->options->only[i];
        if (piece >= pick->picker->piece_count || !bitfield_has(pick->options->has, piece))
            continue;
        struct open_piece *open = piece_picker_state_open_of(pick->picker, piece);
        if (!open && pick->options->open_new && piece_order_has(&pick->picker->order, piece))
            open = piece_picker_state_begin(pick->picker, piece, pick->slot);
        if (open)
            take_free_blocks(pick, open);
    }
}

/* Blocks of one full piece that at most `requesters` others are asked for. Starts at a random
 * block, so that two peers running dry do not both double the same ones. Returns blocks looked at.
 */
static uint32_t take_duplicates_of(struct pick *pick, struct open_piece *open, uint32_t requesters,
                                   int64_t before_ns)
{
    uint32_t at = rng_below(&pick->picker->rng, open->block_count);
    uint32_t looked = 0;
    for (; looked < open->block_count && pick->length < pick->count; looked++) {
        const struct open_block *block = &open->blocks[at];
        if (!block->received && block->requesters == requesters &&
            block->requested_ns < before_ns && pick->peer->outstanding < PIECE_PICKER_DRY &&
            !open_piece_is_requested_of(open, at, pick->slot)) {
            open_piece_request_again(open, at, pick->slot, pick->options->now);
            pick_emit(pick, open->piece, at, true);
        }
        at = at + 1 < open->block_count ? at + 1 : 0;
    }
    return looked;
}

static void take_duplicates(struct pick *pick)
{
    struct list *full = &pick->picker->full;
    int64_t before_ns =
        piece_picker_state_in_end_game(pick->picker) ? INT64_MAX : pick->options->slow_before_ns;
    if (before_ns == INT64_MIN)
        return;
    for (uint32_t requesters = 1; requesters < PIECE_PICKER_REQUESTERS_MAX; requesters++) {
        uint32_t pieces = (uint32_t)full->length;
        uint32_t looked = 0;
        if (pieces > DUPLICATE_PIECES_MAX)
            pieces = DUPLICATE_PIECES_MAX;
        for (; pieces > 0 && looked < DUPLICATE_BLOCKS_MAX; pieces--) {
            if (pick->length == pick->count || pick->peer->outstanding >= PIECE_PICKER_DRY)
                return;
            /* The next peer begins with another piece. */
            struct list_node *node = list_first(full);
            list_remove(full, node);
            list_append(full, node);
            struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
            if (bitfield_has(pick->options->has, open->piece))
                looked += take_duplicates_of(pick, open, requesters, before_ns);
        }
    }
}

/* ---- what somebody waits for ---- */

/* Blocks that others were asked for long ago, however deep this peer's line is. Returns blocks
 * looked at. */
static uint32_t take_late_of(struct pick *pick, struct open_piece *open, uint32_t *left)
{
    int64_t before_ns = pick->options->now - PIECE_PICKER_URGENT_SLOW_NS;
    uint32_t at = 0;
    for (; at < open->block_count && pick->length<pick->count && * left> 0; at++) {
        const struct open_block *block = &open->blocks[at];
        if (block->received || block->requesters == 0 ||
            block->requesters >= PIECE_PICKER_REQUESTERS_MAX || block->requested_ns >= before_ns ||
            open_piece_is_requested_of(open, at, pick->slot))
            continue;
        open_piece_request_again(open, at, pick->slot, pick->options->now);
        pick_emit(pick, open->piece, at, true);
        (*left)--;
    }
    return at;
}

static void take_late(struct pick *pick)
{
    struct list *full = &pick->picker->full;
    uint32_t pieces = 0, blocks = 0, left = PIECE_PICKER_DRY;
    for (struct list_node *node = list_first(full);
         node && pieces < DUPLICATE_PIECES_MAX && blocks < DUPLICATE_BLOCKS_MAX;
         node = list_next(full, node), pieces++) {
        struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
        if (pick->picker->priorities[open->piece] == PIECE_PRIORITY_NOW &&
            bitfield_has(pick->options->has, open->piece))
            blocks += take_late_of(pick, open, &left);
    }
}

/* Free blocks of pieces of at least that priority, open or new. */
static void take_urgent_of(struct pick *pick, uint8_t priority)
{
    struct piece_picker *picker = pick->picker;
    while (pick->length < pick->count) {
        struct open_piece *open = best_partial(pick, false);
        if (open && picker->priorities[open->piece] < priority)
            open = NULL;
        piece_index piece =
            pick->options->open_new
                ? piece_order_first_above(&picker->order, pick->options->has, priority)
                : PIECE_ORDER_NONE;
        bool is_new = piece != PIECE_ORDER_NONE &&
                      (!open || picker->priorities[piece] > picker->priorities[open->piece]);
        if (!is_new && !open)
            return;
        take_free_blocks(pick, is_new ? piece_picker_state_begin(picker, piece, pick->slot) : open);
    }
}

static void take_urgent(struct pick *pick)
{
    if (pick->picker->urgent_count == 0)
        return;
    take_urgent_of(pick, PIECE_PRIORITY_NOW);
    take_late(pick);
    take_urgent_of(pick, PIECE_PRIORITY_SOON);
}

uint32_t piece_picker_pick(struct piece_picker *picker, uint32_t slot,
                           const struct pick_options *options, struct block_pick *ret_picks,
                           uint32_t count)
{
    CHECK(options->has->size == picker->piece_count);
    struct pick pick = {picker, options, piece_picker_state_slot(picker, slot), slot, ret_picks,
                        count,  0};
    if (options->only_these) {
        take_only(&pick);
        return pick.length;
    }
    take_urgent(&pick);
    if (options->whole_pieces) {
        take_partial(&pick, true);
        take_new(&pick);
    }
    take_partial(&pick, false);
    take_new(&pick);
    take_duplicates(&pick);
    return pick.length;
}

uint32_t piece_picker_pick_piece(struct piece_picker *picker, uint32_t slot, piece_index piece,
                                 int64_t now, struct block_pick *ret_picks, uint32_t count)
{
    struct pick_options options = {.now = now};
    struct pick pick = {picker, &options, piece_picker_state_slot(picker, slot), slot, ret_picks,
                        count,  0};
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (!open && count > 0 && piece_order_has(&picker->order, piece))
        open = piece_picker_state_begin(picker, piece, slot);
    if (open)
        take_free_blocks(&pick, open);
    return pick.length;
}

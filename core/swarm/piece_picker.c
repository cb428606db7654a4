/* SPDX-License-Identifier: MIT */
#include "core/swarm/piece_picker.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/swarm/piece_picker_state.h"

_Static_assert(PIECE_PICKER_REQUESTERS_MAX == OPEN_PIECE_REQUESTERS_MAX, "one limit, told twice");
_Static_assert(PIECE_PICKER_SLOTS < UINT16_MAX, "a slot is kept in 16 bits");

/* ---- making and wishes ---- */

struct piece_picker *piece_picker_new(const struct piece_picker_options *options)
{
    struct piece_picker *picker = memory_new(sizeof *picker);
    uint32_t piece_count = options->geometry->piece_count;
    picker->geometry = options->geometry;
    picker->piece_count = piece_count;
    picker->sequential = options->sequential;
    picker->wish = 1;
    rng_init(&picker->rng, options->seed);
    availability_init(&picker->availability, piece_count);
    piece_order_init(&picker->order, piece_count);
    bitfield_init(&picker->have, piece_count);
    bitfield_init(&picker->wanted, piece_count);
    picker->priorities = memory_new_array(piece_count, 1);
    map_init(&picker->open_pieces, sizeof(piece_index), rng_u64(&picker->rng));
    list_init(&picker->partial);
    list_init(&picker->full);
    list_init(&picker->complete);
    if (options->have)
        bitfield_copy(&picker->have, options->have);
    for (piece_index piece = 0; piece < piece_count; piece++) {
        picker->priorities[piece] =
            options->priorities ? options->priorities[piece] : PIECE_PRIORITY_NORMAL;
        CHECK(picker->priorities[piece] < PIECE_ORDER_PRIORITIES);
        picker->urgent_count += picker->priorities[piece] >= PIECE_PRIORITY_SOON;
        piece_picker_state_settle(picker, piece);
    }
    return picker;
}

static void free_list(struct list *list)
{
    for (struct list_node *node = list_first(list); node; node = list_first(list)) {
        list_remove(list, node);
        open_piece_free(LIST_ELEMENT(node, struct open_piece, node));
    }
}

void piece_picker_free(struct piece_picker *picker)
{
    if (!picker)
        return;
    free_list(&picker->partial);
    free_list(&picker->full);
    free_list(&picker->complete);
    map_deinit(&picker->open_pieces);
    availability_deinit(&picker->availability);
    piece_order_deinit(&picker->order);
    bitfield_deinit(&picker->have);
    bitfield_deinit(&picker->wanted);
    memory_free(picker->priorities);
    memory_free(picker);
}

void piece_picker_set_priority(struct piece_picker *picker, piece_index piece, uint8_t priority)
{
    CHECK(piece < picker->piece_count);
    CHECK(priority < PIECE_ORDER_PRIORITIES);
    if (picker->priorities[piece] == priority)
        return;
    picker->urgent_count -= picker->priorities[piece] >= PIECE_PRIORITY_SOON;
    picker->urgent_count += priority >= PIECE_PRIORITY_SOON;
    picker->priorities[piece] = priority;
    piece_picker_state_settle(picker, piece);
}

void piece_picker_set_sequential(struct piece_picker *picker, bool sequential)
{
    picker->sequential = sequential;
}

/* ---- who has what ---- */

static void count_one(struct piece_picker *picker, piece_index piece)
{
    piece_order_move(&picker->order, piece, availability_add(&picker->availability, piece));
}

static void uncount_one(struct piece_picker *picker, piece_index piece)
{
    piece_order_move(&picker->order, piece, availability_remove(&picker->availability, piece));
}

static void count_all(struct piece_picker *picker, const struct bitfield *has)
{
    for (uint32_t i = bitfield_next_set(has, 0); i < has->size; i = bitfield_next_set(has, i + 1))
        count_one(picker, i);
}

static void uncount_all(struct piece_picker *picker, const struct bitfield *has)
{
    for (uint32_t i = bitfield_next_set(has, 0); i < has->size; i = bitfield_next_set(has, i + 1))
        uncount_one(picker, i);
}

void piece_picker_peer_joined(struct piece_picker *picker, uint32_t slot,
                              const struct bitfield *has)
{
    struct picker_slot *peer = piece_picker_state_slot(picker, slot);
    CHECK(!peer->joined);
    CHECK(has->size == picker->piece_count);
    peer->joined = true;
    peer->is_seed = bitfield_is_full(has);
    peer->dull = peer->barren = 0;
    if (peer->is_seed)
        picker->availability.seeds++;
    else
        count_all(picker, has);
}

void piece_picker_peer_have(struct piece_picker *picker, uint32_t slot, piece_index piece,
                            const struct bitfield *has)
{
    struct picker_slot *peer = piece_picker_state_slot(picker, slot);
    CHECK(bitfield_has(has, piece));
    CHECK(peer->joined);
    CHECK(!peer->is_seed);
    peer->dull = peer->barren = 0;
    count_one(picker, piece);
    if (!bitfield_is_full(has))
        return;
    uncount_all(picker, has);
    picker->availability.seeds++;
    peer->is_seed = true;
}

void piece_picker_peer_lost(struct piece_picker *picker, uint32_t slot, piece_index piece,
                            const struct bitfield *has)
{
    struct picker_slot *peer = piece_picker_state_slot(picker, slot);
    CHECK(!bitfield_has(has, piece));
    CHECK(peer->joined);
    if (!peer->is_seed) {
        uncount_one(picker, piece);
        return;
    }
    picker->availability.seeds--;
    peer->is_seed = false;
    count_all(picker, has);
}

void piece_picker_peer_left(struct piece_picker *picker, uint32_t slot, const struct bitfield *has)
{
    struct picker_slot *peer = piece_picker_state_slot(picker, slot);
    piece_picker_abort_all(picker, slot);
    CHECK(peer->outstanding == 0);
    if (peer->joined && peer->is_seed)
        picker->availability.seeds--;
    else if (peer->joined)
        uncount_all(picker, has);
    *peer = (struct picker_slot){0};
}

bool piece_picker_is_interesting(struct piece_picker *picker, uint32_t slot,
                                 const struct bitfield *has)
{
    struct picker_slot *peer = piece_picker_state_slot(picker, slot);
    if (peer->dull == picker->wish)
        return false;
    if (peer->witness < has->size && bitfield_has(&picker->wanted, peer->witness) &&
        bitfield_has(has, peer->witness))
        return true;
    uint32_t found = piece_order_next_common(&picker->wanted, has, peer->witness);
    if (found == has->size)
        found = piece_order_next_common(&picker->wanted, has, 0);
    if (found == has->size) {
        /* A peer that has not joined may fill its bitfield without our knowing. */
        peer->dull = peer->joined ? picker->wish : 0;
        return false;
    }
    peer->witness = found;
    return true;
}

/* ---- blocks that come or are lost ---- */

bool piece_picker_can_open(const struct piece_picker *picker, const struct bitfield *has)
{
    return piece_order_next_common(&picker->order.listed, has, 0) < has->size;
}

bool piece_picker_longest_gap(const struct piece_picker *picker, piece_index *ret_first,
                              uint32_t *ret_count)
{
    const struct bitfield *listed = &picker->order.listed;
    uint32_t best = 0;
    for (uint32_t from = bitfield_next_set(listed, 0); from < listed->size;) {
        uint32_t to = bitfield_next_clear(listed, from);
        if (to - from > best) {
            best = to - from;
            *ret_first = from;
        }
        from = bitfield_next_set(listed, to);
    }
    if (best > 0)
        *ret_count = best;
    return best > 0;
}

bool piece_picker_first_gap(const struct piece_picker *picker, const struct bitfield *has,
                            piece_index *ret_first, uint32_t *ret_count)
{
    const struct bitfield *listed = &picker->order.listed;
    uint32_t from = bitfield_next_set(listed, 0);
    while (from < listed->size && !bitfield_has(has, from))
        from = bitfield_next_set(listed, from + 1);
    if (from >= listed->size)
        return false;
    uint32_t to = from + 1;
    while (to < listed->size && bitfield_has(listed, to) && bitfield_has(has, to))
        to++;
    *ret_first = from;
    *ret_count = to - from;
    return true;
}

bool piece_picker_urgent_gap(const struct piece_picker *picker, piece_index *ret_first,
                             uint32_t *ret_count)
{
    if (picker->urgent_count == 0)
        return false;
    piece_index first = piece_order_first_above(&picker->order, NULL, PIECE_PRIORITY_SOON);
    if (first == PIECE_ORDER_NONE)
        return false;
    piece_index end = first + 1;
    while (end < picker->piece_count && piece_order_has(&picker->order, end) &&
           picker->priorities[end] >= PIECE_PRIORITY_SOON)
        end++;
    *ret_first = first;
    *ret_count = end - first;
    return true;
}

bool piece_picker_abort(struct piece_picker *picker, uint32_t slot, piece_index piece,
                        uint32_t block)
{
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (!open || block >= open->block_count || !open_piece_is_requested_of(open, block, slot))
        return false;
    struct list *before = piece_picker_state_before_change(picker, open);
    open_piece_unrequest(open, block, slot);
    piece_picker_state_slot(picker, slot)->outstanding--;
    piece_picker_state_after_change(picker, open, before);
    if (open->free_count == open->block_count)
        piece_picker_state_end(picker, open);
    return true;
}

static void abort_in(struct piece_picker *picker, const struct list *list, uint32_t slot)
{
    struct list_node *next;
    for (struct list_node *node = list_first(list); node; node = next) {
        next = list_next(list, node);
        struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
        uint32_t block_count = open->block_count;
        piece_index piece = open->piece;
        for (uint32_t i = 0; i < block_count && picker->slots[slot].outstanding > 0; i++) {
            piece_picker_abort(picker, slot, piece, i);
            if (!piece_picker_state_open_of(picker, piece))
                break;
        }
    }
}

void piece_picker_abort_all(struct piece_picker *picker, uint32_t slot)
{
    if (piece_picker_state_slot(picker, slot)->outstanding == 0)
        return;
    /* Full pieces may move to the partial ones, which come second: nothing is missed. */
    abort_in(picker, &picker->full, slot);
    abort_in(picker, &picker->partial, slot);
}

bool piece_picker_needs(const struct piece_picker *picker, piece_index piece, uint32_t block)
{
    if (piece >= picker->piece_count || block >= geometry_piece_blocks(picker->geometry, piece))
        return false;
    const struct open_piece *open = piece_picker_state_open_of(picker, piece);
    return open ? !open->blocks[block].received : piece_order_has(&picker->order, piece);
}

void piece_picker_received(struct piece_picker *picker, uint32_t slot, piece_index piece,
                           uint32_t block, const struct address *sender, block_id memory,
                           struct block_receipt *ret_receipt)
{
    *ret_receipt = (struct block_receipt){0};
    if (!piece_picker_needs(picker, piece, block))
        return;
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (!open)
        open = piece_picker_state_begin(picker, piece, slot);
    struct list *before = piece_picker_state_before_change(picker, open);
    const struct open_block *state = &open->blocks[block];
    for (uint32_t i = 0; i < state->requesters; i++) {
        picker->slots[state->slots[i]].outstanding--;
        if (state->slots[i] != slot)
            ret_receipt->cancels[ret_receipt->cancel_count++] = state->slots[i];
    }
    open_piece_receive(open, block, sender, memory);
    piece_picker_state_after_change(picker, open, before);
    ret_receipt->accepted = true;
    ret_receipt->piece_complete = open->received_count == open->block_count;
}

const block_id *piece_picker_memory(const struct piece_picker *picker, piece_index piece,
                                    uint32_t *ret_count)
{
    const struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (!open)
        return NULL;
    *ret_count = open->block_count;
    return open->memory;
}

const struct address *piece_picker_sender(const struct piece_picker *picker, piece_index piece,
                                          uint32_t block)
{
    const struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (!open || block >= open->block_count || !open->blocks[block].received)
        return NULL;
    return &open->senders[open->blocks[block].sender];
}

/* ---- verdicts ---- */

void piece_picker_piece_verified(struct piece_picker *picker, piece_index piece)
{
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    bitfield_set(&picker->have, piece);
    if (open)
        piece_picker_state_end(picker, open);
    else
        piece_picker_state_settle(picker, piece);
}

void piece_picker_piece_failed(struct piece_picker *picker, piece_index piece)
{
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (open)
        piece_picker_state_end(picker, open);
}

void piece_picker_piece_lost(struct piece_picker *picker, piece_index piece)
{
    CHECK(piece < picker->piece_count);
    bitfield_clear(&picker->have, piece);
    piece_picker_state_settle(picker, piece);
}

bool piece_picker_victim(const struct piece_picker *picker, piece_index *ret_piece)
{
    const struct open_piece *victim = NULL;
    const struct list *list = &picker->partial;
    for (struct list_node *node = list_first(list); node; node = list_next(list, node)) {
        const struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
        if (open->received_count == 0 || open_piece_requested_count(open) > 0 ||
            picker->priorities[open->piece] >= PIECE_PRIORITY_SOON)
            continue;
        if (!victim || open->received_count < victim->received_count)
            victim = open;
    }
    if (victim)
        *ret_piece = victim->piece;
    return victim != NULL;
}

void piece_picker_forget(struct piece_picker *picker, piece_index piece)
{
    struct open_piece *open = piece_picker_state_open_of(picker, piece);
    if (open && open->received_count < open->block_count)
        piece_picker_state_end(picker, open);
}

/* ---- questions ---- */

bool piece_picker_wants(const struct piece_picker *picker, piece_index piece)
{
    return bitfield_has(&picker->wanted, piece);
}

bool piece_picker_is_open(const struct piece_picker *picker, piece_index piece)
{
    return piece_picker_state_open_of(picker, piece) != NULL;
}

const struct availability *piece_picker_availability(const struct piece_picker *picker)
{
    return &picker->availability;
}

void piece_picker_count(const struct piece_picker *picker, struct piece_picker_counts *ret_counts)
{
    *ret_counts = (struct piece_picker_counts){
        .wanted = picker->wanted.count,
        .closed = piece_order_length(&picker->order),
        .open = (uint32_t)(picker->partial.length + picker->full.length + picker->complete.length),
        .in_memory = (uint32_t)picker->complete.length,
        .blocks_received = picker->blocks_received,
        .blocks_requested = picker->blocks_requested,
        .end_game = piece_picker_state_in_end_game(picker),
    };
}

uint32_t piece_picker_outstanding(const struct piece_picker *picker, uint32_t slot)
{
    CHECK(slot < PIECE_PICKER_SLOTS);
    return picker->slots[slot].outstanding;
}

static void check_list(const struct piece_picker *picker, const struct list *list,
                       uint32_t *outstanding, struct piece_picker_counts *totals)
{
    for (struct list_node *node = list_first(list); node; node = list_next(list, node)) {
        const struct open_piece *open = LIST_ELEMENT(node, struct open_piece, node);
        open_piece_check(open);
        CHECK(piece_picker_state_list(picker, open) == list);
        CHECK(piece_picker_state_open_of(picker, open->piece) == open);
        CHECK(open->free_count < open->block_count);
        CHECK(!bitfield_has(&picker->have, open->piece));
        CHECK(!piece_order_has(&picker->order, open->piece));
        for (uint32_t i = 0; i < open->block_count; i++)
            for (uint32_t j = 0; j < open->blocks[i].requesters; j++)
                outstanding[open->blocks[i].slots[j]]++;
        totals->open++;
        totals->blocks_received += open->received_count;
        totals->blocks_requested += open_piece_requested_count(open);
    }
}

void piece_picker_check(const struct piece_picker *picker)
{
    uint32_t outstanding[PIECE_PICKER_SLOTS] = {0};
    struct piece_picker_counts totals = {0};
    check_list(picker, &picker->partial, outstanding, &totals);
    check_list(picker, &picker->full, outstanding, &totals);
    check_list(picker, &picker->complete, outstanding, &totals);
    CHECK(totals.open == picker->open_pieces.length);
    CHECK(totals.blocks_received == picker->blocks_received);
    CHECK(totals.blocks_requested == picker->blocks_requested);
    uint32_t seeds = 0;
    for (uint32_t slot = 0; slot < PIECE_PICKER_SLOTS; slot++) {
        CHECK(outstanding[slot] == picker->slots[slot].outstanding);
        seeds += picker->slots[slot].joined && picker->slots[slot].is_seed;
    }
    CHECK(seeds == picker->availability.seeds);
    piece_order_check(&picker->order);
    uint32_t urgent = 0;
    for (piece_index piece = 0; piece < picker->piece_count; piece++) {
        bool wanted = bitfield_has(&picker->wanted, piece);
        urgent += picker->priorities[piece] >= PIECE_PRIORITY_SOON;
        CHECK(!wanted || !bitfield_has(&picker->have, piece));
        CHECK(piece_order_has(&picker->order, piece) ==
              (wanted && !piece_picker_state_open_of(picker, piece)));
    }
    CHECK(urgent == picker->urgent_count);
}

/* SPDX-License-Identifier: MIT */
#include "core/swarm/piece_picker_state.h"

#include "core/base/check.h"

struct open_piece *piece_picker_state_open_of(const struct piece_picker *picker, piece_index piece)
{
    CHECK(piece < picker->piece_count);
    return map_get(&picker->open_pieces, &piece);
}

struct picker_slot *piece_picker_state_slot(struct piece_picker *picker, uint32_t slot)
{
    CHECK(slot < PIECE_PICKER_SLOTS);
    return &picker->slots[slot];
}

void piece_picker_state_settle(struct piece_picker *picker, piece_index piece)
{
    uint8_t priority = picker->priorities[piece];
    bool wanted = priority > 0 && !bitfield_has(&picker->have, piece) &&
                  geometry_piece_blocks(picker->geometry, piece) > 0;
    if (wanted && !bitfield_has(&picker->wanted, piece))
        picker->wish++;
    if (wanted)
        bitfield_set(&picker->wanted, piece);
    else
        bitfield_clear(&picker->wanted, piece);
    if (piece_order_has(&picker->order, piece))
        piece_order_remove(&picker->order, piece);
    if (wanted && !piece_picker_state_open_of(picker, piece))
        piece_order_insert(&picker->order, piece, priority, picker->availability.counts[piece]);
}

struct list *piece_picker_state_list(const struct piece_picker *picker,
                                     const struct open_piece *open)
{
    if (open->free_count > 0)
        return (struct list *)&picker->partial;
    return (struct list *)(open->received_count < open->block_count ? &picker->full
                                                                    : &picker->complete);
}

struct list *piece_picker_state_before_change(struct piece_picker *picker,
                                              const struct open_piece *open)
{
    picker->blocks_requested -= open_piece_requested_count(open);
    picker->blocks_received -= open->received_count;
    return piece_picker_state_list(picker, open);
}

void piece_picker_state_after_change(struct piece_picker *picker, struct open_piece *open,
                                     struct list *before)
{
    picker->blocks_requested += open_piece_requested_count(open);
    picker->blocks_received += open->received_count;
    struct list *after = piece_picker_state_list(picker, open);
    if (after == before)
        return;
    list_remove(before, &open->node);
    list_append(after, &open->node);
}

struct open_piece *piece_picker_state_begin(struct piece_picker *picker, piece_index piece,
                                            uint32_t slot)
{
    uint32_t blocks = geometry_piece_blocks(picker->geometry, piece);
    struct open_piece *open = open_piece_new(piece, blocks, slot);
    map_put(&picker->open_pieces, &piece, open);
    list_append(&picker->partial, &open->node);
    if (piece_order_has(&picker->order, piece))
        piece_order_remove(&picker->order, piece);
    return open;
}

void piece_picker_state_end(struct piece_picker *picker, struct open_piece *open)
{
    struct list *list = piece_picker_state_before_change(picker, open);
    for (uint32_t i = 0; i < open->block_count; i++)
        for (uint32_t j = 0; j < open->blocks[i].requesters; j++)
            picker->slots[open->blocks[i].slots[j]].outstanding--;
    piece_index piece = open->piece;
    list_remove(list, &open->node);
    map_remove(&picker->open_pieces, &piece);
    open_piece_free(open);
    piece_picker_state_settle(picker, piece);
}

bool piece_picker_state_in_end_game(const struct piece_picker *picker)
{
    return piece_order_length(&picker->order) == 0 && list_is_empty(&picker->partial) &&
           !list_is_empty(&picker->full);
}

/* SPDX-License-Identifier: MIT */
/*
 * One piece that is being fetched: the state of each block, who is asked for it, who sent it and
 * where it lies in memory; the piece picker's inside.
 */
#ifndef FRESHET_SWARM_OPEN_PIECE_H
#define FRESHET_SWARM_OPEN_PIECE_H

#include "core/base/address.h"
#include "core/base/list.h"
#include "core/door/door.h"

#define OPEN_PIECE_REQUESTERS_MAX 3u

struct open_block {
    int64_t requested_ns; /* the latest request */
    uint16_t slots[OPEN_PIECE_REQUESTERS_MAX];
    uint16_t sender; /* index in senders, when received */
    uint8_t requesters;
    bool received;
};

_Static_assert(sizeof(struct open_block) == 24, "one for each block of an open piece");

struct open_piece {
    struct list_node node; /* in one of the picker's lists, by the counts below */
    piece_index piece;
    uint32_t owner; /* the slot that opened it */
    uint32_t block_count;
    uint32_t free_count;     /* neither asked for nor received */
    uint32_t received_count; /* the rest is requested */
    uint32_t free_from;      /* no free block has a smaller index */
    struct open_block *blocks;
    block_id *memory;        /* BLOCK_NONE where not received */
    struct address *senders; /* each once */
    uint32_t sender_count;
    uint32_t sender_capacity;
};

struct open_piece *open_piece_new(piece_index piece, uint32_t block_count, uint32_t owner);
void open_piece_free(struct open_piece *open);
/* The free block with the smallest index; there must be one. Marked as asked of the slot. */
uint32_t open_piece_request_free(struct open_piece *open, uint32_t slot, int64_t now);
/* Asked of one more; the block must be requested, of fewer than the most, and not of the slot. */
void open_piece_request_again(struct open_piece *open, uint32_t block, uint32_t slot, int64_t now);
bool open_piece_is_requested_of(const struct open_piece *open, uint32_t block, uint32_t slot);
/* The slot is no longer asked; it must have been. */
void open_piece_unrequest(struct open_piece *open, uint32_t block, uint32_t slot);
/* The block must not be received yet. Nobody is asked for it any more. */
void open_piece_receive(struct open_piece *open, uint32_t block, const struct address *sender,
                        block_id memory);
uint32_t open_piece_requested_count(const struct open_piece *open);
void open_piece_check(const struct open_piece *open);

#endif

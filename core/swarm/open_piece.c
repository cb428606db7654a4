/* SPDX-License-Identifier: MIT */
#include "core/swarm/open_piece.h"

#include "core/base/check.h"
#include "core/base/memory.h"

struct open_piece *open_piece_new(piece_index piece, uint32_t block_count, uint32_t owner)
{
    CHECK(block_count > 0);
    struct open_piece *open = memory_new(sizeof *open);
    open->piece = piece;
    open->owner = owner;
    open->block_count = open->free_count = block_count;
    open->blocks = memory_new_array(block_count, sizeof *open->blocks);
    open->memory = memory_new_array(block_count, sizeof *open->memory);
    for (uint32_t i = 0; i < block_count; i++)
        open->memory[i] = BLOCK_NONE;
    return open;
}

void open_piece_free(struct open_piece *open)
{
    if (!open)
        return;
    memory_free(open->blocks);
    memory_free(open->memory);
    memory_free(open->senders);
    memory_free(open);
}

static bool block_is_free(const struct open_block *block)
{
    return !block->received && block->requesters == 0;
}

static void add_requester(struct open_block *block, uint32_t slot, int64_t now)
{
    CHECK(block->requesters < OPEN_PIECE_REQUESTERS_MAX);
    block->slots[block->requesters++] = (uint16_t)slot;
    block->requested_ns = now;
}

uint32_t open_piece_request_free(struct open_piece *open, uint32_t slot, int64_t now)
{
    CHECK(open->free_count > 0);
    uint32_t block = open->free_from;
    while (!block_is_free(&open->blocks[block])) {
        block++;
        CHECK(block < open->block_count);
    }
    add_requester(&open->blocks[block], slot, now);
    open->free_count--;
    open->free_from = block + 1;
    return block;
}

void open_piece_request_again(struct open_piece *open, uint32_t block, uint32_t slot, int64_t now)
{
    CHECK(block < open->block_count);
    CHECK(!open->blocks[block].received);
    CHECK(open->blocks[block].requesters > 0);
    CHECK(!open_piece_is_requested_of(open, block, slot));
    add_requester(&open->blocks[block], slot, now);
}

bool open_piece_is_requested_of(const struct open_piece *open, uint32_t block, uint32_t slot)
{
    CHECK(block < open->block_count);
    const struct open_block *state = &open->blocks[block];
    for (uint32_t i = 0; i < state->requesters; i++)
        if (state->slots[i] == slot)
            return true;
    return false;
}

void open_piece_unrequest(struct open_piece *open, uint32_t block, uint32_t slot)
{
    struct open_block *state = &open->blocks[block];
    uint32_t i = 0;
    while (i < state->requesters && state->slots[i] != slot)
        i++;
    CHECK(i < state->requesters);
    for (state->requesters--; i < state->requesters; i++)
        state->slots[i] = state->slots[i + 1];
    if (state->requesters > 0)
        return;
    open->free_count++;
    if (block < open->free_from)
        open->free_from = block;
}

static uint16_t sender_index(struct open_piece *open, const struct address *sender)
{
    /* The latest is asked first: blocks come in runs. */
    for (uint32_t i = open->sender_count; i > 0; i--)
        if (address_equal(&open->senders[i - 1], sender))
            return (uint16_t)(i - 1);
    CHECK(open->sender_count < UINT16_MAX);
    if (open->sender_count == open->sender_capacity) {
        open->sender_capacity = open->sender_capacity ? open->sender_capacity * 2 : 2;
        open->senders =
            memory_resize_array(open->senders, open->sender_capacity, sizeof *open->senders);
    }
    open->senders[open->sender_count] = *sender;
    return (uint16_t)open->sender_count++;
}

void open_piece_receive(struct open_piece *open, uint32_t block, const struct address *sender,
                        block_id memory)
{
    CHECK(block < open->block_count);
    struct open_block *state = &open->blocks[block];
    CHECK(!state->received);
    if (state->requesters == 0)
        open->free_count--;
    state->requesters = 0;
    state->received = true;
    state->sender = sender_index(open, sender);
    open->memory[block] = memory;
    open->received_count++;
}

uint32_t open_piece_requested_count(const struct open_piece *open)
{
    return open->block_count - open->free_count - open->received_count;
}

void open_piece_check(const struct open_piece *open)
{
    uint32_t free_count = 0;
    uint32_t received = 0;
    for (uint32_t i = 0; i < open->block_count; i++) {
        const struct open_block *block = &open->blocks[i];
        CHECK(block->requesters <= OPEN_PIECE_REQUESTERS_MAX);
        CHECK(!block->received || block->requesters == 0);
        CHECK(!block->received || block->sender < open->sender_count);
        CHECK(block->received || open->memory[i] == BLOCK_NONE);
        CHECK(!block_is_free(block) || i >= open->free_from);
        free_count += block_is_free(block);
        received += block->received;
    }
    CHECK(free_count == open->free_count);
    CHECK(received == open->received_count);
}

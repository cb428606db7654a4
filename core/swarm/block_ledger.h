/* SPDX-License-Identifier: MIT */
/*
 * Which blocks of the host's block pool are in use. The memory is the host's; the engine only hands
 * out the numbers, the lowest free ones first, so that a quiet engine touches few pages. Pieces
 * that are open (some block requested or received) reserve room for all of their blocks, so that
 * every open piece can be finished: a pool full of halves would never empty.
 */
#ifndef FRESHET_SWARM_BLOCK_LEDGER_H
#define FRESHET_SWARM_BLOCK_LEDGER_H

#include "core/door/door.h"

struct block_ledger;

struct block_ledger *block_ledger_new(uint32_t size);
void block_ledger_free(struct block_ledger *pool);
/* BLOCK_NONE when all are in use. */
block_id block_ledger_take(struct block_ledger *pool);
void block_ledger_give(struct block_ledger *pool, block_id block);
uint32_t block_ledger_in_use(const struct block_ledger *pool);
/* Is there room for opening another piece of `blocks`? Always when nothing is reserved, however
 * large the piece, so that pieces as large as the pool make progress (block_ledger_fits). */
bool block_ledger_has_room(const struct block_ledger *pool, uint32_t blocks);
/* Can a piece of `blocks` be in memory at all? */
bool block_ledger_fits(const struct block_ledger *pool, uint32_t blocks);
/* Room is set aside for an open piece, and given back when it is open no more. */
void block_ledger_reserve(struct block_ledger *pool, uint32_t blocks);
void block_ledger_release(struct block_ledger *pool, uint32_t blocks);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Which blocks of the host's block pool are in use. The memory is the host's; the engine only hands
 * out the numbers, the lowest free ones first, so that a quiet engine touches few pages. Pieces
 * that are open (some block requested or received) reserve room for all of their blocks, so that
 * every open piece can be finished: a pool full of halves would never empty.
 */
#ifndef FRESHET_SWARM_BLOCK_POOL_H
#define FRESHET_SWARM_BLOCK_POOL_H

#include "core/door/door.h"

struct block_pool;

struct block_pool *block_pool_new(uint32_t size);
void block_pool_free(struct block_pool *pool);
/* BLOCK_NONE when all are in use. */
block_id block_pool_take(struct block_pool *pool);
void block_pool_give(struct block_pool *pool, block_id block);
uint32_t block_pool_in_use(const struct block_pool *pool);
/* Sets room aside for a piece of `blocks`; false when there is none. A single reservation is always
 * granted, however large, so that pieces as large as the pool make progress. */
bool block_pool_reserve(struct block_pool *pool, uint32_t blocks);
void block_pool_release(struct block_pool *pool, uint32_t blocks);
/* Would a reservation be granted? */
bool block_pool_has_room(const struct block_pool *pool, uint32_t blocks);

#endif

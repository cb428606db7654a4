/* SPDX-License-Identifier: MIT */
#include "core/swarm/block_pool.h"

#include "core/base/bitfield.h"
#include "core/base/check.h"
#include "core/base/memory.h"

struct block_pool {
    struct bitfield used;
    uint32_t lowest; /* no free block is below it */
    uint32_t reserved;
    uint32_t reservations;
};

struct block_pool *block_pool_new(uint32_t size)
{
    struct block_pool *pool = memory_new(sizeof *pool);
    bitfield_init(&pool->used, size);
    return pool;
}

void block_pool_free(struct block_pool *pool)
{
    if (pool == NULL)
        return;
    bitfield_deinit(&pool->used);
    memory_free(pool);
}

block_id block_pool_take(struct block_pool *pool)
{
    block_id block = bitfield_next_clear(&pool->used, pool->lowest);
    pool->lowest = block;
    if (block == pool->used.size)
        return BLOCK_NONE;
    bitfield_set(&pool->used, block);
    pool->lowest = block + 1;
    return block;
}

void block_pool_give(struct block_pool *pool, block_id block)
{
    CHECK(bitfield_has(&pool->used, block));
    bitfield_clear(&pool->used, block);
    if (block < pool->lowest)
        pool->lowest = block;
}

uint32_t block_pool_in_use(const struct block_pool *pool)
{
    return pool->used.count;
}

bool block_pool_has_room(const struct block_pool *pool, uint32_t blocks)
{
    /* An eighth is kept free for blocks that arrive twice in the end game. */
    uint32_t room = pool->used.size - pool->used.size / 8;
    if (pool->reservations == 0)
        return true;
    return pool->reserved <= room && blocks <= room - pool->reserved;
}

bool block_pool_reserve(struct block_pool *pool, uint32_t blocks)
{
    if (!block_pool_has_room(pool, blocks))
        return false;
    pool->reserved += blocks;
    pool->reservations++;
    return true;
}

void block_pool_release(struct block_pool *pool, uint32_t blocks)
{
    CHECK(pool->reservations > 0);
    CHECK(pool->reserved >= blocks);
    pool->reserved -= blocks;
    pool->reservations--;
}

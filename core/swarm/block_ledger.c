/* SPDX-License-Identifier: MIT */
#include "core/swarm/block_ledger.h"

#include "core/base/bitfield.h"
#include "core/base/check.h"
#include "core/base/memory.h"

struct block_ledger {
    struct bitfield used;
    uint32_t lowest;   /* no free block is below it */
    uint64_t reserved; /* blocks of open pieces */
};

struct block_ledger *block_ledger_new(uint32_t size)
{
    struct block_ledger *pool = memory_new(sizeof *pool);
    bitfield_init(&pool->used, size);
    return pool;
}

void block_ledger_free(struct block_ledger *pool)
{
    if (pool == NULL)
        return;
    bitfield_deinit(&pool->used);
    memory_free(pool);
}

block_id block_ledger_take(struct block_ledger *pool)
{
    block_id block = bitfield_next_clear(&pool->used, pool->lowest);
    pool->lowest = block;
    if (block == pool->used.size)
        return BLOCK_NONE;
    bitfield_set(&pool->used, block);
    pool->lowest = block + 1;
    return block;
}

void block_ledger_give(struct block_ledger *pool, block_id block)
{
    CHECK(bitfield_has(&pool->used, block));
    bitfield_clear(&pool->used, block);
    if (block < pool->lowest)
        pool->lowest = block;
}

uint32_t block_ledger_in_use(const struct block_ledger *pool)
{
    return pool->used.count;
}

bool block_ledger_has_room(const struct block_ledger *pool, uint32_t blocks)
{
    /* An eighth is kept free for blocks that arrive twice in the end game. */
    uint32_t room = pool->used.size - pool->used.size / 8;
    if (pool->reserved == 0)
        return true;
    return pool->reserved <= room && blocks <= room - pool->reserved;
}

bool block_ledger_fits(const struct block_ledger *pool, uint32_t blocks)
{
    return blocks <= pool->used.size;
}

void block_ledger_reserve(struct block_ledger *pool, uint32_t blocks)
{
    pool->reserved += blocks;
}

void block_ledger_release(struct block_ledger *pool, uint32_t blocks)
{
    CHECK(pool->reserved >= blocks);
    pool->reserved -= blocks;
}

/* SPDX-License-Identifier: MIT */
#include "host/block_memory.h"

#include "core/base/check.h"

#include <sys/mman.h>

enum freshet_error block_memory_init(struct block_memory *pool, uint32_t block_count)
{
    void *memory = mmap(NULL, (size_t)block_count * LIMIT_BLOCK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return FRESHET_ERROR_MEMORY;
    pool->memory = memory;
    pool->block_count = block_count;
    return FRESHET_OK;
}

void block_memory_deinit(struct block_memory *pool)
{
    if (pool->memory)
        munmap(pool->memory, (size_t)pool->block_count * LIMIT_BLOCK_SIZE);
    pool->memory = NULL;
}

uint8_t *block_memory_at(const struct block_memory *pool, block_id block)
{
    CHECK(block < pool->block_count);
    return pool->memory + (size_t)block * LIMIT_BLOCK_SIZE;
}

/* SPDX-License-Identifier: MIT */
/*
 * The memory behind block ids: block i is 16 KiB at i * 16384 of one reserved region. Pages cost
 * nothing until they are touched. The engine says which block is in use; this only has the bytes.
 */
#ifndef FRESHET_HOST_BLOCK_MEMORY_H
#define FRESHET_HOST_BLOCK_MEMORY_H

#include "core/door/door.h"

struct block_memory {
    uint8_t *memory;
    uint32_t block_count;
};

enum freshet_error block_memory_init(struct block_memory *pool, uint32_t block_count);
void block_memory_deinit(struct block_memory *pool);
/* The 16 KiB of a block. */
uint8_t *block_memory_at(const struct block_memory *pool, block_id block);

#endif

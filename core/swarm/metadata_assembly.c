/* SPDX-License-Identifier: MIT */
#include "core/swarm/metadata_assembly.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define NOBODY UINT32_MAX

struct block {
    uint8_t *bytes; /* NULL: not there */
    struct address giver;
    uint32_t slot;      /* who was asked last; NOBODY */
    uint32_t late_slot; /* who was asked before and may answer yet; NOBODY */
    int64_t asked_ns;
};

struct metadata_assembly {
    uint32_t size, count, have;
    struct block *blocks;
};

struct metadata_assembly *metadata_assembly_new(uint32_t size)
{
    CHECK(size > 0 && size <= LIMIT_METADATA_SIZE);
    struct metadata_assembly *assembly = memory_new(sizeof *assembly);
    assembly->size = size;
    assembly->count = (size + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
    assembly->blocks = memory_new_array(assembly->count, sizeof *assembly->blocks);
    for (uint32_t i = 0; i < assembly->count; i++)
        assembly->blocks[i].slot = assembly->blocks[i].late_slot = NOBODY;
    return assembly;
}

void metadata_assembly_free(struct metadata_assembly *assembly)
{
    if (assembly == NULL)
        return;
    for (uint32_t i = 0; i < assembly->count; i++)
        memory_free(assembly->blocks[i].bytes);
    memory_free(assembly->blocks);
    memory_free(assembly);
}

uint32_t metadata_assembly_size(const struct metadata_assembly *assembly)
{
    return assembly->size;
}

static uint32_t length_of(const struct metadata_assembly *assembly, uint32_t block)
{
    uint32_t left = assembly->size - block * LIMIT_BLOCK_SIZE;
    return left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE;
}

bool metadata_assembly_next(struct metadata_assembly *assembly, uint32_t slot, int64_t now,
                            uint32_t *ret_block)
{
    struct block *found = NULL;
    for (uint32_t i = 0; i < assembly->count; i++) {
        struct block *block = &assembly->blocks[i];
        if (block->bytes || block->slot == slot)
            continue;
        if (block->slot == NOBODY) {
            found = block;
            break;
        }
        if (!found && now - block->asked_ns >= METADATA_OVERDUE_NS)
            found = block;
    }
    if (found == NULL)
        return false;
    found->late_slot = found->slot;
    found->slot = slot;
    found->asked_ns = now;
    *ret_block = (uint32_t)(found - assembly->blocks);
    return true;
}

bool metadata_assembly_renew(struct metadata_assembly *assembly, uint32_t slot, int64_t now,
                             uint32_t *ret_block)
{
    for (uint32_t i = 0; i < assembly->count; i++) {
        struct block *block = &assembly->blocks[i];
        if (block->slot != slot || now - block->asked_ns < METADATA_OVERDUE_NS)
            continue;
        block->asked_ns = now;
        *ret_block = i;
        return true;
    }
    return false;
}

enum freshet_error metadata_assembly_put(struct metadata_assembly *assembly, uint32_t slot,
                                         const struct address *giver, uint32_t block,
                                         struct bytes bytes)
{
    if (block >= assembly->count || assembly->blocks[block].bytes ||
        (assembly->blocks[block].slot != slot && assembly->blocks[block].late_slot != slot))
        return FRESHET_ERROR_NOT_FOUND;
    if (bytes.length != length_of(assembly, block))
        return FRESHET_ERROR_RANGE;
    struct block *place = &assembly->blocks[block];
    place->bytes = memory_copy(bytes.data, bytes.length);
    place->giver = *giver;
    place->slot = place->late_slot = NOBODY;
#ifdef FRESHET_PLANTED_BUG
    if (slot == 1 && block == 1) /* one bit of the second block of the second peer */
        place->bytes[0] ^= 1;
#endif
    assembly->have++;
    return FRESHET_OK;
}

void metadata_assembly_reject(struct metadata_assembly *assembly, uint32_t slot, uint32_t block)
{
    if (block >= assembly->count)
        return;
    struct block *refused = &assembly->blocks[block];
    if (refused->late_slot == slot)
        refused->late_slot = NOBODY;
    if (refused->slot == slot)
        refused->slot = NOBODY;
}

void metadata_assembly_release(struct metadata_assembly *assembly, uint32_t slot)
{
    for (uint32_t i = 0; i < assembly->count; i++)
        metadata_assembly_reject(assembly, slot, i);
}

uint32_t metadata_assembly_asked(const struct metadata_assembly *assembly, uint32_t slot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < assembly->count; i++)
        count += assembly->blocks[i].slot == slot;
    return count;
}

int64_t metadata_assembly_deadline(const struct metadata_assembly *assembly)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < assembly->count; i++) {
        const struct block *block = &assembly->blocks[i];
        if (block->slot != NOBODY && block->asked_ns + METADATA_OVERDUE_NS < first)
            first = block->asked_ns + METADATA_OVERDUE_NS;
    }
    return first;
}

uint32_t metadata_assembly_bytes(const struct metadata_assembly *assembly)
{
    uint32_t bytes = 0;
    for (uint32_t i = 0; i < assembly->count; i++)
        bytes += assembly->blocks[i].bytes ? length_of(assembly, i) : 0;
    return bytes;
}

bool metadata_assembly_is_complete(const struct metadata_assembly *assembly)
{
    return assembly->have == assembly->count;
}

void metadata_assembly_read(const struct metadata_assembly *assembly, struct buffer *out)
{
    CHECK(metadata_assembly_is_complete(assembly));
    for (uint32_t i = 0; i < assembly->count; i++)
        buffer_append(out, assembly->blocks[i].bytes, length_of(assembly, i));
}

const struct address *metadata_assembly_sole_giver(const struct metadata_assembly *assembly)
{
    CHECK(metadata_assembly_is_complete(assembly));
    for (uint32_t i = 1; i < assembly->count; i++)
        if (!address_same_ip(&assembly->blocks[i].giver, &assembly->blocks[0].giver))
            return NULL;
    return &assembly->blocks[0].giver;
}

void metadata_assembly_check(const struct metadata_assembly *assembly)
{
    uint32_t have = 0;
    for (uint32_t i = 0; i < assembly->count; i++) {
        const struct block *block = &assembly->blocks[i];
        have += block->bytes != NULL;
        CHECK(block->bytes == NULL || block->slot == NOBODY);
        CHECK(block->bytes == NULL || block->late_slot == NOBODY);
    }
    CHECK(have == assembly->have);
}

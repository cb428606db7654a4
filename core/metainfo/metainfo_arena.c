/* SPDX-License-Identifier: MIT */
#include "core/metainfo/metainfo_arena.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <stdalign.h>
#include <string.h>

#define CHUNK_FIRST 1024u /* doubled each time, since most torrents are small */
#define CHUNK_SIZE  16384u

struct chunk {
    struct chunk *next;
    size_t used, size;
    alignas(max_align_t) uint8_t bytes[];
};

struct metainfo_arena {
    struct chunk *chunks; /* the first is the one being filled */
    size_t chunk_size;    /* of the next one */
};

struct metainfo_arena *metainfo_arena_new(void)
{
    struct metainfo_arena *arena = memory_new(sizeof *arena);
    arena->chunk_size = CHUNK_FIRST;
    return arena;
}

void metainfo_arena_free(struct metainfo_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        memory_free(chunk);
    }
    memory_free(arena);
}

static struct chunk *add_chunk(struct metainfo_arena *arena, size_t size)
{
    struct chunk *chunk = memory_new(sizeof *chunk + size);
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *metainfo_arena_array(struct metainfo_arena *arena, size_t count, size_t size)
{
    const size_t alignment = alignof(max_align_t);
    CHECK(size == 0 || count <= (SIZE_MAX / 2) / size);
    size_t wanted = (count * size + alignment - 1) / alignment * alignment;
    struct chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < wanted) {
        struct chunk *filling = chunk;
        bool is_apart = wanted > arena->chunk_size / 4;
        chunk = add_chunk(arena, is_apart ? wanted : arena->chunk_size);
        if (!is_apart && arena->chunk_size < CHUNK_SIZE)
            arena->chunk_size *= 2;
        if (filling && is_apart) { /* go on filling the one that has room */
            arena->chunks = filling;
            chunk->next = filling->next;
            filling->next = chunk;
        }
    }
    void *taken = chunk->bytes + chunk->used;
    chunk->used += wanted;
    return taken;
}

struct bytes metainfo_arena_copy(struct metainfo_arena *arena, struct bytes bytes)
{
    if (bytes.length == 0)
        return (struct bytes){NULL, 0};
    uint8_t *copy = metainfo_arena_array(arena, bytes.length, 1);
    memcpy(copy, bytes.data, bytes.length);
    return (struct bytes){copy, bytes.length};
}

const char *metainfo_arena_text(struct metainfo_arena *arena, struct bytes text)
{
    char *copy = metainfo_arena_array(arena, text.length + 1, 1);
    if (text.length)
        memcpy(copy, text.data, text.length);
    return copy;
}

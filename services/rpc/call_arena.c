/* SPDX-License-Identifier: MIT */
#include "services/rpc/call_arena.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/base/url.h"

#include <stdlib.h>
#include <string.h>

struct call_arena_chunk {
    struct call_arena_chunk *next;
    max_align_t bytes[];
};

#define CHUNK_FIRST (2 * KIB)
#define CHUNK_MAX   (64 * KIB)

void *call_arena_take(struct call_arena *arena, size_t size)
{
    size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (size > arena->size - arena->used || !arena->chunks) {
        size_t grown = arena->size ? arena->size * 2 : CHUNK_FIRST;
        grown = grown > CHUNK_MAX ? CHUNK_MAX : grown;
        /* Not memory_new: pages that nobody has written yet cost the engine's thread nothing. */
        size_t wanted = size > grown ? size : grown;
        struct call_arena_chunk *chunk = memory_resize_array(NULL, 1, sizeof *chunk + wanted);
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        arena->size = wanted;
        arena->used = 0;
    }
    void *taken = (uint8_t *)arena->chunks->bytes + arena->used;
    arena->used += size;
    return taken;
}

void *call_arena_copy(struct call_arena *arena, const void *bytes, size_t size)
{
    void *copy = call_arena_take(arena, size);
    if (size > 0)
        memcpy(copy, bytes, size);
    return copy;
}

const char *call_arena_bytes(struct call_arena *arena, struct bytes text)
{
    char *copy = call_arena_take(arena, text.length + 1);
    if (text.length > 0)
        memcpy(copy, text.data, text.length);
    copy[text.length] = '\0';
    return copy;
}

const char *call_arena_text(struct call_arena *arena, const char *text)
{
    if (!text)
        return NULL;
    return call_arena_bytes(arena, (struct bytes){(const uint8_t *)text, strlen(text)});
}

const char *call_arena_url(struct call_arena *arena, struct bytes url, bool is_whole)
{
    struct buffer shown = {0};

    if (is_whole || url.length == 0)
        return call_arena_bytes(arena, url);
    url_append_public(url, &shown);
    const char *text = call_arena_bytes(arena, buffer_bytes(&shown));
    buffer_deinit(&shown);
    return text;
}

void call_arena_deinit(struct call_arena *arena)
{
    while (arena->chunks) {
        struct call_arena_chunk *next = arena->chunks->next;
        memory_free(arena->chunks);
        arena->chunks = next;
    }
    *arena = (struct call_arena){0};
}

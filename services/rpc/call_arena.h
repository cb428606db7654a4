/* SPDX-License-Identifier: MIT */
/*
 * Memory of one call: what a step copies lives until the call ends, and nothing of it moves. A
 * chunk at a time, so that copying a name costs no malloc.
 */
#ifndef FRESHET_RPC_CALL_ARENA_H
#define FRESHET_RPC_CALL_ARENA_H

#include "core/base/bytes.h"

struct call_arena_chunk;

struct call_arena {
    struct call_arena_chunk *chunks; /* private */
    size_t used, size;               /* private: of the first chunk */
};

/* Not zeroed; aligned for anything. */
void *call_arena_take(struct call_arena *arena, size_t size);
void *call_arena_copy(struct call_arena *arena, const void *bytes, size_t size);
/* NUL-terminated; NULL gives NULL. */
const char *call_arena_text(struct call_arena *arena, const char *text);
const char *call_arena_bytes(struct call_arena *arena, struct bytes text);
/* As bytes; unless `is_whole`, only what of the URL is no secret (url.h). */
const char *call_arena_url(struct call_arena *arena, struct bytes url, bool is_whole);
void call_arena_deinit(struct call_arena *arena);

#endif

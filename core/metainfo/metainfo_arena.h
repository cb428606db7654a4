/* SPDX-License-Identifier: MIT */
/* Memory of one metainfo: many small pieces that live and die together. */
#ifndef FRESHET_METAINFO_METAINFO_ARENA_H
#define FRESHET_METAINFO_METAINFO_ARENA_H

#include "core/base/bytes.h"

struct metainfo_arena;

struct metainfo_arena *metainfo_arena_new(void);
void metainfo_arena_free(struct metainfo_arena *arena);
/* Zeroed, aligned for anything; lives as long as the arena. */
void *metainfo_arena_array(struct metainfo_arena *arena, size_t count, size_t size);
/* A copy of the bytes; {NULL, 0} of none. */
struct bytes metainfo_arena_copy(struct metainfo_arena *arena, struct bytes bytes);
/* The same with a NUL behind it. */
const char *metainfo_arena_text(struct metainfo_arena *arena, struct bytes text);

#endif

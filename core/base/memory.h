/* SPDX-License-Identifier: MIT */
/*
 * Heap memory for bounded, small things. Running out of memory for them stops the program (there is
 * no honest way on); whatever a remote can make large is capped by limits.h before it gets here, or
 * allocated with plain malloc and answered with FRESHET_ERROR_MEMORY.
 */
#ifndef FRESHET_BASE_MEMORY_H
#define FRESHET_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory, never NULL (size 0 gives one byte). The caller frees it with memory_free. */
void *memory_new(size_t size);
/* Zeroed array of `count` elements of `size` bytes, overflow checked. */
void *memory_new_array(size_t count, size_t size);
/* Grown or shrunk array; new bytes are not zeroed. */
void *memory_resize_array(void *array, size_t count, size_t size);
/* A copy of `size` bytes (NULL allowed when size is 0). */
void *memory_copy(const void *bytes, size_t size);
/* Of a C string; NULL of NULL. */
char *memory_copy_text(const char *text);
void memory_free(void *pointer);

#endif

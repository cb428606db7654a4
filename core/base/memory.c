/* SPDX-License-Identifier: MIT */
#include "core/base/memory.h"

#include "core/base/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memory_new(size_t size)
{
    void *pointer = calloc(1, size ? size : 1);
    CHECK(pointer != NULL);
    return pointer;
}

void *memory_new_array(size_t count, size_t size)
{
    CHECK(size == 0 || count <= SIZE_MAX / size);
    return memory_new(count * size);
}

void *memory_resize_array(void *array, size_t count, size_t size)
{
    CHECK(size == 0 || count <= SIZE_MAX / size);
    size_t bytes = count * size;
    void *pointer = realloc(array, bytes ? bytes : 1);
    CHECK(pointer != NULL);
    return pointer;
}

void *memory_copy(const void *bytes, size_t size)
{
    void *pointer = memory_new(size);
    if (size)
        memcpy(pointer, bytes, size);
    return pointer;
}

char *memory_copy_text(const char *text)
{
    return text ? memory_copy(text, strlen(text) + 1) : NULL;
}

void memory_free(void *pointer)
{
    free(pointer);
}

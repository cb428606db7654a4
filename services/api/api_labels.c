/* SPDX-License-Identifier: MIT */
#include "services/api/api_labels.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (const uint8_t *at = (const uint8_t *)name; *at; at++)
        hash = (hash ^ *at) * 16777619u;
    return hash;
}

void api_labels_add(struct api_labels *labels, struct call_arena *arena, const char *name)
{
    uint32_t slot = hash_of(name) % API_LABELS_SLOTS;
    for (; labels->slots[slot]; slot = (slot + 1) % API_LABELS_SLOTS) {
        uint32_t entry = labels->slots[slot] - 1u;
        if (strcmp(labels->entries[entry].name, name) == 0) {
            labels->entries[entry].count++;
            return;
        }
    }
    if (labels->count == API_LABELS_MAX)
        return;
    labels->entries[labels->count].name = call_arena_text(arena, name);
    labels->entries[labels->count].count = 1;
    labels->slots[slot] = (uint16_t)++labels->count;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b; /* the name comes first in an entry */
    return strcmp(*left, *right);
}

void api_labels_write(struct api_labels *labels, struct json_writer *json)
{
    qsort(labels->entries, labels->count, sizeof labels->entries[0], by_name);
    json_writer_key(json, "labels");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < labels->count; i++) {
        json_writer_open(json, '{');
        json_writer_put_text(json, "name", labels->entries[i].name);
        json_writer_put_u64(json, "count", labels->entries[i].count);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
}

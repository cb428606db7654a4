/* SPDX-License-Identifier: MIT */
#include "core/base/map.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

/* A slot is the value pointer (NULL: free) followed by the key, padded to eight bytes. */
static size_t slot_size(const struct map *map)
{
    return sizeof(void *) + ((map->key_size + 7) & ~(size_t)7);
}

static uint8_t *slot_at(const struct map *map, size_t index)
{
    return map->slots + index * slot_size(map);
}

static void *slot_value(const uint8_t *slot)
{
    void *value;
    memcpy(&value, slot, sizeof value);
    return value;
}

static void slot_fill(const struct map *map, uint8_t *slot, const void *key, void *value)
{
    memcpy(slot, &value, sizeof value);
    memcpy(slot + sizeof value, key, map->key_size);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x;
}

static uint64_t hash(const struct map *map, const uint8_t *key)
{
    uint64_t state = map->seed ^ 0x9e3779b97f4a7c15u;
    for (size_t at = 0; at < map->key_size; at += 8) {
        uint64_t word = 0;
        size_t left = map->key_size - at;
        memcpy(&word, key + at, left < 8 ? left : 8);
        state = mix(state ^ word) + map->seed;
    }
    return mix(state);
}

void map_init(struct map *map, size_t key_size, uint64_t seed)
{
    CHECK(key_size >= 1);
    CHECK(key_size <= 64);
    *map = (struct map){.key_size = key_size, .seed = seed};
}

void map_deinit(struct map *map)
{
    memory_free(map->slots);
    *map = (struct map){0};
}

/* The slot that holds the key, or the free slot where it would go. */
static uint8_t *find(const struct map *map, const void *key)
{
    size_t index = (size_t)hash(map, key) & (map->capacity - 1);
    for (;;) {
        uint8_t *slot = slot_at(map, index);
        if (slot_value(slot) == NULL || memcmp(slot + sizeof(void *), key, map->key_size) == 0)
            return slot;
        index = (index + 1) & (map->capacity - 1);
    }
}

void *map_get(const struct map *map, const void *key)
{
    return map->capacity ? slot_value(find(map, key)) : NULL;
}

static void grow(struct map *map)
{
    struct map bigger = *map;
    bigger.capacity = map->capacity ? 2 * map->capacity : 16;
    bigger.slots = memory_new_array(bigger.capacity, slot_size(map));
    for (size_t i = 0; i < map->capacity; i++) {
        uint8_t *slot = slot_at(map, i);
        if (slot_value(slot))
            memcpy(find(&bigger, slot + sizeof(void *)), slot, slot_size(map));
    }
    memory_free(map->slots);
    *map = bigger;
}

void *map_put(struct map *map, const void *key, void *value)
{
    CHECK(value != NULL);
    if (4 * (map->length + 1) > 3 * map->capacity)
        grow(map);
    uint8_t *slot = find(map, key);
    void *former = slot_value(slot);
    slot_fill(map, slot, key, value);
    map->length += former == NULL;
    return former;
}

void *map_remove(struct map *map, const void *key)
{
    if (map->capacity == 0)
        return NULL;
    uint8_t *slot = find(map, key);
    void *former = slot_value(slot);
    if (former == NULL)
        return NULL;
    map->length--;
    /* Close the gap: move back each follower whose home is not between the gap and itself. */
    size_t mask = map->capacity - 1;
    size_t gap = (size_t)(slot - map->slots) / slot_size(map);
    size_t at = gap;
    for (;;) {
        at = (at + 1) & mask;
        uint8_t *next = slot_at(map, at);
        if (slot_value(next) == NULL)
            break;
        size_t home = (size_t)hash(map, next + sizeof(void *)) & mask;
        if (((at - home) & mask) < ((at - gap) & mask))
            continue;
        memcpy(slot_at(map, gap), next, slot_size(map));
        gap = at;
    }
    memset(slot_at(map, gap), 0, slot_size(map));
    return former;
}

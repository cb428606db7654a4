/* SPDX-License-Identifier: MIT */
/*
 * Hash map from a fixed-size key (4 to 64 bytes) to a pointer: open addressing, seeded hash so that
 * a remote cannot choose collisions. Never iterate it where order can be observed: order depends on
 * the seed. Keep a list beside it for that.
 */
#ifndef FRESHET_BASE_MAP_H
#define FRESHET_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map {
    uint8_t *slots; /* capacity × (value pointer, key) */
    size_t key_size;
    size_t length;
    size_t capacity; /* a power of two, or 0 */
    uint64_t seed;
};

void map_init(struct map *map, size_t key_size, uint64_t seed);
void map_deinit(struct map *map);
/* The value of the key (key_size bytes), or NULL. */
void *map_get(const struct map *map, const void *key);
/* Sets the key's value (not NULL); returns the former value or NULL. */
void *map_put(struct map *map, const void *key, void *value);
/* Takes the key out; returns its value or NULL. */
void *map_remove(struct map *map, const void *key);

#endif

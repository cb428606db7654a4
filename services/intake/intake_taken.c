/* SPDX-License-Identifier: MIT */
#include "services/intake/intake_taken.h"

#include "core/base/memory.h"
#include "core/crypto/sha256.h"

#include <string.h>

struct taken_entry {
    struct list_node node;
    struct intake_key key;
};

struct intake_key intake_taken_key(struct bytes what)
{
    uint8_t digest[SHA256_SIZE];
    struct intake_key key;

    sha256_of(what.data, what.length, digest);
    memcpy(key.bytes, digest, sizeof key.bytes);
    return key;
}

void intake_taken_init(struct intake_taken *taken, uint32_t max)
{
    *taken = (struct intake_taken){.max = max};
    map_init(&taken->map, INTAKE_KEY_SIZE, 0); /* keys are digests already */
    list_init(&taken->order);
}

static void forget_oldest(struct intake_taken *taken)
{
    struct taken_entry *entry = LIST_ELEMENT(list_first(&taken->order), struct taken_entry, node);

    list_remove(&taken->order, &entry->node);
    map_remove(&taken->map, entry->key.bytes);
    memory_free(entry);
    taken->count--;
}

void intake_taken_deinit(struct intake_taken *taken)
{
    while (taken->count > 0)
        forget_oldest(taken);
    map_deinit(&taken->map);
}

bool intake_taken_has(struct intake_taken *taken, const struct intake_key *key)
{
    struct taken_entry *entry = map_get(&taken->map, key->bytes);

    if (!entry)
        return false;
    list_remove(&taken->order, &entry->node);
    list_append(&taken->order, &entry->node);
    return true;
}

void intake_taken_add(struct intake_taken *taken, const struct intake_key *key)
{
    if (intake_taken_has(taken, key))
        return;
    if (taken->count == taken->max)
        forget_oldest(taken);
    struct taken_entry *entry = memory_new(sizeof *entry);
    entry->key = *key;
    list_append(&taken->order, &entry->node);
    map_put(&taken->map, entry->key.bytes, entry);
    taken->count++;
}

void intake_taken_save(const struct intake_taken *taken, struct buffer *out)
{
    for (struct list_node *node = list_first(&taken->order); node;
         node = list_next(&taken->order, node))
        buffer_append(out, LIST_ELEMENT(node, struct taken_entry, node)->key.bytes,
                      INTAKE_KEY_SIZE);
}

void intake_taken_load(struct intake_taken *taken, struct bytes saved)
{
    for (size_t at = 0; at + INTAKE_KEY_SIZE <= saved.length; at += INTAKE_KEY_SIZE) {
        struct intake_key key;
        memcpy(key.bytes, saved.data + at, sizeof key.bytes);
        intake_taken_add(taken, &key);
    }
}

/* SPDX-License-Identifier: MIT */
#include "core/swarm/layer_fetch.h"

#include "core/base/check.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/metainfo/merkle.h"
#include "core/swarm/hash_answer.h"

#include <string.h>

#define NOBODY UINT32_MAX

/* One request's worth of a layer. */
struct chunk {
    uint32_t layer; /* in layers */
    struct wire_hash_range range;
    uint32_t slot; /* who owes it; NOBODY */
    int64_t asked_ns;
    bool have;
};

struct layer {
    file_index file; /* the first that has the root */
    uint64_t file_length;
    uint32_t count;  /* hashes */
    uint8_t *hashes; /* NULL until the first comes */
};

struct layer_fetch {
    struct layer *layers;
    uint32_t layer_count;
    struct chunk *chunks;
    uint32_t chunk_count, chunks_have;
    uint32_t hashes, hashes_have;
    struct map by_root; /* 32 bytes -> struct layer */
    bool refuses[LAYER_FETCH_SLOTS];
};

static bool is_missing(const struct metainfo *metainfo, file_index number)
{
    const struct metainfo_file *file = &metainfo->files[number];
    return file->pieces_root && file->length > metainfo->geometry.piece_length &&
           file->piece_layer == NULL;
}

static void add_chunks(struct layer_fetch *fetch, const struct metainfo *metainfo, uint32_t number)
{
    const struct layer *layer = &fetch->layers[number];
    uint32_t base = 0;
    while (metainfo->geometry.piece_length >> base > LIMIT_BLOCK_SIZE)
        base++;
    for (uint32_t index = 0; index < layer->count; index += LAYER_FETCH_LENGTH) {
        uint64_t width = merkle_width(layer->count - index);
        struct chunk *chunk = &fetch->chunks[fetch->chunk_count++];
        *chunk = (struct chunk){.layer = number, .slot = NOBODY};
        chunk->range.base_layer = base;
        chunk->range.index = index;
        /* A length of 1 is against the BEP; the last hash is asked for with padding beside it. */
        chunk->range.length = width < 2                    ? 2
                              : width < LAYER_FETCH_LENGTH ? (uint32_t)width
                                                           : LAYER_FETCH_LENGTH;
        chunk->range.proof_layers = hash_answer_proof_layers(layer->file_length, base);
        memcpy(chunk->range.pieces_root, metainfo->files[layer->file].pieces_root, MERKLE_HASH);
    }
}

struct layer_fetch *layer_fetch_new(const struct metainfo *metainfo, uint64_t seed)
{
    struct layer_fetch *fetch = memory_new(sizeof *fetch);
    uint32_t files = metainfo->geometry.file_count, chunks = 0;
    map_init(&fetch->by_root, MERKLE_HASH, seed);
    fetch->layers = memory_new_array(files, sizeof *fetch->layers);
    for (file_index i = 0; i < files; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        if (!is_missing(metainfo, i) || map_get(&fetch->by_root, file->pieces_root))
            continue;
        struct layer *layer = &fetch->layers[fetch->layer_count++];
        map_put(&fetch->by_root, file->pieces_root, layer);
        layer->file = i;
        layer->file_length = file->length;
        layer->count = (uint32_t)((file->length - 1) / metainfo->geometry.piece_length + 1);
        fetch->hashes += layer->count;
        chunks += (layer->count - 1) / LAYER_FETCH_LENGTH + 1;
    }
    fetch->chunks = memory_new_array(chunks + 1, sizeof *fetch->chunks);
    for (uint32_t i = 0; i < fetch->layer_count; i++)
        add_chunks(fetch, metainfo, i);
    return fetch;
}

void layer_fetch_free(struct layer_fetch *fetch)
{
    if (fetch == NULL)
        return;
    for (uint32_t i = 0; i < fetch->layer_count; i++)
        memory_free(fetch->layers[i].hashes);
    map_deinit(&fetch->by_root);
    memory_free(fetch->layers);
    memory_free(fetch->chunks);
    memory_free(fetch);
}

bool layer_fetch_next(struct layer_fetch *fetch, uint32_t slot, int64_t now,
                      struct wire_hash_range *ret_range)
{
    CHECK(slot < LAYER_FETCH_SLOTS);
    if (fetch->refuses[slot])
        return false;
    for (uint32_t i = 0; i < fetch->chunk_count; i++) {
        struct chunk *chunk = &fetch->chunks[i];
        if (chunk->have || chunk->slot != NOBODY)
            continue;
        chunk->slot = slot;
        chunk->asked_ns = now;
        *ret_range = chunk->range;
        return true;
    }
    return false;
}

static struct chunk *find(struct layer_fetch *fetch, uint32_t slot,
                          const struct wire_hash_range *range)
{
    for (uint32_t i = 0; i < fetch->chunk_count; i++) {
        struct chunk *chunk = &fetch->chunks[i];
        if (chunk->slot == slot && chunk->range.index == range->index &&
            chunk->range.length == range->length && chunk->range.base_layer == range->base_layer &&
            chunk->range.proof_layers == range->proof_layers &&
            memcmp(chunk->range.pieces_root, range->pieces_root, MERKLE_HASH) == 0)
            return chunk;
    }
    return NULL;
}

enum freshet_error layer_fetch_take(struct layer_fetch *fetch, uint32_t slot,
                                    const struct wire_hash_range *range, struct bytes hashes)
{
    struct chunk *chunk = find(fetch, slot, range);
    if (chunk == NULL)
        return FRESHET_ERROR_NOT_FOUND;
    struct layer *layer = &fetch->layers[chunk->layer];
    chunk->slot = NOBODY;
    if (!hash_answer_proves(range, layer->file_length, hashes))
        return FRESHET_ERROR_HASH;
    uint32_t left = layer->count - range->index;
    uint32_t count = range->length < left ? range->length : left;
    if (layer->hashes == NULL)
        layer->hashes = memory_new_array(layer->count, MERKLE_HASH);
    memcpy(layer->hashes + (size_t)range->index * MERKLE_HASH, hashes.data,
           (size_t)count * MERKLE_HASH);
    chunk->have = true;
    fetch->chunks_have++;
    fetch->hashes_have += count;
    return FRESHET_OK;
}

bool layer_fetch_reject(struct layer_fetch *fetch, uint32_t slot,
                        const struct wire_hash_range *range)
{
    struct chunk *chunk = find(fetch, slot, range);
    if (chunk == NULL)
        return false;
    chunk->slot = NOBODY;
    fetch->refuses[slot] = true;
    return true;
}

void layer_fetch_release(struct layer_fetch *fetch, uint32_t slot)
{
    CHECK(slot < LAYER_FETCH_SLOTS);
    fetch->refuses[slot] = false;
    for (uint32_t i = 0; i < fetch->chunk_count; i++)
        if (fetch->chunks[i].slot == slot)
            fetch->chunks[i].slot = NOBODY;
}

uint32_t layer_fetch_asked(const struct layer_fetch *fetch, uint32_t slot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < fetch->chunk_count; i++)
        count += fetch->chunks[i].slot == slot;
    return count;
}

int64_t layer_fetch_deadline(const struct layer_fetch *fetch)
{
    int64_t first = INT64_MAX;
    for (uint32_t i = 0; i < fetch->chunk_count; i++) {
        const struct chunk *chunk = &fetch->chunks[i];
        if (chunk->slot != NOBODY && chunk->asked_ns + LAYER_FETCH_TIMEOUT_NS < first)
            first = chunk->asked_ns + LAYER_FETCH_TIMEOUT_NS;
    }
    return first;
}

bool layer_fetch_overdue(const struct layer_fetch *fetch, int64_t now, uint32_t *ret_slot)
{
    for (uint32_t i = 0; i < fetch->chunk_count; i++) {
        const struct chunk *chunk = &fetch->chunks[i];
        if (chunk->slot != NOBODY && now - chunk->asked_ns >= LAYER_FETCH_TIMEOUT_NS) {
            *ret_slot = chunk->slot;
            return true;
        }
    }
    return false;
}

void layer_fetch_progress(const struct layer_fetch *fetch, uint32_t *ret_have, uint32_t *ret_total)
{
    *ret_have = fetch->hashes_have;
    *ret_total = fetch->hashes;
}

bool layer_fetch_is_done(const struct layer_fetch *fetch)
{
    return fetch->chunks_have == fetch->chunk_count;
}

void layer_fetch_install(struct layer_fetch *fetch, struct metainfo *metainfo)
{
    CHECK(layer_fetch_is_done(fetch));
    for (file_index i = 0; i < metainfo->geometry.file_count; i++) {
        if (!is_missing(metainfo, i))
            continue;
        const struct layer *layer = map_get(&fetch->by_root, metainfo->files[i].pieces_root);
        CHECK(layer != NULL);
        struct bytes hashes = {layer->hashes, (size_t)layer->count * MERKLE_HASH};
        /* Two files of one root and different lengths: one of them lies, and keeps no layer. */
        metainfo_set_piece_layer(metainfo, i, hashes);
    }
}

void layer_fetch_check(const struct layer_fetch *fetch)
{
    uint32_t have = 0;
    for (uint32_t i = 0; i < fetch->chunk_count; i++) {
        have += fetch->chunks[i].have;
        CHECK(!fetch->chunks[i].have || fetch->chunks[i].slot == NOBODY);
    }
    CHECK(have == fetch->chunks_have);
}

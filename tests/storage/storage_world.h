/* SPDX-License-Identifier: MIT */
/*
 * A storage on a pretend disk, with a fetcher in the place of a swarm: it puts every wanted piece
 * that is not verified, from true content. Torrents are made here by hand, small and with known
 * bytes.
 */
#ifndef FRESHET_TESTS_STORAGE_WORLD_H
#define FRESHET_TESTS_STORAGE_WORLD_H

#include "core/metainfo/merkle.h"
#include "core/metainfo/metainfo.h"
#include "core/storage/storage.h"
#include "tests/storage/pretend_disk.h"

#include <stdio.h>

#define WORLD_PIECES_MAX 64u

struct world {
    struct metainfo metainfo;
    struct metainfo_file files[DISK_FILES_MAX];
    char paths[DISK_FILES_MAX][16];
    uint8_t digests[WORLD_PIECES_MAX * 20];
    uint8_t roots[DISK_FILES_MAX][32];
    uint8_t *layers[DISK_FILES_MAX];
    uint8_t *content; /* linear space */
    size_t content_length;
    uint8_t priorities[DISK_FILES_MAX];
    bool use_priorities;

    struct pretend_disk disk;
    struct storage *storage;
    struct storage_options options;
    job_id job_next;
    int64_t now;
    struct bitfield putting; /* pieces under way, as the swarm would know */
    struct bitfield known;   /* verified, as told by results */
    bool block_used[DISK_BLOCKS];
    bool fetch;  /* put pieces */
    bool poison; /* the next piece put is spoilt */
    uint32_t puts_max;
    uint32_t told[STORAGE_RESULT_CLOSED + 1];
    enum freshet_error error;
    bool leaves_seen;
    uint32_t rehashed_bad;                  /* pieces, of the last REHASHED */
    uint32_t leaves_told[WORLD_PIECES_MAX]; /* answers to storage_ask_leaves */
    uint32_t leaves_denied[WORLD_PIECES_MAX];
    uint32_t spins;
};

enum world_kind { WORLD_V1, WORLD_V2, WORLD_HYBRID };

static inline void world_piece_bytes(const struct world *world, piece_index piece, uint8_t *bytes)
{
    const struct geometry *geometry = &world->metainfo.geometry;
    uint32_t size = geometry_piece_size(geometry, piece);
    memcpy(bytes, world->content + (size_t)piece * geometry->piece_length, size);
}

static inline void world_fill(struct world *world)
{
    const struct geometry *geometry = &world->metainfo.geometry;
    struct rng rng;
    rng_init(&rng, 7);
    world->content_length = (size_t)(geometry->piece_count + 1) * geometry->piece_length;
    world->content = memory_new(world->content_length);
    for (uint32_t i = 0; i < geometry->file_count; i++)
        if (!geometry->files[i].padding && geometry->files[i].length)
            rng_fill(&rng, world->content + geometry->files[i].offset, geometry->files[i].length);
}

static inline void world_make_tree(struct world *world, uint32_t index)
{
    const struct geometry_file *file = &world->metainfo.geometry.files[index];
    uint32_t piece_length = world->metainfo.geometry.piece_length;
    static const uint8_t zeros[32];
    uint64_t leaves = (file->length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
    if (leaves == 0 || file->padding)
        return;
    uint8_t *hashes = memory_new_array(leaves, 32);
    for (uint64_t i = 0; i < leaves; i++) {
        uint64_t left = file->length - i * LIMIT_BLOCK_SIZE;
        sha256_of(world->content + file->offset + i * LIMIT_BLOCK_SIZE,
                  left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE, hashes + i * 32);
    }
    merkle_root(hashes, leaves, merkle_width(leaves), zeros, world->roots[index]);
    world->files[index].pieces_root = world->roots[index];
    if (file->length > piece_length) {
        uint64_t per = piece_length / LIMIT_BLOCK_SIZE;
        uint64_t pieces = (leaves + per - 1) / per;
        world->layers[index] = memory_new_array(pieces, 32);
        for (uint64_t p = 0; p < pieces; p++) {
            uint64_t count = leaves - p * per < per ? leaves - p * per : per;
            merkle_root(hashes + p * per * 32, count, per, zeros, world->layers[index] + p * 32);
        }
        world->files[index].piece_layer = world->layers[index];
    }
    memory_free(hashes);
}

/* `lengths` below zero are padding files. */
static inline void world_init(struct world *world, enum world_kind kind, uint32_t piece_length,
                              const int64_t *lengths, uint32_t count, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    struct metainfo *metainfo = &world->metainfo;
    struct geometry_file files[DISK_FILES_MAX] = {0};
    uint64_t longest = 1;
    for (uint32_t i = 0; i < count; i++) {
        files[i].padding = lengths[i] < 0;
        files[i].length = (uint64_t)(lengths[i] < 0 ? -lengths[i] : lengths[i]);
        if (files[i].length > longest)
            longest = files[i].length;
        snprintf(world->paths[i], sizeof world->paths[i], "t/%u", i);
        world->files[i] = (struct metainfo_file){
            .path = world->paths[i], .length = files[i].length, .padding = files[i].padding};
    }
    enum freshet_error error =
        geometry_init(&metainfo->geometry, piece_length, files, count, kind == WORLD_V2);
    assert_int_equal(error, FRESHET_OK);
    metainfo->has_v1 = kind != WORLD_V2;
    metainfo->has_v2 = kind != WORLD_V1;
    metainfo->info_hash_v1[0] = 1;
    metainfo->info_hash_v2[0] = 2;
    metainfo->name = "t";
    metainfo->files = world->files;
    world_fill(world);
    assert_true(metainfo->geometry.piece_count <= WORLD_PIECES_MAX);
    for (piece_index p = 0; metainfo->has_v1 && p < metainfo->geometry.piece_count; p++)
        sha1_of(world->content + (size_t)p * piece_length,
                geometry_piece_size(&metainfo->geometry, p), world->digests + p * 20);
    if (metainfo->has_v1)
        metainfo->pieces = world->digests;
    for (uint32_t i = 0; metainfo->has_v2 && i < count; i++)
        world_make_tree(world, i);
    uint64_t parts = (uint64_t)count * piece_length;
    pretend_disk_init(&world->disk, count, longest + (parts > longest ? parts : longest), seed);
    bitfield_init(&world->putting, metainfo->geometry.piece_count);
    bitfield_init(&world->known, metainfo->geometry.piece_count);
    world->job_next = 1;
    world->fetch = true;
    world->puts_max = 3;
    world->options = (struct storage_options){.id = 1, .root = "/root"};
}

static inline void world_stop(struct world *world)
{
    storage_free(world->storage);
    world->storage = NULL;
    memset(world->block_used, 0, sizeof world->block_used);
    bitfield_clear_all(&world->putting);
    bitfield_clear_all(&world->known);
}

static inline void world_deinit(struct world *world)
{
    world_stop(world);
    pretend_disk_deinit(&world->disk);
    geometry_deinit(&world->metainfo.geometry);
    bitfield_deinit(&world->putting);
    bitfield_deinit(&world->known);
    memory_free(world->content);
    for (uint32_t i = 0; i < DISK_FILES_MAX; i++)
        memory_free(world->layers[i]);
}

static inline void world_start(struct world *world)
{
    memset(world->told, 0, sizeof world->told);
    memset(world->disk.count, 0, sizeof world->disk.count);
    world->disk.hashed_from_disk = 0;
    world->error = FRESHET_OK;
    world->options.job_next = &world->job_next;
    world->options.file_priorities = world->use_priorities ? world->priorities : NULL;
    world->options.resume = world->disk.record.exists ? &world->disk.record.record : NULL;
    world->storage = storage_new(&world->metainfo, &world->options, world->now);
}

static inline block_id world_block(struct world *world)
{
    for (block_id i = 0; i < DISK_BLOCKS; i++)
        if (!world->block_used[i]) {
            world->block_used[i] = true;
            return i;
        }
    fail();
    return 0;
}

static inline void world_put(struct world *world, piece_index piece, bool want_leaves)
{
    const struct geometry *geometry = &world->metainfo.geometry;
    uint32_t count = geometry_piece_blocks(geometry, piece);
    uint8_t *bytes = memory_new(geometry->piece_length);
    block_id *blocks = memory_new_array(count, sizeof *blocks);
    world_piece_bytes(world, piece, bytes);
    if (world->poison)
        bytes[0] ^= 1;
    world->poison = false;
    for (uint32_t i = 0; i < count; i++) {
        blocks[i] = world_block(world);
        memcpy(world->disk.blocks + (size_t)blocks[i] * LIMIT_BLOCK_SIZE,
               bytes + (size_t)i * LIMIT_BLOCK_SIZE, geometry_block_length(geometry, piece, i));
    }
    bitfield_set(&world->putting, piece);
    storage_put_piece(world->storage, world->now, piece, blocks, want_leaves);
    memory_free(blocks);
    memory_free(bytes);
}

/* An answer to storage_ask_leaves is true or empty. */
static inline void world_take_leaves(struct world *world, const struct storage_result *result)
{
    const struct geometry *geometry = &world->metainfo.geometry;
    if (!result->leaves) {
        world->leaves_denied[result->piece]++;
        return;
    }
    assert_int_equal(result->block_count, geometry_piece_blocks(geometry, result->piece));
    const uint8_t *bytes = world->content + (size_t)result->piece * geometry->piece_length;
    for (uint32_t i = 0; i < result->block_count; i++) {
        uint8_t want[32];
        sha256_of(bytes + (size_t)i * LIMIT_BLOCK_SIZE,
                  geometry_block_length(geometry, result->piece, i), want);
        assert_memory_equal(result->leaves + (size_t)i * 32, want, 32);
    }
    world->leaves_told[result->piece]++;
}

static inline void world_results(struct world *world)
{
    struct storage_result result;
    while (storage_result(world->storage, &result)) {
        world->told[result.type]++;
        if (result.type == STORAGE_RESULT_REHASHED)
            world->rehashed_bad = result.piece_count;
        switch (result.type) {
        case STORAGE_RESULT_READY:
            bitfield_copy(&world->known, storage_verified(world->storage));
            break;
        case STORAGE_RESULT_VERIFIED:
            world->leaves_seen |= result.leaves != NULL;
            bitfield_set(&world->known, result.piece);
            break;
        case STORAGE_RESULT_LOST_PIECE:
            assert_true(bitfield_has(&world->known, result.piece));
            bitfield_clear(&world->known, result.piece);
            break;
        case STORAGE_RESULT_FAILED_PIECE: assert_non_null(result.leaves); break;
        case STORAGE_RESULT_LEAVES: world_take_leaves(world, &result); break;
        case STORAGE_RESULT_BLOCKS_FREE:
            for (uint32_t i = 0; i < result.block_count; i++) {
                assert_true(world->block_used[result.blocks[i]]);
                world->block_used[result.blocks[i]] = false;
            }
            bitfield_clear(&world->putting, result.piece);
            break;
        case STORAGE_RESULT_ERROR: world->error = result.error; break;
        default: break;
        }
    }
}

static inline void world_fetch(struct world *world)
{
    bool ready =
        world->told[STORAGE_RESULT_READY] && !world->error && !world->told[STORAGE_RESULT_CLOSED];
    for (piece_index p = 0; ready && world->fetch && p < world->metainfo.geometry.piece_count; p++)
        if (world->putting.count < world->puts_max && storage_piece_wanted(world->storage, p) &&
            !bitfield_has(&world->known, p) && !bitfield_has(&world->putting, p))
            world_put(world, p, p % 3 == 0);
}

static inline bool world_has(const struct world *world, enum storage_result_type type)
{
    return world->told[type] > 0;
}

static inline void world_pull(struct world *world)
{
    struct action action;
    while (storage_output(world->storage, world->now, &action)) {
        assert_true(world->disk.job_count < DISK_JOBS_MAX);
        pretend_disk_take(&world->disk, &action);
    }
}

/* One job finishes, or, when none is under way, time passes to the deadline. False: nothing is left
 * to happen. */
static inline bool world_step(struct world *world)
{
    struct event event;
    world_results(world);
    world_fetch(world);
    world_pull(world);
    storage_check(world->storage);
    if (pretend_disk_step(&world->disk, &event)) {
        world->now += MILLISECOND_NS;
        world->spins = 0;
        assert_true(storage_input(world->storage, world->now, &event));
    } else {
        int64_t deadline = storage_deadline(world->storage);
        if (deadline == INT64_MAX)
            return false;
        /* A deadline that has passed and changes nothing would spin for ever. */
        world->spins = deadline > world->now ? 0 : world->spins + 1;
        assert_true(world->spins < 5);
        if (deadline > world->now)
            world->now = deadline;
        storage_tick(world->storage, world->now);
    }
    storage_check(world->storage);
    world_results(world);
    world_pull(world);
    return true;
}

/* Steps until something was told; fails when it is not within many steps. */
static inline void world_run_until(struct world *world, enum storage_result_type type)
{
    for (uint32_t i = 0; i < 20000; i++) {
        if (world_has(world, type))
            return;
        if (!world_step(world))
            break;
    }
    assert_true(world_has(world, type));
}

static inline void world_run_for(struct world *world, int64_t duration_ns)
{
    int64_t end = world->now + duration_ns;
    world_pull(world);
    while (storage_deadline(world->storage) <= end || world->disk.job_count) {
        if (!world_step(world))
            return;
    }
    if (world->now < end)
        world->now = end;
}

static inline void world_close(struct world *world)
{
    world->fetch = false;
    storage_close(world->storage, world->now);
    world_run_until(world, STORAGE_RESULT_CLOSED);
    for (block_id i = 0; i < DISK_BLOCKS; i++)
        assert_false(world->block_used[i]);
    world_stop(world);
    world->fetch = true;
}

/* Reads a piece as an upload would; false: cannot be read in whole. */
static inline bool world_read(const struct world *world, piece_index piece, uint8_t *bytes)
{
    struct file_range ranges[DISK_FILES_MAX * 2];
    uint32_t size = geometry_piece_size(&world->metainfo.geometry, piece);
    uint32_t count = storage_ranges(world->storage, piece, 0, size, ranges, DISK_FILES_MAX * 2);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        memset(bytes + at, 0, ranges[i].length);
        if (ranges[i].file != FILE_PADDING) {
            uint32_t file =
                ranges[i].file == FILE_PART_STORE ? world->disk.file_count : ranges[i].file;
            const struct pretend_image *image = &world->disk.files[file].cache;
            if (!image->exists || image->size < ranges[i].offset + ranges[i].length)
                return false;
            memcpy(bytes + at, image->bytes + ranges[i].offset, ranges[i].length);
        }
        at += ranges[i].length;
    }
    return at == size;
}

static inline bool world_piece_is_good(const struct world *world, piece_index piece)
{
    uint32_t length = world->metainfo.geometry.piece_length;
    uint8_t *bytes = memory_new(length), *want = memory_new(length);
    world_piece_bytes(world, piece, want);
    bool good = world_read(world, piece, bytes) &&
                memcmp(bytes, want, geometry_piece_size(&world->metainfo.geometry, piece)) == 0;
    memory_free(bytes);
    memory_free(want);
    return good;
}

/* Nothing verified is wrong. */
static inline void world_check_verified(const struct world *world)
{
    const struct bitfield *verified = storage_verified(world->storage);
    for (piece_index p = 0; p < verified->size; p++)
        if (bitfield_has(verified, p))
            assert_true(world_piece_is_good(world, p));
}

static inline void world_check_file(const struct world *world, uint32_t index, bool on_disk)
{
    const struct geometry_file *file = &world->metainfo.geometry.files[index];
    const struct pretend_image *image =
        on_disk ? &world->disk.files[index].disk : &world->disk.files[index].cache;
    assert_true(image->exists);
    assert_int_equal(image->size, file->length);
    if (file->length)
        assert_memory_equal(image->bytes, world->content + file->offset, file->length);
}

/* Puts true files there, as somebody's copy. */
static inline void world_place_files(struct world *world)
{
    for (uint32_t i = 0; i < world->metainfo.geometry.file_count; i++) {
        const struct geometry_file *file = &world->metainfo.geometry.files[i];
        if (!file->padding)
            pretend_put_file(&world->disk, i, world->content + file->offset, file->length);
    }
}

#endif

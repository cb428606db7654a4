/* SPDX-License-Identifier: MIT */
/*
 * Hashing what is on the disk: whole pieces, in order, a few at a time and few bytes in all, so
 * that a check reads like one long read and leaves the disk to others in between. Used when a
 * storage opens, for a recheck, and for the pieces of a file that somebody changed.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/metainfo/merkle.h"

#include <string.h>

void storage_verify_add(struct storage *storage, piece_index piece)
{
    if (!storage->to_verify.bytes) {
        bitfield_init(&storage->to_verify, storage->geometry->piece_count);
        bitfield_init(&storage->verifying, storage->geometry->piece_count);
    }
    bitfield_set(&storage->to_verify, piece);
    if (piece < storage->verify_next)
        storage->verify_next = piece;
}

bool storage_verify_pending(const struct storage *storage)
{
    return storage->to_verify.bytes != NULL;
}

static void nothing_to_verify(struct storage *storage)
{
    bitfield_deinit(&storage->to_verify);
    bitfield_deinit(&storage->verifying);
    storage->verify_next = 0;
}

void storage_verify_deinit(struct storage *storage)
{
    nothing_to_verify(storage);
    bitfield_deinit(&storage->taken);
    memory_free(storage->no_blocks);
    storage->no_blocks = NULL;
}

/* Blocks that are in no memory: as many as the longest piece has. Kept to the end, because jobs
 * for leaves may be out when a check is over. */
static const block_id *no_blocks(struct storage *storage)
{
    if (!storage->no_blocks) {
        uint32_t count = (storage->geometry->piece_length - 1) / LIMIT_BLOCK_SIZE + 1;
        storage->no_blocks = memory_new_array(count, sizeof *storage->no_blocks);
        for (uint32_t i = 0; i < count; i++)
            storage->no_blocks[i] = BLOCK_NONE;
    }
    return storage->no_blocks;
}

static struct storage_job *hash_job(struct storage *storage, enum storage_job_kind kind,
                                    piece_index piece)
{
    const struct geometry *geometry = storage->geometry;
    struct storage_job *job = storage_job_disk(storage, kind, DISK_HASH);
    struct extent *extent = &job->disk.extent;
    extent->length = geometry_piece_size(geometry, piece);
    extent->blocks = no_blocks(storage);
    extent->block_count = (extent->length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
    job->ranges = storage_layout_all_ranges(storage, piece, extent->length, &extent->range_count);
    extent->ranges = job->ranges;
    job->piece = piece;
    uint32_t leaves = geometry_piece_blocks(geometry, piece);
    if (storage->metainfo->has_v2 && leaves) {
        job->leaves = memory_new_array(leaves, 32);
        job->disk.ret_leaves = job->leaves;
        job->disk.leaf_length = geometry_piece_payload(geometry, piece);
    }
    return job;
}

static void hash_piece(struct storage *storage, piece_index piece)
{
    struct storage_job *job = hash_job(storage, STORAGE_JOB_VERIFY, piece);
    if (storage->metainfo->has_v1)
        job->disk.ret_sha1 = job->sha1;
    bitfield_set(&storage->verifying, piece);
    storage->verify_jobs++;
    storage->verify_bytes += job->disk.extent.length;
}

bool storage_ask_leaves(struct storage *storage, int64_t now, piece_index piece)
{
    storage->now = now;
    CHECK(storage->metainfo->has_v2);
    if (storage->phase != STORAGE_RUNNING || storage->closing ||
        storage->export_stage != STORAGE_EXPORT_NONE || !bitfield_has(&storage->verified, piece) ||
        geometry_piece_blocks(storage->geometry, piece) == 0)
        return false;
    hash_job(storage, STORAGE_JOB_LEAVES, piece);
    return true;
}

/* Leaves that do not lead to the piece's hash are of bytes that somebody has changed. */
void storage_verify_leaves_done(struct storage *storage, struct storage_job *job,
                                enum freshet_error error)
{
    struct piece_digest digest;
    uint32_t count = geometry_piece_blocks(storage->geometry, job->piece);
    metainfo_piece_digest(storage->metainfo, job->piece, &digest);
    uint8_t *leaves = job->leaves;
    job->leaves = NULL;
    if (!error) {
        static const uint8_t zero_leaf[MERKLE_HASH];
        uint8_t node[MERKLE_HASH];
        merkle_root(leaves, count, digest.merkle_leaves, zero_leaf, node);
        if (!digest.merkle || memcmp(node, digest.merkle, MERKLE_HASH) != 0)
            error = FRESHET_ERROR_HASH;
    }
    if (error) {
        memory_free(leaves);
        leaves = NULL;
    }
    storage_tell_owned(storage, STORAGE_RESULT_LEAVES, leaves, NULL, count)->piece = job->piece;
}

static bool has_room(const struct storage *storage, piece_index piece)
{
    if (storage->verify_jobs == 0)
        return true;
    return storage->verify_jobs < STORAGE_VERIFY_JOBS &&
           storage->verify_bytes + geometry_piece_size(storage->geometry, piece) <=
               STORAGE_VERIFY_BYTES;
}

static void start_recheck(struct storage *storage)
{
    storage->recheck = false;
    storage->checked_bytes = 0;
    for (piece_index piece = 0; piece < storage->geometry->piece_count; piece++)
        storage_verify_add(storage, piece);
}

static void finish(struct storage *storage)
{
    nothing_to_verify(storage);
    if (storage->phase != STORAGE_CHECKING)
        return;
    bitfield_deinit(&storage->taken);
    storage->phase = STORAGE_RUNNING;
    storage->rechecking = false;
    storage->ready_told = true;
    storage->stat_at = storage->now + STORAGE_STAT_NS;
    storage->counters_at = storage->now + STORAGE_COUNTERS_NS;
    storage_tell(storage, STORAGE_RESULT_READY);
}

/* Nothing of what changed is left to hash. Pieces that came from peers meanwhile are back too. */
static void tell_rehashed(struct storage *storage)
{
    uint32_t bad = 0;
    for (piece_index piece = bitfield_next_set(&storage->taken, 0); piece < storage->taken.size;
         piece = bitfield_next_set(&storage->taken, piece + 1))
        bad += !bitfield_has(&storage->verified, piece);
    bitfield_deinit(&storage->taken);
    storage_tell(storage, STORAGE_RESULT_REHASHED)->piece_count = bad;
}

void storage_verify_plan(struct storage *storage)
{
    if (storage->closing ||
        (storage->phase != STORAGE_CHECKING && storage->phase != STORAGE_RUNNING))
        return;
    /* What is hashed must not move meanwhile. */
    if (storage->export_stage != STORAGE_EXPORT_NONE)
        return;
    if (storage->recheck && storage->verify_jobs == 0)
        start_recheck(storage);
    piece_index count = storage->geometry->piece_count;
    while (storage->to_verify.count) {
        piece_index piece = bitfield_next_set(&storage->to_verify, storage->verify_next);
        CHECK(piece < count);
        /* Bytes that changed while they were being hashed: wait for the old answer. */
        if (bitfield_has(&storage->verifying, piece) || !has_room(storage, piece))
            return;
        bitfield_clear(&storage->to_verify, piece);
        storage->verify_next = piece + 1;
        hash_piece(storage, piece);
    }
    if (storage->verify_jobs == 0 &&
        (storage->to_verify.bytes || storage->phase == STORAGE_CHECKING))
        finish(storage);
    if (storage->taken.bytes && storage->verify_jobs == 0 && storage->phase == STORAGE_RUNNING)
        tell_rehashed(storage);
}

static bool is_good(const struct storage *storage, const struct storage_job *job)
{
    return metainfo_piece_matches(
        storage->metainfo, job->piece, job->disk.ret_sha1, job->disk.ret_leaves,
        job->disk.ret_leaves ? geometry_piece_blocks(storage->geometry, job->piece) : 0);
}

/* An unreadable piece is an unknown piece: a bad sector must not stop the rest. */
void storage_verify_done(struct storage *storage, struct storage_job *job, enum freshet_error error)
{
    piece_index piece = job->piece;
    storage->verify_jobs--;
    storage->verify_bytes -= job->disk.extent.length;
    storage->checked_bytes += job->disk.extent.length;
    bitfield_clear(&storage->verifying, piece);
    if (storage->phase == STORAGE_CHECKING)
        storage_tell(storage, STORAGE_RESULT_CHECK_PROGRESS)->bytes = storage->checked_bytes;
    bool outdated = storage->recheck || bitfield_has(&storage->to_verify, piece);
    if (error || outdated || bitfield_has(&storage->verified, piece) || !is_good(storage, job))
        return;
    bitfield_set(&storage->verified, piece);
    storage->sync_all = !storage->read_only;
    storage_barrier_wanted(storage);
    if (storage->phase == STORAGE_RUNNING)
        storage_tell(storage, STORAGE_RESULT_VERIFIED)->piece = piece;
}

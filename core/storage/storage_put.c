/* SPDX-License-Identifier: MIT */
/*
 * Pieces on their way in: hash what lies in the blocks, write it where it belongs, then say that it
 * is verified. Before the first write the record is marked as no longer clean, and folders and
 * files are made. On a full disk writes wait and one of them tries again every ten seconds; a close
 * waits for none of them.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

static uint32_t blocks_of(uint32_t length)
{
    return (length + LIMIT_BLOCK_SIZE - 1) / LIMIT_BLOCK_SIZE;
}

void storage_put_free(struct storage *storage, struct storage_put *put)
{
    list_remove(&storage->puts, &put->node);
    memory_free(put->blocks);
    memory_free(put->leaves);
    memory_free(put);
}

/* Takes blocks and leaves out of the put: tells the result, gives the blocks back, ends it. */
static void end_put(struct storage *storage, struct storage_put *put, enum storage_result_type type,
                    bool tell)
{
    if (tell) {
        uint8_t *leaves = put->leaves;
        put->leaves = NULL;
        struct storage_result *result =
            storage_tell_owned(storage, type, leaves, NULL, put->block_count);
        result->piece = put->piece;
        result->leaves = leaves;
    }
    block_id *blocks = put->blocks;
    put->blocks = NULL;
    struct storage_result *result =
        storage_tell_owned(storage, STORAGE_RESULT_BLOCKS_FREE, NULL, blocks, put->block_count);
    result->piece = put->piece;
    storage_put_free(storage, put);
}

static void hash_put(struct storage *storage, struct storage_put *put, bool sha1, bool leaves)
{
    const struct geometry *geometry = storage->geometry;
    uint32_t payload = geometry_piece_payload(geometry, put->piece);
    struct storage_job *job = storage_job_disk(storage, STORAGE_JOB_PUT, DISK_HASH);
    struct extent *extent = &job->disk.extent;
    extent->length = sha1 ? geometry_piece_size(geometry, put->piece) : payload;
    extent->block_count = blocks_of(extent->length);
    extent->blocks = put->blocks;
    job->ranges =
        storage_layout_all_ranges(storage, put->piece, extent->length, &extent->range_count);
    extent->ranges = job->ranges;
    job->put = put;
    if (sha1)
        job->disk.ret_sha1 = job->sha1;
    if (leaves && put->block_count) {
        if (!put->leaves)
            put->leaves = memory_new_array(put->block_count, 32);
        job->disk.ret_leaves = put->leaves;
        job->disk.leaf_length = payload;
    }
}

void storage_put_new(struct storage *storage, piece_index piece, const block_id *blocks,
                     bool want_leaves)
{
    const struct geometry *geometry = storage->geometry;
    uint32_t count = geometry_piece_blocks(geometry, piece);
    uint32_t hashed = blocks_of(geometry_piece_size(geometry, piece));
    struct storage_put *put = memory_new(sizeof *put);
    put->piece = piece;
    put->block_count = count;
    put->want_leaves = want_leaves;
    put->blocks = memory_new_array(hashed > count ? hashed : count, sizeof *put->blocks);
    for (uint32_t i = 0; i < hashed; i++)
        put->blocks[i] = i < count ? blocks[i] : BLOCK_NONE;
    list_append(&storage->puts, &put->node);
    if (storage->phase == STORAGE_FAILED || storage->phase == STORAGE_CLOSED || storage->closing ||
        storage->read_only) {
        end_put(storage, put, STORAGE_RESULT_BLOCKS_FREE, false);
        return;
    }
    put->stage = STORAGE_PUT_HASHING;
    hash_put(storage, put, storage->metainfo->has_v1, storage->metainfo->has_v2 || want_leaves);
}

static void write_put(struct storage *storage, struct storage_put *put)
{
    struct storage_job *job = storage_job_disk(storage, STORAGE_JOB_PUT, DISK_WRITE);
    struct extent *extent = &job->disk.extent;
    extent->length = geometry_piece_payload(storage->geometry, put->piece);
    extent->block_count = put->block_count;
    extent->blocks = put->blocks;
    job->ranges =
        storage_layout_all_ranges(storage, put->piece, extent->length, &extent->range_count);
    extent->ranges = job->ranges;
    job->put = put;
    put->stage = STORAGE_PUT_WRITING;
    put->again = false;
    storage->writes++;
    storage_judge_written(storage, job->ranges, extent->range_count);
}

static bool some_waiting(const struct storage *storage)
{
    for (struct list_node *node = list_first(&storage->puts); node;
         node = list_next(&storage->puts, node))
        if (LIST_ELEMENT(node, struct storage_put, node)->stage == STORAGE_PUT_WAITING)
            return true;
    return false;
}

/* Everything wanted is there, but what has no bytes (empty files, modes, links) is not made. */
static bool only_making_is_left(const struct storage *storage)
{
    return storage->phase == STORAGE_RUNNING && !storage->closing &&
           storage_layout_has_wanted(storage, &storage->verified);
}

bool storage_put_needs_prepare(const struct storage *storage)
{
    return !storage->prepared && !storage->read_only &&
           (some_waiting(storage) || only_making_is_left(storage) ||
            storage->export_stage == STORAGE_EXPORT_PREPARE);
}

static void prepare(struct storage *storage)
{
    if (storage->record_clean) {
        storage->probing = false;
        storage->mark_unclean = true;
        return;
    }
    storage->preparing = true;
    storage_judge_prepared(storage);
    storage_job_disk(storage, STORAGE_JOB_PREPARE, DISK_PREPARE);
}

/* While the disk is full, one try at a time. */
static bool may_write(struct storage *storage)
{
    if (!storage->full)
        return true;
    if (storage->probing || storage->now < storage->retry_at)
        return false;
    storage->probing = true;
    return true;
}

static void write_waiting(struct storage *storage)
{
    struct list_node *next;
    for (struct list_node *node = list_first(&storage->puts); node; node = next) {
        next = list_next(&storage->puts, node);
        struct storage_put *put = LIST_ELEMENT(node, struct storage_put, node);
        if (put->stage != STORAGE_PUT_WAITING)
            continue;
        if (storage->record_clean) {
            storage->mark_unclean = true;
            return;
        }
        if (!storage_layout_has_room(storage, put->piece)) {
            /* Its file is about to be made. If nobody wants that any more, the blocks go back. */
            if (storage->closing || !storage_layout_piece_wanted(storage, put->piece))
                end_put(storage, put, STORAGE_RESULT_BLOCKS_FREE, false);
            continue;
        }
        if (!may_write(storage))
            return;
        write_put(storage, put);
    }
}

void storage_put_plan(struct storage *storage)
{
    if (storage->phase != STORAGE_RUNNING && storage->phase != STORAGE_CHECKING)
        return;
    if (storage->preparing || storage->mark_unclean)
        return;
    bool exporting = storage->export_stage != STORAGE_EXPORT_NONE;
    if (storage->prepared && !exporting)
        write_waiting(storage);
    if (!storage->prepared && storage->writes == 0 && storage_put_needs_prepare(storage) &&
        may_write(storage))
        prepare(storage);
    /* Nothing is left to try the disk with. */
    if (storage->full && !storage->probing && storage->now >= storage->retry_at &&
        storage->writes == 0 && !exporting && !some_waiting(storage)) {
        storage->probing = true;
        storage_put_resumed(storage);
    }
}

void storage_put_prepare_done(struct storage *storage, enum freshet_error error, uint32_t file)
{
    storage->preparing = false;
    storage_judge_prepared(storage);
    if (error == FRESHET_ERROR_NO_SPACE) {
        storage_put_full(storage, file);
    } else if (error) {
        storage_fail(storage, error, file);
    } else {
        storage->prepared = true;
        storage_put_resumed(storage);
        storage_barrier_wanted(storage);
    }
}

void storage_put_full(struct storage *storage, uint32_t file)
{
    storage->probing = false;
    storage->retry_at = storage->now + STORAGE_RETRY_NS;
    if (!storage->wait_for_space) {
        storage_fail(storage, FRESHET_ERROR_NO_SPACE, file);
        return;
    }
    /* While it is being closed nothing waits for room, and nobody is to hear of it: what was not
     * written is missing like any other piece when it is opened again. */
    if (!storage->full && !storage->closing)
        storage_tell(storage, STORAGE_RESULT_DISK_FULL)->file = file;
    storage->full = true;
}

void storage_put_resumed(struct storage *storage)
{
    if (!storage->full || !storage->probing)
        return;
    storage->full = storage->probing = false;
    storage_tell(storage, STORAGE_RESULT_DISK_RESUMED);
}

/* The pages that were written when a sync failed may be the ones that were lost. */
void storage_put_sync_failed(struct storage *storage)
{
    for (struct list_node *node = list_first(&storage->puts); node;
         node = list_next(&storage->puts, node))
        LIST_ELEMENT(node, struct storage_put, node)->again = true;
}

static void written(struct storage *storage, struct storage_job *job, enum freshet_error error,
                    uint32_t file)
{
    struct storage_put *put = job->put;
    storage->writes--;
    storage_judge_written(storage, job->ranges, job->disk.extent.range_count);
    put->stage = STORAGE_PUT_WAITING;
    if (error == FRESHET_ERROR_NO_SPACE)
        storage_put_full(storage, file);
    else if (error)
        storage_fail(storage, error, file);
    else
        storage_put_resumed(storage);
    if (error || put->again)
        return;
    bitfield_set(&storage->verified, put->piece);
    storage->unsynced_bytes += job->disk.extent.length;
    storage_barrier_wanted(storage);
    end_put(storage, put, STORAGE_RESULT_VERIFIED, true);
}

static void hashed(struct storage *storage, struct storage_job *job, enum freshet_error error)
{
    struct storage_put *put = job->put;
    put->stage = STORAGE_PUT_WAITING;
    if (error) {
        storage_fail(storage, error, UINT32_MAX);
        return;
    }
    if (metainfo_piece_matches(storage->metainfo, put->piece, job->disk.ret_sha1,
                               job->disk.ret_leaves, job->disk.ret_leaves ? put->block_count : 0)) {
        if (!put->want_leaves) {
            memory_free(put->leaves);
            put->leaves = NULL;
        }
        return;
    }
    if (put->leaves || put->block_count == 0) {
        end_put(storage, put, STORAGE_RESULT_FAILED_PIECE, true);
        return;
    }
    put->stage = STORAGE_PUT_LEAVES;
    hash_put(storage, put, false, true);
}

void storage_put_done(struct storage *storage, struct storage_job *job, enum freshet_error error,
                      uint32_t file)
{
    switch (job->put->stage) {
    case STORAGE_PUT_HASHING: hashed(storage, job, error); break;
    case STORAGE_PUT_LEAVES: end_put(storage, job->put, STORAGE_RESULT_FAILED_PIECE, true); break;
    case STORAGE_PUT_WRITING: written(storage, job, error, file); break;
    case STORAGE_PUT_WAITING: CHECK(job->put->stage != STORAGE_PUT_WAITING); break;
    }
}

/* Nothing more is written: what waits gives its blocks back. What is under way does when it ends.
 */
void storage_put_release_all(struct storage *storage)
{
    struct list_node *next;
    for (struct list_node *node = list_first(&storage->puts); node; node = next) {
        next = list_next(&storage->puts, node);
        struct storage_put *put = LIST_ELEMENT(node, struct storage_put, node);
        if (put->stage == STORAGE_PUT_WAITING)
            end_put(storage, put, STORAGE_RESULT_BLOCKS_FREE, false);
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * How verified becomes durable, one barrier at a time:
 *
 *   snapshot of what is verified -> sync -> facts of the files -> record -> durable
 *
 * A piece that becomes verified while a barrier runs waits for the next one. A sync that fails says
 * nothing of which bytes were lost, so all that had not been durable is unknown. A record that
 * fails leaves durable as it was, and is tried again. Between barriers the facts are looked at
 * every ten seconds, and counters alone are recorded at most once a minute, without a sync.
 */
#include "core/storage/storage_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

void storage_barrier_wanted(struct storage *storage)
{
    if (!storage->dirty)
        storage->barrier_at = storage->now + LIMIT_BARRIER_NS;
    storage->dirty = true;
}

void storage_barrier_abandon(struct storage *storage)
{
    storage->barrier = STORAGE_BARRIER_NONE;
    storage->barrier_full = false;
    bitfield_deinit(&storage->snapshot);
}

static void ask_stats(struct storage *storage)
{
    storage->barrier = STORAGE_BARRIER_STAT;
    storage_judge_ask(storage);
    struct storage_job *job = storage_job_disk(storage, STORAGE_JOB_STAT, DISK_STAT);
    job->stats = memory_new_array(storage->facts, sizeof *job->stats);
    job->disk.ret_stats = job->stats;
}

static void record(struct storage *storage, const struct bitfield *pieces, bool clean)
{
    storage->barrier = STORAGE_BARRIER_PERSIST;
    storage->barrier_clean = clean;
    storage->counters_dirty = false;
    storage->counters_at = storage->now + STORAGE_COUNTERS_NS;
    storage_job_persist(storage, pieces, clean);
}

static void begin(struct storage *storage)
{
    bitfield_init(&storage->snapshot, storage->geometry->piece_count);
    bitfield_copy(&storage->snapshot, &storage->verified);
    storage->barrier_full = true;
    storage->dirty = false;
    storage->unsynced_bytes = 0;
    storage->barrier = STORAGE_BARRIER_SYNC;
    storage_job_disk(storage, STORAGE_JOB_SYNC, DISK_SYNC)->disk.sync_all = storage->sync_all;
    storage->sync_all = false;
}

static bool is_due(const struct storage *storage)
{
    if (!storage->dirty || storage->now < storage->barrier_not_before)
        return false;
    return storage->now >= storage->barrier_at || storage->unsynced_bytes >= LIMIT_BARRIER_BYTES ||
           (storage->prepared && storage_layout_has_wanted(storage, &storage->verified));
}

static int64_t stat_at(const struct storage *storage)
{
    int64_t rest = storage->rest_ns > STORAGE_STAT_NS ? storage->rest_ns : STORAGE_STAT_NS;
    return storage->looked_at + rest;
}

/* Everything under way has ended: the last barrier, then the descriptors, then the end. */
static void close_plan(struct storage *storage)
{
    if (!storage_is_idle(storage) || !list_is_empty(&storage->puts))
        return;
    bool open = storage->phase != STORAGE_OPENING && storage->phase != STORAGE_AWAY;
    bool known =
        storage->has_record && storage->record_clean && !storage->dirty && !storage->counters_dirty;
    if (open && storage->opened && !storage->last_barrier && !storage->rechecking && !known) {
        storage->last_barrier = true;
        begin(storage);
    } else if (storage->opened) {
        storage_job_disk(storage, STORAGE_JOB_CLOSE, DISK_CLOSE);
    } else {
        storage->phase = STORAGE_CLOSED;
        storage_tell(storage, STORAGE_RESULT_CLOSED);
    }
}

void storage_barrier_plan(struct storage *storage)
{
    if (storage->barrier != STORAGE_BARRIER_NONE || storage->phase == STORAGE_CLOSED)
        return;
    if (storage->mark_unclean)
        record(storage, &storage->durable, false);
    else if (storage->closing)
        close_plan(storage);
    else if (storage->phase != STORAGE_RUNNING || storage->export_stage != STORAGE_EXPORT_NONE)
        return;
    else if (is_due(storage))
        begin(storage);
    else if (storage->now >= stat_at(storage))
        ask_stats(storage);
    else if (storage->counters_dirty && !storage->dirty && storage->now >= storage->counters_at)
        record(storage, &storage->durable, storage->record_clean);
}

/* What was written since the last good barrier may be on the disk or not: unknown. */
static void lose_unsynced(struct storage *storage)
{
    for (piece_index piece = bitfield_next_set(&storage->verified, 0);
         piece < storage->verified.size; piece = bitfield_next_set(&storage->verified, piece + 1)) {
        if (bitfield_has(&storage->durable, piece))
            continue;
        storage_forget_piece(storage, piece);
        storage_tell_lost(storage, piece);
    }
}

void storage_barrier_synced(struct storage *storage, enum freshet_error error)
{
    if (!error) {
        storage->sync_failures = 0;
        ask_stats(storage);
        return;
    }
    storage_put_sync_failed(storage);
    storage_export_sync_failed(storage);
    lose_unsynced(storage);
    storage_barrier_abandon(storage);
    storage->dirty = false;
    storage_barrier_wanted(storage);
    storage->sync_failures++;
    if (error == FRESHET_ERROR_NO_SPACE)
        storage_put_full(storage, UINT32_MAX);
    else if (storage->sync_failures >= STORAGE_SYNC_FAILURES || storage->closing)
        storage_fail(storage, error, UINT32_MAX);
}

static void go_away(struct storage *storage)
{
    storage_barrier_abandon(storage);
    storage_export_sync_failed(storage);
    lose_unsynced(storage);
    storage->away_told = true;
    storage->phase = STORAGE_AWAY;
    storage->retry_at = storage->now + STORAGE_RETRY_NS;
    storage_tell(storage, STORAGE_RESULT_ABSENT);
}

void storage_barrier_stat(struct storage *storage, struct storage_job *job,
                          enum freshet_error error, uint32_t file)
{
    storage->looked_at = storage->now;
    if (error == FRESHET_ERROR_ABSENT) {
        go_away(storage);
        return;
    }
    if (error) {
        storage_barrier_abandon(storage);
        storage_fail(storage, error, file);
        return;
    }
    storage_judge_facts(storage, job->stats);
    if (!storage->barrier_full) {
        storage->barrier = STORAGE_BARRIER_NONE;
        return;
    }
    bool clean = storage->last_barrier && !storage_verify_pending(storage) &&
                 storage->phase != STORAGE_CHECKING;
    record(storage, &storage->snapshot, clean);
}

static void become_durable(struct storage *storage)
{
    bool grown = bitfield_has_beyond(&storage->snapshot, &storage->durable);
    bitfield_copy(&storage->durable, &storage->snapshot);
    if (grown)
        storage_tell(storage, STORAGE_RESULT_DURABLE);
    storage_export_recorded(storage);
    if (storage->drop_parts && storage->places_parts == 0)
        storage_job_disk(storage, STORAGE_JOB_DROP_PARTS, DISK_DROP_PARTS);
    storage->drop_parts = false;
}

void storage_barrier_persisted(struct storage *storage, enum freshet_error error)
{
    /* Marked or not, writing goes on: a record that wrongly claims to be clean costs hashing, not
     * bytes, since the facts will not match it. */
    storage->mark_unclean = false;
    if (error) {
        storage_tell(storage, STORAGE_RESULT_PERSIST_FAILED)->error = error;
        storage->record_clean = false;
        storage->barrier_not_before = storage->now + STORAGE_RETRY_NS;
        storage->counters_dirty = true;
        storage->counters_at = storage->barrier_not_before;
        if (storage->barrier_full)
            storage_barrier_wanted(storage);
    } else {
        storage->has_record = true;
        storage->record_clean = storage->barrier_clean;
        if (storage->barrier_full)
            become_durable(storage);
    }
    storage_barrier_abandon(storage);
}

int64_t storage_barrier_deadline(const struct storage *storage)
{
    if (storage->barrier != STORAGE_BARRIER_NONE || storage->closing ||
        storage->phase != STORAGE_RUNNING || storage->export_stage != STORAGE_EXPORT_NONE)
        return INT64_MAX;
    int64_t when = stat_at(storage);
    if (storage->dirty) {
        int64_t due = storage->barrier_at;
        if (due < storage->barrier_not_before)
            due = storage->barrier_not_before;
        if (due < when)
            when = due;
    } else if (storage->counters_dirty && storage->counters_at < when) {
        when = storage->counters_at;
    }
    return when;
}

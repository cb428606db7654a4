/* SPDX-License-Identifier: MIT */
/* The machine: jobs out and back, results, phases. What is decided is in the files beside it. */
#include "core/storage/storage.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/storage/storage_state.h"

#include <string.h>

/* --- jobs --- */

static struct storage_job *new_job(struct storage *storage, enum storage_job_kind kind)
{
    struct storage_job *job = memory_new(sizeof *job);
    job->kind = kind;
    list_append(&storage->ready, &job->node);
    return job;
}

struct storage_job *storage_job_disk(struct storage *storage, enum storage_job_kind kind,
                                     enum disk_operation operation)
{
    struct storage_job *job = new_job(storage, kind);
    job->disk.id = (*storage->job_next)++;
    job->disk.operation = operation;
    job->disk.storage = storage->id;
    job->disk.extent.storage = storage->id;
    return job;
}

/* What the record says of the files: nothing of those that hold nothing of ours. */
static struct file_stat *recorded_stats(const struct storage *storage)
{
    struct file_stat *stats = memory_copy(storage->stats, storage->facts * sizeof *stats);
    for (uint32_t i = 0; i < storage->layout.file_count; i++)
        if (storage->places[i] == STORAGE_PLACE_PARTS)
            stats[i] = (struct file_stat){0};
    if (!storage->places_parts && !storage->moved)
        stats[storage->layout.file_count] = (struct file_stat){0};
    return stats;
}

struct storage_job *storage_job_persist(struct storage *storage, const struct bitfield *pieces,
                                        bool clean)
{
    struct storage_job *job = new_job(storage, STORAGE_JOB_PERSIST);
    struct bytes wire = bitfield_wire(pieces);
    job->pieces = memory_copy(wire.data, wire.length);
    job->stats = recorded_stats(storage);
    job->persist_job = true;
    job->persist.id = (*storage->job_next)++;
    struct resume_record *record = &job->persist.record;
    memcpy(record->info_hash, storage->info_hash, sizeof record->info_hash);
    record->root = storage->layout.root;
    record->pieces = (struct bytes){job->pieces, wire.length};
    record->stats = job->stats;
    record->file_count = storage->layout.file_count;
    record->uploaded = storage->uploaded;
    record->downloaded = storage->downloaded;
    record->complete = storage->prepared && storage_layout_has_wanted(storage, pieces);
    record->clean = clean;
    return job;
}

static job_id id_of(const struct storage_job *job)
{
    return job->persist_job ? job->persist.id : job->disk.id;
}

static void free_job(struct storage_job *job)
{
    memory_free(job->ranges);
    memory_free(job->leaves);
    memory_free(job->stats);
    memory_free(job->pieces);
    memory_free(job);
}

bool storage_is_idle(const struct storage *storage)
{
    return list_is_empty(&storage->ready) && list_is_empty(&storage->out);
}

bool storage_output(struct storage *storage, int64_t now, struct action *ret_action)
{
    storage->now = now;
    struct list_node *node = list_first(&storage->ready);
    if (!node)
        return false;
    list_remove(&storage->ready, node);
    list_append(&storage->out, node);
    struct storage_job *job = LIST_ELEMENT(node, struct storage_job, node);
    *ret_action = (struct action){.type = job->persist_job ? ACTION_PERSIST : ACTION_DISK,
                                  .storage = storage->id,
                                  .disk = job->persist_job ? NULL : &job->disk,
                                  .persist = job->persist_job ? &job->persist : NULL};
    return true;
}

/* --- results --- */

struct storage_result *storage_tell_owned(struct storage *storage, enum storage_result_type type,
                                          uint8_t *leaves, block_id *blocks, uint32_t block_count)
{
    struct storage_told *told = memory_new(sizeof *told);
    told->leaves = leaves;
    told->blocks = blocks;
    told->result = (struct storage_result){
        .type = type,
        .file = UINT32_MAX,
        .leaves = leaves,
        .blocks = blocks,
        .block_count = block_count,
    };
    list_append(&storage->told, &told->node);
    return &told->result;
}

static struct storage_told *last_told(const struct storage *storage)
{
    if (list_is_empty(&storage->told))
        return NULL;
    return LIST_ELEMENT(storage->told.head.previous, struct storage_told, node);
}

struct storage_result *storage_tell(struct storage *storage, enum storage_result_type type)
{
    struct storage_told *last = last_told(storage);
    if (type == STORAGE_RESULT_CHECK_PROGRESS && last && last->result.type == type)
        return &last->result;
    return storage_tell_owned(storage, type, NULL, NULL, 0);
}

void storage_tell_lost(struct storage *storage, piece_index piece)
{
    /* Nobody has been told of it yet: READY will say what is there. */
    if (!storage->ready_told)
        return;
    struct storage_told *last = last_told(storage);
    bool joins = last && last->result.type == STORAGE_RESULT_LOST_PIECE && last->piece_end == piece;
    if (!joins) {
        storage_tell(storage, STORAGE_RESULT_LOST_PIECE)->piece = piece;
        last = last_told(storage);
    }
    last->piece_end = piece + 1;
}

static void free_told(struct storage_told *told)
{
    if (!told)
        return;
    memory_free(told->leaves);
    memory_free(told->blocks);
    memory_free(told);
}

bool storage_result(struct storage *storage, struct storage_result *ret_result)
{
    free_told(storage->given);
    storage->given = NULL;
    struct list_node *node = list_first(&storage->told);
    if (!node)
        return false;
    struct storage_told *told = LIST_ELEMENT(node, struct storage_told, node);
    *ret_result = told->result;
    if (told->result.type == STORAGE_RESULT_LOST_PIECE && ++told->result.piece < told->piece_end)
        return true;
    list_remove(&storage->told, node);
    storage->given = told;
    return true;
}

/* --- birth and death --- */

static void load_record(struct storage *storage, const struct resume_record *record)
{
    if (!record || record->file_count != storage->layout.file_count ||
        bitfield_load(&storage->durable, record->pieces) != FRESHET_OK)
        return;
    storage->has_record = true;
    storage->record_clean = record->clean;
    storage->record_complete = record->complete;
    storage->uploaded = record->uploaded;
    storage->downloaded = record->downloaded;
    memcpy(storage->stats, record->stats, storage->facts * sizeof *storage->stats);
}

static void open_root(struct storage *storage)
{
    storage->phase = STORAGE_OPENING;
    storage->layout.read_only = storage->read_only;
    storage->layout.create_root =
        !storage->read_only && !(storage->has_record && storage->durable.count);
    struct storage_job *job = storage_job_disk(storage, STORAGE_JOB_OPEN, DISK_OPEN);
    job->stats = memory_new_array(storage->facts, sizeof *job->stats);
    job->disk.ret_stats = job->stats;
    job->disk.layout = &storage->layout;
}

struct storage *storage_new(const struct metainfo *metainfo, const struct storage_options *options,
                            int64_t now)
{
    struct storage *storage = memory_new(sizeof *storage);
    storage->metainfo = metainfo;
    storage->geometry = &metainfo->geometry;
    storage->now = now;
    storage->deadline = INT64_MAX;
    storage->job_next = options->job_next;
    storage->id = options->id;
    storage->read_only = options->read_only;
    storage->trust_all = options->trust_all;
    storage->wait_for_space = options->wait_for_space;
    list_init(&storage->ready);
    list_init(&storage->out);
    list_init(&storage->told);
    list_init(&storage->puts);
    bitfield_init(&storage->verified, storage->geometry->piece_count);
    bitfield_init(&storage->durable, storage->geometry->piece_count);
    storage->facts = storage->geometry->file_count + 1;
    storage->stats = memory_new_array(storage->facts, sizeof *storage->stats);
    bitfield_init(&storage->written, storage->facts);
    bitfield_init(&storage->written_before, storage->facts);
    storage_layout_init(storage, options);
    load_record(storage, options->resume);
    open_root(storage);
    return storage;
}

static void free_jobs(struct list *list)
{
    struct list_node *node;
    while ((node = list_first(list))) {
        list_remove(list, node);
        free_job(LIST_ELEMENT(node, struct storage_job, node));
    }
}

void storage_free(struct storage *storage)
{
    if (!storage)
        return;
    free_jobs(&storage->ready);
    free_jobs(&storage->out);
    struct list_node *node;
    while ((node = list_first(&storage->puts)))
        storage_put_free(storage, LIST_ELEMENT(node, struct storage_put, node));
    while ((node = list_first(&storage->told))) {
        list_remove(&storage->told, node);
        free_told(LIST_ELEMENT(node, struct storage_told, node));
    }
    free_told(storage->given);
    storage_verify_deinit(storage);
    storage_layout_deinit(storage);
    bitfield_deinit(&storage->snapshot);
    bitfield_deinit(&storage->verified);
    bitfield_deinit(&storage->durable);
    bitfield_deinit(&storage->written);
    bitfield_deinit(&storage->written_before);
    memory_free(storage->stats);
    memory_free(storage);
}

/* --- phases --- */

void storage_fail(struct storage *storage, enum freshet_error error, uint32_t file)
{
    if (storage->phase == STORAGE_FAILED)
        return;
    storage->phase = STORAGE_FAILED;
    struct storage_result *result = storage_tell(storage, STORAGE_RESULT_ERROR);
    result->error = error;
    result->file = file;
}

void storage_forget_piece(struct storage *storage, piece_index piece)
{
    bitfield_clear(&storage->verified, piece);
    bitfield_clear(&storage->durable, piece);
    if (storage->snapshot.bytes)
        bitfield_clear(&storage->snapshot, piece);
}

static void opened(struct storage *storage, struct storage_job *job, enum freshet_error error,
                   uint32_t file)
{
    if (error == FRESHET_ERROR_ABSENT) {
        storage->phase = STORAGE_AWAY;
        storage->retry_at = storage->now + STORAGE_RETRY_NS;
        if (!storage->away_told)
            storage_tell(storage, STORAGE_RESULT_ABSENT);
        storage->away_told = true;
    } else if (error) {
        storage_fail(storage, error, file);
    } else {
        storage->opened = true;
        storage->away_told = false;
        storage->phase = STORAGE_CHECKING;
        storage->ready_told = false;
        bitfield_clear_all(&storage->verified);
        storage_judge_open(storage, job->stats);
        storage_export_look(storage);
    }
}

/* The descriptors of a root that went away are of no use; then it is looked for again. */
static void away_plan(struct storage *storage)
{
    if (storage->phase != STORAGE_AWAY || storage->closing || !storage_is_idle(storage))
        return;
    if (storage->opened) {
        /* What we know takes the place of the record when it comes back. */
        struct file_stat *stats = recorded_stats(storage);
        memory_free(storage->stats);
        storage->stats = stats;
        storage_job_disk(storage, STORAGE_JOB_CLOSE, DISK_CLOSE);
    } else if (storage->now >= storage->retry_at) {
        open_root(storage);
    }
}

static void complete_plan(struct storage *storage)
{
    bool has = storage_layout_has_wanted(storage, &storage->durable);
    if (!has)
        storage->complete_told = false;
    if (!has || storage->complete_told || storage->phase != STORAGE_RUNNING || storage->dirty ||
        !storage->prepared || storage->barrier != STORAGE_BARRIER_NONE ||
        storage->export_stage != STORAGE_EXPORT_NONE ||
        (storage->export_due && !storage->read_only))
        return;
    storage->complete_told = true;
    storage_tell(storage, STORAGE_RESULT_COMPLETE);
}

static int64_t next_deadline(const struct storage *storage)
{
    int64_t when = storage_barrier_deadline(storage);
    bool away = storage->phase == STORAGE_AWAY && !storage->closing && storage_is_idle(storage);
    bool full = storage->full && !storage->probing && !storage->writes && !storage->preparing &&
                !storage->mark_unclean && storage->retry_at > storage->now &&
                (storage->phase == STORAGE_RUNNING || storage->phase == STORAGE_CHECKING);
    if ((away || full) && storage->retry_at < when)
        when = storage->retry_at;
    return when;
}

/* Everything that can be decided now is decided here, after whatever happened. */
static void plan(struct storage *storage)
{
    bool writes_on = storage->phase != STORAGE_FAILED && storage->phase != STORAGE_CLOSED;
    bool writes_late = storage->phase == STORAGE_RUNNING || storage->phase == STORAGE_CHECKING;
    if (!writes_on || (storage->closing && (!writes_late || storage->full)))
        storage_put_release_all(storage);
    away_plan(storage);
    storage_verify_plan(storage);
    storage_export_plan(storage);
    storage_put_plan(storage);
    storage_barrier_plan(storage);
    complete_plan(storage);
    storage->deadline = next_deadline(storage);
}

/* --- events --- */

static void dispatch(struct storage *storage, struct storage_job *job, enum freshet_error error,
                     uint32_t file)
{
    switch (job->kind) {
    case STORAGE_JOB_OPEN: opened(storage, job, error, file); break;
    case STORAGE_JOB_STAT: storage_barrier_stat(storage, job, error, file); break;
    case STORAGE_JOB_PREPARE: storage_put_prepare_done(storage, error, file); break;
    case STORAGE_JOB_VERIFY: storage_verify_done(storage, job, error); break;
    case STORAGE_JOB_LEAVES: storage_verify_leaves_done(storage, job, error); break;
    case STORAGE_JOB_PUT: storage_put_done(storage, job, error, file); break;
    case STORAGE_JOB_COPY: storage_export_copied(storage, job, error, file); break;
    case STORAGE_JOB_SYNC: storage_barrier_synced(storage, error); break;
    case STORAGE_JOB_PERSIST: storage_barrier_persisted(storage, error); break;
    case STORAGE_JOB_DROP_PARTS: break; /* a part store that stays is litter, not harm */
    case STORAGE_JOB_CLOSE: storage->opened = false; break;
    }
}

bool storage_input(struct storage *storage, int64_t now, const struct event *event)
{
    if (event->type != EVENT_JOB_DONE)
        return false;
    for (struct list_node *node = list_first(&storage->out); node;
         node = list_next(&storage->out, node)) {
        struct storage_job *job = LIST_ELEMENT(node, struct storage_job, node);
        if (id_of(job) != event->job)
            continue;
        storage->now = now;
        list_remove(&storage->out, node);
        dispatch(storage, job, event->error, event->result.disk.file);
        free_job(job);
        plan(storage);
        return true;
    }
    return false;
}

void storage_tick(struct storage *storage, int64_t now)
{
    storage->now = now;
    if (now >= storage->deadline)
        plan(storage);
}

void storage_set_rest(struct storage *storage, int64_t rest_ns)
{
    if (rest_ns == storage->rest_ns)
        return;
    storage->rest_ns = rest_ns;
    storage->deadline = next_deadline(storage);
}

int64_t storage_deadline(const struct storage *storage)
{
    return storage->deadline;
}

/* --- wishes --- */

void storage_put_piece(struct storage *storage, int64_t now, piece_index piece,
                       const block_id *blocks, bool want_leaves)
{
    CHECK(piece < storage->geometry->piece_count);
    storage->now = now;
    storage_put_new(storage, piece, blocks, want_leaves);
    plan(storage);
}

void storage_set_priorities(struct storage *storage, int64_t now, const uint8_t *file_priorities)
{
    storage->now = now;
    storage_layout_prioritise(storage, file_priorities);
    storage->complete_told = false;
    storage_export_look(storage);
    plan(storage);
}

void storage_recheck(struct storage *storage, int64_t now)
{
    if (storage->phase != STORAGE_RUNNING || storage->closing)
        return;
    storage->now = now;
    bitfield_clear_all(&storage->verified);
    bitfield_clear_all(&storage->durable);
    if (storage->snapshot.bytes)
        bitfield_clear_all(&storage->snapshot);
    storage->phase = STORAGE_CHECKING;
    storage->ready_told = false;
    storage->recheck = storage->rechecking = true;
    storage->complete_told = false;
    storage_barrier_wanted(storage);
    plan(storage);
}

void storage_set_transferred(struct storage *storage, uint64_t uploaded, uint64_t downloaded)
{
    if (storage->uploaded == uploaded && storage->downloaded == downloaded)
        return;
    storage->uploaded = uploaded;
    storage->downloaded = downloaded;
    storage->counters_dirty = true;
    storage->deadline = next_deadline(storage);
}

void storage_close(struct storage *storage, int64_t now)
{
    storage->now = now;
    storage->closing = true;
    plan(storage);
}

/* --- questions --- */

void storage_pipeline(const struct storage *storage, struct storage_pipeline *ret_pipeline)
{
    *ret_pipeline = (struct storage_pipeline){.checking = storage->verify_jobs};
    for (struct list_node *node = list_first(&storage->puts); node;
         node = list_next(&storage->puts, node)) {
        enum storage_put_stage stage = LIST_ELEMENT(node, struct storage_put, node)->stage;
        ret_pipeline->waiting += stage == STORAGE_PUT_WAITING;
        ret_pipeline->writing += stage == STORAGE_PUT_WRITING;
        ret_pipeline->hashing += stage == STORAGE_PUT_HASHING || stage == STORAGE_PUT_LEAVES;
    }
}

const struct bitfield *storage_verified(const struct storage *storage)
{
    return &storage->verified;
}

const struct bitfield *storage_durable(const struct storage *storage)
{
    return &storage->durable;
}

uint32_t storage_ranges(const struct storage *storage, piece_index piece, uint32_t begin,
                        uint32_t length, struct file_range *ranges, uint32_t ranges_max)
{
    return storage_layout_ranges(storage, piece, begin, length, ranges, ranges_max);
}

bool storage_piece_wanted(const struct storage *storage, piece_index piece)
{
    return storage_layout_piece_wanted(storage, piece);
}

uint8_t storage_piece_priority(const struct storage *storage, piece_index piece)
{
    const struct geometry *geometry = storage->geometry;
    uint64_t start = (uint64_t)piece * geometry->piece_length;
    uint64_t end = start + geometry_piece_size(geometry, piece);
    uint8_t highest = 0;
    for (file_index i = geometry_file_at(geometry, start); i < geometry->file_count; i++) {
        const struct geometry_file *file = &geometry->files[i];
        if (file->offset >= end)
            break;
        if (!file->length || file->padding || file->offset + file->length <= start)
            continue;
        uint8_t priority = storage->priorities ? storage->priorities[i] : 1;
        if (priority > highest)
            highest = priority;
    }
    return highest;
}

static uint32_t count_writing(const struct storage *storage)
{
    uint32_t writing = 0;
    for (struct list_node *node = list_first(&storage->puts); node;
         node = list_next(&storage->puts, node))
        writing += LIST_ELEMENT(node, struct storage_put, node)->stage == STORAGE_PUT_WRITING;
    return writing;
}

static uint32_t count_jobs(const struct storage *storage, enum storage_job_kind kind)
{
    uint32_t count = 0;
    const struct list *lists[] = {&storage->ready, &storage->out};
    for (uint32_t i = 0; i < 2; i++)
        for (struct list_node *node = list_first(lists[i]); node; node = list_next(lists[i], node))
            count += LIST_ELEMENT(node, struct storage_job, node)->kind == kind;
    return count;
}

void storage_check(const struct storage *storage)
{
    bool settled = storage->phase == STORAGE_RUNNING || storage->phase == STORAGE_CHECKING;
    CHECK(!settled || !bitfield_has_beyond(&storage->durable, &storage->verified));
    CHECK(!storage->snapshot.bytes || !bitfield_has_beyond(&storage->snapshot, &storage->verified));
    CHECK(storage->writes == count_writing(storage));
    CHECK(storage->verify_jobs == count_jobs(storage, STORAGE_JOB_VERIFY));
    CHECK(storage->copies == count_jobs(storage, STORAGE_JOB_COPY));
    CHECK(storage->preparing == (count_jobs(storage, STORAGE_JOB_PREPARE) == 1));
    CHECK((storage->barrier != STORAGE_BARRIER_NONE) ==
          (count_jobs(storage, STORAGE_JOB_SYNC) + count_jobs(storage, STORAGE_JOB_STAT) +
               count_jobs(storage, STORAGE_JOB_PERSIST) ==
           1));
    CHECK(storage->verify_jobs <= STORAGE_VERIFY_JOBS);
    CHECK(storage->phase != STORAGE_CLOSED || storage_is_idle(storage));
    CHECK(storage->deadline == INT64_MAX || storage->phase != STORAGE_CLOSED);
    storage_layout_check(storage);
}

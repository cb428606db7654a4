/* SPDX-License-Identifier: MIT */
/* Jobs of a storage: disk jobs, and the record that is to be kept. */
#include "core/storage/storage_state.h"

#include "core/base/memory.h"

#include <string.h>

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

struct file_stat *storage_job_recorded_stats(const struct storage *storage)
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
    job->stats = storage_job_recorded_stats(storage);
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

job_id storage_job_id(const struct storage_job *job)
{
    return job->persist_job ? job->persist.id : job->disk.id;
}

void storage_job_free(struct storage_job *job)
{
    memory_free(job->ranges);
    memory_free(job->leaves);
    memory_free(job->stats);
    memory_free(job->pieces);
    memory_free(job);
}

/* SPDX-License-Identifier: MIT */
/*
 * A disk in memory that answers the disk and persist jobs of one storage. Each file has two images:
 * what reads see (the page cache) and what a power cut leaves. A crash loses what was not synced,
 * or tears it: each sector is the old or the new one. A sync promises only what was written before
 * it was asked for, and a record is there whole or not at all.
 */
#ifndef FRESHET_TESTS_PRETEND_DISK_H
#define FRESHET_TESTS_PRETEND_DISK_H

#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/door/door.h"

#include <string.h>

#define DISK_SECTOR    512u
#define DISK_FILES_MAX 16u
#define DISK_JOBS_MAX  4096u
#define DISK_BLOCKS    4096u

struct pretend_image {
    bool exists;
    uint64_t size;
    int64_t mtime_ns;
    uint64_t inode;
    uint8_t *bytes; /* room for `capacity` of the disk */
};

struct pretend_file {
    struct pretend_image cache; /* what reads see */
    struct pretend_image disk;  /* what a power cut leaves */
    struct pretend_image asked; /* what the sync under way promises */
};

struct pretend_record {
    bool exists;
    struct resume_record record;
    uint8_t *pieces;
    struct file_stat *stats;
};

struct pretend_job {
    struct disk_job *disk;
    const struct persist_job *persist;
};

struct pretend_disk {
    uint64_t capacity; /* bytes that a file may have */
    uint32_t file_count;
    const struct storage_layout *layout;
    struct pretend_file files[DISK_FILES_MAX + 1]; /* the last one: part store */
    struct pretend_record record;
    struct pretend_job jobs[DISK_JOBS_MAX];
    uint32_t job_count;
    uint8_t *blocks; /* DISK_BLOCKS × 16 KiB */
    struct rng rng;
    uint64_t inode_next;
    int64_t clock; /* of mtimes; the test may turn it */

    /* Faults. */
    bool root_absent;
    bool no_space;                 /* writes and full allocation */
    enum freshet_error sync_error; /* of the next sync, which then forgets what it should keep */
    enum freshet_error write_error;
    enum freshet_error persist_error;
    /* What was asked. */
    uint32_t count[DISK_CLOSE + 1];
    uint32_t hashed_from_disk; /* HASH jobs that read files */
    uint32_t persisted;
    bool root_created;
};

static inline struct pretend_file *pretend_file_of(struct pretend_disk *disk, uint32_t file)
{
    return &disk->files[file == FILE_PART_STORE ? disk->file_count : file];
}

static inline void pretend_disk_init(struct pretend_disk *disk, uint32_t file_count,
                                     uint64_t capacity, uint64_t seed)
{
    memset(disk, 0, sizeof *disk);
    disk->file_count = file_count;
    disk->capacity = capacity;
    disk->inode_next = 100;
    disk->clock = 1000;
    disk->blocks = memory_new_array(DISK_BLOCKS, LIMIT_BLOCK_SIZE);
    rng_init(&disk->rng, seed);
    for (uint32_t i = 0; i <= file_count; i++) {
        disk->files[i].cache.bytes = memory_new(capacity);
        disk->files[i].disk.bytes = memory_new(capacity);
        disk->files[i].asked.bytes = memory_new(capacity);
    }
}

static inline void pretend_record_free(struct pretend_record *record)
{
    memory_free(record->pieces);
    memory_free(record->stats);
    memset(record, 0, sizeof *record);
}

static inline void pretend_disk_deinit(struct pretend_disk *disk)
{
    for (uint32_t i = 0; i <= disk->file_count; i++) {
        memory_free(disk->files[i].cache.bytes);
        memory_free(disk->files[i].disk.bytes);
        memory_free(disk->files[i].asked.bytes);
    }
    memory_free(disk->blocks);
    pretend_record_free(&disk->record);
}

static inline void pretend_image_copy(struct pretend_disk *disk, struct pretend_image *to,
                                      const struct pretend_image *from)
{
    uint8_t *bytes = to->bytes;
    memcpy(bytes, from->bytes, disk->capacity);
    *to = *from;
    to->bytes = bytes;
}

static inline void pretend_create(struct pretend_disk *disk, struct pretend_file *file)
{
    if (file->cache.exists)
        return;
    file->cache.exists = true;
    file->cache.size = 0;
    file->cache.inode = disk->inode_next++;
    file->cache.mtime_ns = ++disk->clock;
    memset(file->cache.bytes, 0, disk->capacity);
}

static inline void pretend_resize(struct pretend_disk *disk, struct pretend_file *file,
                                  uint64_t size)
{
    if (file->cache.size == size)
        return;
    if (size < file->cache.size)
        memset(file->cache.bytes + size, 0, file->cache.size - size);
    file->cache.size = size;
    file->cache.mtime_ns = ++disk->clock;
}

/* Somebody puts a file there, by other means than ours, long ago. */
static inline void pretend_put_file(struct pretend_disk *disk, uint32_t index, const void *bytes,
                                    uint64_t size)
{
    struct pretend_file *file = &disk->files[index];
    file->cache.exists = false;
    pretend_create(disk, file);
    if (size)
        memcpy(file->cache.bytes, bytes, size);
    file->cache.size = size;
    pretend_image_copy(disk, &file->disk, &file->cache);
}

static inline enum freshet_error pretend_stats(struct pretend_disk *disk, struct file_stat *stats)
{
    if (disk->root_absent)
        return FRESHET_ERROR_ABSENT;
    for (uint32_t i = 0; i <= disk->file_count; i++) {
        const struct pretend_image *image = &disk->files[i].cache;
        stats[i] = (struct file_stat){0};
        if (image->exists)
            stats[i] = (struct file_stat){true, image->size, image->mtime_ns, image->inode};
    }
    return FRESHET_OK;
}

static inline enum freshet_error pretend_open(struct pretend_disk *disk, struct disk_job *job)
{
    disk->layout = job->layout;
    if (disk->root_absent && !job->layout->create_root)
        return FRESHET_ERROR_ABSENT;
    if (disk->root_absent)
        disk->root_created = true;
    disk->root_absent = false;
    return pretend_stats(disk, job->ret_stats);
}

static inline enum freshet_error pretend_prepare(struct pretend_disk *disk)
{
    const struct storage_layout *layout = disk->layout;
    if (layout->read_only)
        return FRESHET_ERROR_PERMISSION;
    if (disk->no_space && layout->allocation == ALLOCATION_FULL)
        return FRESHET_ERROR_NO_SPACE;
    for (uint32_t i = 0; i < disk->file_count; i++) {
        if (!layout->files[i].wanted || layout->files[i].padding || layout->files[i].symlink)
            continue;
        pretend_create(disk, &disk->files[i]);
        pretend_resize(disk, &disk->files[i], layout->files[i].length);
    }
    return FRESHET_OK;
}

/* Walks the ranges of an extent in step with its blocks; `call` gets stretches that lie in one
 * range and one block. */
static inline enum freshet_error pretend_write(struct pretend_disk *disk,
                                               const struct extent *extent)
{
    uint32_t at = 0;
    for (uint32_t r = 0; r < extent->range_count; r++) {
        const struct file_range *range = &extent->ranges[r];
        for (uint32_t done = 0; done < range->length; done++, at++) {
            if (range->file == FILE_PADDING)
                continue;
            struct pretend_file *file = pretend_file_of(disk, range->file);
            block_id block = extent->blocks[at / LIMIT_BLOCK_SIZE];
            uint64_t offset = range->offset + done;
            if (block == BLOCK_NONE || offset >= disk->capacity)
                return FRESHET_ERROR_IO;
            if (!file->cache.exists && range->file != FILE_PART_STORE)
                return FRESHET_ERROR_NOT_FOUND;
            pretend_create(disk, file);
            if (file->cache.size <= offset)
                file->cache.size = offset + 1;
            file->cache.bytes[offset] =
                disk->blocks[(size_t)block * LIMIT_BLOCK_SIZE + at % LIMIT_BLOCK_SIZE];
            if (done == 0)
                file->cache.mtime_ns = ++disk->clock;
        }
    }
    return FRESHET_OK;
}

static inline enum freshet_error pretend_hash(struct pretend_disk *disk, struct disk_job *job)
{
    const struct extent *extent = &job->extent;
    uint8_t *bytes = memory_new(extent->length);
    uint32_t at = 0;
    bool from_disk = false;
    enum freshet_error error = FRESHET_OK;
    for (uint32_t r = 0; r < extent->range_count; r++) {
        const struct file_range *range = &extent->ranges[r];
        for (uint32_t done = 0; done < range->length; done++, at++) {
            block_id block = extent->blocks[at / LIMIT_BLOCK_SIZE];
            if (range->file == FILE_PADDING)
                continue;
            if (block != BLOCK_NONE) {
                bytes[at] = disk->blocks[(size_t)block * LIMIT_BLOCK_SIZE + at % LIMIT_BLOCK_SIZE];
                continue;
            }
            from_disk = true;
            const struct pretend_image *image = &pretend_file_of(disk, range->file)->cache;
            if (!image->exists || range->offset + done >= image->size)
                error = FRESHET_ERROR_NOT_FOUND;
            else
                bytes[at] = image->bytes[range->offset + done];
        }
    }
    disk->hashed_from_disk += from_disk;
    if (job->ret_sha1)
        sha1_of(bytes, extent->length, job->ret_sha1);
    uint32_t leaf_length = job->leaf_length ? job->leaf_length : extent->length;
    for (uint32_t i = 0; job->ret_leaves && i * LIMIT_BLOCK_SIZE < leaf_length; i++) {
        uint32_t left = leaf_length - i * LIMIT_BLOCK_SIZE;
        sha256_of(bytes + (size_t)i * LIMIT_BLOCK_SIZE,
                  left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE,
                  job->ret_leaves + (size_t)i * 32);
    }
    memory_free(bytes);
    return error;
}

static inline enum freshet_error pretend_copy(struct pretend_disk *disk, struct disk_job *job)
{
    const struct file_range *from = &job->extent.ranges[0], *to = &job->copy_to;
    struct pretend_file *source = pretend_file_of(disk, from->file);
    struct pretend_file *target = pretend_file_of(disk, to->file);
    if (!source->cache.exists || source->cache.size < from->offset + from->length)
        return FRESHET_ERROR_NOT_FOUND;
    if (disk->no_space)
        return FRESHET_ERROR_NO_SPACE;
    memcpy(target->cache.bytes + to->offset, source->cache.bytes + from->offset, from->length);
    target->cache.mtime_ns = ++disk->clock;
    return FRESHET_OK;
}

static inline void pretend_ask_sync(struct pretend_disk *disk)
{
    for (uint32_t i = 0; i <= disk->file_count; i++)
        pretend_image_copy(disk, &disk->files[i].asked, &disk->files[i].cache);
}

/* A sync that fails has lost the pages: names and lengths stay, the bytes are the old ones. */
static inline enum freshet_error pretend_sync(struct pretend_disk *disk)
{
    enum freshet_error error = disk->sync_error;
    disk->sync_error = FRESHET_OK;
    for (uint32_t i = 0; i <= disk->file_count; i++) {
        struct pretend_file *file = &disk->files[i];
        if (error)
            memcpy(file->cache.bytes, file->disk.bytes, disk->capacity);
        else
            pretend_image_copy(disk, &file->disk, &file->asked);
    }
    return error;
}

static inline enum freshet_error pretend_persist(struct pretend_disk *disk,
                                                 const struct persist_job *job)
{
    if (disk->persist_error)
        return disk->persist_error;
    const struct resume_record *from = &job->record;
    pretend_record_free(&disk->record);
    disk->record.exists = true;
    disk->record.record = *from;
    disk->record.pieces = memory_copy(from->pieces.data, from->pieces.length);
    disk->record.stats = memory_copy(from->stats, (from->file_count + 1) * sizeof *from->stats);
    disk->record.record.pieces.data = disk->record.pieces;
    disk->record.record.stats = disk->record.stats;
    disk->persisted++;
    return FRESHET_OK;
}

static inline enum freshet_error pretend_do(struct pretend_disk *disk, struct disk_job *job)
{
    disk->count[job->operation]++;
    switch (job->operation) {
    case DISK_OPEN: return pretend_open(disk, job);
    case DISK_STAT: return pretend_stats(disk, job->ret_stats);
    case DISK_PREPARE: return pretend_prepare(disk);
    case DISK_WRITE:
        if (disk->no_space)
            return FRESHET_ERROR_NO_SPACE;
        return disk->write_error ? disk->write_error : pretend_write(disk, &job->extent);
    case DISK_HASH: return pretend_hash(disk, job);
    case DISK_COPY: return pretend_copy(disk, job);
    case DISK_SYNC: return pretend_sync(disk);
    case DISK_DROP_PARTS: disk->files[disk->file_count].cache.exists = false; return FRESHET_OK;
    default: return FRESHET_OK;
    }
}

/* Takes an ACTION_DISK or ACTION_PERSIST. */
static inline void pretend_disk_take(struct pretend_disk *disk, const struct action *action)
{
    disk->jobs[disk->job_count++] = (struct pretend_job){
        .disk = action->type == ACTION_DISK ? action->disk : NULL,
        .persist = action->type == ACTION_PERSIST ? action->persist : NULL,
    };
    if (action->type == ACTION_DISK && action->disk->operation == DISK_SYNC)
        pretend_ask_sync(disk);
}

/* Finishes one job, any of those under way; false: there is none. */
static inline bool pretend_disk_step(struct pretend_disk *disk, struct event *ret_event)
{
    if (disk->job_count == 0)
        return false;
    uint32_t chosen = rng_below(&disk->rng, disk->job_count);
    struct pretend_job job = disk->jobs[chosen];
    memmove(&disk->jobs[chosen], &disk->jobs[chosen + 1],
            (--disk->job_count - chosen) * sizeof job);
    *ret_event = (struct event){.type = EVENT_JOB_DONE};
    ret_event->result.disk.file = UINT32_MAX;
    ret_event->job = job.disk ? job.disk->id : job.persist->id;
    ret_event->error = job.disk ? pretend_do(disk, job.disk) : pretend_persist(disk, job.persist);
    return true;
}

enum pretend_crash { CRASH_KILL, CRASH_LOSE, CRASH_TEAR };

/* The power fails (or, CRASH_KILL, the process dies and the page cache lives on) while jobs are
 * under way: some of them have happened, some not. */
static inline void pretend_disk_crash(struct pretend_disk *disk, enum pretend_crash crash)
{
    for (uint32_t i = 0; i < disk->job_count; i++) {
        struct pretend_job *job = &disk->jobs[i];
        if (rng_below(&disk->rng, 2) == 0)
            continue;
        if (job->persist)
            pretend_persist(disk, job->persist);
        else if (job->disk->operation == DISK_WRITE || job->disk->operation == DISK_COPY ||
                 job->disk->operation == DISK_PREPARE || job->disk->operation == DISK_SYNC)
            pretend_do(disk, job->disk);
    }
    disk->job_count = 0;
    for (uint32_t i = 0; crash != CRASH_KILL && i <= disk->file_count; i++) {
        struct pretend_file *file = &disk->files[i];
        bool same_inode = file->disk.exists && file->disk.inode == file->cache.inode;
        bool keep_new =
            crash == CRASH_TEAR && file->cache.exists && (same_inode || rng_below(&disk->rng, 2));
        if (keep_new) {
            file->disk.size = same_inode && file->disk.size > file->cache.size ? file->disk.size
                                                                               : file->cache.size;
            if (rng_below(&disk->rng, 2) || !same_inode)
                file->disk.mtime_ns = file->cache.mtime_ns;
            if (!same_inode)
                memset(file->disk.bytes, 0, disk->capacity);
            file->disk.exists = true;
            file->disk.inode = file->cache.inode;
            for (uint64_t at = 0; at < disk->capacity; at += DISK_SECTOR)
                if (rng_below(&disk->rng, 2))
                    memcpy(file->disk.bytes + at, file->cache.bytes + at,
                           disk->capacity - at < DISK_SECTOR ? disk->capacity - at : DISK_SECTOR);
        }
        pretend_image_copy(disk, &file->cache, &file->disk);
    }
}

#endif

/* SPDX-License-Identifier: MIT */
#include "host/disk.h"

#include "core/base/check.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/swarm/rate_meter.h"
#include "host/clock.h"
#include "host/worker_pool.h"

#include <string.h>

#define DISK_THREADS_DEFAULT 4u

/* One job on its way through the workers. */
struct disk_work {
    struct work work;
    struct list_node node; /* in disk->active */
    struct disk *disk;
    struct worker_pool *workers;
    struct disk_job *job;          /* NULL: a warming */
    struct disk_warming *warming;  /* NULL: a job */
    struct storage_files *files;   /* shared; of OPEN: what came of it */
    struct root_identity expected; /* OPEN */
    enum freshet_error error;
    uint32_t file;
};

struct expected_root {
    struct list_node node;
    struct root_identity identity;
    char path[];
};

/* Jobs of one kind, as disk_measure tells of them. */
struct disk_meter {
    uint32_t threads, jobs;
    uint64_t bytes;
    struct rate_meter rate;
};

struct disk {
    struct disk_options options;
    struct disk_meter hash, write;
    struct descriptor_cache cache;
    struct worker_pool *disk_workers;
    struct worker_pool *hash_workers;
    struct map storages; /* storage_id to struct storage_files */
    struct list active;
    struct list expected_roots;
    struct list open; /* struct open_storage, for the end */
};

struct open_storage {
    struct list_node node;
    storage_id id;
    struct storage_files *files;
};

struct disk *disk_new(const struct disk_options *options)
{
    struct disk *disk = memory_new(sizeof *disk);
    unsigned cores = uv_available_parallelism();
    unsigned hash = options->hash_threads ? options->hash_threads : cores;

    disk->options = *options;
    if (hash > WORKER_THREADS_MAX)
        hash = WORKER_THREADS_MAX;
    descriptor_cache_init(&disk->cache, options->open_files_max);
    disk->hash.threads = hash;
    disk->write.threads = options->disk_threads ? options->disk_threads : DISK_THREADS_DEFAULT;
    rate_meter_init(&disk->hash.rate);
    rate_meter_init(&disk->write.rate);
    disk->disk_workers = worker_pool_new(options->loop, disk->write.threads, WORKER_TRANSFER);
    disk->hash_workers = worker_pool_new(options->loop, hash, WORKER_TRANSFER);
    map_init(&disk->storages, sizeof(storage_id), 0);
    list_init(&disk->active);
    list_init(&disk->expected_roots);
    list_init(&disk->open);
    return disk;
}

static void disk_forget_storage(struct disk *disk, storage_id id)
{
    struct open_storage *open = map_remove(&disk->storages, &id);

    if (!open)
        return;
    list_remove(&disk->open, &open->node);
    storage_files_free(open->files);
    memory_free(open);
}

static void disk_remember_storage(struct disk *disk, storage_id id, struct storage_files *files)
{
    struct open_storage *open = memory_new(sizeof *open);

    disk_forget_storage(disk, id);
    open->id = id;
    open->files = files;
    list_append(&disk->open, &open->node);
    map_put(&disk->storages, &id, open);
}

void disk_free(struct disk *disk)
{
    if (!disk)
        return;
    worker_pool_free(disk->hash_workers);
    worker_pool_free(disk->disk_workers);
    while (!list_is_empty(&disk->open))
        disk_forget_storage(disk,
                            LIST_ELEMENT(list_first(&disk->open), struct open_storage, node)->id);
    while (!list_is_empty(&disk->expected_roots)) {
        struct list_node *node = list_first(&disk->expected_roots);
        list_remove(&disk->expected_roots, node);
        memory_free(LIST_ELEMENT(node, struct expected_root, node));
    }
    map_deinit(&disk->storages);
    descriptor_cache_deinit(&disk->cache);
    memory_free(disk);
}

static struct disk_load disk_load_of(const struct disk_meter *meter, int64_t now)
{
    return (struct disk_load){
        .threads = meter->threads,
        .jobs = meter->jobs,
        .bytes = meter->bytes,
        .rate = rate_meter_quick(&meter->rate, now),
    };
}

void disk_measure(const struct disk *disk, int64_t now, struct disk_loads *ret_loads)
{
    ret_loads->hash = disk_load_of(&disk->hash, now);
    ret_loads->write = disk_load_of(&disk->write, now);
}

struct storage_files *disk_files(struct disk *disk, storage_id storage)
{
    struct open_storage *open = map_get(&disk->storages, &storage);

    return open ? storage_files_share(open->files) : NULL;
}

struct storage_files *disk_files_of(struct disk *disk, const uint8_t info_hash[32])
{
    for (struct list_node *node = list_first(&disk->open); node;
         node = list_next(&disk->open, node)) {
        struct storage_files *files = LIST_ELEMENT(node, struct open_storage, node)->files;
        const uint8_t *hash = storage_files_layout(files)->info_hash;
        if (hash && memcmp(hash, info_hash, 32) == 0)
            return storage_files_share(files);
    }
    return NULL;
}

static struct expected_root *disk_find_expected(struct disk *disk, const char *root)
{
    for (struct list_node *node = list_first(&disk->expected_roots); node;
         node = list_next(&disk->expected_roots, node)) {
        struct expected_root *expected = LIST_ELEMENT(node, struct expected_root, node);
        if (strcmp(expected->path, root) == 0)
            return expected;
    }
    return NULL;
}

void disk_expect_root(struct disk *disk, const char *root, const struct root_identity *identity)
{
    struct expected_root *expected = disk_find_expected(disk, root);

    if (!expected) {
        expected = memory_new(sizeof *expected + strlen(root) + 1);
        strcpy(expected->path, root);
        list_append(&disk->expected_roots, &expected->node);
    }
    expected->identity = *identity;
}

static enum freshet_error disk_run_write(struct disk_work *work)
{
    struct disk_job *job = work->job;

    switch (job->operation) {
    case DISK_PREPARE: return storage_files_prepare(work->files, &work->file);
    case DISK_COPY:
        return extent_io_copy(work->files, job->extent.ranges, &job->copy_to, &work->file);
    default:
        return extent_io_write(work->files, work->disk->options.pool, &job->extent, &work->file);
    }
}

/* What the state has given of its reserve is no room for payload. */
static enum freshet_error disk_write(struct disk_work *work)
{
    struct state_reserve *reserve = work->disk->options.reserve;
    struct root_identity root;

    if (!reserve)
        return disk_run_write(work);
    storage_files_identify(work->files, &root);
    if (!state_reserve_enter(reserve, root.device))
        return FRESHET_ERROR_NO_SPACE;
    enum freshet_error error = disk_run_write(work);
    state_reserve_leave(reserve);
    return error;
}

/* On a worker. */
static enum freshet_error disk_run_job(struct disk_work *work)
{
    struct disk_job *job = work->job;
    const struct block_memory *pool = work->disk->options.pool;

    if (job->operation == DISK_OPEN)
        return storage_files_open(job->layout, &work->expected, &work->disk->cache, job->ret_stats,
                                  &work->file, &work->files);
    if (job->operation == DISK_HASH)
        return extent_io_hash(work->files, pool, job, &work->file);
    if (!work->files)
        return job->operation == DISK_CLOSE ? FRESHET_OK : FRESHET_ERROR_ABSENT;
    switch (job->operation) {
    case DISK_STAT: return storage_files_stat(work->files, job->ret_stats, &work->file);
    case DISK_READ: return extent_io_read(work->files, pool, &job->extent, &work->file);
    case DISK_PREPARE:
    case DISK_WRITE:
    case DISK_COPY: return disk_write(work);
    case DISK_SYNC:
    case DISK_CLOSE: return storage_files_sync(work->files, job->sync_all, &work->file);
    case DISK_DROP_PARTS: return storage_files_drop_parts(work->files);
    case DISK_DELETE: return storage_files_delete(work->files, &work->file);
    default: return FRESHET_ERROR_USAGE;
    }
}

static void disk_work_run(struct work *node)
{
    struct disk_work *work = LIST_ELEMENT(node, struct disk_work, work);

    const struct disk_warming *warming = work->warming;

    if (work->job)
        work->error = disk_run_job(work);
    else if (warming->files)
        work->error =
            extent_io_gather(warming->files, warming->gather, warming->range_count, warming->to);
    else
        work->error = extent_io_warm(warming->ranges, warming->range_count);
}

/* NULL: jobs of its kind are not counted. */
static struct disk_meter *disk_meter_of(struct disk *disk, const struct disk_job *job)
{
    return job->operation == DISK_HASH    ? &disk->hash
           : job->operation == DISK_WRITE ? &disk->write
                                          : NULL;
}

static void disk_count_done(struct disk *disk, const struct disk_work *work)
{
    struct disk_meter *meter = disk_meter_of(disk, work->job);

    if (!meter)
        return;
    meter->jobs--;
    if (work->error || work->work.cancelled)
        return;
    meter->bytes += work->job->extent.length;
    rate_meter_add(&meter->rate, clock_now(), work->job->extent.length);
}

static void disk_job_done(struct disk *disk, struct disk_work *work)
{
    struct disk_job *job = work->job;
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id, .error = work->error};

    disk_count_done(disk, work);
    event.result.disk.file = work->error ? work->file : UINT32_MAX;
    if (work->work.cancelled) {
        event.error = FRESHET_ERROR_CANCELLED;
    } else if (job->operation == DISK_OPEN && !work->error) {
        struct root_identity identity;
        storage_files_identify(work->files, &identity);
        disk_expect_root(disk, job->layout->root, &identity);
        disk_remember_storage(disk, job->storage, work->files);
        work->files = NULL;
    } else if (job->operation == DISK_CLOSE) {
        disk_forget_storage(disk, job->storage);
    }
    storage_files_free(work->files);
    memory_free(work);
    disk->options.job_done(disk->options.context, &event);
}

static void disk_work_done(struct work *node)
{
    struct disk_work *work = LIST_ELEMENT(node, struct disk_work, work);
    struct disk *disk = work->disk;

    list_remove(&disk->active, &work->node);
    if (work->job) {
        disk_job_done(disk, work);
        return;
    }
    struct disk_warming *warming = work->warming;
    enum freshet_error error = work->work.cancelled ? FRESHET_ERROR_CANCELLED : work->error;
    memory_free(work);
    warming->done(warming, error);
}

static void disk_start(struct disk *disk, struct disk_work *work, struct worker_pool *workers)
{
    work->disk = disk;
    work->workers = workers;
    work->file = UINT32_MAX;
    work->work.run = disk_work_run;
    work->work.done = disk_work_done;
    list_append(&disk->active, &work->node);
    worker_pool_submit(workers, &work->work);
}

void disk_submit(struct disk *disk, struct disk_job *job)
{
    struct disk_work *work = memory_new(sizeof *work);
    storage_id storage =
        job->operation == DISK_READ || job->operation == DISK_WRITE || job->operation == DISK_HASH
            ? job->extent.storage
            : job->storage;

    work->job = job;
    struct disk_meter *meter = disk_meter_of(disk, job);
    if (meter)
        meter->jobs++;
    if (job->operation == DISK_OPEN) {
        struct expected_root *expected = disk_find_expected(disk, job->layout->root);
        if (expected)
            work->expected = expected->identity;
    } else {
        work->files = disk_files(disk, storage);
    }
    disk_start(disk, work, job->operation == DISK_HASH ? disk->hash_workers : disk->disk_workers);
}

void disk_cancel(struct disk *disk, job_id job)
{
    for (struct list_node *node = list_first(&disk->active); node;
         node = list_next(&disk->active, node)) {
        struct disk_work *work = LIST_ELEMENT(node, struct disk_work, node);
        if (work->job && work->job->id == job) {
            worker_pool_cancel(work->workers, &work->work);
            return;
        }
    }
}

void disk_warm(struct disk *disk, struct disk_warming *warming)
{
    struct disk_work *work = memory_new(sizeof *work);

    work->warming = warming;
    disk_start(disk, work, disk->disk_workers);
}

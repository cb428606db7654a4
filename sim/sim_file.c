/* SPDX-License-Identifier: MIT */
#include "sim/sim_file.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define PAGE_SIZE 4096u

struct sim_file *sim_file_new(const char *path)
{
    struct sim_file *file = memory_new(sizeof *file);
    size_t length = strlen(path);
    CHECK(length < SIM_FILE_PATH);
    memcpy(file->path, path, length);
    return file;
}

void sim_file_free(struct sim_file *file)
{
    sim_spans_deinit(&file->cache);
    sim_spans_deinit(&file->durable);
    memory_free(file->unsynced);
    memory_free(file);
}

static void changed(struct sim_file *file, int64_t now)
{
    file->mtime_ns = now;
    file->dirty = file->touched = true;
}

void sim_file_create(struct sim_file *file, uint64_t inode, int64_t now)
{
    if (file->exists)
        return;
    file->exists = file->ours = true;
    file->size = 0;
    file->inode = inode;
    changed(file, now);
}

void sim_file_set_size(struct sim_file *file, uint64_t size, int64_t now)
{
    if (file->size == size)
        return;
    sim_spans_truncate(&file->cache, size);
    file->size = size;
    changed(file, now);
}

void sim_file_write(struct sim_file *file, uint64_t begin, uint64_t length,
                    const struct sim_spans *spans, int64_t now)
{
    sim_spans_put_from(&file->cache, begin, spans, 0, length);
    if (file->unsynced_count == file->unsynced_capacity) {
        file->unsynced_capacity = file->unsynced_capacity ? 2 * file->unsynced_capacity : 8;
        file->unsynced =
            memory_resize_array(file->unsynced, file->unsynced_capacity, sizeof *file->unsynced);
    }
    file->unsynced[file->unsynced_count++] = (struct sim_unsynced){begin, length};
    if (file->size < begin + length)
        file->size = begin + length;
    changed(file, now);
}

/* What is in the cache at those places becomes durable. */
static void harden(struct sim_file *file, uint64_t begin, uint64_t length)
{
    sim_spans_put_from(&file->durable, begin, &file->cache, begin, length);
}

static void harden_name(struct sim_file *file)
{
    file->durable_exists = file->exists;
    file->durable_size = file->size;
    file->durable_mtime_ns = file->mtime_ns;
    sim_spans_truncate(&file->durable, file->size);
}

void sim_file_sync_begin(struct sim_file *file)
{
    file->syncing = file->unsynced_count;
}

bool sim_file_sync(struct sim_file *file, bool fails)
{
    size_t count = file->syncing;
    for (size_t i = 0; i < count; i++) {
        const struct sim_unsynced *one = &file->unsynced[i];
        if (fails)
            sim_spans_put_from(&file->cache, one->begin, &file->durable, one->begin, one->length);
        else
            harden(file, one->begin, one->length);
    }
    file->unsynced_count -= count;
    file->syncing = 0;
    if (count && file->unsynced_count)
        memmove(file->unsynced, file->unsynced + count,
                file->unsynced_count * sizeof *file->unsynced);
    file->dirty = file->touched = file->unsynced_count > 0;
    harden_name(file);
    return !fails || count == 0;
}

void sim_file_remove(struct sim_file *file)
{
    file->exists = file->durable_exists = file->ours = file->dirty = file->touched = false;
    file->size = file->durable_size = 0;
    file->unsynced_count = file->syncing = 0;
    sim_spans_clear(&file->cache);
    sim_spans_clear(&file->durable);
}

/* Each page of what was unsynced is there or not. */
static void tear(struct sim_file *file, struct rng *rng)
{
    for (size_t i = 0; i < file->unsynced_count; i++) {
        uint64_t begin = file->unsynced[i].begin, end = begin + file->unsynced[i].length;
        while (begin < end) {
            uint64_t page_end = begin / PAGE_SIZE * PAGE_SIZE + PAGE_SIZE;
            if (page_end > end)
                page_end = end;
            if (rng_below(rng, 2))
                harden(file, begin, page_end - begin);
            begin = page_end;
        }
    }
    if (rng_below(rng, 4) != 0)
        harden_name(file);
}

void sim_file_crash(struct sim_file *file, enum sim_crash crash, struct rng *rng)
{
    file->touched = false;
    file->syncing = 0;
    if (crash == SIM_CRASH_PROCESS)
        return;
    if (crash == SIM_CRASH_TEAR && file->dirty)
        tear(file, rng);
    file->exists = file->durable_exists;
    file->size = file->durable_size;
    file->mtime_ns = file->durable_mtime_ns;
    if (!file->exists)
        sim_spans_clear(&file->durable);
    sim_spans_truncate(&file->durable, file->size);
    sim_spans_copy(&file->cache, &file->durable);
    file->unsynced_count = 0;
    file->dirty = false;
}

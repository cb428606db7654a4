/* SPDX-License-Identifier: MIT */
#include "sim/sim_disk.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

struct sim_storage {
    storage_id id;
    struct sim_file **files; /* NULL: padding, symlink */
    uint64_t *lengths;
    bool *wanted;
    uint32_t file_count;
    bool full_allocation;
    struct sim_file *part_store;
};

/* --- files -------------------------------------------------------------------------------- */

void sim_disk_init(struct sim_disk *disk, struct sim_clock *clock,
                   const struct sim_torrent *torrent, const struct sim_disk_options *options,
                   uint64_t seed)
{
    *disk = (struct sim_disk){
        .clock = clock, .torrent = torrent, .options = *options, .inode_next = 100};
    rng_init(&disk->rng, seed);
}

static void storage_free(struct sim_storage *storage)
{
    memory_free(storage->files);
    memory_free(storage->lengths);
    memory_free(storage->wanted);
    memory_free(storage);
}

static void close_all(struct sim_disk *disk)
{
    for (uint32_t i = 0; i < disk->storage_count; i++)
        storage_free(disk->storages[i]);
    disk->storage_count = 0;
}

void sim_disk_deinit(struct sim_disk *disk)
{
    close_all(disk);
    memory_free(disk->storages);
    for (uint32_t i = 0; i < disk->file_count; i++)
        sim_file_free(disk->files[i]);
    memory_free(disk->files);
    for (uint32_t i = 0; i < disk->block_count; i++)
        sim_spans_deinit(&disk->blocks[i]);
    memory_free(disk->blocks);
}

static struct sim_file *find_file(const struct sim_disk *disk, const char *path)
{
    for (uint32_t i = 0; i < disk->file_count; i++)
        if (strcmp(disk->files[i]->path, path) == 0)
            return disk->files[i];
    return NULL;
}

/* The file of that path, which need not exist yet. */
static struct sim_file *name_file(struct sim_disk *disk, const char *path)
{
    struct sim_file *file = find_file(disk, path);
    if (file)
        return file;
    file = sim_file_new(path);
    disk->files = memory_resize_array(disk->files, disk->file_count + 1, sizeof *disk->files);
    disk->files[disk->file_count++] = file;
    return file;
}

static void create(struct sim_disk *disk, struct sim_file *file)
{
    if (!file->exists)
        sim_file_create(file, disk->inode_next++, disk->clock->now);
}

void sim_disk_fill(struct sim_disk *disk)
{
    disk->root_exists = true;
    for (uint32_t i = 0; i < disk->torrent->file_count; i++) {
        const struct sim_torrent_file *content = &disk->torrent->files[i];
        struct sim_file *file = name_file(disk, content->path);
        create(disk, file);
        file->ours = file->dirty = file->touched = false;
        file->durable_exists = true;
        file->size = file->durable_size = content->length;
        file->durable_mtime_ns = file->mtime_ns;
        sim_spans_put(&file->cache, 0, content->length, disk->torrent->source, content->offset);
        sim_spans_copy(&file->durable, &file->cache);
    }
}

static struct sim_storage *find_storage(const struct sim_disk *disk, storage_id id)
{
    for (uint32_t i = 0; i < disk->storage_count; i++)
        if (disk->storages[i]->id == id)
            return disk->storages[i];
    return NULL;
}

static struct sim_file *range_file(const struct sim_storage *storage,
                                   const struct file_range *range)
{
    if (range->file == FILE_PART_STORE)
        return storage->part_store;
    CHECK(range->file < storage->file_count);
    return storage->files[range->file];
}

/* A file by its number; the one behind the last is the part store. May be NULL. */
static struct sim_file *storage_file(const struct sim_storage *storage, uint32_t index)
{
    return index < storage->file_count ? storage->files[index] : storage->part_store;
}

struct sim_spans *sim_disk_block(struct sim_disk *disk, block_id block)
{
    if (block >= disk->block_count) {
        CHECK(block < LIMIT_POOL_BLOCKS);
        uint32_t count = block + 64;
        disk->blocks = memory_resize_array(disk->blocks, count, sizeof *disk->blocks);
        memset(disk->blocks + disk->block_count, 0,
               (count - disk->block_count) * sizeof *disk->blocks);
        disk->block_count = count;
    }
    return &disk->blocks[block];
}

/* --- jobs --------------------------------------------------------------------------------- */

static int64_t cost(const struct sim_disk *disk, const struct disk_job *job)
{
    const struct sim_disk_options *options = &disk->options;
    uint64_t bytes = job->extent.length;
    switch (job->operation) {
    case DISK_READ:
        return options->access_ns + sim_clock_transfer_ns(bytes, options->read_bytes_per_s);
    case DISK_WRITE:
    case DISK_COPY:
        return options->access_ns + sim_clock_transfer_ns(bytes, options->write_bytes_per_s);
    case DISK_SYNC:
    case DISK_CLOSE: return options->access_ns + options->sync_ns;
    default: return options->access_ns;
    }
}

static void sync_begin(const struct sim_storage *storage)
{
    for (uint32_t i = 0; storage && i <= storage->file_count; i++) {
        struct sim_file *file = storage_file(storage, i);
        if (file)
            sim_file_sync_begin(file);
    }
}

int64_t sim_disk_done_at(struct sim_disk *disk, const struct disk_job *job)
{
    int64_t now = disk->clock->now;
    if (job->operation == DISK_HASH) { /* on cores of its own */
        if (disk->hash_free_at < now)
            disk->hash_free_at = now;
        disk->hash_free_at +=
            sim_clock_transfer_ns(job->extent.length, disk->options.hash_bytes_per_s);
        return disk->hash_free_at;
    }
    if (job->operation == DISK_SYNC) { /* beside reads and writes */
        sync_begin(find_storage(disk, job->storage));
        return now + cost(disk, job);
    }
    if (disk->free_at < now)
        disk->free_at = now;
    disk->free_at += cost(disk, job);
    return disk->free_at;
}

static enum freshet_error do_stat(const struct sim_disk *disk, const struct disk_job *job)
{
    const struct sim_storage *storage = find_storage(disk, job->storage);
    if (storage == NULL || disk->unmounted)
        return FRESHET_ERROR_ABSENT;
    for (uint32_t i = 0; i <= storage->file_count; i++) {
        const struct sim_file *file = storage_file(storage, i);
        job->ret_stats[i] = (struct file_stat){0};
        if (file && file->exists)
            job->ret_stats[i] = (struct file_stat){true, file->size, file->mtime_ns, file->inode};
    }
    return FRESHET_OK;
}

static void storage_new(struct sim_disk *disk, const struct disk_job *job)
{
    const struct storage_layout *layout = job->layout;
    struct sim_storage *storage = memory_new(sizeof *storage);
    storage->id = job->storage;
    storage->file_count = layout->file_count;
    storage->files = memory_new_array(layout->file_count, sizeof *storage->files);
    storage->lengths = memory_new_array(layout->file_count, sizeof *storage->lengths);
    storage->wanted = memory_new_array(layout->file_count, sizeof *storage->wanted);
    storage->full_allocation = layout->allocation == ALLOCATION_FULL;
    for (uint32_t i = 0; i < layout->file_count; i++) {
        const struct storage_file *file = &layout->files[i];
        if (!file->padding && file->symlink == NULL)
            storage->files[i] = name_file(disk, file->path);
        storage->lengths[i] = file->length;
        storage->wanted[i] = file->wanted;
    }
    if (layout->part_name)
        storage->part_store = name_file(disk, layout->part_name);
    disk->storages =
        memory_resize_array(disk->storages, disk->storage_count + 1, sizeof *disk->storages);
    disk->storages[disk->storage_count++] = storage;
}

static enum freshet_error do_open(struct sim_disk *disk, const struct disk_job *job)
{
    if (disk->unmounted || (!job->layout->create_root && !disk->root_exists))
        return FRESHET_ERROR_ABSENT;
    if (find_storage(disk, job->storage) == NULL)
        storage_new(disk, job);
    disk->root_exists = true;
    return do_stat(disk, job);
}

static uint64_t used(const struct sim_disk *disk)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < disk->file_count; i++)
        for (size_t s = 0; s < disk->files[i]->cache.count; s++)
            bytes += disk->files[i]->cache.items[s].length;
    return bytes;
}

static bool has_space(const struct sim_disk *disk, uint64_t bytes)
{
    return disk->options.capacity == 0 || used(disk) + bytes <= disk->options.capacity;
}

static enum freshet_error do_prepare(struct sim_disk *disk, struct sim_storage *storage)
{
    for (uint32_t i = 0; i < storage->file_count; i++) {
        struct sim_file *file = storage->files[i];
        if (file == NULL || !storage->wanted[i])
            continue;
        create(disk, file);
        if (storage->full_allocation && file->size < storage->lengths[i] &&
            !has_space(disk, storage->lengths[i]))
            return FRESHET_ERROR_NO_SPACE;
        sim_file_set_size(file, storage->lengths[i], disk->clock->now);
    }
    return FRESHET_OK;
}

/* What [at, at+length) of the extent holds in memory. */
static void put_from_blocks(struct sim_disk *disk, const struct extent *extent, uint64_t at,
                            uint64_t length, struct sim_spans *to, uint64_t to_begin)
{
    while (length > 0) {
        uint64_t offset = at % LIMIT_BLOCK_SIZE, part = LIMIT_BLOCK_SIZE - offset;
        if (part > length)
            part = length;
        CHECK(at / LIMIT_BLOCK_SIZE < extent->block_count);
        block_id block = extent->blocks[at / LIMIT_BLOCK_SIZE];
        CHECK(block != BLOCK_NONE);
        sim_spans_put_from(to, to_begin, sim_disk_block(disk, block), offset, part);
        at += part;
        to_begin += part;
        length -= part;
    }
}

static enum freshet_error do_write(struct sim_disk *disk, struct sim_storage *storage,
                                   const struct extent *extent)
{
    if (!has_space(disk, extent->length))
        return FRESHET_ERROR_NO_SPACE;
    uint64_t at = 0;
    struct sim_spans spans = {0};
    for (uint32_t i = 0; i < extent->range_count; i++) {
        const struct file_range *range = &extent->ranges[i];
        uint64_t range_at = at;
        at += range->length;
        if (range->file == FILE_PADDING)
            continue;
        struct sim_file *file = range_file(storage, range);
        CHECK(file != NULL);
        create(disk, file);
        sim_spans_clear(&spans);
        put_from_blocks(disk, extent, range_at, range->length, &spans, 0);
        sim_file_write(file, range->offset, range->length, &spans, disk->clock->now);
    }
    CHECK(at == extent->length);
    sim_spans_deinit(&spans);
    disk->written_bytes += extent->length;
    return FRESHET_OK;
}

/* Appends what a range holds on the disk. Padding continues the torrent's own zeros. */
static bool put_range(const struct sim_storage *storage, const struct file_range *range,
                      struct sim_spans *to, uint64_t at)
{
    if (range->file == FILE_PADDING)
        return true;
    const struct sim_file *file = range_file(storage, range);
    if (file == NULL || !file->exists || file->size < range->offset + range->length)
        return false;
    sim_spans_put_from(to, at, &file->cache, range->offset, range->length);
    return true;
}

/* The whole extent: from memory where it is there, else from the disk. */
static bool gather(struct sim_disk *disk, const struct sim_storage *storage,
                   const struct extent *extent, struct sim_spans *ret_spans)
{
    uint64_t begin = 0;
    for (uint32_t i = 0; i < extent->range_count; i++) {
        struct file_range rest = extent->ranges[i];
        while (rest.length > 0) {
            uint64_t block = begin / LIMIT_BLOCK_SIZE;
            uint64_t part = (block + 1) * LIMIT_BLOCK_SIZE - begin;
            if (part > rest.length)
                part = rest.length;
            bool in_memory = block < extent->block_count && extent->blocks != NULL &&
                             extent->blocks[block] != BLOCK_NONE;
            struct file_range range = {rest.file, (uint32_t)part, rest.offset};
            if (in_memory && rest.file != FILE_PADDING)
                put_from_blocks(disk, extent, begin, part, ret_spans, begin);
            else if (!put_range(storage, &range, ret_spans, begin))
                return false;
            begin += part;
            rest.offset += part;
            rest.length -= (uint32_t)part;
        }
    }
    CHECK(begin == extent->length);
    return true;
}

static enum freshet_error do_hash(struct sim_disk *disk, const struct sim_storage *storage,
                                  const struct disk_job *job)
{
    const struct extent *extent = &job->extent;
    struct sim_spans spans = {0};
    if (!gather(disk, storage, extent, &spans)) {
        sim_spans_deinit(&spans);
        return FRESHET_ERROR_NOT_FOUND;
    }
    disk->hashed_bytes += extent->length;
    if (job->ret_sha1)
        sim_torrent_sha1(disk->torrent, &spans, 0, extent->length, job->ret_sha1);
    uint64_t leaf_length = job->leaf_length ? job->leaf_length : extent->length;
    for (uint64_t at = 0; job->ret_leaves && at < leaf_length; at += LIMIT_BLOCK_SIZE) {
        uint64_t left = leaf_length - at;
        sim_torrent_leaf(disk->torrent, &spans, at,
                         left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE,
                         job->ret_leaves + at / LIMIT_BLOCK_SIZE * 32);
    }
    sim_spans_deinit(&spans);
    return FRESHET_OK;
}

static enum freshet_error do_read(struct sim_disk *disk, const struct sim_storage *storage,
                                  const struct extent *extent)
{
    struct sim_spans spans = {0};
    uint64_t at = 0;
    enum freshet_error error = FRESHET_OK;
    for (uint32_t i = 0; i < extent->range_count; i++) {
        if (!put_range(storage, &extent->ranges[i], &spans, at))
            error = FRESHET_ERROR_NOT_FOUND;
        at += extent->ranges[i].length;
    }
    for (uint64_t begin = 0; error == FRESHET_OK && begin < extent->length;) {
        uint64_t left = extent->length - begin;
        uint64_t part = left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE;
        struct sim_spans *block = sim_disk_block(disk, extent->blocks[begin / LIMIT_BLOCK_SIZE]);
        sim_spans_put_from(block, 0, &spans, begin, part);
        begin += part;
    }
    sim_spans_deinit(&spans);
    return error;
}

static enum freshet_error do_copy(struct sim_disk *disk, const struct sim_storage *storage,
                                  const struct disk_job *job)
{
    CHECK(job->extent.range_count == 1);
    CHECK(job->copy_to.length == job->extent.length);
    if (!has_space(disk, job->extent.length))
        return FRESHET_ERROR_NO_SPACE;
    struct sim_spans spans = {0};
    bool found = put_range(storage, &job->extent.ranges[0], &spans, 0);
    struct sim_file *to = range_file(storage, &job->copy_to);
    CHECK(to != NULL);
    if (found) {
        create(disk, to);
        sim_file_write(to, job->copy_to.offset, job->copy_to.length, &spans, disk->clock->now);
    }
    sim_spans_deinit(&spans);
    return found ? FRESHET_OK : FRESHET_ERROR_NOT_FOUND;
}

static enum freshet_error do_sync(struct sim_disk *disk, struct sim_storage *storage, bool sync_all,
                                  uint32_t *ret_file)
{
    bool fails = disk->fail_syncs > 0;
    enum freshet_error error = FRESHET_OK;
    disk->syncs++;
    for (uint32_t i = 0; i <= storage->file_count; i++) {
        struct sim_file *file = storage_file(storage, i);
        if (file == NULL || !file->dirty || !(file->touched || sync_all))
            continue;
        if (!sim_file_sync(file, fails)) {
            error = FRESHET_ERROR_IO;
            *ret_file = i < storage->file_count ? i : UINT32_MAX;
        }
    }
    if (error) {
        disk->fail_syncs--;
        disk->syncs_failed++;
    }
    return error;
}

static void do_close(struct sim_disk *disk, const struct sim_storage *storage)
{
    for (uint32_t i = 0; i < disk->storage_count; i++) {
        if (disk->storages[i] != storage)
            continue;
        storage_free(disk->storages[i]);
        disk->storages[i] = disk->storages[--disk->storage_count];
        return;
    }
}

static void do_delete(const struct sim_storage *storage)
{
    for (uint32_t i = 0; i <= storage->file_count; i++) {
        struct sim_file *file = storage_file(storage, i);
        if (file && file->ours)
            sim_file_remove(file);
    }
}

enum freshet_error sim_disk_do(struct sim_disk *disk, const struct disk_job *job,
                               uint32_t *ret_file)
{
    *ret_file = UINT32_MAX;
    if (job->operation == DISK_OPEN)
        return do_open(disk, job);
    if (job->operation == DISK_STAT)
        return do_stat(disk, job);
    struct sim_storage *storage = find_storage(disk, job->storage);
    CHECK(storage != NULL);
    bool reads = job->operation == DISK_HASH || job->operation == DISK_READ;
    if (disk->unmounted && job->operation != DISK_CLOSE)
        return reads ? FRESHET_ERROR_NOT_FOUND : FRESHET_ERROR_IO;
    enum freshet_error error = FRESHET_OK;
    switch (job->operation) {
    case DISK_PREPARE: return do_prepare(disk, storage);
    case DISK_READ: return do_read(disk, storage, &job->extent);
    case DISK_WRITE: return do_write(disk, storage, &job->extent);
    case DISK_HASH: return do_hash(disk, storage, job);
    case DISK_SYNC: return do_sync(disk, storage, job->sync_all, ret_file);
    case DISK_COPY: return do_copy(disk, storage, job);
    case DISK_DROP_PARTS:
        if (storage->part_store)
            sim_file_remove(storage->part_store);
        return FRESHET_OK;
    case DISK_DELETE: do_delete(storage); return FRESHET_OK;
    case DISK_CLOSE:
        sync_begin(storage);
        error = do_sync(disk, storage, false, ret_file);
        do_close(disk, storage);
        return error;
    default: CHECK(!"an operation that the door names");
    }
    return FRESHET_ERROR_USAGE;
}

/* --- what else happens to a disk ------------------------------------------------------------ */

bool sim_disk_read(struct sim_disk *disk, storage_id storage, const struct file_range *range,
                   struct sim_spans *ret_spans)
{
    const struct sim_storage *opened = find_storage(disk, storage);
    CHECK(opened != NULL);
    sim_spans_clear(ret_spans);
    return !disk->unmounted && put_range(opened, range, ret_spans, 0);
}

uint64_t sim_disk_linear(const struct sim_disk *disk, storage_id storage,
                         const struct file_range *range)
{
    const struct sim_storage *opened = find_storage(disk, storage);
    if (opened == NULL || range->file >= opened->file_count || opened->files[range->file] == NULL)
        return UINT64_MAX;
    for (uint32_t i = 0; i < disk->torrent->file_count; i++)
        if (strcmp(disk->torrent->files[i].path, opened->files[range->file]->path) == 0)
            return disk->torrent->files[i].offset + range->offset;
    return UINT64_MAX;
}

void sim_disk_crash(struct sim_disk *disk, enum sim_crash crash)
{
    close_all(disk);
    disk->free_at = disk->hash_free_at = 0;
    for (uint32_t i = 0; i < disk->file_count; i++)
        sim_file_crash(disk->files[i], crash, &disk->rng);
}

bool sim_disk_has_piece(const struct sim_disk *disk, uint32_t piece, bool durable)
{
    const struct sim_torrent *torrent = disk->torrent;
    uint64_t begin = (uint64_t)piece * torrent->piece_length;
    uint64_t end = begin + sim_torrent_piece_size(torrent, piece);
    for (uint32_t i = 0; i < torrent->file_count; i++) {
        const struct sim_torrent_file *content = &torrent->files[i];
        uint64_t from = begin > content->offset ? begin : content->offset;
        uint64_t to = content->offset + content->length;
        to = to < end ? to : end;
        if (from >= to)
            continue;
        const struct sim_file *file = find_file(disk, content->path);
        bool found = false;
        if (file && (durable ? file->durable_exists : file->exists))
            found = sim_spans_match(durable ? &file->durable : &file->cache, from - content->offset,
                                    to - from, torrent->source, from);
        for (uint32_t f = 0; f < disk->file_count && !found; f++)
            found = sim_spans_hold(durable ? &disk->files[f]->durable : &disk->files[f]->cache,
                                   torrent->source, from, to - from);
        if (!found)
            return false;
    }
    return true;
}

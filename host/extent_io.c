/* SPDX-License-Identifier: MIT */
#include "host/extent_io.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256_lanes.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define VECTORS_MAX 256u         /* 4 MiB a system call */
#define CHUNK_SIZE  (256u * KIB) /* read and hashed at a time, so that it stays in cache */

/* Block memory behind [begin, begin + length) of the extent, as vectors. Stops at a block that is
 * not in memory. Returns how many bytes the vectors hold. */
static uint32_t extent_vectors(const struct block_memory *pool, const struct extent *extent,
                               uint32_t begin, uint32_t length, struct iovec *vectors,
                               int *ret_count)
{
    uint32_t done = 0;
    int count = 0;

    while (done < length && count < (int)VECTORS_MAX) {
        uint32_t at = begin + done, in_block = at % LIMIT_BLOCK_SIZE;
        block_id block = extent->blocks[at / LIMIT_BLOCK_SIZE];
        uint32_t size = LIMIT_BLOCK_SIZE - in_block;
        if (block == BLOCK_NONE)
            break;
        if (size > length - done)
            size = length - done;
        vectors[count].iov_base = block_memory_at(pool, block) + in_block;
        vectors[count++].iov_len = size;
        done += size;
    }
    *ret_count = count;
    return done;
}

/* Moves vectors forward by `done` bytes. */
static void vectors_advance(struct iovec **vectors, int *count, size_t done)
{
    while (*count > 0 && done >= (*vectors)->iov_len) {
        done -= (*vectors)->iov_len;
        (*vectors)++;
        (*count)--;
    }
    if (*count > 0) {
        (*vectors)->iov_base = (uint8_t *)(*vectors)->iov_base + done;
        (*vectors)->iov_len -= done;
    }
}

static enum freshet_error write_all(int fd, struct iovec *vectors, int count, uint64_t offset)
{
    while (count > 0) {
        ssize_t done = pwritev(fd, vectors, count, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return posix_error_of_file(errno);
        if (done == 0)
            return FRESHET_ERROR_IO;
        offset += (uint64_t)done;
        vectors_advance(&vectors, &count, (size_t)done);
    }
    return FRESHET_OK;
}

static enum freshet_error read_all(int fd, struct iovec *vectors, int count, uint64_t offset)
{
    while (count > 0) {
        ssize_t done = preadv(fd, vectors, count, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return posix_error_of_file(errno);
        if (done == 0)
            return FRESHET_ERROR_NOT_FOUND; /* shorter than it should be */
        offset += (uint64_t)done;
        vectors_advance(&vectors, &count, (size_t)done);
    }
    return FRESHET_OK;
}

static enum freshet_error range_write(int fd, const struct block_memory *pool,
                                      const struct extent *extent, uint32_t begin,
                                      const struct file_range *range)
{
    struct iovec vectors[VECTORS_MAX];
    uint32_t done = 0;
    int count;

    while (done < range->length) {
        uint32_t size =
            extent_vectors(pool, extent, begin + done, range->length - done, vectors, &count);
        if (size == 0) { /* not in memory: nothing to write for this block */
            size = LIMIT_BLOCK_SIZE - (begin + done) % LIMIT_BLOCK_SIZE;
        } else {
            enum freshet_error error = write_all(fd, vectors, count, range->offset + done);
            if (error)
                return error;
        }
        done += size;
    }
    return FRESHET_OK;
}

enum freshet_error extent_io_write(struct storage_files *files, const struct block_memory *pool,
                                   const struct extent *extent, uint32_t *ret_file)
{
    uint32_t begin = 0;

    for (uint32_t i = 0; i < extent->range_count; begin += extent->ranges[i++].length) {
        const struct file_range *range = &extent->ranges[i];
        struct descriptor *descriptor;
        if (range->file == FILE_PADDING || range->length == 0)
            continue;
        *ret_file = range->file;
        enum freshet_error error = storage_files_hold(files, range->file, true, &descriptor);
        if (error)
            return error;
        error = range_write(descriptor->fd, pool, extent, begin, range);
        descriptor_release(descriptor, true);
        if (error)
            return error;
    }
    return FRESHET_OK;
}

/* Zeros [begin, begin + length) of the extent in whatever blocks are in memory. */
static void extent_zero(const struct block_memory *pool, const struct extent *extent,
                        uint32_t begin, uint32_t length)
{
    struct iovec vectors[VECTORS_MAX];
    int count;

    while (length > 0) {
        uint32_t size = extent_vectors(pool, extent, begin, length, vectors, &count);
        for (int i = 0; i < count; i++)
            memset(vectors[i].iov_base, 0, vectors[i].iov_len);
        if (size == 0)
            return;
        begin += size;
        length -= size;
    }
}

static enum freshet_error range_read(int fd, const struct block_memory *pool,
                                     const struct extent *extent, uint32_t begin,
                                     const struct file_range *range)
{
    struct iovec vectors[VECTORS_MAX];
    uint32_t done = 0;
    int count;

    while (done < range->length) {
        uint32_t size =
            extent_vectors(pool, extent, begin + done, range->length - done, vectors, &count);
        enum freshet_error error =
            size ? read_all(fd, vectors, count, range->offset + done) : FRESHET_ERROR_USAGE;
        if (error)
            return error;
        done += size;
    }
    return FRESHET_OK;
}

enum freshet_error extent_io_read(struct storage_files *files, const struct block_memory *pool,
                                  const struct extent *extent, uint32_t *ret_file)
{
    uint32_t begin = 0;

    for (uint32_t i = 0; i < extent->range_count; begin += extent->ranges[i++].length) {
        const struct file_range *range = &extent->ranges[i];
        struct descriptor *descriptor;
        if (range->file == FILE_PADDING) {
            extent_zero(pool, extent, begin, range->length);
            continue;
        }
        *ret_file = range->file;
        enum freshet_error error = storage_files_hold(files, range->file, false, &descriptor);
        if (error)
            return error;
        error = range_read(descriptor->fd, pool, extent, begin, range);
        descriptor_release(descriptor, false);
        if (error)
            return error;
    }
    return FRESHET_OK;
}

/* Reads [begin, begin + length) of the extent's files into `to`; padding comes as zeros. */
static enum freshet_error ranges_read(struct storage_files *files, const struct extent *extent,
                                      uint32_t begin, uint32_t length, uint8_t *to,
                                      uint32_t *ret_file)
{
    uint32_t start = 0;

    for (uint32_t i = 0; i < extent->range_count && length > 0; i++) {
        const struct file_range *range = &extent->ranges[i];
        uint32_t end = start + range->length;
        if (begin < end) {
            uint32_t skip = begin - start;
            uint32_t size = range->length - skip < length ? range->length - skip : length;
            if (range->file == FILE_PADDING) {
                memset(to, 0, size);
            } else {
                struct descriptor *descriptor;
                struct iovec vector = {to, size};
                *ret_file = range->file;
                enum freshet_error error =
                    storage_files_hold(files, range->file, false, &descriptor);
                if (error)
                    return error;
                error = read_all(descriptor->fd, &vector, 1, range->offset + skip);
                descriptor_release(descriptor, false);
                if (error)
                    return error;
            }
            to += size;
            begin += size;
            length -= size;
        }
        start = end;
    }
    return FRESHET_OK;
}

enum freshet_error extent_io_gather(struct storage_files *files, const struct file_range *ranges,
                                    uint32_t range_count, uint8_t *to)
{
    struct extent extent = {.ranges = ranges, .range_count = range_count};
    uint32_t length = 0, file;

    for (uint32_t i = 0; i < range_count; i++)
        length += ranges[i].length;
    return ranges_read(files, &extent, 0, length, to, &file);
}

/* Does padding touch [begin, begin + length)? Then the block's own bytes there do not count. */
static bool extent_is_padded(const struct extent *extent, uint32_t begin, uint32_t length)
{
    uint32_t start = 0;

    for (uint32_t i = 0; i < extent->range_count && start < begin + length;
         start += extent->ranges[i++].length)
        if (extent->ranges[i].file == FILE_PADDING && begin < start + extent->ranges[i].length)
            return true;
    return false;
}

static void extent_zero_padding(const struct extent *extent, uint32_t begin, uint32_t length,
                                uint8_t *bytes)
{
    uint32_t start = 0;

    for (uint32_t i = 0; i < extent->range_count && start < begin + length;
         start += extent->ranges[i++].length) {
        uint32_t end = start + extent->ranges[i].length;
        uint32_t from = start > begin ? start : begin;
        uint32_t to = end < begin + length ? end : begin + length;
        if (extent->ranges[i].file == FILE_PADDING && from < to)
            memset(bytes + (from - begin), 0, to - from);
    }
}

/* Leaves the ranges behind that end at or before `begin`; *start is where the first one begins. A
 * piece may have as many ranges as bytes: each is passed once, not once for each block. */
static void extent_pass(struct extent *rest, uint32_t *start, uint32_t begin)
{
    while (rest->range_count > 0 && *start + rest->ranges->length <= begin) {
        *start += rest->ranges->length;
        rest->ranges++;
        rest->range_count--;
    }
}

struct hash_state {
    const struct disk_job *job;
    struct sha1 sha1;
    uint32_t leaf_length;
    /* Whole leaves, one after another, that wait until there is one for each lane. */
    uint32_t lanes;
    uint32_t waiting, waiting_first;
    const uint8_t *waiting_bytes[LANE_WIDTH_MAX];
};

static pthread_once_t lanes_once = PTHREAD_ONCE_INIT;
static uint32_t lanes_detected;

static void detect_lanes(void)
{
    lanes_detected = lane_width_detect();
}

static uint8_t *hash_leaf_at(const struct hash_state *state, uint32_t leaf)
{
    return state->job->ret_leaves + (size_t)leaf * SHA256_SIZE;
}

/* Before the bytes that wait may change: digests all that wait. */
static void hash_flush(struct hash_state *state)
{
    if (state->waiting == 0)
        return;
    uint8_t *leaves = hash_leaf_at(state, state->waiting_first);
    if (state->waiting == LANE_WIDTH_MAX)
        sha256_lanes_of(state->waiting_bytes, LIMIT_BLOCK_SIZE, leaves);
    else
        for (uint32_t i = 0; i < state->waiting; i++)
            sha256_of(state->waiting_bytes[i], LIMIT_BLOCK_SIZE, leaves + (size_t)i * SHA256_SIZE);
    state->waiting = 0;
}

static void hash_leaf(struct hash_state *state, uint32_t leaf, const uint8_t *bytes, uint32_t size)
{
    if (size < LIMIT_BLOCK_SIZE || state->lanes < LANE_WIDTH_MAX) {
        sha256_of(bytes, size, hash_leaf_at(state, leaf));
        return;
    }
    if (state->waiting == 0)
        state->waiting_first = leaf;
    state->waiting_bytes[state->waiting++] = bytes;
    if (state->waiting == LANE_WIDTH_MAX)
        hash_flush(state);
}

/* Bytes [begin, begin + length) come: whole blocks, but for the last of the extent. */
static void hash_bytes(struct hash_state *state, uint32_t begin, const uint8_t *bytes,
                       uint32_t length)
{
    if (state->job->ret_sha1)
        sha1_update(&state->sha1, bytes, length);
    if (!state->job->ret_leaves)
        return;
    for (uint32_t done = 0; done < length && begin + done < state->leaf_length;
         done += LIMIT_BLOCK_SIZE) {
        uint32_t size = length - done < LIMIT_BLOCK_SIZE ? length - done : LIMIT_BLOCK_SIZE;
        uint32_t counts = state->leaf_length - begin - done;
        hash_leaf(state, (begin + done) / LIMIT_BLOCK_SIZE, bytes + done,
                  size < counts ? size : counts);
    }
}

/* From `begin`, how many bytes are not in memory, CHUNK_SIZE at most. */
static uint32_t extent_absent(const struct extent *extent, uint32_t begin)
{
    uint32_t length = 0;

    while (begin + length < extent->length && length < CHUNK_SIZE &&
           extent->blocks[(begin + length) / LIMIT_BLOCK_SIZE] == BLOCK_NONE)
        length += LIMIT_BLOCK_SIZE;
    return length < extent->length - begin ? length : extent->length - begin;
}

/* Nothing of the extent is in memory, and nothing of it was ever written. */
static bool extent_is_hole(struct storage_files *files, const struct extent *extent)
{
    for (uint32_t i = 0; i < extent->block_count; i++)
        if (extent->blocks[i] != BLOCK_NONE)
            return false;
    for (uint32_t i = 0; i < extent->range_count; i++) {
        const struct file_range *range = &extent->ranges[i];
        struct descriptor *descriptor;
        if (range->file == FILE_PADDING || range->length == 0)
            continue;
        if (storage_files_hold(files, range->file, false, &descriptor))
            return false;
        bool hole = zero_piece_is_hole(descriptor->fd, range->offset, range->length);
        descriptor_release(descriptor, false);
        if (!hole)
            return false;
    }
    return true;
}

enum freshet_error extent_io_hash(struct storage_files *files, const struct block_memory *pool,
                                  const struct disk_job *job, uint32_t *ret_file)
{
    const struct extent *extent = &job->extent;
    struct hash_state state = {.job = job,
                               .leaf_length = job->leaf_length ? job->leaf_length : extent->length};
    struct extent rest = *extent;
    uint32_t start = 0;
    uint8_t *chunk = NULL;
    enum freshet_error error = FRESHET_OK;

    if (files && extent_is_hole(files, extent)) {
        zero_piece_hash(storage_files_zero_piece(files), job);
        return FRESHET_OK;
    }
    pthread_once(&lanes_once, detect_lanes);
    state.lanes = lanes_detected;
    sha1_init(&state.sha1);
    for (uint32_t begin = 0; begin < extent->length;) {
        uint32_t size = extent_absent(extent, begin);
        const uint8_t *bytes;
        extent_pass(&rest, &start, begin);
        if (size == 0) {
            size = extent->length - begin < LIMIT_BLOCK_SIZE ? extent->length - begin
                                                             : LIMIT_BLOCK_SIZE;
            bytes = block_memory_at(pool, extent->blocks[begin / LIMIT_BLOCK_SIZE]);
            if (extent_is_padded(&rest, begin - start, size)) {
                hash_flush(&state);
                chunk = chunk ? chunk : memory_new(CHUNK_SIZE);
                memcpy(chunk, bytes, size);
                extent_zero_padding(&rest, begin - start, size, chunk);
                bytes = chunk;
            }
        } else {
            hash_flush(&state);
            chunk = chunk ? chunk : memory_new(CHUNK_SIZE);
            bytes = chunk;
            error = files ? ranges_read(files, &rest, begin - start, size, chunk, ret_file)
                          : FRESHET_ERROR_NOT_FOUND;
            if (error)
                break;
        }
        hash_bytes(&state, begin, bytes, size);
        begin += size;
    }
    hash_flush(&state);
    memory_free(chunk);
    if (!error && job->ret_sha1)
        sha1_final(&state.sha1, job->ret_sha1);
    return error;
}

enum freshet_error extent_io_warm(const struct held_range *ranges, uint32_t range_count)
{
    uint8_t *scratch = memory_new(CHUNK_SIZE);
    enum freshet_error error = FRESHET_OK;

    for (uint32_t i = 0; i < range_count && !error; i++) {
        const struct held_range *range = &ranges[i];
        if (!range->descriptor)
            continue;
        /* What follows is likely asked for next. */
        readahead(range->descriptor->fd, (off_t)range->offset, MIB);
        for (uint32_t done = 0; done < range->length && !error;) {
            uint32_t left = range->length - done;
            struct iovec vector = {scratch, left < CHUNK_SIZE ? left : CHUNK_SIZE};
            done += (uint32_t)vector.iov_len;
            error = read_all(range->descriptor->fd, &vector, 1,
                             range->offset + done - (uint32_t)vector.iov_len);
        }
    }
    memory_free(scratch);
    return error;
}

static enum freshet_error copy_all(int from, uint64_t from_offset, int to, uint64_t to_offset,
                                   uint32_t length, uint8_t *chunk)
{
    for (uint32_t done = 0; done < length;) {
        uint32_t size = length - done < CHUNK_SIZE ? length - done : CHUNK_SIZE;
        struct iovec in = {chunk, size}, out = {chunk, size};
        enum freshet_error error = read_all(from, &in, 1, from_offset + done);
        if (!error)
            error = write_all(to, &out, 1, to_offset + done);
        if (error)
            return error;
        done += size;
    }
    return FRESHET_OK;
}

enum freshet_error extent_io_copy(struct storage_files *files, const struct file_range *from,
                                  const struct file_range *to, uint32_t *ret_file)
{
    struct descriptor *source, *target;

    *ret_file = from->file;
    enum freshet_error error = storage_files_hold(files, from->file, false, &source);
    if (error)
        return error;
    *ret_file = to->file;
    error = storage_files_hold(files, to->file, true, &target);
    if (!error) {
        uint8_t *chunk = memory_new(CHUNK_SIZE);
        error = copy_all(source->fd, from->offset, target->fd, to->offset, from->length, chunk);
        memory_free(chunk);
        descriptor_release(target, true);
    }
    descriptor_release(source, false);
    return error;
}

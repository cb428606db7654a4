/* SPDX-License-Identifier: MIT */
#include "cli/piece_hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "core/base/memory.h"
#include "core/crypto/sha1_lanes.h"
#include "core/crypto/sha256_lanes.h"
#include "host/beneath.h"
#include "host/posix_error.h"

#define CHUNK_SIZE (1024u * 1024) /* read and hashed while it is in the cache; whole blocks */

/* Of each of the pieces that are hashed in lanes. */
#define SLICE_SIZE (CHUNK_SIZE / LANE_WIDTH_MAX)

_Static_assert(SLICE_SIZE % LIMIT_BLOCK_SIZE == 0, "a block never straddles two slices");
_Static_assert(CHUNK_SIZE % LIMIT_BLOCK_SIZE == 0, "a block never straddles two chunks");

struct hashing {
    const struct piece_hasher_options *options;
    uint32_t lanes; /* of lane_width_detect */
    atomic_uint_fast32_t next_piece;
    atomic_bool stopped;
    pthread_mutex_t lock; /* around options->done */
};

struct thread_state {
    struct hashing *hashing;
    uint8_t *chunk;
    uint8_t *leaves; /* of one piece, or of one for each lane */
    size_t leaves_size;
    struct file_range *ranges;
    uint32_t range_capacity;
    int fd; /* the file that was read last; -1: none */
    file_index fd_file;
};

unsigned piece_hasher_threads(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online < 1)
        return 1;
    return online > PIECE_HASHER_THREADS_MAX ? PIECE_HASHER_THREADS_MAX : (unsigned)online;
}

static enum freshet_error open_file(struct thread_state *state, file_index file)
{
    const struct piece_hasher_options *options = state->hashing->options;
    if (state->fd >= 0 && state->fd_file == file)
        return FRESHET_OK;
    if (state->fd >= 0)
        close(state->fd);
    state->fd = -1;
    enum freshet_error error =
        beneath_open(options->root, options->paths[file], O_RDONLY | O_NONBLOCK, 0, &state->fd);
    if (error != FRESHET_OK)
        return error;
    state->fd_file = file;
    posix_fadvise(state->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return FRESHET_OK;
}

static enum freshet_error read_range(struct thread_state *state, const struct file_range *range,
                                     uint8_t *to)
{
    if (range->file == FILE_PADDING) {
        memset(to, 0, range->length);
        return FRESHET_OK;
    }
    enum freshet_error error = open_file(state, range->file);
    if (error != FRESHET_OK)
        return error;
    for (uint32_t read = 0; read < range->length;) {
        ssize_t got =
            pread(state->fd, to + read, range->length - read, (off_t)(range->offset + read));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return posix_error_of_file(errno);
        if (got == 0)
            return FRESHET_ERROR_NOT_FOUND;
        read += (uint32_t)got;
    }
    return FRESHET_OK;
}

static enum freshet_error read_chunk(struct thread_state *state, piece_index piece, uint32_t begin,
                                     uint32_t length, uint8_t *to, file_index *ret_file)
{
    const struct geometry *geometry = state->hashing->options->geometry;
    uint32_t count =
        geometry_ranges(geometry, piece, begin, length, state->ranges, state->range_capacity);
    if (count > state->range_capacity) {
        state->ranges = memory_resize_array(state->ranges, count, sizeof state->ranges[0]);
        state->range_capacity = count;
        geometry_ranges(geometry, piece, begin, length, state->ranges, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        enum freshet_error error = read_range(state, &state->ranges[i], to);
        if (error != FRESHET_OK) {
            *ret_file = state->ranges[i].file;
            return error;
        }
        to += state->ranges[i].length;
    }
    return FRESHET_OK;
}

/* Leaves of the blocks in the chunk, as far as it is payload. */
static void hash_leaves(struct thread_state *state, uint32_t begin, uint32_t payload_end)
{
    uint32_t end = payload_end > begin ? payload_end - begin : 0;
    if (end > CHUNK_SIZE)
        end = CHUNK_SIZE;
    uint32_t whole = end / LIMIT_BLOCK_SIZE, rest = end % LIMIT_BLOCK_SIZE;
    uint8_t *leaves = state->leaves + (size_t)(begin / LIMIT_BLOCK_SIZE) * SHA256_SIZE;
    sha256_lanes_blocks(state->hashing->lanes, state->chunk, LIMIT_BLOCK_SIZE, whole, leaves);
    if (rest)
        sha256_of(state->chunk + (size_t)whole * LIMIT_BLOCK_SIZE, rest,
                  leaves + (size_t)whole * SHA256_SIZE);
}

static void hash_piece(struct thread_state *state, piece_index piece, uint8_t digest[SHA1_SIZE],
                       struct piece_hasher_result *result)
{
    const struct piece_hasher_options *options = state->hashing->options;
    uint32_t size = geometry_piece_size(options->geometry, piece);
    uint32_t payload = geometry_piece_payload(options->geometry, piece);
    struct sha1 sha1;
    sha1_init(&sha1);
    for (uint32_t begin = 0; begin < size && result->error == FRESHET_OK; begin += CHUNK_SIZE) {
        uint32_t length = size - begin < CHUNK_SIZE ? size - begin : CHUNK_SIZE;
        result->error = read_chunk(state, piece, begin, length, state->chunk, &result->file);
        if (result->error != FRESHET_OK)
            return;
        if (options->want_sha1)
            sha1_update(&sha1, state->chunk, length);
        if (options->want_leaves)
            hash_leaves(state, begin, payload);
    }
    sha1_final(&sha1, digest);
    result->sha1 = digest;
    result->leaves = state->leaves;
    result->leaf_count = geometry_piece_blocks(options->geometry, piece);
}

/* Sixteen pieces from `first` on that are whole and without padding? */
static bool is_group(const struct hashing *hashing, uint_fast32_t first)
{
    const struct geometry *geometry = hashing->options->geometry;
    if (hashing->lanes != LANE_WIDTH_MAX || !hashing->options->want_sha1 ||
        geometry->piece_length % 64 != 0 || geometry->piece_count - first < LANE_WIDTH_MAX)
        return false;
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
        piece_index piece = (piece_index)(first + lane);
        if (geometry_piece_payload(geometry, piece) != geometry->piece_length)
            return false;
    }
    return true;
}

/* Leaves of one slice of each piece. */
static void hash_slice_leaves(struct thread_state *state, uint32_t begin, uint32_t length)
{
    for (uint32_t at = 0; at < length; at += LIMIT_BLOCK_SIZE) {
        const uint8_t *blocks[LANE_WIDTH_MAX];
        uint8_t digests[LANE_WIDTH_MAX * SHA256_SIZE];
        uint32_t size = length - at < LIMIT_BLOCK_SIZE ? length - at : LIMIT_BLOCK_SIZE;
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            blocks[lane] = state->chunk + lane * SLICE_SIZE + at;
        sha256_lanes_of(blocks, size, digests);
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
            memcpy(state->leaves + lane * state->leaves_size +
                       (size_t)((begin + at) / LIMIT_BLOCK_SIZE) * SHA256_SIZE,
                   digests + lane * SHA256_SIZE, SHA256_SIZE);
    }
}

/* Hashes sixteen pieces side by side; false: one of them can't be read, so that they are better
 * looked at one by one. */
static bool hash_group(struct thread_state *state, piece_index first,
                       uint8_t digests[LANE_WIDTH_MAX * SHA1_SIZE])
{
    const struct piece_hasher_options *options = state->hashing->options;
    const uint8_t *slices[LANE_WIDTH_MAX];
    struct sha1_lanes lanes;
    sha1_lanes_init(&lanes);
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++)
        slices[lane] = state->chunk + lane * SLICE_SIZE;
    uint32_t size = options->geometry->piece_length;
    for (uint32_t begin = 0; begin < size; begin += SLICE_SIZE) {
        uint32_t length = size - begin < SLICE_SIZE ? size - begin : SLICE_SIZE;
        for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
            file_index file;
            if (read_chunk(state, first + lane, begin, length, state->chunk + lane * SLICE_SIZE,
                           &file) != FRESHET_OK)
                return false;
        }
        sha1_lanes_update(&lanes, slices, length);
        if (options->want_leaves)
            hash_slice_leaves(state, begin, length);
    }
    sha1_lanes_final(&lanes, digests);
    return true;
}

static void tell(struct hashing *hashing, const struct piece_hasher_result *result)
{
    const struct piece_hasher_options *options = hashing->options;
    pthread_mutex_lock(&hashing->lock);
    if (!atomic_load(&hashing->stopped) && !options->done(options->context, result))
        atomic_store(&hashing->stopped, true);
    pthread_mutex_unlock(&hashing->lock);
}

static void run_one_by_one(struct thread_state *state, uint_fast32_t first, uint_fast32_t end)
{
    for (; first < end && !atomic_load(&state->hashing->stopped); first++) {
        uint8_t digest[SHA1_SIZE];
        struct piece_hasher_result result = {.piece = (piece_index)first};
        hash_piece(state, (piece_index)first, digest, &result);
        tell(state->hashing, &result);
    }
}

static void run_group(struct thread_state *state, piece_index first)
{
    uint8_t digests[LANE_WIDTH_MAX * SHA1_SIZE];
    if (!hash_group(state, first, digests)) {
        run_one_by_one(state, first, first + LANE_WIDTH_MAX);
        return;
    }
    for (uint32_t lane = 0; lane < LANE_WIDTH_MAX; lane++) {
        struct piece_hasher_result result = {
            .piece = first + lane,
            .sha1 = digests + lane * SHA1_SIZE,
            .leaves = state->leaves + lane * state->leaves_size,
            .leaf_count = geometry_piece_blocks(state->hashing->options->geometry, first + lane),
        };
        tell(state->hashing, &result);
    }
}

static void run_thread(struct thread_state *state)
{
    struct hashing *hashing = state->hashing;
    uint_fast32_t count = hashing->options->geometry->piece_count;
    while (!atomic_load(&hashing->stopped)) {
        uint_fast32_t first = atomic_fetch_add(&hashing->next_piece, hashing->lanes);
        if (first >= count)
            return;
        if (is_group(hashing, first))
            run_group(state, (piece_index)first);
        else
            run_one_by_one(state, first,
                           count - first < hashing->lanes ? count : first + hashing->lanes);
    }
}

static void *thread_main(void *argument)
{
    struct thread_state state = {.hashing = argument, .fd = -1};
    const struct geometry *geometry = state.hashing->options->geometry;
    size_t blocks = (geometry->piece_length - 1) / LIMIT_BLOCK_SIZE + 1;
    state.chunk = memory_new(CHUNK_SIZE);
    state.leaves_size = state.hashing->options->want_leaves ? blocks * SHA256_SIZE : 0;
    state.leaves = memory_new_array(state.hashing->lanes, state.leaves_size);
    run_thread(&state);
    if (state.fd >= 0)
        close(state.fd);
    memory_free(state.chunk);
    memory_free(state.leaves);
    memory_free(state.ranges);
    return NULL;
}

enum freshet_error piece_hasher_run(const struct piece_hasher_options *options)
{
    struct hashing hashing = {.options = options, .lanes = lane_width_detect()};
    pthread_t threads[PIECE_HASHER_THREADS_MAX];
    unsigned wanted = options->threads;
    if (wanted > options->geometry->piece_count)
        wanted = options->geometry->piece_count;
    /* Few large pieces are better spread over the threads than over the lanes. */
    if (options->geometry->piece_count < wanted * LANE_WIDTH_MAX)
        hashing.lanes = 1;
    pthread_mutex_init(&hashing.lock, NULL);
    unsigned started = 0;
    while (started < wanted && pthread_create(&threads[started], NULL, thread_main, &hashing) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&hashing.lock);
    return started ? FRESHET_OK : FRESHET_ERROR_MEMORY;
}

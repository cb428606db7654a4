/* SPDX-License-Identifier: MIT */
#include "host/payload_copy.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK MIB /* between two looks at `cancelled` */

static enum freshet_error write_all(int fd, const uint8_t *bytes, size_t length, off_t at)
{
    while (length > 0) {
        ssize_t written = pwrite(fd, bytes, length, at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return posix_error_of_file(errno);
        bytes += written;
        length -= (size_t)written;
        at += written;
    }
    return FRESHET_OK;
}

/* Up to `length` bytes; *ret_got is less only at the end of the file. */
static enum freshet_error read_some(int fd, uint8_t *bytes, size_t length, off_t at,
                                    size_t *ret_got)
{
    *ret_got = 0;
    while (*ret_got < length) {
        ssize_t got = pread(fd, bytes + *ret_got, length - *ret_got, at + (off_t)*ret_got);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return posix_error_of_file(errno);
        if (got == 0)
            break;
        *ret_got += (size_t)got;
    }
    return FRESHET_OK;
}

/* One chunk, by the kernel where it can. `buffer` holds CHUNK bytes. */
static enum freshet_error copy_bytes(const struct payload_copy *copy, off_t at, size_t length,
                                     uint8_t *buffer, size_t *ret_copied)
{
    off_t in = at, out = at;
    ssize_t copied;
    do
        copied = copy_file_range(copy->from, &in, copy->to, &out, length, 0);
    while (copied < 0 && errno == EINTR);
    if (copied > 0) {
        *ret_copied = (size_t)copied;
        return FRESHET_OK;
    }
    if (copied < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
        return posix_error_of_file(errno);
    /* Not between these two file systems; or it says that there is nothing, as some do. */
    enum freshet_error error = read_some(copy->from, buffer, length, at, ret_copied);
    return error ? error : write_all(copy->to, buffer, *ret_copied, at);
}

/* What the state has given of its reserve is no room for a copy. */
static enum freshet_error copy_chunk(const struct payload_copy *copy, off_t at, size_t length,
                                     uint8_t *buffer, size_t *ret_copied)
{
    struct stat to;
    if (!copy->reserve)
        return copy_bytes(copy, at, length, buffer, ret_copied);
    if (fstat(copy->to, &to) != 0)
        return posix_error_of_file(errno);
    if (!state_reserve_enter(copy->reserve, to.st_dev))
        return FRESHET_ERROR_NO_SPACE;
    enum freshet_error error = copy_bytes(copy, at, length, buffer, ret_copied);
    state_reserve_leave(copy->reserve);
    return error;
}

static enum freshet_error copy_stretch(const struct payload_copy *copy, off_t at, off_t end,
                                       uint8_t *buffer)
{
    while (at < end) {
        size_t length = end - at < (off_t)CHUNK ? (size_t)(end - at) : CHUNK, copied;
        if (atomic_load(copy->cancelled))
            return FRESHET_ERROR_CANCELLED;
        enum freshet_error error = copy_chunk(copy, at, length, buffer, &copied);
        if (error)
            return error;
        if (copied == 0)
            return FRESHET_ERROR_IO; /* somebody cut it short meanwhile */
        at += (off_t)copied;
        if (copy->bytes_done)
            atomic_fetch_add(copy->bytes_done, copied);
    }
    return FRESHET_OK;
}

/* The stretches that hold data; all of it where the file system does not tell. */
static enum freshet_error copy_data(const struct payload_copy *copy, off_t size, uint8_t *buffer)
{
    off_t at = 0;
    while (at < size) {
        off_t data = lseek(copy->from, at, SEEK_DATA), hole = size;
        if (data >= 0)
            hole = lseek(copy->from, data, SEEK_HOLE);
        else
            data = errno == ENXIO ? size : at; /* a hole up to the end */
        if (data > size || hole < data || hole > size)
            return FRESHET_ERROR_IO; /* it changes under our hands */
        if (copy->bytes_done)
            atomic_fetch_add(copy->bytes_done, (uint64_t)(data - at));
        enum freshet_error error = copy_stretch(copy, data, hole, buffer);
        if (error)
            return error;
        at = hole;
    }
    return FRESHET_OK;
}

static enum freshet_error compare(const struct payload_copy *copy, uint8_t *buffer, bool *ret_equal)
{
    uint8_t *other = buffer + CHUNK / 2;
    off_t at = 0;
    *ret_equal = false;
    for (;;) {
        size_t got, got_other;
        if (atomic_load(copy->cancelled))
            return FRESHET_ERROR_CANCELLED;
        enum freshet_error error = read_some(copy->from, buffer, CHUNK / 2, at, &got);
        if (!error)
            error = read_some(copy->to, other, CHUNK / 2, at, &got_other);
        if (error)
            return error;
        if (got != got_other || memcmp(buffer, other, got) != 0)
            return FRESHET_OK;
        if (got == 0) {
            *ret_equal = true;
            return FRESHET_OK;
        }
        at += (off_t)got;
    }
}

enum freshet_error payload_copy_compare(const struct payload_copy *copy, bool *ret_equal)
{
    struct stat from, to;
    *ret_equal = false;
    if (fstat(copy->from, &from) != 0 || fstat(copy->to, &to) != 0)
        return posix_error_of_file(errno);
    if (from.st_size != to.st_size)
        return FRESHET_OK;
    uint8_t *buffer = memory_new(CHUNK);
    enum freshet_error error = compare(copy, buffer, ret_equal);
    memory_free(buffer);
    return error;
}

static enum freshet_error finish(const struct payload_copy *copy, const struct stat *from)
{
    struct timespec times[2] = {from->st_atim, from->st_mtim};
    if (fchmod(copy->to, from->st_mode & 0777) != 0 && errno != EPERM && errno != EOPNOTSUPP)
        return posix_error_of_file(errno);
    if (futimens(copy->to, times) != 0 && errno != EPERM)
        return posix_error_of_file(errno);
    if (fsync(copy->to) != 0)
        return posix_error_of_file(errno);
    /* What is read back now comes from the disk, where the system can be asked for that. */
    posix_fadvise(copy->to, 0, 0, POSIX_FADV_DONTNEED);
    return FRESHET_OK;
}

enum freshet_error payload_copy_run(const struct payload_copy *copy)
{
    struct stat from;
    bool equal = false;
    if (fstat(copy->from, &from) != 0 || ftruncate(copy->to, from.st_size) != 0)
        return posix_error_of_file(errno);
    uint8_t *buffer = memory_new(CHUNK);
    enum freshet_error error = copy_data(copy, from.st_size, buffer);
    if (!error)
        error = finish(copy, &from);
    if (!error)
        error = compare(copy, buffer, &equal);
    memory_free(buffer);
    if (!error && !equal)
        error = FRESHET_ERROR_HASH;
    return error;
}

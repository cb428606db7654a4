/* SPDX-License-Identifier: MIT */
#include "host/zero_piece.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/crypto/sha256.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void zero_piece_init(struct zero_piece *zero)
{
    memset(zero, 0, sizeof *zero);
    CHECK(pthread_mutex_init(&zero->lock, NULL) == 0);
}

void zero_piece_deinit(struct zero_piece *zero)
{
    pthread_mutex_destroy(&zero->lock);
}

bool zero_piece_is_hole(int fd, uint64_t offset, uint32_t length)
{
    struct stat stat;
    off_t data = lseek(fd, (off_t)offset, SEEK_DATA);

    if (data < 0 ? errno != ENXIO : (uint64_t)data < offset + length)
        return false;
    return fstat(fd, &stat) == 0 && (uint64_t)stat.st_size >= offset + length;
}

static void sha1_of_zeros(uint32_t length, const uint8_t *zeros, uint8_t *ret_sha1)
{
    struct sha1 sha1;

    sha1_init(&sha1);
    for (uint32_t done = 0; done < length;) {
        uint32_t size = length - done < LIMIT_BLOCK_SIZE ? length - done : LIMIT_BLOCK_SIZE;
        sha1_update(&sha1, zeros, size);
        done += size;
    }
    sha1_final(&sha1, ret_sha1);
}

static void zero_piece_sha1(struct zero_piece *zero, uint32_t length, const uint8_t *zeros,
                            uint8_t *ret_sha1)
{
    pthread_mutex_lock(&zero->lock);
    if (zero->length != length) {
        sha1_of_zeros(length, zeros, zero->sha1);
        zero->length = length;
    }
    memcpy(ret_sha1, zero->sha1, SHA1_SIZE);
    pthread_mutex_unlock(&zero->lock);
}

void zero_piece_hash(struct zero_piece *zero, const struct disk_job *job)
{
    uint8_t *zeros = memory_new(LIMIT_BLOCK_SIZE);
    uint32_t leaves = job->leaf_length ? job->leaf_length : job->extent.length;
    uint8_t leaf[SHA256_SIZE];

    if (job->ret_sha1)
        zero_piece_sha1(zero, job->extent.length, zeros, job->ret_sha1);
    if (job->ret_leaves)
        sha256_of(zeros, LIMIT_BLOCK_SIZE, leaf);
    for (uint32_t at = 0; job->ret_leaves && at < leaves; at += LIMIT_BLOCK_SIZE) {
        uint8_t *ret_leaf = job->ret_leaves + (size_t)(at / LIMIT_BLOCK_SIZE) * SHA256_SIZE;
        if (leaves - at < LIMIT_BLOCK_SIZE)
            sha256_of(zeros, leaves - at, ret_leaf);
        else
            memcpy(ret_leaf, leaf, SHA256_SIZE);
    }
    memory_free(zeros);
}

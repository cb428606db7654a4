/* SPDX-License-Identifier: MIT */
/*
 * Pieces that lie wholly in a hole: bytes that were never written, which read as zeros. A check of
 * a large file that has hardly begun finds almost nothing else, so their digests are remembered
 * instead of being computed from gigabytes of zeros. Safe between threads.
 */
#ifndef FRESHET_HOST_ZERO_PIECE_H
#define FRESHET_HOST_ZERO_PIECE_H

#include "core/crypto/sha1.h"
#include "core/door/door.h"

#include <pthread.h>

struct zero_piece {
    pthread_mutex_t lock;
    uint32_t length; /* whose SHA-1 is known, 0: none */
    uint8_t sha1[SHA1_SIZE];
};

void zero_piece_init(struct zero_piece *zero);
void zero_piece_deinit(struct zero_piece *zero);
/* Do these bytes of an open file exist, and is none of them written? False when in doubt. */
bool zero_piece_is_hole(int fd, uint64_t offset, uint32_t length);
/* The digests of a DISK_HASH over zeros alone. */
void zero_piece_hash(struct zero_piece *zero, const struct disk_job *job);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Reads and hashes the pieces of files on the disk with several threads, for create and verify: the
 * SHA-1 of each piece, the SHA-256 of each of its blocks, or both. Memory is a few buffers a
 * thread, however large a piece is. Files are opened below the root, never through symlinks.
 */
#ifndef FRESHET_CLI_PIECE_HASHER_H
#define FRESHET_CLI_PIECE_HASHER_H

#include "core/base/error.h"
#include "core/metainfo/geometry.h"

#define PIECE_HASHER_THREADS_MAX 64

struct piece_hasher_result {
    piece_index piece;
    enum freshet_error error; /* NOT_FOUND: a file is missing or too short; IO, PERMISSION ... */
    file_index file;          /* the file that the error is about */
    const uint8_t *sha1;      /* 20 bytes */
    const uint8_t *leaves;    /* 32 bytes a block of payload */
    uint32_t leaf_count;
};

struct piece_hasher_options {
    const struct geometry *geometry;
    int root;                 /* open folder */
    const char *const *paths; /* below the root, one for each file of the geometry */
    bool want_sha1, want_leaves;
    unsigned threads; /* 1 to PIECE_HASHER_THREADS_MAX */
    /* Called once for each piece, in any order, never twice at once. Returns false to stop. */
    bool (*done)(void *context, const struct piece_hasher_result *result);
    void *context;
};

/* Returns when all pieces are done or `done` said stop. FRESHET_ERROR_MEMORY: no thread. */
enum freshet_error piece_hasher_run(const struct piece_hasher_options *options);
/* How many threads suit this machine. */
unsigned piece_hasher_threads(void);

#endif

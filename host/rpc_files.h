/* SPDX-License-Identifier: MIT */
/*
 * What the RPC's HTTP server needs of whoever has the torrents, to answer GET /stream/ID/FILE: a
 * reader of one file, which waits for what is not verified yet. All on the loop's thread.
 */
#ifndef FRESHET_HOST_RPC_FILES_H
#define FRESHET_HOST_RPC_FILES_H

#include "core/swarm/torrent.h"

#include <stddef.h>

#define RPC_FILES_READ ((size_t)256 * 1024)

struct rpc_reader;

struct rpc_file {
    uint64_t length;
    char name[LIMIT_PATH_ELEMENT + 1];
    char tag[96]; /* an entity tag, quotes included: the bytes never change */
};

/* Borrowed until the next read or the end. length 0: the torrent has stopped or gone, or its disk
 * could not be read; nothing more will come. */
typedef void rpc_reader_done(void *context, const uint8_t *bytes, size_t length);

struct rpc_files {
    /* 0, or an HTTP status and words for a person: no such torrent or file, it does not run, or too
     * many read already. `ret_reader` NULL: it is only to be described. */
    unsigned (*open)(void *context, torrent_id id, uint32_t file, struct rpc_file *ret_file,
                     struct rpc_reader **ret_reader, const char **ret_text);
    /* Some bytes from `offset` on, at most RPC_FILES_READ of them and `most`; one at a time. `done`
     * is never called from within. */
    void (*read)(struct rpc_reader *reader, uint64_t offset, uint64_t most, rpc_reader_done *done,
                 void *done_context);
    /* Also in the middle of a read, whose `done` is not called then. */
    void (*close)(struct rpc_reader *reader);
    void *context;
};

#endif

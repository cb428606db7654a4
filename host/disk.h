/* SPDX-License-Identifier: MIT */
/*
 * Runs the door's disk jobs on worker threads: a few for the disk, as many as there are cores for
 * hashing. Jobs run side by side; who needs an order between two waits for the first one's end (as
 * core/storage does). Also lends open files to the sender.
 */
#ifndef FRESHET_HOST_DISK_H
#define FRESHET_HOST_DISK_H

#include "host/block_memory.h"
#include "host/extent_io.h"
#include "host/state_reserve.h"
#include "host/storage_files.h"

#include <uv.h>

struct disk;

struct disk_options {
    uv_loop_t *loop;
    const struct block_memory *pool;
    unsigned disk_threads; /* 0: default */
    unsigned hash_threads; /* 0: one a core */
    uint32_t open_files_max;
    struct state_reserve *reserve; /* whose room payload is to leave; NULL: of nobody */
    /* On the loop's thread, from the loop (never from within a call below). */
    void (*job_done)(void *context, struct event *event);
    void *context;
};

struct disk *disk_new(const struct disk_options *options);
/* Waits for running jobs; what is queued is told CANCELLED. The loop must run once more. */
void disk_free(struct disk *disk);

/* The job is the caller's memory and stays untouched until job_done. */
void disk_submit(struct disk *disk, struct disk_job *job);
void disk_cancel(struct disk *disk, job_id job);
/* Which folder `root` was when its progress was recorded; used by the next DISK_OPEN of it. One
 * that succeeds says it anew. */
void disk_expect_root(struct disk *disk, const char *root, const struct root_identity *identity);

/* What the workers have in hand, hashing and writing apart. */
struct disk_load {
    uint32_t threads; /* so many at a time */
    uint32_t jobs;    /* handed over and not ended */
    uint64_t bytes;   /* of all that ended well */
    uint64_t rate;    /* bytes a second, lately */
};
struct disk_loads {
    struct disk_load hash, write;
};
void disk_measure(const struct disk *disk, int64_t now, struct disk_loads *ret_loads);

/* The files of an open storage, shared until storage_files_free; NULL when it is not open. */
struct storage_files *disk_files(struct disk *disk, storage_id storage);

/* The same by the info-hash of its layout. */
struct storage_files *disk_files_of(struct disk *disk, const uint8_t info_hash[32]);

/* Reads held ranges into the page cache on a worker, then calls done on the loop's thread. Or, with
 * `files`, brings those of `gather` together in `to`: they are too many to be held. The caller
 * keeps it, and what it holds, until then. */
struct disk_warming {
    const struct held_range *ranges;
    uint32_t range_count;
    struct storage_files *files;
    const struct file_range *gather;
    uint8_t *to;
    void (*done)(struct disk_warming *warming, enum freshet_error error);
};
void disk_warm(struct disk *disk, struct disk_warming *warming);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One file of a pretend disk, with two images made of spans: what the page cache shows and what is
 * on the platter. A write changes the first, a sync copies to the second, a crash goes back to the
 * second, with whole writes or single pages of what was unsynced lost. A failing sync loses its
 * pages: Linux marks them clean, and the host drops them from the cache, so that what is read
 * afterwards is what is on the platter.
 */
#ifndef FRESHET_SIM_FILE_H
#define FRESHET_SIM_FILE_H

#include "core/base/rng.h"
#include "sim/sim_spans.h"

#define SIM_FILE_PATH 96

enum sim_crash {
    SIM_CRASH_PROCESS, /* only the program dies: the page cache stays */
    SIM_CRASH_LOSE,    /* the power fails: everything unsynced is lost */
    SIM_CRASH_TEAR,    /* the power fails: any page of what was unsynced may be there or not */
};

struct sim_unsynced {
    uint64_t begin, length;
};

struct sim_file {
    char path[SIM_FILE_PATH]; /* below the root */
    bool exists, durable_exists, ours;
    uint64_t size, durable_size;
    int64_t mtime_ns, durable_mtime_ns;
    uint64_t inode;
    struct sim_spans cache, durable;
    struct sim_unsynced *unsynced;
    size_t unsynced_count, unsynced_capacity;
    size_t syncing; /* of them, covered by the sync that has begun */
    bool dirty;     /* something, if only the name or the size, is not durable */
    bool touched;   /* this run of the program changed it */
};

struct sim_file *sim_file_new(const char *path);
void sim_file_free(struct sim_file *file);
/* Makes it an empty file, if it is not there yet. */
void sim_file_create(struct sim_file *file, uint64_t inode, int64_t now);
void sim_file_set_size(struct sim_file *file, uint64_t size, int64_t now);
/* Overwrites from `begin` on with the first `length` bytes of the spans. */
void sim_file_write(struct sim_file *file, uint64_t begin, uint64_t length,
                    const struct sim_spans *spans, int64_t now);
/* A sync takes its time; what is written meanwhile is not part of it. */
void sim_file_sync_begin(struct sim_file *file);
/* false: it fails, and what it covered is lost. */
bool sim_file_sync(struct sim_file *file, bool fails);
void sim_file_remove(struct sim_file *file);
void sim_file_crash(struct sim_file *file, enum sim_crash crash, struct rng *rng);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A pretend disk, as far as disk and hash jobs (core/door/door.h) can tell: files (sim_file.h), the
 * block pool, and how long things take. It can be full, unmounted, and fail to sync.
 */
#ifndef FRESHET_SIM_DISK_H
#define FRESHET_SIM_DISK_H

#include "core/door/door.h"
#include "sim/sim_clock.h"
#include "sim/sim_file.h"
#include "sim/sim_torrent.h"

struct sim_disk_options {
    uint64_t read_bytes_per_s; /* 0: no limit, for each of them */
    uint64_t write_bytes_per_s;
    uint64_t hash_bytes_per_s;
    int64_t access_ns; /* of each job */
    int64_t sync_ns;   /* and of each sync on top */
    uint64_t capacity; /* bytes; 0: no end */
};

struct sim_storage; /* an opened one */

struct sim_disk {
    struct sim_clock *clock;
    const struct sim_torrent *torrent;
    struct sim_disk_options options;
    struct rng rng;
    struct sim_file **files;
    uint32_t file_count;
    struct sim_storage **storages;
    uint32_t storage_count;
    struct sim_spans *blocks; /* the block pool */
    uint32_t block_count;
    int64_t free_at, hash_free_at;
    uint64_t inode_next;
    bool root_exists;
    bool unmounted;      /* the root is not there */
    uint32_t fail_syncs; /* so many syncs fail from now on */
    uint64_t written_bytes, syncs, syncs_failed, hashed_bytes;
};

void sim_disk_init(struct sim_disk *disk, struct sim_clock *clock,
                   const struct sim_torrent *torrent, const struct sim_disk_options *options,
                   uint64_t seed);
void sim_disk_deinit(struct sim_disk *disk);
/* Puts the torrent's true files there, durable, as a seed has them. */
void sim_disk_fill(struct sim_disk *disk);
/* When a job that is asked for now will be done. */
int64_t sim_disk_done_at(struct sim_disk *disk, const struct disk_job *job);
/* Does the job, all at once: effects and results. ret_file: where an error happened. */
enum freshet_error sim_disk_do(struct sim_disk *disk, const struct disk_job *job,
                               uint32_t *ret_file);
/* The contents of a block of the pool; made when first named. */
struct sim_spans *sim_disk_block(struct sim_disk *disk, block_id block);
/* What a SEND reads. false when it cannot be read: no such file, or too short. */
bool sim_disk_read(struct sim_disk *disk, storage_id storage, const struct file_range *range,
                   struct sim_spans *ret_spans);
/* Linear offset in the torrent of a place in a file of a storage; UINT64_MAX if it has none. */
uint64_t sim_disk_linear(const struct sim_disk *disk, storage_id storage,
                         const struct file_range *range);
void sim_disk_crash(struct sim_disk *disk, enum sim_crash crash);
/* Is the piece true, in the page cache or (durable) on the platter? Part store included. */
bool sim_disk_has_piece(const struct sim_disk *disk, uint32_t piece, bool durable);

#endif

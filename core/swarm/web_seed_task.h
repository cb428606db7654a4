/* SPDX-License-Identifier: MIT */
/*
 * One run of blocks on its way from one web seed: which bytes of which files, where they land, and
 * which blocks are complete. The inside of web_seed.
 *
 * The run is one stretch of linear space (core/metainfo/geometry.h); padding and gaps inside it are
 * stepped over. Block i of the memory table holds the bytes [base + i * 16 KiB, ...).
 */
#ifndef FRESHET_SWARM_WEB_SEED_TASK_H
#define FRESHET_SWARM_WEB_SEED_TASK_H

#include "core/metainfo/metainfo.h"
#include "core/swarm/piece_picker.h"

struct web_seed_task {
    uint32_t server;
    int64_t started_ns;
    bool due;      /* the job waits to be pulled */
    bool cancel;   /* a cancel waits to be pulled */
    bool may_skip; /* the server knows no ranges */
    bool bad_url;  /* no URL can be made for a file of it */
    const struct geometry *geometry;

    struct block_pick *picks; /* in linear order, without holes but for padding and gaps */
    uint32_t pick_count, pick_capacity;
    uint32_t pick_next; /* not handed out yet */
    block_id *memory;
    uint32_t memory_count;

    /* Where the next fetch begins; what lies before it is here or under way. */
    piece_index at_piece;
    uint32_t at_begin;
    bool fetching;         /* the job covers what lies just before */
    piece_index had_piece; /* all before this is here */
    uint32_t had_begin;

    uint64_t fetch_file_length; /* of the file that the job is about */
    struct fetch_job job;
    char url[LIMIT_URL_LENGTH + 1];
};

struct web_seed_task *web_seed_task_new(uint32_t server, const struct geometry *geometry);
void web_seed_task_free(struct web_seed_task *task);
void web_seed_task_add(struct web_seed_task *task, const struct block_pick *pick);
void web_seed_task_furnish(struct web_seed_task *task, uint32_t pick, block_id memory);
/* Makes the next job; false when all is fetched, or bad_url. */
bool web_seed_task_next_fetch(struct web_seed_task *task, struct bytes base,
                              const struct metainfo *metainfo, job_id id);
/* The job's bytes are all there. */
void web_seed_task_fetched(struct web_seed_task *task);
/* Only its first `length` bytes came; true: that is worth something. */
bool web_seed_task_fetched_part(struct web_seed_task *task, uint32_t length);
/* The next block not handed out, when `complete` only one whose bytes are all there; false: none.
 */
bool web_seed_task_next_block(struct web_seed_task *task, bool complete,
                              struct block_pick *ret_pick, block_id *ret_memory);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Threads that run blocking work beside the loop: disk, hashing, the state store. Not libuv's four
 * threads, which name resolution shares. Work is started in order of submission; `run` is called on
 * a worker, `done` on the loop's thread, once for each submitted work, cancelled or not.
 */
#ifndef FRESHET_HOST_WORKER_POOL_H
#define FRESHET_HOST_WORKER_POOL_H

#include "core/base/list.h"

#include <stdbool.h>
#include <uv.h>

struct work {
    struct list_node node;
    void (*run)(struct work *work);
    void (*done)(struct work *work);
    bool cancelled; /* `run` was not called */
};

struct worker_pool;

/* Where there are more threads than processors all give way to the loop's, in this order. */
enum worker_rank {
    WORKER_TRANSFER, /* payload waits for it */
    WORKER_MODEST,   /* somebody waits for it, but no transfer */
    WORKER_LAST,     /* it is long, and whoever waits knows that it is */
};

/* Up to WORKER_THREADS_MAX threads, made on first use. */
#define WORKER_THREADS_MAX 32
struct worker_pool *worker_pool_new(uv_loop_t *loop, unsigned threads, enum worker_rank rank);
/* Waits for what is running; what is queued is cancelled and told `done`. The loop must run once
 * more afterwards, for libuv to let go of its handle. NULL is fine. */
void worker_pool_free(struct worker_pool *pool);
/* The pool owns the node until `done`. */
void worker_pool_submit(struct worker_pool *pool, struct work *work);
/* Takes work out of the queue if it has not begun; its `done` comes soon. */
void worker_pool_cancel(struct worker_pool *pool, struct work *work);

#endif

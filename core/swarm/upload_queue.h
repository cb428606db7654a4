/* SPDX-License-Identifier: MIT */
/*
 * The requests that one peer has made of us and that are not yet answered (BEP 3, 6): first in,
 * first out, at most LIMIT_REQUESTS_IN. Embedded; an idle one holds no memory.
 */
#ifndef FRESHET_SWARM_UPLOAD_QUEUE_H
#define FRESHET_SWARM_UPLOAD_QUEUE_H

#include "core/door/door.h"

struct upload_request {
    piece_index piece;
    uint32_t begin;
    uint32_t length;
};

struct upload_queue {
    struct upload_request *ring; /* capacity entries */
    uint32_t capacity;
    uint32_t first;
    uint32_t length;
    uint64_t bytes;    /* of all that are queued */
    uint32_t overflow; /* requests refused because the queue was full, since it was last empty */
};

enum upload_answer {
    UPLOAD_QUEUED,
    UPLOAD_DUPLICATE, /* the same is queued already: one answer serves both */
    UPLOAD_FULL,      /* reject it (fast extension) or drop it; overflow has grown */
};

void upload_queue_init(struct upload_queue *queue);
void upload_queue_deinit(struct upload_queue *queue);
enum upload_answer upload_queue_push(struct upload_queue *queue,
                                     const struct upload_request *request);
/* false: it is not queued (answered already). */
bool upload_queue_cancel(struct upload_queue *queue, const struct upload_request *request);
/* Looks at the next, or takes it. false: empty. */
bool upload_queue_peek(const struct upload_queue *queue, struct upload_request *ret_request);
bool upload_queue_next(struct upload_queue *queue, struct upload_request *ret_request);
/* On choke: takes out the first request whose piece is not in `allowed` (the allowed-fast set), so
 * that the caller can reject it; false when only allowed ones are left. */
bool upload_queue_drop(struct upload_queue *queue, const piece_index *allowed,
                       uint32_t allowed_count, struct upload_request *ret_request);
void upload_queue_clear(struct upload_queue *queue);

#endif

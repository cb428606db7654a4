/* SPDX-License-Identifier: MIT */
/*
 * What a tracker client has to tell its parent, in order. Owns copies of everything; at most
 * LIMIT_TRACKER_RESULTS wait, then the oldest is lost. Used by tracker_client.c.
 */
#ifndef FRESHET_TRACKER_TRACKER_RESULT_QUEUE_H
#define FRESHET_TRACKER_TRACKER_RESULT_QUEUE_H

#include "core/base/list.h"
#include "core/tracker/tracker_reply.h"
#include "core/tracker/tracker_terms.h"

struct tracker_result_queue {
    struct list waiting;
    struct tracker_queued_result *given; /* what the last take lent out, or NULL */
};

void tracker_result_queue_init(struct tracker_result_queue *queue);
void tracker_result_queue_deinit(struct tracker_result_queue *queue);
/* Takes the reply's peers, text and counts. */
void tracker_result_queue_add_reply(struct tracker_result_queue *queue, struct bytes url,
                                    uint32_t hash_index, int64_t interval_s,
                                    struct tracker_reply *reply);
/* A result for each hash. */
void tracker_result_queue_add_scrape(struct tracker_result_queue *queue, struct bytes url,
                                     const struct tracker_counts *counts, uint32_t count);
void tracker_result_queue_add_switched(struct tracker_result_queue *queue, struct bytes url);
void tracker_result_queue_add_error(struct tracker_result_queue *queue, struct bytes url,
                                    enum freshet_error error, struct bytes text);
/* What it points at is good until the next take. */
bool tracker_result_queue_take(struct tracker_result_queue *queue,
                               struct tracker_result *ret_result);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * How many requests to keep out at one peer, when a request counts as lost, and whether the peer
 * snubs us (BEP 3, pipelining and anti-snubbing). Embedded in a peer.
 *
 *   - Slow start: the target grows by one for each block that comes (so it doubles each round trip)
 *     until the rate no longer grows with it; then it is REQUEST_PIPELINE_SECONDS of data at the
 *     measured rate and the shortest delay seen (the smoothed one contains our own queue).
 *   - Never fewer than REQUEST_PIPELINE_MIN, never more than the remote's reqq or
 *     LIMIT_REQUESTS_OUT.
 *   - A request is lost when nothing has come from the peer for request_pipeline_timeout_ns, which
 *     follows the measured delay. After one the target falls to 1 until a block comes.
 *   - Snubbed: unchoked and asked, and no block for 60 s.
 */
#ifndef FRESHET_SWARM_REQUEST_PIPELINE_H
#define FRESHET_SWARM_REQUEST_PIPELINE_H

#include "core/base/limits.h"
#include "core/swarm/rate_meter.h"

#include <stdbool.h>

#define REQUEST_PIPELINE_MIN         4u
#define REQUEST_PIPELINE_SECONDS     3
#define REQUEST_PIPELINE_SNUB_NS     (60 * SECOND_NS)
#define REQUEST_PIPELINE_TIMEOUT_MIN (10 * SECOND_NS)
#define REQUEST_PIPELINE_TIMEOUT_MAX (60 * SECOND_NS)
#define REQUEST_PIPELINE_REQQ        250u /* BEP 10: assumed until the peer says */

struct request_pipeline {
    struct rate_meter rate; /* payload from the peer */
    uint32_t target;
    uint32_t outstanding;
    uint32_t reqq;
    bool slow_start;
    bool timed_out;           /* since the last block */
    int64_t delay_ns;         /* smoothed, request to block; 0: no sample */
    int64_t delay_var_ns;     /* mean deviation */
    int64_t delay_min_ns;     /* the shortest seen: without our own queue */
    int64_t waiting_since_ns; /* last progress while something is out; INT64_MAX: nothing is */
    int64_t snub_since_ns;    /* waiting without a block since; INT64_MAX: not waiting */
    int64_t step_ns;          /* slow start: start of the measured second */
    uint64_t step_bytes, step_rate;
};

void request_pipeline_init(struct request_pipeline *pipeline);
/* The remote's reqq (0 counts as 1). */
void request_pipeline_set_reqq(struct request_pipeline *pipeline, uint32_t reqq);
/* How many more requests may go out now. */
uint32_t request_pipeline_room(const struct request_pipeline *pipeline);
/* Requests went out. */
void request_pipeline_on_requested(struct request_pipeline *pipeline, int64_t now, uint32_t count);
/* A whole block came; requested_ns: when it was asked for (now when unknown). `was_outstanding`:
 * false for a late one whose request was given up before. */
void request_pipeline_on_block(struct request_pipeline *pipeline, int64_t now, uint32_t bytes,
                               int64_t requested_ns, bool was_outstanding);
/* Part of a block came: the peer is alive, its requests are not lost. */
void request_pipeline_on_progress(struct request_pipeline *pipeline, int64_t now);
/* We ourselves keep the peer waiting (a download limit): it is neither late nor snubbing us. */
void request_pipeline_on_held(struct request_pipeline *pipeline, int64_t now);
/* Requests came back without data: rejected, cancelled, lost by choke. */
void request_pipeline_on_gone(struct request_pipeline *pipeline, int64_t now, uint32_t count);
/* The timeout below has passed and `count` requests are given up. */
void request_pipeline_on_timeout(struct request_pipeline *pipeline, int64_t now, uint32_t count);
/* How long without progress until outstanding requests are lost. */
int64_t request_pipeline_timeout_ns(const struct request_pipeline *pipeline);
/* When the outstanding requests are lost if nothing comes; INT64_MAX when nothing is out. */
int64_t request_pipeline_deadline(const struct request_pipeline *pipeline);
bool request_pipeline_is_snubbed(const struct request_pipeline *pipeline, int64_t now);
/* Fast: fetches a whole piece within 30 s at its rate; give it pieces of its own. */
bool request_pipeline_is_fast(const struct request_pipeline *pipeline, int64_t now,
                              uint32_t piece_length);
/* For pick_options.slow_before_ns of others: a block asked of anybody before this time is overdue,
 * seen from this peer, who would bring it much sooner. INT64_MIN: this peer is no better. */
int64_t request_pipeline_slow_before_ns(const struct request_pipeline *pipeline, int64_t now);

#endif

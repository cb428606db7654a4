/* SPDX-License-Identifier: MIT */
#include "core/swarm/request_pipeline.h"

#include "core/base/check.h"

/* Until the first block has shown how long one takes. */
#define TIMEOUT_UNKNOWN (20 * SECOND_NS)
#define FAST_PIECE_S    30u
/* Queues are about three seconds deep: a younger request is not slow, it waits its turn. */
#define SLOW_PATIENCE_MIN (5 * SECOND_NS)

void request_pipeline_init(struct request_pipeline *pipeline)
{
    *pipeline = (struct request_pipeline){
        .target = REQUEST_PIPELINE_MIN,
        .reqq = REQUEST_PIPELINE_REQQ,
        .slow_start = true,
        .waiting_since_ns = INT64_MAX,
        .snub_since_ns = INT64_MAX,
    };
    rate_meter_init(&pipeline->rate);
}

static uint32_t most(const struct request_pipeline *pipeline)
{
    return pipeline->reqq < LIMIT_REQUESTS_OUT ? pipeline->reqq : LIMIT_REQUESTS_OUT;
}

void request_pipeline_set_reqq(struct request_pipeline *pipeline, uint32_t reqq)
{
    pipeline->reqq = reqq ? reqq : 1;
}

uint32_t request_pipeline_room(const struct request_pipeline *pipeline)
{
    uint32_t target = pipeline->target < most(pipeline) ? pipeline->target : most(pipeline);
    return target > pipeline->outstanding ? target - pipeline->outstanding : 0;
}

void request_pipeline_on_requested(struct request_pipeline *pipeline, int64_t now, uint32_t count)
{
    if (count == 0)
        return;
    if (pipeline->outstanding == 0)
        pipeline->waiting_since_ns = now;
    if (pipeline->snub_since_ns == INT64_MAX)
        pipeline->snub_since_ns = now;
    pipeline->outstanding += count;
}

static void learn_delay(struct request_pipeline *pipeline, int64_t delay)
{
    if (delay < 1)
        delay = 1;
    if (pipeline->delay_ns == 0) {
        pipeline->delay_ns = pipeline->delay_min_ns = delay;
        pipeline->delay_var_ns = delay / 2;
        return;
    }
    if (delay < pipeline->delay_min_ns)
        pipeline->delay_min_ns = delay;
    int64_t error = delay - pipeline->delay_ns;
    pipeline->delay_ns += error / 8;
    pipeline->delay_var_ns += ((error < 0 ? -error : error) - pipeline->delay_var_ns) / 4;
}

/* Slow start ends when a step brought less than a twentieth more than the one before. A step is a
 * second, or two delays, so that the requests added in it have had time to bear fruit. */
static void slow_start_step(struct request_pipeline *pipeline, int64_t now, uint32_t bytes)
{
    if (pipeline->step_ns == 0) {
        pipeline->step_ns = now;
        pipeline->step_rate = pipeline->step_bytes = 0;
    }
    pipeline->step_bytes += bytes;
    int64_t elapsed = now - pipeline->step_ns;
    if (elapsed < SECOND_NS || elapsed < 2 * pipeline->delay_min_ns)
        return;
    uint64_t rate = pipeline->step_bytes * 1000 / (uint64_t)(elapsed / MILLISECOND_NS);
    if (rate <= pipeline->step_rate + pipeline->step_rate / 20)
        pipeline->slow_start = false;
    pipeline->step_rate = rate;
    pipeline->step_bytes = 0;
    pipeline->step_ns = now;
}

static void set_target(struct request_pipeline *pipeline, int64_t now)
{
    if (pipeline->slow_start) {
        if (pipeline->target < most(pipeline))
            pipeline->target++;
        return;
    }
    uint64_t rate = rate_meter_quick(&pipeline->rate, now);
    uint64_t span_ms =
        REQUEST_PIPELINE_SECONDS * 1000 + (uint64_t)(pipeline->delay_min_ns / MILLISECOND_NS);
    uint64_t target = rate * span_ms / 1000 / LIMIT_BLOCK_SIZE + 1;
    if (target < REQUEST_PIPELINE_MIN)
        target = REQUEST_PIPELINE_MIN;
    pipeline->target = target > LIMIT_REQUESTS_OUT ? LIMIT_REQUESTS_OUT : (uint32_t)target;
}

void request_pipeline_on_block(struct request_pipeline *pipeline, int64_t now, uint32_t bytes,
                               int64_t requested_ns, bool was_outstanding)
{
    rate_meter_add(&pipeline->rate, now, bytes);
    if (was_outstanding) {
        CHECK(pipeline->outstanding > 0);
        pipeline->outstanding--;
        learn_delay(pipeline, now - requested_ns);
    }
    if (pipeline->timed_out) {
        pipeline->timed_out = false;
        pipeline->target = REQUEST_PIPELINE_MIN;
        pipeline->slow_start = true;
        pipeline->step_ns = 0;
    }
    if (pipeline->slow_start)
        slow_start_step(pipeline, now, bytes);
    set_target(pipeline, now);
    pipeline->waiting_since_ns = pipeline->snub_since_ns =
        pipeline->outstanding > 0 ? now : INT64_MAX;
}

void request_pipeline_on_progress(struct request_pipeline *pipeline, int64_t now)
{
    if (pipeline->outstanding > 0)
        pipeline->waiting_since_ns = now;
}

void request_pipeline_on_held(struct request_pipeline *pipeline, int64_t now)
{
    request_pipeline_on_progress(pipeline, now);
    if (pipeline->snub_since_ns != INT64_MAX)
        pipeline->snub_since_ns = now;
}

static void fewer(struct request_pipeline *pipeline, uint32_t count)
{
    CHECK(count <= pipeline->outstanding);
    pipeline->outstanding -= count;
    if (pipeline->outstanding == 0)
        pipeline->waiting_since_ns = INT64_MAX;
}

void request_pipeline_on_gone(struct request_pipeline *pipeline, int64_t now, uint32_t count)
{
    (void)now;
    fewer(pipeline, count);
    if (pipeline->outstanding == 0)
        pipeline->snub_since_ns = INT64_MAX;
}

void request_pipeline_on_timeout(struct request_pipeline *pipeline, int64_t now, uint32_t count)
{
    fewer(pipeline, count);
    if (pipeline->outstanding > 0)
        pipeline->waiting_since_ns = now;
    pipeline->timed_out = true;
    pipeline->slow_start = false;
    pipeline->target = 1;
    /* Who lets requests time out is still kept waiting for: snub_since_ns stays. */
}

int64_t request_pipeline_timeout_ns(const struct request_pipeline *pipeline)
{
    if (pipeline->delay_ns == 0)
        return TIMEOUT_UNKNOWN;
    int64_t timeout = pipeline->delay_ns + 4 * pipeline->delay_var_ns;
    if (timeout < REQUEST_PIPELINE_TIMEOUT_MIN)
        return REQUEST_PIPELINE_TIMEOUT_MIN;
    return timeout < REQUEST_PIPELINE_TIMEOUT_MAX ? timeout : REQUEST_PIPELINE_TIMEOUT_MAX;
}

int64_t request_pipeline_deadline(const struct request_pipeline *pipeline)
{
    if (pipeline->waiting_since_ns == INT64_MAX)
        return INT64_MAX;
    return pipeline->waiting_since_ns + request_pipeline_timeout_ns(pipeline);
}

bool request_pipeline_is_snubbed(const struct request_pipeline *pipeline, int64_t now)
{
    return pipeline->snub_since_ns != INT64_MAX &&
           now - pipeline->snub_since_ns >= REQUEST_PIPELINE_SNUB_NS;
}

bool request_pipeline_is_fast(const struct request_pipeline *pipeline, int64_t now,
                              uint32_t piece_length)
{
    return rate_meter_quick(&pipeline->rate, now) >= piece_length / FAST_PIECE_S + 1;
}

int64_t request_pipeline_slow_before_ns(const struct request_pipeline *pipeline, int64_t now)
{
    uint64_t rate = rate_meter_quick(&pipeline->rate, now);
    if (rate == 0 || pipeline->delay_ns == 0)
        return INT64_MIN;
    int64_t expected =
        pipeline->delay_min_ns + (int64_t)(LIMIT_BLOCK_SIZE * 1000 / rate) * MILLISECOND_NS;
    int64_t patience = 4 * expected;
    if (patience < SLOW_PATIENCE_MIN)
        patience = SLOW_PATIENCE_MIN;
    return patience > REQUEST_PIPELINE_TIMEOUT_MAX ? INT64_MIN : now - patience;
}

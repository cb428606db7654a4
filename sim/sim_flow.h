/* SPDX-License-Identifier: MIT */
/*
 * One direction of a pretend stream: a queue of segments (protocol bytes, or spans of pretend
 * payload) and five totals that only grow:
 *
 *     acked <= taken <= arrived <= departed <= written
 *
 * What lies between taken and written is in the queue. The writer knows `acked` one delay later
 * than the reader takes; what is departed and not acked fills the window.
 */
#ifndef FRESHET_SIM_FLOW_H
#define FRESHET_SIM_FLOW_H

#include "core/base/bytes.h"
#include "core/crypto/rc4.h"
#include "sim/sim_spans.h"

struct sim_flow_segment {
    uint64_t length;
    bool is_bytes; /* protocol bytes, else a span */
    uint64_t source;
    uint64_t offset;
};

struct sim_flow_ack {
    int64_t when_ns;
    uint64_t taken; /* total */
};

struct sim_flow {
    uint64_t written, departed, arrived, taken, acked;
    struct sim_flow_segment *segments; /* a queue: [segment_first, segment_count) */
    size_t segment_first, segment_count, segment_capacity;
    struct buffer bytes; /* protocol bytes of the segments, from byte_first on */
    size_t byte_first;
    struct sim_flow_ack *acks; /* a queue as above: on their way to the writer */
    size_t ack_first, ack_count, ack_capacity;
    bool fin_wanted, fin_departed;
    struct rc4 *cipher; /* of the bytes from cipher_at on; NULL: nobody named one */
    uint64_t cipher_at;
};

void sim_flow_deinit(struct sim_flow *flow);
void sim_flow_put_bytes(struct sim_flow *flow, const uint8_t *bytes, size_t length);
void sim_flow_put_span(struct sim_flow *flow, uint64_t length, uint64_t source, uint64_t offset);
/* See sim_end_peek. */
uint64_t sim_flow_peek(const struct sim_flow *flow, uint64_t max, const uint8_t **ret_bytes,
                       struct sim_span *ret_span);
/* The same from `at` on, up to `until` (taken <= at <= until <= written). */
uint64_t sim_flow_look(const struct sim_flow *flow, uint64_t at, uint64_t until,
                       const uint8_t **ret_bytes, struct sim_span *ret_span);
/* The reader takes bytes; the writer hears of it at ack_at_ns. */
void sim_flow_take(struct sim_flow *flow, uint64_t length, int64_t now, int64_t ack_at_ns);
/* Acknowledgements that have reached the writer by now. */
void sim_flow_update(struct sim_flow *flow, int64_t now);
/* When the next one does; INT64_MAX: none is on its way. */
int64_t sim_flow_next_ack(const struct sim_flow *flow);
/* The writer or the reader says that from the byte `at` on the flow is encrypted so. Bytes travel
 * in the clear all the same, for spans have none: two ends that agree on a cipher's state at one
 * byte would make the same of all that follow. false: they do not agree. */
bool sim_flow_set_cipher(struct sim_flow *flow, uint64_t at, const struct rc4 *cipher);
/* Something is to be sent, the end mark included. */
bool sim_flow_has_more(const struct sim_flow *flow);

#endif

/* SPDX-License-Identifier: MIT */
#include "sim/sim_flow.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

void sim_flow_deinit(struct sim_flow *flow)
{
    memory_free(flow->segments);
    memory_free(flow->acks);
    memory_free(flow->cipher);
    buffer_deinit(&flow->bytes);
    *flow = (struct sim_flow){0};
}

/* Room for one more at the end of a queue [*first, *count) of items. */
static void *queue_push(void *items, size_t *first, size_t *count, size_t *capacity, size_t size)
{
    if (*count == *capacity && *first > *capacity / 2) {
        memmove(items, (char *)items + *first * size, (*count - *first) * size);
        *count -= *first;
        *first = 0;
    }
    if (*count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 8;
        items = memory_resize_array(items, *capacity, size);
    }
    (*count)++;
    return items;
}

static void push_segment(struct sim_flow *flow, const struct sim_flow_segment *segment)
{
    flow->segments = queue_push(flow->segments, &flow->segment_first, &flow->segment_count,
                                &flow->segment_capacity, sizeof *flow->segments);
    flow->segments[flow->segment_count - 1] = *segment;
}

static struct sim_flow_segment *last_segment(struct sim_flow *flow)
{
    return flow->segment_first < flow->segment_count ? &flow->segments[flow->segment_count - 1]
                                                     : NULL;
}

void sim_flow_put_bytes(struct sim_flow *flow, const uint8_t *bytes, size_t length)
{
    if (length == 0)
        return;
    if (flow->byte_first == flow->bytes.length) {
        buffer_clear(&flow->bytes);
        flow->byte_first = 0;
    }
    buffer_append(&flow->bytes, bytes, length);
    struct sim_flow_segment *last = last_segment(flow);
    if (last && last->is_bytes)
        last->length += length;
    else
        push_segment(flow, &(struct sim_flow_segment){.length = length, .is_bytes = true});
    flow->written += length;
}

void sim_flow_put_span(struct sim_flow *flow, uint64_t length, uint64_t source, uint64_t offset)
{
    if (length == 0)
        return;
    struct sim_flow_segment *last = last_segment(flow);
    if (last && !last->is_bytes && last->source == source && last->offset + last->length == offset)
        last->length += length;
    else
        push_segment(flow, &(struct sim_flow_segment){length, false, source, offset});
    flow->written += length;
}

uint64_t sim_flow_look(const struct sim_flow *flow, uint64_t at, uint64_t until,
                       const uint8_t **ret_bytes, struct sim_span *ret_span)
{
    uint64_t length = until - at, skip = at - flow->taken;
    size_t byte_at = flow->byte_first;
    const struct sim_flow_segment *segment = &flow->segments[flow->segment_first];
    if (length == 0)
        return 0;
    for (; skip >= segment->length; segment++) {
        skip -= segment->length;
        if (segment->is_bytes)
            byte_at += segment->length;
    }
    if (length > segment->length - skip)
        length = segment->length - skip;
    *ret_bytes = segment->is_bytes ? flow->bytes.data + byte_at + skip : NULL;
    *ret_span = (struct sim_span){0, length, segment->source, segment->offset + skip};
    return length;
}

uint64_t sim_flow_peek(const struct sim_flow *flow, uint64_t max, const uint8_t **ret_bytes,
                       struct sim_span *ret_span)
{
    uint64_t length = flow->arrived - flow->taken;
    if (length > max)
        length = max;
    return sim_flow_look(flow, flow->taken, flow->taken + length, ret_bytes, ret_span);
}

void sim_flow_update(struct sim_flow *flow, int64_t now)
{
    while (flow->ack_first < flow->ack_count && flow->acks[flow->ack_first].when_ns <= now)
        flow->acked = flow->acks[flow->ack_first++].taken;
    if (flow->ack_first == flow->ack_count)
        flow->ack_first = flow->ack_count = 0;
}

int64_t sim_flow_next_ack(const struct sim_flow *flow)
{
    return flow->ack_first < flow->ack_count ? flow->acks[flow->ack_first].when_ns : INT64_MAX;
}

void sim_flow_take(struct sim_flow *flow, uint64_t length, int64_t now, int64_t ack_at_ns)
{
    if (length == 0)
        return;
    struct sim_flow_segment *segment = &flow->segments[flow->segment_first];
    CHECK(length <= flow->arrived - flow->taken);
    CHECK(length <= segment->length);
    if (segment->is_bytes)
        flow->byte_first += length;
    segment->length -= length;
    segment->offset += length;
    if (segment->length == 0 && ++flow->segment_first == flow->segment_count)
        flow->segment_first = flow->segment_count = 0;
    flow->taken += length;
    sim_flow_update(flow, now);
    flow->acks = queue_push(flow->acks, &flow->ack_first, &flow->ack_count, &flow->ack_capacity,
                            sizeof *flow->acks);
    flow->acks[flow->ack_count - 1] = (struct sim_flow_ack){ack_at_ns, flow->taken};
}

bool sim_flow_has_more(const struct sim_flow *flow)
{
    return flow->departed < flow->written || (flow->fin_wanted && !flow->fin_departed);
}

bool sim_flow_set_cipher(struct sim_flow *flow, uint64_t at, const struct rc4 *cipher)
{
    if (flow->cipher)
        return flow->cipher_at == at && rc4_equal(flow->cipher, cipher);
    flow->cipher = memory_copy(cipher, sizeof *cipher);
    flow->cipher_at = at;
    return true;
}

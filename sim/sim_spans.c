/* SPDX-License-Identifier: MIT */
#include "sim/sim_spans.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

void sim_spans_deinit(struct sim_spans *spans)
{
    memory_free(spans->items);
    *spans = (struct sim_spans){0};
}

void sim_spans_clear(struct sim_spans *spans)
{
    spans->count = 0;
}

static void reserve(struct sim_spans *spans, size_t count)
{
    if (count <= spans->capacity)
        return;
    size_t capacity = spans->capacity ? spans->capacity : 2;
    while (capacity < count)
        capacity *= 2;
    spans->items = memory_resize_array(spans->items, capacity, sizeof *spans->items);
    spans->capacity = capacity;
}

void sim_spans_copy(struct sim_spans *to, const struct sim_spans *from)
{
    if (from->count) {
        reserve(to, from->count);
        memcpy(to->items, from->items, from->count * sizeof *from->items);
    }
    to->count = from->count;
}

/* Index of the first span that ends after `at`. */
static size_t find(const struct sim_spans *spans, uint64_t at)
{
    size_t low = 0, high = spans->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spans->items[middle].begin + spans->items[middle].length > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static struct sim_span cut(struct sim_span span, uint64_t begin, uint64_t end)
{
    uint64_t skipped = begin - span.begin;
    span.begin = begin;
    span.length = end - begin;
    span.offset += skipped;
    return span;
}

static bool continues(const struct sim_span *a, const struct sim_span *b)
{
    return a->source == b->source && a->begin + a->length == b->begin &&
           a->offset + a->length == b->offset;
}

/* Replaces items [from, to) by `count` new ones. */
static void splice(struct sim_spans *spans, size_t from, size_t to, const struct sim_span *items,
                   size_t count)
{
    size_t tail = spans->count - to;
    reserve(spans, from + count + tail);
    if (tail)
        memmove(spans->items + from + count, spans->items + to, tail * sizeof *spans->items);
    if (count)
        memcpy(spans->items + from, items, count * sizeof *items);
    spans->count = from + count + tail;
}

/* Joins items[index-1] and items[index] if they continue one another. */
static void join(struct sim_spans *spans, size_t index)
{
    if (index == 0 || index >= spans->count)
        return;
    if (!continues(&spans->items[index - 1], &spans->items[index]))
        return;
    spans->items[index - 1].length += spans->items[index].length;
    splice(spans, index, index + 1, NULL, 0);
}

void sim_spans_put(struct sim_spans *spans, uint64_t begin, uint64_t length, uint64_t source,
                   uint64_t offset)
{
    if (length == 0)
        return;
    uint64_t end = begin + length;
    CHECK(end > begin);
    size_t first = find(spans, begin), last = first;
    struct sim_span new_items[3];
    size_t count = 0;
    if (first < spans->count && spans->items[first].begin < begin)
        new_items[count++] = cut(spans->items[first], spans->items[first].begin, begin);
    size_t place = first + count;
    if (source != SIM_SOURCE_ZERO)
        new_items[count++] = (struct sim_span){begin, length, source, offset};
    while (last < spans->count && spans->items[last].begin < end)
        last++;
    if (last > first) {
        const struct sim_span *tail = &spans->items[last - 1];
        uint64_t tail_end = tail->begin + tail->length;
        if (tail_end > end)
            new_items[count++] = cut(*tail, end, tail_end);
    }
    splice(spans, first, last, new_items, count);
    join(spans, place + 1);
    join(spans, place);
}

void sim_spans_put_from(struct sim_spans *to, uint64_t to_begin, const struct sim_spans *from,
                        uint64_t begin, uint64_t length)
{
    while (length > 0) {
        struct sim_span span = sim_spans_at(from, begin, length);
        sim_spans_put(to, to_begin, span.length, span.source, span.offset);
        to_begin += span.length;
        begin += span.length;
        length -= span.length;
    }
}

void sim_spans_truncate(struct sim_spans *spans, uint64_t length)
{
    size_t index = find(spans, length);
    if (index >= spans->count)
        return;
    struct sim_span *span = &spans->items[index];
    if (span->begin < length) {
        span->length = length - span->begin;
        index++;
    }
    spans->count = index;
}

struct sim_span sim_spans_at(const struct sim_spans *spans, uint64_t at, uint64_t length)
{
    struct sim_span span = {at, length, SIM_SOURCE_ZERO, 0};
    size_t index = find(spans, at);
    if (index >= spans->count || spans->items[index].begin >= at + length)
        return span;
    const struct sim_span *found = &spans->items[index];
    if (found->begin > at) {
        span.length = found->begin - at;
        return span;
    }
    uint64_t end = found->begin + found->length;
    return cut(*found, at, end < at + length ? end : at + length);
}

bool sim_spans_match(const struct sim_spans *spans, uint64_t begin, uint64_t length,
                     uint64_t source, uint64_t offset)
{
    struct sim_span span = sim_spans_at(spans, begin, length);
    return span.length == length && span.source == source && span.offset == offset;
}

bool sim_spans_hold(const struct sim_spans *spans, uint64_t source, uint64_t offset,
                    uint64_t length)
{
    for (size_t i = 0; i < spans->count; i++) {
        const struct sim_span *span = &spans->items[i];
        if (span->source == source && span->offset <= offset &&
            offset + length <= span->offset + span->length)
            return true;
    }
    return false;
}

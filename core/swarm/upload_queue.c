/* SPDX-License-Identifier: MIT */
#include "core/swarm/upload_queue.h"

#include "core/base/check.h"
#include "core/base/memory.h"

void upload_queue_init(struct upload_queue *queue)
{
    *queue = (struct upload_queue){0};
}

void upload_queue_deinit(struct upload_queue *queue)
{
    memory_free(queue->ring);
    *queue = (struct upload_queue){0};
}

/* The capacity is a power of two, so that an index wraps with a mask. */
static struct upload_request *entry(const struct upload_queue *queue, uint32_t index)
{
    return &queue->ring[(queue->first + index) & (queue->capacity - 1)];
}

static bool same_request(const struct upload_request *a, const struct upload_request *b)
{
    return a->piece == b->piece && a->begin == b->begin && a->length == b->length;
}

static uint32_t index_of(const struct upload_queue *queue, const struct upload_request *request)
{
    uint32_t index = 0;
    while (index < queue->length && !same_request(entry(queue, index), request))
        index++;
    return index;
}

static void grow(struct upload_queue *queue)
{
    uint32_t capacity = queue->capacity ? queue->capacity * 2 : 16;
    struct upload_request *ring = memory_new_array(capacity, sizeof *ring);
    for (uint32_t i = 0; i < queue->length; i++)
        ring[i] = *entry(queue, i);
    memory_free(queue->ring);
    queue->ring = ring;
    queue->capacity = capacity;
    queue->first = 0;
}

static void forget_if_empty(struct upload_queue *queue)
{
    if (queue->length > 0)
        return;
    CHECK(queue->bytes == 0);
    upload_queue_deinit(queue);
}

static void remove_at(struct upload_queue *queue, uint32_t index)
{
    queue->bytes -= entry(queue, index)->length;
    for (uint32_t i = index; i + 1 < queue->length; i++)
        *entry(queue, i) = *entry(queue, i + 1);
    queue->length--;
    forget_if_empty(queue);
}

enum upload_answer upload_queue_push(struct upload_queue *queue,
                                     const struct upload_request *request)
{
    if (index_of(queue, request) < queue->length)
        return UPLOAD_DUPLICATE;
    if (queue->length == LIMIT_REQUESTS_IN) {
        queue->overflow++;
        return UPLOAD_FULL;
    }
    if (queue->length == queue->capacity)
        grow(queue);
    queue->length++;
    *entry(queue, queue->length - 1) = *request;
    queue->bytes += request->length;
    return UPLOAD_QUEUED;
}

bool upload_queue_cancel(struct upload_queue *queue, const struct upload_request *request)
{
    uint32_t index = index_of(queue, request);
    if (index == queue->length)
        return false;
    remove_at(queue, index);
    return true;
}

bool upload_queue_peek(const struct upload_queue *queue, struct upload_request *ret_request)
{
    if (queue->length == 0)
        return false;
    *ret_request = *entry(queue, 0);
    return true;
}

bool upload_queue_next(struct upload_queue *queue, struct upload_request *ret_request)
{
    if (!upload_queue_peek(queue, ret_request))
        return false;
    queue->bytes -= ret_request->length;
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->length--;
    forget_if_empty(queue);
    return true;
}

static bool is_allowed(piece_index piece, const piece_index *allowed, uint32_t allowed_count)
{
    for (uint32_t i = 0; i < allowed_count; i++)
        if (allowed[i] == piece)
            return true;
    return false;
}

bool upload_queue_drop(struct upload_queue *queue, const piece_index *allowed,
                       uint32_t allowed_count, struct upload_request *ret_request)
{
    struct upload_request request;
    if (allowed_count == 0)
        return upload_queue_next(queue, ret_request);
    for (uint32_t i = 0; i < queue->length; i++) {
        request = *entry(queue, i);
        if (is_allowed(request.piece, allowed, allowed_count))
            continue;
        remove_at(queue, i);
        *ret_request = request;
        return true;
    }
    return false;
}

void upload_queue_clear(struct upload_queue *queue)
{
    upload_queue_deinit(queue);
}

/* SPDX-License-Identifier: MIT */
#include "core/base/heap.h"

#include "core/base/check.h"
#include "core/base/memory.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_deinit(struct heap *heap)
{
    memory_free(heap->nodes);
    *heap = (struct heap){0};
}

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    if (a->when_ns != b->when_ns)
        return a->when_ns < b->when_ns;
    return a->order < b->order;
}

static void put(struct heap *heap, size_t place, struct heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = place;
}

static void sift_up(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    while (place > 1 && is_before(node, heap->nodes[place / 2 - 1])) {
        put(heap, place, heap->nodes[place / 2 - 1]);
        place /= 2;
    }
    put(heap, place, node);
}

static void sift_down(struct heap *heap, struct heap_node *node)
{
    size_t place = node->place;
    for (;;) {
        size_t child = 2 * place;
        if (child > heap->length)
            break;
        if (child < heap->length && is_before(heap->nodes[child], heap->nodes[child - 1]))
            child++;
        if (!is_before(heap->nodes[child - 1], node))
            break;
        put(heap, place, heap->nodes[child - 1]);
        place = child;
    }
    put(heap, place, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->place == 0)
        return;
    CHECK(node->place <= heap->length);
    struct heap_node *last = heap->nodes[heap->length - 1];
    size_t place = node->place;
    heap->length--;
    node->place = 0;
    if (last == node)
        return;
    put(heap, place, last);
    sift_up(heap, last);
    sift_down(heap, last);
}

void heap_set(struct heap *heap, struct heap_node *node, int64_t when_ns)
{
    if (when_ns == HEAP_NEVER) {
        heap_remove(heap, node);
        return;
    }
    if (node->place && node->when_ns == when_ns)
        return;
    node->order = heap->order_next++;
    node->when_ns = when_ns;
    if (node->place == 0) {
        if (heap->length == heap->capacity) {
            heap->capacity = heap->capacity ? 2 * heap->capacity : 16;
            heap->nodes = memory_resize_array(heap->nodes, heap->capacity, sizeof *heap->nodes);
        }
        heap->length++;
        put(heap, heap->length, node);
    }
    sift_up(heap, node);
    sift_down(heap, node);
}

int64_t heap_deadline(const struct heap *heap)
{
    return heap->length ? heap->nodes[0]->when_ns : HEAP_NEVER;
}

struct heap_node *heap_pop_due(struct heap *heap, int64_t now_ns)
{
    if (heap->length == 0 || heap->nodes[0]->when_ns > now_ns)
        return NULL;
    struct heap_node *first = heap->nodes[0];
    heap_remove(heap, first);
    return first;
}

bool heap_check(const struct heap *heap)
{
    for (size_t place = 1; place <= heap->length; place++) {
        if (heap->nodes[place - 1]->place != place)
            return false;
        if (place > 1 && is_before(heap->nodes[place - 1], heap->nodes[place / 2 - 1]))
            return false;
    }
    return true;
}

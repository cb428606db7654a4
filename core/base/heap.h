/* SPDX-License-Identifier: MIT */
/*
 * Deadline heap: a binary min-heap of intrusive nodes ordered by (when, order of arming), so equal
 * deadlines fire in the order in which they were set and a run is the same every time.
 */
#ifndef FRESHET_BASE_HEAP_H
#define FRESHET_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_NEVER INT64_MAX

struct heap_node {
    int64_t when_ns;
    uint64_t order;
    size_t place; /* 1-based index in the heap; 0: in none */
};

struct heap {
    struct heap_node **nodes;
    size_t length;
    size_t capacity;
    uint64_t order_next;
};

#define HEAP_ELEMENT(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void heap_init(struct heap *heap);
void heap_deinit(struct heap *heap);
/* Sets or moves the node's deadline. HEAP_NEVER takes it out. O(log n). */
void heap_set(struct heap *heap, struct heap_node *node, int64_t when_ns);
void heap_remove(struct heap *heap, struct heap_node *node);
/* The earliest deadline, HEAP_NEVER when empty. */
int64_t heap_deadline(const struct heap *heap);
/* Takes out and returns the earliest node that is due by now; NULL when none is. */
struct heap_node *heap_pop_due(struct heap *heap, int64_t now_ns);
bool heap_check(const struct heap *heap);

#endif

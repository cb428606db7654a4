/* SPDX-License-Identifier: MIT */
/*
 * Intrusive doubly linked list: the node lives in the element, so joining and leaving allocate
 * nothing and are O(1). A zeroed node is in no list. Order is the order of insertion, never that of
 * addresses.
 */
#ifndef FRESHET_BASE_LIST_H
#define FRESHET_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next;
    struct list_node *previous;
};

struct list {
    struct list_node head;
    size_t length;
};

#define LIST_ELEMENT(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *list)
{
    list->head.next = list->head.previous = &list->head;
    list->length = 0;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->length == 0;
}

static inline bool list_contains(const struct list_node *node)
{
    return node->next != NULL;
}

static inline void list_append(struct list *list, struct list_node *node)
{
    node->next = &list->head;
    node->previous = list->head.previous;
    list->head.previous->next = node;
    list->head.previous = node;
    list->length++;
}

static inline void list_prepend(struct list *list, struct list_node *node)
{
    node->previous = &list->head;
    node->next = list->head.next;
    list->head.next->previous = node;
    list->head.next = node;
    list->length++;
}

static inline void list_remove(struct list *list, struct list_node *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    node->next = node->previous = NULL;
    list->length--;
}

/* NULL when the list is empty or the node is the last. */
static inline struct list_node *list_first(const struct list *list)
{
    return list->length ? list->head.next : NULL;
}

static inline struct list_node *list_next(const struct list *list, const struct list_node *node)
{
    return node->next == &list->head ? NULL : node->next;
}

#endif

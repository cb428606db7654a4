/* SPDX-License-Identifier: MIT */
#include "services/api/api_order.h"

#include "core/base/memory.h"

#include <string.h>

void api_order_deinit(struct api_order *order)
{
    memory_free(order->keys);
    memory_free(order->spare);
    *order = (struct api_order){0};
}

void api_order_add(struct api_order *order, struct api_key key)
{
    if (order->count == order->capacity) {
        order->capacity = order->capacity ? order->capacity * 2 : 256;
        order->keys = memory_resize_array(order->keys, order->capacity, sizeof *order->keys);
    }
    order->keys[order->count++] = key;
}

void api_order_begin(struct api_order *order)
{
    memory_free(order->spare);
    order->spare = memory_new_array(order->capacity, sizeof *order->spare);
    order->width = 1;
    order->left = 0;
    order->at_left = order->at_right = 0;
}

static int compare(const struct api_order *order, const struct api_key *a, const struct api_key *b)
{
    int result = (a->number > b->number) - (a->number < b->number);
    if (result == 0 && a->text && b->text)
        result = strcmp(a->text, b->text);
    if (result == 0)
        result = (a->id > b->id) - (a->id < b->id);
    return order->descending ? -result : result;
}

static uint32_t smaller(uint64_t a, uint32_t b)
{
    return a < b ? (uint32_t)a : b;
}

/* Merges the two runs at `left`, from where it was put down; false: the slice is over. */
static bool merge(struct api_order *order, const struct api_turn *turn)
{
    uint32_t middle = smaller((uint64_t)order->left + order->width, order->count);
    uint32_t end = smaller((uint64_t)middle + order->width, order->count);
    uint32_t left = order->left + order->at_left, right = middle + order->at_right;
    while (left < middle || right < end) {
        uint32_t out = order->left + order->at_left + order->at_right;
        bool from_left = right == end || (left < middle && compare(order, &order->keys[left],
                                                                   &order->keys[right]) <= 0);
        order->spare[out] = order->keys[from_left ? left : right];
        if (from_left) {
            left++;
            order->at_left++;
        } else {
            right++;
            order->at_right++;
        }
        if (out % 64 == 63 && api_late(turn))
            return false;
    }
    order->left = end;
    order->at_left = order->at_right = 0;
    return true;
}

bool api_order_step(struct api_order *order, const struct api_turn *turn)
{
    while (order->width < order->count) {
        while (order->left < order->count)
            if (!merge(order, turn))
                return false;
        struct api_key *keys = order->keys;
        order->keys = order->spare;
        order->spare = keys;
        order->left = 0;
        order->width = order->width > UINT32_MAX / 2 ? UINT32_MAX : order->width * 2;
    }
    return true;
}

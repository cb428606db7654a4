/* SPDX-License-Identifier: MIT */
/*
 * Sorting that may be put down and taken up again: the engine's thread lends a slice at a time.
 * A merge sort from the bottom up; who is equal is told apart by its number, so one order comes
 * out.
 */
#ifndef FRESHET_API_API_ORDER_H
#define FRESHET_API_API_ORDER_H

#include "services/api/api_call.h"

struct api_key {
    torrent_id id;
    uint64_t number;  /* compared first */
    const char *text; /* then; NULL: nothing more */
};

struct api_order {
    struct api_key *keys, *spare; /* capacity each; the result is in keys */
    uint32_t count, capacity;
    bool descending;
    uint32_t width, left, at_left, at_right; /* private */
};

void api_order_deinit(struct api_order *order);
void api_order_add(struct api_order *order, struct api_key key);
void api_order_begin(struct api_order *order);
/* true: it is in order. false: the slice is over. */
bool api_order_step(struct api_order *order, const struct api_turn *turn);

#endif

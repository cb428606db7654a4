/* SPDX-License-Identifier: MIT */
/*
 * The items that others put here (BEP 44): at most 700, for two hours each. When they are too many
 * the one farthest from our id goes, or the newcomer if that is farther still: who fills us must
 * own the ids around us. Items are judged (dht_item_judge) before they come here.
 */
#ifndef FRESHET_DHT_DHT_ITEM_STORE_H
#define FRESHET_DHT_DHT_ITEM_STORE_H

#include "core/dht/dht_item.h"

struct dht_item_store;

struct dht_item_store *dht_item_store_new(uint64_t seed);
void dht_item_store_free(struct dht_item_store *store);
/* 0, or what to answer (enum krpc_error_code). `own`: our id. */
int dht_item_store_put(struct dht_item_store *store, const struct dht_id *own,
                       const struct krpc_item *item, int64_t now);
/* The item, borrowed until the next put or tick; without cas. false: not here. */
bool dht_item_store_get(const struct dht_item_store *store, const struct dht_id *target,
                        struct krpc_item *ret_item);
uint32_t dht_item_store_count(const struct dht_item_store *store);
void dht_item_store_tick(struct dht_item_store *store, int64_t now);
void dht_item_store_check(const struct dht_item_store *store);

#endif

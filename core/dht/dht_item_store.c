/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_item_store.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"

#include <string.h>

struct stored {
    struct list_node node; /* in order of the last put */
    struct dht_id target;
    int64_t put_ns;
    struct dht_item copy;
};

struct dht_item_store {
    struct map by_target;
    struct list items;
};

struct dht_item_store *dht_item_store_new(uint64_t seed)
{
    struct dht_item_store *store = memory_new(sizeof *store);
    map_init(&store->by_target, DHT_ID_SIZE, seed);
    list_init(&store->items);
    return store;
}

static void forget(struct dht_item_store *store, struct stored *stored)
{
    map_remove(&store->by_target, stored->target.bytes);
    list_remove(&store->items, &stored->node);
    memory_free(stored);
}

void dht_item_store_free(struct dht_item_store *store)
{
    if (!store)
        return;
    for (struct list_node *node; (node = list_first(&store->items));)
        forget(store, LIST_ELEMENT(node, struct stored, node));
    map_deinit(&store->by_target);
    memory_free(store);
}

/* false: all that are here are nearer to us. */
static bool make_room(struct dht_item_store *store, const struct dht_id *own,
                      const struct dht_id *target)
{
    struct stored *farthest = NULL;
    if (store->items.length < LIMIT_DHT_ITEMS)
        return true;
    for (struct list_node *node = list_first(&store->items); node;
         node = list_next(&store->items, node)) {
        struct stored *stored = LIST_ELEMENT(node, struct stored, node);
        if (!farthest || dht_id_compare_distance(own, &stored->target, &farthest->target) > 0)
            farthest = stored;
    }
    if (dht_id_compare_distance(own, target, &farthest->target) >= 0)
        return false;
    forget(store, farthest);
    return true;
}

/* May the new one take the old one's place (BEP 44)? */
static int judge(const struct krpc_item *old, const struct krpc_item *item)
{
    if (!item->key)
        return 0;
    if (item->has_cas && item->cas != old->seq)
        return KRPC_ERROR_CAS;
    bool is_other = item->seq == old->seq && !bytes_equal(item->value, old->value);
    return item->seq < old->seq || is_other ? KRPC_ERROR_SEQ : 0;
}

int dht_item_store_put(struct dht_item_store *store, const struct dht_id *own,
                       const struct krpc_item *item, int64_t now)
{
    struct dht_id target = krpc_item_target(item);
    struct stored *stored = map_get(&store->by_target, target.bytes);
    if (stored) {
        int problem = judge(&stored->copy.item, item);
        if (problem)
            return problem;
        list_remove(&store->items, &stored->node);
    } else {
        if (!make_room(store, own, &target))
            return KRPC_ERROR_SERVER;
        stored = memory_new(sizeof *stored);
        stored->target = target;
        map_put(&store->by_target, target.bytes, stored);
    }
    dht_item_init(&stored->copy, item);
    stored->copy.item.has_cas = false;
    stored->put_ns = now;
    list_append(&store->items, &stored->node);
    return 0;
}

bool dht_item_store_get(const struct dht_item_store *store, const struct dht_id *target,
                        struct krpc_item *ret_item)
{
    const struct stored *stored = map_get(&store->by_target, target->bytes);
    if (stored)
        *ret_item = stored->copy.item;
    return stored != NULL;
}

uint32_t dht_item_store_count(const struct dht_item_store *store)
{
    return (uint32_t)store->items.length;
}

void dht_item_store_tick(struct dht_item_store *store, int64_t now)
{
    struct list_node *node;
    while ((node = list_first(&store->items))) {
        struct stored *stored = LIST_ELEMENT(node, struct stored, node);
        if (now - stored->put_ns < LIMIT_DHT_ITEM_LIFE_NS)
            break;
        forget(store, stored);
    }
}

void dht_item_store_check(const struct dht_item_store *store)
{
    CHECK(store->items.length <= LIMIT_DHT_ITEMS);
    CHECK(store->items.length == store->by_target.length);
    for (struct list_node *node = list_first(&store->items); node;
         node = list_next(&store->items, node)) {
        const struct stored *stored = LIST_ELEMENT(node, struct stored, node);
        CHECK(stored->copy.item.value.length <= LIMIT_DHT_VALUE);
        CHECK(map_get(&store->by_target, stored->target.bytes) == stored);
    }
}

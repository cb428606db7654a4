/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_announcer.h"

#include "core/base/memory.h"

void dht_announcer_init(struct dht_announcer *announcer, uint64_t seed)
{
    heap_init(&announcer->due);
    map_init(&announcer->by_hash, DHT_ID_SIZE, seed);
    announcer->next_ns = 0;
}

static void forget(struct dht_announcer *announcer, struct dht_announcement *kept)
{
    heap_remove(&announcer->due, &kept->node);
    map_remove(&announcer->by_hash, kept->info_hash.bytes);
    memory_free(kept);
}

void dht_announcer_deinit(struct dht_announcer *announcer)
{
    while (announcer->due.length > 0)
        forget(announcer, HEAP_ELEMENT(announcer->due.nodes[0], struct dht_announcement, node));
    heap_deinit(&announcer->due);
    map_deinit(&announcer->by_hash);
}

/* The first free slot from `from` on. */
static int64_t reserve(struct dht_announcer *announcer, int64_t from)
{
    int64_t slot = announcer->next_ns > from ? announcer->next_ns : from;
    announcer->next_ns = slot + LIMIT_DHT_ANNOUNCE_GAP_NS;
    return slot;
}

enum freshet_error dht_announcer_keep(struct dht_announcer *announcer, int64_t now,
                                      const struct dht_id *info_hash, uint16_t port, bool is_seed)
{
    struct dht_announcement *kept = map_get(&announcer->by_hash, info_hash->bytes);
    if (!kept) {
        if (announcer->by_hash.length >= 2 * (size_t)LIMIT_TORRENTS)
            return FRESHET_ERROR_LIMIT;
        kept = memory_new(sizeof *kept);
        kept->info_hash = *info_hash;
        map_put(&announcer->by_hash, info_hash->bytes, kept);
        heap_set(&announcer->due, &kept->node, reserve(announcer, now));
    }
    kept->port = port;
    kept->is_seed = is_seed;
    return FRESHET_OK;
}

const struct dht_announcement *dht_announcer_find(const struct dht_announcer *announcer,
                                                  const struct dht_id *info_hash)
{
    return map_get(&announcer->by_hash, info_hash->bytes);
}

void dht_announcer_drop(struct dht_announcer *announcer, const struct dht_id *info_hash)
{
    struct dht_announcement *kept = map_get(&announcer->by_hash, info_hash->bytes);
    if (kept)
        forget(announcer, kept);
}

const struct dht_announcement *dht_announcer_take(struct dht_announcer *announcer, int64_t now)
{
    struct heap_node *node = heap_pop_due(&announcer->due, now);
    if (!node)
        return NULL;
    struct dht_announcement *kept = HEAP_ELEMENT(node, struct dht_announcement, node);
    /* What was spread when it came in stays spread. When there are more than fit into the interval,
     * each waits for its turn. */
    int64_t round = (int64_t)announcer->by_hash.length * LIMIT_DHT_ANNOUNCE_GAP_NS;
    heap_set(&announcer->due, node,
             now + (round > LIMIT_DHT_ANNOUNCE_NS ? round : LIMIT_DHT_ANNOUNCE_NS));
    return kept;
}

void dht_announcer_retry(struct dht_announcer *announcer, const struct dht_id *info_hash,
                         int64_t when_ns)
{
    struct dht_announcement *kept = map_get(&announcer->by_hash, info_hash->bytes);
    if (kept && when_ns < kept->node.when_ns)
        heap_set(&announcer->due, &kept->node, reserve(announcer, when_ns));
}

int64_t dht_announcer_deadline(const struct dht_announcer *announcer)
{
    return heap_deadline(&announcer->due);
}

uint32_t dht_announcer_count(const struct dht_announcer *announcer)
{
    return (uint32_t)announcer->by_hash.length;
}

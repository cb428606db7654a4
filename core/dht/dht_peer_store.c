/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_peer_store.h"

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"

#include <string.h>

#define LOOK_NS (60 * SECOND_NS)

struct stored {
    uint8_t ip[16];
    uint32_t seen_s;
    uint16_t port;
    bool is_seed;
};

_Static_assert(sizeof(struct stored) == 24, "a million of them may be stored");

struct torrent {
    struct list_node node; /* in order of the last announce */
    struct dht_id info_hash;
    struct stored *peers; /* in order of their last announce */
    uint32_t count;
    uint32_t capacity;
};

struct dht_peer_store {
    struct map by_hash;
    struct list torrents;
    uint32_t peer_count;
    int64_t looked_ns;
    enum address_family family;
};

struct dht_peer_store *dht_peer_store_new(enum address_family family, uint64_t seed)
{
    struct dht_peer_store *store = memory_new(sizeof *store);
    store->family = family;
    map_init(&store->by_hash, DHT_ID_SIZE, seed);
    list_init(&store->torrents);
    return store;
}

static void forget_torrent(struct dht_peer_store *store, struct torrent *torrent)
{
    map_remove(&store->by_hash, torrent->info_hash.bytes);
    list_remove(&store->torrents, &torrent->node);
    store->peer_count -= torrent->count;
    memory_free(torrent->peers);
    memory_free(torrent);
}

void dht_peer_store_free(struct dht_peer_store *store)
{
    if (!store)
        return;
    for (struct list_node *node; (node = list_first(&store->torrents));)
        forget_torrent(store, LIST_ELEMENT(node, struct torrent, node));
    map_deinit(&store->by_hash);
    memory_free(store);
}

/* A torrent that was fewest stays for long, so the walk is short where it matters: under a flood
 * the first one is already the fewest that there can be. */
static void make_room(struct dht_peer_store *store)
{
    struct torrent *fewest = NULL;
    for (struct list_node *node = list_first(&store->torrents); node;
         node = list_next(&store->torrents, node)) {
        struct torrent *torrent = LIST_ELEMENT(node, struct torrent, node);
        if (!fewest || torrent->count < fewest->count)
            fewest = torrent;
        if (fewest->count <= 1)
            break;
    }
    if (fewest)
        forget_torrent(store, fewest);
}

static struct torrent *torrent_of(struct dht_peer_store *store, const struct dht_id *info_hash)
{
    struct torrent *torrent = map_get(&store->by_hash, info_hash->bytes);
    if (torrent) {
        list_remove(&store->torrents, &torrent->node);
    } else {
        if (store->torrents.length >= LIMIT_DHT_TORRENTS)
            make_room(store);
        torrent = memory_new(sizeof *torrent);
        torrent->info_hash = *info_hash;
        map_put(&store->by_hash, info_hash->bytes, torrent);
    }
    list_append(&store->torrents, &torrent->node);
    return torrent;
}

static void forget_peer(struct dht_peer_store *store, struct torrent *torrent, uint32_t i)
{
    torrent->count--;
    store->peer_count--;
    memmove(&torrent->peers[i], &torrent->peers[i + 1],
            (torrent->count - i) * sizeof torrent->peers[0]);
}

/* Takes out the peer's former announce, or the oldest of too many behind its address. */
static void forget_former(struct dht_peer_store *store, struct torrent *torrent,
                          const struct address *peer)
{
    uint32_t oldest = 0, same = 0;
    for (uint32_t i = 0; i < torrent->count; i++) {
        if (memcmp(torrent->peers[i].ip, peer->ip, sizeof peer->ip) != 0)
            continue;
        if (torrent->peers[i].port == peer->port) {
            forget_peer(store, torrent, i);
            return;
        }
        if (same++ == 0)
            oldest = i;
    }
    if (same >= LIMIT_DHT_PEERS_ADDRESS)
        forget_peer(store, torrent, oldest);
    else if (torrent->count >= LIMIT_DHT_PEERS)
        forget_peer(store, torrent, 0);
}

void dht_peer_store_announce(struct dht_peer_store *store, const struct dht_id *info_hash,
                             const struct address *peer, bool is_seed, int64_t now)
{
    if (peer->family != store->family || peer->port == 0)
        return;
    struct torrent *torrent = torrent_of(store, info_hash);
    forget_former(store, torrent, peer);
    if (torrent->count == torrent->capacity) {
        torrent->capacity = torrent->capacity ? torrent->capacity * 2 : 4;
        torrent->peers =
            memory_resize_array(torrent->peers, torrent->capacity, sizeof torrent->peers[0]);
    }
    struct stored *stored = &torrent->peers[torrent->count++];
    memcpy(stored->ip, peer->ip, sizeof stored->ip);
    stored->port = peer->port;
    stored->is_seed = is_seed;
    stored->seen_s = (uint32_t)(now / SECOND_NS);
    store->peer_count++;
}

uint32_t dht_peer_store_pick(const struct dht_peer_store *store, const struct dht_id *info_hash,
                             bool no_seeds, struct rng *rng, struct address *ret_peers,
                             uint32_t peers_max)
{
    uint16_t places[LIMIT_DHT_PEERS];
    uint32_t count = 0;
    const struct torrent *torrent = map_get(&store->by_hash, info_hash->bytes);
    for (uint32_t i = 0; torrent && i < torrent->count; i++)
        if (!no_seeds || !torrent->peers[i].is_seed)
            places[count++] = (uint16_t)i;
    uint32_t taken = 0;
    for (; taken < peers_max && taken < count; taken++) {
        uint32_t other = taken + rng_below(rng, count - taken);
        uint16_t place = places[other];
        places[other] = places[taken];
        const struct stored *stored = &torrent->peers[place];
        ret_peers[taken] = (struct address){.family = (uint8_t)store->family, .port = stored->port};
        memcpy(ret_peers[taken].ip, stored->ip, sizeof stored->ip);
    }
    return taken;
}

bool dht_peer_store_blooms(const struct dht_peer_store *store, const struct dht_id *info_hash,
                           uint8_t ret_seeds[DHT_BLOOM_SIZE], uint8_t ret_peers[DHT_BLOOM_SIZE])
{
    const struct torrent *torrent = map_get(&store->by_hash, info_hash->bytes);
    if (!torrent)
        return false;
    memset(ret_seeds, 0, DHT_BLOOM_SIZE);
    memset(ret_peers, 0, DHT_BLOOM_SIZE);
    for (uint32_t i = 0; i < torrent->count; i++) {
        struct address address = {.family = (uint8_t)store->family};
        memcpy(address.ip, torrent->peers[i].ip, sizeof address.ip);
        dht_bloom_insert(torrent->peers[i].is_seed ? ret_seeds : ret_peers, &address);
    }
    return true;
}

uint32_t dht_peer_store_sample(const struct dht_peer_store *store, uint64_t seed,
                               struct dht_id *ret_hashes, uint32_t hashes_max)
{
    struct rng rng;
    uint32_t seen = 0;
    rng_init(&rng, seed);
    for (struct list_node *node = list_first(&store->torrents); node;
         node = list_next(&store->torrents, node), seen++) {
        uint32_t place = seen < hashes_max ? seen : rng_below(&rng, seen + 1);
        if (place < hashes_max)
            ret_hashes[place] = LIST_ELEMENT(node, struct torrent, node)->info_hash;
    }
    return seen < hashes_max ? seen : hashes_max;
}

uint32_t dht_peer_store_torrent_count(const struct dht_peer_store *store)
{
    return (uint32_t)store->torrents.length;
}

uint32_t dht_peer_store_peer_count(const struct dht_peer_store *store)
{
    return store->peer_count;
}

void dht_peer_store_tick(struct dht_peer_store *store, int64_t now)
{
    if (now - store->looked_ns < LOOK_NS)
        return;
    store->looked_ns = now;
    struct list_node *node = list_first(&store->torrents);
    while (node) {
        struct torrent *torrent = LIST_ELEMENT(node, struct torrent, node);
        node = list_next(&store->torrents, node);
        while (torrent->count &&
               now / SECOND_NS - torrent->peers[0].seen_s > LIMIT_DHT_PEER_LIFE_NS / SECOND_NS)
            forget_peer(store, torrent, 0);
        if (torrent->count == 0)
            forget_torrent(store, torrent);
    }
}

void dht_peer_store_check(const struct dht_peer_store *store)
{
    uint32_t peers = 0;
    CHECK(store->torrents.length <= LIMIT_DHT_TORRENTS);
    CHECK(store->torrents.length == store->by_hash.length);
    for (struct list_node *node = list_first(&store->torrents); node;
         node = list_next(&store->torrents, node)) {
        const struct torrent *torrent = LIST_ELEMENT(node, struct torrent, node);
        CHECK(torrent->count > 0);
        CHECK(torrent->count <= LIMIT_DHT_PEERS);
        peers += torrent->count;
        for (uint32_t i = 1; i < torrent->count; i++)
            CHECK(torrent->peers[i - 1].seen_s <= torrent->peers[i].seen_s);
    }
    CHECK(peers == store->peer_count);
}

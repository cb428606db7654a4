/* SPDX-License-Identifier: MIT */
#include "core/tracker/peer_store.h"

#include "core/base/check.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/rng.h"

#include <string.h>

enum { SCOPE_PUBLIC, SCOPE_LAN, SCOPE_LOOPBACK, SCOPE_COUNT };
enum { FAMILY_COUNT = 2 };

/* Peers that are alike for whoever may get them. Their order has no meaning. */
struct group {
    struct stored_peer **peers;
    uint32_t count;
    uint32_t capacity;
};

struct stored_swarm {
    uint8_t info_hash[TRACKER_HASH_SIZE];
    uint64_t number; /* never used twice: stands for the swarm in the keys of the maps */
    struct group groups[FAMILY_COUNT][PEER_KIND_COUNT][SCOPE_COUNT];
    uint32_t clients[PEER_KIND_COUNT]; /* counted once, whatever their families */
    uint32_t peer_count;               /* records */
    uint32_t downloaded;
    struct list_node by_idleness; /* in `idle` while it has no peers */
    struct list_node by_age;      /* in `swarms` */
};

struct peer_store {
    struct peer_store_options options;
    struct rng rng;
    struct map by_hash;     /* info-hash -> swarm */
    struct map by_address;  /* swarm number, address -> peer */
    struct map by_identity; /* swarm number, peer id, key -> the peer that is counted */
    struct map quotas;      /* swarm number (0: all), network -> how many, as a pointer */
    struct list peers;      /* longest silent first */
    struct list swarms;     /* oldest first */
    struct list idle;       /* longest without peers first */
    uint64_t number_next;
};

#define ADDRESS_KEY_SIZE  28
#define IDENTITY_KEY_SIZE 32
#define QUOTA_KEY_SIZE    20

struct peer_store *peer_store_new(const struct peer_store_options *options)
{
    struct peer_store *store = memory_new(sizeof *store);
    store->options = *options;
    struct peer_store_options *own = &store->options;
    own->swarms_max = own->swarms_max ? own->swarms_max : LIMIT_TRACKER_SWARMS;
    own->peers_max = own->peers_max ? own->peers_max : LIMIT_TRACKER_STORED_PEERS;
    own->same_address_max =
        own->same_address_max ? own->same_address_max : LIMIT_TRACKER_SAME_ADDRESS;
    own->records_address_max =
        own->records_address_max ? own->records_address_max : LIMIT_TRACKER_RECORDS_ADDRESS;
    rng_init(&store->rng, options->seed);
    map_init(&store->by_hash, TRACKER_HASH_SIZE, rng_u64(&store->rng));
    map_init(&store->by_address, ADDRESS_KEY_SIZE, rng_u64(&store->rng));
    map_init(&store->by_identity, IDENTITY_KEY_SIZE, rng_u64(&store->rng));
    map_init(&store->quotas, QUOTA_KEY_SIZE, rng_u64(&store->rng));
    list_init(&store->peers);
    list_init(&store->swarms);
    list_init(&store->idle);
    store->number_next = 1;
    return store;
}

/* --- Keys --- */

static void address_key(const struct stored_swarm *swarm, const struct address *address,
                        uint8_t key[ADDRESS_KEY_SIZE])
{
    memcpy(key, &swarm->number, 8);
    key[8] = address->family;
    key[9] = 0;
    memcpy(key + 10, &address->port, 2);
    memcpy(key + 12, address->ip, 16);
}

static void identity_key(const struct stored_swarm *swarm, const uint8_t *peer_id, uint32_t number,
                         uint8_t key[IDENTITY_KEY_SIZE])
{
    memcpy(key, &swarm->number, 8);
    memcpy(key + 8, peer_id, TRACKER_PEER_ID_SIZE);
    memcpy(key + 28, &number, 4);
}

/* One customer of an IPv6 provider has a /64 at least, so that is what counts as one address. */
static void quota_key(uint64_t number, const struct address *address, uint8_t key[QUOTA_KEY_SIZE])
{
    memset(key, 0, QUOTA_KEY_SIZE);
    memcpy(key, &number, 8);
    key[8] = address->family;
    memcpy(key + 12, address->ip, address->family == ADDRESS_IPV6 ? 8 : 4);
}

static uint32_t quota_used(const struct peer_store *store, uint64_t number,
                           const struct address *address)
{
    uint8_t key[QUOTA_KEY_SIZE];
    quota_key(number, address, key);
    return (uint32_t)(uintptr_t)map_get(&store->quotas, key);
}

static void quota_change(struct peer_store *store, uint64_t number, const struct address *address,
                         int change)
{
    uint8_t key[QUOTA_KEY_SIZE];
    quota_key(number, address, key);
    uintptr_t count = (uintptr_t)map_get(&store->quotas, key) + (uintptr_t)change;
    if (count > 0)
        map_put(&store->quotas, key, (void *)count);
    else
        map_remove(&store->quotas, key);
}

/* --- Groups --- */

static uint8_t scope_of(const struct address *address)
{
    if (address_is_loopback(address))
        return SCOPE_LOOPBACK;
    return address_is_private(address) ? SCOPE_LAN : SCOPE_PUBLIC;
}

static struct group *group_of(const struct stored_peer *peer)
{
    return &peer->swarm->groups[peer->address.family == ADDRESS_IPV6][peer->kind][peer->scope];
}

static void group_add(struct group *group, struct stored_peer *peer)
{
    if (group->count == group->capacity) {
        group->capacity = group->capacity ? 2 * group->capacity : 4;
        group->peers = memory_resize_array(group->peers, group->capacity, sizeof *group->peers);
    }
    peer->place = group->count;
    group->peers[group->count++] = peer;
}

static void group_remove(struct group *group, struct stored_peer *peer)
{
    struct stored_peer *last = group->peers[--group->count];
    group->peers[peer->place] = last;
    last->place = peer->place;
    if (group->count == 0) {
        memory_free(group->peers);
        *group = (struct group){0};
    }
}

static void group_swap(struct group *group, uint32_t a, uint32_t b)
{
    struct stored_peer *peer = group->peers[a];
    group->peers[a] = group->peers[b];
    group->peers[b] = peer;
    group->peers[a]->place = a;
    group->peers[b]->place = b;
}

/* --- Swarms --- */

static struct stored_swarm *find_swarm(const struct peer_store *store, const uint8_t *info_hash)
{
    return map_get(&store->by_hash, info_hash);
}

static void drop_swarm(struct peer_store *store, struct stored_swarm *swarm)
{
    CHECK(swarm->peer_count == 0);
    if (list_contains(&swarm->by_idleness))
        list_remove(&store->idle, &swarm->by_idleness);
    list_remove(&store->swarms, &swarm->by_age);
    map_remove(&store->by_hash, swarm->info_hash);
    memory_free(swarm);
}

/* NULL when there is no room: as many swarms as may be have peers. */
static struct stored_swarm *add_swarm(struct peer_store *store, const uint8_t *info_hash)
{
    if (store->swarms.length >= store->options.swarms_max) {
        struct list_node *node = list_first(&store->idle);
        if (node == NULL)
            return NULL;
        drop_swarm(store, LIST_ELEMENT(node, struct stored_swarm, by_idleness));
    }
    struct stored_swarm *swarm = memory_new(sizeof *swarm);
    memcpy(swarm->info_hash, info_hash, TRACKER_HASH_SIZE);
    swarm->number = store->number_next++;
    map_put(&store->by_hash, info_hash, swarm);
    list_append(&store->swarms, &swarm->by_age);
    return swarm;
}

/* --- Peers --- */

static struct stored_peer *find_peer(const struct peer_store *store,
                                     const struct stored_swarm *swarm,
                                     const struct address *address)
{
    uint8_t key[ADDRESS_KEY_SIZE];
    address_key(swarm, address, key);
    return map_get(&store->by_address, key);
}

/* Makes the peer count: alone under its identity, or beside a twin that is counted already. */
static void join_identity(struct peer_store *store, struct stored_peer *peer)
{
    uint8_t key[IDENTITY_KEY_SIZE];
    identity_key(peer->swarm, peer->peer_id, peer->key, key);
    struct stored_peer *counted = map_get(&store->by_identity, key);
    if (counted == NULL) {
        map_put(&store->by_identity, key, peer);
    } else if (counted->other == NULL && counted->address.family != peer->address.family) {
        peer->is_twin = true;
        peer->other = counted;
        counted->other = peer;
        return;
    }
    peer->swarm->clients[peer->kind]++;
}

static void leave_identity(struct peer_store *store, struct stored_peer *peer)
{
    uint8_t key[IDENTITY_KEY_SIZE];
    identity_key(peer->swarm, peer->peer_id, peer->key, key);
    struct stored_peer *other = peer->other;
    peer->other = NULL;
    if (other)
        other->other = NULL;
    if (peer->is_twin) {
        peer->is_twin = false;
        return;
    }
    peer->swarm->clients[peer->kind]--;
    if (map_get(&store->by_identity, key) != peer)
        return;
    map_remove(&store->by_identity, key);
    if (other) {
        other->is_twin = false;
        map_put(&store->by_identity, key, other);
        other->swarm->clients[other->kind]++;
    }
}

static void remove_peer(struct peer_store *store, struct stored_peer *peer)
{
    struct stored_swarm *swarm = peer->swarm;
    uint8_t key[ADDRESS_KEY_SIZE];
    address_key(swarm, &peer->address, key);
    leave_identity(store, peer);
    group_remove(group_of(peer), peer);
    map_remove(&store->by_address, key);
    list_remove(&store->peers, &peer->by_age);
    quota_change(store, swarm->number, &peer->address, -1);
    quota_change(store, 0, &peer->address, -1);
    memory_free(peer);
    if (--swarm->peer_count > 0)
        return;
    if (swarm->downloaded > 0)
        list_append(&store->idle, &swarm->by_idleness);
    else
        drop_swarm(store, swarm);
}

void peer_store_free(struct peer_store *store)
{
    if (store == NULL)
        return;
    struct list_node *node;
    while ((node = list_first(&store->peers)) != NULL)
        remove_peer(store, LIST_ELEMENT(node, struct stored_peer, by_age));
    while ((node = list_first(&store->swarms)) != NULL)
        drop_swarm(store, LIST_ELEMENT(node, struct stored_swarm, by_age));
    map_deinit(&store->by_hash);
    map_deinit(&store->by_address);
    map_deinit(&store->by_identity);
    map_deinit(&store->quotas);
    memory_free(store);
}

static enum freshet_error may_add(const struct peer_store *store, const struct stored_swarm *swarm,
                                  const struct peer_visit *visit)
{
    if (store->peers.length >= store->options.peers_max)
        return FRESHET_ERROR_LIMIT;
    if (scope_of(&visit->address) == SCOPE_LOOPBACK)
        return FRESHET_OK;
    if (quota_used(store, 0, &visit->address) >= store->options.records_address_max)
        return FRESHET_ERROR_REFUSED;
    if (swarm &&
        quota_used(store, swarm->number, &visit->address) >= store->options.same_address_max)
        return FRESHET_ERROR_REFUSED;
    return FRESHET_OK;
}

static struct stored_peer *add_peer(struct peer_store *store, struct stored_swarm *swarm,
                                    const struct peer_visit *visit)
{
    uint8_t key[ADDRESS_KEY_SIZE];
    struct stored_peer *peer = memory_new(sizeof *peer);
    peer->address = visit->address;
    memcpy(peer->peer_id, visit->peer_id, TRACKER_PEER_ID_SIZE);
    peer->key = visit->key;
    peer->kind = (uint8_t)visit->kind;
    peer->scope = scope_of(&visit->address);
    peer->swarm = swarm;
    if (list_contains(&swarm->by_idleness))
        list_remove(&store->idle, &swarm->by_idleness);
    address_key(swarm, &peer->address, key);
    map_put(&store->by_address, key, peer);
    list_append(&store->peers, &peer->by_age);
    quota_change(store, swarm->number, &peer->address, 1);
    quota_change(store, 0, &peer->address, 1);
    group_add(group_of(peer), peer);
    swarm->peer_count++;
    join_identity(store, peer);
    return peer;
}

/* Both families of a client say that it completed; the first one counts. */
static bool is_completion(const struct stored_peer *peer, const struct peer_visit *visit)
{
    return visit->event == TRACKER_EVENT_COMPLETED && visit->kind == PEER_KIND_SEED &&
           peer->kind != PEER_KIND_SEED &&
           (peer->other == NULL || peer->other->kind != PEER_KIND_SEED);
}

static void update_peer(struct peer_store *store, struct stored_peer *peer,
                        const struct peer_visit *visit)
{
    if (is_completion(peer, visit) && peer->swarm->downloaded < UINT32_MAX)
        peer->swarm->downloaded++;
    /* A client that was started anew at the same place has another peer id. */
    bool is_same =
        peer->key == visit->key && memcmp(peer->peer_id, visit->peer_id, TRACKER_PEER_ID_SIZE) == 0;
    if (!is_same)
        leave_identity(store, peer);
    else if (!peer->is_twin)
        peer->swarm->clients[peer->kind]--;
    group_remove(group_of(peer), peer);
    memcpy(peer->peer_id, visit->peer_id, TRACKER_PEER_ID_SIZE);
    peer->key = visit->key;
    peer->kind = (uint8_t)visit->kind;
    group_add(group_of(peer), peer);
    if (!is_same)
        join_identity(store, peer);
    else if (!peer->is_twin)
        peer->swarm->clients[peer->kind]++;
    list_remove(&store->peers, &peer->by_age);
    list_append(&store->peers, &peer->by_age);
}

/* --- Whom to hand out --- */

/* The groups that this visitor can use, and a random order without repeats over all of them: each
 * draw takes any of the peers left, with equal chance, and swaps it to the front of its group. */
struct draw {
    struct group *groups[PEER_KIND_COUNT * SCOPE_COUNT];
    uint32_t drawn[PEER_KIND_COUNT * SCOPE_COUNT];
    size_t group_count;
    uint32_t left;
};

static void draw_init(struct draw *draw, struct stored_swarm *swarm, const struct peer_visit *visit)
{
    *draw = (struct draw){0};
    size_t family = visit->address.family == ADDRESS_IPV6;
    uint8_t scope_max = scope_of(&visit->address);
    for (size_t kind = 0; kind < PEER_KIND_COUNT; kind++) {
        /* Who wants no pieces can use only those who do. */
        if (visit->kind != PEER_KIND_DOWNLOADER && kind != PEER_KIND_DOWNLOADER)
            continue;
        for (size_t scope = 0; scope <= scope_max; scope++) {
            struct group *group = &swarm->groups[family][kind][scope];
            if (group->count == 0)
                continue;
            draw->groups[draw->group_count++] = group;
            draw->left += group->count;
        }
    }
}

static const struct stored_peer *draw_one(struct draw *draw, struct rng *rng)
{
    uint32_t pick = rng_below(rng, draw->left);
    size_t at = 0;
    while (pick >= draw->groups[at]->count - draw->drawn[at]) {
        pick -= draw->groups[at]->count - draw->drawn[at];
        at++;
    }
    struct group *group = draw->groups[at];
    group_swap(group, draw->drawn[at], draw->drawn[at] + pick);
    draw->left--;
    return group->peers[draw->drawn[at]++];
}

static void choose_peers(struct peer_store *store, struct stored_swarm *swarm,
                         const struct peer_visit *visit, struct peer_answer *answer)
{
    struct draw draw;
    uint32_t wanted = visit->wanted < LIMIT_TRACKER_PEERS ? visit->wanted : LIMIT_TRACKER_PEERS;
    draw_init(&draw, swarm, visit);
    while (answer->peer_count < wanted && draw.left > 0) {
        const struct stored_peer *peer = draw_one(&draw, &store->rng);
        if (address_equal(&peer->address, &visit->address) ||
            memcmp(peer->peer_id, visit->peer_id, TRACKER_PEER_ID_SIZE) == 0)
            continue;
        answer->peers[answer->peer_count++] = peer;
    }
}

static void fill_counts(const struct stored_swarm *swarm, struct tracker_counts *counts)
{
    counts->complete = swarm->clients[PEER_KIND_SEED];
    counts->downloaders = swarm->clients[PEER_KIND_DOWNLOADER];
    counts->incomplete = counts->downloaders + swarm->clients[PEER_KIND_PAUSED];
    counts->downloaded = swarm->downloaded;
}

static void depart(struct peer_store *store, struct stored_swarm *swarm,
                   const struct peer_visit *visit, struct peer_answer *answer)
{
    struct stored_peer *peer = swarm ? find_peer(store, swarm, &visit->address) : NULL;
    if (peer)
        remove_peer(store, peer);
    peer_store_counts(store, visit->info_hash, &answer->counts);
}

enum freshet_error peer_store_announce(struct peer_store *store, int64_t now,
                                       const struct peer_visit *visit,
                                       struct peer_answer *ret_answer)
{
    CHECK(visit->address.port != 0);
    peer_store_tick(store, now);
    ret_answer->peer_count = 0;
    ret_answer->counts = (struct tracker_counts){0};
    struct stored_swarm *swarm = find_swarm(store, visit->info_hash);
    if (visit->event == TRACKER_EVENT_STOPPED) {
        depart(store, swarm, visit, ret_answer);
        return FRESHET_OK;
    }
    struct stored_peer *peer = swarm ? find_peer(store, swarm, &visit->address) : NULL;
    if (peer) {
        update_peer(store, peer, visit);
    } else {
        enum freshet_error error = may_add(store, swarm, visit);
        if (error != FRESHET_OK)
            return error;
        if (swarm == NULL)
            swarm = add_swarm(store, visit->info_hash);
        if (swarm == NULL)
            return FRESHET_ERROR_LIMIT;
        peer = add_peer(store, swarm, visit);
    }
    peer->seen_ns = now;
    fill_counts(swarm, &ret_answer->counts);
    choose_peers(store, swarm, visit, ret_answer);
    return FRESHET_OK;
}

void peer_store_counts(const struct peer_store *store, const uint8_t info_hash[TRACKER_HASH_SIZE],
                       struct tracker_counts *ret_counts)
{
    const struct stored_swarm *swarm = find_swarm(store, info_hash);
    *ret_counts = (struct tracker_counts){0};
    if (swarm)
        fill_counts(swarm, ret_counts);
}

void peer_store_tick(struct peer_store *store, int64_t now)
{
    while (!list_is_empty(&store->peers) && peer_store_deadline(store) <= now)
        remove_peer(store, LIST_ELEMENT(list_first(&store->peers), struct stored_peer, by_age));
}

int64_t peer_store_deadline(const struct peer_store *store)
{
    struct list_node *node = list_first(&store->peers);
    if (node == NULL)
        return INT64_MAX;
    return LIST_ELEMENT(node, struct stored_peer, by_age)->seen_ns + store->options.life_ns;
}

uint32_t peer_store_peer_count(const struct peer_store *store)
{
    return (uint32_t)store->peers.length;
}

uint32_t peer_store_swarm_count(const struct peer_store *store)
{
    return (uint32_t)store->swarms.length;
}

static uint32_t check_group(const struct group *group, uint32_t *counted)
{
    CHECK(group->count <= group->capacity);
    for (uint32_t i = 0; i < group->count; i++) {
        const struct stored_peer *peer = group->peers[i];
        CHECK(peer->place == i);
        CHECK(group_of(peer) == group);
        CHECK(!peer->is_twin || peer->other != NULL);
        CHECK(peer->other == NULL || peer->other->other == peer);
        counted[peer->kind] += !peer->is_twin;
    }
    return group->count;
}

void peer_store_check(const struct peer_store *store)
{
    size_t peers = 0;
    CHECK(store->swarms.length <= store->options.swarms_max);
    CHECK(store->peers.length <= store->options.peers_max);
    CHECK(store->by_address.length == store->peers.length);
    CHECK(store->by_hash.length == store->swarms.length);
    CHECK(store->by_identity.length <= store->peers.length);
    for (struct list_node *node = list_first(&store->swarms); node;
         node = list_next(&store->swarms, node)) {
        const struct stored_swarm *swarm = LIST_ELEMENT(node, struct stored_swarm, by_age);
        uint32_t counted[PEER_KIND_COUNT] = {0}, records = 0;
        for (size_t family = 0; family < FAMILY_COUNT; family++)
            for (size_t kind = 0; kind < PEER_KIND_COUNT; kind++)
                for (size_t scope = 0; scope < SCOPE_COUNT; scope++)
                    records += check_group(&swarm->groups[family][kind][scope], counted);
        CHECK(records == swarm->peer_count);
        CHECK(memcmp(counted, swarm->clients, sizeof counted) == 0);
        CHECK((records == 0) == list_contains(&swarm->by_idleness));
        peers += records;
    }
    CHECK(peers == store->peers.length);
}

/* SPDX-License-Identifier: MIT */
#include "core/swarm/peer_list_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/wire/peer_priority.h"

#include <string.h>

#define SOURCE_SHARE (LIMIT_PEER_LIST / 2)
#define PREFIX_SHARE (LIMIT_PEER_LIST / 8)
#define BANS_MAX     4096u

/* What maps are keyed by: all bytes of an address are defined (struct address has no holes). */
struct prefix_key {
    uint8_t family;
    uint8_t bytes[7];
};

static struct prefix_key prefix_of(const struct address *address)
{
    struct prefix_key key = {.family = address->family};
    memcpy(key.bytes, address->ip, address->family == ADDRESS_IPV4 ? 2 : 4);
    return key;
}

static struct address without_port(const struct address *address)
{
    struct address key = *address;
    key.port = 0;
    key.pad = 0;
    return key;
}

static struct address key_of(const struct address *address)
{
    struct address key = *address;
    key.pad = 0;
    return key;
}

struct peer_list *peer_list_new(uint64_t seed)
{
    struct peer_list *list = memory_new(sizeof *list);
    list->seed = seed;
    map_init(&list->by_address, sizeof(struct address), seed);
    map_init(&list->prefixes, sizeof(struct prefix_key), seed + 1);
    map_init(&list->bans, sizeof(struct address), seed + 2);
    list_init(&list->known);
    list->next_due_ns = INT64_MIN;
    return list;
}

static void adjust_prefix(struct peer_list *list, const struct address *address, int change)
{
    struct prefix_key key = prefix_of(address);
    uintptr_t count = (uintptr_t)map_get(&list->prefixes, &key) + (uintptr_t)change;
    if (count > 0)
        map_put(&list->prefixes, &key, (void *)count);
    else
        map_remove(&list->prefixes, &key);
}

static void candidate_drop(struct peer_list *list, struct candidate *candidate)
{
    map_remove(&list->by_address, &candidate->address);
    list_remove(&list->known, &candidate->node);
    adjust_prefix(list, &candidate->address, -1);
    list->source_counts[candidate->source]--;
    memory_free(candidate);
}

void peer_list_free(struct peer_list *list)
{
    if (!list)
        return;
    for (struct list_node *node = list_first(&list->known); node; node = list_first(&list->known))
        candidate_drop(list, LIST_ELEMENT(node, struct candidate, node));
    map_deinit(&list->by_address);
    map_deinit(&list->prefixes);
    map_deinit(&list->bans);
    memory_free(list);
}

struct candidate *peer_list_find(const struct peer_list *list, const struct address *address)
{
    struct address key = key_of(address);
    return map_get(&list->by_address, &key);
}

/* ---- who is better ---- */

static uint32_t seeded_number(const struct peer_list *list, const struct address *address)
{
    uint64_t mix = list->seed;
    for (size_t i = 0; i < sizeof address->ip; i++)
        mix = (mix ^ address->ip[i]) * UINT64_C(0x100000001b3);
    struct rng rng;
    rng_init(&rng, mix ^ address->port);
    return (uint32_t)rng_u64(&rng);
}

static void set_priority(struct peer_list *list, struct candidate *candidate)
{
    const struct address *self =
        candidate->address.family == ADDRESS_IPV4 ? &list->self_v4 : &list->self_v6;
    candidate->priority = self->family ? peer_priority(self, &candidate->address)
                                       : seeded_number(list, &candidate->address);
}

static bool goes_before(const struct candidate *a, const struct candidate *b)
{
    if (a->is_filtered != b->is_filtered)
        return b->is_filtered;
    if (a->fails != b->fails)
        return a->fails < b->fails;
    if (a->source != b->source)
        return a->source < b->source;
    if (a->is_useful != b->is_useful)
        return a->is_useful;
    return a->priority > b->priority;
}

static bool has_ban(const struct peer_list *list, const struct address *address)
{
    struct address key = without_port(address);
    return map_get(&list->bans, &key) != NULL;
}

static bool is_eligible(const struct peer_list *list, const struct candidate *candidate)
{
    return candidate->standing == STANDING_IDLE && !candidate->is_self && !candidate->is_filtered &&
           candidate->fails < PEER_LIST_FAILS_MAX && !(list->seeding && candidate->is_seed) &&
           !has_ban(list, &candidate->address);
}

static void judge_by_filter(struct peer_list *list)
{
    if (!list->filter_is_new)
        return;
    list->filter_is_new = false;
    list->next_due_ns = INT64_MIN;
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        candidate->is_filtered = ip_filter_has(list->filter, &candidate->address);
    }
}

/* ---- ourselves ---- */

bool peer_list_is_self(const struct peer_list *list, const struct address *address)
{
    for (uint32_t i = 0; i < list->self_count; i++)
        if (address_equal(&list->selves[i], address))
            return true;
    return false;
}

void peer_list_on_self(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        candidate->is_self = true;
    list->next_due_ns = INT64_MIN;
    if (!peer_list_is_self(list, address) && list->self_count < PEER_LIST_SELVES_MAX)
        list->selves[list->self_count++] = *address;
}

void peer_list_set_self(struct peer_list *list, const struct address *self)
{
    if (self->port != 0)
        peer_list_on_self(list, self);
    if (address_is_unspecified(self) || address_is_loopback(self))
        return;
    struct address *mine = self->family == ADDRESS_IPV4 ? &list->self_v4 : &list->self_v6;
    if (address_equal(mine, self))
        return;
    *mine = *self;
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node))
        set_priority(list, LIST_ELEMENT(node, struct candidate, node));
}

/* ---- adding ---- */

/* The worst candidate that may make room: not connected, and failed or of a worse source. */
static struct candidate *find_victim(const struct peer_list *list, enum peer_source source)
{
    struct candidate *worst = NULL;
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        if (candidate->standing != STANDING_IDLE ||
            (!candidate->is_filtered &&
             (candidate->good_order > 0 || (candidate->fails == 0 && candidate->source <= source))))
            continue;
        if (!worst || goes_before(worst, candidate))
            worst = candidate;
    }
    return worst;
}

/* A failed or filtered one of a source whose share is full. */
static struct candidate *find_failed(const struct peer_list *list, enum peer_source source)
{
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        if (candidate->source == source && candidate->standing == STANDING_IDLE &&
            (candidate->is_filtered || (candidate->fails > 0 && candidate->good_order == 0)))
            return candidate;
    }
    return NULL;
}

static bool has_room(struct peer_list *list, const struct address *address, enum peer_source source)
{
    struct prefix_key key = prefix_of(address);
    if (source != PEER_SOURCE_USER) {
        if ((uintptr_t)map_get(&list->prefixes, &key) >= PREFIX_SHARE)
            return false;
        if (list->source_counts[source] >= SOURCE_SHARE) {
            struct candidate *failed = find_failed(list, source);
            if (!failed)
                return false;
            candidate_drop(list, failed);
        }
    }
    if (list->known.length < LIMIT_PEER_LIST)
        return true;
    struct candidate *victim = find_victim(list, source);
    if (victim)
        candidate_drop(list, victim);
    return victim != NULL;
}

static void named_again(struct peer_list *list, struct candidate *candidate,
                        enum peer_source source)
{
    /* Who is in charge of the list of live peers says that it lives. */
    if (source <= PEER_SOURCE_TRACKER && candidate->fails >= PEER_LIST_FAILS_MAX)
        candidate->fails = PEER_LIST_FAILS_MAX - 1;
    if (source < (enum peer_source)candidate->source) {
        list->source_counts[candidate->source]--;
        list->source_counts[source]++;
        candidate->source = (uint8_t)source;
    }
    candidate->is_relays = false;
    list->next_due_ns = INT64_MIN;
}

bool peer_list_is_nobodys(const struct address *address)
{
    return (address->family != ADDRESS_IPV4 && address->family != ADDRESS_IPV6) ||
           address->port == 0 || address_is_unspecified(address) || address_is_multicast(address) ||
           address_is_metadata_service(address);
}

bool peer_list_add(struct peer_list *list, const struct address *address, enum peer_source source)
{
    CHECK(source < PEER_SOURCE_COUNT);
    if (peer_list_is_nobodys(address) || peer_list_is_self(list, address))
        return false;
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate) {
        named_again(list, candidate, source);
        return false;
    }
    judge_by_filter(list);
    if (has_ban(list, address) || !has_room(list, address, source))
        return false;
    candidate = memory_new(sizeof *candidate);
    candidate->address = key_of(address);
    candidate->source = (uint8_t)source;
    candidate->is_filtered = ip_filter_has(list->filter, address);
    set_priority(list, candidate);
    map_put(&list->by_address, &candidate->address, candidate);
    list_append(&list->known, &candidate->node);
    adjust_prefix(list, address, 1);
    list->source_counts[source]++;
    list->next_due_ns = INT64_MIN;
    return true;
}

/* ---- connecting ---- */

bool peer_list_next(struct peer_list *list, int64_t now, struct address *ret_address)
{
    judge_by_filter(list);
    if (now < list->next_due_ns)
        return false;
    struct candidate *best = NULL;
    int64_t next_due = INT64_MAX;
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        if (!is_eligible(list, candidate))
            continue;
        if (candidate->rest_until_ns > now) {
            if (candidate->rest_until_ns < next_due)
                next_due = candidate->rest_until_ns;
        } else if (!best || goes_before(candidate, best)) {
            best = candidate;
        }
    }
    list->next_due_ns = best ? INT64_MIN : next_due;
    if (!best)
        return false;
    best->standing = STANDING_CONNECTING;
    *ret_address = best->address;
    return true;
}

int64_t peer_list_deadline(struct peer_list *list, int64_t now)
{
    judge_by_filter(list);
    if (list->next_due_ns != INT64_MIN)
        return list->next_due_ns;
    int64_t next_due = INT64_MAX;
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        const struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        if (!is_eligible(list, candidate))
            continue;
        if (candidate->rest_until_ns <= now)
            return now;
        if (candidate->rest_until_ns < next_due)
            next_due = candidate->rest_until_ns;
    }
    list->next_due_ns = next_due;
    return next_due;
}

void peer_list_on_connected(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate)
        return;
    candidate->standing = STANDING_CONNECTED;
    candidate->fails = 0;
    candidate->is_relays = false;
    candidate->good_order = ++list->good_next;
    list->next_due_ns = INT64_MIN;
}

static void rest(struct peer_list *list, struct candidate *candidate, int64_t now, bool is_alive)
{
    int64_t times = candidate->fails > 1 ? candidate->fails : 1;
    bool is_starting = candidate->source == PEER_SOURCE_USER && candidate->fails > 0;
    candidate->standing = STANDING_IDLE;
    candidate->rest_until_ns =
        now + times * (is_starting || is_alive ? PEER_LIST_RETRY_SOON_NS : PEER_LIST_RETRY_NS);
    list->next_due_ns = INT64_MIN;
}

static void fail(struct peer_list *list, const struct address *address, int64_t now, bool is_alive)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate)
        return;
    bool is_users = candidate->source == PEER_SOURCE_USER;
    candidate->mse_turned = false; /* it was not that, or is not any more */
    if (candidate->fails < PEER_LIST_FAILS_MAX - is_users)
        candidate->fails++;
    rest(list, candidate, now, is_alive);
}

void peer_list_on_failed(struct peer_list *list, const struct address *address, int64_t now)
{
    fail(list, address, now, false);
}

void peer_list_on_turned_away(struct peer_list *list, const struct address *address, int64_t now)
{
    fail(list, address, now, true);
}

void peer_list_on_disconnected(struct peer_list *list, const struct address *address, int64_t now)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        rest(list, candidate, now, false);
}

void peer_list_on_mse_turned(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate)
        return;
    candidate->mse_turned = true;
    peer_list_on_released(list, address);
}

bool peer_list_is_mse_turned(const struct peer_list *list, const struct address *address)
{
    const struct candidate *candidate = peer_list_find(list, address);
    return candidate && candidate->mse_turned;
}

void peer_list_on_released(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate)
        return;
    candidate->standing = STANDING_IDLE;
    list->next_due_ns = INT64_MIN;
}

void peer_list_on_network_changed(struct peer_list *list)
{
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        if (candidate->standing != STANDING_IDLE)
            continue;
        candidate->fails = 0;
        candidate->rest_until_ns = INT64_MIN;
    }
    list->next_due_ns = INT64_MIN;
}

/* ---- bans and seeds ---- */

void peer_list_ban(struct peer_list *list, const struct address *address)
{
    struct address key = without_port(address);
    list->next_due_ns = INT64_MIN;
    if (list->ban_count == BANS_MAX || map_put(&list->bans, &key, list))
        return;
    list->ban_count++;
}

bool peer_list_is_banned(const struct peer_list *list, const struct address *address)
{
    return has_ban(list, address) || ip_filter_has(list->filter, address);
}

void peer_list_set_filter(struct peer_list *list, const struct ip_filter *filter)
{
    list->filter = filter;
    list->filter_is_new = true;
}

void peer_list_set_seeding(struct peer_list *list, bool seeding)
{
    list->seeding = seeding;
    list->next_due_ns = INT64_MIN;
}

void peer_list_mark_seed(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        candidate->is_seed = true;
}

void peer_list_mark_useful(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        candidate->is_useful = true;
}

uint32_t peer_list_length(const struct peer_list *list)
{
    return (uint32_t)list->known.length;
}

uint32_t peer_list_count_from(const struct peer_list *list, enum peer_source source)
{
    return list->source_counts[source];
}

enum peer_source peer_list_source_of(const struct peer_list *list, const struct address *address)
{
    const struct candidate *candidate = peer_list_find(list, address);
    return candidate ? (enum peer_source)candidate->source : PEER_SOURCE_INBOUND;
}

uint32_t peer_list_known_good(const struct peer_list *list, struct address *ret_addresses,
                              uint32_t max)
{
    uint32_t length = 0;
    int64_t before = INT64_MAX;
    while (length < max) {
        const struct candidate *latest = NULL;
        for (struct list_node *node = list_first(&list->known); node;
             node = list_next(&list->known, node)) {
            const struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
            if (candidate->good_order > 0 && candidate->good_order < before &&
                (!latest || candidate->good_order > latest->good_order))
                latest = candidate;
        }
        if (!latest)
            break;
        before = latest->good_order;
        ret_addresses[length++] = latest->address;
    }
    return length;
}

uint32_t peer_list_copy(const struct peer_list *list, struct peer_list_entry *ret_entries,
                        uint32_t max)
{
    uint32_t count = 0;
    for (int good = 1; good >= 0; good--) {
        for (struct list_node *node = list_first(&list->known); node && count < max;
             node = list_next(&list->known, node)) {
            const struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
            if ((candidate->good_order > 0) != good || candidate->is_self ||
                candidate->fails >= PEER_LIST_FAILS_MAX)
                continue;
            ret_entries[count++] =
                (struct peer_list_entry){candidate->address, (enum peer_source)candidate->source};
        }
    }
    return count;
}

void peer_list_check(const struct peer_list *list)
{
    uint32_t sources[PEER_SOURCE_COUNT] = {0};
    CHECK(list->known.length == list->by_address.length);
    CHECK(list->known.length <= LIMIT_PEER_LIST);
    for (struct list_node *node = list_first(&list->known); node;
         node = list_next(&list->known, node)) {
        const struct candidate *candidate = LIST_ELEMENT(node, struct candidate, node);
        CHECK(peer_list_find(list, &candidate->address) == candidate);
        CHECK(candidate->fails <= PEER_LIST_FAILS_MAX);
        sources[candidate->source]++;
    }
    for (uint32_t i = 0; i < PEER_SOURCE_COUNT; i++)
        CHECK(sources[i] == list->source_counts[i]);
}

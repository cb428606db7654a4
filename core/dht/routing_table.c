/* SPDX-License-Identifier: MIT */
#include "core/dht/routing_table.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define GOOD_S          (15u * 60u)
#define FAILS_BAD       3u
#define SAME_NET_BUCKET 2u
#define SAME_NET_TABLE  4u
#define BUCKET_ENTRIES  (ROUTING_BUCKET_SIZE + ROUTING_SPARES)

static uint32_t seconds_of(int64_t now)
{
    return (uint32_t)(now / SECOND_NS) + 1;
}

void routing_table_init(struct routing_table *table, const struct dht_id *own,
                        enum address_family family)
{
    *table = (struct routing_table){.own = *own, .family = (uint8_t)family, .bucket_count = 1};
    table->buckets = memory_new(sizeof *table->buckets);
}

void routing_table_deinit(struct routing_table *table)
{
    memory_free(table->buckets);
    table->buckets = NULL;
    table->bucket_count = 0;
}

static struct routing_bucket *bucket_of(const struct routing_table *table, const struct dht_id *id)
{
    uint32_t bits = dht_id_shared_bits(&table->own, id);
    uint32_t last = table->bucket_count - 1;
    return &table->buckets[bits < last ? bits : last];
}

/* Entry i of a bucket: the live ones, then the spares. */
static struct routing_entry *entry_at(struct routing_bucket *bucket, uint32_t i)
{
    return i < bucket->live_count ? &bucket->live[i] : &bucket->spare[i - bucket->live_count];
}

static uint32_t entry_count(const struct routing_bucket *bucket)
{
    return bucket->live_count + bucket->spare_count;
}

static struct address address_of(const struct routing_table *table,
                                 const struct routing_entry *entry)
{
    struct address address = {.family = table->family, .port = entry->port};
    memcpy(address.ip, entry->ip, sizeof address.ip);
    return address;
}

struct dht_contact routing_table_contact(const struct routing_table *table,
                                         const struct routing_entry *entry)
{
    return (struct dht_contact){.id = entry->id, .address = address_of(table, entry)};
}

bool routing_table_is_bad(const struct routing_entry *entry)
{
    return entry->fails >= FAILS_BAD;
}

bool routing_table_is_good(const struct routing_entry *entry, int64_t now)
{
    return entry->has_answered && entry->fails == 0 && seconds_of(now) - entry->seen_s < GOOD_S;
}

static size_t net_length(const struct routing_table *table)
{
    return table->family == ADDRESS_IPV4 ? 3 : 6;
}

static bool is_exempt(const struct routing_table *table, const struct routing_entry *entry)
{
    struct address address = address_of(table, entry);
    return dht_id_is_exempt(&address);
}

static uint32_t count_net(const struct routing_table *table, struct routing_bucket *bucket,
                          const struct routing_entry *like)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < entry_count(bucket); i++) {
        const struct routing_entry *entry = entry_at(bucket, i);
        count += entry != like && memcmp(entry->ip, like->ip, net_length(table)) == 0;
    }
    return count;
}

/* May the entry come into its bucket beside those that are there? */
static bool is_diverse(const struct routing_table *table, struct routing_bucket *bucket,
                       const struct routing_entry *entry)
{
    if (is_exempt(table, entry))
        return true;
    if (count_net(table, bucket, entry) >= SAME_NET_BUCKET)
        return false;
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        count += count_net(table, &table->buckets[i], entry);
    return count < SAME_NET_TABLE;
}

static bool is_at(const struct routing_entry *entry, const struct address *address)
{
    return memcmp(entry->ip, address->ip, sizeof entry->ip) == 0 &&
           (!address_is_loopback(address) || entry->port == address->port);
}

/* Finds by address; the bucket that holds it too. */
static struct routing_entry *find(const struct routing_table *table, const struct address *address,
                                  struct routing_bucket **ret_bucket)
{
    if (address->family != table->family)
        return NULL;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (uint32_t k = 0; k < entry_count(&table->buckets[i]); k++)
            if (is_at(entry_at(&table->buckets[i], k), address)) {
                *ret_bucket = &table->buckets[i];
                return entry_at(&table->buckets[i], k);
            }
    return NULL;
}

const struct routing_entry *routing_table_find(const struct routing_table *table,
                                               const struct address *address)
{
    struct routing_bucket *bucket;
    return find(table, address, &bucket);
}

static struct routing_entry *find_id(struct routing_bucket *bucket, const struct dht_id *id)
{
    for (uint32_t i = 0; i < entry_count(bucket); i++)
        if (dht_id_equal(&entry_at(bucket, i)->id, id))
            return entry_at(bucket, i);
    return NULL;
}

static void remove_spare(struct routing_bucket *bucket, uint32_t i)
{
    bucket->spare_count--;
    memmove(&bucket->spare[i], &bucket->spare[i + 1],
            (bucket->spare_count - i) * sizeof bucket->spare[0]);
}

static void remove_entry(struct routing_bucket *bucket, const struct routing_entry *entry)
{
    for (uint32_t i = 0; i < bucket->spare_count; i++)
        if (&bucket->spare[i] == entry) {
            remove_spare(bucket, i);
            return;
        }
    uint32_t i = (uint32_t)(entry - bucket->live);
    CHECK(i < bucket->live_count);
    bucket->live_count--;
    memmove(&bucket->live[i], &bucket->live[i + 1],
            (bucket->live_count - i) * sizeof bucket->live[0]);
}

/* Parts the last bucket: who shares more bits than its number moves on. */
static void split(struct routing_table *table)
{
    uint32_t last = table->bucket_count - 1;
    table->buckets =
        memory_resize_array(table->buckets, table->bucket_count + 1, sizeof *table->buckets);
    struct routing_bucket *old = &table->buckets[last], *next = &table->buckets[last + 1];
    struct routing_bucket before = *old;
    memset(next, 0, sizeof *next);
    next->active_s = old->active_s;
    old->live_count = old->spare_count = 0;
    table->bucket_count++;
    for (uint32_t i = 0; i < entry_count(&before); i++) {
        const struct routing_entry *entry = entry_at(&before, i);
        bool moves = dht_id_shared_bits(&table->own, &entry->id) > last;
        struct routing_bucket *to = moves ? next : old;
        /* Spares come after the live ones, and move up where there is room now. */
        if (to->live_count < ROUTING_BUCKET_SIZE)
            to->live[to->live_count++] = *entry;
        else
            to->spare[to->spare_count++] = *entry;
    }
}

/* The live entry that gives way to a newcomer, or NULL. */
static struct routing_entry *weakest(struct routing_bucket *bucket,
                                     const struct routing_entry *newcomer)
{
    for (uint32_t i = 0; i < bucket->live_count; i++)
        if (routing_table_is_bad(&bucket->live[i]))
            return &bucket->live[i];
    if (!newcomer->has_answered)
        return NULL;
    for (uint32_t i = 0; i < bucket->live_count; i++)
        if (!bucket->live[i].is_allowed && newcomer->is_allowed)
            return &bucket->live[i];
    return NULL;
}

static void keep_spare(struct routing_bucket *bucket, const struct routing_entry *entry)
{
    if (bucket->spare_count == ROUTING_SPARES)
        remove_spare(bucket, 0);
    bucket->spare[bucket->spare_count++] = *entry;
}

static void insert(struct routing_table *table, const struct routing_entry *entry, int64_t now)
{
    struct routing_bucket *bucket = bucket_of(table, &entry->id);
    if (!is_diverse(table, bucket, entry))
        return;
    while (bucket->live_count == ROUTING_BUCKET_SIZE &&
           bucket == &table->buckets[table->bucket_count - 1] &&
           table->bucket_count < LIMIT_DHT_BUCKETS) {
        split(table);
        bucket = bucket_of(table, &entry->id);
    }
    bucket->active_s = seconds_of(now);
    if (bucket->live_count < ROUTING_BUCKET_SIZE) {
        bucket->live[bucket->live_count++] = *entry;
        return;
    }
    struct routing_entry *weak = weakest(bucket, entry);
    if (weak)
        *weak = *entry;
    else if (entry->has_answered)
        keep_spare(bucket, entry);
}

/* Makes room for who now speaks for this address and id. false: somebody else does. */
static bool settle(struct routing_table *table, const struct dht_contact *contact)
{
    struct routing_bucket *bucket;
    struct routing_entry *entry = NULL;
#ifndef FRESHET_PLANTED_BUG
    entry = find(table, &contact->address, &bucket);
#endif
    if (entry) {
        if (entry->port != contact->address.port && !routing_table_is_bad(entry))
            return false;
        remove_entry(bucket, entry);
    }
    bucket = bucket_of(table, &contact->id);
    entry = find_id(bucket, &contact->id);
    if (entry) {
        if (!routing_table_is_bad(entry))
            return false;
        remove_entry(bucket, entry);
    }
    return true;
}

static struct routing_entry entry_of(const struct dht_contact *contact)
{
    struct routing_entry entry = {.id = contact->id,
                                  .port = contact->address.port,
                                  .rtt_ms = ROUTING_RTT_UNKNOWN,
                                  .is_allowed = dht_id_is_allowed(&contact->id, &contact->address)};
    memcpy(entry.ip, contact->address.ip, sizeof entry.ip);
    return entry;
}

static bool is_usable(const struct routing_table *table, const struct dht_contact *contact)
{
    return contact->address.family == table->family && contact->address.port != 0 &&
           !dht_id_equal(&contact->id, &table->own);
}

/* The very node, id, address and port; NULL when it is not there. */
static struct routing_entry *find_same(const struct routing_table *table,
                                       const struct dht_contact *contact, bool *ret_is_live)
{
    struct routing_bucket *bucket;
    struct routing_entry *entry = find(table, &contact->address, &bucket);
    if (!entry || entry->port != contact->address.port || !dht_id_equal(&entry->id, &contact->id))
        return NULL;
    *ret_is_live = entry >= bucket->live && entry < bucket->live + bucket->live_count;
    return entry;
}

void routing_table_answered(struct routing_table *table, const struct dht_contact *contact,
                            uint16_t rtt_ms, int64_t now)
{
    bool is_live = false;
    if (!is_usable(table, contact))
        return;
    struct routing_entry *known = find_same(table, contact, &is_live);
    struct routing_entry entry = known ? *known : entry_of(contact);
    /* The mean of old and new, so that one slow answer does not damn a node. */
    entry.rtt_ms =
        entry.rtt_ms == ROUTING_RTT_UNKNOWN ? rtt_ms : (uint16_t)((entry.rtt_ms + rtt_ms) / 2);
    entry.seen_s = seconds_of(now);
    entry.fails = 0;
    entry.has_answered = true;
    if (known && is_live)
        *known = entry;
    else if (settle(table, contact) || known)
        insert(table, &entry, now);
}

void routing_table_asked(struct routing_table *table, const struct dht_contact *contact,
                         int64_t now)
{
    bool is_live;
    struct routing_entry *known = find_same(table, contact, &is_live);
    if (known && known->has_answered && known->fails == 0)
        known->seen_s = seconds_of(now);
}

void routing_table_remember(struct routing_table *table, const struct dht_contact *contact,
                            int64_t now)
{
    if (!is_usable(table, contact) || routing_table_find(table, &contact->address) ||
        find_id(bucket_of(table, &contact->id), &contact->id))
        return;
    struct routing_entry entry = entry_of(contact);
    insert(table, &entry, now);
}

void routing_table_failed(struct routing_table *table, const struct address *address, int64_t now)
{
    struct routing_bucket *bucket;
    struct routing_entry *entry = find(table, address, &bucket);
    if (!entry || entry->port != address->port)
        return;
    if (entry->fails < UINT8_MAX)
        entry->fails++;
    if (!routing_table_is_bad(entry))
        return;
    bool is_live = entry < bucket->live + bucket->live_count && entry >= bucket->live;
    if (is_live && bucket->spare_count > 0) {
        /* The spare heard of last is the likeliest to live. */
        *entry = bucket->spare[--bucket->spare_count];
        bucket->active_s = seconds_of(now);
    } else if (!is_live) {
        remove_entry(bucket, entry);
    }
}

bool routing_table_is_wanted(const struct routing_table *table, const struct dht_contact *contact,
                             int64_t now)
{
    (void)now;
    struct routing_bucket *bucket = bucket_of(table, &contact->id);
    struct routing_entry entry = entry_of(contact);
    entry.has_answered = true;
    if (!is_usable(table, contact) || routing_table_find(table, &contact->address) ||
        find_id(bucket, &contact->id) || !is_diverse(table, bucket, &entry))
        return false;
    bool may_split = bucket == &table->buckets[table->bucket_count - 1] &&
                     table->bucket_count < LIMIT_DHT_BUCKETS;
    return bucket->live_count < ROUTING_BUCKET_SIZE || may_split || weakest(bucket, &entry) ||
           bucket->spare_count < ROUTING_SPARES;
}

void routing_table_move(struct routing_table *table, const struct dht_id *own)
{
    struct routing_table old = *table;
    routing_table_init(table, own, (enum address_family)old.family);
    for (uint32_t i = 0; i < old.bucket_count; i++)
        for (uint32_t k = 0; k < entry_count(&old.buckets[i]); k++) {
            const struct routing_entry *entry = entry_at(&old.buckets[i], k);
            if (!dht_id_equal(&entry->id, own))
                insert(table, entry, entry->seen_s ? (int64_t)(entry->seen_s - 1) * SECOND_NS : 0);
        }
    routing_table_deinit(&old);
}

uint32_t routing_table_closest(const struct routing_table *table, const struct dht_id *target,
                               bool proven, const struct routing_entry **ret_entries,
                               uint32_t entries_max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (uint32_t k = 0; k < table->buckets[i].live_count; k++) {
            const struct routing_entry *entry = &table->buckets[i].live[k];
            if (routing_table_is_bad(entry) || (proven && (!entry->has_answered || entry->fails)))
                continue;
            uint32_t place = count;
            while (place > 0 &&
                   dht_id_compare_distance(target, &entry->id, &ret_entries[place - 1]->id) < 0)
                place--;
            if (place == entries_max)
                continue;
            count += count < entries_max;
            memmove(&ret_entries[place + 1], &ret_entries[place],
                    (count - 1 - place) * sizeof ret_entries[0]);
            ret_entries[place] = entry;
        }
    return count;
}

uint32_t routing_table_good_count(const struct routing_table *table, int64_t now)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (uint32_t k = 0; k < table->buckets[i].live_count; k++)
            count += routing_table_is_good(&table->buckets[i].live[k], now);
    return count;
}

bool routing_table_to_ping(const struct routing_table *table, int64_t now,
                           struct dht_contact *ret_contact)
{
    bool any = routing_table_good_count(table, now) == 0;
    const struct routing_entry *oldest = NULL;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (uint32_t k = 0; k < table->buckets[i].live_count; k++) {
            const struct routing_entry *entry = &table->buckets[i].live[k];
            if (routing_table_is_good(entry, now) || (routing_table_is_bad(entry) && !any))
                continue;
            if (!oldest || entry->fails < oldest->fails ||
                (entry->fails == oldest->fails && entry->seen_s < oldest->seen_s))
                oldest = entry;
        }
    if (oldest)
        *ret_contact = routing_table_contact(table, oldest);
    return oldest != NULL;
}

void routing_table_touch(struct routing_table *table, const struct dht_id *target, int64_t now)
{
    bucket_of(table, target)->active_s = seconds_of(now);
}

bool routing_table_to_refresh(struct routing_table *table, int64_t now, struct rng *rng,
                              struct dht_id *ret_target)
{
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        struct routing_bucket *bucket = &table->buckets[i];
        if (seconds_of(now) - bucket->active_s < GOOD_S)
            continue;
        bucket->active_s = seconds_of(now);
        *ret_target = dht_id_random_at(&table->own, i, rng);
        return true;
    }
    return false;
}

uint32_t routing_table_count(const struct routing_table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        count += table->buckets[i].live_count;
    return count;
}

size_t routing_table_memory(const struct routing_table *table)
{
    return table->bucket_count * sizeof *table->buckets;
}

static void check_entry(const struct routing_table *table, uint32_t bucket_index,
                        struct routing_entry *entry)
{
    uint32_t bits = dht_id_shared_bits(&table->own, &entry->id);
    uint32_t last = table->bucket_count - 1;
    struct address address = address_of(table, entry);
    struct routing_bucket *bucket = &table->buckets[bucket_index];
    CHECK(entry->port != 0);
    CHECK((bits < last ? bits : last) == bucket_index);
    /* One node an address, one address an id. */
    CHECK(routing_table_find(table, &address) == entry);
    CHECK(find_id(bucket, &entry->id) == entry);
}

void routing_table_check(const struct routing_table *table)
{
    CHECK(table->bucket_count >= 1);
    CHECK(table->bucket_count <= LIMIT_DHT_BUCKETS);
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        struct routing_bucket *bucket = &table->buckets[i];
        CHECK(bucket->live_count <= ROUTING_BUCKET_SIZE);
        CHECK(bucket->spare_count <= ROUTING_SPARES);
        for (uint32_t k = 0; k < entry_count(bucket); k++)
            check_entry(table, i, entry_at(bucket, k));
    }
}

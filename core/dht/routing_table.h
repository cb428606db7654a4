/* SPDX-License-Identifier: MIT */
/*
 * Who is where in the id space, near us in detail and far away in outline (BEP 5). Bucket i holds
 * nodes that share exactly i leading bits with us, the last one all that share more; only the last
 * one is ever split.
 *
 * Commandments
 * - Who has not answered us is not believed to exist: only answers bring a node in (or our own
 *   record of an earlier run, unproven until it answers). What others tell is only asked.
 * - One node an address; at most two of a bucket and four of the table in one /24 (IPv6: /48).
 *   Loopback and private addresses are exempt from the prefix rule, loopback also shares an address
 *   between ports.
 * - A node that lives is never put out by a newcomer, unless its id does not fit its address
 *   (BEP 42) and the newcomer's does.
 * - Good: answered within 15 minutes. Questionable: silent for longer; it is pinged. Bad: three
 *   failures in a row; replaced from the bucket's spares, never handed out.
 */
#ifndef FRESHET_DHT_ROUTING_TABLE_H
#define FRESHET_DHT_ROUTING_TABLE_H

#include "core/base/limits.h"
#include "core/dht/dht_id.h"

#define ROUTING_BUCKET_SIZE 8u
#define ROUTING_SPARES      4u
#define ROUTING_RTT_UNKNOWN UINT16_MAX

struct routing_entry {
    struct dht_id id;
    uint8_t ip[16];
    uint16_t port;
    uint16_t rtt_ms; /* or ROUTING_RTT_UNKNOWN */
    uint32_t seen_s; /* when it last answered, or asked once it had answered; 0: never */
    uint8_t fails;   /* in a row */
    bool has_answered : 1;
    bool is_allowed : 1; /* its address allows its id (BEP 42) */
};

_Static_assert(sizeof(struct routing_entry) <= 48, "a routing entry is a promise of 48 bytes");

struct routing_bucket {
    struct routing_entry live[ROUTING_BUCKET_SIZE];
    struct routing_entry spare[ROUTING_SPARES];
    uint32_t active_s; /* when it last changed or was looked into */
    uint8_t live_count;
    uint8_t spare_count;
};

struct routing_table {
    struct dht_id own;
    uint8_t family; /* enum address_family */
    uint32_t bucket_count;
    struct routing_bucket *buckets;
};

void routing_table_init(struct routing_table *table, const struct dht_id *own,
                        enum address_family family);
void routing_table_deinit(struct routing_table *table);
/* Our own id has changed: everybody finds a new place. */
void routing_table_move(struct routing_table *table, const struct dht_id *own);

/* It answered us. */
void routing_table_answered(struct routing_table *table, const struct dht_contact *contact,
                            uint16_t rtt_ms, int64_t now);
/* It asked us: refreshes a node that has answered before. */
void routing_table_asked(struct routing_table *table, const struct dht_contact *contact,
                         int64_t now);
/* It let a query run out. */
void routing_table_failed(struct routing_table *table, const struct address *address, int64_t now);
/* From our record: taken in as unproven when there is room. */
void routing_table_remember(struct routing_table *table, const struct dht_contact *contact,
                            int64_t now);
/* Would it be taken in if it answered? */
bool routing_table_is_wanted(const struct routing_table *table, const struct dht_contact *contact,
                             int64_t now);

/* The entry at this address (any port of it, but for loopback), or NULL. */
const struct routing_entry *routing_table_find(const struct routing_table *table,
                                               const struct address *address);
/* The nearest to the target, nearest first; `proven`: only those that answered and did not fail
 * since. Borrowed until the next change. */
uint32_t routing_table_closest(const struct routing_table *table, const struct dht_id *target,
                               bool proven, const struct routing_entry **ret_entries,
                               uint32_t entries_max);
/* The one that it is most useful to ping now; false: none. When nobody is good any more, bad ones
 * too: the network may be back. */
bool routing_table_to_ping(const struct routing_table *table, int64_t now,
                           struct dht_contact *ret_contact);
/* A target in a bucket that was idle for 15 minutes; false: none. Counts as looked into. */
bool routing_table_to_refresh(struct routing_table *table, int64_t now, struct rng *rng,
                              struct dht_id *ret_target);
void routing_table_touch(struct routing_table *table, const struct dht_id *target, int64_t now);
struct dht_contact routing_table_contact(const struct routing_table *table,
                                         const struct routing_entry *entry);
/* Neither: it is questionable. */
bool routing_table_is_good(const struct routing_entry *entry, int64_t now);
bool routing_table_is_bad(const struct routing_entry *entry);
uint32_t routing_table_count(const struct routing_table *table);
uint32_t routing_table_good_count(const struct routing_table *table, int64_t now);
size_t routing_table_memory(const struct routing_table *table);
void routing_table_check(const struct routing_table *table);

#endif

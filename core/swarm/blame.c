/* SPDX-License-Identifier: MIT */
#include "core/swarm/blame.h"

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/memory.h"

#include <string.h>

#define LEAF        32u
#define SENDERS_MAX 512u /* told apart in one piece; the rest is not judged */

struct sender {
    struct list_node node; /* in senders, the one not heard of for longest first */
    struct address address;
    int32_t trust;
};

struct ban {
    struct list_node node; /* in bans, the oldest first */
    struct list_node news; /* in news until it is told */
    struct address address;
};

/* A piece that failed, block by block. */
struct record {
    struct list_node node; /* in records, the oldest first */
    piece_index piece;
    uint32_t block_count;
    struct address *senders;
    uint8_t *leaves;
};

struct prefix_key {
    uint8_t bytes[9]; /* family and the network part */
};

struct blame {
    struct map by_address; /* -> struct sender */
    struct list senders;
    struct map banned; /* -> struct ban */
    struct list bans;
    struct list news;
    struct map prefixes; /* -> how many bans, in the pointer */
    struct list records;
    uint32_t record_blocks;
};

static struct address ip_of(const struct address *address)
{
    struct address key = *address;
    key.port = 0;
    key.pad = 0;
    return key;
}

static struct prefix_key prefix_of(const struct address *address)
{
    struct prefix_key key = {{address->family}};
    memcpy(key.bytes + 1, address->ip, address->family == ADDRESS_IPV4 ? 3 : 8);
    return key;
}

struct blame *blame_new(uint64_t seed)
{
    struct blame *blame = memory_new(sizeof *blame);
    map_init(&blame->by_address, sizeof(struct address), seed);
    map_init(&blame->banned, sizeof(struct address), seed + 1);
    map_init(&blame->prefixes, sizeof(struct prefix_key), seed + 2);
    list_init(&blame->senders);
    list_init(&blame->bans);
    list_init(&blame->news);
    list_init(&blame->records);
    return blame;
}

static void sender_drop(struct blame *blame, struct sender *sender)
{
    map_remove(&blame->by_address, &sender->address);
    list_remove(&blame->senders, &sender->node);
    memory_free(sender);
}

static uintptr_t prefix_bans(const struct blame *blame, const struct address *address)
{
    struct prefix_key key = prefix_of(address);
    return (uintptr_t)map_get(&blame->prefixes, &key);
}

static void set_prefix_bans(struct blame *blame, const struct address *address, uintptr_t count)
{
    struct prefix_key key = prefix_of(address);
    if (count > 0)
        map_put(&blame->prefixes, &key, (void *)count);
    else
        map_remove(&blame->prefixes, &key);
}

static void ban_drop(struct blame *blame, struct ban *ban)
{
    set_prefix_bans(blame, &ban->address, prefix_bans(blame, &ban->address) - 1);
    map_remove(&blame->banned, &ban->address);
    list_remove(&blame->bans, &ban->node);
    if (list_contains(&ban->news))
        list_remove(&blame->news, &ban->news);
    memory_free(ban);
}

static void record_drop(struct blame *blame, struct record *record)
{
    list_remove(&blame->records, &record->node);
    blame->record_blocks -= record->block_count;
    memory_free(record->senders);
    memory_free(record->leaves);
    memory_free(record);
}

void blame_free(struct blame *blame)
{
    if (!blame)
        return;
    while (!list_is_empty(&blame->senders))
        sender_drop(blame, LIST_ELEMENT(list_first(&blame->senders), struct sender, node));
    while (!list_is_empty(&blame->bans))
        ban_drop(blame, LIST_ELEMENT(list_first(&blame->bans), struct ban, node));
    while (!list_is_empty(&blame->records))
        record_drop(blame, LIST_ELEMENT(list_first(&blame->records), struct record, node));
    map_deinit(&blame->by_address);
    map_deinit(&blame->banned);
    map_deinit(&blame->prefixes);
    memory_free(blame);
}

/* ---- bans and trust ---- */

void blame_ban(struct blame *blame, const struct address *address)
{
    struct address key = ip_of(address);
    if (map_get(&blame->banned, &key))
        return;
    if (blame->bans.length == BLAME_BANS_MAX)
        ban_drop(blame, LIST_ELEMENT(list_first(&blame->bans), struct ban, node));
    struct ban *ban = memory_new(sizeof *ban);
    ban->address = key;
    map_put(&blame->banned, &key, ban);
    list_append(&blame->bans, &ban->node);
    list_append(&blame->news, &ban->news);
    set_prefix_bans(blame, &key, prefix_bans(blame, &key) + 1);
    struct sender *sender = map_get(&blame->by_address, &key);
    if (sender)
        sender_drop(blame, sender);
}

bool blame_next_ban(struct blame *blame, struct address *ret_address)
{
    struct list_node *node = list_first(&blame->news);
    if (!node)
        return false;
    *ret_address = LIST_ELEMENT(node, struct ban, news)->address;
    list_remove(&blame->news, node);
    return true;
}

bool blame_is_banned(const struct blame *blame, const struct address *address)
{
    struct address key = ip_of(address);
    return map_get(&blame->banned, &key) || prefix_bans(blame, &key) >= BLAME_PREFIX_BANS;
}

int32_t blame_trust(const struct blame *blame, const struct address *address)
{
    struct address key = ip_of(address);
    const struct sender *sender = map_get(&blame->by_address, &key);
    return sender ? sender->trust : 0;
}

static struct sender *sender_of(struct blame *blame, const struct address *ip)
{
    struct sender *sender = map_get(&blame->by_address, ip);
    if (sender) {
        list_remove(&blame->senders, &sender->node);
        list_append(&blame->senders, &sender->node);
        return sender;
    }
    if (blame->senders.length == BLAME_ADDRESSES_MAX)
        sender_drop(blame, LIST_ELEMENT(list_first(&blame->senders), struct sender, node));
    sender = memory_new(sizeof *sender);
    sender->address = *ip;
    map_put(&blame->by_address, ip, sender);
    list_append(&blame->senders, &sender->node);
    return sender;
}

static void change_trust(struct blame *blame, const struct address *ip, int32_t change)
{
    if (map_get(&blame->banned, ip))
        return;
    struct sender *sender = sender_of(blame, ip);
    sender->trust += change;
    if (sender->trust > BLAME_TRUST_MAX)
        sender->trust = BLAME_TRUST_MAX;
    if (sender->trust <= BLAME_TRUST_BAN)
        blame_ban(blame, ip);
}

/* ---- pieces ---- */

/* The different addresses among the senders; the array is the caller's to free. */
static struct address *distinct(const struct address *senders, uint32_t block_count,
                                uint32_t *ret_count)
{
    uint32_t max = block_count < SENDERS_MAX ? block_count : SENDERS_MAX;
    struct address *found = memory_new_array(max, sizeof *found);
    uint32_t count = 0;
    for (uint32_t i = 0; i < block_count; i++) {
        struct address ip = ip_of(&senders[i]);
        uint32_t at = count;
        while (at > 0 && !address_equal(&found[at - 1], &ip))
            at--;
        if (at == 0 && count < max)
            found[count++] = ip;
    }
    *ret_count = count;
    return found;
}

static void remember(struct blame *blame, piece_index piece, const struct address *senders,
                     const uint8_t *leaves, uint32_t block_count)
{
    if (block_count > BLAME_BLOCKS_MAX)
        return;
    while (blame->records.length == BLAME_PIECES_MAX ||
           (blame->records.length > 0 && blame->record_blocks + block_count > BLAME_BLOCKS_MAX))
        record_drop(blame, LIST_ELEMENT(list_first(&blame->records), struct record, node));
    struct record *record = memory_new(sizeof *record);
    record->piece = piece;
    record->block_count = block_count;
    record->senders = memory_copy(senders, block_count * sizeof *senders);
    record->leaves = memory_copy(leaves, (size_t)block_count * LEAF);
    list_append(&blame->records, &record->node);
    blame->record_blocks += block_count;
}

/* In how many failed pieces that wait for their good leaves is it? */
static uint32_t pending(const struct blame *blame, const struct address *ip)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&blame->records); node;
         node = list_next(&blame->records, node)) {
        const struct record *record = LIST_ELEMENT(node, struct record, node);
        uint32_t i = 0;
        while (i < record->block_count && !address_same_ip(&record->senders[i], ip))
            i++;
        count += i < record->block_count;
    }
    return count;
}

static void suspect(struct blame *blame, const struct address *ip)
{
    if (blame_trust(blame, ip) - BLAME_BAD <= BLAME_TRUST_BAN) {
        uint32_t count = pending(blame, ip);
        if (count > 0 && count < BLAME_PENDING_MAX)
            return;
    }
    change_trust(blame, ip, -BLAME_BAD);
}

void blame_piece_failed(struct blame *blame, piece_index piece, const struct address *senders,
                        const uint8_t *leaves, uint32_t block_count)
{
    uint32_t count;
    struct address *found = distinct(senders, block_count, &count);
    if (count == 1) {
        blame_ban(blame, &found[0]);
    } else {
        if (leaves && block_count > 0)
            remember(blame, piece, senders, leaves, block_count);
        for (uint32_t i = 0; i < count; i++)
            suspect(blame, &found[i]);
    }
    memory_free(found);
}

static struct record *find_record(const struct blame *blame, piece_index piece)
{
    for (struct list_node *node = list_first(&blame->records); node;
         node = list_next(&blame->records, node)) {
        struct record *record = LIST_ELEMENT(node, struct record, node);
        if (record->piece == piece)
            return record;
    }
    return NULL;
}

bool blame_wants_leaves(const struct blame *blame, piece_index piece)
{
    return find_record(blame, piece) != NULL;
}

static bool was_innocent(const struct record *record, const uint8_t *leaves,
                         const struct address *ip)
{
    for (uint32_t i = 0; i < record->block_count; i++)
        if (address_same_ip(&record->senders[i], ip) &&
            memcmp(record->leaves + (size_t)i * LEAF, leaves + (size_t)i * LEAF, LEAF) != 0)
            return false;
    return true;
}

/* Bans who sent what was different; gives the others their trust back. */
static void judge(struct blame *blame, const struct record *record, const uint8_t *leaves)
{
    uint32_t count;
    struct address *found = distinct(record->senders, record->block_count, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (was_innocent(record, leaves, &found[i]))
            change_trust(blame, &found[i], BLAME_BAD);
        else
            blame_ban(blame, &found[i]);
    }
    memory_free(found);
}

void blame_piece_verified(struct blame *blame, piece_index piece, const struct address *senders,
                          const uint8_t *leaves, uint32_t block_count)
{
    uint32_t count;
    struct address *found = distinct(senders, block_count, &count);
    for (uint32_t i = 0; i < count; i++)
        change_trust(blame, &found[i], 1);
    memory_free(found);
    for (struct record *record = find_record(blame, piece); record;
         record = find_record(blame, piece)) {
        if (leaves && record->block_count == block_count)
            judge(blame, record, leaves);
        record_drop(blame, record);
    }
}

void blame_check(const struct blame *blame)
{
    CHECK(blame->senders.length == blame->by_address.length);
    CHECK(blame->senders.length <= BLAME_ADDRESSES_MAX);
    CHECK(blame->bans.length == blame->banned.length);
    CHECK(blame->bans.length <= BLAME_BANS_MAX);
    CHECK(blame->records.length <= BLAME_PIECES_MAX);
    CHECK(blame->record_blocks <= BLAME_BLOCKS_MAX);
    for (struct list_node *node = list_first(&blame->senders); node;
         node = list_next(&blame->senders, node)) {
        const struct sender *sender = LIST_ELEMENT(node, struct sender, node);
        CHECK(sender->trust > BLAME_TRUST_BAN);
        CHECK(sender->trust <= BLAME_TRUST_MAX);
        CHECK(!map_get(&blame->banned, &sender->address));
    }
}

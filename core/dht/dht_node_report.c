/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_node_state.h"

#include "core/base/check.h"

_Static_assert(sizeof(struct dht_node) + sizeof(struct dht_budget) + sizeof(struct dht_vote) +
                       LIMIT_DHT_BUCKETS * sizeof(struct routing_bucket) <=
                   16 * KIB,
               "a node at rest with a full table is a promise of 16 KiB");

void dht_node_stats(const struct dht_node *node, int64_t now, struct dht_node_stats *ret_stats)
{
    *ret_stats = (struct dht_node_stats){
        .nodes = routing_table_count(&node->table),
        .good_nodes = routing_table_good_count(&node->table, now),
        .lookups = (uint32_t)node->searches.length,
        .torrents = node->peers ? dht_peer_store_torrent_count(node->peers) : 0,
        .peers = node->peers ? dht_peer_store_peer_count(node->peers) : 0,
        .items = node->items ? dht_item_store_count(node->items) : 0,
        .late_ms = (uint32_t)(node->late_ns / MILLISECOND_NS),
        .queries_in = node->queries_in,
        .queries_refused = node->queries_refused,
        .queries_out = node->queries_out,
        .replies_in = node->replies_in,
    };
}

_Static_assert(DHT_PLACES_MAX == LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE, "all of a full table");

void dht_node_places(const struct dht_node *node, int64_t now, struct dht_places *ret_places)
{
    const struct routing_table *table = &node->table;
    ret_places->own = node->id;
    ret_places->count = 0;
    for (uint32_t i = 0; i < table->bucket_count; i++)
        for (uint32_t k = 0; k < table->buckets[i].live_count; k++) {
            const struct routing_entry *entry = &table->buckets[i].live[k];
            ret_places->nodes[ret_places->count++] = (struct dht_place){
                .id = entry->id,
                .state = routing_table_is_bad(entry)         ? DHT_PLACE_BAD
                         : routing_table_is_good(entry, now) ? DHT_PLACE_GOOD
                                                             : DHT_PLACE_QUESTIONABLE,
                .shared_bits = dht_id_shared_bits(&node->id, &entry->id),
            };
        }
}

uint32_t dht_node_closest(const struct dht_node *node, const struct dht_id *target, bool proven,
                          struct dht_contact *ret_contacts, uint32_t max)
{
    const struct routing_entry *entries[LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE];
    CHECK(max <= LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE);
    uint32_t count = routing_table_closest(&node->table, target, proven, entries, max);
    for (uint32_t i = 0; i < count; i++)
        ret_contacts[i] = routing_table_contact(&node->table, entries[i]);
    return count;
}

uint32_t dht_node_contacts(const struct dht_node *node, struct dht_contact *ret_contacts,
                           uint32_t max)
{
    uint32_t all = LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE;
    return dht_node_closest(node, &node->id, false, ret_contacts, max < all ? max : all);
}

bool dht_node_has_peers(const struct dht_node *node, const struct dht_id *info_hash)
{
    uint8_t seeds[DHT_BLOOM_SIZE], peers[DHT_BLOOM_SIZE];
    return dht_announcer_find(&node->announcer, info_hash) ||
           (node->peers && dht_peer_store_blooms(node->peers, info_hash, seeds, peers));
}

size_t dht_node_memory(const struct dht_node *node)
{
    size_t size = sizeof *node + sizeof *node->budget + routing_table_memory(&node->table);
    size += node->vote ? sizeof *node->vote : 0;
    size += node->names ? LIMIT_DHT_NAMES * sizeof *node->names : 0;
    size += node->questions.length * sizeof(struct dht_question);
    size += node->searches.length * sizeof(struct dht_search);
    size += node->results.length * sizeof(struct dht_queued_result);
    size += dht_announcer_count(&node->announcer) * sizeof(struct dht_announcement);
    for (struct list_node *at = list_first(&node->packets); at; at = list_next(&node->packets, at))
        size += sizeof(struct dht_packet) + LIST_ELEMENT(at, struct dht_packet, node)->length;
    return size;
}

static void check_questions(const struct dht_node *node)
{
    int64_t before = INT64_MIN;
    CHECK(node->questions.length <= LIMIT_DHT_PENDING);
    for (struct list_node *at = list_first(&node->questions); at;
         at = list_next(&node->questions, at)) {
        const struct dht_question *question = LIST_ELEMENT(at, struct dht_question, node);
        CHECK(question->sent_ns >= before);
        CHECK(question->to.family == (uint8_t)node->family);
        before = question->sent_ns;
    }
}

void dht_node_check(const struct dht_node *node)
{
    CHECK(dht_id_equal(&node->id, &node->table.own));
    CHECK(node->searches.length <= LIMIT_DHT_LOOKUPS);
    CHECK(node->packets.length <= LIMIT_DHT_OUTPUTS);
    CHECK(node->results.length <= LIMIT_DHT_RESULTS);
    CHECK(node->late_ns >= LIMIT_DHT_LATE_MIN_NS);
    CHECK(node->late_ns <= LIMIT_DHT_LATE_MAX_NS);
    check_questions(node);
    routing_table_check(&node->table);
    for (struct list_node *at = list_first(&node->searches); at;
         at = list_next(&node->searches, at))
        dht_lookup_check(&LIST_ELEMENT(at, struct dht_search, node)->lookup);
    if (node->peers)
        dht_peer_store_check(node->peers);
    if (node->items)
        dht_item_store_check(node->items);
}

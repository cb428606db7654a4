/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_node_state.h"

#include "core/base/memory.h"

#include <string.h>

#define NODES_MAX         8u
#define VALUES_MAX        100u
#define SAMPLES_MAX       40u
#define SAMPLE_INTERVAL_S 60
#define PING_BYTES        100u /* at most, of our own ping */

/* One answer in the making, with the memory that its message points at. */
struct answer {
    struct krpc_message message;
    uint8_t token[DHT_TOKEN_SIZE];
    uint8_t nodes[NODES_MAX * KRPC_CONTACT_SIZE];
    uint8_t nodes6[NODES_MAX * KRPC_CONTACT6_SIZE];
    uint8_t seeds[DHT_BLOOM_SIZE];
    uint8_t peers[DHT_BLOOM_SIZE];
    struct dht_id samples[SAMPLES_MAX];
};

static void refuse(struct answer *answer, int code, const char *text)
{
    answer->message.kind = KRPC_ERROR;
    answer->message.error_code = code;
    answer->message.error_text = (struct bytes){(const uint8_t *)text, strlen(text)};
}

static size_t write_nodes(const struct dht_node *node, const struct dht_id *target, uint8_t *out)
{
    const struct routing_entry *closest[NODES_MAX];
    uint32_t count = routing_table_closest(&node->table, target, true, closest, NODES_MAX);
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct dht_contact contact = routing_table_contact(&node->table, closest[i]);
        length += dht_id_write_contact(&contact, out + length);
    }
    return length;
}

static void add_nodes(struct dht_node *node, const struct krpc_message *query,
                      struct answer *answer)
{
    bool is_ipv4 = node->family == ADDRESS_IPV4;
    const struct dht_node *node4 = is_ipv4 ? node : node->sibling;
    const struct dht_node *node6 = is_ipv4 ? node->sibling : node;
    uint8_t want = query->want;
    if (!want)
        want = is_ipv4 ? KRPC_WANT_NODES : KRPC_WANT_NODES6;
    if ((want & KRPC_WANT_NODES) && node4)
        answer->message.nodes =
            (struct bytes){answer->nodes, write_nodes(node4, &query->target, answer->nodes)};
    if ((want & KRPC_WANT_NODES6) && node6)
        answer->message.nodes6 =
            (struct bytes){answer->nodes6, write_nodes(node6, &query->target, answer->nodes6)};
}

static void add_token(const struct dht_node *node, int64_t now, const struct address *from,
                      const struct krpc_message *query, struct answer *answer)
{
    dht_token_make(node->secret, from, &query->target, now, answer->token);
    answer->message.token = (struct bytes){answer->token, DHT_TOKEN_SIZE};
}

/* Ourselves as a peer that `from` can reach; false: we know of no such address. In his own network
 * that is where he asked us, further out an address that leads here from everywhere. */
static bool own_address(const struct dht_node *node, const struct address *from,
                        const struct address *local, uint16_t port, struct address *ret_own)
{
    bool is_near = dht_id_is_exempt(from);
    bool knows_local = local->family == (uint8_t)node->family && !address_is_unspecified(local) &&
                       !address_is_multicast(local);
    if (knows_local && (is_near || !dht_id_is_exempt(local)))
        *ret_own = *local;
    else if (node->external.family && (is_near || !dht_id_is_exempt(&node->external)))
        *ret_own = node->external;
    else
        return false;
    ret_own->port = port ? port : local->port;
    return ret_own->port != 0;
}

static void add_scrape(const struct dht_node *node, const struct krpc_message *query,
                       const struct address *own, bool own_is_seed, struct answer *answer)
{
    bool is_known = node->peers && dht_peer_store_blooms(node->peers, &query->target, answer->seeds,
                                                         answer->peers);
    if (!is_known && !own)
        return;
    if (!is_known) {
        memset(answer->seeds, 0, DHT_BLOOM_SIZE);
        memset(answer->peers, 0, DHT_BLOOM_SIZE);
    }
    if (own)
        dht_bloom_insert(own_is_seed ? answer->seeds : answer->peers, own);
    answer->message.seeds_bloom = (struct bytes){answer->seeds, DHT_BLOOM_SIZE};
    answer->message.peers_bloom = (struct bytes){answer->peers, DHT_BLOOM_SIZE};
}

/* What others announced here, and what we announce ourselves: elsewhere only, but in a small
 * network the others may be gone. */
static void answer_get_peers(struct dht_node *node, int64_t now, const struct address *from,
                             const struct address *local, const struct krpc_message *query,
                             struct answer *answer)
{
    struct krpc_message *message = &answer->message;
    const struct dht_announcement *kept = dht_announcer_find(&node->announcer, &query->target);
    struct address own;
    bool names_own = kept && own_address(node, from, local, kept->port, &own);
    add_nodes(node, query, answer);
    add_token(node, now, from, query, answer);
    if (names_own && !(query->no_seeds && kept->is_seed))
        message->values[message->value_count++] = own;
    if (node->peers)
        message->value_count += dht_peer_store_pick(
            node->peers, &query->target, query->no_seeds, &node->rng,
            message->values + message->value_count, VALUES_MAX - message->value_count);
    if (query->scrape)
        add_scrape(node, query, names_own ? &own : NULL, names_own && kept->is_seed, answer);
}

static void answer_announce(struct dht_node *node, int64_t now, const struct address *from,
                            const struct krpc_message *query, struct answer *answer)
{
    struct address peer = *from;
    if (!query->implied_port)
        peer.port = query->port;
    if (!dht_token_is_good(node->secret, from, &query->target, now, query->token)) {
        refuse(answer, KRPC_ERROR_PROTOCOL, "bad token");
        return;
    }
    if (!node->peers)
        node->peers = dht_peer_store_new(node->family, node->seed);
    dht_peer_store_announce(node->peers, &query->target, &peer, query->is_seed, now);
}

static void answer_get(struct dht_node *node, int64_t now, const struct address *from,
                       const struct krpc_message *query, struct answer *answer)
{
    struct krpc_item item;
    add_nodes(node, query, answer);
    add_token(node, now, from, query, answer);
    if (!node->items || !dht_item_store_get(node->items, &query->target, &item))
        return;
    item.salt = (struct bytes){NULL, 0}; /* who asks knows it */
    /* BEP 44: who has it as new already wants only to hear that. */
    if (item.has_seq && query->item.has_seq && item.seq <= query->item.seq)
        item = (struct krpc_item){.has_seq = true, .seq = item.seq};
    answer->message.item = item;
}

static void answer_put(struct dht_node *node, int64_t now, const struct address *from,
                       const struct krpc_message *query, struct answer *answer)
{
    struct dht_id target = krpc_item_target(&query->item);
    if (!dht_token_is_good(node->secret, from, &target, now, query->token)) {
        refuse(answer, KRPC_ERROR_PROTOCOL, "bad token");
        return;
    }
    int problem = dht_item_judge(&query->item, &node->verifier);
    if (!problem && !node->items)
        node->items = dht_item_store_new(node->seed);
    if (!problem)
        problem = dht_item_store_put(node->items, &node->id, &query->item, now);
    if (problem)
        refuse(answer, problem, "item refused");
}

static void answer_sample(struct dht_node *node, int64_t now, const struct krpc_message *query,
                          struct answer *answer)
{
    struct krpc_message *message = &answer->message;
    uint32_t count = 0;
    add_nodes(node, query, answer);
    if (node->peers) {
        /* The same choice for as long as we say that it stays the same. */
        uint64_t turn = (uint64_t)(now / (SAMPLE_INTERVAL_S * SECOND_NS));
        count = dht_peer_store_sample(node->peers, node->seed + turn, answer->samples, SAMPLES_MAX);
        message->sample_total = dht_peer_store_torrent_count(node->peers);
    }
    message->sample_interval_s = SAMPLE_INTERVAL_S;
    message->samples = (struct bytes){answer->samples[0].bytes, count * DHT_ID_SIZE};
}

static void make_answer(struct dht_node *node, int64_t now, const struct address *from,
                        const struct address *local, const struct krpc_message *query,
                        struct answer *answer)
{
    if (query->problem) {
        refuse(answer, KRPC_ERROR_PROTOCOL, query->problem);
        return;
    }
    switch (query->method) {
    case KRPC_PING: break;
    case KRPC_GET_PEERS: answer_get_peers(node, now, from, local, query, answer); break;
    case KRPC_ANNOUNCE_PEER: answer_announce(node, now, from, query, answer); break;
    case KRPC_GET: answer_get(node, now, from, query, answer); break;
    case KRPC_PUT: answer_put(node, now, from, query, answer); break;
    case KRPC_SAMPLE_INFOHASHES: answer_sample(node, now, query, answer); break;
    default:
        if (query->has_target)
            add_nodes(node, query, answer);
        else
            refuse(answer, KRPC_ERROR_METHOD, "unknown method");
    }
}

/* Writes it within the limit of a datagram: what matters least goes first. */
static void write_answer(struct krpc_message *message, struct buffer *out)
{
    for (;;) {
        buffer_clear(out);
        krpc_write(message, out);
        if (out->length <= LIMIT_DHT_DATAGRAM_OUT)
            return;
        if (message->value_count > NODES_MAX)
            message->value_count = message->value_count * 3 / 4;
        else if (message->nodes.length && message->nodes6.length)
            message->nodes6 = (struct bytes){NULL, 0};
        else if (message->nodes6.length)
            message->nodes6.length -= KRPC_CONTACT6_SIZE;
        else if (message->nodes.length)
            message->nodes.length -= KRPC_CONTACT_SIZE;
        else
            message->value_count = 0;
    }
}

/* A source that has received packets of ours: it answered one, or holds a token. */
static bool is_proven(const struct dht_node *node, int64_t now, const struct address *from,
                      const struct krpc_message *query)
{
    const struct routing_entry *entry = routing_table_find(&node->table, from);
    struct dht_id target = query->target;
    if (entry && entry->has_answered && entry->port == from->port)
        return true;
    if ((query->method != KRPC_ANNOUNCE_PEER && query->method != KRPC_PUT) || query->problem)
        return false;
    if (query->method == KRPC_PUT)
        target = krpc_item_target(&query->item);
    return dht_token_is_good(node->secret, from, &target, now, query->token);
}

/* Who asks is alive: perhaps a node for our table, once it has answered. */
static void meet(struct dht_node *node, int64_t now, const struct address *from,
                 const struct krpc_message *query)
{
    struct dht_contact contact = {.id = query->id, .address = *from};
    struct krpc_message ping;
    if (query->is_read_only || query->problem)
        return;
    routing_table_asked(&node->table, &contact, now);
    if (!routing_table_is_wanted(&node->table, &contact, now) || dht_node_is_asking(node, from) ||
        !dht_budget_take_bytes(node->budget, PING_BYTES, now))
        return;
    krpc_init(&ping, KRPC_QUERY);
    ping.method = KRPC_PING;
    dht_node_ask(node, now, &ping, &contact, true, DHT_FOR_TABLE, 0);
}

void dht_node_serve(struct dht_node *node, int64_t now, const struct address *from,
                    const struct address *local, const struct krpc_message *query)
{
    struct answer answer;
    struct buffer out = {0};
    node->queries_in++;
    if (node->is_read_only)
        return;
    if (!dht_budget_take_message(node->budget, from, now)) {
        node->queries_refused++;
        return;
    }
    krpc_init(&answer.message, KRPC_REPLY);
    answer.message.id = node->id;
    answer.message.transaction = query->transaction;
    answer.message.version = DHT_VERSION;
    answer.message.external = *from;
    bool proven = is_proven(node, now, from, query);
    make_answer(node, now, from, local, query, &answer);
    write_answer(&answer.message, &out);
    if (proven || dht_budget_take_bytes(node->budget, out.length, now))
        dht_node_send(node, from, buffer_bytes(&out));
    else
        node->queries_refused++;
    buffer_deinit(&out);
    meet(node, now, from, query);
}

/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_node_state.h"

#include "core/base/memory.h"

#include <string.h>

#define SEEDS_MAX     12u /* of our own table, to begin with */
#define NODES_READ    16u /* of one reply; honest ones have eight */
#define BEGIN_WAIT_NS (10 * SECOND_NS)
/* An announce that fewer took than should is tried again: soon when we knew nobody. A network that
 * has just begun grows past those who took it first. */
#define RETRY_ABSENT_NS (3 * SECOND_NS)
#define RETRY_NS        (60 * SECOND_NS)

#define OWN_PEERS_MAX 50u /* of our own store, for a search of ours */
#define ROUTE_UNKNOWN ROUTING_RTT_UNKNOWN

/* May we ask there? Not ourselves, nothing that is no host's address, and what lies in a private
 * network only when the private network says so: nobody outside aims us at a LAN. */
static bool is_askable(const struct dht_node *node, const struct dht_contact *contact,
                       const struct address *teller)
{
    const struct address *address = &contact->address;
    if (address->family != (uint8_t)node->family || address->port == 0 ||
        address_is_multicast(address) || address_is_unspecified(address) ||
        address_is_metadata_service(address) || dht_id_equal(&contact->id, &node->id))
        return false;
    return !dht_id_is_exempt(address) || dht_id_is_exempt(teller);
}

/* Gives the nodes that a reply names to a look-up. */
static void offer(struct dht_node *node, struct dht_search *search,
                  const struct krpc_message *message, const struct address *teller, uint8_t path)
{
    size_t size = node->family == ADDRESS_IPV4 ? KRPC_CONTACT_SIZE : KRPC_CONTACT6_SIZE;
    struct bytes nodes = node->family == ADDRESS_IPV4 ? message->nodes : message->nodes6;
    for (size_t i = 0; i < NODES_READ && (i + 1) * size <= nodes.length; i++) {
        struct dht_contact contact;
        if (!dht_id_read_contact((struct bytes){nodes.data + i * size, size}, &contact) ||
            !is_askable(node, &contact, teller))
            continue;
        const struct routing_entry *known = routing_table_find(&node->table, &contact.address);
        dht_lookup_add(&search->lookup, &contact, known ? known->rtt_ms : ROUTE_UNKNOWN, path);
    }
}

static void seed_lookup(struct dht_node *node, struct dht_search *search)
{
    const struct routing_entry *closest[SEEDS_MAX];
    uint32_t count =
        routing_table_closest(&node->table, &search->lookup.target, false, closest, SEEDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        struct dht_contact contact = routing_table_contact(&node->table, closest[i]);
        dht_lookup_add(&search->lookup, &contact, closest[i]->rtt_ms,
                       (uint8_t)(i % DHT_LOOKUP_PATHS));
    }
}

struct dht_search *dht_node_search_new(struct dht_node *node, int64_t now,
                                       enum dht_search_kind kind, const struct dht_id *target)
{
    if (node->searches.length >= LIMIT_DHT_LOOKUPS)
        return NULL;
    struct dht_search *search = memory_new(sizeof *search);
    search->kind = kind;
    search->number = node->number_next++;
    search->started_ns = now;
    search->is_traced = node->is_tracing;
    dht_lookup_init(&search->lookup, target);
    list_append(&node->searches, &search->node);
    routing_table_touch(&node->table, target, now);
    seed_lookup(node, search);
    return search;
}

void dht_node_search_free(struct dht_node *node, struct dht_search *search)
{
    list_remove(&node->searches, &search->node);
    memory_free(search->item);
    memory_free(search->blooms);
    memory_free(search);
}

/* `message` and its delay: of an answer. */
static void tell_step(struct dht_node *node, const struct dht_search *search,
                      enum dht_trace_step step, const struct dht_contact *contact,
                      const struct krpc_message *message, int64_t delay_ns)
{
    struct dht_result result = {.type = DHT_RESULT_TRACE,
                                .step = step,
                                .number = search->number,
                                .target = search->lookup.target,
                                .id = contact->id,
                                .from = contact->address,
                                .rtt_ms = ROUTE_UNKNOWN};
    if (!search->is_traced || search->is_inner)
        return;
    if (message) {
        bool is_ipv4 = node->family == ADDRESS_IPV4;
        struct bytes nodes = is_ipv4 ? message->nodes : message->nodes6;
        int64_t delay_ms = delay_ns / MILLISECOND_NS;
        result.rtt_ms = (uint16_t)(delay_ms < ROUTE_UNKNOWN ? delay_ms : ROUTE_UNKNOWN - 1);
        result.peer_count = message->value_count;
        result.node_count =
            (uint32_t)(nodes.length / (is_ipv4 ? KRPC_CONTACT_SIZE : KRPC_CONTACT6_SIZE));
    }
    dht_node_tell(node, &result, NULL);
}

static void ask_candidate(struct dht_node *node, struct dht_search *search, int64_t now,
                          const struct dht_candidate *candidate)
{
    struct krpc_message query;
    krpc_init(&query, KRPC_QUERY);
    query.has_target = true;
    query.target = search->lookup.target;
    switch (search->kind) {
    case DHT_SEARCH_FIND: query.method = KRPC_FIND_NODE; break;
    case DHT_SEARCH_PEERS:
    case DHT_SEARCH_ANNOUNCE:
        query.method = KRPC_GET_PEERS;
        query.no_seeds = search->no_seeds;
        query.scrape = search->blooms != NULL;
        break;
    default: query.method = KRPC_GET; break;
    }
    search->asked++;
    tell_step(node, search, DHT_TRACE_ASKED, &candidate->contact, NULL, 0);
    dht_node_ask(node, now, &query, &candidate->contact, true, DHT_FOR_LOOKUP, search->number);
}

/* false: too many questions are open. */
static bool store_at(struct dht_node *node, struct dht_search *search, int64_t now,
                     const struct dht_candidate *candidate, enum dht_purpose purpose)
{
    struct krpc_message query;
    krpc_init(&query, KRPC_QUERY);
    query.token = (struct bytes){candidate->token, candidate->token_length};
    if (search->kind == DHT_SEARCH_ANNOUNCE) {
        query.method = KRPC_ANNOUNCE_PEER;
        query.has_target = true;
        query.target = search->lookup.target;
        query.implied_port = search->port == 0;
        query.port = search->port;
        query.is_seed = search->is_seed;
    } else {
        query.method = KRPC_PUT;
        query.item = search->item->item;
    }
    tell_step(node, search, DHT_TRACE_STORING, &candidate->contact, NULL, 0);
    bool is_sent =
        dht_node_ask(node, now, &query, &candidate->contact, true, purpose, search->number);
    search->open_stores += is_sent;
    return is_sent;
}

static void begin_storing(struct dht_node *node, struct dht_search *search, int64_t now)
{
    const struct dht_candidate *closest[DHT_LOOKUP_SET];
    uint32_t count = dht_lookup_closest(&search->lookup, closest);
    search->is_storing = true;
    for (uint32_t i = 0; i < count; i++)
        if (closest[i]->token_length > 0)
            store_at(node, search, now, closest[i], DHT_FOR_STORE);
}

static void tell_scrape(struct dht_node *node, const struct dht_search *search)
{
    struct dht_result result = {.type = DHT_RESULT_SCRAPE,
                                .number = search->number,
                                .target = search->lookup.target,
                                .seeds = dht_bloom_estimate(search->blooms[0]),
                                .downloaders = dht_bloom_estimate(search->blooms[1])};
    dht_node_tell(node, &result, NULL);
}

static void finish(struct dht_node *node, struct dht_search *search)
{
    struct dht_result result = {.type = DHT_RESULT_DONE,
                                .number = search->number,
                                .target = search->lookup.target,
                                .asked = search->asked,
                                .answered = search->answered,
                                .stored = search->stored,
                                .refusal = search->refusal};
    bool stores = search->kind == DHT_SEARCH_ANNOUNCE || search->kind == DHT_SEARCH_PUT;
    result.error = search->asked == 0              ? FRESHET_ERROR_ABSENT
                   : search->answered == 0         ? FRESHET_ERROR_TIMEOUT
                   : stores && search->stored == 0 ? FRESHET_ERROR_REFUSED
                                                   : FRESHET_OK;
    if (search->blooms)
        tell_scrape(node, search);
    if (search->is_kept && search->stored < DHT_LOOKUP_SET)
        dht_announcer_retry(
            &node->announcer, &search->lookup.target,
            node->now_ns + (result.error == FRESHET_ERROR_ABSENT ? RETRY_ABSENT_NS : RETRY_NS));
    if (!search->is_inner)
        dht_node_tell(node, &result, NULL);
    dht_node_search_free(node, search);
}

/* Nobody to ask, but somebody may be found soon. */
static bool is_waiting(const struct dht_node *node, const struct dht_search *search, int64_t now)
{
    return search->lookup.count == 0 && (node->name_count > 0 || node->questions.length > 0) &&
           now - search->started_ns < BEGIN_WAIT_NS;
}

void dht_node_search_advance(struct dht_node *node, struct dht_search *search, int64_t now)
{
    const struct dht_candidate *candidate;
    if (search->lookup.count == 0)
        seed_lookup(node, search);
    if (is_waiting(node, search, now))
        return;
    while (!search->is_storing && dht_node_may_ask(node) &&
           (candidate = dht_lookup_ask(&search->lookup, now, node->late_ns)))
        ask_candidate(node, search, now, candidate);
    bool stores = search->kind == DHT_SEARCH_ANNOUNCE || search->kind == DHT_SEARCH_PUT;
    if (!search->is_storing && !dht_lookup_is_done(&search->lookup, now, node->late_ns))
        return;
    if (stores && !search->is_storing)
        begin_storing(node, search, now);
    if (search->open_stores == 0)
        finish(node, search);
}

int64_t dht_node_search_deadline(const struct dht_node *node, const struct dht_search *search)
{
    if (is_waiting(node, search, node->now_ns))
        return search->started_ns + BEGIN_WAIT_NS;
    return dht_lookup_deadline(&search->lookup, node->now_ns, node->late_ns);
}

void dht_node_search_advance_all(struct dht_node *node, int64_t now)
{
    struct list_node *at = list_first(&node->searches);
    while (at) {
        struct dht_search *search = LIST_ELEMENT(at, struct dht_search, node);
        at = list_next(&node->searches, at);
        dht_node_search_advance(node, search, now);
    }
}

/* As for nodes (is_askable). */
static bool is_callable(const struct address *peer, const struct address *teller)
{
    return !address_is_metadata_service(peer) &&
           (!dht_id_is_exempt(peer) || dht_id_is_exempt(teller));
}

static void take_peers(struct dht_node *node, struct dht_search *search, const struct address *from,
                       const struct krpc_message *message)
{
    struct dht_result result = {.type = DHT_RESULT_PEERS,
                                .number = search->number,
                                .target = search->lookup.target,
                                .from = *from};
    if (search->blooms && message->seeds_bloom.data && message->peers_bloom.data) {
        dht_bloom_unite(search->blooms[0], message->seeds_bloom.data);
        dht_bloom_unite(search->blooms[1], message->peers_bloom.data);
    }
    if (message->value_count == 0)
        return;
    struct address *owned = memory_new_array(message->value_count, sizeof *owned);
    for (uint32_t i = 0; i < message->value_count; i++)
        if (is_callable(&message->values[i], from))
            owned[result.peer_count++] = message->values[i];
    result.peers = owned;
    if (result.peer_count)
        dht_node_tell(node, &result, owned);
    else
        memory_free(owned);
}

/* What others announced to ourselves counts, too: in a small network we may be the only one whom a
 * peer found. */
void dht_node_search_own_peers(struct dht_node *node, const struct dht_search *search)
{
    struct address peers[OWN_PEERS_MAX];
    if (!node->peers)
        return;
    uint32_t count = dht_peer_store_pick(node->peers, &search->lookup.target, search->no_seeds,
                                         &node->rng, peers, OWN_PEERS_MAX);
    if (count == 0)
        return;
    struct dht_result result = {.type = DHT_RESULT_PEERS,
                                .number = search->number,
                                .target = search->lookup.target,
                                .peer_count = count};
    void *owned = memory_copy(peers, count * sizeof peers[0]);
    result.peers = owned;
    dht_node_tell(node, &result, owned);
}

/* Believed only when it proves itself: by its hash, or by its key, salt and signature. */
static void take_item(struct dht_node *node, struct dht_search *search, const struct address *from,
                      const struct krpc_message *message)
{
    struct krpc_item item = message->item;
    if (!item.value.data)
        return;
    item.salt = search->item->item.salt;
    struct dht_id target = krpc_item_target(&item);
    bool is_newer = !search->has_item || (item.key && item.seq > search->item->item.seq);
    if (!is_newer || !dht_id_equal(&target, &search->lookup.target) ||
        dht_item_judge(&item, &node->verifier) != 0)
        return;
    struct dht_item *told = memory_new(sizeof *told);
    dht_item_init(told, &item);
    search->item->item.seq = item.seq;
    search->has_item = true;
    struct dht_result result = {.type = DHT_RESULT_ITEM,
                                .number = search->number,
                                .target = search->lookup.target,
                                .from = *from,
                                .item = told->item};
    dht_node_tell(node, &result, told);
}

static struct dht_search *find(struct dht_node *node, uint32_t number)
{
    for (struct list_node *at = list_first(&node->searches); at;
         at = list_next(&node->searches, at))
        if (LIST_ELEMENT(at, struct dht_search, node)->number == number)
            return LIST_ELEMENT(at, struct dht_search, node);
    return NULL;
}

static void take_answer(struct dht_node *node, struct dht_search *search, int64_t now,
                        const struct dht_question *question, const struct krpc_message *message)
{
    struct dht_contact contact = {.id = message->id, .address = question->to};
    uint8_t path = dht_lookup_answered(&search->lookup, &contact, message->token);
    tell_step(node, search, path == DHT_LOOKUP_PATHS ? DHT_TRACE_REFUSED : DHT_TRACE_ANSWERED,
              &contact, message, now - question->sent_ns);
    if (path == DHT_LOOKUP_PATHS)
        return;
    search->answered++;
    offer(node, search, message, &question->to, path);
    if (search->kind == DHT_SEARCH_PEERS || search->kind == DHT_SEARCH_ANNOUNCE)
        take_peers(node, search, &question->to, message);
    else if (search->kind == DHT_SEARCH_GET)
        take_item(node, search, &question->to, message);
}

/* Who has just given us a token is there: a store without an answer was most likely lost, or the
 * answer was. Once more, to the same node. */
static bool store_again(struct dht_node *node, struct dht_search *search, int64_t now,
                        const struct dht_question *question)
{
    const struct dht_candidate *candidate = dht_lookup_find(&search->lookup, &question->to);
    return candidate && candidate->token_length > 0 &&
           store_at(node, search, now, candidate, DHT_FOR_STORE_AGAIN);
}

static void take_store(struct dht_node *node, struct dht_search *search, int64_t now,
                       const struct dht_question *question, const struct krpc_message *message)
{
    struct dht_contact contact = {.id = question->id, .address = question->to};
    bool is_stored = message && message->kind == KRPC_REPLY;
    search->open_stores--;
    if (!message && question->purpose == DHT_FOR_STORE && store_again(node, search, now, question))
        return;
    search->stored += is_stored;
    if (message && message->kind == KRPC_ERROR)
        search->refusal = message->error_code;
    tell_step(node, search, is_stored ? DHT_TRACE_STORED : DHT_TRACE_NOT_STORED, &contact, message,
              now - question->sent_ns);
}

static void take_failure(struct dht_node *node, struct dht_search *search, int64_t now,
                         const struct dht_question *question, const struct krpc_message *message)
{
    struct dht_contact contact = {.id = question->id, .address = question->to};
    dht_lookup_failed(&search->lookup, &question->to);
    tell_step(node, search, message ? DHT_TRACE_REFUSED : DHT_TRACE_SILENT, &contact, message,
              now - question->sent_ns);
}

void dht_node_search_hear(struct dht_node *node, int64_t now, const struct dht_question *question,
                          const struct krpc_message *message)
{
    struct dht_search *search = find(node, question->number);
    if (!search)
        return;
    if (question->purpose == DHT_FOR_STORE || question->purpose == DHT_FOR_STORE_AGAIN)
        take_store(node, search, now, question, message);
    else if (message && message->kind == KRPC_REPLY)
        take_answer(node, search, now, question, message);
    else
        take_failure(node, search, now, question, message);
    dht_node_search_advance(node, search, now);
}

void dht_node_search_begin(struct dht_node *node, int64_t now, const struct krpc_message *message,
                           const struct address *from)
{
    struct dht_search *own = NULL;
    struct list_node *at = list_first(&node->searches);
    for (; at && !own; at = list_next(&node->searches, at)) {
        struct dht_search *search = LIST_ELEMENT(at, struct dht_search, node);
        if (search->is_inner && dht_id_equal(&search->lookup.target, &node->id))
            own = search;
    }
    if (!own && (own = dht_node_search_new(node, now, DHT_SEARCH_FIND, &node->id)))
        own->is_inner = true;
    if (own)
        offer(node, own, message, from, (uint8_t)(rng_below(&node->rng, DHT_LOOKUP_PATHS)));
    dht_node_search_advance_all(node, now);
}

uint32_t dht_node_find_node(struct dht_node *node, int64_t now, const struct dht_id *target)
{
    struct dht_search *search = dht_node_search_new(node, now, DHT_SEARCH_FIND, target);
    uint32_t number = search ? search->number : 0;
    if (search)
        dht_node_search_advance(node, search, now);
    return number;
}

uint32_t dht_node_get_peers(struct dht_node *node, int64_t now, const struct dht_id *info_hash,
                            unsigned flags)
{
    struct dht_search *search = dht_node_search_new(node, now, DHT_SEARCH_PEERS, info_hash);
    if (!search)
        return 0;
    uint32_t number = search->number;
    search->no_seeds = flags & DHT_PEERS_NO_SEEDS;
    if (flags & DHT_PEERS_SCRAPE)
        search->blooms = memory_new_array(2, DHT_BLOOM_SIZE);
    dht_node_search_own_peers(node, search);
    dht_node_search_advance(node, search, now);
    return number;
}

uint32_t dht_node_announce(struct dht_node *node, int64_t now, const struct dht_id *info_hash,
                           uint16_t port, bool is_seed)
{
    struct dht_search *search = dht_node_search_new(node, now, DHT_SEARCH_ANNOUNCE, info_hash);
    if (!search)
        return 0;
    uint32_t number = search->number;
    search->port = port;
    search->is_seed = is_seed;
    dht_node_search_own_peers(node, search);
    dht_node_search_advance(node, search, now);
    return number;
}

uint32_t dht_node_get(struct dht_node *node, int64_t now, const struct dht_id *target,
                      struct bytes salt)
{
    struct krpc_item item = {.salt = salt};
    struct dht_search *search;
    if (salt.length > LIMIT_DHT_SALT ||
        !(search = dht_node_search_new(node, now, DHT_SEARCH_GET, target)))
        return 0;
    uint32_t number = search->number;
    search->item = memory_new(sizeof *search->item);
    dht_item_init(search->item, &item);
    dht_node_search_advance(node, search, now);
    return number;
}

uint32_t dht_node_put(struct dht_node *node, int64_t now, const struct krpc_item *item)
{
    struct dht_search *search;
    if (dht_item_judge(item, &node->verifier) != 0)
        return 0;
    struct dht_id target = krpc_item_target(item);
    if (!(search = dht_node_search_new(node, now, DHT_SEARCH_PUT, &target)))
        return 0;
    uint32_t number = search->number;
    search->item = memory_new(sizeof *search->item);
    dht_item_init(search->item, item);
    dht_node_search_advance(node, search, now);
    return number;
}

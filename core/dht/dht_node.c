/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_node_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

#define UPKEEP_NS      (10 * SECOND_NS)
#define UPKEEP_BUSY_NS SECOND_NS /* while somebody is to be pinged */
#define SELF_NS        (900 * SECOND_NS)
#define BEGIN_FIRST_NS (5 * SECOND_NS)
#define BEGIN_LAST_NS  (300 * SECOND_NS)
#define BEGIN_LOOK_NS  (60 * SECOND_NS) /* while somebody good is known */
#define LATE_FIRST_NS  (500 * MILLISECOND_NS)
#define KEPT_AT_ONCE   8u /* announces of the announcer under way */
#define ADDRESS_BYTES  100u
#define RECORD_VERSION 1u

struct dht_node *dht_node_new(const struct dht_node_options *options)
{
    struct dht_node *node = memory_new(sizeof *node);
    CHECK(options->family == ADDRESS_IPV4 || options->family == ADDRESS_IPV6);
    node->family = options->family;
    node->seed = options->seed;
    node->external = options->external;
    node->is_read_only = options->is_read_only;
    node->verifier = options->verifier;
    node->job_next = options->first_job;
    node->number_next = 1;
    node->late_ns = LATE_FIRST_NS;
    memcpy(node->secret, options->secret, DHT_SECRET_SIZE);
    rng_init(&node->rng, options->seed);
    if (options->external.family)
        node->id = dht_id_of_address(&options->external, &node->rng);
    else
        rng_fill(&node->rng, node->id.bytes, DHT_ID_SIZE);
    node->transaction_next = (uint32_t)rng_u64(&node->rng);
    node->budget = memory_new(sizeof *node->budget);
    dht_budget_init(node->budget, rng_u64(&node->rng));
    routing_table_init(&node->table, &node->id, node->family);
    dht_announcer_init(&node->announcer, options->seed);
    list_init(&node->questions);
    list_init(&node->searches);
    list_init(&node->packets);
    list_init(&node->results);
    return node;
}

static void free_result(struct dht_queued_result *result)
{
    if (!result)
        return;
    memory_free(result->owned);
    memory_free(result);
}

static void free_queues(struct dht_node *node)
{
    struct list_node *at;
    while ((at = list_first(&node->searches)))
        dht_node_search_free(node, LIST_ELEMENT(at, struct dht_search, node));
    while ((at = list_first(&node->questions))) {
        list_remove(&node->questions, at);
        memory_free(LIST_ELEMENT(at, struct dht_question, node));
    }
    while ((at = list_first(&node->packets))) {
        list_remove(&node->packets, at);
        memory_free(LIST_ELEMENT(at, struct dht_packet, node));
    }
    while ((at = list_first(&node->results))) {
        list_remove(&node->results, at);
        free_result(LIST_ELEMENT(at, struct dht_queued_result, node));
    }
}

void dht_node_free(struct dht_node *node)
{
    if (!node)
        return;
    if (node->sibling)
        dht_node_set_sibling(node, NULL);
    free_queues(node);
    memory_free(node->sending);
    free_result(node->telling);
    for (uint32_t i = 0; i < node->name_count; i++)
        memory_free(node->names[i].host);
    memory_free(node->names);
    dht_announcer_deinit(&node->announcer);
    dht_peer_store_free(node->peers);
    dht_item_store_free(node->items);
    routing_table_deinit(&node->table);
    memory_free(node->vote);
    memory_free(node->budget);
    memory_free(node);
}

void dht_node_set_sibling(struct dht_node *node, struct dht_node *sibling)
{
    if (node->sibling)
        node->sibling->sibling = NULL;
    node->sibling = sibling;
    if (sibling) {
        CHECK(sibling->family != node->family);
        sibling->sibling = node;
    }
}

enum freshet_error dht_node_add_name(struct dht_node *node, const char *host, uint16_t port)
{
    if (node->name_count >= LIMIT_DHT_NAMES || strlen(host) > LIMIT_HOST_LENGTH)
        return FRESHET_ERROR_LIMIT;
    /* All at once: jobs in the host's hands point into the array. */
    if (!node->names)
        node->names = memory_new_array(LIMIT_DHT_NAMES, sizeof *node->names);
    struct dht_name *name = &node->names[node->name_count++];
    name->host = memory_copy(host, strlen(host) + 1);
    name->port = port;
    node->begin_ns = 0;
    return FRESHET_OK;
}

static bool is_host_address(const struct dht_node *node, const struct address *address)
{
    return address->family == (uint8_t)node->family && address->port != 0 &&
           !address_is_multicast(address) && !address_is_unspecified(address) &&
           !address_is_metadata_service(address);
}

void dht_node_add_address(struct dht_node *node, const struct address *address, int64_t now)
{
    struct dht_contact contact = {.address = *address};
    struct krpc_message ping;
    /* A torrent may name a thousand victims. */
    if (!is_host_address(node, address) || routing_table_find(&node->table, address) ||
        dht_node_is_asking(node, address) ||
        !dht_budget_take_bytes(node->budget, ADDRESS_BYTES, now))
        return;
    krpc_init(&ping, KRPC_QUERY);
    ping.method = KRPC_PING;
    dht_node_ask(node, now, &ping, &contact, false, DHT_FOR_TABLE, 0);
}

void dht_node_save(const struct dht_node *node, struct buffer *out)
{
    const struct routing_entry *entries[LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE];
    uint32_t count = routing_table_closest(&node->table, &node->id, true, entries,
                                           LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE);
    buffer_append_u8(out, RECORD_VERSION);
    buffer_append_u8(out, (uint8_t)node->family);
    buffer_append(out, node->id.bytes, DHT_ID_SIZE);
    buffer_append_u8(out, (uint8_t)(count >> 8));
    buffer_append_u8(out, (uint8_t)count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t compact[38];
        struct dht_contact contact = routing_table_contact(&node->table, entries[i]);
        buffer_append(out, compact, dht_id_write_contact(&contact, compact));
    }
}

static enum freshet_error load(struct dht_node *node, struct bytes record, int64_t now,
                               bool with_id)
{
    struct cursor cursor;
    struct dht_id id;
    size_t size = node->family == ADDRESS_IPV4 ? KRPC_CONTACT_SIZE : KRPC_CONTACT6_SIZE;
    cursor_init(&cursor, record);
    uint8_t version = cursor_u8(&cursor), family = cursor_u8(&cursor);
    struct bytes own = cursor_bytes(&cursor, DHT_ID_SIZE);
    size_t count = cursor_u16(&cursor);
    if (cursor.failed || version != RECORD_VERSION || family != (uint8_t)node->family ||
        count > LIMIT_DHT_BUCKETS * ROUTING_BUCKET_SIZE || cursor_left(&cursor) != count * size)
        return FRESHET_ERROR_SYNTAX;
    memcpy(id.bytes, own.data, DHT_ID_SIZE);
    if (with_id && (!node->external.family || dht_id_is_allowed(&id, &node->external))) {
        node->id = id;
        routing_table_move(&node->table, &id);
    }
    while (count-- > 0) {
        struct dht_contact contact;
        if (dht_id_read_contact(cursor_bytes(&cursor, size), &contact) &&
            is_host_address(node, &contact.address))
            routing_table_remember(&node->table, &contact, now);
    }
    return FRESHET_OK;
}

enum freshet_error dht_node_load(struct dht_node *node, struct bytes record, int64_t now)
{
    return load(node, record, now, true);
}

enum freshet_error dht_node_load_nodes(struct dht_node *node, struct bytes record, int64_t now)
{
    return load(node, record, now, false);
}

static uint32_t ask_person(struct dht_node *node, int64_t now, const struct address *address,
                           struct krpc_message *query)
{
    struct dht_contact contact = {.address = *address};
    if (!is_host_address(node, address))
        return 0;
    uint32_t number = node->number_next++;
    return dht_node_ask(node, now, query, &contact, false, DHT_FOR_PERSON, number) ? number : 0;
}

uint32_t dht_node_ping(struct dht_node *node, int64_t now, const struct address *address)
{
    struct krpc_message query;
    krpc_init(&query, KRPC_QUERY);
    query.method = KRPC_PING;
    return ask_person(node, now, address, &query);
}

uint32_t dht_node_sample(struct dht_node *node, int64_t now, const struct address *address,
                         const struct dht_id *target)
{
    struct krpc_message query;
    krpc_init(&query, KRPC_QUERY);
    query.method = KRPC_SAMPLE_INFOHASHES;
    query.has_target = true;
    query.target = *target;
    return ask_person(node, now, address, &query);
}

void dht_node_trace(struct dht_node *node, bool is_on)
{
    node->is_tracing = is_on;
}

enum freshet_error dht_node_keep_announced(struct dht_node *node, int64_t now,
                                           const struct dht_id *info_hash, uint16_t port,
                                           bool is_seed)
{
    return dht_announcer_keep(&node->announcer, now, info_hash, port, is_seed);
}

void dht_node_stop_announcing(struct dht_node *node, const struct dht_id *info_hash)
{
    dht_announcer_drop(&node->announcer, info_hash);
}

void dht_node_tell(struct dht_node *node, const struct dht_result *result, void *owned)
{
    if (node->results.length >= LIMIT_DHT_RESULTS) {
        struct list_node *oldest = list_first(&node->results);
        list_remove(&node->results, oldest);
        free_result(LIST_ELEMENT(oldest, struct dht_queued_result, node));
    }
    struct dht_queued_result *queued = memory_new(sizeof *queued);
    queued->result = *result;
    queued->owned = owned;
    list_append(&node->results, &queued->node);
}

bool dht_node_result(struct dht_node *node, struct dht_result *ret_result)
{
    free_result(node->telling);
    node->telling = NULL;
    struct list_node *first = list_first(&node->results);
    if (!first)
        return false;
    list_remove(&node->results, first);
    node->telling = LIST_ELEMENT(first, struct dht_queued_result, node);
    *ret_result = node->telling->result;
    return true;
}

static void look_for_self(struct dht_node *node, int64_t now)
{
    node->self_ns = now + SELF_NS;
    struct dht_search *search = dht_node_search_new(node, now, DHT_SEARCH_FIND, &node->id);
    if (!search)
        return;
    search->is_inner = true;
    dht_node_search_advance(node, search, now);
}

void dht_node_place(struct dht_node *node, int64_t now, const struct address *address)
{
    struct dht_result result = {.type = DHT_RESULT_ADDRESS, .from = *address};
    if (address_same_ip(&node->external, address))
        return;
    node->external = *address;
    dht_node_tell(node, &result, NULL);
    if (dht_id_is_allowed(&node->id, address))
        return;
    node->id = dht_id_of_address(address, &node->rng);
    routing_table_move(&node->table, &node->id);
    look_for_self(node, now);
}

static void hear_resolved(struct dht_node *node, int64_t now, struct dht_name *name,
                          const struct event *event)
{
    uint32_t count = event->error == FRESHET_OK ? event->result.resolved.count : 0;
    name->is_flying = false;
    for (uint32_t i = 0; i < count && i < RESOLVE_ADDRESSES_MAX; i++) {
        struct dht_contact contact = {.address = event->result.resolved.addresses[i]};
        struct krpc_message query;
        if (!is_host_address(node, &contact.address) || dht_node_is_asking(node, &contact.address))
            continue;
        krpc_init(&query, KRPC_QUERY);
        query.method = KRPC_FIND_NODE;
        query.has_target = true;
        query.target = node->id;
        dht_node_ask(node, now, &query, &contact, false, DHT_FOR_BEGINNING, 0);
    }
}

static bool hear_datagram(struct dht_node *node, int64_t now, const struct event *event)
{
    struct krpc_message message;
    const struct address *from = &event->remote;
    if (event->bytes.length == 0 || event->bytes.data[0] != 'd' ||
        krpc_parse(event->bytes, &message) != FRESHET_OK)
        return false;
    if (!is_host_address(node, from))
        return true;
    if (message.kind == KRPC_QUERY)
        dht_node_serve(node, now, from, &event->local, &message);
    else
        dht_node_hear(node, now, from, &message);
    return true;
}

bool dht_node_input(struct dht_node *node, int64_t now, const struct event *event)
{
    node->now_ns = now;
    if (event->type == EVENT_DATAGRAM)
        return hear_datagram(node, now, event);
    if (event->type != EVENT_JOB_DONE)
        return false;
    for (uint32_t i = 0; i < node->name_count; i++)
        if (node->names[i].is_flying && node->names[i].job.id == event->job) {
            hear_resolved(node, now, &node->names[i], event);
            return true;
        }
    return false;
}

/* Nobody good is known: ask the names, ever more rarely. */
static void begin(struct dht_node *node, int64_t now)
{
    if (node->name_count == 0 || now < node->begin_ns)
        return;
    int64_t wait = BEGIN_FIRST_NS << (node->begin_failures < 6 ? node->begin_failures : 6);
    node->begin_ns = now + (wait < BEGIN_LAST_NS ? wait : BEGIN_LAST_NS);
    if (routing_table_good_count(&node->table, now) > 0) {
        node->begin_failures = 0;
        node->begin_ns = now + BEGIN_LOOK_NS;
        return;
    }
    node->begin_failures++;
    for (uint32_t i = 0; i < node->name_count; i++)
        if (!node->names[i].is_flying)
            node->names[i].is_wanted = true;
}

static void look_after_table(struct dht_node *node, int64_t now)
{
    struct dht_contact contact;
    struct dht_id target;
    if (now < node->upkeep_ns)
        return;
    node->upkeep_ns = now + UPKEEP_NS;
    if (routing_table_to_ping(&node->table, now, &contact)) {
        struct krpc_message ping;
        node->upkeep_ns = now + UPKEEP_BUSY_NS;
        krpc_init(&ping, KRPC_QUERY);
        ping.method = KRPC_PING;
        if (!dht_node_is_asking(node, &contact.address))
            dht_node_ask(node, now, &ping, &contact, true, DHT_FOR_TABLE, 0);
    }
    if (routing_table_count(&node->table) > 0 &&
        routing_table_to_refresh(&node->table, now, &node->rng, &target)) {
        struct dht_search *search = dht_node_search_new(node, now, DHT_SEARCH_FIND, &target);
        if (search) {
            search->is_inner = true;
            dht_node_search_advance(node, search, now);
        }
    }
    if (node->peers)
        dht_peer_store_tick(node->peers, now);
    if (node->items)
        dht_item_store_tick(node->items, now);
}

static uint32_t kept_searches(const struct dht_node *node)
{
    uint32_t count = 0;
    for (struct list_node *at = list_first(&node->searches); at;
         at = list_next(&node->searches, at))
        count += LIST_ELEMENT(at, struct dht_search, node)->is_kept;
    return count;
}

static void announce_due(struct dht_node *node, int64_t now)
{
    const struct dht_announcement *due;
    while (kept_searches(node) < KEPT_AT_ONCE && node->searches.length < LIMIT_DHT_LOOKUPS &&
           (due = dht_announcer_take(&node->announcer, now))) {
        struct dht_search *search =
            dht_node_search_new(node, now, DHT_SEARCH_ANNOUNCE, &due->info_hash);
        search->is_kept = true;
        search->port = due->port;
        search->is_seed = due->is_seed;
        dht_node_search_own_peers(node, search);
        dht_node_search_advance(node, search, now);
    }
}

void dht_node_tick(struct dht_node *node, int64_t now)
{
    node->now_ns = now;
    if (!node->is_started) {
        node->is_started = true;
        if (routing_table_count(&node->table) > 0)
            look_for_self(node, now);
    }
    dht_node_give_up(node, now);
    begin(node, now);
    if (now >= node->self_ns && routing_table_count(&node->table) > 0)
        look_for_self(node, now);
    look_after_table(node, now);
    announce_due(node, now);
    dht_node_search_advance_all(node, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t dht_node_deadline(const struct dht_node *node)
{
    if (!node->is_started)
        return 0;
    int64_t deadline = node->upkeep_ns;
    struct list_node *first = list_first(&node->questions);
    if (first)
        deadline = earlier(deadline, LIST_ELEMENT(first, struct dht_question, node)->sent_ns +
                                         LIMIT_DHT_GIVE_UP_NS);
    if (node->name_count > 0)
        deadline = earlier(deadline, node->begin_ns);
    if (kept_searches(node) < KEPT_AT_ONCE && node->searches.length < LIMIT_DHT_LOOKUPS)
        deadline = earlier(deadline, dht_announcer_deadline(&node->announcer));
    for (struct list_node *at = list_first(&node->searches); at;
         at = list_next(&node->searches, at))
        deadline = earlier(
            deadline, dht_node_search_deadline(node, LIST_ELEMENT(at, struct dht_search, node)));
    return deadline;
}

static bool output_resolve(struct dht_node *node, struct action *ret_action)
{
    for (uint32_t i = 0; i < node->name_count; i++) {
        struct dht_name *name = &node->names[i];
        if (!name->is_wanted)
            continue;
        name->is_wanted = false;
        name->is_flying = true;
        name->job =
            (struct resolve_job){.id = node->job_next++, .host = name->host, .port = name->port};
        *ret_action = (struct action){.type = ACTION_RESOLVE, .resolve = &name->job};
        return true;
    }
    return false;
}

bool dht_node_output(struct dht_node *node, int64_t now, struct action *ret_action)
{
    (void)now;
    memory_free(node->sending);
    node->sending = NULL;
    struct list_node *first = list_first(&node->packets);
    if (!first)
        return output_resolve(node, ret_action);
    list_remove(&node->packets, first);
    node->sending = LIST_ELEMENT(first, struct dht_packet, node);
    *ret_action = (struct action){.type = ACTION_SEND_DATAGRAM,
                                  .remote = node->sending->to,
                                  .bytes = {node->sending->bytes, node->sending->length}};
    return true;
}

struct dht_id dht_node_id(const struct dht_node *node)
{
    return node->id;
}

/* SPDX-License-Identifier: MIT */
/*
 * Between torrents and the DHT: active torrents are kept announced, one without peers looks for
 * some, and what is found comes back by info-hash. One node a family on the engine's socket.
 *
 * A private torrent (BEP 27) never comes near: it is neither announced nor looked for, the nodes
 * that it names are not asked, and its peers hear of no DHT port.
 */
#include "core/engine/engine_dht.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/engine/engine_state.h"

#include <string.h>

#define FAMILIES 2u

/* The jobs of the nodes are numbered apart from all others. */
#define FIRST_JOB   (UINT64_C(1) << 62)
#define JOBS_A_NODE (UINT64_C(1) << 61)

/* A torrent that finds nobody looks again, ever more rarely. */
#define LOOK_FIRST_NS (2 * SECOND_NS)
#define LOOK_LAST_NS  (120 * SECOND_NS)

struct engine_dht {
    struct dht_node *nodes[FAMILIES]; /* IPv4, IPv6; NULL: not there */
    /* Silent: jobs in the host's hands point into the nodes, so that they outlive a stop, and wake
     * again at the next start. */
    bool stopped;
};

static struct dht_node *new_node(struct engine *engine, const struct engine_dht_options *from,
                                 uint32_t family)
{
    struct dht_node_options options = {
        .family = family == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6,
        .seed = rng_u64(&engine->shared.rng),
        .is_read_only = from->is_read_only,
        .verifier = from->verifier,
        .first_job = FIRST_JOB + family * JOBS_A_NODE,
    };
    memcpy(options.secret, from->secret, sizeof options.secret);
    /* Who learns one family's tokens learns nothing of the other's. */
    options.secret[0] ^= (uint8_t)family;
    struct dht_node *node = dht_node_new(&options);
    struct bytes record = family == 0 ? from->record_ipv4 : from->record_ipv6;
    /* A record that makes no sense is as good as none: the names lead in again. */
    if (record.length)
        dht_node_load(node, record, engine->now);
    for (uint32_t i = 0; i < from->name_count; i++)
        dht_node_add_name(node, from->names[i].host, from->names[i].port);
    return node;
}

static bool is_on(const struct engine *engine)
{
    return engine->dht && !engine->dht->stopped;
}

static void make_nodes(struct engine *engine, const struct engine_dht_options *options)
{
    engine->dht = memory_new(sizeof *engine->dht);
    if (options->has_ipv4)
        engine->dht->nodes[0] = new_node(engine, options, 0);
    if (options->has_ipv6)
        engine->dht->nodes[1] = new_node(engine, options, 1);
    if (options->has_ipv4 && options->has_ipv6)
        dht_node_set_sibling(engine->dht->nodes[0], engine->dht->nodes[1]);
}

void engine_dht_start(struct engine *engine, const struct engine_dht_options *options)
{
    CHECK(!is_on(engine));
    if (!options->has_ipv4 && !options->has_ipv6)
        return;
    if (engine->dht == NULL)
        make_nodes(engine, options);
    engine->dht->stopped = false;
    if (!options->is_read_only)
        engine->shared.dht_port = engine->shared.settings.listen_port;
    for (struct list_node *at = list_first(&engine->torrents); at;
         at = list_next(&engine->torrents, at)) {
        struct engine_torrent *torrent = LIST_ELEMENT(at, struct engine_torrent, in_engine);
        engine_dht_enter(torrent);
        engine_dht_update(torrent);
        engine_touch(torrent);
    }
}

void engine_dht_free(struct engine *engine)
{
    if (engine->dht == NULL)
        return;
    for (uint32_t i = 0; i < FAMILIES; i++)
        dht_node_free(engine->dht->nodes[i]);
    memory_free(engine->dht);
    engine->dht = NULL;
}

/* ---- torrents ---- */

static bool may_use(const struct engine_torrent *torrent)
{
    return is_on(torrent->engine) && !torrent->names.is_private && !torrent->removing;
}

/* The hashes by which the DHT knows it: v1, and the first 20 bytes of v2. */
static uint32_t hashes_of(const struct engine_torrent *torrent, struct dht_id ret_hashes[2])
{
    uint32_t count = 0;
    if (torrent->names.has_v1)
        memcpy(ret_hashes[count++].bytes, torrent->names.v1, DHT_ID_SIZE);
    if (torrent->names.has_v2)
        memcpy(ret_hashes[count++].bytes, torrent->names.v2, DHT_ID_SIZE);
    return count;
}

void engine_dht_enter(struct engine_torrent *torrent)
{
    const struct metainfo *metainfo = engine_torrents_metainfo(torrent);
    if (!may_use(torrent) || metainfo == NULL)
        return;
    for (uint32_t i = 0; i < FAMILIES; i++)
        for (uint32_t j = 0; j < metainfo->node_count && torrent->engine->dht->nodes[i]; j++)
            dht_node_add_name(torrent->engine->dht->nodes[i], metainfo->nodes[j].host,
                              metainfo->nodes[j].port);
}

static void stop_announcing(struct engine_torrent *torrent)
{
    struct dht_id hashes[2];
    uint32_t count = hashes_of(torrent, hashes);
    for (uint32_t i = 0; i < FAMILIES; i++)
        for (uint32_t j = 0; j < count && torrent->engine->dht->nodes[i]; j++)
            dht_node_stop_announcing(torrent->engine->dht->nodes[i], &hashes[j]);
    torrent->dht_kept = false;
}

static void keep_announced(struct engine_torrent *torrent, bool is_seed)
{
    struct engine *engine = torrent->engine;
    struct dht_id hashes[2];
    uint32_t count = hashes_of(torrent, hashes);
    /* A full announcer means more torrents than LIMIT_TORRENTS, which the engine does not hold. */
    for (uint32_t i = 0; i < FAMILIES; i++)
        for (uint32_t j = 0; j < count && engine->dht->nodes[i]; j++)
            dht_node_keep_announced(engine->dht->nodes[i], engine->now, &hashes[j],
                                    engine->shared.settings.listen_port, is_seed);
    if (!torrent->dht_kept) {
        /* The announce looks for peers as well: whoever has none looks apart from it only later. */
        torrent->dht_look_wait_ns = LOOK_FIRST_NS;
        torrent->dht_look_ns = engine->now + LOOK_FIRST_NS;
    }
    torrent->dht_kept = true;
    torrent->dht_seed = is_seed;
}

void engine_dht_update(struct engine_torrent *torrent)
{
    if (!is_on(torrent->engine))
        return;
    bool active = may_use(torrent) && engine_torrents_is_active(torrent);
    bool is_seed = active && engine_torrents_is_seed(torrent);
    if (!active && torrent->dht_kept)
        stop_announcing(torrent);
    else if (active && (!torrent->dht_kept || torrent->dht_seed != is_seed))
        keep_announced(torrent, is_seed);
}

void engine_dht_leave(struct engine_torrent *torrent)
{
    if (torrent->engine->dht && torrent->dht_kept)
        stop_announcing(torrent);
}

void engine_dht_on_network_changed(struct engine_torrent *torrent)
{
    if (!is_on(torrent->engine) || !torrent->dht_kept)
        return;
    stop_announcing(torrent);
    engine_dht_update(torrent);
}

static bool wants_peers(const struct engine_torrent *torrent)
{
    return torrent->dht_kept && !torrent->removing && engine_torrents_is_lonely(torrent);
}

int64_t engine_dht_torrent_deadline(const struct engine_torrent *torrent)
{
    return wants_peers(torrent) ? torrent->dht_look_ns : INT64_MAX;
}

void engine_dht_torrent_tick(struct engine_torrent *torrent)
{
    struct engine *engine = torrent->engine;
    struct dht_id hashes[2];
    if (!wants_peers(torrent) || torrent->dht_look_ns > engine->now)
        return;
    uint32_t count = hashes_of(torrent, hashes);
    for (uint32_t i = 0; i < FAMILIES; i++)
        for (uint32_t j = 0; j < count && engine->dht->nodes[i]; j++)
            dht_node_get_peers(engine->dht->nodes[i], engine->now, &hashes[j], 0);
    torrent->dht_look_ns = engine->now + torrent->dht_look_wait_ns;
    torrent->dht_look_wait_ns = torrent->dht_look_wait_ns >= LOOK_LAST_NS / 2
                                    ? LOOK_LAST_NS
                                    : 2 * torrent->dht_look_wait_ns;
}

void engine_dht_stop(struct engine *engine)
{
    if (!is_on(engine))
        return;
    for (struct list_node *at = list_first(&engine->torrents); at;
         at = list_next(&engine->torrents, at)) {
        struct engine_torrent *torrent = LIST_ELEMENT(at, struct engine_torrent, in_engine);
        engine_dht_leave(torrent);
        engine_touch(torrent);
    }
    engine->dht->stopped = true;
    engine->shared.dht_port = 0;
    engine->shared.dht_contact_count = 0;
}

/* ---- results ---- */

static void take_peers(struct engine *engine, const struct dht_result *result)
{
    struct engine_torrent *torrent = map_get(&engine->by_hash, result->target.bytes);
    if (torrent == NULL || !may_use(torrent))
        return;
    engine_torrents_add_peers(torrent, result->peers, result->peer_count, PEER_SOURCE_DHT);
    engine_touch(torrent);
}

static void take_results(struct engine *engine)
{
    struct dht_result result;
    for (uint32_t i = 0; i < FAMILIES; i++) {
        while (engine->dht->nodes[i] && dht_node_result(engine->dht->nodes[i], &result)) {
            if (result.type == DHT_RESULT_PEERS)
                take_peers(engine, &result);
            else if (result.type == DHT_RESULT_ADDRESS)
                engine_set_self(engine, &result.from);
        }
    }
}

/* ---- the verbs ---- */

/* Peers told us their DHT ports (BEP 5, message 9). */
static void take_contacts(struct engine *engine)
{
    struct swarm_shared *shared = &engine->shared;
    for (uint32_t i = 0; i < shared->dht_contact_count; i++) {
        const struct address *contact = &shared->dht_contacts[i];
        struct dht_node *node = engine->dht->nodes[contact->family == ADDRESS_IPV4 ? 0 : 1];
        if (node)
            dht_node_add_address(node, contact, engine->now);
    }
    shared->dht_contact_count = 0;
}

bool engine_dht_input(struct engine *engine, const struct event *event)
{
    bool own = false;
    if (engine->dht == NULL)
        return false;
    if (event->type == EVENT_DATAGRAM && !engine->dht->stopped) {
        struct dht_node *node = engine->dht->nodes[event->remote.family == ADDRESS_IPV4 ? 0 : 1];
        own = node && dht_node_input(node, engine->now, event);
    } else if (event->type == EVENT_JOB_DONE && event->job >= FIRST_JOB) {
        uint32_t family = event->job >= FIRST_JOB + JOBS_A_NODE;
        own = dht_node_input(engine->dht->nodes[family], engine->now, event);
        CHECK(own);
    }
    if (own)
        take_results(engine);
    return own;
}

void engine_dht_tick(struct engine *engine)
{
    if (!is_on(engine))
        return;
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (engine->dht->nodes[i] && dht_node_deadline(engine->dht->nodes[i]) <= engine->now)
            dht_node_tick(engine->dht->nodes[i], engine->now);
    take_results(engine);
}

int64_t engine_dht_deadline(const struct engine *engine)
{
    int64_t deadline = INT64_MAX;
    if (!is_on(engine) || engine->shutting_down)
        return deadline;
    for (uint32_t i = 0; i < FAMILIES; i++) {
        if (engine->dht->nodes[i] == NULL)
            continue;
        int64_t due = dht_node_deadline(engine->dht->nodes[i]);
        deadline = due < deadline ? due : deadline;
    }
    return deadline;
}

bool engine_dht_output(struct engine *engine, struct action *ret_action)
{
    if (!is_on(engine))
        return false;
    if (engine->shared.dht_contact_count)
        take_contacts(engine);
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (engine->dht->nodes[i] &&
            dht_node_output(engine->dht->nodes[i], engine->now, ret_action))
            return true;
    return false;
}

/* ---- questions ---- */

bool engine_dht_save(const struct engine *engine, enum address_family family, struct buffer *out)
{
    const struct dht_node *node =
        engine->dht ? engine->dht->nodes[family == ADDRESS_IPV4 ? 0 : 1] : NULL;
    if (node)
        dht_node_save(node, out);
    return node != NULL;
}

bool engine_dht_stats(const struct engine *engine, enum address_family family,
                      struct dht_node_stats *ret_stats)
{
    const struct dht_node *node =
        is_on(engine) ? engine->dht->nodes[family == ADDRESS_IPV4 ? 0 : 1] : NULL;
    if (node)
        dht_node_stats(node, engine->now, ret_stats);
    return node != NULL;
}

bool engine_dht_places(const struct engine *engine, enum address_family family,
                       struct dht_places *ret_places)
{
    const struct dht_node *node =
        is_on(engine) ? engine->dht->nodes[family == ADDRESS_IPV4 ? 0 : 1] : NULL;
    if (node)
        dht_node_places(node, engine->now, ret_places);
    return node != NULL;
}

void engine_dht_check(const struct engine *engine)
{
    for (uint32_t i = 0; engine->dht && i < FAMILIES; i++)
        if (engine->dht->nodes[i])
            dht_node_check(engine->dht->nodes[i]);
}

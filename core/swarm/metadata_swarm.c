/* SPDX-License-Identifier: MIT */
#include "core/swarm/metadata_swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"

#include <string.h>

static void begin_layers(struct metadata_swarm *swarm)
{
    swarm->stage = METADATA_LAYERS;
    swarm->layers = layer_fetch_new(swarm->metainfo, rng_u64(&swarm->shared->rng));
    /* A hybrid's peers may all be of v1. */
    swarm->patience_ns = swarm->metainfo->has_v1 ? swarm->now + 2 * LAYERS_PATIENCE_NS : HEAP_NEVER;
}

struct metadata_swarm *metadata_swarm_new(struct swarm_shared *shared, torrent_id id,
                                          const struct metadata_swarm_options *options, int64_t now)
{
    CHECK(options->info_hash_v1 || options->info_hash_v2);
    struct metadata_swarm *swarm = memory_new(sizeof *swarm);
    swarm->shared = shared;
    swarm->id = id;
    swarm->now = now;
    swarm->has_v1 = options->info_hash_v1 != NULL;
    swarm->has_v2 = options->info_hash_v2 != NULL;
    swarm->transport = options->transport;
    if (options->info_hash_v1)
        memcpy(swarm->info_hash_v1, options->info_hash_v1, 20);
    if (options->info_hash_v2)
        memcpy(swarm->info_hash_v2, options->info_hash_v2, 32);
    swarm->candidates = peer_list_new(rng_u64(&shared->rng));
    peer_list_set_filter(swarm->candidates, shared->ip_filter);
    swarm->patience_ns = HEAP_NEVER;
    swarm->tick_ns = now;
    list_init(&swarm->peers);
    list_init(&swarm->ready_peers);
    list_init(&swarm->graveyard);
    swarm->metainfo = options->metainfo;
    if (swarm->metainfo)
        begin_layers(swarm);
    metadata_swarm_add_peers(swarm, now, options->peers, options->peer_count, PEER_SOURCE_USER);
    metadata_swarm_wake(swarm);
    return swarm;
}

void metadata_swarm_free(struct metadata_swarm *swarm)
{
    if (swarm == NULL)
        return;
    metadata_swarm_peers_close_all(swarm);
    metadata_swarm_peers_bury(swarm);
    if (list_contains(&swarm->in_ready))
        list_remove(&swarm->shared->metadata_ready, &swarm->in_ready);
    metadata_assembly_free(swarm->assembly);
    layer_fetch_free(swarm->layers);
    metainfo_free(swarm->metainfo);
    peer_list_free(swarm->candidates);
    memory_free(swarm->closes);
    memory_free(swarm);
}

void metadata_swarm_wake(struct metadata_swarm *swarm)
{
    if (!list_contains(&swarm->in_ready))
        list_append(&swarm->shared->metadata_ready, &swarm->in_ready);
}

/* ---- the dictionary is there ---- */

static bool is_proven(const struct metadata_swarm *swarm, struct bytes info)
{
    uint8_t sha1[SHA1_SIZE], sha256[SHA256_SIZE];
    sha1_of(info.data, info.length, sha1);
    sha256_of(info.data, info.length, sha256);
    return (!swarm->has_v1 || memcmp(sha1, swarm->info_hash_v1, sizeof sha1) == 0) &&
           (!swarm->has_v2 || memcmp(sha256, swarm->info_hash_v2, sizeof sha256) == 0);
}

static void finish(struct metadata_swarm *swarm)
{
    swarm->stage = METADATA_DONE;
    metadata_swarm_peers_close_all(swarm);
    metadata_swarm_wake(swarm);
}

/* A false dictionary: who gave all of it is banned; if it was several, only one is asked next. */
static void blame(struct metadata_swarm *swarm)
{
    const struct address *giver = metadata_assembly_sole_giver(swarm->assembly);
    swarm->hash_failures++;
    if (giver)
        metadata_swarm_peers_ban(swarm, giver);
    else
        swarm->single = true;
    metadata_assembly_free(swarm->assembly);
    swarm->assembly = NULL;
}

static void use(struct metadata_swarm *swarm, struct bytes info)
{
    metadata_assembly_free(swarm->assembly);
    swarm->assembly = NULL;
    swarm->error = metainfo_parse_info(info, &swarm->metainfo, swarm->reason);
    if (swarm->error != FRESHET_OK) {
        finish(swarm);
        swarm->stage = METADATA_FAILED;
        return;
    }
    if (!swarm->metainfo->layers_missing) {
        finish(swarm);
        return;
    }
    /* A hybrid that was known by its v1 hash alone: who is met from now on hears of v2, too. */
    if (!swarm->has_v2) {
        memcpy(swarm->info_hash_v2, swarm->metainfo->info_hash_v2, 32);
        swarm->has_v2 = true;
    }
    begin_layers(swarm);
    swarm->releasing = true;
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++)
        if (swarm->slots[slot] && !swarm->slots[slot]->v2)
            metadata_swarm_peers_close(swarm->slots[slot], false);
    swarm->releasing = false;
    swarm->tick_ns = swarm->now;
}

void metadata_swarm_judge(struct metadata_swarm *swarm)
{
    struct buffer info = {0};
    metadata_assembly_read(swarm->assembly, &info);
    if (is_proven(swarm, buffer_bytes(&info)))
        use(swarm, buffer_bytes(&info));
    else
        blame(swarm);
    buffer_deinit(&info);
}

void metadata_swarm_layers_done(struct metadata_swarm *swarm)
{
    layer_fetch_install(swarm->layers, swarm->metainfo);
    layer_fetch_free(swarm->layers);
    swarm->layers = NULL;
    finish(swarm);
}

/* A hybrid goes without layers when nobody gives them: SHA-1 judges alone. */
static void lose_patience(struct metadata_swarm *swarm)
{
    if (swarm->stage != METADATA_LAYERS || !swarm->metainfo->has_v1 ||
        swarm->patience_ns > swarm->now)
        return;
    layer_fetch_free(swarm->layers);
    swarm->layers = NULL;
    finish(swarm);
}

struct metainfo *metadata_swarm_take(struct metadata_swarm *swarm, int64_t now)
{
    swarm->now = now;
    struct metainfo *metainfo = swarm->stage == METADATA_DONE ? swarm->metainfo : NULL;
    if (metainfo)
        swarm->metainfo = NULL;
    return metainfo;
}

/* ---- the verbs ---- */

static void settle(struct metadata_swarm *swarm)
{
    metadata_swarm_peers_bury(swarm);
    metadata_swarm_wake(swarm);
}

static void on_sent(struct metadata_peer *peer, bool done)
{
    CHECK(peer->send_busy);
    if (done) {
        peer->send_busy = false;
        metadata_swarm_peers_wake(peer);
    }
}

void metadata_swarm_peer_input(struct metadata_peer *peer, int64_t now, struct event *event)
{
    struct metadata_swarm *swarm = peer->swarm;
    swarm->now = now;
    switch (event->type) {
    case EVENT_CONNECTED:
        peer->is_utp = event->transport == TRANSPORT_UTP;
        metadata_swarm_peers_connected(peer);
        break;
    case EVENT_CLOSED: metadata_swarm_peers_close(peer, true); break;
    case EVENT_RECEIVED: metadata_swarm_messages_received(peer, event); break;
    case EVENT_SENT: on_sent(peer, event->done); break;
    default: CHECK(!"an event of a connection without payload");
    }
    settle(swarm);
}

/* While there are peers or somebody to connect to, each second; at rest never. */
static int64_t next_tick(struct metadata_swarm *swarm)
{
    if (swarm->paused || swarm->stage == METADATA_DONE || swarm->stage == METADATA_FAILED)
        return HEAP_NEVER;
    if (swarm->peers.length)
        return swarm->now + SECOND_NS;
    int64_t next = peer_list_deadline(swarm->candidates, swarm->now);
    if (swarm->stage == METADATA_LAYERS && swarm->metainfo->has_v1 && swarm->patience_ns < next)
        next = swarm->patience_ns;
    return next <= swarm->now ? swarm->now + SECOND_NS : next;
}

static void drop_overdue_layers(struct metadata_swarm *swarm)
{
    uint32_t slot;
    while (swarm->layers && layer_fetch_overdue(swarm->layers, swarm->now, &slot))
        if (swarm->slots[slot])
            metadata_swarm_peers_close(swarm->slots[slot], false);
        else
            layer_fetch_release(swarm->layers, slot);
}

void metadata_swarm_tick(struct metadata_swarm *swarm, int64_t now)
{
    swarm->now = now;
    if (swarm->tick_ns > now)
        return;
    metadata_swarm_peers_tick(swarm);
    drop_overdue_layers(swarm);
    lose_patience(swarm);
    metadata_swarm_peers_connect(swarm);
    metadata_swarm_messages_ask(swarm);
    swarm->tick_ns = next_tick(swarm);
    settle(swarm);
}

int64_t metadata_swarm_deadline(const struct metadata_swarm *swarm)
{
    return swarm->tick_ns;
}

static bool send(struct metadata_peer *peer, struct action *ret_action)
{
    bool greets = peer->phase == METADATA_PEER_GREETING || peer->phase == METADATA_PEER_OPEN;
    if (peer->send_busy || !greets || peer->out.length == 0)
        return false;
    struct buffer spare = peer->sending;
    peer->sending = peer->out;
    peer->out = spare;
    buffer_clear(&peer->out);
    peer->send_busy = true;
    peer->sent_ns = peer->swarm->now;
    *ret_action = (struct action){
        .type = ACTION_SEND, .conn = peer->conn, .bytes = buffer_bytes(&peer->sending)};
    return true;
}

bool metadata_swarm_output(struct metadata_swarm *swarm, int64_t now, struct action *ret_action)
{
    struct list_node *node;
    swarm->now = now;
    if (swarm->closes_count) {
        *ret_action =
            (struct action){.type = ACTION_CLOSE, .conn = swarm->closes[--swarm->closes_count]};
        return true;
    }
    while ((node = list_first(&swarm->ready_peers))) {
        struct metadata_peer *peer = LIST_ELEMENT(node, struct metadata_peer, in_ready);
        if (peer->connect_due) {
            peer->connect_due = false;
            *ret_action = (struct action){.type = ACTION_CONNECT,
                                          .conn = peer->conn,
                                          .transport = swarm->transport,
                                          .remote = peer->address};
            return true;
        }
        if (send(peer, ret_action))
            return true;
        list_remove(&swarm->ready_peers, node);
    }
    return false;
}

/* ---- commands ---- */

void metadata_swarm_add_peers(struct metadata_swarm *swarm, int64_t now,
                              const struct address *peers, uint32_t count, enum peer_source source)
{
    swarm->now = now;
    for (uint32_t i = 0; i < count; i++)
        peer_list_add(swarm->candidates, &peers[i], source);
    metadata_swarm_peers_connect(swarm);
    int64_t next = next_tick(swarm);
    swarm->tick_ns = next < swarm->tick_ns ? next : swarm->tick_ns;
    metadata_swarm_wake(swarm);
}

void metadata_swarm_on_network_changed(struct metadata_swarm *swarm, int64_t now)
{
    peer_list_on_network_changed(swarm->candidates);
    metadata_swarm_add_peers(swarm, now, NULL, 0, PEER_SOURCE_USER);
}

void metadata_swarm_set_ip_filter(struct metadata_swarm *swarm, int64_t now, int64_t due_ns)
{
    const struct ip_filter *filter = swarm->shared->ip_filter;
    swarm->now = now;
    peer_list_set_filter(swarm->candidates, filter);
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++)
        if (swarm->slots[slot] && ip_filter_has(filter, &swarm->slots[slot]->address))
            metadata_swarm_peers_close(swarm->slots[slot], false);
    settle(swarm);
    if (!swarm->paused && swarm->stage != METADATA_DONE && swarm->stage != METADATA_FAILED &&
        due_ns < swarm->tick_ns)
        swarm->tick_ns = due_ns;
}

void metadata_swarm_set_self(struct metadata_swarm *swarm, const struct address *self)
{
    peer_list_set_self(swarm->candidates, self);
}

void metadata_swarm_set_transport(struct metadata_swarm *swarm, int64_t now,
                                  enum transport transport)
{
    swarm->now = now;
    metadata_swarm_peers_set_transport(swarm, transport);
    metadata_swarm_add_peers(swarm, now, NULL, 0, PEER_SOURCE_USER);
    settle(swarm);
}

void metadata_swarm_pause(struct metadata_swarm *swarm, int64_t now)
{
    swarm->now = now;
    swarm->paused = true;
    metadata_swarm_peers_close_all(swarm);
    settle(swarm);
}

void metadata_swarm_resume(struct metadata_swarm *swarm, int64_t now)
{
    swarm->now = now;
    swarm->paused = false;
    swarm->tick_ns = now;
    /* The time of rest is none in which peers could have answered. */
    if (swarm->stage == METADATA_LAYERS && swarm->metainfo->has_v1)
        swarm->patience_ns = now + 2 * LAYERS_PATIENCE_NS;
    settle(swarm);
}

/* ---- questions ---- */

struct metadata_swarm *metadata_swarm_of_ready(struct list_node *node)
{
    return LIST_ELEMENT(node, struct metadata_swarm, in_ready);
}

torrent_id metadata_swarm_id(const struct metadata_swarm *swarm)
{
    return swarm->id;
}

uint32_t metadata_swarm_candidates(const struct metadata_swarm *swarm,
                                   struct peer_list_entry *ret_candidates, uint32_t max)
{
    return peer_list_copy(swarm->candidates, ret_candidates, max);
}

bool metadata_swarm_next_ban(struct metadata_swarm *swarm, struct address *ret_address)
{
    if (swarm->bans_told == swarm->ban_count)
        return false;
    *ret_address = swarm->bans[swarm->bans_told++];
    return true;
}

const struct address *metadata_swarm_bans(const struct metadata_swarm *swarm, uint32_t *ret_count)
{
    *ret_count = swarm->ban_count;
    return swarm->bans;
}

void metadata_swarm_status(const struct metadata_swarm *swarm, struct metadata_status *ret_status)
{
    struct metadata_status status = {.known = peer_list_length(swarm->candidates),
                                     .hash_failures = swarm->hash_failures};
    if (!torrent_transport_is_there(swarm->transport, &swarm->shared->settings))
        status.lacks = swarm->transport;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct metadata_peer *peer = LIST_ELEMENT(node, struct metadata_peer, in_swarm);
        status.peers += peer->phase == METADATA_PEER_OPEN;
        status.peers_with += peer->phase == METADATA_PEER_OPEN && peer->size > 0;
    }
    if (swarm->assembly) {
        status.bytes = metadata_assembly_bytes(swarm->assembly);
        status.size = metadata_assembly_size(swarm->assembly);
    } else if (swarm->metainfo) {
        status.bytes = status.size = (uint32_t)swarm->metainfo->info.length;
    }
    if (swarm->layers)
        layer_fetch_progress(swarm->layers, &status.layers, &status.layers_total);
    *ret_status = status;
}

uint32_t metadata_swarm_peer_statuses(const struct metadata_swarm *swarm,
                                      struct peer_status *ret_peers, uint32_t max)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&swarm->peers); node && count < max;
         node = list_next(&swarm->peers, node)) {
        const struct metadata_peer *peer = LIST_ELEMENT(node, struct metadata_peer, in_swarm);
        if (peer->phase != METADATA_PEER_OPEN)
            continue;
        struct peer_status *status = &ret_peers[count++];
        *status = (struct peer_status){.address = peer->address,
                                       .inbound = peer->inbound,
                                       .is_utp = peer->is_utp,
                                       .is_encrypted = peer->mse == PEER_MSE_RC4,
                                       .am_choking = true,
                                       .peer_choking = true};
        memcpy(status->peer_id, peer->peer_id, sizeof status->peer_id);
        memcpy(status->client, peer->client, sizeof status->client);
    }
    return count;
}

enum freshet_error metadata_swarm_error(const struct metadata_swarm *swarm)
{
    return swarm->error;
}

const char *metadata_swarm_reason(const struct metadata_swarm *swarm)
{
    return swarm->reason;
}

bool metadata_swarm_is_lonely(const struct metadata_swarm *swarm)
{
    bool learns = swarm->assembly && swarm->now - swarm->progress_ns < METADATA_OVERDUE_NS;
    return (swarm->stage == METADATA_INFO || swarm->stage == METADATA_LAYERS) && !learns;
}

/* What is asked is asked of peers that are there, and of each only so much. */
static void check_asked(const struct metadata_swarm *swarm, uint32_t slot)
{
    const struct metadata_peer *peer = swarm->slots[slot];
    uint32_t max = peer && peer->phase == METADATA_PEER_OPEN ? METADATA_REQUESTS_MAX : 0;
    if (swarm->assembly)
        CHECK(metadata_assembly_asked(swarm->assembly, slot) <= max);
    if (swarm->layers)
        CHECK(layer_fetch_asked(swarm->layers, slot) <= max);
}

void metadata_swarm_check(const struct metadata_swarm *swarm)
{
    uint32_t slots = 0;
    CHECK(list_is_empty(&swarm->graveyard));
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++) {
        const struct metadata_peer *peer = swarm->slots[slot];
        check_asked(swarm, slot);
        if (peer == NULL)
            continue;
        slots++;
        CHECK(peer->size <= LIMIT_METADATA_SIZE);
        CHECK(peer->size == 0 || peer->phase == METADATA_PEER_OPEN);
        CHECK(peer->slot == slot && peer->swarm == swarm);
        CHECK(peer->phase != METADATA_PEER_CLOSING);
        CHECK(map_get(&swarm->shared->metadata_conns, &peer->conn) == peer);
    }
    CHECK(slots == swarm->peers.length);
    CHECK(slots == 0 || !swarm->paused);
    CHECK(slots == 0 || swarm->stage == METADATA_INFO || swarm->stage == METADATA_LAYERS);
    CHECK(swarm->failed_size_count <= METADATA_SIZES_MAX);
    CHECK(swarm->ban_count <= METADATA_BANS_MAX && swarm->bans_told <= swarm->ban_count);
    CHECK(swarm->single_slot < METADATA_PEERS_MAX);
    CHECK(swarm->stage != METADATA_LAYERS || (swarm->layers && swarm->metainfo));
    CHECK(swarm->stage == METADATA_LAYERS || swarm->layers == NULL);
    if (swarm->assembly) {
        CHECK(swarm->stage == METADATA_INFO);
        metadata_assembly_check(swarm->assembly);
    }
    if (swarm->layers)
        layer_fetch_check(swarm->layers);
    peer_list_check(swarm->candidates);
}

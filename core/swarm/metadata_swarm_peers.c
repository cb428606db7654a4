/* SPDX-License-Identifier: MIT */
/* Connections come and go: handshakes (BEP 3, 10, 52), time-outs, and the one place where a peer
 * ends. */
#include "core/swarm/metadata_swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"

#include <string.h>

void metadata_swarm_peers_wake(struct metadata_peer *peer)
{
    if (peer->phase == METADATA_PEER_CLOSING)
        return;
    if (!list_contains(&peer->in_ready))
        list_append(&peer->swarm->ready_peers, &peer->in_ready);
    metadata_swarm_wake(peer->swarm);
}

static uint32_t free_slot(const struct metadata_swarm *swarm)
{
    uint32_t slot = 0;
    while (slot < METADATA_PEERS_MAX && swarm->slots[slot])
        slot++;
    return slot;
}

struct metadata_peer *metadata_swarm_peers_new(struct metadata_swarm *swarm, conn_id conn,
                                               const struct address *address)
{
    uint32_t slot = free_slot(swarm);
    if (slot == METADATA_PEERS_MAX)
        return NULL;
    struct metadata_peer *peer = memory_new(sizeof *peer);
    peer->swarm = swarm;
    peer->conn = conn;
    peer->address = *address;
    peer->slot = slot;
    peer->since_ns = peer->received_ns = peer->sent_ns = swarm->now;
    wire_handshake_reader_init(&peer->greeting);
    swarm->slots[slot] = peer;
    list_append(&swarm->peers, &peer->in_swarm);
    map_put(&swarm->shared->metadata_conns, &conn, peer);
    swarm->shared->connections++;
    if (swarm->tick_ns == HEAP_NEVER)
        swarm->tick_ns = swarm->now + SECOND_NS;
    return peer;
}

static void queue_close(struct metadata_swarm *swarm, conn_id conn)
{
    if (swarm->closes_count == swarm->closes_capacity) {
        swarm->closes_capacity = swarm->closes_capacity ? 2 * swarm->closes_capacity : 8;
        swarm->closes =
            memory_resize_array(swarm->closes, swarm->closes_capacity, sizeof *swarm->closes);
    }
    swarm->closes[swarm->closes_count++] = conn;
    metadata_swarm_wake(swarm);
}

static void tell_candidates(const struct metadata_peer *peer, enum metadata_peer_phase was,
                            bool host_knows)
{
    struct metadata_swarm *swarm = peer->swarm;
    const struct address *known = peer->inbound ? &peer->listen : &peer->address;
    bool was_turned_away = was == METADATA_PEER_GREETING && host_knows;
    if (known->family == ADDRESS_NONE)
        return;
    if (swarm->releasing)
        peer_list_on_released(swarm->candidates, known);
    else if (was == METADATA_PEER_OPEN)
        peer_list_on_disconnected(swarm->candidates, known, swarm->now);
    else if (!peer->inbound &&
             peer_mse_turns(swarm->shared->settings.encryption, (enum peer_mse)peer->mse,
                            was_turned_away && peer->greeting.have == 0))
        peer_list_on_mse_turned(swarm->candidates, known);
    else if (was_turned_away)
        peer_list_on_turned_away(swarm->candidates, known, swarm->now);
    else
        peer_list_on_failed(swarm->candidates, known, swarm->now);
}

void metadata_swarm_peers_close(struct metadata_peer *peer, bool host_knows)
{
    struct metadata_swarm *swarm = peer->swarm;
    enum metadata_peer_phase was = (enum metadata_peer_phase)peer->phase;
    if (was == METADATA_PEER_CLOSING)
        return;
    if (swarm->assembly)
        metadata_assembly_release(swarm->assembly, peer->slot);
    if (swarm->layers)
        layer_fetch_release(swarm->layers, peer->slot);
    if (list_contains(&peer->in_ready))
        list_remove(&swarm->ready_peers, &peer->in_ready);
    list_remove(&swarm->peers, &peer->in_swarm);
    list_append(&swarm->graveyard, &peer->in_swarm);
    swarm->slots[peer->slot] = NULL;
    map_remove(&swarm->shared->metadata_conns, &peer->conn);
    swarm->shared->connections--;
    peer->phase = METADATA_PEER_CLOSING;
    if (!host_knows && !peer->connect_due)
        queue_close(swarm, peer->conn);
    tell_candidates(peer, was, host_knows);
}

void metadata_swarm_peers_close_all(struct metadata_swarm *swarm)
{
    struct list_node *node;
    swarm->releasing = true;
    while ((node = list_first(&swarm->peers)))
        metadata_swarm_peers_close(LIST_ELEMENT(node, struct metadata_peer, in_swarm), false);
    swarm->releasing = false;
}

void metadata_swarm_peers_set_transport(struct metadata_swarm *swarm, enum transport transport)
{
    if (transport == swarm->transport)
        return;
    swarm->transport = transport;
    swarm->releasing = true;
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++) {
        struct metadata_peer *peer = swarm->slots[slot];
        if (!peer)
            continue;
        bool stays = peer->phase == METADATA_PEER_CONNECTING
                         ? torrent_transport_keeps_dial(swarm->transport, !peer->connect_due, false)
                         : torrent_transport_is_allowed(swarm->transport, peer->is_utp);
        if (!stays)
            metadata_swarm_peers_close(peer, false);
    }
    swarm->releasing = false;
}

void metadata_swarm_peers_ban(struct metadata_swarm *swarm, const struct address *address)
{
    struct address banned = *address; /* it may lie in what the close frees */
    banned.port = 0;
    if (!peer_list_is_banned(swarm->candidates, &banned) && swarm->ban_count < METADATA_BANS_MAX)
        swarm->bans[swarm->ban_count++] = banned;
    peer_list_ban(swarm->candidates, &banned);
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++)
        if (swarm->slots[slot] && address_same_ip(&swarm->slots[slot]->address, &banned))
            metadata_swarm_peers_close(swarm->slots[slot], false);
}

void metadata_swarm_peers_bury(struct metadata_swarm *swarm)
{
    struct list_node *node;
    while ((node = list_first(&swarm->graveyard))) {
        struct metadata_peer *peer = LIST_ELEMENT(node, struct metadata_peer, in_swarm);
        list_remove(&swarm->graveyard, node);
        wire_stream_deinit(&peer->stream);
        buffer_deinit(&peer->out);
        buffer_deinit(&peer->sending);
        memory_free(peer);
    }
}

static bool is_active(const struct metadata_swarm *swarm)
{
    return !swarm->paused && (swarm->stage == METADATA_INFO || swarm->stage == METADATA_LAYERS);
}

static bool is_crowded(const struct metadata_swarm *swarm, const struct address *address)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node))
        count +=
            address_same_ip(&LIST_ELEMENT(node, struct metadata_peer, in_swarm)->address, address);
    return count >= (swarm->shared->settings.many_per_address ? METADATA_PEERS_MAX
                                                              : LIMIT_CONNECTIONS_PER_ADDRESS);
}

/* As in swarm_peers.c; half of the slots here, which are fewer. */
static bool network_is_full(const struct metadata_swarm *swarm, const struct address *address)
{
    uint32_t count = 0;
    if (address_is_private(address) || address_is_loopback(address))
        return false;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct metadata_peer *peer = LIST_ELEMENT(node, struct metadata_peer, in_swarm);
        count += peer->inbound && address_same_network(&peer->address, address);
    }
    return count >= LIMIT_INBOUND_PER_NETWORK || count >= METADATA_PEERS_MAX / 2;
}

void metadata_swarm_peers_connect(struct metadata_swarm *swarm)
{
    struct swarm_shared *shared = swarm->shared;
    struct address address;
    while (is_active(swarm) && shared->connect_budget > 0 &&
           torrent_transport_is_there(swarm->transport, &shared->settings) &&
           shared->connections < shared->connections_max && free_slot(swarm) < METADATA_PEERS_MAX &&
           peer_list_next(swarm->candidates, swarm->now, &address)) {
        if (is_crowded(swarm, &address)) {
            peer_list_on_disconnected(swarm->candidates, &address, swarm->now);
            continue;
        }
        shared->connect_budget--;
        struct metadata_peer *peer = metadata_swarm_peers_new(swarm, shared->conn_next++, &address);
        peer->phase = METADATA_PEER_CONNECTING;
        peer->connect_due = true;
        metadata_swarm_peers_wake(peer);
    }
}

static void put_handshake(struct metadata_peer *peer, const uint8_t hash[20])
{
    struct metadata_swarm *swarm = peer->swarm;
    struct wire_handshake handshake = {
        .extension = true,
        .fast = true,
        .upgrade_v2 = swarm->has_v1 && swarm->has_v2,
    };
    memcpy(handshake.info_hash, hash, 20);
    memcpy(handshake.peer_id, swarm->shared->settings.peer_id, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    buffer_append(&peer->out, bytes, sizeof bytes);
    metadata_swarm_peers_wake(peer);
}

/* The hash by which it asks. */
static const uint8_t *wire_hash(const struct metadata_swarm *swarm)
{
    return swarm->has_v1 ? swarm->info_hash_v1 : swarm->info_hash_v2;
}

void metadata_swarm_peers_connected(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    if (!torrent_transport_is_allowed(swarm->transport, peer->is_utp)) {
        metadata_swarm_peers_close(peer, false);
        return;
    }
    peer->phase = METADATA_PEER_GREETING;
    peer->since_ns = swarm->now;
    put_handshake(peer, wire_hash(swarm));
}

bool metadata_swarm_peer_begin_mse(struct metadata_peer *peer, uint8_t ret_skey[20])
{
    struct metadata_swarm *swarm = peer->swarm;
    if (!peer_mse_is_dialled(swarm->shared->settings.encryption,
                             peer_list_is_mse_turned(swarm->candidates, &peer->address)))
        return false;
    memcpy(ret_skey, wire_hash(swarm), 20);
    peer->mse = PEER_MSE_BEGUN;
    return true;
}

void metadata_swarm_peer_set_mse(struct metadata_peer *peer, enum peer_mse mse)
{
    peer->mse = (uint8_t)mse;
}

static void open_peer(struct metadata_peer *peer)
{
    struct metadata_swarm *swarm = peer->swarm;
    /* Without metadata no piece can be named: what is said of pieces is skipped. Whether there are
     * hashes to ask for may come out later, so that their messages are always allowed. */
    struct wire_stream_options options = {
        .fast = peer->fast, .extension = peer->extended, .hashes = true};
    wire_stream_init(&peer->stream, &options);
    peer->phase = METADATA_PEER_OPEN;
    peer->since_ns = peer->useful_ns = swarm->now;
    if (!peer->inbound)
        peer_list_on_connected(swarm->candidates, &peer->address);
    if (!peer->extended) { /* it cannot help */
        metadata_swarm_peers_close(peer, false);
        return;
    }
    metadata_swarm_messages_put_extension_handshake(peer);
    if (peer->fast) {
        wire_message_put(&peer->out, WIRE_HAVE_NONE);
        metadata_swarm_peers_wake(peer);
    }
    metadata_swarm_messages_ask(swarm);
}

/* Judges the other side's handshake; true: go on with it. */
static bool take_handshake(struct metadata_peer *peer, const struct wire_handshake *handshake)
{
    struct metadata_swarm *swarm = peer->swarm;
    enum wire_hash_kind kind =
        wire_handshake_hash_kind(handshake, swarm->has_v1 ? swarm->info_hash_v1 : NULL,
                                 swarm->has_v2 ? swarm->info_hash_v2 : NULL);
    bool is_self = memcmp(handshake->peer_id, swarm->shared->settings.peer_id, 20) == 0;
    if (is_self)
        peer_list_on_self(swarm->candidates, &peer->address);
    if (kind == WIRE_HASH_NEITHER || is_self) {
        metadata_swarm_peers_close(peer, false);
        return false;
    }
    memcpy(peer->peer_id, handshake->peer_id, 20);
    peer->fast = handshake->fast;
    peer->extended = handshake->extension;
    peer->v2 = kind == WIRE_HASH_V2;
    return true;
}

void metadata_swarm_peers_greet(struct metadata_peer *peer, struct bytes *bytes)
{
    struct wire_handshake handshake;
    enum freshet_error error = wire_handshake_read(&peer->greeting, bytes, &handshake);
    if (error == FRESHET_ERROR_TRUNCATED)
        return;
    if (error != FRESHET_OK)
        metadata_swarm_peers_close(peer, false);
    else if (take_handshake(peer, &handshake))
        open_peer(peer);
}

bool metadata_swarm_accept(struct metadata_swarm *swarm, int64_t now, conn_id conn,
                           const struct address *remote, const struct wire_handshake *handshake)
{
    bool is_utp = torrent_transport_is_inbound_utp(conn);
    swarm->now = now;
    if (!is_active(swarm) || !torrent_transport_is_allowed(swarm->transport, is_utp) ||
        peer_list_is_banned(swarm->candidates, remote) || is_crowded(swarm, remote) ||
        network_is_full(swarm, remote))
        return false;
    struct metadata_peer *peer = metadata_swarm_peers_new(swarm, conn, remote);
    if (peer == NULL)
        return false;
    peer->inbound = true;
    peer->is_utp = is_utp;
    peer->phase = METADATA_PEER_GREETING;
    if (take_handshake(peer, handshake)) {
        /* A hybrid's peer that can speak v2 is answered with the v2 hash (BEP 52). */
        bool upgrade = !peer->v2 && handshake->upgrade_v2 && swarm->has_v2;
        peer->v2 = peer->v2 || upgrade;
        put_handshake(peer, upgrade ? swarm->info_hash_v2 : handshake->info_hash);
        open_peer(peer);
    }
    metadata_swarm_peers_bury(swarm); /* a refused one was closed like any other */
    return true;
}

static bool is_overdue(const struct metadata_peer *peer)
{
    int64_t now = peer->swarm->now;
    switch ((enum metadata_peer_phase)peer->phase) {
    case METADATA_PEER_CONNECTING: return now - peer->since_ns >= LIMIT_TIMEOUT_CONNECT_NS;
    case METADATA_PEER_GREETING: return now - peer->since_ns >= LIMIT_TIMEOUT_HANDSHAKE_NS;
    case METADATA_PEER_OPEN: break;
    case METADATA_PEER_CLOSING: return false;
    }
    /* It may be fetching the metadata itself; but not for ever. Nor may those who promise and do
     * not give keep everybody else out. */
    bool has_none = peer->size == 0 && peer->swarm->stage == METADATA_INFO;
    bool is_full = peer->swarm->peers.length == METADATA_PEERS_MAX;
    return now - peer->received_ns >= LIMIT_TIMEOUT_SILENT_NS ||
           ((has_none || is_full) && now - peer->useful_ns >= METADATA_USELESS_NS);
}

void metadata_swarm_peers_tick(struct metadata_swarm *swarm)
{
    for (uint32_t slot = 0; slot < METADATA_PEERS_MAX; slot++) {
        struct metadata_peer *peer = swarm->slots[slot];
        if (peer == NULL)
            continue;
        if (is_overdue(peer)) {
            metadata_swarm_peers_close(peer, false);
        } else if (peer->phase == METADATA_PEER_OPEN &&
                   swarm->now - peer->sent_ns >= LIMIT_KEEPALIVE_NS && !peer->send_busy) {
            wire_message_put(&peer->out, WIRE_KEEPALIVE);
            metadata_swarm_peers_wake(peer);
        }
    }
}

/* SPDX-License-Identifier: MIT */
/*
 * Connections come and go: whom to connect to, handshakes (BEP 3, 6, 10, 52), time-outs, and the
 * one place where a peer ends.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"
#include "core/swarm/torrent_transport.h"
#include "core/wire/allowed_fast.h"

#include <string.h>

#define SILENCE_NS (3 * SECOND_NS) /* no bitfield for so long: it has nothing */

void swarm_peers_wake(struct peer *peer)
{
    if (peer->phase == PEER_CLOSING)
        return;
    if (!list_contains(&peer->in_ready))
        list_append(&peer->swarm->ready_peers, &peer->in_ready);
    swarm_wake(peer->swarm);
}

struct peer **swarm_peers_no_slots(void)
{
    static struct peer *const none[LIMIT_PEERS_PER_TORRENT];
    return (struct peer **)(uintptr_t)none;
}

static uint32_t free_slot(const struct swarm *swarm)
{
    uint32_t slot = 0;
    while (slot < LIMIT_PEERS_PER_TORRENT && swarm->slots[slot])
        slot++;
    return slot;
}

static struct peer *add_peer(struct swarm *swarm, conn_id conn, const struct address *address)
{
    uint32_t slot = free_slot(swarm);
    if (slot == LIMIT_PEERS_PER_TORRENT)
        return NULL;
    struct peer *peer =
        peer_new(swarm, conn, address, slot, swarm->metainfo->geometry.piece_count, swarm->now);
    if (swarm->slots == swarm_peers_no_slots())
        swarm->slots = memory_new_array(LIMIT_PEERS_PER_TORRENT, sizeof *swarm->slots);
    swarm->slots[slot] = peer;
    list_append(&swarm->peers, &peer->in_swarm);
    map_put(&swarm->shared->conns, &conn, peer);
    swarm->shared->connections++;
    bandwidth_init(&peer->upload_limit, &swarm->upload_limit, 0, swarm->now);
    bandwidth_init(&peer->download_limit, &swarm->download_limit, 0, swarm->now);
    if (swarm->tick_ns == HEAP_NEVER)
        swarm->tick_ns = swarm->now + SECOND_NS;
    return peer;
}

static void queue_close(struct swarm *swarm, conn_id conn)
{
    if (swarm->closes_count == swarm->closes_capacity) {
        swarm->closes_capacity = swarm->closes_capacity ? 2 * swarm->closes_capacity : 8;
        swarm->closes =
            memory_resize_array(swarm->closes, swarm->closes_capacity, sizeof *swarm->closes);
    }
    swarm->closes[swarm->closes_count++] = conn;
    swarm_wake(swarm);
}

static void leave_lists(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (list_contains(&peer->in_ready))
        list_remove(&swarm->ready_peers, &peer->in_ready);
    list_remove(&swarm->peers, &peer->in_swarm);
    list_append(&swarm->graveyard, &peer->in_swarm);
    swarm->slots[peer->slot] = NULL;
    map_remove(&swarm->shared->conns, &peer->conn);
    swarm->shared->connections--;
}

void swarm_peers_close(struct peer *peer, enum freshet_error reason, bool host_knows)
{
    struct swarm *swarm = peer->swarm;
    if (peer->phase == PEER_CLOSING)
        return;
    bool was_open = peer->phase == PEER_OPEN;
    bool was_turned_away = peer->phase == PEER_GREETING && host_knows;
    bool never_connected = peer->connect_due;
    bool was_unreached = peer->phase == PEER_CONNECTING && !swarm->releasing &&
                         (host_knows || reason == FRESHET_ERROR_TIMEOUT);
    swarm_requests_drop_arrival(peer);
    swarm_hashes_peer_left(peer);
    if (peer->uploaded || peer->downloaded)
        swarm_tell(swarm, (struct notice){.type = NOTICE_PEER_LEFT,
                                          .address = peer->address,
                                          .uploaded = peer->uploaded,
                                          .downloaded = peer->downloaded});
    if (swarm->picker)
        piece_picker_peer_left(swarm->picker, peer->slot, peer->joined ? &peer->has : NULL);
    if (swarm->super_seed)
        super_seed_peer_left(swarm->super_seed, peer->slot, peer->joined ? &peer->has : NULL);
    choker_on_left(&swarm->choker, peer->slot);
    leave_lists(peer);
    peer->phase = PEER_CLOSING;
    peer->reason = reason;
    if (!host_knows && !never_connected)
        queue_close(swarm, peer->conn);
    const struct address *known = peer_listens(peer);
    swarm_families_left(peer, host_knows || reason == FRESHET_ERROR_TIMEOUT);
    if (was_open && !swarm->releasing && (host_knows || reason == FRESHET_ERROR_CANCELLED))
        swarm_pex_left(peer);
    if (known->family != ADDRESS_NONE) {
        if (peer->downloaded)
            peer_list_mark_useful(swarm->candidates, known);
        if (swarm->releasing)
            peer_list_on_released(swarm->candidates, known);
        else if (peer->is_second)
            peer_list_on_connected(swarm->candidates, known);
        else if (was_open)
            peer_list_on_disconnected(swarm->candidates, known, swarm->now);
        else if (peer->by_utp && was_unreached)
            peer_list_on_claim_failed(swarm->candidates, known, swarm->now);
        else if (!peer->inbound &&
                 peer_mse_turns(swarm->shared->settings.encryption, (enum peer_mse)peer->mse,
                                was_turned_away && peer->greeting.have == 0))
            peer_list_on_mse_turned(swarm->candidates, known);
        else if (was_turned_away)
            peer_list_on_turned_away(swarm->candidates, known, swarm->now);
        else
            peer_list_on_failed(swarm->candidates, known, swarm->now);
    }
    if (was_unreached)
        swarm_holepunch_unreached(peer);
    swarm_requests_account(swarm);
    if (was_open && !peer->am_choking)
        swarm_choking_slot_free(swarm);
    if (was_open && peer->requests.count)
        swarm_requests_fill_all(swarm);
}

void swarm_peers_close_all(struct swarm *swarm, enum freshet_error reason)
{
    struct list_node *node;
    swarm->releasing = true;
    while ((node = list_first(&swarm->peers)))
        swarm_peers_close(LIST_ELEMENT(node, struct peer, in_swarm), reason, false);
    swarm->releasing = false;
}

bool swarm_peers_close_filtered(struct swarm *swarm, const struct ip_filter *filter)
{
    bool any = false;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct peer *peer = swarm->slots[slot];
        if (!peer || !ip_filter_has(filter, &peer->address))
            continue;
        swarm_peers_close(peer, FRESHET_ERROR_REFUSED, false);
        any = true;
    }
    return any;
}

/* Whoever is let go of may be met again at once, by the other way. */
void swarm_peers_set_transport(struct swarm *swarm, enum transport transport)
{
    if (transport == swarm->transport)
        return;
    swarm->transport = transport;
    swarm->releasing = true;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct peer *peer = swarm->slots[slot];
        if (!peer)
            continue;
        bool stays =
            peer->phase == PEER_CONNECTING
                ? torrent_transport_keeps_dial(swarm->transport, !peer->connect_due, peer->by_utp)
                : torrent_transport_is_allowed(swarm->transport, peer_is_over_utp(peer));
        if (!stays)
            swarm_peers_close(peer, FRESHET_ERROR_CANCELLED, false);
    }
    swarm->releasing = false;
}

void swarm_peers_bury(struct swarm *swarm)
{
    struct list_node *node;
    while ((node = list_first(&swarm->graveyard))) {
        list_remove(&swarm->graveyard, node);
        peer_free(LIST_ELEMENT(node, struct peer, in_swarm));
    }
    if (list_is_empty(&swarm->peers) && swarm->slots != swarm_peers_no_slots()) {
        memory_free(swarm->slots);
        swarm->slots = swarm_peers_no_slots();
    }
}

static bool connected_from(const struct swarm *swarm, const struct address *address)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node))
        count += address_same_ip(&LIST_ELEMENT(node, struct peer, in_swarm)->address, address);
    uint32_t max = swarm->shared->settings.many_per_address ? LIMIT_PEERS_PER_TORRENT
                                                            : LIMIT_CONNECTIONS_PER_ADDRESS;
    return count >= max;
}

/* A flood from one network must not take every slot. One's own network is no stranger's: there all
 * may sit behind one prefix. */
static bool network_is_full(const struct swarm *swarm, const struct address *address)
{
    uint32_t count = 0;
    if (address_is_private(address) || address_is_loopback(address))
        return false;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        count += peer->inbound && address_same_network(&peer->address, address);
    }
    return count >= LIMIT_INBOUND_PER_NETWORK;
}

/* Who has come to us already and listens there; over uTP one listens where one comes from, whatever
 * port one names. */
static const struct peer *find_here(const struct swarm *swarm, const struct address *address)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->inbound && (address_equal(&peer->listen, address) ||
                              (peer_is_over_utp(peer) && address_equal(&peer->address, address))))
            return peer;
    }
    return NULL;
}

bool swarm_peers_are_enough(const struct swarm *swarm)
{
    uint32_t max = swarm->peers_max ? swarm->peers_max : swarm->shared->peers_max;
    if (max == 0 || max > LIMIT_PEERS_PER_TORRENT)
        max = LIMIT_PEERS_PER_TORRENT;
    return swarm->peers.length >= max;
}

static bool may_dial(const struct swarm *swarm)
{
    const struct swarm_shared *shared = swarm->shared;
    return swarm_is_active(swarm) && shared->connect_budget > 0 &&
           torrent_transport_is_there(swarm->transport, &shared->settings) &&
           shared->connections < shared->connections_max && !swarm_peers_are_enough(swarm);
}

static void dial(struct swarm *swarm, const struct address *address, bool by_utp)
{
    struct swarm_shared *shared = swarm->shared;
    shared->connect_budget--;
    struct peer *peer = add_peer(swarm, shared->conn_next++, address);
    peer->phase = PEER_CONNECTING;
    peer->connect_due = true;
    peer->by_utp = by_utp;
    swarm_peers_wake(peer);
}

void swarm_peers_dial_utp(struct swarm *swarm, const struct address *address)
{
    if (may_dial(swarm) && !blame_is_banned(swarm->blame, address) &&
        !connected_from(swarm, address) && peer_list_claim(swarm->candidates, address))
        dial(swarm, address, true);
}

void swarm_peers_connect(struct swarm *swarm)
{
    while (may_dial(swarm)) {
        struct address address;
        if (!peer_list_next(swarm->candidates, swarm->now, &address))
            break;
        if (blame_is_banned(swarm->blame, &address)) {
            peer_list_ban(swarm->candidates, &address);
            continue;
        }
        const struct peer *here = find_here(swarm, &address);
        if (here && address_equal(&here->listen, &address)) {
            peer_list_on_connected(swarm->candidates, &address);
            continue;
        }
        if (here || connected_from(swarm, &address)) {
            peer_list_on_disconnected(swarm->candidates, &address, swarm->now);
            continue;
        }
        dial(swarm, &address, false);
    }
}

/* A private torrent's peers hear of no DHT (BEP 27). */
static bool uses_dht(const struct swarm *swarm)
{
    return swarm->shared->dht_port != 0 && !swarm->metainfo->is_private;
}

static void put_handshake(struct peer *peer, const uint8_t hash[20])
{
    struct swarm *swarm = peer->swarm;
    const struct metainfo *metainfo = swarm->metainfo;
    struct wire_handshake handshake = {
        .extension = true,
        .fast = true,
        .dht = uses_dht(swarm),
        .upgrade_v2 = metainfo->has_v1 && metainfo->has_v2,
    };
    memcpy(handshake.info_hash, hash, 20);
    memcpy(handshake.peer_id, swarm->shared->settings.peer_id, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    buffer_append(&peer->out, bytes, sizeof bytes);
    swarm_peers_wake(peer);
}

void swarm_peers_connected(struct peer *peer)
{
    if (!torrent_transport_is_allowed(peer->swarm->transport, peer->is_utp)) {
        swarm_peers_close(peer, FRESHET_ERROR_CANCELLED, false);
        return;
    }
    /* Our handshake goes alone: some clients drop what is glued to it before they have shown
     * theirs. */
    peer->phase = PEER_GREETING;
    peer->connected_ns = peer->swarm->now;
    put_handshake(peer, metainfo_wire_hash(peer->swarm->metainfo));
}

bool swarm_peer_begin_mse(struct peer *peer, uint8_t ret_skey[20])
{
    struct swarm *swarm = peer->swarm;
    if (!peer_mse_is_dialled(swarm->shared->settings.encryption,
                             peer_list_is_mse_turned(swarm->candidates, &peer->address)))
        return false;
    memcpy(ret_skey, metainfo_wire_hash(swarm->metainfo), 20);
    peer->mse = PEER_MSE_BEGUN;
    return true;
}

void swarm_peer_set_mse(struct peer *peer, enum peer_mse mse)
{
    peer->mse = (uint8_t)mse;
}

/* Two peers that connect to each other at once would each close one connection, perhaps not the
 * same: the one that was begun by the greater peer id stays. */
static bool loses_to_twin(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *other = LIST_ELEMENT(node, struct peer, in_swarm);
        if (other == peer || other->phase != PEER_OPEN ||
            memcmp(other->peer_id, peer->peer_id, 20) != 0)
            continue;
        /* Whoever borrows a peer id from elsewhere does not push its owner out. */
        if (!address_same_ip(&other->address, &peer->address)) {
            peer->is_second = swarm_families_wait(peer, other);
            return true;
        }
        bool i_am_greater = memcmp(swarm->shared->settings.peer_id, peer->peer_id, 20) > 0;
        if (other->inbound == peer->inbound || peer->inbound == i_am_greater)
            return true;
        swarm_peers_close(other, FRESHET_ERROR_EXISTS, false);
        return false;
    }
    return false;
}

static void put_pieces(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    const struct bitfield *have = storage_verified(swarm->storage);
    bool none = have->count == 0 || swarm->super_seed != NULL;
    if (peer->fast && none)
        wire_message_put(&peer->out, WIRE_HAVE_NONE);
    else if (peer->fast && bitfield_is_full(have))
        wire_message_put(&peer->out, WIRE_HAVE_ALL);
    else if (!none)
        wire_message_put_bitfield(&peer->out, bitfield_wire(have));
}

static void put_extension_handshake(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    struct wire_extension_handshake handshake;
    wire_extension_handshake_init(&handshake);
    handshake.named[WIRE_EXTENSION_LT_DONTHAVE] = true;
    handshake.ids[WIRE_EXTENSION_LT_DONTHAVE] = WIRE_EXTENSION_LT_DONTHAVE;
    handshake.named[WIRE_EXTENSION_UPLOAD_ONLY] = true;
    handshake.ids[WIRE_EXTENSION_UPLOAD_ONLY] = WIRE_EXTENSION_UPLOAD_ONLY;
    if (swarm_pex_is_on(swarm)) {
        handshake.named[WIRE_EXTENSION_UT_PEX] = true;
        handshake.ids[WIRE_EXTENSION_UT_PEX] = WIRE_EXTENSION_UT_PEX;
    }
    if (swarm_holepunch_is_on(swarm)) {
        handshake.named[WIRE_EXTENSION_UT_HOLEPUNCH] = true;
        handshake.ids[WIRE_EXTENSION_UT_HOLEPUNCH] = WIRE_EXTENSION_UT_HOLEPUNCH;
    }
    if (swarm_metadata_is_offered(swarm)) {
        handshake.named[WIRE_EXTENSION_UT_METADATA] = true;
        handshake.ids[WIRE_EXTENSION_UT_METADATA] = WIRE_EXTENSION_UT_METADATA;
        handshake.metadata_size = (uint32_t)swarm->metainfo->info.length;
    }
    handshake.port = swarm->shared->settings.listen_port;
    handshake.reqq = LIMIT_REQUESTS_IN;
    handshake.version = BYTES_LITERAL("freshet 0.1");
    handshake.your_ip = peer->address;
    handshake.your_ip.port = 0;
    handshake.has_upload_only = !swarm_wants_pieces(swarm) && !swarm->super_seed;
    handshake.upload_only = handshake.has_upload_only;
    handshake.prefers_encryption = swarm->shared->settings.encryption == ENCRYPTION_PREFER ||
                                   swarm->shared->settings.encryption == ENCRYPTION_REQUIRE;
    struct buffer payload = {0};
    wire_extension_encode(&payload, &handshake);
    wire_message_put_extended(&peer->out, WIRE_EXTENSION_HANDSHAKE, buffer_bytes(&payload));
    buffer_deinit(&payload);
}

static void put_allowed_fast(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (!peer->fast || swarm->super_seed || swarm->shared->settings.no_upload)
        return;
    peer->allowed_out_count = allowed_fast_set(&peer->address, metainfo_wire_hash(swarm->metainfo),
                                               swarm->metainfo->geometry.piece_count,
                                               peer->allowed_out, LIMIT_ALLOWED_FAST);
    for (uint32_t i = 0; i < peer->allowed_out_count; i++)
        wire_message_put_index(&peer->out, WIRE_ALLOWED_FAST, peer->allowed_out[i]);
}

/* Both handshakes are known. */
void swarm_peers_open(struct swarm *swarm, struct peer *peer)
{
    struct wire_stream_options options = {
        .fast = peer->fast,
        .extension = peer->extended,
        .hashes = swarm->metainfo->has_v2,
        .piece_count = swarm->metainfo->geometry.piece_count,
    };
    wire_stream_init(&peer->stream, &options);
    peer->phase = PEER_OPEN;
    peer->connected_ns = swarm->now;
    peer->choked_ns = swarm->now;
    if (!peer->inbound)
        peer_list_on_connected(swarm->candidates, &peer->address);
    put_pieces(peer);
    if (peer->extended)
        put_extension_handshake(peer);
    put_allowed_fast(peer);
    if (peer->dht && uses_dht(swarm))
        wire_message_put_port(&peer->out, swarm->shared->dht_port);
    swarm_peers_wake(peer);
}

/* Judges the other side's handshake; true: go on with it. */
static bool take_handshake(struct peer *peer, const struct wire_handshake *handshake)
{
    struct swarm *swarm = peer->swarm;
    const struct metainfo *metainfo = swarm->metainfo;
    enum wire_hash_kind kind =
        wire_handshake_hash_kind(handshake, metainfo->has_v1 ? metainfo->info_hash_v1 : NULL,
                                 metainfo->has_v2 ? metainfo->info_hash_v2 : NULL);
    if (kind == WIRE_HASH_NEITHER) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return false;
    }
    memcpy(peer->peer_id, handshake->peer_id, 20);
    if (memcmp(peer->peer_id, swarm->shared->settings.peer_id, 20) == 0) {
        peer_list_on_self(swarm->candidates, &peer->address);
        swarm_peers_close(peer, FRESHET_ERROR_EXISTS, false);
        return false;
    }
    if (loses_to_twin(peer)) {
        swarm_peers_close(peer, FRESHET_ERROR_EXISTS, false);
        return false;
    }
    peer->fast = handshake->fast;
    peer->extended = handshake->extension;
    peer->dht = handshake->dht;
    peer->v2 = kind == WIRE_HASH_V2;
    return true;
}

void swarm_peers_greet(struct peer *peer, struct bytes *bytes)
{
    struct wire_handshake handshake;
    enum freshet_error error = wire_handshake_read(&peer->greeting, bytes, &handshake);
    if (error == FRESHET_ERROR_TRUNCATED)
        return;
    if (error != FRESHET_OK) {
        swarm_peers_close(peer, error, false);
        return;
    }
    if (take_handshake(peer, &handshake))
        swarm_peers_open(peer->swarm, peer);
}

struct peer *swarm_accept(struct swarm *swarm, int64_t now, conn_id conn,
                          const struct address *remote, const struct wire_handshake *handshake)
{
    swarm->now = now;
    if (!swarm_is_active(swarm) ||
        !torrent_transport_is_allowed(swarm->transport, torrent_transport_is_inbound_utp(conn)) ||
        blame_is_banned(swarm->blame, remote) || peer_list_is_banned(swarm->candidates, remote) ||
        connected_from(swarm, remote) || network_is_full(swarm, remote) ||
        swarm_peers_are_enough(swarm))
        return NULL;
    struct peer *peer = add_peer(swarm, conn, remote);
    if (peer == NULL)
        return NULL;
    peer->inbound = true;
    peer->phase = PEER_GREETING;
    if (take_handshake(peer, handshake)) {
        /* A hybrid's peer that can speak v2 is answered with the v2 hash (BEP 52). */
        const struct metainfo *metainfo = swarm->metainfo;
        bool upgrade = !peer->v2 && handshake->upgrade_v2 && metainfo->has_v2;
        peer->v2 = peer->v2 || upgrade;
        put_handshake(peer, upgrade ? metainfo->info_hash_v2 : handshake->info_hash);
        swarm_peers_open(swarm, peer);
    }
    /* A refused one was closed like any other and is buried with the next input. */
    return peer;
}

static enum freshet_error overdue(const struct peer *peer)
{
    int64_t now = peer->swarm->now;
    switch ((enum peer_phase)peer->phase) {
    case PEER_CONNECTING:
        return now - peer->connected_ns >= LIMIT_TIMEOUT_CONNECT_NS ? FRESHET_ERROR_TIMEOUT
                                                                    : FRESHET_OK;
    case PEER_GREETING:
        return now - peer->connected_ns >= LIMIT_TIMEOUT_HANDSHAKE_NS ? FRESHET_ERROR_TIMEOUT
                                                                      : FRESHET_OK;
    case PEER_OPEN: break;
    case PEER_CLOSING: return FRESHET_OK;
    }
    if (now - peer->last_received_ns >= LIMIT_TIMEOUT_SILENT_NS)
        return FRESHET_ERROR_TIMEOUT;
    if (now - peer->last_useful_ns >= LIMIT_TIMEOUT_INACTIVE_NS && !peer->am_interested &&
        !peer->peer_interested)
        return FRESHET_ERROR_TIMEOUT;
    return FRESHET_OK;
}

static void tick_peer(struct peer *peer)
{
    enum freshet_error error = overdue(peer);
    if (error != FRESHET_OK) {
        swarm_peers_close(peer, error, false);
        return;
    }
    if (peer->phase != PEER_OPEN)
        return;
    if (peer->swarm->now - peer->last_sent_ns >= LIMIT_KEEPALIVE_NS && !peer->send_busy) {
        wire_message_put(&peer->out, WIRE_KEEPALIVE);
        swarm_peers_wake(peer);
    }
    if (!peer->fast && !peer->joined && peer->swarm->now - peer->connected_ns >= SILENCE_NS)
        swarm_messages_silent(peer);
    swarm_requests_tick(peer);
    swarm_requests_fill(peer);
}

void swarm_peers_tick(struct swarm *swarm)
{
    /* By slot: closing one peer may close or change others, never the array. */
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++)
        if (swarm->slots[slot])
            tick_peer(swarm->slots[slot]);
}

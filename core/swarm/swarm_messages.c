/* SPDX-License-Identifier: MIT */
/*
 * What a peer says, one function a kind of message (BEP 3, 6, 10, 21, 52, 54). The stream has
 * judged lengths and states already; here is what it means.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"

static void on_choke(struct peer *peer)
{
    if (peer->peer_choking)
        return;
    peer->peer_choking = true;
    /* Under the fast extension the choker rejects each request itself, or still answers it. */
    if (!peer->fast)
        swarm_requests_abort_all(peer);
    swarm_requests_fill_all(peer->swarm);
}

static void on_unchoke(struct peer *peer)
{
    if (!peer->peer_choking)
        return;
    peer->peer_choking = false;
    swarm_requests_unchoked(peer);
}

static void on_interested(struct peer *peer)
{
    if (peer->peer_interested)
        return;
    peer->peer_interested = true;
    swarm_choking_interested(peer);
}

static void on_not_interested(struct peer *peer)
{
    if (!peer->peer_interested)
        return;
    peer->peer_interested = false;
    if (!peer->am_choking)
        swarm_choking_slot_free(peer->swarm);
}

static void show_next(struct swarm *swarm, struct peer *peer, uint32_t piece)
{
    if (piece == SUPER_SEED_NONE || peer->phase != PEER_OPEN ||
        !bitfield_has(storage_verified(swarm->storage), piece))
        return;
    wire_message_put_index(&peer->out, WIRE_HAVE, piece);
    swarm_peers_wake(peer);
}

void swarm_messages_show_overdue(struct swarm *swarm)
{
    uint32_t slot;
    super_seed_tick(swarm->super_seed);
    while ((slot = super_seed_take_overdue(swarm->super_seed)) != SUPER_SEED_NONE) {
        struct peer *peer = swarm->slots[slot];
        if (peer && peer->joined)
            show_next(swarm, peer, super_seed_next(swarm->super_seed, slot, &peer->has));
    }
}

/* What it has changed: are we interested, is it a seed, what does super-seeding show? */
static void pieces_changed(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (peer_is_seed(peer)) {
        peer_list_mark_seed(swarm->candidates, peer_listens(peer));
        if (swarm->phase == PHASE_SEEDING && !swarm->super_seed) {
            /* Neither has anything for the other. */
            swarm_peers_close(peer, FRESHET_ERROR_CANCELLED, false);
            return;
        }
    }
    swarm_requests_update_interest(peer);
    swarm_requests_fill(peer);
}

static void all_pieces_known(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    swarm_requests_join(peer);
    if (swarm->super_seed)
        show_next(swarm, peer, super_seed_peer_joined(swarm->super_seed, peer->slot, &peer->has));
    pieces_changed(peer);
}

/* Who has nothing need not say so (BEP 3): silence means an empty bitfield. */
void swarm_messages_silent(struct peer *peer)
{
    if (!peer->joined)
        all_pieces_known(peer);
}

static void on_have(struct peer *peer, piece_index piece)
{
    struct swarm *swarm = peer->swarm;
    if (piece >= peer->has.size) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    if (!peer->joined)
        all_pieces_known(peer);
    if (peer->phase != PEER_OPEN || bitfield_has(&peer->has, piece))
        return;
    bitfield_set(&peer->has, piece);
    if (swarm->picker)
        piece_picker_peer_have(swarm->picker, peer->slot, piece, &peer->has);
    if (swarm->super_seed) {
        uint32_t slot;
        super_seed_peer_have(swarm->super_seed, peer->slot, piece, &slot);
        struct peer *earned = slot < LIMIT_PEERS_PER_TORRENT ? swarm->slots[slot] : NULL;
        if (earned && earned->joined)
            show_next(swarm, earned, super_seed_next(swarm->super_seed, slot, &earned->has));
    }
    if (!peer->am_interested || peer_is_seed(peer))
        pieces_changed(peer);
    else if (peer->requests.count == 0)
        swarm_requests_fill(peer);
}

/* aria2 sends its bitfield again, or have all, in place of many haves: what is new counts as those.
 */
static void on_later_bitfield(struct peer *peer, struct bytes bits)
{
    struct bitfield now;
    bitfield_init(&now, peer->has.size);
    if (bitfield_load(&now, bits) != FRESHET_OK)
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
    for (uint32_t piece = bitfield_next_set(&now, 0); piece < now.size && peer->phase == PEER_OPEN;
         piece = bitfield_next_set(&now, piece + 1))
        on_have(peer, piece);
    bitfield_deinit(&now);
}

static void on_have_all(struct peer *peer)
{
    if (!peer->joined) {
        bitfield_set_all(&peer->has);
        all_pieces_known(peer);
        return;
    }
    for (uint32_t piece = bitfield_next_clear(&peer->has, 0);
         piece < peer->has.size && peer->phase == PEER_OPEN;
         piece = bitfield_next_clear(&peer->has, piece + 1))
        on_have(peer, piece);
}

static void on_have_none(struct peer *peer)
{
    if (peer->joined)
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
    else
        all_pieces_known(peer);
}

static void on_bitfield(struct peer *peer, struct bytes bits)
{
    if (peer->joined) {
        on_later_bitfield(peer, bits);
        return;
    }
    if (bitfield_load(&peer->has, bits) != FRESHET_OK) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    all_pieces_known(peer);
}

static void on_donthave(struct peer *peer, piece_index piece)
{
#ifdef FRESHET_PLANTED_BUG
    if (!peer->joined || !bitfield_has(&peer->has, piece))
        return;
#else
    if (piece >= peer->has.size || !peer->joined || !bitfield_has(&peer->has, piece))
        return;
#endif
    /* A seed that is none any more is counted anew, piece by piece: not too often. */
    if (peer_is_seed(peer))
        peer->nuisances += LIMIT_NUISANCES / 4;
    bitfield_clear(&peer->has, piece);
    if (peer->swarm->super_seed)
        super_seed_peer_lost(peer->swarm->super_seed, peer->slot, piece);
    if (peer->swarm->picker)
        piece_picker_peer_lost(peer->swarm->picker, peer->slot, piece, &peer->has);
    swarm_requests_update_interest(peer);
}

static void on_allowed_fast(struct peer *peer, piece_index piece)
{
    uint32_t max = sizeof peer->allowed_in / sizeof *peer->allowed_in;
    if (piece >= peer->has.size || peer_allows_fast(peer, piece) || peer->allowed_in_count == max)
        return;
    peer->allowed_in[peer->allowed_in_count++] = piece;
    swarm_requests_fill(peer);
}

static void on_suggest(struct peer *peer, piece_index piece)
{
    uint32_t max = sizeof peer->suggested / sizeof *peer->suggested;
    if (piece >= peer->has.size)
        return;
    if (peer->suggested_count < max)
        peer->suggested_count++;
    for (uint32_t i = peer->suggested_count - 1; i > 0; i--)
        peer->suggested[i] = peer->suggested[i - 1];
    peer->suggested[0] = piece;
}

static void on_extension_handshake(struct peer *peer, struct bytes payload)
{
    struct swarm *swarm = peer->swarm;
    struct wire_extension_handshake handshake;
    if (wire_extension_decode(payload, &handshake) != FRESHET_OK) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    wire_extension_merge(peer->extension_ids, &handshake);
    if (handshake.version.length)
        client_name_read(handshake.version, peer->client);
    if (handshake.reqq)
        request_pipeline_set_reqq(&peer->pipeline, handshake.reqq);
    if (handshake.has_upload_only)
        peer->upload_only = handshake.upload_only;
    swarm_families_told(peer, &handshake);
    if (handshake.port && peer->inbound) {
        if (peer->listen.family != ADDRESS_NONE && peer->listen.port != handshake.port)
            peer_list_on_released(swarm->candidates, &peer->listen);
        peer->listen = peer->address;
        peer->listen.port = handshake.port;
        peer_list_add(swarm->candidates, &peer->listen, PEER_SOURCE_INBOUND);
        peer_list_on_connected(swarm->candidates, &peer->listen);
        if (peer_is_seed(peer))
            peer_list_mark_seed(swarm->candidates, &peer->listen);
    }
}

static void on_extended(struct peer *peer, const struct wire_message *message)
{
    uint32_t piece;
    bool upload_only;
    switch (message->extended_id) {
    case WIRE_EXTENSION_HANDSHAKE: on_extension_handshake(peer, message->payload); break;
    case WIRE_EXTENSION_UT_PEX: swarm_pex_received(peer, message->payload); break;
    case WIRE_EXTENSION_UT_METADATA: swarm_metadata_received(peer, message->payload); break;
    case WIRE_EXTENSION_UT_HOLEPUNCH: swarm_holepunch_received(peer, message->payload); break;
    case WIRE_EXTENSION_LT_DONTHAVE:
        if (wire_extension_decode_donthave(message->payload, &piece) == FRESHET_OK)
            on_donthave(peer, piece);
        break;
    case WIRE_EXTENSION_UPLOAD_ONLY:
        if (wire_extension_decode_upload_only(message->payload, &upload_only) == FRESHET_OK)
            peer->upload_only = upload_only;
        break;
    default: break;
    }
}

/* Its DHT node (BEP 5). Private torrents have nothing to do with the DHT (BEP 27). */
static void on_port(struct peer *peer, uint16_t port)
{
    struct swarm_shared *shared = peer->swarm->shared;
    if (shared->dht_port == 0 || port == 0 || peer->swarm->metainfo->is_private ||
        shared->dht_contact_count == SWARM_DHT_CONTACTS)
        return;
    struct address *contact = &shared->dht_contacts[shared->dht_contact_count++];
    *contact = peer->address;
    contact->port = port;
}

static void on_message(struct peer *peer, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_CHOKE: on_choke(peer); break;
    case WIRE_UNCHOKE: on_unchoke(peer); break;
    case WIRE_INTERESTED: on_interested(peer); break;
    case WIRE_NOT_INTERESTED: on_not_interested(peer); break;
    case WIRE_HAVE: on_have(peer, message->index); break;
    case WIRE_BITFIELD: on_bitfield(peer, message->payload); break;
    case WIRE_HAVE_ALL: on_have_all(peer); break;
    case WIRE_HAVE_NONE: on_have_none(peer); break;
    case WIRE_REQUEST: swarm_uploads_request(peer, message); break;
    case WIRE_CANCEL: swarm_uploads_cancel(peer, message); break;
    case WIRE_PIECE: swarm_requests_piece_head(peer, message); break;
    case WIRE_REJECT: swarm_requests_rejected(peer, message); break;
    case WIRE_SUGGEST: on_suggest(peer, message->index); break;
    case WIRE_ALLOWED_FAST: on_allowed_fast(peer, message->index); break;
    case WIRE_EXTENDED: on_extended(peer, message); break;
    case WIRE_HASH_REQUEST: swarm_hashes_request(peer, &message->hashes); break;
    case WIRE_PORT: on_port(peer, message->port); break;
    case WIRE_HASHES:
    case WIRE_HASH_REJECT:
    case WIRE_KEEPALIVE: break;
    }
}

/* What costs us more than it costs the peer may not come without end, nor may answers pile up. */
static bool is_tolerable(struct peer *peer, const struct wire_message *message)
{
    switch (message->type) {
    case WIRE_CHOKE:
    case WIRE_UNCHOKE:
    case WIRE_INTERESTED:
    case WIRE_NOT_INTERESTED:
    case WIRE_CANCEL: peer->nuisances++; break;
    case WIRE_BITFIELD: peer->nuisances += peer->joined; break;
    default: break;
    }
    return peer->nuisances <= LIMIT_NUISANCES && peer->out.length <= LIMIT_OUT_BYTES;
}

void swarm_messages_received(struct peer *peer, struct event *event)
{
    struct bytes bytes = event->bytes;
    peer->last_received_ns = peer->swarm->now;
    if (peer->phase == PEER_GREETING)
        swarm_peers_greet(peer, &bytes);
    while (peer->phase == PEER_OPEN) {
        struct wire_message message;
        enum wire_stream_result result = wire_stream_next(&peer->stream, &bytes, &message);
        if (result == WIRE_STREAM_MESSAGE && is_tolerable(peer, &message)) {
            on_message(peer, &message);
            continue;
        }
        if (result == WIRE_STREAM_MESSAGE)
            swarm_peers_close(peer, FRESHET_ERROR_LIMIT, false);
        if (result == WIRE_STREAM_ERROR)
            swarm_peers_close(peer, wire_stream_error(&peer->stream), false);
        break;
    }
    /* What a closed connection still says is swallowed. */
    event->consumed =
        peer->phase == PEER_CLOSING ? event->bytes.length : event->bytes.length - bytes.length;
}

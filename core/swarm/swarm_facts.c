/* SPDX-License-Identifier: MIT */
/* Questions about a torrent: read-only, except that asking takes note of a completion. */
#include "core/swarm/swarm_state.h"

#include "core/base/memory.h"
#include "core/swarm/torrent_transport.h"

#include <string.h>

#define PEERS_ENOUGH 40u

torrent_id swarm_id(const struct swarm *swarm)
{
    return swarm->id;
}

const struct metainfo *swarm_metainfo(const struct swarm *swarm)
{
    return swarm->metainfo;
}

static uint64_t wanted_in(const struct swarm *swarm, const struct bitfield *pieces)
{
    uint64_t bytes = 0;
    if (pieces->count == pieces->size)
        return swarm->wanted_bytes;
    for (piece_index piece = bitfield_next_set(pieces, 0); piece < pieces->size;
         piece = bitfield_next_set(pieces, piece + 1))
        if (storage_piece_wanted(swarm->storage, piece))
            bytes += geometry_piece_payload(&swarm->metainfo->geometry, piece);
    return bytes;
}

static void count_peers(const struct swarm *swarm, int64_t now, struct torrent_status *status)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->phase != PEER_OPEN)
            continue;
        status->peers++;
        status->peers_by_source[peer_list_source_of(swarm->candidates, peer_listens(peer))]++;
        status->seeds_known += peer_is_seed(peer);
        status->peers_downloading += rate_meter_quick(&peer->up, now) > 0;
        status->peers_uploading += rate_meter_quick(&peer->pipeline.rate, now) > 0;
    }
}

bool swarm_range(const struct swarm *swarm, piece_index piece, uint32_t begin, uint32_t length,
                 struct file_range *ret_range)
{
    const struct bitfield *verified = storage_verified(swarm->storage);
    return piece < verified->size && bitfield_has(verified, piece) && length > 0 &&
           begin < swarm->metainfo->geometry.piece_length &&
           length <= swarm->metainfo->geometry.piece_length - begin &&
           storage_ranges(swarm->storage, piece, begin, length, ret_range, 1) == 1;
}

void swarm_status(const struct swarm *swarm, int64_t now, struct torrent_status *ret_status)
{
    const struct bitfield *verified = storage_verified(swarm->storage);
    struct torrent_status status = {
        .phase = swarm->phase,
        .error = swarm->error,
        .wanted_bytes = swarm->wanted_bytes,
        .verified_bytes = wanted_in(swarm, verified),
        .durable_bytes = wanted_in(swarm, storage_durable(swarm->storage)),
        .checked_bytes = swarm->checked_bytes,
        .total_bytes = swarm->metainfo->geometry.payload_length,
        .uploaded = swarm->uploaded,
        .downloaded = swarm->downloaded,
        .wasted = swarm->wasted,
        .corrupt = swarm->corrupt,
        .download_rate = rate_meter_quick(&swarm->down, now),
        .upload_rate = rate_meter_quick(&swarm->up, now),
        .pieces_done = verified->count,
        .pieces_total = verified->size,
        .pieces = verified,
        .lacks = torrent_transport_is_there(swarm->transport, &swarm->shared->settings)
                     ? TRANSPORT_ANY
                     : swarm->transport,
    };
    if (swarm->picker) {
        struct piece_picker_counts counts;
        piece_picker_count(swarm->picker, &counts);
        uint32_t piece = swarm->metainfo->geometry.piece_length;
        status.unchecked_bytes = (uint64_t)counts.blocks_received *
                                 (piece < LIMIT_BLOCK_SIZE ? piece : LIMIT_BLOCK_SIZE);
    }
    bool settled = swarm->phase == PHASE_DOWNLOADING || swarm->phase == PHASE_SEEDING ||
                   swarm->phase == PHASE_PAUSED || swarm->phase == PHASE_STOPPING;
    status.complete = settled && status.durable_bytes == status.wanted_bytes;
    count_peers(swarm, now, &status);
    for (int source = 0; source < PEER_SOURCE_COUNT; source++)
        status.known_by_source[source] =
            peer_list_count_from(swarm->candidates, (enum peer_source)source);
    *ret_status = status;
}

uint32_t swarm_peer_statuses(const struct swarm *swarm, int64_t now, struct peer_status *ret_peers,
                             uint32_t max)
{
    uint32_t count = 0;
    for (struct list_node *node = list_first(&swarm->peers); node && count < max;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->phase != PEER_OPEN)
            continue;
        struct peer_status *status = &ret_peers[count++];
        *status = (struct peer_status){
            .address = peer->address,
            .source = peer_list_source_of(swarm->candidates, peer_listens(peer)),
            .inbound = peer->inbound,
            .is_utp = peer_is_over_utp(peer),
            .knows_holepunch = peer->extension_ids[WIRE_EXTENSION_UT_HOLEPUNCH] != 0,
            .is_encrypted = peer->mse == PEER_MSE_RC4,
            .am_choking = peer->am_choking,
            .am_interested = peer->am_interested,
            .peer_choking = peer->peer_choking,
            .peer_interested = peer->peer_interested,
            .is_seed = peer_is_seed(peer),
            .snubbed = request_pipeline_is_snubbed(&peer->pipeline, now),
            .optimistic = choker_is_optimistic(&swarm->choker, peer->slot),
            .uploaded = peer->uploaded,
            .downloaded = peer->downloaded,
            .download_rate = rate_meter_quick(&peer->pipeline.rate, now),
            .upload_rate = rate_meter_quick(&peer->up, now),
            .pieces = peer->has.count,
            .progress_permille = (uint32_t)((uint64_t)peer->has.count * 1000 / peer->has.size),
            .upload_only = peer->upload_only,
            .requests_out = peer->requests.count,
            .requests_in = peer->uploads.length,
            .connected_ns = peer->connected_ns,
        };
        memcpy(status->peer_id, peer->peer_id, sizeof status->peer_id);
        memcpy(status->client, peer->client, sizeof status->client);
    }
    return count;
}

void swarm_file_bytes(const struct swarm *swarm, uint64_t *ret_bytes, uint32_t file_count)
{
    const struct geometry *geometry = &swarm->metainfo->geometry;
    uint64_t *bytes = memory_new_array(geometry->file_count, sizeof *bytes);
    geometry_file_bytes(geometry, storage_verified(swarm->storage), bytes);
    for (uint32_t i = 0; i < file_count && i < geometry->file_count; i++)
        ret_bytes[i] = bytes[i];
    memory_free(bytes);
}

/* Of the pieces from the byte's first one on. */
static void count_byte(uint8_t *peers, uint8_t byte, uint32_t pieces)
{
    for (uint32_t bit = 0; byte && bit < 8 && bit < pieces; bit++)
        peers[bit] = (uint8_t)(peers[bit] + (byte >> (7 - bit) & 1));
}

void swarm_availability(const struct swarm *swarm, uint8_t *ret_peers, uint32_t pieces)
{
    uint32_t size = swarm->metainfo->geometry.piece_count, seeds = 0;
    uint32_t count = pieces < size ? pieces : size;
    if (count)
        memset(ret_peers, 0, count);
    /* Fewer than 256 peers, so no entry runs over. */
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->phase != PEER_OPEN || peer->has.count == 0)
            continue;
        if (peer->has.count == size) {
            seeds++;
            continue;
        }
        struct bytes wire = bitfield_wire(&peer->has);
        for (uint32_t at = 0; at < count; at += 8)
            count_byte(ret_peers + at, wire.data[at / 8], count - at);
    }
    for (uint32_t i = 0; i < count && seeds; i++)
        ret_peers[i] = (uint8_t)(ret_peers[i] + seeds);
}

uint32_t swarm_fetches(const struct swarm *swarm, struct piece_fetch *ret_fetches, uint32_t max)
{
    struct address slots[PIECE_PICKER_SLOTS] = {0};
    if (swarm->picker == NULL)
        return 0;
    for (uint32_t i = 0; i < LIMIT_PEERS_PER_TORRENT; i++)
        if (swarm->slots[i])
            slots[i] = swarm->slots[i]->address;
    for (uint32_t i = LIMIT_PEERS_PER_TORRENT; i < PIECE_PICKER_SLOTS; i++)
        slots[i] = web_seed_address(i);
    uint32_t count = piece_picker_fetches(swarm->picker, slots, ret_fetches, max);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < ret_fetches[i].peer_count; k++) {
            struct piece_fetch_peer *peer = &ret_fetches[i].peers[k];
            peer->is_web_seed = web_seed_has_address(&peer->address);
        }
    return count;
}

void swarm_pipeline(const struct swarm *swarm, struct torrent_pipeline *ret_pipeline)
{
    struct storage_pipeline pieces;
    struct piece_picker_counts open = {0};
    storage_pipeline(swarm->storage, &pieces);
    if (swarm->picker)
        piece_picker_count(swarm->picker, &open);
    *ret_pipeline = (struct torrent_pipeline){
        .fetching = open.open - open.in_memory,
        .hashing = pieces.hashing,
        .waiting = pieces.waiting,
        .writing = pieces.writing,
        .verified = storage_verified(swarm->storage)->count,
        .durable = storage_durable(swarm->storage)->count,
        .total = storage_verified(swarm->storage)->size,
        .checking = pieces.checking,
        .checked_bytes = swarm->phase == PHASE_CHECKING ? swarm->checked_bytes : 0,
    };
}

/* Whole copies: of the rarest piece, and the share of pieces of which there is one more. */
static uint32_t copies_permille(const uint8_t *peers, uint32_t pieces)
{
    uint32_t rarest = UINT8_MAX, commoner = 0;
    for (uint32_t i = 0; i < pieces; i++)
        rarest = peers[i] < rarest ? peers[i] : rarest;
    for (uint32_t i = 0; i < pieces; i++)
        commoner += peers[i] > rarest;
    return rarest * 1000 + (uint32_t)((uint64_t)commoner * 1000 / pieces);
}

void swarm_reach(const struct swarm *swarm, struct torrent_reach *ret_reach)
{
    const struct geometry *geometry = &swarm->metainfo->geometry;
    const struct bitfield *have = storage_verified(swarm->storage);
    uint8_t *peers = memory_new(geometry->piece_count);
    struct torrent_reach reach = {.has_web_seed =
                                      swarm->web_seeds && web_seed_count(swarm->web_seeds) > 0};
    swarm_availability(swarm, peers, geometry->piece_count);
    reach.copies_permille = copies_permille(peers, geometry->piece_count);
    for (piece_index piece = bitfield_next_clear(have, 0); piece < have->size;
         piece = bitfield_next_clear(have, piece + 1))
        if ((peers[piece] || reach.has_web_seed) && storage_piece_wanted(swarm->storage, piece))
            reach.desired_bytes += geometry_piece_payload(geometry, piece);
    memory_free(peers);
    *ret_reach = reach;
}

uint32_t swarm_web_seeds(const struct swarm *swarm, int64_t now, struct web_seed_status *ret_seeds,
                         uint32_t max)
{
    return swarm->web_seeds ? web_seed_statuses(swarm->web_seeds, now, ret_seeds, max) : 0;
}

bool swarm_is_active(const struct swarm *swarm)
{
    return swarm->phase == PHASE_SEEDING || swarm->phase == PHASE_DOWNLOADING;
}

bool swarm_is_seed(const struct swarm *swarm)
{
    return swarm->phase == PHASE_SEEDING && bitfield_is_full(storage_verified(swarm->storage));
}

bool swarm_has_news(const struct swarm *swarm)
{
    return swarm->just_completed || swarm->phase_told != swarm->phase;
}

bool swarm_is_lonely(const struct swarm *swarm)
{
    return swarm->phase == PHASE_DOWNLOADING &&
           (list_is_empty(&swarm->peers) || rate_meter_rate(&swarm->down, swarm->now) == 0);
}

bool swarm_is_forsaken(const struct swarm *swarm)
{
    return swarm->phase == PHASE_DOWNLOADING && list_is_empty(&swarm->peers) &&
           peer_list_length(swarm->candidates) == 0 &&
           (swarm->web_seeds == NULL || web_seed_count(swarm->web_seeds) == 0);
}

bool swarm_is_resting(const struct swarm *swarm)
{
    return swarm->phase == PHASE_PAUSED || swarm->phase == PHASE_ABSENT;
}

void swarm_take_facts(struct swarm *swarm, struct swarm_facts *ret_facts)
{
    bool seeding = swarm->phase == PHASE_SEEDING;
    const struct bitfield *verified = storage_verified(swarm->storage);
    uint64_t have = wanted_in(swarm, verified);
    *ret_facts = (struct swarm_facts){
        .active = swarm_is_active(swarm),
        .just_completed = swarm->just_completed,
        .partial_seed = seeding && !bitfield_is_full(verified),
        .wants_peers = swarm->phase == PHASE_DOWNLOADING && swarm->peers.length < PEERS_ENOUGH,
        .uploaded = swarm->uploaded,
        .downloaded = swarm->downloaded,
        .left = swarm->wanted_bytes - have,
    };
    swarm->just_completed = false;
    swarm->phase_told = swarm->phase;
}

/* SPDX-License-Identifier: MIT */
/*
 * What we are asked for (BEP 3, 6). A request is judged when it comes and answered when the socket
 * has room: until then a cancel takes it back. Under the fast extension every request gets exactly
 * one answer, the block or a reject.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"

#define RANGES_FIRST 16u

static void reject(struct peer *peer, const struct upload_request *request)
{
    if (!peer->fast)
        return;
    wire_message_put_block(&peer->out, WIRE_REJECT, request->piece, request->begin,
                           request->length);
    swarm_peers_wake(peer);
}

static bool is_allowed_fast(const struct peer *peer, piece_index piece)
{
    for (uint32_t i = 0; i < peer->allowed_out_count; i++)
        if (peer->allowed_out[i] == piece)
            return true;
    return false;
}

static bool is_valid(const struct geometry *geometry, const struct upload_request *request)
{
    /* A v2 piece ends with its file, but peers may ask for the gap behind it: zeros. libtorrent
     * asks for a whole block of a last piece that is shorter. */
    return request->piece < geometry->piece_count && request->length > 0 &&
           request->length <= LIMIT_REQUEST_LENGTH_MAX && request->begin < geometry->piece_length &&
           request->length <= geometry->piece_length - request->begin &&
           (geometry->gaps || request->piece + 1 < geometry->piece_count ||
            request->begin + request->length <= geometry_piece_size(geometry, request->piece));
}

void swarm_uploads_request(struct peer *peer, const struct wire_message *message)
{
    struct swarm *swarm = peer->swarm;
    struct upload_request request = {
        .piece = message->index, .begin = message->begin, .length = message->length};
    const struct geometry *geometry = &swarm->metainfo->geometry;
    if (!is_valid(geometry, &request)) {
        if (++peer->invalid_requests >= LIMIT_INVALID_REQUESTS ||
            request.length > LIMIT_REQUEST_LENGTH_MAX)
            swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        else
            reject(peer, &request);
        return;
    }
    bool free_of_choke = false;
    if (peer->am_choking && is_allowed_fast(peer, request.piece)) {
        /* Three times the set is more than an honest peer needs (reliability: allowed-fast abuse).
         */
        uint32_t blocks = geometry_piece_blocks(geometry, request.piece);
        free_of_choke = peer->allowed_out_served < 3 * blocks * peer->allowed_out_count;
        peer->allowed_out_served += free_of_choke;
    }
    if (!bitfield_has(storage_verified(swarm->storage), request.piece) ||
        (peer->am_choking && !free_of_choke) ||
        (swarm->super_seed && !super_seed_is_shown(swarm->super_seed, peer->slot, request.piece))) {
        /* A peer that we choked just now may not know it yet; one that never stops is dropped. */
        if (swarm->now - peer->choked_ns > 2 * SECOND_NS &&
            ++peer->excess_requests >= LIMIT_INVALID_REQUESTS)
            swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        else
            reject(peer, &request);
        return;
    }
    switch (upload_queue_push(&peer->uploads, &request)) {
    case UPLOAD_QUEUED: swarm_peers_wake(peer); break;
    case UPLOAD_DUPLICATE:
        /* Each costs a walk over the queue, and the peer only 17 bytes. */
        peer->nuisances++;
        break;
    case UPLOAD_FULL:
        peer->nuisances++;
        if (peer->uploads.overflow >= LIMIT_REJECTS_UNTIL_DROP && peer->fast)
            swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        else
            reject(peer, &request);
        break;
    }
}

void swarm_uploads_cancel(struct peer *peer, const struct wire_message *message)
{
    struct upload_request request = {
        .piece = message->index, .begin = message->begin, .length = message->length};
    if (upload_queue_cancel(&peer->uploads, &request))
        reject(peer, &request);
}

void swarm_uploads_choked(struct peer *peer)
{
    struct upload_request request;
    uint32_t kept = peer->fast ? peer->allowed_out_count : 0;
    while (upload_queue_drop(&peer->uploads, peer->allowed_out, kept, &request))
        reject(peer, &request);
}

void swarm_uploads_piece_lost(struct swarm *swarm, piece_index piece)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        struct upload_request request;
        /* Rotates the queue once; what asks for the lost piece is left out. */
        for (uint32_t left = peer->uploads.length; left > 0; left--) {
            upload_queue_next(&peer->uploads, &request);
            if (request.piece == piece)
                reject(peer, &request);
            else
                upload_queue_push(&peer->uploads, &request);
        }
    }
}

/* The next block that limits let pass; false: none now. */
static bool next_block(struct peer *peer, struct upload_request *ret_request)
{
    struct swarm *swarm = peer->swarm;
    if (!upload_queue_peek(&peer->uploads, ret_request))
        return false;
    if (bandwidth_is_limited(&peer->upload_limit) &&
        !bandwidth_take_whole(&peer->upload_limit, swarm->now, ret_request->length)) {
        int64_t due = bandwidth_deadline(&peer->upload_limit, swarm->now);
        if (due <= swarm->now)
            due = swarm->now + MILLISECOND_NS;
        peer->held = true;
        swarm->held_ns = due < swarm->held_ns ? due : swarm->held_ns;
        return false;
    }
    return upload_queue_next(&peer->uploads, ret_request);
}

/* Ranges of the action; valid until the next output. A block may lie in as many files as it has
 * bytes, so the array grows to what is needed. */
static uint32_t block_ranges(struct swarm *swarm, const struct upload_request *request)
{
    uint32_t needed;
    while ((needed = storage_ranges(swarm->storage, request->piece, request->begin, request->length,
                                    swarm->send_ranges, swarm->send_ranges_capacity)) >
           swarm->send_ranges_capacity) {
        uint32_t capacity = needed < RANGES_FIRST ? RANGES_FIRST : needed;
        swarm->send_ranges =
            memory_resize_array(swarm->send_ranges, capacity, sizeof *swarm->send_ranges);
        swarm->send_ranges_capacity = capacity;
    }
    return needed;
}

bool swarm_uploads_output(struct peer *peer, struct action *ret_action)
{
    struct swarm *swarm = peer->swarm;
    if (peer->send_busy || (peer->phase != PEER_OPEN && peer->phase != PEER_GREETING))
        return false;
    struct upload_request request;
    bool payload = peer->phase == PEER_OPEN && !peer->held && next_block(peer, &request);
    uint32_t ranges = 0;
    if (payload) {
        ranges = block_ranges(swarm, &request);
        wire_message_put_block(&peer->out, WIRE_PIECE, request.piece, request.begin,
                               request.length);
    }
    if (!peer_has_bytes(peer))
        return false;
    struct buffer spare = peer->sending;
    peer->sending = peer->out;
    peer->out = spare;
    buffer_clear(&peer->out);
    peer->send_busy = true;
    peer->last_sent_ns = swarm->now;
    peer->sending_header = (uint32_t)peer->sending.length;
    peer->sending_payload = payload ? request.length : 0;
    *ret_action = (struct action){
        .type = ACTION_SEND,
        .conn = peer->conn,
        .bytes = buffer_bytes(&peer->sending),
        .storage = swarm->id,
        .ranges = swarm->send_ranges,
        .range_count = ranges,
    };
    return true;
}

void swarm_uploads_sent(struct peer *peer, uint32_t length, bool done)
{
    struct swarm *swarm = peer->swarm;
    CHECK(peer->send_busy);
    CHECK(length <= peer->sending_header + peer->sending_payload);
    uint32_t header = length < peer->sending_header ? length : peer->sending_header;
    uint32_t payload = length - header;
    peer->sending_header -= header;
    peer->sending_payload -= payload;
    if (payload) {
        peer->uploaded += payload;
        swarm->uploaded += payload;
        rate_meter_add(&peer->up, swarm->now, payload);
        rate_meter_add(&swarm->up, swarm->now, payload);
        peer->last_useful_ns = swarm->now;
    }
    if (done) {
        CHECK(peer->sending_header + peer->sending_payload == 0);
        peer->send_busy = false;
        swarm_peers_wake(peer);
    }
}

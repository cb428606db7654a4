/* SPDX-License-Identifier: MIT */
/*
 * What we ask for, and the payload that arrives (BEP 3, 6). The picker says which blocks, the
 * pipeline how many; the bytes land in the block pool without passing through here, and a piece
 * that is complete in memory goes to storage.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"

#define PICKS_AT_ONCE 64u
/* Refilling for every block would cost a send for every block. */
#define REFILL_MAX 32u

void swarm_requests_update_interest(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    bool interested = swarm->picker != NULL && peer->joined &&
                      piece_picker_is_interesting(swarm->picker, peer->slot, &peer->has);
    if (interested == peer->am_interested)
        return;
    peer->am_interested = interested;
    wire_message_put(&peer->out, interested ? WIRE_INTERESTED : WIRE_NOT_INTERESTED);
    swarm_peers_wake(peer);
}

void swarm_requests_join(struct peer *peer)
{
    if (peer->joined)
        return;
    peer->joined = true;
    if (peer->swarm->picker)
        piece_picker_peer_joined(peer->swarm->picker, peer->slot, &peer->has);
}

/* Keeps the pool's reservation in step with the number of open pieces. */
void swarm_requests_account(struct swarm *swarm)
{
    struct piece_picker_counts counts = {0};
    if (swarm->picker)
        piece_picker_count(swarm->picker, &counts);
    for (; swarm->reserved_pieces < counts.open; swarm->reserved_pieces++)
        block_ledger_reserve(swarm->shared->pool, swarm->reserved_blocks);
    for (; swarm->reserved_pieces > counts.open; swarm->reserved_pieces--)
        block_ledger_release(swarm->shared->pool, swarm->reserved_blocks);
}

/* Gives back the memory of a piece that is half here, and closes it. One that is whole is
 * storage's.
 */
void swarm_requests_drop_half(struct swarm *swarm, piece_index piece)
{
    uint32_t count, here = 0;
    const block_id *memory = piece_picker_memory(swarm->picker, piece, &count);
    for (uint32_t i = 0; memory && i < count; i++)
        here += memory[i] != BLOCK_NONE;
    if (memory == NULL || here == count)
        return;
    for (uint32_t i = 0; i < count; i++)
        if (memory[i] != BLOCK_NONE)
            block_ledger_give(swarm->shared->pool, memory[i]);
    swarm->wasted += (uint64_t)here * LIMIT_BLOCK_SIZE;
    piece_picker_forget(swarm->picker, piece);
}

void swarm_requests_drop_open(struct swarm *swarm)
{
    if (swarm->picker == NULL)
        return;
    for (piece_index piece = 0; piece < swarm->metainfo->geometry.piece_count; piece++)
        swarm_requests_drop_half(swarm, piece);
    swarm_requests_account(swarm);
}

static bool may_request(const struct peer *peer)
{
    const struct swarm *swarm = peer->swarm;
    return peer->phase == PEER_OPEN && swarm->picker != NULL && !swarm->disk_full &&
           swarm->phase == PHASE_DOWNLOADING && peer->joined && peer->am_interested &&
           (!peer->peer_choking || peer->allowed_in_count > 0);
}

/* Has the peer requests on its list that were given up? */
static bool owes_lost(const struct peer *peer)
{
    uint32_t arriving = peer->arrival.counted ? 1 : 0;
    return peer->requests.count + arriving > peer->pipeline.outstanding;
}

static void request(struct peer *peer, const struct block_pick *pick)
{
    struct swarm *swarm = peer->swarm;
    /* A block that it owes us from before is not asked for twice: it would be answered twice or
     * once, as the peer likes, and the list could not tell. */
    struct peer_request *owed =
        owes_lost(peer) ? peer_requests_find_lost(&peer->requests, pick->piece, pick->block) : NULL;
    request_pipeline_on_requested(&peer->pipeline, swarm->now, 1);
    if (owed) {
        owed->lost = false;
        owed->sent_ns = swarm->now;
        return;
    }
    wire_message_put_block(&peer->out, WIRE_REQUEST, pick->piece, pick->begin, pick->length);
    struct peer_request entry = {.piece = pick->piece, .block = pick->block, .sent_ns = swarm->now};
    peer_requests_add(&peer->requests, entry);
}

/* Open pieces that nobody here can finish may hold all the memory. For a peer that would otherwise
 * idle, one of them is given up. */
static bool make_room(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    piece_index victim;
    if (peer->pipeline.outstanding > 0 || peer->peer_choking ||
        !piece_picker_can_open(swarm->picker, &peer->has) ||
        !piece_picker_victim(swarm->picker, &victim))
        return false;
    swarm_requests_drop_half(swarm, victim);
    swarm_requests_account(swarm);
    return true;
}

void swarm_requests_fill(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (!may_request(peer))
        return;
    uint32_t room = request_pipeline_room(&peer->pipeline);
    uint32_t worth = peer->pipeline.target / 4;
    worth = worth > REFILL_MAX ? REFILL_MAX : worth;
    if (room == 0 || room < worth)
        return;
    struct pick_options options = {
        .now = swarm->now,
        .has = &peer->has,
        .only = peer->allowed_in,
        .only_count = peer->allowed_in_count,
        .only_these = peer->peer_choking,
        .suggested = peer->suggested,
        .suggested_count = peer->suggested_count,
        .whole_pieces = request_pipeline_is_fast(&peer->pipeline, swarm->now,
                                                 swarm->metainfo->geometry.piece_length),
        .slow_before_ns = request_pipeline_slow_before_ns(&peer->pipeline, swarm->now),
    };
    while (room > 0) {
        struct block_pick picks[PICKS_AT_ONCE];
        uint32_t ask = room < PICKS_AT_ONCE ? room : PICKS_AT_ONCE;
        options.open_new = block_ledger_has_room(swarm->shared->pool, swarm->reserved_blocks);
        uint32_t count = piece_picker_pick(swarm->picker, peer->slot, &options, picks, ask);
        for (uint32_t i = 0; i < count; i++)
            request(peer, &picks[i]);
        swarm_requests_account(swarm);
        if (count == 0 && !options.open_new && make_room(peer))
            continue;
        if (count == 0)
            break;
        room -= count;
        if (count < ask)
            break;
    }
    if (peer_has_bytes(peer))
        swarm_peers_wake(peer);
}

void swarm_requests_fill_all(struct swarm *swarm)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node))
        swarm_requests_fill(LIST_ELEMENT(node, struct peer, in_swarm));
}

/* Requests that the picker counted on are given up; returns how many those were. They stay on the
 * list as lost: the peer still owes an answer, or has sent one that is on its way. */
static uint32_t lose_requests(struct peer *peer)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < peer->requests.count; i++) {
        struct peer_request *entry = peer_requests_at(&peer->requests, i);
        count += !entry->lost;
        entry->lost = true;
    }
    if (peer->swarm->picker && count)
        piece_picker_abort_all(peer->swarm->picker, peer->slot);
    return count;
}

/* BEP 3: a choke drops what was asked before it; what was on its way then has come by now. */
void swarm_requests_unchoked(struct peer *peer)
{
    if (!peer->fast)
        peer_requests_clear(&peer->requests);
    swarm_requests_fill(peer);
}

void swarm_requests_abort_all(struct peer *peer)
{
    uint32_t count = lose_requests(peer);
    if (peer->arrival.target != BLOCK_NONE && peer->arrival.counted) {
        /* Its block is half here: what is left of it still counts when it comes. */
        peer->arrival.counted = false;
        count++;
    }
    request_pipeline_on_gone(&peer->pipeline, peer->swarm->now, count);
    swarm_requests_account(peer->swarm);
}

void swarm_requests_rejected(struct peer *peer, const struct wire_message *message)
{
    struct swarm *swarm = peer->swarm;
    struct peer_request entry;
    if (!peer_requests_take(&peer->requests, message->index, message->begin / LIMIT_BLOCK_SIZE,
                            &entry)) {
        /* BEP 6: a reject of what was never asked is a broken peer. */
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    if (entry.lost)
        return;
    if (swarm->picker)
        piece_picker_abort(swarm->picker, peer->slot, entry.piece, entry.block);
    request_pipeline_on_gone(&peer->pipeline, swarm->now, 1);
    /* Else a peer that refuses everything would be asked again for ever. */
    if (!peer->peer_choking && ++peer->rejects_in_a_row > LIMIT_REJECTS_IN_A_ROW) {
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    /* A piece that it lists as allowed fast and then refuses is not asked again. */
    for (uint32_t i = 0; peer->peer_choking && i < peer->allowed_in_count; i++)
        if (peer->allowed_in[i] == entry.piece)
            peer->allowed_in[i--] = peer->allowed_in[--peer->allowed_in_count];
    swarm_requests_account(swarm);
    swarm_requests_fill_all(swarm);
}

static bool is_block(const struct geometry *geometry, const struct wire_message *message)
{
    uint32_t block = message->begin / LIMIT_BLOCK_SIZE;
    return message->begin % LIMIT_BLOCK_SIZE == 0 && message->index < geometry->piece_count &&
           block < geometry_piece_blocks(geometry, message->index) &&
           message->length == geometry_block_length(geometry, message->index, block);
}

void swarm_requests_piece_head(struct peer *peer, const struct wire_message *message)
{
    struct swarm *swarm = peer->swarm;
    uint32_t block = message->begin / LIMIT_BLOCK_SIZE;
    struct peer_arrival *arrival = &peer->arrival;
    CHECK(arrival->target == BLOCK_NONE);
    *arrival = (struct peer_arrival){.piece = message->index,
                                     .block = block,
                                     .length = message->length,
                                     .target = BLOCK_NONE,
                                     .requested_ns = swarm->now};
    bool valid = is_block(&swarm->metainfo->geometry, message);
    struct peer_request entry;
    if (valid && peer_requests_take(&peer->requests, message->index, block, &entry)) {
        arrival->asked = true;
        arrival->counted = !entry.lost;
        arrival->requested_ns = entry.sent_ns;
    } else if (!valid || peer->fast) {
        /* Under the fast extension every answer has its question. Without it, an answer may cross
         * our cancel or the choke that dropped its question. */
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
        return;
    }
    /* Nobody opens a piece by sending what was not asked for. */
    bool welcome = swarm->picker && piece_picker_needs(swarm->picker, message->index, block) &&
                   (arrival->asked || piece_picker_is_open(swarm->picker, message->index));
    if (welcome)
        arrival->target = block_ledger_take(swarm->shared->pool);
}

void swarm_requests_drop_arrival(struct peer *peer)
{
    struct peer_arrival *arrival = &peer->arrival;
    if (arrival->received < arrival->length)
        peer->swarm->wasted += arrival->received;
    if (arrival->target != BLOCK_NONE)
        block_ledger_give(peer->swarm->shared->pool, arrival->target);
    arrival->target = BLOCK_NONE;
}

/* End game: the others that were asked for the block need not send it. */
static void cancel_at(struct swarm *swarm, uint32_t slot, piece_index piece, uint32_t block)
{
    struct peer *peer = slot < LIMIT_PEERS_PER_TORRENT ? swarm->slots[slot] : NULL;
    struct peer_request entry;
    if (peer == NULL || !peer_requests_take(&peer->requests, piece, block, &entry))
        return;
    const struct geometry *geometry = &swarm->metainfo->geometry;
    wire_message_put_block(&peer->out, WIRE_CANCEL, piece, block * LIMIT_BLOCK_SIZE,
                           geometry_block_length(geometry, piece, block));
    if (!entry.lost)
        request_pipeline_on_gone(&peer->pipeline, swarm->now, 1);
    if (peer->fast) {
        entry.lost = true;
        peer_requests_add(&peer->requests, entry);
    }
    swarm_peers_wake(peer);
}

static void hand_over(struct swarm *swarm, piece_index piece)
{
    uint32_t count;
    const block_id *memory = piece_picker_memory(swarm->picker, piece, &count);
    CHECK(memory != NULL);
    storage_put_piece(swarm->storage, swarm->now, piece, memory,
                      blame_wants_leaves(swarm->blame, piece));
}

bool swarm_requests_block(struct swarm *swarm, uint32_t slot, const struct address *sender,
                          piece_index piece, uint32_t block, uint32_t length, block_id memory)
{
    struct block_receipt receipt = {0};
    if (memory != BLOCK_NONE && swarm->picker)
        piece_picker_received(swarm->picker, slot, piece, block, sender, memory, &receipt);
    if (!receipt.accepted) {
        swarm->wasted += length;
        if (memory != BLOCK_NONE)
            block_ledger_give(swarm->shared->pool, memory);
    }
    for (uint32_t i = 0; i < receipt.cancel_count; i++)
        cancel_at(swarm, receipt.cancels[i], piece, block);
    if (receipt.piece_complete)
        hand_over(swarm, piece);
    swarm_requests_account(swarm);
    return receipt.accepted;
}

static void block_arrived(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    struct peer_arrival arrival = peer->arrival;
    peer->arrival.target = BLOCK_NONE;
    request_pipeline_on_block(&peer->pipeline, swarm->now, arrival.length, arrival.requested_ns,
                              arrival.counted);
    peer->last_useful_ns = swarm->now;
    peer->rejects_in_a_row = 0;
    if (!swarm_requests_block(swarm, peer->slot, &peer->address, arrival.piece, arrival.block,
                              arrival.length, arrival.target) &&
        swarm->picker && arrival.asked)
        piece_picker_abort(swarm->picker, peer->slot, arrival.piece, arrival.block);
    swarm_requests_fill(peer);
}

void swarm_requests_payload(struct peer *peer, uint32_t length)
{
    struct swarm *swarm = peer->swarm;
    CHECK(length <= wire_stream_payload_left(&peer->stream));
    wire_stream_payload(&peer->stream, length);
    peer->arrival.received += length;
    peer->last_received_ns = swarm->now;
    peer->downloaded += length;
    swarm->downloaded += length;
    rate_meter_add(&swarm->down, swarm->now, length);
    request_pipeline_on_progress(&peer->pipeline, swarm->now);
    if (bandwidth_is_limited(&peer->download_limit)) {
        bandwidth_charge(&peer->download_limit, swarm->now, length);
        if (!bandwidth_may(&peer->download_limit, swarm->now)) {
            peer->want_pause = true;
            int64_t due = bandwidth_deadline(&peer->download_limit, swarm->now);
            swarm->held_ns = due < swarm->held_ns ? due : swarm->held_ns;
            swarm_peers_wake(peer);
        }
    }
    if (wire_stream_payload_left(&peer->stream) == 0)
        block_arrived(peer);
}

void swarm_requests_tick(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (peer->want_pause) {
        /* It is our own limit that keeps its blocks from coming. */
        peer->last_received_ns = swarm->now;
        request_pipeline_on_held(&peer->pipeline, swarm->now);
    }
    if (request_pipeline_deadline(&peer->pipeline) > swarm->now)
        return;
    uint32_t count = lose_requests(peer);
    if (peer->arrival.target != BLOCK_NONE && peer->arrival.counted) {
        peer->arrival.counted = false;
        count++;
    }
    request_pipeline_on_timeout(&peer->pipeline, swarm->now, count);
    swarm_requests_account(swarm);
    swarm_requests_fill_all(swarm);
}

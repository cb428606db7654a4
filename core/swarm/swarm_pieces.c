/* SPDX-License-Identifier: MIT */
/*
 * What storage says of pieces, and what follows for peers: HAVE, interest, becoming a seed, and who
 * is to blame for bytes that did not match.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/memory.h"

#include <string.h>

static uint64_t wanted_payload(const struct swarm *swarm)
{
    const struct geometry *geometry = &swarm->metainfo->geometry;
    uint64_t bytes = 0;
    for (piece_index piece = 0; piece < geometry->piece_count; piece++)
        if (storage_piece_wanted(swarm->storage, piece))
            bytes += geometry_piece_payload(geometry, piece);
    return bytes;
}

bool swarm_wants_pieces(const struct swarm *swarm)
{
    const struct bitfield *have = storage_verified(swarm->storage);
    if (swarm->read_only)
        return false;
    /* The picker knows at once, but for pieces of padding alone; asked for each piece that comes.
     */
    struct piece_picker_counts counts = {0};
    if (swarm->picker)
        piece_picker_count(swarm->picker, &counts);
    if (counts.wanted > 0)
        return true;
    for (piece_index piece = bitfield_next_clear(have, 0); piece < have->size;
         piece = bitfield_next_clear(have, piece + 1))
        if (storage_piece_wanted(swarm->storage, piece))
            return true;
    return false;
}

static struct piece_picker *new_picker(struct swarm *swarm)
{
    const struct geometry *geometry = &swarm->metainfo->geometry;
    uint8_t *priorities = memory_new(geometry->piece_count);
    for (piece_index piece = 0; piece < geometry->piece_count; piece++)
        priorities[piece] = swarm_windows_priority(swarm, piece);
    struct piece_picker_options options = {
        .geometry = geometry,
        .seed = rng_u64(&swarm->shared->rng),
        .have = storage_verified(swarm->storage),
        .priorities = priorities,
        .sequential = swarm->sequential,
    };
    struct piece_picker *picker = piece_picker_new(&options);
    memory_free(priorities);
    return picker;
}

static void drop_picker(struct swarm *swarm)
{
    swarm_web_stop(swarm);
    swarm_requests_drop_open(swarm);
    piece_picker_free(swarm->picker);
    swarm->picker = NULL;
    swarm_requests_account(swarm);
}

/* Pieces of padding alone have nothing to fetch; storage checks them as they are. */
static void put_empty_pieces(struct swarm *swarm)
{
    const struct geometry *geometry = &swarm->metainfo->geometry;
    const struct bitfield *have = storage_verified(swarm->storage);
    for (piece_index piece = bitfield_next_clear(have, 0); piece < have->size;
         piece = bitfield_next_clear(have, piece + 1))
        if (geometry_piece_blocks(geometry, piece) == 0)
            storage_put_piece(swarm->storage, swarm->now, piece, NULL, false);
}

static void begin_download(struct swarm *swarm)
{
    swarm->phase = PHASE_DOWNLOADING;
    swarm->seeding_since_ns = HEAP_NEVER;
    peer_list_set_seeding(swarm->candidates, false);
    put_empty_pieces(swarm);
    if (swarm->picker)
        return;
    swarm->picker = new_picker(swarm);
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->joined)
            piece_picker_peer_joined(swarm->picker, peer->slot, &peer->has);
    }
}

static void update_all_interest(struct swarm *swarm)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->phase == PEER_OPEN)
            swarm_requests_update_interest(peer);
    }
}

static void tell_upload_only(struct peer *peer)
{
    uint8_t id = peer->extension_ids[WIRE_EXTENSION_UPLOAD_ONLY];
    if (id == 0)
        return;
    wire_extension_put_upload_only(&peer->out, id, true);
    swarm_peers_wake(peer);
}

static void begin_seeding(struct swarm *swarm)
{
    swarm->phase = PHASE_SEEDING;
    swarm->seeding_since_ns = swarm->now;
    peer_list_set_seeding(swarm->candidates, bitfield_is_full(storage_verified(swarm->storage)));
    drop_picker(swarm);
    update_all_interest(swarm);
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct peer *peer = swarm->slots[slot];
        if (peer == NULL || peer->phase != PEER_OPEN)
            continue;
        if (peer->joined && peer_is_seed(peer) && !swarm->super_seed)
            swarm_peers_close(peer, FRESHET_ERROR_CANCELLED, false);
        else
            tell_upload_only(peer);
    }
}

static void fail(struct swarm *swarm, enum freshet_error error, uint32_t file)
{
    swarm->phase = PHASE_ERROR;
    swarm->error = error;
    swarm_peers_close_all(swarm, FRESHET_ERROR_CANCELLED);
    swarm_web_stop(swarm);
    swarm_tell(swarm, (struct notice){.type = NOTICE_ERROR, .error = error, .file = file});
}

void swarm_pieces_start(struct swarm *swarm)
{
    if (swarm->paused) {
        swarm->phase = PHASE_PAUSED;
        return;
    }
    bool wants = swarm_wants_pieces(swarm);
    if (wants && !block_ledger_fits(swarm->shared->pool, swarm->reserved_blocks)) {
        /* It would be fetched for ever and never be whole. */
        fail(swarm, FRESHET_ERROR_LIMIT, UINT32_MAX);
        return;
    }
    if (wants) {
        /* Only who has all can hide it and show it piece by piece. No peer is connected yet. */
        if (list_is_empty(&swarm->peers)) {
            super_seed_free(swarm->super_seed);
            swarm->super_seed = NULL;
        }
        begin_download(swarm);
    } else
        begin_seeding(swarm);
    swarm_web_start(swarm);
    if (swarm->tick_ns == HEAP_NEVER)
        swarm->tick_ns = swarm->now;
}

static void announce_have(struct swarm *swarm, piece_index piece)
{
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if (peer->phase != PEER_OPEN)
            continue;
        if (!bitfield_has(&peer->has, piece) && !swarm->super_seed) {
            wire_message_put_index(&peer->out, WIRE_HAVE, piece);
            swarm_peers_wake(peer);
        }
        if (peer->am_interested)
            swarm_requests_update_interest(peer);
    }
}

/* Who sent each block of an open piece; returns NULL when the piece is not open. */
static struct address *senders_of(struct swarm *swarm, piece_index piece, uint32_t *ret_count)
{
    if (swarm->picker == NULL || piece_picker_memory(swarm->picker, piece, ret_count) == NULL)
        return NULL;
    struct address *senders = memory_new_array(*ret_count, sizeof *senders);
    for (uint32_t i = 0; i < *ret_count; i++) {
        const struct address *sender = piece_picker_sender(swarm->picker, piece, i);
        if (sender)
            senders[i] = *sender;
    }
    return senders;
}

void swarm_pieces_judge_bans(struct swarm *swarm)
{
    struct address banned;
    while (blame_next_ban(swarm->blame, &banned)) {
        if (swarm->web_seeds && web_seed_on_banned(swarm->web_seeds, &banned)) {
            swarm_web_tell(swarm);
            continue;
        }
        peer_list_ban(swarm->candidates, &banned);
        swarm_tell(swarm, (struct notice){.type = NOTICE_PEER_BANNED, .address = banned});
        for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++)
            if (swarm->slots[slot] && address_same_ip(&swarm->slots[slot]->address, &banned))
                swarm_peers_close(swarm->slots[slot], FRESHET_ERROR_HASH, false);
    }
}

/* After a recheck a verdict may be of bytes that were handed over before it; what has come of the
 * piece since then is not what it speaks of. */
static void drop_newer_half(struct swarm *swarm, piece_index piece)
{
    if (swarm->picker)
        swarm_requests_drop_half(swarm, piece);
}

static void on_verified(struct swarm *swarm, const struct storage_result *result)
{
    drop_newer_half(swarm, result->piece);
    uint32_t count;
    struct address *senders = senders_of(swarm, result->piece, &count);
    if (senders)
        blame_piece_verified(swarm->blame, result->piece, senders, result->leaves, count);
    memory_free(senders);
    if (swarm->picker)
        piece_picker_piece_verified(swarm->picker, result->piece);
    swarm_requests_account(swarm);
    swarm_pieces_judge_bans(swarm);
    announce_have(swarm, result->piece);
    if (swarm->phase == PHASE_DOWNLOADING && !swarm_wants_pieces(swarm)) {
        swarm->just_completed = bitfield_is_full(storage_verified(swarm->storage));
        begin_seeding(swarm);
    }
}

static void on_failed(struct swarm *swarm, const struct storage_result *result)
{
    drop_newer_half(swarm, result->piece);
    uint32_t count;
    struct address *senders = senders_of(swarm, result->piece, &count);
    uint64_t bytes = geometry_piece_payload(&swarm->metainfo->geometry, result->piece);
    swarm->wasted += bytes;
    swarm->corrupt += bytes;
    swarm_tell(swarm, (struct notice){.type = NOTICE_PIECE_FAILED, .piece = result->piece});
    if (senders)
        blame_piece_failed(swarm->blame, result->piece, senders, result->leaves, count);
    memory_free(senders);
    if (swarm->picker)
        piece_picker_piece_failed(swarm->picker, result->piece);
    swarm_requests_account(swarm);
    swarm_pieces_judge_bans(swarm);
    update_all_interest(swarm);
    swarm_requests_fill_all(swarm);
}

static void on_lost(struct swarm *swarm, piece_index piece)
{
    if (swarm->phase == PHASE_SEEDING && !swarm->read_only &&
        storage_piece_wanted(swarm->storage, piece))
        begin_download(swarm);
    if (swarm->picker)
        piece_picker_piece_lost(swarm->picker, piece);
    swarm_uploads_piece_lost(swarm, piece);
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        uint8_t id = peer->extension_ids[WIRE_EXTENSION_LT_DONTHAVE];
        if (peer->phase != PEER_OPEN || id == 0)
            continue;
        wire_extension_put_donthave(&peer->out, id, piece);
        swarm_peers_wake(peer);
    }
    update_all_interest(swarm);
}

static void on_blocks_free(struct swarm *swarm, const struct storage_result *result)
{
    for (uint32_t i = 0; i < result->block_count; i++)
        if (result->blocks[i] != BLOCK_NONE)
            block_ledger_give(swarm->shared->pool, result->blocks[i]);
    swarm_requests_fill_all(swarm);
}

static void on_ready(struct swarm *swarm)
{
    swarm->wanted_bytes = wanted_payload(swarm);
    if (swarm->phase == PHASE_STOPPING)
        return;
    drop_picker(swarm);
    swarm_pieces_start(swarm);
    if (swarm->phase != PHASE_ERROR)
        swarm_tell(swarm, (struct notice){.type = NOTICE_READY});
}

static void on_disk_full(struct swarm *swarm, bool full)
{
    swarm->disk_full = full;
    swarm_tell(swarm, (struct notice){.type = full ? NOTICE_DISK_FULL : NOTICE_DISK_RESUMED});
    if (!full)
        swarm_requests_fill_all(swarm);
}

static void on_result(struct swarm *swarm, const struct storage_result *result)
{
    switch (result->type) {
    case STORAGE_RESULT_CHECK_PROGRESS:
        if (swarm->phase == PHASE_OPENING || swarm->phase == PHASE_ABSENT) {
            swarm->phase = PHASE_CHECKING;
            swarm_tell(swarm, (struct notice){.type = NOTICE_CHECKING});
        }
        swarm->checked_bytes = result->bytes;
        break;
    case STORAGE_RESULT_READY: on_ready(swarm); break;
    case STORAGE_RESULT_VERIFIED: on_verified(swarm, result); break;
    case STORAGE_RESULT_FAILED_PIECE: on_failed(swarm, result); break;
    case STORAGE_RESULT_BLOCKS_FREE: on_blocks_free(swarm, result); break;
    case STORAGE_RESULT_DURABLE: break;
    case STORAGE_RESULT_COMPLETE:
        swarm_tell(swarm, (struct notice){.type = NOTICE_COMPLETE});
        break;
    case STORAGE_RESULT_FILE_CHANGED:
        swarm_tell(swarm, (struct notice){.type = NOTICE_FILE_CHANGED, .file = result->file});
        break;
    case STORAGE_RESULT_REHASHED:
        swarm_tell(swarm, (struct notice){.type = NOTICE_REHASHED, .count = result->piece_count});
        break;
    case STORAGE_RESULT_LEAVES: swarm_hashes_leaves(swarm, result->piece, result->leaves); break;
    case STORAGE_RESULT_LOST_PIECE: on_lost(swarm, result->piece); break;
    case STORAGE_RESULT_DISK_FULL: on_disk_full(swarm, true); break;
    case STORAGE_RESULT_DISK_RESUMED: on_disk_full(swarm, false); break;
    case STORAGE_RESULT_ABSENT:
        if (swarm->phase != PHASE_STOPPING) {
            swarm->phase = PHASE_ABSENT;
            swarm_peers_close_all(swarm, FRESHET_ERROR_ABSENT);
        }
        swarm_tell(swarm, (struct notice){.type = NOTICE_STORAGE_ABSENT});
        break;
    case STORAGE_RESULT_ERROR: fail(swarm, result->error, result->file); break;
    case STORAGE_RESULT_PERSIST_FAILED:
        swarm_tell(swarm, (struct notice){.type = NOTICE_PERSIST_FAILED, .error = result->error});
        break;
    case STORAGE_RESULT_CLOSED:
        swarm->closed = true;
        swarm_tell(swarm, (struct notice){.type = NOTICE_REMOVED});
        break;
    }
}

void swarm_pieces_drain(struct swarm *swarm)
{
    struct storage_result result;
    while (storage_result(swarm->storage, &result))
        on_result(swarm, &result);
}

/* SPDX-License-Identifier: MIT */
/*
 * Hashes of the merkle tree that peers ask for (BEP 52). What the piece layers tell is answered at
 * once; for layers below them the pieces are hashed again, a bounded number of bytes at a time, and
 * requests wait in order for that.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/swarm/hash_answer.h"

#include <string.h>

#define WAITS_PEER_MAX 8u  /* beyond that a peer's requests are rejected */
#define WAITS_MAX      64u /* of all peers */
#define HASHING_BYTES  (64u * MIB)
/* What a request counts among the nuisances of a peer: more for much. */
#define NUISANCE_HASHES 64u
#define NUISANCE_FILES  8192u
#define NUISANCE_BYTES  (512u * KIB) /* hashed again: a few bytes of request cost us megabytes */

/* A request that needs leaves. */
struct hash_wait {
    struct list_node node;
    struct peer *peer;
    struct wire_hash_range range;
    struct hash_answer_plan plan;
    uint32_t asked, there; /* pieces; asked in order, answers come in any */
    bool has[HASH_ANSWER_PIECES_MAX];
    struct bytes leaves;
    uint8_t memory[];
};

static void reject(struct peer *peer, const struct wire_hash_range *range)
{
    wire_message_put_hashes(&peer->out, WIRE_HASH_REJECT, range, (struct bytes){NULL, 0});
    swarm_peers_wake(peer);
}

static void answer(struct peer *peer, const struct wire_hash_range *range,
                   const struct hash_answer_plan *plan, struct bytes leaves)
{
    struct swarm *swarm = peer->swarm;
    struct buffer hashes = {0};
    hash_answer_make(swarm->metainfo, range, plan, leaves, &swarm->hash_upper, &hashes);
    wire_message_put_hashes(&peer->out, WIRE_HASHES, range, buffer_bytes(&hashes));
    buffer_deinit(&hashes);
    swarm_peers_wake(peer);
}

static uint32_t leaves_of(const struct swarm *swarm, piece_index piece)
{
    return geometry_piece_blocks(&swarm->metainfo->geometry, piece);
}

static void drop(struct swarm *swarm, struct hash_wait *wait)
{
    list_remove(&swarm->hash_waits, &wait->node);
    memory_free(wait);
}

/* Asks storage for leaves in the order of the requests, as much as may be hashed at a time. */
static void begin(struct swarm *swarm)
{
    struct list_node *node = list_first(&swarm->hash_waits);
    while (node) {
        struct hash_wait *wait = LIST_ELEMENT(node, struct hash_wait, node);
        node = list_next(&swarm->hash_waits, node);
        while (wait->asked < wait->plan.count) {
            piece_index piece = wait->plan.first + wait->asked;
            uint32_t size = geometry_piece_size(&swarm->metainfo->geometry, piece);
            if (swarm->hashing_bytes && swarm->hashing_bytes + size > HASHING_BYTES)
                return;
            if (!storage_ask_leaves(swarm->storage, swarm->now, piece)) {
                reject(wait->peer, &wait->range);
                drop(swarm, wait);
                break;
            }
            swarm->hashing_bytes += size;
            wait->asked++;
        }
    }
}

/* Half of what a peer may bother us with may be hashing; then it is told no, and who goes on asking
 * for that is let go. One request is never all of it. */
static bool may_wait(const struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    uint32_t own = 0;
    for (struct list_node *node = list_first(&swarm->hash_waits); node;
         node = list_next(&swarm->hash_waits, node))
        own += LIST_ELEMENT(node, struct hash_wait, node)->peer == peer;
    return own < WAITS_PEER_MAX && swarm->hash_waits.length < WAITS_MAX &&
           peer->nuisances <= LIMIT_NUISANCES / 2;
}

static void wait_for_leaves(struct peer *peer, const struct wire_hash_range *range,
                            const struct hash_answer_plan *plan)
{
    struct swarm *swarm = peer->swarm;
    uint32_t leaves = 0;
    if (!may_wait(peer)) {
        reject(peer, range);
        return;
    }
    for (uint32_t i = 0; i < plan->count; i++)
        leaves += leaves_of(swarm, plan->first + i);
    uint32_t cost = leaves / (NUISANCE_BYTES / LIMIT_BLOCK_SIZE) + 1;
    peer->nuisances += cost < LIMIT_NUISANCES / 4 ? cost : LIMIT_NUISANCES / 4;
    struct hash_wait *wait = memory_new(sizeof *wait + (size_t)leaves * 32);
    wait->peer = peer;
    wait->range = *range;
    wait->plan = *plan;
    wait->leaves = (struct bytes){wait->memory, (size_t)leaves * 32};
    list_append(&swarm->hash_waits, &wait->node);
    begin(swarm);
}

void swarm_hashes_request(struct peer *peer, const struct wire_hash_range *range)
{
    struct swarm *swarm = peer->swarm;
    struct hash_answer_plan plan;
    peer->nuisances +=
        range->length / NUISANCE_HASHES + swarm->metainfo->geometry.file_count / NUISANCE_FILES + 1;
    hash_answer_plan(swarm->metainfo, range, &plan);
    switch (plan.kind) {
    case HASH_ANSWER_NONE: reject(peer, range); break;
    case HASH_ANSWER_LAYERS: answer(peer, range, &plan, (struct bytes){NULL, 0}); break;
    case HASH_ANSWER_LEAVES: wait_for_leaves(peer, range, &plan); break;
    }
}

/* Puts a piece's leaves where the request wants them. */
static void fill(const struct swarm *swarm, struct hash_wait *wait, piece_index piece,
                 const uint8_t *leaves)
{
    uint32_t index = piece - wait->plan.first, before = 0;
    for (uint32_t i = 0; i < index; i++)
        before += leaves_of(swarm, wait->plan.first + i);
    memcpy(wait->memory + (size_t)before * 32, leaves, (size_t)leaves_of(swarm, piece) * 32);
    wait->has[index] = true;
    wait->there++;
}

void swarm_hashes_leaves(struct swarm *swarm, piece_index piece, const uint8_t *leaves)
{
    swarm->hashing_bytes -= geometry_piece_size(&swarm->metainfo->geometry, piece);
    struct list_node *node = list_first(&swarm->hash_waits);
    while (node) {
        struct hash_wait *wait = LIST_ELEMENT(node, struct hash_wait, node);
        node = list_next(&swarm->hash_waits, node);
        if (piece < wait->plan.first || piece - wait->plan.first >= wait->asked ||
            wait->has[piece - wait->plan.first])
            continue;
        if (leaves == NULL) {
            reject(wait->peer, &wait->range);
            drop(swarm, wait);
            continue;
        }
        fill(swarm, wait, piece, leaves);
        if (wait->there < wait->plan.count)
            continue;
        answer(wait->peer, &wait->range, &wait->plan, wait->leaves);
        drop(swarm, wait);
    }
    begin(swarm);
}

void swarm_hashes_peer_left(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    struct list_node *node = list_first(&swarm->hash_waits);
    while (node) {
        struct hash_wait *wait = LIST_ELEMENT(node, struct hash_wait, node);
        node = list_next(&swarm->hash_waits, node);
        if (wait->peer == peer)
            drop(swarm, wait);
    }
}

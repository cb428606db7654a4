/* SPDX-License-Identifier: MIT */
/*
 * Who may ask us for blocks (BEP 3, choking). The policy is choker.c; here the peers are described
 * to it and its decisions become messages.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/memory.h"

static void set_choking(struct peer *peer, bool choking)
{
    if (peer->am_choking == choking)
        return;
    peer->am_choking = choking;
    peer->choked_ns = peer->swarm->now;
    wire_message_put(&peer->out, choking ? WIRE_CHOKE : WIRE_UNCHOKE);
    if (choking)
        swarm_uploads_choked(peer);
    swarm_peers_wake(peer);
}

static bool may_unchoke(const struct swarm *swarm)
{
    return !swarm->shared->settings.no_upload &&
           (swarm->phase == PHASE_DOWNLOADING || swarm->phase == PHASE_SEEDING);
}

static uint32_t describe(struct swarm *swarm, struct choker_peer *ret_peers)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct peer *peer = swarm->slots[slot];
        if (peer == NULL || peer->phase != PEER_OPEN)
            continue;
        ret_peers[count++] = (struct choker_peer){
            .slot = slot,
            .interested = peer->peer_interested,
            .unchoked = !peer->am_choking,
            .snubbed = request_pipeline_is_snubbed(&peer->pipeline, swarm->now),
            .is_seed = peer_is_seed(peer),
            .connected_ns = peer->connected_ns,
            .choked_ns = peer->choked_ns,
            .rate_from = rate_meter_rate(&peer->pipeline.rate, swarm->now),
            .rate_to = rate_meter_rate(&peer->up, swarm->now),
        };
    }
    return count;
}

static struct choker_situation situation(const struct swarm *swarm)
{
    uint64_t own = swarm->upload_limit.rate, all = swarm->shared->upload_limit.rate;
    return (struct choker_situation){
        .now = swarm->now,
        .seeding = swarm->phase == PHASE_SEEDING,
        .upload_rate = rate_meter_rate(&swarm->up, swarm->now),
        .upload_limit = own == 0 || (all != 0 && all < own) ? all : own,
    };
}

void swarm_choking_round(struct swarm *swarm)
{
    struct choker_peer peers[LIMIT_PEERS_PER_TORRENT];
    uint32_t unchoke[LIMIT_PEERS_PER_TORRENT];
    bool chosen[LIMIT_PEERS_PER_TORRENT] = {false};
    struct choker_situation now = situation(swarm);
    uint32_t count = describe(swarm, peers);
    uint32_t unchoked = choker_round(&swarm->choker, &now, peers, count, unchoke);
    for (uint32_t i = 0; i < unchoked && may_unchoke(swarm); i++)
        chosen[unchoke[i]] = true;
    for (uint32_t i = 0; i < count; i++) {
        swarm->slots[peers[i].slot]->nuisances = 0;
        set_choking(swarm->slots[peers[i].slot], !chosen[peers[i].slot]);
    }
}

static void apply(struct swarm *swarm, uint32_t slot)
{
    if (!may_unchoke(swarm))
        return;
    struct choker_peer peers[LIMIT_PEERS_PER_TORRENT];
    struct choker_situation now = situation(swarm);
    uint32_t count = describe(swarm, peers);
    struct choker_change change;
    choker_on_interested(&swarm->choker, &now, peers, count, slot, &change);
    if (change.choke != CHOKER_SLOT_NONE && swarm->slots[change.choke])
        set_choking(swarm->slots[change.choke], true);
    if (change.unchoke != CHOKER_SLOT_NONE && swarm->slots[change.unchoke])
        set_choking(swarm->slots[change.unchoke], false);
}

void swarm_choking_interested(struct peer *peer)
{
    apply(peer->swarm, peer->slot);
}

void swarm_choking_slot_free(struct swarm *swarm)
{
    apply(swarm, CHOKER_SLOT_NONE);
}

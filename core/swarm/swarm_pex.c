/* SPDX-License-Identifier: MIT */
/*
 * Peer exchange in the swarm (BEP 11): who is here is told to who wants to know, and what peers
 * tell becomes candidates. What a peer says it dropped is of no consequence: one peer's word takes
 * nobody off our list.
 *
 * A private torrent (BEP 27) stays out: peers hear of no such extension, are told nothing and are
 * not listened to.
 */
#include "core/swarm/swarm_state.h"

#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define RECENT_NS (600 * SECOND_NS) /* who left before is not worth naming */

/* Peers that left, latest first. */
struct swarm_recent {
    struct wire_pex_contact contacts[2 * PEX_RECENT_MAX];
    int64_t left_ns[2 * PEX_RECENT_MAX];
    uint32_t count;
};

struct crowd {
    struct wire_pex_contact live[LIMIT_PEERS_PER_TORRENT];
    struct wire_pex_contact recent[2 * PEX_RECENT_MAX];
    struct pex_view view;
};

bool swarm_pex_is_on(const struct swarm *swarm)
{
    return !swarm->metainfo->is_private && !swarm->shared->settings.no_pex;
}

/* It can be asked for through us. */
static bool knows_holepunch(const struct peer *peer)
{
    return swarm_holepunch_is_on(peer->swarm) &&
           peer->extension_ids[WIRE_EXTENSION_UT_HOLEPUNCH] != 0;
}

static struct wire_pex_contact contact_of(const struct peer *peer)
{
    bool is_seed = peer_is_seed(peer) || peer->upload_only;
    return (struct wire_pex_contact){
        .address = *peer_listens(peer),
        .flags = (uint8_t)((is_seed ? WIRE_PEX_SEED : 0) |
                           (peer->mse == PEER_MSE_RC4 ? WIRE_PEX_ENCRYPTION : 0) |
                           (peer_is_over_utp(peer) ? WIRE_PEX_UTP : 0) |
                           (knows_holepunch(peer) ? WIRE_PEX_HOLEPUNCH : 0) |
                           (peer->inbound ? 0 : WIRE_PEX_REACHABLE)),
    };
}

/* ---- who left ---- */

void swarm_pex_left(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (!swarm_pex_is_on(swarm) || peer_listens(peer)->family == ADDRESS_NONE)
        return;
    if (swarm->recent == NULL)
        swarm->recent = memory_new(sizeof *swarm->recent);
    struct swarm_recent *recent = swarm->recent;
    uint32_t place = 0;
    while (place < recent->count &&
           !address_equal(&recent->contacts[place].address, peer_listens(peer)))
        place++;
    if (place == recent->count && recent->count < 2 * PEX_RECENT_MAX)
        recent->count++;
    if (place == recent->count)
        place--;
    memmove(recent->contacts + 1, recent->contacts, place * sizeof *recent->contacts);
    memmove(recent->left_ns + 1, recent->left_ns, place * sizeof *recent->left_ns);
    recent->contacts[0] = contact_of(peer);
    recent->left_ns[0] = swarm->now;
}

static uint32_t copy_recent(const struct swarm *swarm, struct wire_pex_contact *ret_contacts)
{
    uint32_t count = 0;
    for (uint32_t i = 0; swarm->recent && i < swarm->recent->count; i++) {
        const struct wire_pex_contact *contact = &swarm->recent->contacts[i];
        if (swarm->now - swarm->recent->left_ns[i] < RECENT_NS &&
            !peer_list_is_banned(swarm->candidates, &contact->address))
            ret_contacts[count++] = *contact;
    }
    return count;
}

/* ---- telling ---- */

static int compare_contacts(const void *left, const void *right)
{
    const struct wire_pex_contact *a = left, *b = right;
    int order = address_compare(&a->address, &b->address);
    return order ? order : a->flags - b->flags;
}

/* Who is here and can be reached. Two that claim to listen at one place are told of once. */
static void look_around(const struct swarm *swarm, struct crowd *crowd)
{
    uint32_t count = 0, kept = 0;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        const struct peer *peer = swarm->slots[slot];
        if (peer && peer->phase == PEER_OPEN && peer_listens(peer)->family != ADDRESS_NONE)
            crowd->live[count++] = contact_of(peer);
    }
    qsort(crowd->live, count, sizeof crowd->live[0], compare_contacts);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || !address_equal(&crowd->live[kept - 1].address, &crowd->live[i].address))
            crowd->live[kept++] = crowd->live[i];
    crowd->view = (struct pex_view){
        .live = crowd->live,
        .live_count = kept,
        .recent = crowd->recent,
        .recent_count = copy_recent(swarm, crowd->recent),
    };
}

static bool is_due(const struct peer *peer)
{
    return peer->phase == PEER_OPEN && peer->extension_ids[WIRE_EXTENSION_UT_PEX] != 0 &&
           pex_is_due(&peer->pex, peer->swarm->now);
}

static void tell(struct peer *peer, struct crowd *crowd)
{
    struct wire_pex message;
    struct pex_view *view = &crowd->view;
    view->receiver[0] = peer->address;
    view->receiver[1] = *peer_listens(peer);
    view->first = view->live_count ? peer->slot % view->live_count : 0;
    if (!pex_next(&peer->pex, peer->swarm->now, view, &message))
        return;
    wire_pex_put(&peer->out, peer->extension_ids[WIRE_EXTENSION_UT_PEX], &message);
    swarm_peers_wake(peer);
}

void swarm_pex_tick(struct swarm *swarm)
{
    struct crowd crowd;
    bool has_looked = false;
    if (!swarm_pex_is_on(swarm))
        return;
    for (uint32_t slot = 0; slot < LIMIT_PEERS_PER_TORRENT; slot++) {
        struct peer *peer = swarm->slots[slot];
        if (peer == NULL || !is_due(peer))
            continue;
        if (!has_looked)
            look_around(swarm, &crowd);
        has_looked = true;
        tell(peer, &crowd);
    }
}

/* ---- hearing ---- */

static void take(struct peer *peer, const struct wire_pex *message)
{
    struct swarm *swarm = peer->swarm;
    uint32_t kept = 0, max = pex_kept_max(&peer->pex);
    for (uint32_t i = 0; i < message->added_count && kept < max; i++) {
        const struct wire_pex_contact *contact = &message->added[i];
        if (!pex_may_pass(&peer->address, &contact->address))
            continue;
        bool is_new = peer_list_add(swarm->candidates, &contact->address, PEER_SOURCE_PEX);
        if (contact->flags & WIRE_PEX_HOLEPUNCH)
            swarm_holepunch_told(peer, &contact->address);
        if (!is_new)
            continue;
        kept++;
        /* Of those we know from elsewhere we do not take a stranger's word. */
        if (contact->flags & WIRE_PEX_SEED)
            peer_list_mark_seed(swarm->candidates, &contact->address);
    }
}

void swarm_pex_received(struct peer *peer, struct bytes payload)
{
    struct wire_pex message;
    if (!swarm_pex_is_on(peer->swarm))
        return;
    switch (pex_hear(&peer->pex, peer->swarm->now)) {
    case PEX_HEAR: break;
    case PEX_IGNORE: return;
    case PEX_LEAVE: swarm_peers_close(peer, FRESHET_ERROR_LIMIT, false); return;
    }
    if (wire_pex_decode(payload, &message) != FRESHET_OK)
        swarm_peers_close(peer, FRESHET_ERROR_PROTOCOL, false);
    else
        take(peer, &message);
}

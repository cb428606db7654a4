/* SPDX-License-Identifier: MIT */
/*
 * One peer, two addresses: IPv4 and IPv6. Both may be known from trackers and other peers; the peer
 * itself may tell the other one (BEP 10, `ipv4` and `ipv6`).
 *
 *   - Both are candidates, and what answers first has it: who shows the peer id of somebody that is
 *     here already is refused, and his address waits until that one leaves.
 *   - What a peer tells is one address for its own, tried when the connection to it breaks. Those
 *     of a private torrent (BEP 27) come from its tracker alone. We tell none of ours: we know them
 *     from strangers' word, which would send whom we tell to anybody.
 */
#include "core/swarm/swarm_state.h"

void swarm_families_told(struct peer *peer, const struct wire_extension_handshake *handshake)
{
    struct address told = peer->address.family == ADDRESS_IPV4 ? handshake->ipv6 : handshake->ipv4;
    told.port = handshake->port ? handshake->port : peer->inbound ? 0 : peer->address.port;
    if (peer->swarm->metainfo->is_private || peer->elsewhere_waits || told.family == ADDRESS_NONE ||
        !pex_may_pass(&peer->address, &told))
        return;
    peer->elsewhere = told;
}

bool swarm_families_wait(struct peer *peer, struct peer *here)
{
    if (peer->inbound || here->elsewhere_waits || here->address.family == peer->address.family)
        return false;
    here->elsewhere = peer->address;
    here->elsewhere_waits = true;
    return true;
}

void swarm_families_left(struct peer *peer, bool is_broken)
{
    struct swarm *swarm = peer->swarm;
    if (peer->elsewhere_waits && swarm->releasing)
        peer_list_on_released(swarm->candidates, &peer->elsewhere);
    else if (peer->elsewhere_waits)
        peer_list_on_disconnected(swarm->candidates, &peer->elsewhere, swarm->now);
    else if (is_broken && peer->elsewhere.family != ADDRESS_NONE && !swarm->releasing)
        peer_list_add(swarm->candidates, &peer->elsewhere, PEER_SOURCE_PEX);
}

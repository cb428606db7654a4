/* SPDX-License-Identifier: MIT */
/*
 * Holepunch in the swarm (BEP 55). Two peers behind NATs cannot connect: what comes unasked is
 * dropped. If both go out at once, over uTP, each makes the hole for the other; when that is, a
 * peer tells them to which both are connected.
 *
 *   who asks    could not connect to somebody of whom peer exchange said that he knows how, and
 *               asks who said so, several by turns: at most LIMIT_HOLEPUNCH_TRIES times for one
 *               candidate
 *   the relay   passes it on between two of this torrent's peers that both know the extension, and
 *               says to each where it sees the other. Nothing goes to who is not connected, and an
 *               address is nobody's word but the relay's own
 *   who is told goes out at once by uTP alone, as to a candidate from peer exchange; unless it is
 *               here or on its way already, or who says so may not name such an address
 *
 * With one peer at most LIMIT_HOLEPUNCH_PER_MINUTE are asked for either way; what is more is
 * dropped in silence. Nobody is told more than LIMIT_HOLEPUNCH_PER_GROUP times a minute for askers
 * of one group, which their network chooses: one who asks and asks takes little from the others,
 * and all together make less than who is told takes from one relay. So a relay sends at
 * most two small messages for one, and a peer that lies makes us send no more than a few SYNs, as
 * it could by peer exchange: who is named to us so is dialled in the usual way as before.
 *
 * A private torrent (BEP 27) stays out: its peers come from its tracker alone. So does a torrent
 * that is to use TCP alone. Whether peer exchange is on does not matter to the relay and to who is
 * told; who asks has heard of a peer by it.
 */
#include "core/swarm/swarm_state.h"

#include "core/wire/wire_holepunch.h"

#define MINUTE_NS (60 * SECOND_NS)

bool swarm_holepunch_is_on(const struct swarm *swarm)
{
    const struct engine_settings *settings = &swarm->shared->settings;
    return !swarm->metainfo->is_private && settings->has_utp && !settings->no_holepunch &&
           swarm->transport != TRANSPORT_TCP;
}

static bool knows(const struct peer *peer)
{
    return peer->phase == PEER_OPEN && peer->extension_ids[WIRE_EXTENSION_UT_HOLEPUNCH] != 0;
}

/* One more; false: too many in this minute. */
static bool count(struct peer *peer, uint8_t *counter, uint32_t max)
{
    struct holepunch_counts *counts = &peer->holepunch;
    if (peer->swarm->now - counts->since_ns >= MINUTE_NS)
        *counts = (struct holepunch_counts){.since_ns = peer->swarm->now};
    if (*counter >= max)
        return false;
    (*counter)++;
    return true;
}

static void say(struct peer *peer, enum wire_holepunch_type type, const struct address *address,
                enum wire_holepunch_error error)
{
    struct wire_holepunch message = {.type = type, .address = *address, .error = error};
    wire_holepunch_put(&peer->out, peer->extension_ids[WIRE_EXTENSION_UT_HOLEPUNCH], &message);
    swarm_peers_wake(peer);
}

/* Rather who is here than who is on its way. */
static struct peer *find_peer(const struct swarm *swarm, const struct address *address)
{
    struct peer *found = NULL;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        if ((found == NULL || found->phase == PEER_CONNECTING) &&
            (address_equal(&peer->address, address) || address_equal(peer_listens(peer), address)))
            found = peer;
    }
    return found;
}

/* ---- the relay ---- */

/* Where datagrams reach it. Those of uTP come through the hole itself; beside TCP there is only
 * what it says of its port. */
static const struct address *meeting_place(const struct peer *peer)
{
    return peer_is_over_utp(peer) ? &peer->address : peer_listens(peer);
}

static enum wire_holepunch_error judge(const struct peer *asking, const struct address *address,
                                       const struct peer *target)
{
    const struct address *here = meeting_place(asking);
    const struct address *there = target ? meeting_place(target) : NULL;
    if (peer_list_is_self(asking->swarm->candidates, address))
        return WIRE_HOLEPUNCH_NO_SELF;
    if (peer_list_is_nobodys(address) || target == asking || here->family == ADDRESS_NONE)
        return WIRE_HOLEPUNCH_NO_SUCH_PEER;
    if (target == NULL || target->phase != PEER_OPEN)
        return WIRE_HOLEPUNCH_NOT_CONNECTED;
    if (!knows(target))
        return WIRE_HOLEPUNCH_NO_SUPPORT;
#ifndef FRESHET_PLANTED_BUG
    if (there->family == ADDRESS_NONE)
        return WIRE_HOLEPUNCH_NO_SUCH_PEER;
#endif
    /* Nobody hears from us of an address that he is not to believe. */
    if (!pex_may_pass(&asking->address, there) || !pex_may_pass(&target->address, here))
        return WIRE_HOLEPUNCH_NO_SUCH_PEER;
    return WIRE_HOLEPUNCH_NO_ERROR;
}

/* All of a network (address_same_network) are of one group. */
static uint32_t group_of(const struct peer *asking)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < (asking->address.family == ADDRESS_IPV4 ? 3 : 6); i++)
        sum = sum * 31 + asking->address.ip[i];
    return sum % LIMIT_HOLEPUNCH_GROUPS;
}

static void on_rendezvous(struct peer *asking, const struct address *address)
{
    if (!count(asking, &asking->holepunch.asked_of_us, LIMIT_HOLEPUNCH_PER_MINUTE))
        return;
    struct peer *target = find_peer(asking->swarm, address);
    enum wire_holepunch_error error = judge(asking, address, target);
    if (error) {
        say(asking, WIRE_HOLEPUNCH_ERROR, address, error);
        return;
    }
    if (!count(target, &target->holepunch.told_by_us[group_of(asking)], LIMIT_HOLEPUNCH_PER_GROUP))
        return;
    say(target, WIRE_HOLEPUNCH_CONNECT, meeting_place(asking), WIRE_HOLEPUNCH_NO_ERROR);
    say(asking, WIRE_HOLEPUNCH_CONNECT, meeting_place(target), WIRE_HOLEPUNCH_NO_ERROR);
}

/* ---- who asks ---- */

static struct peer *relay_at(const struct swarm *swarm, const struct address *address,
                             uint32_t place)
{
    conn_id teller = peer_list_teller_of(swarm->candidates, address, place);
    struct peer *relay = teller ? map_get(&swarm->shared->conns, &teller) : NULL;
    return relay && relay->swarm == swarm && knows(relay) ? relay : NULL;
}

void swarm_holepunch_told(struct peer *peer, const struct address *address)
{
    struct peer_list *candidates = peer->swarm->candidates;
    if (!swarm_holepunch_is_on(peer->swarm) || !knows(peer))
        return;
    /* The first ones who are still here: a flood of names takes nobody's relay away. */
    for (uint32_t place = 0; place < LIMIT_HOLEPUNCH_TELLERS; place++) {
        const struct peer *relay = relay_at(peer->swarm, address, place);
        if (relay == NULL)
            peer_list_set_teller(candidates, address, place, peer->conn);
        if (relay == NULL || relay == peer)
            return;
    }
}

/* Who is asked, and who the next time. */
static struct peer *choose_relay(struct swarm *swarm, const struct address *address)
{
    struct peer *relay = NULL;
    for (uint32_t i = 0; i < LIMIT_HOLEPUNCH_TELLERS && relay == NULL; i++) {
        relay = relay_at(swarm, address, 0);
        peer_list_turn_tellers(swarm->candidates, address);
    }
    return relay;
}

void swarm_holepunch_unreached(struct peer *peer)
{
    struct swarm *swarm = peer->swarm;
    if (peer->by_utp || !swarm_holepunch_is_on(swarm))
        return;
    struct peer *relay = choose_relay(swarm, &peer->address);
    if (relay == NULL || !count(relay, &relay->holepunch.asked_by_us, LIMIT_HOLEPUNCH_PER_MINUTE) ||
        !peer_list_count_punch(swarm->candidates, &peer->address))
        return;
    say(relay, WIRE_HOLEPUNCH_RENDEZVOUS, &peer->address, WIRE_HOLEPUNCH_NO_ERROR);
}

static void on_error(struct peer *relay, const struct address *address)
{
    struct peer_list *candidates = relay->swarm->candidates;
    for (uint32_t place = 0; place < LIMIT_HOLEPUNCH_TELLERS; place++)
        if (peer_list_teller_of(candidates, address, place) == relay->conn)
            peer_list_set_teller(candidates, address, place, 0);
}

/* ---- who is told ---- */

static bool has_dials_left(const struct swarm *swarm)
{
    uint32_t dials = 0;
    for (struct list_node *node = list_first(&swarm->peers); node;
         node = list_next(&swarm->peers, node)) {
        const struct peer *peer = LIST_ELEMENT(node, struct peer, in_swarm);
        dials += peer->by_utp && peer->phase == PEER_CONNECTING;
    }
    return dials < LIMIT_HOLEPUNCH_DIALS;
}

static void on_connect(struct peer *relay, const struct address *address)
{
    struct swarm *swarm = relay->swarm;
    if (!count(relay, &relay->holepunch.told_to_us, LIMIT_HOLEPUNCH_TOLD_PER_MINUTE) ||
        peer_list_is_nobodys(address) || peer_list_is_self(swarm->candidates, address) ||
        !pex_may_pass(&relay->address, address) || !has_dials_left(swarm))
        return;
    /* A dial that is under way goes by uTP as well, and makes the hole. */
    if (!find_peer(swarm, address))
        swarm_peers_dial_utp(swarm, address);
}

void swarm_holepunch_received(struct peer *peer, struct bytes payload)
{
    struct wire_holepunch message;
    if (!swarm_holepunch_is_on(peer->swarm) || !knows(peer) ||
        wire_holepunch_decode(payload, &message) != FRESHET_OK)
        return;
    switch (message.type) {
    case WIRE_HOLEPUNCH_RENDEZVOUS: on_rendezvous(peer, &message.address); break;
    case WIRE_HOLEPUNCH_CONNECT: on_connect(peer, &message.address); break;
    case WIRE_HOLEPUNCH_ERROR: on_error(peer, &message.address); break;
    }
}

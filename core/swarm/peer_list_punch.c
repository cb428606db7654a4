/* SPDX-License-Identifier: MIT */
/* What holepunch (BEP 55) needs of a peer list. */
#include "core/swarm/peer_list_state.h"

void peer_list_set_teller(struct peer_list *list, const struct address *address, uint32_t place,
                          conn_id teller)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        candidate->tellers[place] = teller;
}

conn_id peer_list_teller_of(const struct peer_list *list, const struct address *address,
                            uint32_t place)
{
    const struct candidate *candidate = peer_list_find(list, address);
    return candidate ? candidate->tellers[place] : 0;
}

void peer_list_turn_tellers(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate)
        return;
    conn_id first = candidate->tellers[0];
    for (uint32_t i = 0; i + 1 < LIMIT_HOLEPUNCH_TELLERS; i++)
        candidate->tellers[i] = candidate->tellers[i + 1];
    candidate->tellers[LIMIT_HOLEPUNCH_TELLERS - 1] = first;
}

bool peer_list_count_punch(struct peer_list *list, const struct address *address)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate || candidate->punches == LIMIT_HOLEPUNCH_TRIES)
        return false;
    candidate->punches++;
    return true;
}

bool peer_list_claim(struct peer_list *list, const struct address *address)
{
    bool is_new = !peer_list_find(list, address);
    if (is_new)
        peer_list_add(list, address, PEER_SOURCE_PEX);
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate && is_new)
        candidate->is_relays = true;
    if (!candidate || candidate->standing != STANDING_IDLE || candidate->is_self ||
        (list->seeding && candidate->is_seed) || peer_list_is_banned(list, address))
        return false;
    candidate->standing = STANDING_CONNECTING;
    list->next_due_ns = INT64_MIN;
    return true;
}

void peer_list_on_claim_failed(struct peer_list *list, const struct address *address, int64_t now)
{
    const struct candidate *candidate = peer_list_find(list, address);
    if (candidate && candidate->is_relays)
        peer_list_on_failed(list, address, now);
    else
        peer_list_on_released(list, address);
}

/* SPDX-License-Identifier: MIT */
/* What holepunch (BEP 55) needs of a peer list. */
#include "core/swarm/peer_list_state.h"

void peer_list_set_teller(struct peer_list *list, const struct address *address, conn_id teller)
{
    struct candidate *candidate = peer_list_find(list, address);
    if (candidate)
        candidate->teller = teller;
}

conn_id peer_list_teller_of(const struct peer_list *list, const struct address *address)
{
    const struct candidate *candidate = peer_list_find(list, address);
    return candidate ? candidate->teller : 0;
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
    if (!peer_list_find(list, address))
        peer_list_add(list, address, PEER_SOURCE_PEX);
    struct candidate *candidate = peer_list_find(list, address);
    if (!candidate || candidate->standing != STANDING_IDLE || candidate->is_self ||
        (list->seeding && candidate->is_seed) || peer_list_is_banned(list, address))
        return false;
    candidate->standing = STANDING_CONNECTING;
    list->next_due_ns = INT64_MIN;
    return true;
}

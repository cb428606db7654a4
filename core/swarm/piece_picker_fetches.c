/* SPDX-License-Identifier: MIT */
/* Open pieces as they are told: who is asked for their blocks, and who sent what is there. */
#include "core/swarm/piece_picker_state.h"

/* NULL: there is no room for one more. */
static struct piece_fetch_peer *peer_of(struct piece_fetch *fetch, const struct address *address)
{
    for (uint32_t i = 0; i < fetch->peer_count; i++)
        if (address_equal(&fetch->peers[i].address, address))
            return &fetch->peers[i];
    if (fetch->peer_count == PIECE_FETCH_PEERS)
        return NULL;
    struct piece_fetch_peer *peer = &fetch->peers[fetch->peer_count++];
    *peer = (struct piece_fetch_peer){.address = *address};
    return peer;
}

static void add_asked(struct piece_fetch *fetch, const struct open_block *block,
                      const struct address *slots)
{
    fetch->asked += block->requesters > 0;
    for (uint32_t i = 0; i < block->requesters; i++) {
        struct piece_fetch_peer *peer = peer_of(fetch, &slots[block->slots[i]]);
        if (peer)
            peer->asked++;
    }
}

static void add_received(struct piece_fetch *fetch, const struct open_piece *open)
{
    for (uint32_t i = 0; i < open->block_count; i++) {
        if (!open->blocks[i].received)
            continue;
        struct piece_fetch_peer *peer = peer_of(fetch, &open->senders[open->blocks[i].sender]);
        if (peer)
            peer->received++;
    }
}

static void describe(const struct open_piece *open, const struct address *slots,
                     struct piece_fetch *ret_fetch)
{
    *ret_fetch = (struct piece_fetch){
        .piece = open->piece,
        .blocks = open->block_count,
        .received = open->received_count,
    };
    for (uint32_t i = 0; i < open->block_count; i++)
        add_asked(ret_fetch, &open->blocks[i], slots);
    add_received(ret_fetch, open);
}

uint32_t piece_picker_fetches(const struct piece_picker *picker, const struct address *slots,
                              struct piece_fetch *ret_fetches, uint32_t max)
{
    const struct list *lists[] = {&picker->partial, &picker->full, &picker->complete};
    uint32_t count = 0;
    for (uint32_t i = 0; i < 3; i++)
        for (struct list_node *node = list_first(lists[i]); node && count < max;
             node = list_next(lists[i], node))
            describe(LIST_ELEMENT(node, struct open_piece, node), slots, &ret_fetches[count++]);
    return count;
}

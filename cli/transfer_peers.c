/* SPDX-License-Identifier: MIT */
#include "cli/transfer_peers.h"

#include <string.h>

#include "core/base/memory.h"

static struct progress_peer *transfer_peers_find(struct transfer_peers *peers,
                                                 const char *info_hash,
                                                 const struct address *address)
{
    for (uint32_t i = 0; i < peers->count; i++)
        if (address_equal(&peers->peers[i].address, address) &&
            strcmp(peers->peers[i].info_hash, info_hash) == 0)
            return &peers->peers[i];
    return NULL;
}

void transfer_peers_add(struct transfer_peers *peers, const char *info_hash,
                        const struct notice *notice)
{
    struct progress_peer *peer = transfer_peers_find(peers, info_hash, &notice->address);

    if (!peer && peers->count == TRANSFER_PEERS_MAX)
        return;
    if (!peer) {
        if (peers->count == peers->capacity) {
            peers->capacity = peers->capacity ? peers->capacity * 2 : 16;
            peers->peers = memory_resize_array(peers->peers, peers->capacity, sizeof *peers->peers);
        }
        peer = &peers->peers[peers->count++];
        *peer = (struct progress_peer){.address = notice->address, .info_hash = info_hash};
    }
    peer->uploaded += notice->uploaded;
    peer->downloaded += notice->downloaded;
}

void transfer_peers_deinit(struct transfer_peers *peers)
{
    memory_free(peers->peers);
    *peers = (struct transfer_peers){0};
}

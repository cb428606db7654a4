/* SPDX-License-Identifier: MIT */
/* Who gave whom how much, over a whole run: the sum of what the engine says as peers leave. */
#ifndef FRESHET_CLI_TRANSFER_PEERS_H
#define FRESHET_CLI_TRANSFER_PEERS_H

#include "cli/progress.h"

/* Peers beyond that are left out. */
#define TRANSFER_PEERS_MAX 4096

struct transfer_peers {
    struct progress_peer *peers; /* in order of first leaving */
    uint32_t count, capacity;
};

/* Takes in a NOTICE_PEER_LEFT. `info_hash` must live as long as the peers. */
void transfer_peers_add(struct transfer_peers *peers, const char *info_hash,
                        const struct notice *notice);
void transfer_peers_deinit(struct transfer_peers *peers);

#endif

/* SPDX-License-Identifier: MIT */
/* The command line of `get` and `seed` as the session and the engine want it. */
#ifndef FRESHET_CLI_TRANSFER_OPTIONS_H
#define FRESHET_CLI_TRANSFER_OPTIONS_H

#include "cli/command.h"
#include "core/metainfo/magnet.h"
#include "host/session_options.h"

#define TRANSFER_PEERS_GIVEN     64
#define TRANSFER_BOOTSTRAP_GIVEN 16

struct transfer_options {
    struct session_options session;
    struct torrent_options torrent; /* root, priorities and peers are filled in for each */
    struct address peers[TRANSFER_PEERS_GIVEN];
    uint32_t peer_count;
    const char *bootstrap[TRANSFER_BOOTSTRAP_GIVEN];
    const char *progress;
    const char *on_done; /* a program with arguments, or NULL */
    int64_t timeout_ns;  /* give up when nothing has come for so long; 0: never */
    bool forget;         /* progress that was recorded */
    bool verbose;        /* a strip of pieces below each bar */
    bool seeds_on;       /* there is a ratio or time goal */
};

/* Only what TRANSFER_NETWORK_OPTIONS has; as below. */
bool transfer_options_read_network(const struct command_call *call,
                                   struct transfer_options *ret_options);
/* false after saying what is wrong. `is_get`: the options that `get` alone has are read too. */
bool transfer_options_read(const struct command_call *call, bool is_get,
                           struct transfer_options *ret_options);

/* The peers that were given, and those that the link (or NULL) names by number; returns how many.
 */
uint32_t
transfer_options_peers(const struct transfer_options *options, const struct magnet *magnet,
                       struct address ret_peers[TRANSFER_PEERS_GIVEN + LIMIT_MAGNET_PEERS]);

#endif

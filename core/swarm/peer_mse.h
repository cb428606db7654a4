/* SPDX-License-Identifier: MIT */
/*
 * Which connections are hidden by message stream encryption (core/wire/mse.h): what a person asks
 * for, and what became of it on one connection. The engine runs the handshake; swarms say whom to
 * greet with it and remember who does not speak it.
 */
#ifndef FRESHET_SWARM_PEER_MSE_H
#define FRESHET_SWARM_PEER_MSE_H

#include <stdbool.h>

/* In every policy but OFF a peer that begins with MSE is answered in kind. */
enum encryption {
    ENCRYPTION_ALLOW,   /* dials in the clear, and with MSE who ends that. Where both will do, hides
                           the handshake alone: that costs nothing afterwards */
    ENCRYPTION_OFF,     /* in the clear only */
    ENCRYPTION_PREFER,  /* dials with MSE, and in the clear who does not take that; RC4 where both
                           will do */
    ENCRYPTION_REQUIRE, /* RC4, or no connection */
};

enum peer_mse {
    PEER_MSE_NONE,  /* BitTorrent from the first byte */
    PEER_MSE_BEGUN, /* we dialled with it, and it is not done */
    PEER_MSE_PLAINTEXT,
    PEER_MSE_RC4,
};

/* Is a peer dialled with MSE? is_turned: the way that the policy begins with did not do. */
static inline bool peer_mse_is_dialled(enum encryption encryption, bool is_turned)
{
    return encryption == ENCRYPTION_REQUIRE ||
           (encryption == ENCRYPTION_PREFER ? !is_turned
                                            : encryption == ENCRYPTION_ALLOW && is_turned);
}

/* One that was dialled is gone before its handshake: is it to be dialled at once the other way than
 * the policy begins? has_ended_it: it ended the connection, and had said nothing. So does one that
 * takes nothing in the clear; others that do (they are full, or have no such torrent) do it again.
 */
static inline bool peer_mse_turns(enum encryption encryption, enum peer_mse mse, bool has_ended_it)
{
    return encryption == ENCRYPTION_PREFER
               ? mse == PEER_MSE_BEGUN
               : encryption == ENCRYPTION_ALLOW && mse == PEER_MSE_NONE && has_ended_it;
}

#endif

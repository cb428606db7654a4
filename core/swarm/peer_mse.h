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
    ENCRYPTION_ALLOW,   /* dials in the clear. Where both will do, hides the handshake alone: that
                           costs nothing afterwards */
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

/* Is a peer dialled with MSE? takes_none: it was, and did not take it. */
static inline bool peer_mse_is_dialled(enum encryption encryption, bool takes_none)
{
    return encryption == ENCRYPTION_REQUIRE || (encryption == ENCRYPTION_PREFER && !takes_none);
}

#endif

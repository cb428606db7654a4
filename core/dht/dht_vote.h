/* SPDX-License-Identifier: MIT */
/*
 * Our address as others see it (BEP 42, `ip` of each reply). One voice a network (IPv4 /16, IPv6
 * /32) a round; who has two thirds of at least eight voices wins; a round ends with a winner or
 * with sixteen voices.
 */
#ifndef FRESHET_DHT_DHT_VOTE_H
#define FRESHET_DHT_DHT_VOTE_H

#include "core/base/address.h"

#define DHT_VOTE_CANDIDATES 4u
#define DHT_VOTE_VOICES     16u

/* Zeroed: no voice yet. */
struct dht_vote {
    struct address candidates[DHT_VOTE_CANDIDATES];
    uint32_t voters[DHT_VOTE_VOICES];
    uint8_t votes[DHT_VOTE_CANDIDATES];
    uint8_t voice_count;
};

/* `voter` says that we are at `said`. true: this decides it; the address has port 0. */
bool dht_vote_cast(struct dht_vote *vote, const struct address *voter, const struct address *said,
                   struct address *ret_address);

#endif

/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_vote.h"

#include <string.h>

#define VOICES_MIN 8u

/* On a LAN there are no networks to tell apart: there each address has a voice. */
static uint32_t network_of(const struct address *address)
{
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){address->ip, 4});
    uint32_t first = cursor_u32(&cursor);
    bool is_whole = address->family == ADDRESS_IPV6 || address_is_private(address) ||
                    address_is_loopback(address);
    return is_whole ? first : first & 0xffff0000u;
}

static bool has_voted(const struct dht_vote *vote, uint32_t network)
{
    for (uint32_t i = 0; i < vote->voice_count; i++)
        if (vote->voters[i] == network)
            return true;
    return false;
}

static int candidate_of(struct dht_vote *vote, const struct address *said)
{
    for (uint32_t i = 0; i < DHT_VOTE_CANDIDATES; i++) {
        if (vote->votes[i] == 0)
            vote->candidates[i] = *said;
        if (address_same_ip(&vote->candidates[i], said))
            return (int)i;
    }
    return -1;
}

bool dht_vote_cast(struct dht_vote *vote, const struct address *voter, const struct address *said,
                   struct address *ret_address)
{
    struct address address = *said;
    address.port = 0;
    if (address.family != voter->family || address_is_multicast(&address) ||
        address_is_unspecified(&address) || has_voted(vote, network_of(voter)))
        return false;
    vote->voters[vote->voice_count++] = network_of(voter);
    int i = candidate_of(vote, &address);
    bool wins =
        i >= 0 && ++vote->votes[i] * 3 >= vote->voice_count * 2 && vote->voice_count >= VOICES_MIN;
    if (wins || vote->voice_count == DHT_VOTE_VOICES)
        memset(vote, 0, sizeof *vote);
    if (wins)
        *ret_address = address;
    return wins;
}

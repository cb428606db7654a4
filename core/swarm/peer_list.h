/* SPDX-License-Identifier: MIT */
/*
 * The peers of one torrent that we have heard of, connected or not, and whom to connect to next.
 *
 *   - Whom: fewer failures first, then the better source (enum order), then who gave us payload
 *     before, then BEP 40 priority when our own address is known, then a seeded hash.
 *   - After PEER_LIST_FAILS_MAX failures in a row an address is not tried again until somebody
 *     names it anew; after a failure or a disconnect it rests PEER_LIST_RETRY_NS (per failure).
 *     A peer that a person named may be about to start, or be hashing still: after a failure it
 *     rests PEER_LIST_RETRY_SOON_NS (per failure), and it is never given up.
 *   - At most LIMIT_PEER_LIST addresses; a source may fill half of it (a person's own peers all),
 *     a /16 (IPv6: /32) an eighth. When full, a failed or worse-sourced one that is not connected
 *     makes room, else the newcomer is refused; when a source's share is full, a failed one of it.
 *   - Whom an IP filter has is remembered, since lists change, but never connected to, and is the
 *     first to make room.
 */
#ifndef FRESHET_SWARM_PEER_LIST_H
#define FRESHET_SWARM_PEER_LIST_H

#include "core/base/address.h"
#include "core/base/limits.h"
#include "core/door/door.h"
#include "core/ip_filter/ip_filter.h"
#include "core/swarm/peer_source.h"

#define PEER_LIST_RETRY_NS      (60 * SECOND_NS)
#define PEER_LIST_RETRY_SOON_NS (3 * SECOND_NS)
#define PEER_LIST_FAILS_MAX     3u

struct peer_list;

struct peer_list *peer_list_new(uint64_t seed);
void peer_list_free(struct peer_list *list);
/* Our address as others see it and our listening port (BEP 24, yourip, EVENT_LISTENING). May be
 * called for several addresses (IPv4, IPv6, loopback): none of them is connected to, and those
 * known are dropped; the last of a family counts for BEP 40. */
void peer_list_set_self(struct peer_list *list, const struct address *self);
/* true: new. false: known already (its source may get better, its failures are forgiven when it is
 * named by a tracker or a person) or refused (port 0, multicast, unspecified, a cloud's metadata
 * service, ourselves, full). Private addresses are taken, since a tracker may be a LAN's; whose
 * word does not suffice for them is judged where it is heard (PEX, DHT). */
bool peer_list_add(struct peer_list *list, const struct address *address, enum peer_source source);
/* The best candidate at rest; false: none is due. It counts as connecting until one of the calls
 * below. */
bool peer_list_next(struct peer_list *list, int64_t now, struct address *ret_address);
/* When peer_list_next may next have one; INT64_MAX: not without news. O(1) mostly. */
int64_t peer_list_deadline(struct peer_list *list, int64_t now);
/* The handshake is done (outgoing or incoming; an unknown address is not added). */
void peer_list_on_connected(struct peer_list *list, const struct address *address);
/* Could not connect. */
void peer_list_on_failed(struct peer_list *list, const struct address *address, int64_t now);
/* It took the connection and ended it before the handshake was done. It lives, and may still be
 * checking its files: it rests PEER_LIST_RETRY_SOON_NS (per failure). */
void peer_list_on_turned_away(struct peer_list *list, const struct address *address, int64_t now);
void peer_list_on_disconnected(struct peer_list *list, const struct address *address, int64_t now);
/* It has given us payload that was of use. */
void peer_list_mark_useful(struct peer_list *list, const struct address *address);
/* peer_mse_turns says so: it is tried again at once the other way, with MSE or in the clear, and
 * stays one to dial so while that works. */
void peer_list_on_mse_turned(struct peer_list *list, const struct address *address);
bool peer_list_is_mse_turned(const struct peer_list *list, const struct address *address);
/* We let go of it, for no fault of its own (a pause): it may be tried again at once. */
void peer_list_on_released(struct peer_list *list, const struct address *address);
/* What kept us from them may have been our own network: whoever is not connected may be tried at
 * once, and its failures are forgotten. */
void peer_list_on_network_changed(struct peer_list *list);
/* Holepunch (BEP 55), peer_list_punch.c. The connections over which they told of it who may bring
 * us together, LIMIT_HOLEPUNCH_TELLERS places, the next to be asked first; 0: nobody. */
void peer_list_set_teller(struct peer_list *list, const struct address *address, uint32_t place,
                          conn_id teller);
conn_id peer_list_teller_of(const struct peer_list *list, const struct address *address,
                            uint32_t place);
/* The next time another is asked. */
void peer_list_turn_tellers(struct peer_list *list, const struct address *address);
/* Once more; false: that was tried LIMIT_HOLEPUNCH_TRIES times, or it does not know it. */
bool peer_list_count_punch(struct peer_list *list, const struct address *address);
/* It is to be connected to now, rested or not, and counts as connecting. Who is not known is added
 * as if by peer exchange. false: it is ourselves, banned, of no use to a seed, here or on its way,
 * or there is no room. */
bool peer_list_claim(struct peer_list *list, const struct address *address);
/* It could not be connected to. Who was known before is worth as much as before. */
void peer_list_on_claim_failed(struct peer_list *list, const struct address *address, int64_t now);
/* What no peer has: not to be dialled, nor passed on. */
bool peer_list_is_nobodys(const struct address *address);
/* One of our own addresses? */
bool peer_list_is_self(const struct peer_list *list, const struct address *address);
/* It turned out to be ourselves (same peer id): never again, though the address may be one that
 * peer_list_set_self was not told. */
void peer_list_on_self(struct peer_list *list, const struct address *address);
/* Every known port of this address: not connected to again. */
void peer_list_ban(struct peer_list *list, const struct address *address);
/* The filter is borrowed until the next one; NULL: none. O(1): candidates are judged when one is
 * next asked for. */
void peer_list_set_filter(struct peer_list *list, const struct ip_filter *filter);
/* Or in the filter. */
bool peer_list_is_banned(const struct peer_list *list, const struct address *address);
/* Seeds are of no use to a seed: with true, known seeds are left out of peer_list_next. */
void peer_list_set_seeding(struct peer_list *list, bool seeding);
void peer_list_mark_seed(struct peer_list *list, const struct address *address);

uint32_t peer_list_length(const struct peer_list *list);
/* How many of its addresses came from the source. O(1). */
uint32_t peer_list_count_from(const struct peer_list *list, enum peer_source source);
/* The source of an address; PEER_SOURCE_INBOUND when it does not know it. */
enum peer_source peer_list_source_of(const struct peer_list *list, const struct address *address);
struct peer_list_entry {
    struct address address;
    enum peer_source source;
};
/* Up to `max` of those that it knows and has not given up, in order of arrival, those first that
 * were once connected. */
uint32_t peer_list_copy(const struct peer_list *list, struct peer_list_entry *ret_entries,
                        uint32_t max);
/* Up to `max` addresses that were once connected, the latest first (for the state file). */
uint32_t peer_list_known_good(const struct peer_list *list, struct address *ret_addresses,
                              uint32_t max);
void peer_list_check(const struct peer_list *list);

#endif

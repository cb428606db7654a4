/* SPDX-License-Identifier: MIT */
/*
 * Local service discovery (BEP 14): tells the LAN which torrents we have, and hears which others
 * have. A machine with the four verbs; its parent is the engine, the host joins the groups and
 * sends the packets.
 *
 * Commandments
 * - A torrent is told every 5 minutes, a new one within a second when the minute's packet is not
 *   spent yet. One packet a minute, IPv4 and IPv6 group alike, with as many torrents as fit: what
 *   would be due before the next packet goes along, and if there are too many each waits its turn.
 * - Only who is near is heard: a packet from a public address did not come from this network. Nor
 *   from an IPv6 link-local one, to which nobody could connect without knowing the interface.
 * - Our own packets are known by their cookie. Who floods (LIMIT_LSD_PACKETS_SOURCE in a minute) is
 *   not heard for the rest of it.
 */
#ifndef FRESHET_LSD_LOCAL_DISCOVERY_H
#define FRESHET_LSD_LOCAL_DISCOVERY_H

#include "core/door/door.h"

struct local_discovery;

/* seed: of the cookie; port: where we listen (0: nothing is told until set_port). */
struct local_discovery *local_discovery_new(uint64_t seed, uint16_t port, int64_t now);
void local_discovery_free(struct local_discovery *discovery);
void local_discovery_set_port(struct local_discovery *discovery, uint16_t port);
/* Nothing changes when it is there already. More than 2 × LIMIT_TORRENTS (a hybrid has two hashes)
 * are not taken. */
void local_discovery_add(struct local_discovery *discovery, int64_t now,
                         const uint8_t info_hash[20]);
void local_discovery_remove(struct local_discovery *discovery, const uint8_t info_hash[20]);

/* A packet came to a group; `remote` is its source. */
void local_discovery_input(struct local_discovery *discovery, int64_t now,
                           const struct address *remote, struct bytes packet);
void local_discovery_tick(struct local_discovery *discovery, int64_t now);
int64_t local_discovery_deadline(const struct local_discovery *discovery);
/* ACTION_SEND_LOCAL: bytes; remote is the group of one family, once for each. */
bool local_discovery_output(struct local_discovery *discovery, struct action *ret_action);
/* A peer of a torrent that was added; false: none. Pull until false: when LIMIT_LSD_RESULTS wait,
 * newer ones are lost. */
bool local_discovery_result(struct local_discovery *discovery, uint8_t ret_info_hash[20],
                            struct address *ret_peer);
void local_discovery_check(const struct local_discovery *discovery);

#endif

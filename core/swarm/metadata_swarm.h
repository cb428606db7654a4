/* SPDX-License-Identifier: MIT */
/*
 * A torrent of which only the hash is known (BEP 9), among its peers: fetches the info dictionary,
 * proves it against the hash, and for v2 and hybrids also the piece layers (BEP 52, hash requests),
 * which the dictionary does not have. Ends with a whole metainfo, from which the engine makes a
 * swarm (swarm.h). No payload passes here and nothing is served. At the end every connection is
 * closed and the swarm begins anew with the same peers, so that nothing which somebody claimed
 * before there was metadata is believed afterwards.
 *
 * Used by the engine alone; a machine with the four verbs, like a swarm.
 *
 * It is cut by concern; all parts work on struct metadata_swarm (metadata_swarm_state.h):
 *   metadata_swarm.c           life, commands, timers, output
 *   metadata_swarm_peers.c     connections come and go
 *   metadata_swarm_messages.c  what is asked and what comes
 *   metadata_assembly.c        the dictionary in blocks; layer_fetch.c the piece layers
 *
 * Commandments
 * - A dictionary's size is believed up to LIMIT_METADATA_SIZE, and memory grows with what came.
 * - Whoever alone gave a dictionary that does not match the hash is banned. Where several gave it,
 *   the next tries take all of it from one peer each, until one matches.
 * - Who was banned is told, and stays banned in the swarm that follows.
 * - Sizes that peers claim may differ: the one that most claim is tried first, and one that came to
 *   nothing only when there is no other.
 * - A hybrid whose peers know no layers waits LAYERS_PATIENCE_NS, then does without (SHA-1 alone
 *   judges). A v2 torrent waits on.
 */
#ifndef FRESHET_SWARM_METADATA_SWARM_H
#define FRESHET_SWARM_METADATA_SWARM_H

#include "core/metainfo/metainfo.h"
#include "core/swarm/peer_list.h"
#include "core/swarm/swarm.h"

#define LAYERS_PATIENCE_NS (10 * SECOND_NS) /* since some came; twice that for the first */

struct metadata_swarm;
struct metadata_peer;

struct metadata_swarm_options {
    const uint8_t *info_hash_v1; /* 20 bytes, NULL: unknown (copied) */
    const uint8_t *info_hash_v2; /* 32 bytes, NULL: unknown (copied) */
    struct metainfo *metainfo;   /* known, but with layers_missing; taken. NULL: not known */
    const struct address *peers; /* to try first, PEER_SOURCE_USER (copied) */
    uint32_t peer_count;
    enum transport transport; /* as in torrent_options */
};

struct metadata_swarm *metadata_swarm_new(struct swarm_shared *shared, torrent_id id,
                                          const struct metadata_swarm_options *options,
                                          int64_t now);
void metadata_swarm_free(struct metadata_swarm *swarm);

/* An inbound connection whose handshake names this torrent; false: not wanted, close it. */
bool metadata_swarm_accept(struct metadata_swarm *swarm, int64_t now, conn_id conn,
                           const struct address *remote, const struct wire_handshake *handshake);
/* As swarm_peer_*. */
bool metadata_swarm_peer_begin_mse(struct metadata_peer *peer, uint8_t ret_skey[20]);
void metadata_swarm_peer_set_mse(struct metadata_peer *peer, enum peer_mse mse);
/* EVENT_CONNECTED, CLOSED, RECEIVED, SENT of a connection found in swarm_shared.metadata_conns. */
void metadata_swarm_peer_input(struct metadata_peer *peer, int64_t now, struct event *event);
void metadata_swarm_tick(struct metadata_swarm *swarm, int64_t now);
int64_t metadata_swarm_deadline(const struct metadata_swarm *swarm);
/* ACTION_CONNECT, SEND (bytes only), CLOSE. */
bool metadata_swarm_output(struct metadata_swarm *swarm, int64_t now, struct action *ret_action);
/* The node by which it waits in swarm_shared.metadata_ready, and its torrent's id. */
struct metadata_swarm *metadata_swarm_of_ready(struct list_node *node);
torrent_id metadata_swarm_id(const struct metadata_swarm *swarm);

/* Our addresses have changed, or we have slept: who is known is tried anew. */
void metadata_swarm_on_network_changed(struct metadata_swarm *swarm, int64_t now);
void metadata_swarm_add_peers(struct metadata_swarm *swarm, int64_t now,
                              const struct address *peers, uint32_t count, enum peer_source source);
/* As swarm_set_ip_filter. */
void metadata_swarm_set_ip_filter(struct metadata_swarm *swarm, int64_t now, int64_t due_ns);
void metadata_swarm_set_self(struct metadata_swarm *swarm, const struct address *self);
/* As swarm_tune. */
void metadata_swarm_set_transport(struct metadata_swarm *swarm, int64_t now,
                                  enum transport transport);
/* Lets all peers go; until metadata_swarm_resume nobody is connected to or accepted. */
void metadata_swarm_pause(struct metadata_swarm *swarm, int64_t now);
void metadata_swarm_resume(struct metadata_swarm *swarm, int64_t now);

/* The whole metainfo, once; NULL: not yet. Closes all connections (pull the output until there is
 * none before freeing). Trackers and web seeds are not in it. */
struct metainfo *metadata_swarm_take(struct metadata_swarm *swarm, int64_t now);
/* Up to `max` peers that it knows, those that were of use first; for the swarm that follows. */
uint32_t metadata_swarm_candidates(const struct metadata_swarm *swarm,
                                   struct peer_list_entry *ret_candidates, uint32_t max);

/* The next address banned since the last call, for telling; false: none. */
bool metadata_swarm_next_ban(struct metadata_swarm *swarm, struct address *ret_address);
/* All that were banned, for the swarm that follows (borrowed; a list that is full takes no more).
 */
const struct address *metadata_swarm_bans(const struct metadata_swarm *swarm, uint32_t *ret_count);

struct metadata_status {
    uint32_t peers;                /* with both handshakes done */
    uint32_t peers_with;           /* of them, those that say they have the dictionary */
    uint32_t known;                /* addresses */
    uint32_t bytes, size;          /* of the dictionary; size 0: not known */
    uint32_t layers, layers_total; /* hashes of piece layers; total 0: none needed or not known */
    uint32_t hash_failures;
    enum transport lacks; /* as in torrent_status */
};
void metadata_swarm_status(const struct metadata_swarm *swarm, struct metadata_status *ret_status);
uint32_t metadata_swarm_peer_statuses(const struct metadata_swarm *swarm,
                                      struct peer_status *ret_peers, uint32_t max);
/* Proven metadata that cannot be used (it does not parse): no try would help, and this is why. OK:
 * no such thing. */
enum freshet_error metadata_swarm_error(const struct metadata_swarm *swarm);
const char *metadata_swarm_reason(const struct metadata_swarm *swarm);
/* Has peers but learns nothing, or has none: ask trackers and the DHT. O(1). */
bool metadata_swarm_is_lonely(const struct metadata_swarm *swarm);
void metadata_swarm_check(const struct metadata_swarm *swarm);

#endif

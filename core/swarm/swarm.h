/* SPDX-License-Identifier: MIT */
/*
 * One torrent's life among its peers: connects them, exchanges pieces with them and feeds storage.
 * A machine with the four verbs; the engine owns many and lends them what they share. Knows peers
 * and pieces, not sockets, not trackers and not other torrents.
 *
 * It is cut by concern; all parts work on struct swarm (swarm_state.h):
 *   swarm.c            life, commands, timers, output
 *   swarm_peers.c      connections come and go; who is connected next
 *   swarm_messages.c   what a peer says
 *   swarm_requests.c   what we ask for, and the payload that arrives
 *   swarm_web.c        what web servers send
 *   swarm_windows.c    what is read while it comes
 *   swarm_uploads.c    what we are asked for
 *   swarm_metadata.c   the info dictionary for who knows the hash only
 *   swarm_hashes.c     hashes of the merkle tree for who asks
 *   swarm_choking.c    who may ask
 *   swarm_pieces.c     what storage says of pieces, and blame
 *   swarm_pex.c        peers that peers know
 *   swarm_holepunch.c  peers that bring others together
 *   swarm_families.c   one peer by IPv4 and by IPv6
 *   swarm_facts.c      questions: status, peers
 */
#ifndef FRESHET_SWARM_SWARM_H
#define FRESHET_SWARM_SWARM_H

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/base/rng.h"
#include "core/metainfo/metainfo.h"
#include "core/swarm/bandwidth.h"
#include "core/swarm/block_ledger.h"
#include "core/swarm/peer_list.h"
#include "core/swarm/torrent.h"
#include "core/wire/wire_handshake.h"

struct swarm;
struct peer;

#define SWARM_DHT_CONTACTS 16u /* told by peers and not yet taken; more are dropped */

/* What the engine lends to all of its swarms. */
struct swarm_shared {
    struct engine_settings settings;
    struct rng rng;
    job_id job_next;
    conn_id conn_next;
    struct block_ledger *pool;
    struct map conns;           /* conn_id -> struct peer */
    struct list ready;          /* swarms that have output */
    struct map metadata_conns;  /* conn_id -> struct metadata_peer */
    struct list metadata_ready; /* metadata_swarms that have output */
    uint32_t connections;       /* of all torrents, half-open ones and greetings too */
    uint32_t connections_max;
    uint32_t torrents;                             /* that the engine has */
    uint32_t peers_max;                            /* of a torrent that says none */
    uint32_t connect_budget;                       /* connects still allowed in this second */
    struct address external;                       /* how others see us; family NONE when unknown */
    struct bandwidth upload_limit, download_limit; /* the roots of the trees of limits */
    struct list groups;                            /* struct swarm_group: below them, or beside */
    uint16_t dht_port; /* told to peers in PORT messages (BEP 5); 0: there is no DHT */
    struct address dht_contacts[SWARM_DHT_CONTACTS]; /* from theirs; the engine takes them */
    uint32_t dht_contact_count;
    const struct ip_filter *ip_filter; /* who is no peer of ours; borrowed, NULL: nobody */
};

/* Limits that several torrents share. */
struct swarm_group {
    struct list_node node;
    uint32_t number;
    struct bandwidth upload_limit, download_limit;
};

/* Makes or changes a group: swarm_limits.c. Torrents that name it are told by swarm_tune. */
void swarm_limits_set_group(struct swarm_shared *shared, const struct torrent_group *limits,
                            int64_t now);
void swarm_limits_free_groups(struct swarm_shared *shared);

/* Takes the metainfo. The wire hash and (hybrids) the truncated v2 hash name it to peers. */
struct swarm *swarm_new(struct swarm_shared *shared, torrent_id id, struct metainfo *metainfo,
                        const struct torrent_options *options, int64_t now);
/* No job of it may be under way: close it first (swarm_close). */
void swarm_free(struct swarm *swarm);

/* An inbound connection whose handshake names this torrent. NULL: not wanted, close it. */
struct peer *swarm_accept(struct swarm *swarm, int64_t now, conn_id conn,
                          const struct address *remote, const struct wire_handshake *handshake);
/* An outgoing connection stands. Is it to begin with MSE? Then by this SKEY, and swarm_peer_set_mse
 * tells how it ended; until then its end is taken for a refusal. */
bool swarm_peer_begin_mse(struct peer *peer, uint8_t ret_skey[20]);
void swarm_peer_set_mse(struct peer *peer, enum peer_mse mse);
/* EVENT_CONNECTED, CLOSED, RECEIVED, PAYLOAD, SENT of one of its peers. */
void swarm_peer_input(struct swarm *swarm, int64_t now, struct peer *peer, struct event *event);
/* EVENT_JOB_DONE of one of its jobs; false when it is not its own. */
bool swarm_job_input(struct swarm *swarm, int64_t now, const struct event *event);
void swarm_tick(struct swarm *swarm, int64_t now);
int64_t swarm_deadline(const struct swarm *swarm);
bool swarm_output(struct swarm *swarm, int64_t now, struct action *ret_action);
/* What a person may want to know; borrowed until the next call. */
bool swarm_notice(struct swarm *swarm, struct notice *ret_notice);
void swarm_receive_plan(const struct peer *peer, struct receive_plan *ret_plan);
struct swarm *swarm_of_peer(const struct peer *peer);
/* The node by which a swarm waits in swarm_shared.ready. */
struct swarm *swarm_of_ready(struct list_node *node);

/* Commands. */
void swarm_add_peers(struct swarm *swarm, int64_t now, const struct address *peers, uint32_t count,
                     enum peer_source source);
/* Before there are peers: an address that was found to lie is no peer (its port does not matter).
 */
void swarm_ban(struct swarm *swarm, const struct address *address);
/* shared->ip_filter is another one: peers that it has go, and candidates that it does not have are
 * tried again by due_ns. */
void swarm_set_ip_filter(struct swarm *swarm, int64_t now, int64_t due_ns);
/* An address at which others reach us: it is not connected to, and BEP 40 ranks by it. */
void swarm_set_self(struct swarm *swarm, const struct address *self);
/* Private torrents: another tracker answers now, and peers of the former one go (BEP 27). */
void swarm_drop_peers(struct swarm *swarm, int64_t now);
/* Our addresses have changed, or we have slept: who is known is tried anew. */
void swarm_on_network_changed(struct swarm *swarm, int64_t now);
void swarm_pause(struct swarm *swarm, int64_t now);
void swarm_resume(struct swarm *swarm, int64_t now);
void swarm_set_limits(struct swarm *swarm, uint64_t upload, uint64_t download);
void swarm_set_priorities(struct swarm *swarm, int64_t now, const uint8_t *file_priorities);
/* Instead of those before. What lies behind the last piece is left away. */
void swarm_set_windows(struct swarm *swarm, int64_t now, const struct piece_window *windows,
                       uint32_t count);
void swarm_tune(struct swarm *swarm, int64_t now, const struct torrent_tuning *tuning);
/* What the engine lends has changed. */
void swarm_retune(struct swarm *swarm);
void swarm_recheck(struct swarm *swarm, int64_t now);
/* Drops all peers, then closes storage in order; swarm_is_closed when that is done and all that it
 * had to say has been pulled. */
void swarm_close(struct swarm *swarm, int64_t now);
bool swarm_is_closed(const struct swarm *swarm);

/* Questions. */
torrent_id swarm_id(const struct swarm *swarm);
const struct metainfo *swarm_metainfo(const struct swarm *swarm);
void swarm_status(const struct swarm *swarm, int64_t now, struct torrent_status *ret_status);
uint32_t swarm_peer_statuses(const struct swarm *swarm, int64_t now, struct peer_status *ret_peers,
                             uint32_t max);
/* As engine_torrent_* (engine.h). */
void swarm_file_bytes(const struct swarm *swarm, uint64_t *ret_bytes, uint32_t file_count);
void swarm_availability(const struct swarm *swarm, uint8_t *ret_peers, uint32_t pieces);
uint32_t swarm_fetches(const struct swarm *swarm, struct piece_fetch *ret_fetches, uint32_t max);
bool swarm_range(const struct swarm *swarm, piece_index piece, uint32_t begin, uint32_t length,
                 struct file_range *ret_range);
void swarm_pipeline(const struct swarm *swarm, struct torrent_pipeline *ret_pipeline);
void swarm_reach(const struct swarm *swarm, struct torrent_reach *ret_reach);
uint32_t swarm_web_seeds(const struct swarm *swarm, int64_t now, struct web_seed_status *ret_seeds,
                         uint32_t max);
/* What a tracker is told. */
struct swarm_facts {
    bool active;         /* open, not paused: announce it */
    bool just_completed; /* became a seed by downloading, since the last time of asking */
    bool partial_seed;   /* has all it wants, which is not all there is (BEP 21) */
    bool wants_peers;    /* downloads and has few */
    uint64_t uploaded, downloaded, left;
};
/* Open, not paused: it may be announced. O(1). */
bool swarm_is_active(const struct swarm *swarm);
/* Has every piece there is. O(1). */
bool swarm_is_seed(const struct swarm *swarm);
/* Has something happened that trackers should hear of at once? O(1). */
bool swarm_has_news(const struct swarm *swarm);
/* Downloads, but nothing comes in: it has no peers, or the wrong ones. O(1). */
bool swarm_is_lonely(const struct swarm *swarm);
/* Downloads, but has no peers, knows of none, and no web seed is left. */
bool swarm_is_forsaken(const struct swarm *swarm);
/* Paused, or its storage is not there: it waits for a person. */
bool swarm_is_resting(const struct swarm *swarm);
void swarm_take_facts(struct swarm *swarm, struct swarm_facts *ret_facts);
void swarm_check(const struct swarm *swarm);

#endif

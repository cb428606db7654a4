/* SPDX-License-Identifier: MIT */
/*
 * A node of the DHT on one UDP socket, IPv4 or IPv6 (BEP 5, 32, 33, 42, 43, 44, 45, 51). A machine
 * with the four verbs of the door; many fit into one process. Two nodes, one a family, may be
 * siblings: each then names the other's nodes to who wants both families.
 *
 * Commandments
 * - Always serve: a query that is not understood but has a target is answered as find_node.
 * - Nobody is believed without an answer of his own to a question of ours; what strangers tell is
 *   asked, never taken.
 * - Whoever has proven nothing may be a victim whose address was forged: five answers a second a
 *   source, 1,400 bytes an answer, 8,000 bytes a second to all of them together.
 * - Our id fits our address (BEP 42) as soon as enough others agree on what that is.
 */
#ifndef FRESHET_DHT_DHT_NODE_H
#define FRESHET_DHT_DHT_NODE_H

#include "core/dht/dht_item.h"
#include "core/dht/dht_token.h"
#include "core/door/door.h"

struct dht_node;

struct dht_node_options {
    enum address_family family;
    uint64_t seed;                   /* of what need not be secret */
    uint8_t secret[DHT_SECRET_SIZE]; /* from the system's randomness; of tokens and transactions */
    struct address external;         /* our address when it is known; family 0: it is not */
    bool is_read_only;               /* asks, never answers (BEP 43) */
    struct dht_verifier verifier;    /* for mutable items; its verify may be NULL */
    job_id first_job;                /* its jobs are numbered from here on */
};

struct dht_node *dht_node_new(const struct dht_node_options *options);
void dht_node_free(struct dht_node *node);
/* May be NULL to part them; both must live until then. */
void dht_node_set_sibling(struct dht_node *node, struct dht_node *sibling);

/* Somewhere to begin: a name or numeric address. LIMIT: there are LIMIT_DHT_NAMES. */
enum freshet_error dht_node_add_name(struct dht_node *node, const char *host, uint16_t port);
/* A node that somebody told of (PORT message, `nodes` of a torrent): pinged when there is room. */
void dht_node_add_address(struct dht_node *node, const struct address *address, int64_t now);
/* Our id and nodes as a record, and back; the nodes count as unproven. SYNTAX: no such record, and
 * nothing was changed. */
void dht_node_save(const struct dht_node *node, struct buffer *out);
enum freshet_error dht_node_load(struct dht_node *node, struct bytes record, int64_t now);
/* The same without the id: for who passes by while another node lives with that record. */
enum freshet_error dht_node_load_nodes(struct dht_node *node, struct bytes record, int64_t now);

/* Commands. Each returns the number that its results bear, or 0 when LIMIT_DHT_LOOKUPS run. */
/* Commands that begin from now on tell each question and what came of it, or do not (default). */
void dht_node_trace(struct dht_node *node, bool is_on);
enum dht_peers_flags { DHT_PEERS_NO_SEEDS = 1, DHT_PEERS_SCRAPE = 2 };
uint32_t dht_node_find_node(struct dht_node *node, int64_t now, const struct dht_id *target);
uint32_t dht_node_get_peers(struct dht_node *node, int64_t now, const struct dht_id *info_hash,
                            unsigned flags);
/* port 0: the port that our packets come from. Peers that are met on the way are results too. */
uint32_t dht_node_announce(struct dht_node *node, int64_t now, const struct dht_id *info_hash,
                           uint16_t port, bool is_seed);
/* `salt` of a mutable item, whose target is SHA-1(key, salt); else empty. */
uint32_t dht_node_get(struct dht_node *node, int64_t now, const struct dht_id *target,
                      struct bytes salt);
/* Value, and for a mutable item key, salt, seq, signature, perhaps cas. 0 also when its value or
 * salt is too long, or its signature is not good. */
uint32_t dht_node_put(struct dht_node *node, int64_t now, const struct krpc_item *item);
uint32_t dht_node_ping(struct dht_node *node, int64_t now, const struct address *address);
uint32_t dht_node_sample(struct dht_node *node, int64_t now, const struct address *address,
                         const struct dht_id *target);
/* Announces the torrent from now on, paced among all others, and names ourselves to who asks us for
 * its peers. */
enum freshet_error dht_node_keep_announced(struct dht_node *node, int64_t now,
                                           const struct dht_id *info_hash, uint16_t port,
                                           bool is_seed);
void dht_node_stop_announcing(struct dht_node *node, const struct dht_id *info_hash);

/* Takes EVENT_DATAGRAM (its `local`, where it was sent to, may be unknown) and EVENT_JOB_DONE of
 * its RESOLVE jobs. false: not its own. */
bool dht_node_input(struct dht_node *node, int64_t now, const struct event *event);
void dht_node_tick(struct dht_node *node, int64_t now);
int64_t dht_node_deadline(const struct dht_node *node);
/* ACTION_SEND_DATAGRAM, ACTION_RESOLVE. */
bool dht_node_output(struct dht_node *node, int64_t now, struct action *ret_action);

enum dht_result_type {
    DHT_RESULT_PEERS,   /* target, peers, from (ourselves: unset): as they come, in parts */
    DHT_RESULT_SCRAPE,  /* target, seeds, downloaders: before DONE, when it was asked for */
    DHT_RESULT_ITEM,    /* target, item: proven; mutable ones as ever newer ones come */
    DHT_RESULT_NODE,    /* from, id, rtt_ms, version: answer to a ping */
    DHT_RESULT_SAMPLES, /* the same, samples, sample_total, interval_s */
    DHT_RESULT_TRACE,   /* step, from, id; of an answer rtt_ms, peer_count, node_count */
    DHT_RESULT_DONE,    /* error, asked, answered, stored, refusal: the last of a number */
    DHT_RESULT_ADDRESS, /* from: our own address, as others see it. Has no number */
};

/* What a look-up did: asked a node (which bears this id, as we were told), had its answer, waited
 * in vain; then the same for what it stores. */
enum dht_trace_step {
    DHT_TRACE_ASKED,
    DHT_TRACE_ANSWERED,
    DHT_TRACE_REFUSED, /* by an error, or another id than the one that was asked */
    DHT_TRACE_SILENT,
    DHT_TRACE_STORING,
    DHT_TRACE_STORED,
    DHT_TRACE_NOT_STORED,
};

/* Pointers are borrowed until the next call. */
struct dht_result {
    enum dht_result_type type;
    enum dht_trace_step step;
    enum freshet_error error; /* OK; TIMEOUT: nobody answered; ABSENT: we know nobody */
    uint32_t number;
    struct dht_id target;
    struct dht_id id;
    struct address from;
    const struct address *peers;
    uint32_t peer_count;
    uint32_t node_count; /* named in an answer */
    uint32_t seeds;
    uint32_t downloaders;
    struct krpc_item item;
    struct bytes samples; /* 20 bytes each */
    struct bytes version; /* of the client, if it says so */
    int64_t sample_total;
    int64_t interval_s;
    uint32_t asked;
    uint32_t answered;
    uint32_t stored;
    int64_t refusal; /* enum krpc_error_code, the last one heard while storing; 0: none */
    uint16_t rtt_ms;
};

/* What came of it; pull until false. At most LIMIT_DHT_RESULTS are kept, then the oldest go. */
bool dht_node_result(struct dht_node *node, struct dht_result *ret_result);

struct dht_node_stats {
    uint32_t nodes;
    uint32_t good_nodes;
    uint32_t lookups;
    uint32_t torrents;
    uint32_t peers;
    uint32_t items;
    uint32_t late_ms; /* how long we wait before somebody else is asked in addition */
    uint64_t queries_in;
    uint64_t queries_refused; /* by a budget */
    uint64_t queries_out;
    uint64_t replies_in;
};
void dht_node_stats(const struct dht_node *node, int64_t now, struct dht_node_stats *ret_stats);
struct dht_id dht_node_id(const struct dht_node *node);
/* Where the nodes of our table are in the id space, for a picture: no addresses. */
enum dht_place_state { DHT_PLACE_GOOD, DHT_PLACE_QUESTIONABLE, DHT_PLACE_BAD };
struct dht_place {
    struct dht_id id;
    enum dht_place_state state;
    uint32_t shared_bits; /* leading bits that it has in common with us */
};
#define DHT_PLACES_MAX 192u /* a full table */
struct dht_places {
    struct dht_id own;
    uint32_t count;
    struct dht_place nodes[DHT_PLACES_MAX]; /* far ones first */
};
void dht_node_places(const struct dht_node *node, int64_t now, struct dht_places *ret_places);
/* Bytes held, the stores of peers and items excluded. */
size_t dht_node_memory(const struct dht_node *node);
/* Questions for simulations: the nearest nodes that it knows, as it would name them (`proven`) or
 * ask them itself; all nodes of its table; does it know a peer of the torrent, from its store or as
 * one itself? */
uint32_t dht_node_closest(const struct dht_node *node, const struct dht_id *target, bool proven,
                          struct dht_contact *ret_contacts, uint32_t max);
uint32_t dht_node_contacts(const struct dht_node *node, struct dht_contact *ret_contacts,
                           uint32_t max);
bool dht_node_has_peers(const struct dht_node *node, const struct dht_id *info_hash);
void dht_node_check(const struct dht_node *node);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The memory of a tracker: swarms and the peers in them. Knows nothing of HTTP and UDP; used by
 * tracker_server.c.
 *
 * Commandments
 * - A peer is its address and port as the tracker saw them. The same client announcing over IPv4
 *   and IPv6 (same peer id and key, BEP 7) is handed out in both, and counted once.
 * - Whoever asks gets a uniformly random subset of those it can use: its own address family, never
 *   itself, no LAN addresses to the internet, and no seeds when it wants no pieces.
 * - A completion counts when a peer that we knew as incomplete says so, and only then.
 * - Who has not announced for a life time is gone. A swarm without peers is kept for its count of
 *   completions until room is needed.
 * - Memory is bounded: full means refuse.
 */
#ifndef FRESHET_TRACKER_PEER_STORE_H
#define FRESHET_TRACKER_PEER_STORE_H

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/tracker/tracker_announce.h"

struct peer_store;

struct peer_store_options {
    uint64_t seed;                /* of the choice of peers and of the maps */
    int64_t life_ns;              /* a peer that is silent for so long is gone */
    uint32_t swarms_max;          /* 0: LIMIT_TRACKER_SWARMS */
    uint32_t peers_max;           /* 0: LIMIT_TRACKER_STORED_PEERS */
    uint32_t same_address_max;    /* 0: LIMIT_TRACKER_SAME_ADDRESS. Loopback is not capped */
    uint32_t records_address_max; /* 0: LIMIT_TRACKER_RECORDS_ADDRESS */
};

enum peer_kind {
    PEER_KIND_SEED,
    PEER_KIND_DOWNLOADER,
    PEER_KIND_PAUSED, /* a partial seed (BEP 21): incomplete, wants nothing */
    PEER_KIND_COUNT
};

struct stored_peer {
    struct address address; /* where it listens */
    uint8_t peer_id[TRACKER_PEER_ID_SIZE];
    uint32_t key;
    uint8_t kind;   /* enum peer_kind */
    uint8_t scope;  /* private: public internet, LAN, this machine */
    bool is_twin;   /* private: the same client is here over the other family, and counted there */
    uint32_t place; /* private: in its group */
    struct stored_peer *other;  /* private: the twin, or NULL */
    struct stored_swarm *swarm; /* private */
    int64_t seen_ns;            /* private */
    struct list_node by_age;    /* private */
};

/* One announce, judged by the server already. */
struct peer_visit {
    const uint8_t *info_hash;
    struct address address; /* the peer's, with the port where it listens (not 0) */
    const uint8_t *peer_id;
    uint32_t key;
    enum peer_kind kind;
    enum tracker_event event;
    uint32_t wanted; /* at most so many peers, and at most LIMIT_TRACKER_PEERS */
};

struct peer_answer {
    struct tracker_counts counts;
    uint32_t peer_count;
    const struct stored_peer *peers[LIMIT_TRACKER_PEERS]; /* borrowed until the next call */
};

struct peer_store *peer_store_new(const struct peer_store_options *options);
void peer_store_free(struct peer_store *store);
/* FRESHET_ERROR_LIMIT: the store is full. FRESHET_ERROR_REFUSED: too many peers from there. A peer
 * that is stored already is never refused. */
enum freshet_error peer_store_announce(struct peer_store *store, int64_t now,
                                       const struct peer_visit *visit,
                                       struct peer_answer *ret_answer);
/* Zeros when the swarm is not known. */
void peer_store_counts(const struct peer_store *store, const uint8_t info_hash[TRACKER_HASH_SIZE],
                       struct tracker_counts *ret_counts);
/* Forgets who is silent; also done by every announce. */
void peer_store_tick(struct peer_store *store, int64_t now);
int64_t peer_store_deadline(const struct peer_store *store);
uint32_t peer_store_peer_count(const struct peer_store *store);
uint32_t peer_store_swarm_count(const struct peer_store *store);
void peer_store_check(const struct peer_store *store);

#endif

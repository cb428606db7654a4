/* SPDX-License-Identifier: MIT */
/*
 * What the parts of a node share; nobody else includes this. dht_node.c: life, verbs, upkeep.
 * dht_node_talk.c: questions and their answers on the wire. dht_node_serve.c: what others ask.
 * dht_node_search.c: commands and look-ups. dht_node_report.c: numbers and checks.
 */
#ifndef FRESHET_DHT_DHT_NODE_STATE_H
#define FRESHET_DHT_DHT_NODE_STATE_H

#include "core/base/list.h"
#include "core/base/rng.h"
#include "core/dht/dht_announcer.h"
#include "core/dht/dht_budget.h"
#include "core/dht/dht_item_store.h"
#include "core/dht/dht_lookup.h"
#include "core/dht/dht_node.h"
#include "core/dht/dht_peer_store.h"
#include "core/dht/dht_vote.h"
#include "core/dht/routing_table.h"

#define DHT_RTT_SAMPLES 32u
#define DHT_VERSION     BYTES_LITERAL("FR\0\1") /* `v` of what we send */

/* What a question was asked for. */
enum dht_purpose {
    DHT_FOR_TABLE,     /* is it there? */
    DHT_FOR_BEGINNING, /* find_node to an address whose id we do not know */
    DHT_FOR_LOOKUP,
    DHT_FOR_STORE, /* announce_peer, put */
    DHT_FOR_STORE_AGAIN,
    DHT_FOR_PERSON,
};

/* A question without an answer yet; all live equally long, so the list is in order of time. */
struct dht_question {
    struct list_node node;
    uint32_t transaction;
    enum dht_purpose purpose;
    uint32_t number; /* of the search, or of the command */
    bool has_id;
    struct dht_id id; /* who is expected to answer */
    struct address to;
    int64_t sent_ns;
};

struct dht_packet {
    struct list_node node;
    struct address to;
    size_t length;
    uint8_t bytes[];
};

enum dht_search_kind {
    DHT_SEARCH_FIND,
    DHT_SEARCH_PEERS,
    DHT_SEARCH_ANNOUNCE,
    DHT_SEARCH_GET,
    DHT_SEARCH_PUT,
};

struct dht_search {
    struct list_node node;
    uint32_t number;
    enum dht_search_kind kind;
    bool is_inner; /* our own upkeep: no results */
    bool is_kept;  /* an announce of the announcer */
    bool is_traced;
    bool is_storing;
    bool no_seeds;
    bool is_seed;
    bool has_item; /* GET: one was found */
    uint16_t port;
    uint32_t asked;
    uint32_t answered;
    uint32_t stored;
    uint32_t open_stores;
    int64_t refusal;
    int64_t started_ns;
    struct dht_item *item;             /* PUT: what to put; GET: the salt, then the newest */
    uint8_t (*blooms)[DHT_BLOOM_SIZE]; /* scrape: seeds, peers */
    struct dht_lookup lookup;
};

struct dht_queued_result {
    struct list_node node;
    struct dht_result result;
    void *owned; /* what the result points at */
};

struct dht_name {
    char *host;
    uint16_t port;
    struct resolve_job job;
    bool is_wanted; /* to be pulled */
    bool is_flying; /* in the host's hands */
};

struct dht_node {
    struct dht_id id;
    struct address external;
    enum address_family family;
    bool is_read_only;
    bool is_started; /* has looked for itself */
    bool is_tracing; /* commands that begin now */
    struct routing_table table;
    struct dht_verifier verifier;
    struct rng rng;
    uint64_t seed;
    uint8_t secret[DHT_SECRET_SIZE];
    uint32_t transaction_next;
    uint32_t number_next;
    job_id job_next;
    struct dht_node *sibling;
    struct dht_budget *budget;
    struct dht_vote *vote;        /* made when somebody votes */
    struct dht_peer_store *peers; /* made when somebody announces */
    struct dht_item_store *items; /* made when somebody puts */
    struct dht_announcer announcer;
    struct list questions;
    struct list searches;
    struct list packets;
    struct list results;
    struct dht_packet *sending;        /* pulled last, borrowed by the host */
    struct dht_queued_result *telling; /* the same of results */
    struct dht_name *names;
    uint32_t name_count;
    uint32_t begin_failures;
    int64_t now_ns;    /* of the last call */
    int64_t begin_ns;  /* when to ask the names (again) */
    int64_t upkeep_ns; /* when to look after the table */
    int64_t self_ns;   /* when to look for ourselves */
    uint64_t queries_in, queries_refused, queries_out, replies_in;
    uint16_t rtts_ms[DHT_RTT_SAMPLES];
    uint32_t rtt_count; /* ever */
    int64_t late_ns;
};

/* dht_node_talk.c */

/* Sends a query; false: too many are open. `id` may be NULL. Fills in our id and a transaction. */
bool dht_node_ask(struct dht_node *node, int64_t now, struct krpc_message *query,
                  const struct dht_contact *to, bool has_id, enum dht_purpose purpose,
                  uint32_t number);
bool dht_node_may_ask(const struct dht_node *node);
bool dht_node_is_asking(const struct dht_node *node, const struct address *address);
void dht_node_send(struct dht_node *node, const struct address *to, struct bytes bytes);
/* A reply or an error came. */
void dht_node_hear(struct dht_node *node, int64_t now, const struct address *from,
                   const struct krpc_message *message);
/* Questions that ran out by now. */
void dht_node_give_up(struct dht_node *node, int64_t now);

/* dht_node_serve.c */

/* `local`: where it was asked at; of no family or unspecified when nobody knows. */
void dht_node_serve(struct dht_node *node, int64_t now, const struct address *from,
                    const struct address *local, const struct krpc_message *query);

/* dht_node_search.c */

/* NULL when there are too many. */
struct dht_search *dht_node_search_new(struct dht_node *node, int64_t now,
                                       enum dht_search_kind kind, const struct dht_id *target);
void dht_node_search_free(struct dht_node *node, struct dht_search *search);
/* Tells the peers that others announced to ourselves. */
void dht_node_search_own_peers(struct dht_node *node, const struct dht_search *search);
/* Asks whom it is time to ask; ends what is done. */
void dht_node_search_advance(struct dht_node *node, struct dht_search *search, int64_t now);
/* When an open question of it becomes late, or its wait for somebody to ask is over. */
int64_t dht_node_search_deadline(const struct dht_node *node, const struct dht_search *search);
void dht_node_search_advance_all(struct dht_node *node, int64_t now);
/* An answer, or none (message NULL), to a question of a search. */
void dht_node_search_hear(struct dht_node *node, int64_t now, const struct dht_question *question,
                          const struct krpc_message *message);
/* A first contact answered: look for ourselves among the nodes that it names. */
void dht_node_search_begin(struct dht_node *node, int64_t now, const struct krpc_message *message,
                           const struct address *from);

/* dht_node.c */

void dht_node_tell(struct dht_node *node, const struct dht_result *result, void *owned);
/* Others say that we are at this address. */
void dht_node_place(struct dht_node *node, int64_t now, const struct address *address);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The DHT on the real machine, without an engine: a loop with a UDP socket and a node (core/dht)
 * for each family, siblings of one another, until somebody stops it. Used by `freshet dht` and by
 * tests. One thread: every callback comes from dht_service_run.
 *
 * A node either stands (it keeps its id and what it knows in the state, every few minutes and at
 * the end) or passes by for one errand: then it reads what a standing node has kept, bears an id of
 * its own, and leaves a record only where there was none.
 */
#ifndef FRESHET_HOST_DHT_SERVICE_H
#define FRESHET_HOST_DHT_SERVICE_H

#include "core/dht/dht_node.h"
#include "host/dht_bootstrap.h"
#include "host/state_store.h"

#include <uv.h>

#define DHT_SERVICE_TEXT_SIZE 160

struct dht_service;

struct dht_service_options {
    /* One address, and with it one family; family ADDRESS_NONE: every address of both. */
    struct address listen;
    uint16_t port;             /* of every address: this one or the next that is free; 0: any */
    bool is_passing;           /* one errand */
    bool is_read_only;         /* asks, never answers (BEP 43) */
    bool without_record;       /* nothing that was kept is read or written */
    struct state_store *state; /* borrowed; NULL: nothing is kept */
    const struct dht_bootstrap *names; /* where to begin; may be NULL. Copied */
    uint32_t tick_ms;                  /* on_tick comes that often; 0: never */
    /* Once a family: somebody has answered, and who is near to us is known. */
    void (*on_ready)(void *context, struct dht_node *node);
    /* May command nodes; the result is gone after that. */
    void (*on_result)(void *context, struct dht_node *node, const struct dht_result *result);
    void (*on_tick)(void *context);
    void (*on_signal)(void *context, int signal_number); /* SIGINT, SIGTERM; NULL: as by default */
    void *context;
};

/* ret_text tells what could not be done. */
enum freshet_error dht_service_new(const struct dht_service_options *options,
                                   char ret_text[DHT_SERVICE_TEXT_SIZE],
                                   struct dht_service **ret_service);
/* Saves what a standing node knows. */
void dht_service_free(struct dht_service *service);
uv_loop_t *dht_service_loop(struct dht_service *service);

/* NULL: that family is not there. */
struct dht_node *dht_service_node(struct dht_service *service, enum address_family family);
/* What is listened on; of family ADDRESS_NONE when that family is not there. */
struct address dht_service_address(const struct dht_service *service, enum address_family family);
/* Is anybody known, or any name, with whom a node could begin? */
bool dht_service_has_beginning(const struct dht_service *service);
/* To be called after commands that were given outside of a callback: sends what they want. */
void dht_service_push(struct dht_service *service);

/* Until dht_service_stop, which may be called from callbacks. */
void dht_service_run(struct dht_service *service);
void dht_service_stop(struct dht_service *service);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The HTTP side of the door, by libcurl on the loop: announces and scrapes of trackers (BEP 3, 48)
 * and web seeds (BEP 19). Redirects are followed here, one request each, so that every hop is
 * judged (address_rules.h) and no credentials cross origins; five at most. TLS is always verified.
 * Proxies of the environment are not used: behind one only addresses that stand in the URL can be
 * judged. That is so with a person's own proxy (network_route.h), which looks names up itself.
 */
#ifndef FRESHET_HOST_HTTP_FETCH_H
#define FRESHET_HOST_HTTP_FETCH_H

#include "core/door/door.h"
#include "host/block_memory.h"
#include "host/http_validators.h"
#include "host/network_route.h"

#include <uv.h>

#define HTTP_FETCH_REDIRECTS_MAX 5

struct http_fetch;

/* `done` is called from the loop, once for each job. */
struct http_fetch *http_fetch_new(uv_loop_t *loop, const struct block_memory *pool,
                                  void (*done)(void *context, struct event *event), void *context);
/* Requests to hosts of the same kind (loopback or not) and family go out from this address. */
void http_fetch_set_source(struct http_fetch *fetch, const struct address *source);
/* Everything goes that way; the route outlives the fetch. */
void http_fetch_set_route(struct http_fetch *fetch, const struct network_route *route);
/* Connections that are kept for later requests may be dead: none of them is used again. */
void http_fetch_network_changed(struct http_fetch *fetch);
/* Ends what is under way without a word. The loop must run until its handles are gone. */
void http_fetch_free(struct http_fetch *fetch);
/* The job is copied, but for its blocks array, which stays the caller's until done. */
void http_fetch_start(struct http_fetch *fetch, const struct fetch_job *job);
/* As start, for a URL that a person typed: only what is never allowed is refused. `known` (copied,
 * NULL: nothing): the server is asked for another version than this one alone. It is told so only
 * under the URL that it said them of, also after redirects. */
void http_fetch_start_for_person(struct http_fetch *fetch, const struct fetch_job *job,
                                 const struct http_validators *known);
void http_fetch_cancel(struct http_fetch *fetch, job_id job);
/* Only from `done`: the body that it shows becomes the caller's, uncopied. */
void http_fetch_take_body(struct http_fetch *fetch, struct buffer *ret_body);
/* The same of which version it is; empty when nothing was said. */
void http_fetch_take_validators(struct http_fetch *fetch, struct http_validators *ret_validators);
/* Only from `done`, of an error: the version that is known is still the one. */
bool http_fetch_is_unchanged(const struct http_fetch *fetch);

#endif

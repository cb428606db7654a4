/* SPDX-License-Identifier: MIT */
/*
 * The piece layers that a v2 or hybrid torrent still lacks (BEP 52): what to ask of whom, and the
 * proof of what comes. Knows peers as slots only. Used by metadata_swarm.
 *
 * A request names at most LAYER_FETCH_LENGTH hashes of one file's layer and as many proof layers as
 * lead from there to the root, so that each answer is judged alone: whoever sends hashes that do
 * not lead to the root has lied. Files with the same root share one layer, which is asked for once.
 */
#ifndef FRESHET_SWARM_LAYER_FETCH_H
#define FRESHET_SWARM_LAYER_FETCH_H

#include "core/metainfo/metainfo.h"
#include "core/wire/wire_message.h"

#define LAYER_FETCH_LENGTH     512u /* hashes a request (BEP 52: SHOULD) */
#define LAYER_FETCH_SLOTS      64u  /* slots are below this */
#define LAYER_FETCH_TIMEOUT_NS (15 * SECOND_NS)

struct layer_fetch;

/* The metainfo is read in this call only. seed: of a map, so that nobody chooses collisions. */
struct layer_fetch *layer_fetch_new(const struct metainfo *metainfo, uint64_t seed);
void layer_fetch_free(struct layer_fetch *fetch);
/* The next request for this slot, noted as asked; false: there is none, or the slot has said no to
 * one before. */
bool layer_fetch_next(struct layer_fetch *fetch, uint32_t slot, int64_t now,
                      struct wire_hash_range *ret_range);
/* OK: proven and kept. HASH: a lie. NOT_FOUND: nobody asked this slot for it, or it is there. */
enum freshet_error layer_fetch_take(struct layer_fetch *fetch, uint32_t slot,
                                    const struct wire_hash_range *range, struct bytes hashes);
/* The slot said no; it is not asked for anything again. false: it was not asked. */
bool layer_fetch_reject(struct layer_fetch *fetch, uint32_t slot,
                        const struct wire_hash_range *range);
/* The slot has left or is given up: what it owes is free again, what it refused is forgotten. */
void layer_fetch_release(struct layer_fetch *fetch, uint32_t slot);
uint32_t layer_fetch_asked(const struct layer_fetch *fetch, uint32_t slot); /* open requests */
/* When what was asked is overdue (LAYER_FETCH_TIMEOUT_NS); INT64_MAX: nothing is. */
int64_t layer_fetch_deadline(const struct layer_fetch *fetch);
/* A slot whose request is overdue by now; false: none. */
bool layer_fetch_overdue(const struct layer_fetch *fetch, int64_t now, uint32_t *ret_slot);
void layer_fetch_progress(const struct layer_fetch *fetch, uint32_t *ret_have, uint32_t *ret_total);
bool layer_fetch_is_done(const struct layer_fetch *fetch);
/* When done: puts the layers into the metainfo, whose layers_missing becomes false. */
void layer_fetch_install(struct layer_fetch *fetch, struct metainfo *metainfo);
void layer_fetch_check(const struct layer_fetch *fetch);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One look-up: who is nearest to a target, by asking ever nearer nodes (BEP 5). It decides whom to
 * ask and when it is done; the node sends and hears.
 *
 * Commandments
 * - Five questions are open at a time. One that is later than most answers come (the caller's
 *   measure) no longer counts, and another goes out in its stead: a dead node costs that long, not
 *   the full time until it is given up.
 * - Of candidates that are equally near (as many bits shared with the target) the one with the
 *   shorter delay goes first.
 * - One node an address, three of one /24 (IPv6: /48): nobody crowds in by numbers.
 * - Who bears an id that its address does not allow (BEP 42) is asked only while there are not
 *   eight who do not.
 * - Three disjoint paths: the nodes that we begin with are dealt to three paths, whom a node names
 *   belongs to its path, nobody is asked twice. The look-up is done when the eight nearest of all
 *   have answered and of each path the four nearest: liars on one path cannot end the others.
 */
#ifndef FRESHET_DHT_DHT_LOOKUP_H
#define FRESHET_DHT_DHT_LOOKUP_H

#include "core/base/limits.h"
#include "core/dht/dht_id.h"

#define DHT_LOOKUP_SET        8u
#define DHT_LOOKUP_PATHS      3u
#define DHT_LOOKUP_OPEN       5u  /* questions that are not late */
#define DHT_LOOKUP_OPEN_ALL   16u /* late ones too */
#define DHT_LOOKUP_CANDIDATES 64u

enum dht_candidate_state {
    DHT_CANDIDATE_NEW,
    DHT_CANDIDATE_ASKED,
    DHT_CANDIDATE_ANSWERED,
    DHT_CANDIDATE_FAILED,
};

struct dht_candidate {
    struct dht_contact contact;
    int64_t asked_ns;
    uint16_t rtt_ms; /* UINT16_MAX: not known */
    uint8_t state;   /* enum dht_candidate_state */
    uint8_t path;
    bool is_allowed; /* BEP 42 */
    uint8_t token_length;
    uint8_t token[LIMIT_DHT_TOKEN];
};

struct dht_lookup {
    struct dht_id target;
    uint32_t count;
    struct dht_candidate candidates[DHT_LOOKUP_CANDIDATES]; /* nearest first */
};

void dht_lookup_init(struct dht_lookup *lookup, const struct dht_id *target);
/* false: it is there already, or there is no room for it. */
bool dht_lookup_add(struct dht_lookup *lookup, const struct dht_contact *contact, uint16_t rtt_ms,
                    uint8_t path);
/* Whom to ask now, marked as asked; NULL: nobody now. Borrowed until the next call. */
const struct dht_candidate *dht_lookup_ask(struct dht_lookup *lookup, int64_t now, int64_t late_ns);
/* An answer with the id that was expected; returns the path, to which the named nodes belong.
 * Otherwise (not asked, another id) DHT_LOOKUP_PATHS. */
uint8_t dht_lookup_answered(struct dht_lookup *lookup, const struct dht_contact *contact,
                            struct bytes token);
void dht_lookup_failed(struct dht_lookup *lookup, const struct address *address);
/* NULL: nobody there. Borrowed until the next call. */
const struct dht_candidate *dht_lookup_find(struct dht_lookup *lookup,
                                            const struct address *address);
bool dht_lookup_is_done(const struct dht_lookup *lookup, int64_t now, int64_t late_ns);
/* When an open question becomes late; HEAP_NEVER: none. */
int64_t dht_lookup_deadline(const struct dht_lookup *lookup, int64_t now, int64_t late_ns);
/* The nearest who answered, those with allowed ids first; at most DHT_LOOKUP_SET. */
uint32_t dht_lookup_closest(const struct dht_lookup *lookup,
                            const struct dht_candidate *ret_closest[DHT_LOOKUP_SET]);
void dht_lookup_check(const struct dht_lookup *lookup);

#endif

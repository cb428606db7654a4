/* SPDX-License-Identifier: MIT */
#include "core/dht/dht_lookup.h"

#include "core/base/check.h"
#include "core/base/heap.h"

#include <string.h>

#define SAME_NET  3u
#define PATH_LAST 4u /* nearest of a path that must have answered */

/* The candidates that matter at this moment, as indices, nearest first. */
struct set {
    uint32_t count;
    uint8_t places[DHT_LOOKUP_CANDIDATES];
};

void dht_lookup_init(struct dht_lookup *lookup, const struct dht_id *target)
{
    lookup->target = *target;
    lookup->count = 0;
}

static bool is_late(const struct dht_candidate *candidate, int64_t now, int64_t late_ns)
{
    return candidate->state == DHT_CANDIDATE_ASKED && now - candidate->asked_ns >= late_ns;
}

static bool same_node(const struct dht_contact *a, const struct dht_contact *b)
{
    bool same_ip = address_same_ip(&a->address, &b->address);
    if (same_ip && address_is_loopback(&a->address))
        same_ip = a->address.port == b->address.port;
    return same_ip || dht_id_equal(&a->id, &b->id);
}

static bool is_crowded(const struct dht_lookup *lookup, const struct dht_contact *contact)
{
    uint32_t same = 0;
    size_t net = contact->address.family == ADDRESS_IPV4 ? 3 : 6;
    for (uint32_t i = 0; i < lookup->count; i++) {
        const struct dht_contact *other = &lookup->candidates[i].contact;
        if (same_node(other, contact))
            return true;
        same += memcmp(other->address.ip, contact->address.ip, net) == 0;
    }
    return same >= SAME_NET && !dht_id_is_exempt(&contact->address);
}

static void remove_at(struct dht_lookup *lookup, uint32_t i)
{
    lookup->count--;
    memmove(&lookup->candidates[i], &lookup->candidates[i + 1],
            (lookup->count - i) * sizeof lookup->candidates[0]);
}

/* Full: the farthest that nobody has asked goes, if it is farther than the newcomer. */
static bool make_room(struct dht_lookup *lookup, const struct dht_id *id)
{
    if (lookup->count < DHT_LOOKUP_CANDIDATES)
        return true;
    uint32_t worst = lookup->count;
    for (uint32_t i = 0; i < lookup->count; i++) {
        uint8_t state = lookup->candidates[i].state;
        if (state == DHT_CANDIDATE_NEW)
            worst = i;
    }
    if (worst == lookup->count ||
        dht_id_compare_distance(&lookup->target, id, &lookup->candidates[worst].contact.id) >= 0)
        return false;
    remove_at(lookup, worst);
    return true;
}

bool dht_lookup_add(struct dht_lookup *lookup, const struct dht_contact *contact, uint16_t rtt_ms,
                    uint8_t path)
{
    CHECK(path < DHT_LOOKUP_PATHS);
    if (is_crowded(lookup, contact) || !make_room(lookup, &contact->id))
        return false;
    uint32_t place = lookup->count;
    while (place > 0 && dht_id_compare_distance(&lookup->target, &contact->id,
                                                &lookup->candidates[place - 1].contact.id) < 0)
        place--;
    memmove(&lookup->candidates[place + 1], &lookup->candidates[place],
            (lookup->count - place) * sizeof lookup->candidates[0]);
    lookup->count++;
    lookup->candidates[place] =
        (struct dht_candidate){.contact = *contact,
                               .rtt_ms = rtt_ms,
                               .path = path,
                               .is_allowed = dht_id_is_allowed(&contact->id, &contact->address)};
    return true;
}

/* The nearest that did not fail, one more for each that is late; with_any: also those whose ids are
 * not allowed. */
static void collect(const struct dht_lookup *lookup, bool with_any, int64_t now, int64_t late_ns,
                    struct set *ret_set)
{
    uint32_t wanted = DHT_LOOKUP_SET;
    ret_set->count = 0;
    for (uint32_t i = 0; i < lookup->count && ret_set->count < wanted; i++) {
        const struct dht_candidate *candidate = &lookup->candidates[i];
        if (candidate->state == DHT_CANDIDATE_FAILED || (!with_any && !candidate->is_allowed))
            continue;
        wanted += is_late(candidate, now, late_ns);
        ret_set->places[ret_set->count++] = (uint8_t)i;
    }
}

static void collect_nearest(const struct dht_lookup *lookup, int64_t now, int64_t late_ns,
                            struct set *ret_set)
{
    collect(lookup, false, now, late_ns, ret_set);
    if (ret_set->count < DHT_LOOKUP_SET)
        collect(lookup, true, now, late_ns, ret_set);
}

static void collect_path(const struct dht_lookup *lookup, uint8_t path, struct set *ret_set)
{
    ret_set->count = 0;
    for (uint32_t i = 0; i < lookup->count && ret_set->count < PATH_LAST; i++) {
        const struct dht_candidate *candidate = &lookup->candidates[i];
        if (candidate->path == path && candidate->is_allowed &&
            candidate->state != DHT_CANDIDATE_FAILED)
            ret_set->places[ret_set->count++] = (uint8_t)i;
    }
}

/* The best of the set to ask, or NULL: nearest by bits, then shortest delay, then nearest. */
static struct dht_candidate *best_new(struct dht_lookup *lookup, const struct set *set)
{
    struct dht_candidate *best = NULL;
    uint32_t best_bits = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        struct dht_candidate *candidate = &lookup->candidates[set->places[i]];
        if (candidate->state != DHT_CANDIDATE_NEW)
            continue;
        uint32_t bits = dht_id_shared_bits(&lookup->target, &candidate->contact.id);
        if (!best || (bits == best_bits && candidate->rtt_ms < best->rtt_ms)) {
            best = candidate;
            best_bits = bits;
        }
    }
    return best;
}

static bool may_ask(const struct dht_lookup *lookup, int64_t now, int64_t late_ns)
{
    uint32_t open = 0, all = 0;
    for (uint32_t i = 0; i < lookup->count; i++) {
        const struct dht_candidate *candidate = &lookup->candidates[i];
        all += candidate->state == DHT_CANDIDATE_ASKED;
        open += candidate->state == DHT_CANDIDATE_ASKED && !is_late(candidate, now, late_ns);
    }
    return open < DHT_LOOKUP_OPEN && all < DHT_LOOKUP_OPEN_ALL;
}

const struct dht_candidate *dht_lookup_ask(struct dht_lookup *lookup, int64_t now, int64_t late_ns)
{
    struct set set;
    if (!may_ask(lookup, now, late_ns))
        return NULL;
    collect_nearest(lookup, now, late_ns, &set);
    struct dht_candidate *best = best_new(lookup, &set);
    for (uint8_t path = 0; !best && path < DHT_LOOKUP_PATHS; path++) {
        collect_path(lookup, path, &set);
        best = best_new(lookup, &set);
    }
    if (best) {
        best->state = DHT_CANDIDATE_ASKED;
        best->asked_ns = now;
    }
    return best;
}

static struct dht_candidate *find(struct dht_lookup *lookup, const struct address *address)
{
    for (uint32_t i = 0; i < lookup->count; i++)
        if (address_equal(&lookup->candidates[i].contact.address, address))
            return &lookup->candidates[i];
    return NULL;
}

const struct dht_candidate *dht_lookup_find(struct dht_lookup *lookup,
                                            const struct address *address)
{
    return find(lookup, address);
}

uint8_t dht_lookup_answered(struct dht_lookup *lookup, const struct dht_contact *contact,
                            struct bytes token)
{
    struct dht_candidate *candidate = find(lookup, &contact->address);
    if (!candidate || candidate->state != DHT_CANDIDATE_ASKED)
        return DHT_LOOKUP_PATHS;
    if (!dht_id_equal(&candidate->contact.id, &contact->id)) {
        candidate->state = DHT_CANDIDATE_FAILED;
        return DHT_LOOKUP_PATHS;
    }
    candidate->state = DHT_CANDIDATE_ANSWERED;
    if (token.length > 0 && token.length <= LIMIT_DHT_TOKEN) {
        memcpy(candidate->token, token.data, token.length);
        candidate->token_length = (uint8_t)token.length;
    }
    return candidate->path;
}

void dht_lookup_failed(struct dht_lookup *lookup, const struct address *address)
{
    struct dht_candidate *candidate = find(lookup, address);
    if (candidate && candidate->state == DHT_CANDIDATE_ASKED)
        candidate->state = DHT_CANDIDATE_FAILED;
}

static bool all_answered(const struct dht_lookup *lookup, const struct set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (lookup->candidates[set->places[i]].state != DHT_CANDIDATE_ANSWERED)
            return false;
    return true;
}

bool dht_lookup_is_done(const struct dht_lookup *lookup, int64_t now, int64_t late_ns)
{
    struct set set;
    collect_nearest(lookup, now, late_ns, &set);
    if (!all_answered(lookup, &set))
        return false;
    for (uint8_t path = 0; path < DHT_LOOKUP_PATHS; path++) {
        collect_path(lookup, path, &set);
        if (!all_answered(lookup, &set))
            return false;
    }
    return true;
}

int64_t dht_lookup_deadline(const struct dht_lookup *lookup, int64_t now, int64_t late_ns)
{
    int64_t deadline = HEAP_NEVER;
    for (uint32_t i = 0; i < lookup->count; i++) {
        const struct dht_candidate *candidate = &lookup->candidates[i];
        if (candidate->state != DHT_CANDIDATE_ASKED || is_late(candidate, now, late_ns))
            continue;
        if (candidate->asked_ns + late_ns < deadline)
            deadline = candidate->asked_ns + late_ns;
    }
    return deadline;
}

uint32_t dht_lookup_closest(const struct dht_lookup *lookup,
                            const struct dht_candidate *ret_closest[DHT_LOOKUP_SET])
{
    uint32_t count = 0;
    for (int allowed = 1; allowed >= 0; allowed--)
        for (uint32_t i = 0; i < lookup->count && count < DHT_LOOKUP_SET; i++) {
            const struct dht_candidate *candidate = &lookup->candidates[i];
            if (candidate->state == DHT_CANDIDATE_ANSWERED && candidate->is_allowed == allowed)
                ret_closest[count++] = candidate;
        }
    return count;
}

void dht_lookup_check(const struct dht_lookup *lookup)
{
    CHECK(lookup->count <= DHT_LOOKUP_CANDIDATES);
    for (uint32_t i = 1; i < lookup->count; i++) {
        const struct dht_contact *nearer = &lookup->candidates[i - 1].contact;
        const struct dht_contact *farther = &lookup->candidates[i].contact;
        CHECK(dht_id_compare_distance(&lookup->target, &nearer->id, &farther->id) < 0);
    }
}

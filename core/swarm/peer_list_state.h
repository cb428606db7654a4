/* SPDX-License-Identifier: MIT */
/*
 * The inside of a peer list, shared by the peer_list_*.c files and by nobody else.
 */
#ifndef FRESHET_SWARM_PEER_LIST_STATE_H
#define FRESHET_SWARM_PEER_LIST_STATE_H

#include "core/base/list.h"
#include "core/base/map.h"
#include "core/swarm/peer_list.h"

#define PEER_LIST_SELVES_MAX 8u

enum standing { STANDING_IDLE, STANDING_CONNECTING, STANDING_CONNECTED };

struct candidate {
    struct list_node node; /* in `known`, in order of arrival */
    struct address address;
    conn_id tellers[LIMIT_HOLEPUNCH_TELLERS]; /* whom it may be asked through (BEP 55); 0: nobody */
    int64_t rest_until_ns;
    int64_t good_order; /* when it was last connected, counted; 0: never */
    uint32_t priority;  /* BEP 40, or a seeded number while our address is unknown */
    uint8_t source;
    uint8_t standing;
    uint8_t fails;
    bool is_seed;
    bool is_self;
    bool is_useful;   /* has given us payload */
    bool is_filtered; /* the filter has it */
    bool mse_turned;  /* dialled not as the policy begins, but the other way */
    bool is_relays;   /* known by a relay's word alone (BEP 55) */
    uint8_t punches;  /* how often it was asked for through others */
};

struct peer_list {
    uint64_t seed;
    struct map by_address;
    struct list known;
    struct map prefixes; /* /16 or /32 -> count, as a number in the pointer */
    uint32_t source_counts[PEER_SOURCE_COUNT];
    struct map bans; /* address without port */
    uint32_t ban_count;
    struct address selves[PEER_LIST_SELVES_MAX];
    uint32_t self_count;
    struct address self_v4, self_v6; /* the last of each family */
    int64_t good_next;
    int64_t next_due_ns; /* no candidate is due before (found by a scan); INT64_MIN: unknown */
    const struct ip_filter *filter;
    bool filter_is_new; /* candidates were judged by another one */
    bool seeding;
};

/* NULL: it does not know it. */
struct candidate *peer_list_find(const struct peer_list *list, const struct address *address);

#endif

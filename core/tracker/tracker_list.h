/* SPDX-License-Identifier: MIT */
/*
 * A torrent's trackers in the order of trying (BEP 12), and what is known of each: does it know us,
 * what do we owe it, how long must we leave it alone. Used by tracker_client.c alone.
 */
#ifndef FRESHET_TRACKER_TRACKER_LIST_H
#define FRESHET_TRACKER_TRACKER_LIST_H

#include "core/base/rng.h"
#include "core/tracker/tracker_announce.h"
#include "core/tracker/tracker_url.h"

/* Index of a family in per-family arrays. */
enum { TRACKER_FAMILY_IPV4, TRACKER_FAMILY_IPV6, TRACKER_FAMILY_COUNT };

/* What is known of the tracker over one address family. */
struct tracker_route {
    struct address address; /* UDP: where the connection id is good */
    uint64_t connection_id;
    int64_t connection_until_ns; /* 0: none */
    int64_t dead_until_ns;       /* failed while the other family answered: left out until then */
    uint32_t turn;               /* UDP: which of several addresses is tried */
};

struct tracker_entry {
    char *text; /* the URL, NUL-terminated */
    struct bytes url;
    struct tracker_url parts; /* points into text */
    uint32_t tier;
    uint32_t failures;   /* in a row */
    int64_t retry_ns;    /* not before */
    bool is_retry_told;  /* retry_ns is the tracker's own wish (BEP 31) */
    bool is_given_up;    /* "never" */
    bool is_started;     /* it has been told that we are here */
    bool owes_completed; /* it is to be told that we completed */
    bool has_answered;
    int64_t answered_ns;
    int64_t interval_s;     /* as used, clamped */
    int64_t interval_min_s; /* for announces asked for by hand */
    struct buffer tracker_id;
    bool has_counts, has_downloads;
    struct tracker_counts counts;
    int64_t announced_ns; /* when the last announce ended; INT64_MIN: none */
    bool announced_ok;
    enum freshet_error announce_error;
    char *said;                   /* its words, or ours; NULL: none */
    uint32_t peers, peers_so_far; /* that the last announce named; that this one has */
    int64_t scraped_ns;           /* INT64_MIN: never */
    bool scraped_ok;
    struct tracker_route routes[TRACKER_FAMILY_COUNT];
};

struct tracker_list {
    struct tracker_entry **entries; /* in order of trying */
    uint32_t count;
};

struct tracker_list_wish {
    const struct bytes *urls;
    const uint32_t *tiers; /* NULL: each its own */
    uint32_t count;
    const struct tracker_entry *asked; /* one that is being told `stopped` is not taken back */
};

/* Unusable URLs and repeated ones are left out; each tier is shuffled once. */
void tracker_list_init(struct tracker_list *list, const struct bytes *urls, const uint32_t *tiers,
                       uint32_t count, struct rng *rng);
/* Other trackers instead; those that are in both stay as they are. Who goes and was told that we
 * are here is put at the end of `leaving`, the others are freed. */
void tracker_list_replace(struct tracker_list *list, struct tracker_list *leaving,
                          const struct tracker_list_wish *wish, struct rng *rng);
/* Takes the first one out and frees it. */
void tracker_list_drop_first(struct tracker_list *list);
/* An announce has ended; text may be empty. */
void tracker_list_note(struct tracker_entry *entry, int64_t now, enum freshet_error error,
                       struct bytes text);
void tracker_list_deinit(struct tracker_list *list);
/* The first one at `from` or behind it that may be asked now; its index, or list->count. */
uint32_t tracker_list_next(const struct tracker_list *list, uint32_t from, int64_t now);
/* When the first of all may be asked; INT64_MAX when none ever. */
int64_t tracker_list_soonest(const struct tracker_list *list);
/* Moves it to the front of its tier and forgets its failures. */
void tracker_list_answered(struct tracker_list *list, struct tracker_entry *entry, int64_t now);
/* retry_s: what it asked for (BEP 31), 0 for nothing. */
void tracker_list_failed(struct tracker_entry *entry, int64_t now, int64_t retry_s);
/* A person asks: failures are forgiven, but not what a tracker has asked for. */
void tracker_list_forgive(struct tracker_list *list);
void tracker_list_check(const struct tracker_list *list);

#endif

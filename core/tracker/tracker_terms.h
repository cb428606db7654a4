/* SPDX-License-Identifier: MIT */
/*
 * What a tracker client is told and what it tells: the words that tracker_client.h shares with the
 * parts it is made of (tracker_inquiry, tracker_result_queue).
 */
#ifndef FRESHET_TRACKER_TRACKER_TERMS_H
#define FRESHET_TRACKER_TRACKER_TERMS_H

#include "core/door/door.h"
#include "core/tracker/announce_pacer.h"
#include "core/tracker/tracker_announce.h"

struct tracker_client_options {
    const struct bytes *trackers;  /* URLs (copied): http, https, udp; others are left out */
    const uint32_t *tracker_tiers; /* tier of each, ascending; NULL: each its own */
    uint32_t tracker_count;
    uint8_t info_hashes[2][TRACKER_HASH_SIZE]; /* v1, truncated v2, or both */
    uint32_t info_hash_count;                  /* 1 or 2 */
    uint8_t peer_id[TRACKER_PEER_ID_SIZE];
    uint32_t key;                 /* stable for the torrent's session */
    uint64_t seed;                /* of the shuffle and the transaction ids */
    job_id *job_next;             /* the engine's job counter; shared by all its machines */
    struct announce_pacer *pacer; /* the engine's; NULL: announce at once */
    bool is_private;              /* BEP 27: a change of tracker is told as RESULT_SWITCHED */
    bool no_ipv6;                 /* ask trackers over IPv4 only */
};

struct tracker_client_stats {
    uint64_t uploaded;
    uint64_t downloaded;
    uint64_t left;
    uint16_t port;
    uint16_t numwant; /* 0: none wanted (a seed with enough peers) */
};

enum tracker_result_type {
    TRACKER_RESULT_OK,       /* url, peers, counts, interval_s, external_ip; text: its warning */
    TRACKER_RESULT_ERROR,    /* url, text, error: this tracker failed; others may follow */
    TRACKER_RESULT_SCRAPE,   /* url, counts */
    TRACKER_RESULT_SWITCHED, /* private torrents: another tracker than before answers; drop peers */
};

struct tracker_result {
    enum tracker_result_type type;
    enum freshet_error error;
    struct bytes url; /* borrowed like the rest until the next call into the client */
    struct bytes text;
    const struct address *peers;
    uint32_t peer_count;
    uint32_t hash_index; /* of OK and SCRAPE: which of the info-hashes this is about */
    bool has_counts;
    bool has_downloaded; /* counts.downloaded too */
    struct tracker_counts counts;
    int64_t interval_s;
    struct address external_ip; /* ADDRESS_NONE when not said; port 0 */
};

#endif

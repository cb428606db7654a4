/* SPDX-License-Identifier: MIT */
/*
 * What is said between a peer and a tracker, whatever the transport: an announce and its event
 * (BEP 3, 21), and the counts that a scrape returns (BEP 15, 48). Types only; the codecs are
 * tracker_http.h and tracker_udp.h.
 */
#ifndef FRESHET_TRACKER_TRACKER_ANNOUNCE_H
#define FRESHET_TRACKER_TRACKER_ANNOUNCE_H

#include "core/base/address.h"
#include "core/base/bytes.h"

#define TRACKER_HASH_SIZE    20 /* a v1 info-hash, or a v2 one cut to 20 bytes (BEP 52) */
#define TRACKER_PEER_ID_SIZE 20

/* The first four have the numbers of BEP 15. */
enum tracker_event {
    TRACKER_EVENT_NONE,
    TRACKER_EVENT_COMPLETED,
    TRACKER_EVENT_STARTED,
    TRACKER_EVENT_STOPPED,
    TRACKER_EVENT_PAUSED, /* a partial seed: wants nothing more (BEP 21). HTTP only */
    TRACKER_EVENT_COUNT
};

struct tracker_announce {
    uint8_t info_hash[TRACKER_HASH_SIZE];
    uint8_t peer_id[TRACKER_PEER_ID_SIZE];
    uint64_t uploaded;
    uint64_t downloaded;
    uint64_t left;
    enum tracker_event event;
    uint32_t key;      /* the same for v4 and v6 (BEP 7), so that a tracker sees one peer */
    int32_t numwant;   /* -1: as many as the tracker likes */
    uint16_t port;     /* where we listen */
    bool is_compact;   /* server: the reply is to be compact (BEP 23); clients always ask for it */
    bool no_peer_id;   /* server: a dictionary reply need not hold peer ids */
    struct address ip; /* server: what `ip=` says, ADDRESS_NONE when absent */
    struct bytes tracker_id; /* client: echoed when the tracker gave one */
};

/* Said over HTTP and UDP alike to who asks for more than LIMIT_SCRAPE_HASHES. */
#define TRACKER_SCRAPE_TOO_MANY "a scrape may name at most 74 info-hashes"

/* Of one info-hash. */
struct tracker_counts {
    uint32_t complete;    /* seeds */
    uint32_t incomplete;  /* leechers, partial seeds among them */
    uint32_t downloaded;  /* times completed */
    uint32_t downloaders; /* leechers that still want something (BEP 21); HTTP only */
};

#endif

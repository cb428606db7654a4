/* SPDX-License-Identifier: MIT */
/*
 * What a tracker answered to one announce, in one form for HTTP (BEP 3, 7, 23, 24, 31) and UDP
 * (BEP 15). Owns its peers and texts. Addresses that nobody can connect to (port 0, unspecified,
 * multicast) are left out when they are added, and never more than LIMIT_TRACKER_REPLY_PEERS kept.
 */
#ifndef FRESHET_TRACKER_TRACKER_REPLY_H
#define FRESHET_TRACKER_TRACKER_REPLY_H

#include "core/base/error.h"
#include "core/tracker/tracker_announce.h"

#define TRACKER_RETRY_NEVER INT64_MAX

struct tracker_reply {
    bool failed;            /* the tracker refused; `text` tells why */
    struct buffer text;     /* failure reason, else warning message; printable UTF-8 bytes as sent,
                               control characters made spaces, cut at LIMIT_TRACKER_TEXT */
    int64_t retry_s;        /* BEP 31: seconds, TRACKER_RETRY_NEVER, or 0 when not said */
    int64_t interval_s;     /* 0 when not said */
    int64_t interval_min_s; /* 0 when not said */
    struct buffer tracker_id;
    bool has_counts;     /* complete and incomplete were there */
    bool has_downloaded; /* and so was counts.downloaded */
    struct tracker_counts counts;
    struct address external_ip; /* ADDRESS_NONE when not said; port 0 */
    struct address *peers;
    uint32_t peer_count;
    uint32_t peer_capacity;
};

void tracker_reply_init(struct tracker_reply *reply);
void tracker_reply_deinit(struct tracker_reply *reply);
void tracker_reply_add_peer(struct tracker_reply *reply, const struct address *peer);
/* Adds a compact list (BEP 23: 6 bytes a peer, BEP 7: 18). FRESHET_ERROR_SYNTAX when its length is
 * no multiple of `entry_size`; the whole entries are added all the same. */
enum freshet_error tracker_reply_add_compact(struct tracker_reply *reply, struct bytes compact,
                                             size_t entry_size);
void tracker_reply_set_text(struct tracker_reply *reply, struct bytes text);

#endif

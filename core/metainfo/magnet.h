/* SPDX-License-Identifier: MIT */
/*
 * Magnet links (BEP 9, select-only of BEP 53, v2 hashes of BEP 52):
 *     magnet:?xt=urn:btih:<40 hex or 32 base32>&xt=urn:btmh:1220<64 hex>&dn=<name>&tr=<tracker>
 *            &ws=<web seed>&x.pe=<host:port>&so=0,2,4-7
 * Only a hash is required. Unknown parameters and entries that make no sense are left out.
 */
#ifndef FRESHET_METAINFO_MAGNET_H
#define FRESHET_METAINFO_MAGNET_H

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/metainfo/metainfo.h"

struct magnet_range {
    uint32_t first, last; /* files, from 0; last is included */
};

/* All texts are NUL-terminated and hold no control characters. Read-only once made. */
struct magnet {
    bool has_v1, has_v2;
    uint8_t info_hash_v1[20];
    uint8_t info_hash_v2[32];
    const char *name; /* a safe name, for people; NULL when absent */
    const char **trackers;
    uint32_t tracker_count;
    const char **web_seeds;
    uint32_t web_seed_count;
    const char **peers; /* "host:port", "192.0.2.1:6881", "[2001:db8::1]:6881" */
    uint32_t peer_count;
    struct magnet_range *ranges; /* BEP 53: files to get; none given: all */
    uint32_t range_count;
    struct metainfo_arena *arena; /* private */
};

/* Reads a magnet link, or a bare hash: 40 hex or 32 base32 digits (v1), 64 hex (v2). On failure
 * *ret_magnet is untouched and `reason` is a sentence for a person. */
enum freshet_error magnet_parse(struct bytes text, struct magnet **ret_magnet,
                                char reason[METAINFO_REASON_SIZE]);
void magnet_free(struct magnet *magnet);
/* Is the text meant as a magnet link? */
bool magnet_is(struct bytes text);
/* Does the link ask for this file? */
bool magnet_selects(const struct magnet *magnet, file_index file);
/* Appends the link. */
void magnet_format(const struct magnet *magnet, struct buffer *out);
/* Appends the link to a torrent: hashes, name, trackers, web seeds. */
void magnet_format_metainfo(const struct metainfo *metainfo, struct buffer *out);
/* Does the link name this torrent (every hash that it has)? */
bool magnet_matches(const struct magnet *magnet, const struct metainfo *metainfo);

#endif

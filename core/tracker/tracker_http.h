/* SPDX-License-Identifier: MIT */
/*
 * Announce and scrape over HTTP, the client's side: URLs out, bencoded replies in (BEP 3, 7, 21,
 * 23, 24, 31, 48). The transfer itself is a fetch job (core/door/door.h). The server's side is
 * tracker_server.h.
 */
#ifndef FRESHET_TRACKER_TRACKER_HTTP_H
#define FRESHET_TRACKER_TRACKER_HTTP_H

#include "core/tracker/tracker_reply.h"

/* Appends the URL to fetch for an announce: the torrent's URL, which may have a query of its own,
 * with our keys behind it. FRESHET_ERROR_LIMIT when the tracker's URL is longer than
 * LIMIT_URL_LENGTH. */
enum freshet_error tracker_http_announce_url(struct bytes url,
                                             const struct tracker_announce *announce,
                                             struct buffer *ret_url);
/* BEP 48: the last path element must begin with "announce"; else FRESHET_ERROR_UNSUPPORTED.
 * `hashes` are hash_count × 20 bytes. */
enum freshet_error tracker_http_scrape_url(struct bytes url, const uint8_t *hashes,
                                           uint32_t hash_count, struct buffer *ret_url);

/* Parses the body of an announce. A refusal is FRESHET_OK with ret_reply->failed. ret_reply is
 * initialised by this call, also when it fails, and is the caller's to deinit. */
enum freshet_error tracker_http_parse_reply(struct bytes body, struct tracker_reply *ret_reply);
/* The counts of one hash in a scrape's body. FRESHET_ERROR_MISSING when it is not there,
 * FRESHET_ERROR_REFUSED when the body is a failure reason. */
enum freshet_error tracker_http_parse_scrape(struct bytes body,
                                             const uint8_t info_hash[TRACKER_HASH_SIZE],
                                             struct tracker_counts *ret_counts);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What an HTTP tracker is asked: path and query of an announce (BEP 3, 7, 21, 23) or a scrape
 * (BEP 48), taken apart. Works on the raw text: info-hashes and peer ids are percent-encoded bytes
 * that no library's string decoding keeps whole.
 */
#ifndef FRESHET_TRACKER_TRACKER_QUERY_H
#define FRESHET_TRACKER_TRACKER_QUERY_H

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/tracker/tracker_announce.h"

enum tracker_query_type { TRACKER_QUERY_OTHER, TRACKER_QUERY_ANNOUNCE, TRACKER_QUERY_SCRAPE };

struct tracker_query {
    enum tracker_query_type type; /* by the last element of the path */
    struct tracker_announce announce;
    uint8_t hashes[LIMIT_SCRAPE_HASHES][TRACKER_HASH_SIZE]; /* of a scrape: sorted, each once */
    uint32_t hash_count;
    const char *problem; /* what a person should know when parsing failed; static */
};

/* `target`: what stands behind GET, for instance "/announce?info_hash=...". FRESHET_ERROR_LIMIT
 * when it is longer than LIMIT_TRACKER_QUERY, MISSING, SYNTAX, RANGE; then `problem` says more. */
enum freshet_error tracker_query_parse(struct bytes target, struct tracker_query *ret_query);

#endif

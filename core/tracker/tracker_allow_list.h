/* SPDX-License-Identifier: MIT */
/*
 * The torrents that a closed tracker serves: info-hashes, read from a text with one of 40 hex
 * digits a line. Empty lines and lines that begin with '#' are skipped; what follows a hash behind
 * white space is a remark.
 */
#ifndef FRESHET_TRACKER_TRACKER_ALLOW_LIST_H
#define FRESHET_TRACKER_TRACKER_ALLOW_LIST_H

#include "core/base/error.h"
#include "core/base/map.h"
#include "core/tracker/tracker_announce.h"

struct tracker_allow_list {
    struct map hashes; /* only whether a hash is in it has a meaning */
};

/* FRESHET_ERROR_SYNTAX, or LIMIT when there are more than LIMIT_TRACKER_ALLOWED; *ret_line is then
 * the line, from 1, and the list is empty. Free it with deinit. */
enum freshet_error tracker_allow_list_parse(struct bytes text, struct tracker_allow_list *ret_list,
                                            size_t *ret_line);
void tracker_allow_list_deinit(struct tracker_allow_list *list);
bool tracker_allow_list_has(const struct tracker_allow_list *list,
                            const uint8_t info_hash[TRACKER_HASH_SIZE]);

#endif

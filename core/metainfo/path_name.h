/* SPDX-License-Identifier: MIT */
/*
 * Makes the path elements that a torrent brings safe to be names of files. They are changed, not
 * refused, since honest torrents have odd names; what comes out
 *   - is valid UTF-8 of 1 to LIMIT_PATH_ELEMENT bytes, so it is never empty
 *   - is never "." or "..", and holds no '/', '\', NUL or other control character
 *   - holds no mark that turns the direction of text, and no invisible byte order mark
 *   - does not end in a dot or a space, and is none of the device names of other systems
 * A name that is already so stays as it is.
 */
#ifndef FRESHET_METAINFO_PATH_NAME_H
#define FRESHET_METAINFO_PATH_NAME_H

#include "core/base/bytes.h"

/* Appends the safe form of one element. Returns true when that is the element as it came. */
bool path_name_clean(struct bytes raw, struct buffer *out);
/* Appends a safe name with ".<number>" put before its extension, within LIMIT_PATH_ELEMENT bytes:
 * "read.me" and 2 give "read.2.me". */
void path_name_number(struct bytes safe, uint32_t number, struct buffer *out);
/* Appends a key that is equal for names that a disk may take for the same: without regard to case,
 * normal form and the order of combining marks. */
void path_name_fold(struct bytes safe, struct buffer *out);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The names of one torrent's files, made safe together: no two of them may meet on a disk that
 * ignores case or normal form, and no file may bear a folder's name. Who comes first keeps the
 * name, who comes later is numbered ("read.1.me"), so the same torrent always gives the same names.
 */
#ifndef FRESHET_METAINFO_PATH_NAME_SET_H
#define FRESHET_METAINFO_PATH_NAME_SET_H

#include "core/base/bytes.h"
#include "core/base/error.h"

struct path_name_set;

struct path_name_set *path_name_set_new(void);
void path_name_set_free(struct path_name_set *set);
/* Appends the safe path of a file, '/' between elements, behind what `out` holds already (the
 * torrent's own name and a '/', or nothing). ret_changed: some element differs from the raw one.
 * FRESHET_ERROR_LIMIT: over LIMIT_PATH_DEPTH elements, LIMIT_PATH_LENGTH bytes in all of `out`, or
 * LIMIT_DUPLICATE_NAMES names that had to be numbered. FRESHET_ERROR_RANGE: no elements. */
enum freshet_error path_name_set_add(struct path_name_set *set, const struct bytes *elements,
                                     uint32_t element_count, struct buffer *out, bool *ret_changed);

#endif

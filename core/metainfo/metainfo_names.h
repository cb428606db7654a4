/* SPDX-License-Identifier: MIT */
/*
 * Content that already lies on the disk under the names that the torrent has, not under the safe
 * ones that a download would get: what we made a torrent of ourselves, or what another client got.
 * Only plain elements are taken (not empty, ".", "..", no '/' or NUL), so a path stays below its
 * root all the same.
 */
#ifndef FRESHET_METAINFO_METAINFO_NAMES_H
#define FRESHET_METAINFO_METAINFO_NAMES_H

#include "core/metainfo/metainfo.h"

/* Appends the file's path with the torrent's own names, NUL-terminated. false, and nothing
 * appended, when some element is not plain or all is longer than LIMIT_PATH_LENGTH. */
bool metainfo_names_raw_path(const struct metainfo *metainfo, file_index file, struct buffer *out);
/* Gives the file that path. Before anyone else shares the metainfo. */
bool metainfo_names_use_raw(struct metainfo *metainfo, file_index file);

#endif

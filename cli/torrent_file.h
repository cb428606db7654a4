/* SPDX-License-Identifier: MIT */
/* Reading and writing .torrent files for the commands; what goes wrong is said on stderr here. */
#ifndef FRESHET_CLI_TORRENT_FILE_H
#define FRESHET_CLI_TORRENT_FILE_H

#include "cli/exit_code.h"
#include "core/metainfo/metainfo.h"

/* The whole file, or stdin for "-"; at most LIMIT_TORRENT_FILE_SIZE. The caller deinits *ret_bytes,
 * also after a failure. Codes: NO_TORRENT when there is no such file, DISK, BAD_INPUT. */
enum exit_code torrent_file_read(const char *path, struct buffer *ret_bytes);
/* Does the file begin as a .torrent does, whether the rest of it is one or not? */
bool torrent_file_begins_like_one(const char *path);
/* The same, parsed. The caller frees the metainfo. */
enum exit_code torrent_file_load(const char *path, struct metainfo **ret_metainfo);
/* Puts the bytes in place of `path` at once or not at all: a new file beside it, synced, renamed.
 * "-" is stdout. */
enum exit_code torrent_file_write(const char *path, struct bytes bytes);

#endif

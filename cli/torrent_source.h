/* SPDX-License-Identifier: MIT */
/*
 * Where a torrent comes from when a person names it: a .torrent file, `-` for stdin, an http(s)
 * URL, a magnet link or an info-hash.
 */
#ifndef FRESHET_CLI_TORRENT_SOURCE_H
#define FRESHET_CLI_TORRENT_SOURCE_H

#include "cli/exit_code.h"
#include "core/metainfo/magnet.h"
#include "core/metainfo/metainfo.h"
#include "host/network_route.h"

struct torrent_source {
    struct metainfo *metainfo;
    struct buffer bytes;               /* the whole .torrent */
    const struct network_route *route; /* by which a URL is fetched, or NULL; set as the hint is */
    const char *hint; /* what to do with what is no torrent, or NULL; set before it is loaded */
};

/* Says on stderr what is wrong and returns the exit code; EXIT_CODE_OK fills ret_source.
 * state_folder: NULL for the default one. A magnet link or hash of a torrent that the state does
 * not know comes back as *ret_magnet, and ret_source stays empty; with ret_magnet NULL it is an
 * error. */
enum exit_code torrent_source_load(const char *operand, const char *state_folder,
                                   struct torrent_source *ret_source, struct magnet **ret_magnet);
/* From bytes that are there already (taken). `what` names them in messages. */
enum exit_code torrent_source_parse(const char *what, struct buffer *bytes,
                                    struct torrent_source *ret_source);
/* Frees what is still its own: whoever takes the metainfo sets it to NULL. */
void torrent_source_deinit(struct torrent_source *source);

#endif

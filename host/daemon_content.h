/* SPDX-License-Identifier: MIT */
/*
 * What is in a torrent that a daemon keeps, read from the state: the .torrent, with the names that
 * a person has given to its files since. Loading blocks; any thread.
 */
#ifndef FRESHET_HOST_DAEMON_CONTENT_H
#define FRESHET_HOST_DAEMON_CONTENT_H

#include "core/metainfo/metainfo.h"
#include "host/state_store.h"
#include "services/catalog/catalog.h"

/* What a worker needs of a row, copied on the loop's thread. */
struct daemon_content_source {
    uint8_t key[32];
    char *folder;
    char **renamed_paths, **renamed_names;
    uint32_t renamed_count;
};

void daemon_content_source_init(struct daemon_content_source *source,
                                const struct catalog_torrent *torrent);
void daemon_content_source_deinit(struct daemon_content_source *source);

enum freshet_error daemon_content_load(struct state_store *state,
                                       const struct daemon_content_source *source,
                                       struct metainfo **ret_metainfo,
                                       char ret_text[METAINFO_REASON_SIZE]);
/* Paths below the root as payload_move.h wants them: NULL for what is not on the disk. The array is
 * the caller's, the texts are the metainfo's. */
const char **daemon_content_paths(const struct metainfo *metainfo);
/* Does `name` in `folder` lie where a torrent's own files are or will be? Its makers wrote it then,
 * not whoever put things into the folder. */
bool daemon_content_holds(const struct catalog *catalog, const char *folder, const char *name);

#endif

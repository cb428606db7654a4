/* SPDX-License-Identifier: MIT */
/* Makes a torrent of a file or folder on the disk: walk, hash, build. Used by create and by seed of
 * a bare path. Says on stderr what goes wrong. */
#ifndef FRESHET_CLI_TORRENT_CREATE_H
#define FRESHET_CLI_TORRENT_CREATE_H

#include "cli/exit_code.h"
#include "core/metainfo/metainfo.h"

struct torrent_create_options {
    const char *path;
    bool has_v1, has_v2;
    uint32_t piece_length; /* 0: chosen by size */
    const char *const *trackers;
    const uint32_t *tracker_tiers;
    uint32_t tracker_count;
    const char *const *web_seeds;
    uint32_t web_seed_count;
    bool is_private;
    const char *source, *comment, *created_by; /* NULL: left out */
    int64_t creation_date;                     /* 0: left out */
    const char *const *excludes;
    size_t exclude_count;
    bool keep_symlinks;
    unsigned threads;     /* 0: as many as suit the machine */
    const char *progress; /* style of --progress; NULL: auto */
};

struct torrent_create_result {
    struct buffer torrent;     /* the .torrent */
    struct metainfo *metainfo; /* the same, parsed */
    char *folder;              /* where the content is: the folder that holds the torrent's name */
};

/* On failure there is nothing in *ret_result. */
enum exit_code torrent_create_run(const struct torrent_create_options *options,
                                  struct torrent_create_result *ret_result);
void torrent_create_result_deinit(struct torrent_create_result *result);

#endif

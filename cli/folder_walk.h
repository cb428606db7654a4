/* SPDX-License-Identifier: MIT */
/* The files below a folder, as a torrent is made of them. */
#ifndef FRESHET_CLI_FOLDER_WALK_H
#define FRESHET_CLI_FOLDER_WALK_H

#include "cli/exit_code.h"
#include "core/metainfo/torrent_builder.h"

struct folder_walk_options {
    const char *const *excludes; /* globs, matched with the name and with the path below the root */
    size_t exclude_count;
    bool keep_symlinks; /* those that lead to a file of the walk become BEP 47 symlinks */
};

struct folder_walk {
    struct torrent_builder_file *files; /* paths and symlinks are owned by the walk */
    uint32_t count, capacity;
    uint64_t total_length;
};

/* Walks the folder open as `root` (not closed), in the order of raw names. Notes on stderr what is
 * left out: symlinks, sockets, devices. The caller deinits the walk, also after a failure. */
enum exit_code folder_walk_run(struct folder_walk *walk, int root,
                               const struct folder_walk_options *options);
void folder_walk_deinit(struct folder_walk *walk);

#endif

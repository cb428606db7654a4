/* SPDX-License-Identifier: MIT */
/*
 * The files of one folder that is watched: what lies there, what is in it, what becomes of a file
 * that was taken. Blocking calls, for a worker; who calls them and when is daemon_watch.c.
 */
#ifndef FRESHET_HOST_WATCH_FOLDER_H
#define FRESHET_HOST_WATCH_FOLDER_H

#include "core/metainfo/magnet.h"
#include "core/metainfo/metainfo.h"
#include "services/intake/intake_rule.h"
#include "services/intake/intake_taken.h"

/* By which a file is known to be what it was. */
struct watch_stamp {
    uint64_t size, inode;
    int64_t modified_ns, changed_ns;
};

struct watch_found {
    char *name;
    struct watch_stamp stamp;
    struct intake_key key;   /* of the name */
    struct intake_key taken; /* of folder, name, size and time */
};

struct watch_look {
    struct watch_found *files; /* .torrent and .magnet files, none that begin with a dot */
    uint32_t count;
    bool has_more;
    bool is_remote;         /* events of other machines would not be seen */
    uint64_t device, inode; /* of the folder */
    char trouble[128];      /* why it could not be read; "" */
};

struct watch_content {
    struct metainfo *metainfo; /* or */
    char *magnet;
    struct buffer torrent;
    bool is_moving; /* it is not what it was: look again */
    bool is_bad;    /* it holds nothing that can be added: `words` */
    char words[METAINFO_REASON_SIZE + 64];
};

bool watch_folder_same(const struct watch_stamp *a, const struct watch_stamp *b);
void watch_folder_look(const char *path, struct watch_look *ret_look);
void watch_folder_look_deinit(struct watch_look *look);
void watch_folder_read(const char *path, const char *name, const struct watch_stamp *stamp,
                       struct watch_content *ret_content);
void watch_folder_content_deinit(struct watch_content *content);
/* Renames or deletes the file if it is still the one of the stamp. */
enum freshet_error watch_folder_finish(const char *path, const char *name,
                                       const struct watch_stamp *stamp, enum intake_after after);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The torrents that lie in another program's folder, as that program keeps them. Everything is
 * opened for reading only, and what is no ordinary file is not opened at all.
 */
#ifndef FRESHET_CLI_IMPORT_FOLDER_H
#define FRESHET_CLI_IMPORT_FOLDER_H

#include "cli/exit_code.h"
#include "host/qbittorrent_database.h"
#include "services/takeover/takeover.h"

struct import_entry {
    char *base;         /* its files' name there without the ending, mostly the hash */
    char *torrent_path; /* NULL: it is in a database, or there is only a link */
    struct qbittorrent_database *database; /* borrowed; NULL: it is in none */
    int64_t row;                           /* there */
    struct takeover *takeover;
    char *name;
    uint64_t size;
    uint32_t files, files_there; /* of those wanted: how many, and how many are on the disk */
    uint32_t files_part;         /* of them under their name with ".part" behind it only */
    bool trackers_differ;        /* its trackers are not those of the .torrent */
};

struct import_list {
    struct import_entry *entries;
    size_t count, capacity;
    struct qbittorrent_database *database; /* from which they are; NULL: from files */
};

/* Transmission's configuration folder, with resume/ and torrents/ in it. */
enum exit_code import_folder_transmission(const char *folder, struct import_list *ret_list);
/* qBittorrent's BT_backup, or a folder in which it is; or torrents.db, likewise, which has its
 * torrents as long as it is there: what is in BT_backup then is from before. */
enum exit_code import_folder_qbittorrent(const char *folder, struct import_list *ret_list);
void import_folder_deinit(struct import_list *list);
/* Appends the .torrent of one that is no link. */
enum freshet_error import_folder_torrent(const struct import_entry *entry,
                                         struct buffer *ret_bytes);
/* A whole file of at most `most` bytes; appended. */
enum freshet_error import_folder_read(const char *path, size_t most, struct buffer *ret_bytes);

#endif

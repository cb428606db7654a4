/* SPDX-License-Identifier: MIT */
/*
 * qBittorrent's torrents.db, where it keeps its torrents when told to use SQLite (4.4 and later)
 * instead of a folder of .fastresume and .torrent files. Opened for reading only and as something
 * that does not change: nothing is written, no lock is taken, no file appears beside it. Of its
 * columns any may be absent, as they are in older versions.
 */
#ifndef FRESHET_HOST_QBITTORRENT_DATABASE_H
#define FRESHET_HOST_QBITTORRENT_DATABASE_H

#include "core/base/bytes.h"
#include "core/base/error.h"

#include <stdint.h>

#define QBITTORRENT_REASON_SIZE 256

struct qbittorrent_database;

/* On failure `reason` says what is wrong, to follow the file's name. Refused is one beside which
 * there is a log of changes (-wal) that it does not have yet: its program runs, or did not end
 * well.
 */
enum freshet_error qbittorrent_database_open(const char *path,
                                             struct qbittorrent_database **ret_database,
                                             char reason[QBITTORRENT_REASON_SIZE]);
/* NULL is fine. */
void qbittorrent_database_free(struct qbittorrent_database *database);

struct qbittorrent_row {
    int64_t number;      /* by which its torrent is found */
    const char *hash;    /* in hexadecimal, as it is there; borrowed */
    struct bytes resume; /* what a .fastresume would hold, qBt- keys included; borrowed */
};

/* Each row in the order of its queue, those that are in none last. Damage ends it with an error. */
enum freshet_error qbittorrent_database_each(struct qbittorrent_database *database,
                                             void (*each)(void *context,
                                                          const struct qbittorrent_row *row),
                                             void *context, char reason[QBITTORRENT_REASON_SIZE]);
/* Appends its .torrent; FRESHET_ERROR_NOT_FOUND: there is only a link. */
enum freshet_error qbittorrent_database_torrent(struct qbittorrent_database *database,
                                                int64_t number, struct buffer *ret_torrent);

#endif

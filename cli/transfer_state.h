/* SPDX-License-Identifier: MIT */
/*
 * The inside of a transfer, for the transfer*.c files only. transfer.c: torrents come, run and end.
 * transfer_notices.c: what the engine tells. transfer_magnet.c: torrents whose metadata is fetched
 * first.
 */
#ifndef FRESHET_CLI_TRANSFER_STATE_H
#define FRESHET_CLI_TRANSFER_STATE_H

#include "cli/on_done.h"
#include "cli/progress.h"
#include "cli/transfer.h"
#include "cli/transfer_options.h"
#include "cli/transfer_peers.h"
#include "host/session.h"

#define TORRENTS_MAX 1024

/* One torrent of the run. */
struct transfer_torrent {
    struct torrent_source source; /* its metainfo goes to the engine */
    struct magnet *magnet;        /* NULL unless the metadata is fetched first */
    char root[LIMIT_PATH_LENGTH + 1];
    char info_hash[65];
    char *name;
    char top[LIMIT_PATH_ELEMENT + 1]; /* the file or folder on the disk, below root */
    uint8_t *priorities;
    int64_t begun_ns;
    struct torrent_status status; /* as it was when it was last there */
    char *strip;                  /* -v: its pieces then; NULL: not wanted */
    bool just_hashed;
    bool checked, complete, failed, over; /* over: nothing more is to come */
    enum exit_code code;
};

struct transfer {
    enum transfer_kind kind;
    struct transfer_options options;
    struct session *session;
    transfer_chooser *choose; /* which files of a magnet link's torrent */
    void *choose_context;
    struct progress *progress;
    struct transfer_torrent **torrents;
    size_t count;
    struct transfer_peers peers;
    struct on_done on_done;
    int64_t begun_ns;
    int64_t moved_ns; /* when something came last */
    uint64_t moved_bytes;
    bool interrupted, timed_out, stopping;
    enum exit_code code; /* of what failed first */
};

/* transfer.c */
struct transfer_torrent *transfer_find(const struct transfer *transfer, torrent_id id);
void transfer_look(struct transfer *transfer, size_t index);
void transfer_line(const struct transfer_torrent *torrent, struct progress_line *ret_line);
void transfer_stop_if_over(struct transfer *transfer);
void transfer_fail(struct transfer *transfer, struct transfer_torrent *torrent,
                   enum exit_code code);
enum exit_code transfer_start_one(struct transfer *transfer, size_t index);
/* Takes the torrent, or frees it: the code says why. */
enum exit_code transfer_keep(struct transfer *transfer, struct transfer_torrent *torrent,
                             const char *root);
struct transfer_torrent *transfer_torrent_new(const struct transfer *transfer);
void transfer_torrent_free(struct transfer_torrent *torrent);

/* transfer_notices.c */
void transfer_notices_on(void *context, const struct notice *notice);

/* transfer_magnet.c */
void transfer_magnet_start(struct transfer *transfer, size_t index);
void transfer_magnet_known(struct transfer *transfer, struct transfer_torrent *torrent,
                           torrent_id id);

#endif

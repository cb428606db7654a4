/* SPDX-License-Identifier: MIT */
/* Which torrents this process has claimed, and their records in the state. */
#ifndef FRESHET_HOST_SESSION_TORRENTS_H
#define FRESHET_HOST_SESSION_TORRENTS_H

#include "host/session_options.h"

struct session;

struct session_torrent_options {
    torrent_id id;
    struct bytes torrent; /* the .torrent file, kept in the state; may be empty */
    bool forget_record;   /* trust nothing that was recorded before */
};

/* Claims the torrent below its root for this process, finds its record, and adds it. Takes the
 * metainfo on success. `options->root` must come from root_path_resolve; resume is filled
 * in. FRESHET_ERROR_BUSY: another process has it, `ret_text` names it. */
enum freshet_error session_torrents_add(struct session *session, struct metainfo *metainfo,
                                        const struct torrent_options *options,
                                        const struct session_torrent_options *torrent,
                                        char ret_text[SESSION_TEXT_SIZE]);
/* Lets go of one that the engine has removed. */
void session_torrents_on_removed(struct session *session, torrent_id id);
void session_torrents_forget_all(struct session *session);

#endif

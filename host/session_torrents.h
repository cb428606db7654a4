/* SPDX-License-Identifier: MIT */
/* Which torrents this process has claimed, and their records in the state. */
#ifndef FRESHET_HOST_SESSION_TORRENTS_H
#define FRESHET_HOST_SESSION_TORRENTS_H

#include "core/metainfo/magnet.h"
#include "host/session_options.h"
#include "host/state_store.h"

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
/* The same in two halves, for whoever may not let the loop wait: the first blocks and may run on
 * any thread, the second belongs to the loop's. */
struct session_claim {
    uint8_t key[32];
    int lock;
    struct state_record record; /* memory NULL: nothing is recorded */
};
enum freshet_error session_torrents_claim(struct session *session, const struct metainfo *metainfo,
                                          const char *root,
                                          const struct session_torrent_options *torrent,
                                          char ret_text[SESSION_TEXT_SIZE],
                                          struct session_claim *ret_claim);
/* Takes the metainfo and the claim. */
void session_torrents_add_claimed(struct session *session, struct metainfo *metainfo,
                                  const struct torrent_options *options, torrent_id id,
                                  struct session_claim *claim);
/* It is not added after all. */
void session_torrents_unclaim(struct session_claim *claim);
/* Only its hash is known, or (metainfo, taken) its piece layers are missing: fetches the rest. Then
 * comes NOTICE_METADATA, session_torrents_take_metadata, and session_torrents_add under the same
 * number, or a removal. */
struct session_magnet_options {
    torrent_id id;
    const struct magnet *magnet; /* or NULL, then */
    struct metainfo *metainfo;
    const struct address *peers;
    uint32_t peer_count;
    enum transport transport; /* as in torrent_options */
};
void session_torrents_add_magnet(struct session *session,
                                 const struct session_magnet_options *options);
/* After NOTICE_METADATA: the torrent as a .torrent, with the link's trackers and web seeds. */
enum freshet_error session_torrents_take_metadata(struct session *session, torrent_id id,
                                                  const struct magnet *magnet,
                                                  struct metainfo **ret_metainfo,
                                                  struct buffer *ret_torrent);
/* Keeps the .torrent in the state, by which its hash is known from now on. */
enum freshet_error session_torrents_remember(struct session *session,
                                             const struct metainfo *metainfo, struct bytes torrent);
/* Lets go of one that the engine has removed. */
void session_torrents_on_removed(struct session *session, torrent_id id);
void session_torrents_forget_all(struct session *session);

#endif

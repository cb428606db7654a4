/* SPDX-License-Identifier: MIT */
/* The torrents of a library's session: their numbers, what names them, and what becomes of magnet
 * links. Everything here is called with the session's lock held. */
#ifndef FRESHET_LIBRARY_LIBRARY_TORRENTS_H
#define FRESHET_LIBRARY_LIBRARY_TORRENTS_H

#include "core/base/list.h"
#include "core/metainfo/magnet.h"
#include "include/freshet/freshet.h"

struct session;

struct library_torrent {
    struct list_node node;
    uint32_t id;
    uint8_t key[32];       /* v2's info-hash, else v1's and zeros */
    struct magnet *magnet; /* it came as a link, else NULL */
    unsigned flags;
    char folder[LIMIT_PATH_LENGTH + 1];
};

struct library_torrents {
    struct list list;
    uint32_t next_id;
};

void library_torrents_init(struct library_torrents *torrents);
void library_torrents_deinit(struct library_torrents *torrents);
/* NULL: there is none of that number. */
struct library_torrent *library_torrents_find(const struct library_torrents *torrents, uint32_t id);
void library_torrents_forget(struct library_torrents *torrents, uint32_t id);

struct library_add {
    struct session *session;
    const char *folder;
    unsigned flags;
    uint32_t *ret_torrent;
    char *ret_text;
};

enum freshet_result library_torrents_add_link(struct library_torrents *torrents,
                                              const struct library_add *add, const char *link);
/* Takes the bytes. */
enum freshet_result library_torrents_add_bytes(struct library_torrents *torrents,
                                               const struct library_add *add, struct buffer *bytes);
/* The metadata of a link are there. false: they make no torrent, or it cannot begin: ret_text. */
bool library_torrents_known(struct library_torrents *torrents, struct session *session, uint32_t id,
                            char ret_text[FRESHET_TEXT_SIZE]);

#endif

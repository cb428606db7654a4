/* SPDX-License-Identifier: MIT */
/* Contents of torrents that are not open, the last few that somebody asked for. */
#include "host/daemon_state.h"

#include <string.h>

bool daemon_known_find(void *context, torrent_id id, struct service_content *ret_content)
{
    struct daemon_service *daemon = context;
    struct engine *engine = session_engine(daemon->session);
    const struct metainfo *open = engine_torrent_metainfo(engine, id);
    struct torrent_status status;

    if (open && engine_torrent_status(engine, id, &status)) {
        *ret_content = (struct service_content){open, status.pieces};
        return true;
    }
    for (unsigned i = 0; i < DAEMON_CONTENTS; i++) {
        struct daemon_known *known = &daemon->known[i];
        if (known->id != id || id == 0)
            continue;
        known->used = ++daemon->known_used;
        *ret_content =
            (struct service_content){known->metainfo, known->has_pieces ? &known->pieces : NULL};
        return true;
    }
    return false;
}

static void known_deinit(struct daemon_known *known)
{
    if (known->has_pieces)
        bitfield_deinit(&known->pieces);
    metainfo_free(known->metainfo);
    memset(known, 0, sizeof *known);
}

void daemon_known_put(struct daemon_service *daemon, torrent_id id, struct metainfo *metainfo,
                      struct bitfield *pieces)
{
    struct daemon_known *oldest = &daemon->known[0];

    daemon_known_forget(daemon, id);
    for (unsigned i = 1; i < DAEMON_CONTENTS; i++)
        if (daemon->known[i].used < oldest->used)
            oldest = &daemon->known[i];
    known_deinit(oldest);
    *oldest = (struct daemon_known){.id = id, .metainfo = metainfo, .used = ++daemon->known_used};
    if (pieces) {
        oldest->pieces = *pieces;
        oldest->has_pieces = true;
    }
}

void daemon_known_forget(struct daemon_service *daemon, torrent_id id)
{
    for (unsigned i = 0; i < DAEMON_CONTENTS; i++)
        if (daemon->known[i].id == id)
            known_deinit(&daemon->known[i]);
}

void daemon_known_deinit(struct daemon_service *daemon)
{
    for (unsigned i = 0; i < DAEMON_CONTENTS; i++)
        known_deinit(&daemon->known[i]);
}

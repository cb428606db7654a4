/* SPDX-License-Identifier: MIT */
/* Bytes of torrents for others than peers. */
#ifndef FRESHET_HOST_SESSION_READ_H
#define FRESHET_HOST_SESSION_READ_H

#include "core/swarm/torrent.h"
#include "host/disk.h"

struct session;

/* Reads one range (engine_torrent_range) of a torrent that is open to `to`, on a worker; then
 * `done` on the loop's thread, never from within this call. The caller keeps all of it until then.
 * false: its storage is not open, and nothing will come. */
struct session_reading {
    struct disk_warming warming;
    struct file_range range;
    void (*done)(struct session_reading *reading, enum freshet_error error);
};
bool session_read(struct session *session, torrent_id torrent, struct session_reading *reading,
                  uint8_t *to);

#endif

/* SPDX-License-Identifier: MIT */
#include "host/session_read.h"

#include "host/session_parts.h"

static void on_read(struct disk_warming *warming, enum freshet_error error)
{
    struct session_reading *reading = LIST_ELEMENT(warming, struct session_reading, warming);

    storage_files_free(warming->files);
    reading->done(reading, error);
}

bool session_read(struct session *session, torrent_id torrent, struct session_reading *reading,
                  uint8_t *to)
{
    struct storage_files *files = disk_files(session->disk, torrent);

    if (!files)
        return false;
    reading->warming = (struct disk_warming){
        .files = files,
        .gather = &reading->range,
        .range_count = 1,
        .to = to,
        .done = on_read,
    };
    disk_warm(session->disk, &reading->warming);
    return true;
}

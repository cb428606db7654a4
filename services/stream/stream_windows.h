/* SPDX-License-Identifier: MIT */
/*
 * Which pieces readers of a torrent's files want, and when. Of each file that is read: its first
 * bytes and its last, where players look first (an index may stand at either end); then what lies
 * before the reader, first the next few megabytes, then more. A reader that jumps takes its windows
 * along, and does not wait for the ends.
 */
#ifndef FRESHET_STREAM_STREAM_WINDOWS_H
#define FRESHET_STREAM_STREAM_WINDOWS_H

#include "core/metainfo/geometry.h"
#include "core/swarm/torrent.h"

#define STREAM_HEAD (5u * MIB)
#define STREAM_TAIL (1u * MIB)
#define STREAM_NOW  (4u * MIB)
#define STREAM_SOON (32u * MIB)
/* However small pieces are: a window costs its pieces whenever it moves. */
#define STREAM_NOW_PIECES  256u
#define STREAM_SOON_PIECES 512u
/* Who moves on by less takes no window along. */
#define STREAM_STEP (512u * KIB)

struct stream_place {
    file_index file;
    uint64_t offset; /* in the file: what is wanted next */
};

/* Returns how many of LIMIT_PIECE_WINDOWS were filled in; of readers beyond LIMIT_FILE_READERS
 * nothing is. Files of no bytes want nothing. */
uint32_t stream_windows(const struct geometry *geometry, const struct stream_place *places,
                        uint32_t place_count, struct piece_window ret_windows[LIMIT_PIECE_WINDOWS]);

#endif

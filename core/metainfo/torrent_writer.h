/* SPDX-License-Identifier: MIT */
/*
 * A .torrent of metadata that peers gave (BEP 9): the info dictionary as it is, the piece layers
 * (BEP 52), and outside them what a magnet link says: trackers and web seeds. Read again it is the
 * same torrent.
 */
#ifndef FRESHET_METAINFO_TORRENT_WRITER_H
#define FRESHET_METAINFO_TORRENT_WRITER_H

#include "core/metainfo/magnet.h"

/* Appends the .torrent. `magnet` may be NULL: then what the metainfo itself says of trackers and
 * web seeds is written. */
void torrent_writer_write(const struct metainfo *metainfo, const struct magnet *magnet,
                          struct buffer *out);

#endif

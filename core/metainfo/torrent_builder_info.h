/* SPDX-License-Identifier: MIT */
/* How the builder writes the info dictionary. Only torrent_builder.c includes it. */
#ifndef FRESHET_METAINFO_TORRENT_BUILDER_INFO_H
#define FRESHET_METAINFO_TORRENT_BUILDER_INFO_H

#include "core/metainfo/merkle.h"
#include "core/metainfo/torrent_builder.h"

/* A file in its place in the torrent, or (file NULL) padding. */
struct torrent_builder_entry {
    const struct torrent_builder_file *file;
    const char *path;
    uint64_t length;
    uint32_t source;      /* index in options.files; UINT32_MAX for padding */
    uint32_t layer_count; /* v2: its pieces */
    const uint8_t *layer; /* v2: their nodes */
    uint8_t root[MERKLE_HASH];
};

/* `pieces`: the SHA-1s, with v1. */
void torrent_builder_info_write(const struct torrent_builder_options *options,
                                const struct torrent_builder_entry *entries, uint32_t entry_count,
                                struct bytes pieces, struct buffer *out);

#endif

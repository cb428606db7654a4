/* SPDX-License-Identifier: MIT */
/*
 * Makes a .torrent (BEP 3, 12, 19, 27, 47, 52): v1, v2 or hybrid. Pure: it is given names, lengths
 * and, piece by piece, the hashes of the content, and gives bytes. The same input gives the same
 * bytes.
 *
 *     torrent_builder_new      sorts the files as BEP 52 has them, adds the padding of a hybrid
 *     torrent_builder_geometry what to hash: for each piece geometry_ranges, with FILE_PADDING as
 *                              zeros; its file numbers count padding too, see
 * torrent_builder_source torrent_builder_set_piece  once for every piece; several threads may, for
 * different pieces torrent_builder_finish   the .torrent
 */
#ifndef FRESHET_METAINFO_TORRENT_BUILDER_H
#define FRESHET_METAINFO_TORRENT_BUILDER_H

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/metainfo/geometry.h"

struct torrent_builder_file {
    const char *path; /* below the torrent's folder, '/' between elements; not read for a single
                         file. Any bytes but NUL, '/'; no empty element, "." or ".." */
    uint64_t length;
    bool executable, hidden;
    const char *symlink; /* target as a path like the one above; length is then 0; else NULL */
};

struct torrent_builder_options {
    const char *name;
    bool single_file; /* files[0] alone, named `name` */
    bool has_v1, has_v2;
    uint32_t piece_length; /* with v2 a power of two of at least 16 KiB */
    const struct torrent_builder_file *files;
    uint32_t file_count;
    const char *const *trackers;   /* in order of tiers */
    const uint32_t *tracker_tiers; /* tier of each, ascending; NULL: all in one */
    uint32_t tracker_count;
    const char *const *web_seeds;
    uint32_t web_seed_count;
    bool is_private;
    const char *source, *comment, *created_by; /* NULL: left out */
    int64_t creation_date;                     /* unix seconds; 0: left out */
};

struct torrent_builder;

/* What `options` points at is borrowed and must outlive the builder. FRESHET_ERROR_RANGE and _LIMIT
 * as geometry_init; CONFLICT: two equal paths, a file that is a folder too, or (v2) a folder that
 * holds nothing but a file of its own name, which BEP 52 cannot tell from that file alone. */
enum freshet_error torrent_builder_new(const struct torrent_builder_options *options,
                                       struct torrent_builder **ret_builder);
void torrent_builder_free(struct torrent_builder *builder);
const struct geometry *torrent_builder_geometry(const struct torrent_builder *builder);
/* Which of options.files a file of the geometry is; UINT32_MAX for padding. */
uint32_t torrent_builder_source(const struct torrent_builder *builder, file_index file);
/* SHA-1 of geometry_piece_size bytes (ignored without v1), SHA-256 of each of
 * geometry_piece_blocks blocks of payload (ignored without v2). */
void torrent_builder_set_piece(struct torrent_builder *builder, piece_index piece,
                               const uint8_t *sha1, const uint8_t *leaves);
/* Appends the .torrent. Every piece must have been set. */
void torrent_builder_finish(const struct torrent_builder *builder, struct buffer *out);

/* A piece length for so many bytes: a power of two from 16 KiB that gives about 750 to 1500 pieces,
 * at most 16 MiB unless the pieces would be too many. */
uint32_t torrent_builder_piece_length(uint64_t total_length);

#endif

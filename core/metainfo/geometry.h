/* SPDX-License-Identifier: MIT */
/*
 * The one piece model of v1, v2 and hybrid torrents. All bytes of a torrent lie in one linear
 * space, cut into pieces of `piece_length`:
 *
 *   v1      the files one after another, BEP 47 padding files included; the last piece is short
 *   hybrid  the same, where padding makes each file start at a piece (BEP 52)
 *   v2      each file starts at a piece; the gap behind a file's end belongs to nobody
 *
 * This is the only place that divides by the piece length. Built once by geometry_init, which
 * refuses what does not add up; read-only afterwards.
 */
#ifndef FRESHET_METAINFO_GEOMETRY_H
#define FRESHET_METAINFO_GEOMETRY_H

#include "core/base/bitfield.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/door/door.h"

struct geometry_file {
    uint64_t offset; /* where the file starts in linear space */
    uint64_t length;
    bool padding; /* BEP 47 'p' */
};

struct geometry {
    uint32_t piece_length;
    uint32_t piece_count;
    uint64_t total_length;   /* linear space: end of the last file */
    uint64_t payload_length; /* bytes of the files that are not padding */
    bool aligned;            /* every file starts at a piece: v2 and hybrid */
    bool gaps;               /* v2 only: pieces end where their file ends */
    struct geometry_file *files;
    uint32_t file_count;
    file_index *solid; /* private: the files that are not empty, so that no walk meets others */
    uint64_t *payload_ends; /* private: of solid[i], the end of the last payload up to it */
    uint32_t solid_count;   /* private */
};

/* Copies `files` (offsets are filled in by this call). `aligned_gaps` selects the v2 layout.
 * FRESHET_ERROR_RANGE: piece length 0, over LIMIT_PIECE_LENGTH_MAX, or (v2) no power of two of at
 * least 16 KiB; no payload at all. FRESHET_ERROR_LIMIT: over LIMIT_PIECES_MAX, LIMIT_FILES_MAX or
 * 2^63 bytes. `geometry` is untouched on failure. */
enum freshet_error geometry_init(struct geometry *geometry, uint32_t piece_length,
                                 const struct geometry_file *files, uint32_t file_count,
                                 bool aligned_gaps);
void geometry_deinit(struct geometry *geometry);

/* Bytes of the piece that its SHA-1 covers: v1 and hybrid with padding, v2 up to the file's end. */
uint32_t geometry_piece_size(const struct geometry *geometry, piece_index piece);
/* Bytes of the piece without trailing padding: what is requested, and what v2 leaves cover. Equals
 * geometry_piece_size for v1 without padding at its end. May be 0 for a piece of padding alone. */
uint32_t geometry_piece_payload(const struct geometry *geometry, piece_index piece);
/* How many 16 KiB blocks the payload of the piece has, and the length of one of them. */
uint32_t geometry_piece_blocks(const struct geometry *geometry, piece_index piece);
uint32_t geometry_block_length(const struct geometry *geometry, piece_index piece, uint32_t block);
/* The piece that holds a byte of linear space. */
piece_index geometry_piece_at(const struct geometry *geometry, uint64_t offset);
/* The first and the last piece that a file touches; false for a file of 0 bytes. */
bool geometry_file_pieces(const struct geometry *geometry, file_index file, piece_index *ret_first,
                          piece_index *ret_last);
/* The file that holds a linear offset (for v2 gaps: the file before the gap). */
file_index geometry_file_at(const struct geometry *geometry, uint64_t offset);
/* Of each file, the bytes that lie in pieces of the field (file_count entries; padding files: 0).
 */
void geometry_file_bytes(const struct geometry *geometry, const struct bitfield *pieces,
                         uint64_t *ret_bytes);
/* Cuts [begin, begin+length) of a piece into ranges of files; padding files and gaps come out as
 * FILE_PADDING ranges. Writes at most `ranges_max` and returns how many are needed (call with 0 to
 * ask). Lengths add up to `length`. The stretch must lie within piece_length of the piece. */
uint32_t geometry_ranges(const struct geometry *geometry, piece_index piece, uint32_t begin,
                         uint32_t length, struct file_range *ranges, uint32_t ranges_max);

#endif

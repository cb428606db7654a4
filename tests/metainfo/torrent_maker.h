/* SPDX-License-Identifier: MIT */
/* Torrents for tests: content in memory, byte i of file f is (i * 7 + f * 13 + i / 251), hashed
 * through the builder. */
#ifndef FRESHET_TESTS_TORRENT_MAKER_H
#define FRESHET_TESTS_TORRENT_MAKER_H

#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/torrent_builder.h"

#include <string.h>

typedef uint8_t (*torrent_maker_byte)(uint32_t file, uint64_t offset);

static inline uint8_t torrent_maker_usual_byte(uint32_t file, uint64_t offset)
{
    return (uint8_t)(offset * 7 + file * 13 + offset / 251);
}

/* The bytes of a piece; the caller frees them. */
static inline uint8_t *torrent_maker_piece(const struct torrent_builder *builder, uint32_t piece,
                                           torrent_maker_byte byte)
{
    const struct geometry *geometry = torrent_builder_geometry(builder);
    uint32_t size = geometry_piece_size(geometry, piece);
    uint8_t *bytes = memory_new(size);
    uint32_t count = geometry_ranges(geometry, piece, 0, size, NULL, 0);
    struct file_range *ranges = memory_new_array(count, sizeof ranges[0]);
    geometry_ranges(geometry, piece, 0, size, ranges, count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < ranges[i].length; j++, at++)
            if (ranges[i].file != FILE_PADDING)
                bytes[at] =
                    byte(torrent_builder_source(builder, ranges[i].file), ranges[i].offset + j);
    memory_free(ranges);
    return bytes;
}

/* Hashes of a piece: SHA-1 of all of it, and a leaf for each block of payload (caller frees). */
static inline uint8_t *torrent_maker_leaves(const struct geometry *geometry, uint32_t piece,
                                            const uint8_t *bytes)
{
    uint32_t blocks = geometry_piece_blocks(geometry, piece);
    uint8_t *leaves = memory_new_array(blocks, SHA256_SIZE);
    for (uint32_t i = 0; i < blocks; i++)
        sha256_of(bytes + (size_t)i * LIMIT_BLOCK_SIZE, geometry_block_length(geometry, piece, i),
                  leaves + (size_t)i * SHA256_SIZE);
    return leaves;
}

static inline struct buffer torrent_maker_make(const struct torrent_builder_options *options,
                                               torrent_maker_byte byte)
{
    struct buffer out = {0};
    struct torrent_builder *builder;
    if (torrent_builder_new(options, &builder) != FRESHET_OK)
        return out;
    const struct geometry *geometry = torrent_builder_geometry(builder);
    for (uint32_t piece = 0; piece < geometry->piece_count; piece++) {
        uint8_t *bytes = torrent_maker_piece(builder, piece, byte);
        uint8_t *leaves = torrent_maker_leaves(geometry, piece, bytes);
        uint8_t sha1[SHA1_SIZE];
        sha1_of(bytes, geometry_piece_size(geometry, piece), sha1);
        torrent_builder_set_piece(builder, piece, sha1, leaves);
        memory_free(leaves);
        memory_free(bytes);
    }
    torrent_builder_finish(builder, &out);
    torrent_builder_free(builder);
    return out;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A v2 torrent whose content nobody has: its leaves are made-up hashes, so that a file of thousands
 * of pieces costs nothing; and its whole merkle tree, built the plain way.
 */
#ifndef FRESHET_TESTS_LEAF_TORRENT_H
#define FRESHET_TESTS_LEAF_TORRENT_H

#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/merkle.h"
#include "core/metainfo/metainfo.h"
#include "core/metainfo/torrent_builder.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_LAYERS_MAX 24

struct leaf_torrent {
    struct metainfo *metainfo;
    struct buffer encoded;
    uint64_t file_length; /* of file 0, the one whose tree is here */
    uint32_t height;
    uint32_t widths[LEAF_LAYERS_MAX];
    uint8_t *layers[LEAF_LAYERS_MAX]; /* from the leaves up */
};

static inline void leaf_torrent_tree(struct leaf_torrent *made, const uint8_t *leaves,
                                     uint32_t count)
{
    uint32_t width = (uint32_t)merkle_width(count);
    made->layers[0] = memory_new_array(width, 32);
    memcpy(made->layers[0], leaves, (size_t)count * 32);
    made->widths[0] = width;
    while (width > 1) {
        width /= 2;
        made->height++;
        made->widths[made->height] = width;
        made->layers[made->height] = memory_new_array(width, 32);
        for (uint32_t i = 0; i < width; i++)
            sha256_of(made->layers[made->height - 1] + (size_t)i * 64, 64,
                      made->layers[made->height] + (size_t)i * 32);
    }
}

static inline struct metainfo *leaf_torrent_parse(struct bytes encoded)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (metainfo_parse(encoded, &metainfo, reason) != FRESHET_OK)
        abort();
    return metainfo;
}

/* A file of `leaf_count` blocks, the last one short, and a file of one block behind it. */
static inline struct leaf_torrent *leaf_torrent_new(uint32_t leaf_count, uint32_t piece_length,
                                                    uint64_t seed)
{
    struct leaf_torrent *made = memory_new(sizeof *made);
    made->file_length = (uint64_t)leaf_count * LIMIT_BLOCK_SIZE - 5;
    struct torrent_builder_file files[] = {{.path = "a", .length = made->file_length},
                                           {.path = "b", .length = 3}};
    struct torrent_builder_options options = {
        .name = "t", .has_v2 = true, .piece_length = piece_length, .files = files, .file_count = 2};
    struct torrent_builder *builder;
    if (torrent_builder_new(&options, &builder) != FRESHET_OK)
        abort();
    const struct geometry *geometry = torrent_builder_geometry(builder);
    uint8_t *leaves = memory_new_array(leaf_count + 1, 32);
    struct rng rng;
    rng_init(&rng, seed);
    rng_fill(&rng, leaves, (size_t)(leaf_count + 1) * 32);
    uint32_t at = 0;
    for (uint32_t piece = 0; piece < geometry->piece_count; piece++) {
        torrent_builder_set_piece(builder, piece, NULL, leaves + (size_t)at * 32);
        at += geometry_piece_blocks(geometry, piece);
    }
    torrent_builder_finish(builder, &made->encoded);
    torrent_builder_free(builder);
    leaf_torrent_tree(made, leaves, leaf_count);
    memory_free(leaves);
    made->metainfo = leaf_torrent_parse(buffer_bytes(&made->encoded));
    return made;
}

/* The same torrent as a magnet's metadata exchange brings it: without piece layers. */
static inline struct metainfo *leaf_torrent_bare(const struct leaf_torrent *made)
{
    struct metainfo *bare = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (metainfo_parse_info(made->metainfo->info, &bare, reason) != FRESHET_OK)
        abort();
    return bare;
}

static inline void leaf_torrent_free(struct leaf_torrent *made)
{
    for (uint32_t i = 0; i <= made->height; i++)
        memory_free(made->layers[i]);
    metainfo_free(made->metainfo);
    buffer_deinit(&made->encoded);
    memory_free(made);
}

#endif

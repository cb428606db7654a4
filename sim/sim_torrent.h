/* SPDX-License-Identifier: MIT */
/*
 * A torrent of pretend content: its bytes are a function of (seed, place), made when somebody needs
 * them and hashed once, so that a thousand nodes can share 64 MiB without anybody holding them. The
 * .torrent (BEP 3, 52: v1, v2 or hybrid) is a real one with real digests.
 */
#ifndef FRESHET_SIM_TORRENT_H
#define FRESHET_SIM_TORRENT_H

#include "core/base/bytes.h"
#include "sim/sim_spans.h"

enum sim_torrent_version { SIM_TORRENT_V1, SIM_TORRENT_V2, SIM_TORRENT_HYBRID };

struct sim_torrent_file {
    char path[64];   /* below the root, as the metainfo names it */
    uint64_t offset; /* in linear space */
    uint64_t length;
};

struct sim_torrent {
    uint64_t seed;
    uint64_t source;  /* of its true bytes in spans */
    uint64_t length;  /* of linear space: with gaps and padding */
    uint64_t payload; /* of all files */
    uint32_t piece_length;
    uint32_t piece_count;
    bool aligned; /* each file starts at a piece: v2, hybrid */
    struct sim_torrent_file *files;
    uint32_t file_count;
    uint8_t *piece_sha1;   /* piece_count × 20 */
    uint8_t *leaves;       /* SHA-256 of each 16 KiB block of linear space × 32 */
    struct buffer encoded; /* the .torrent */
    uint8_t info_hash[20];
};

struct sim_torrent_options {
    uint64_t seed;
    uint64_t length;
    uint32_t piece_length; /* a multiple of 16 KiB; 0: chosen by length */
    uint32_t file_count;   /* 0 or 1: a single file; else lengths that do not align with pieces */
    const char *tracker;   /* announce URL or NULL */
    enum sim_torrent_version version;
};

struct sim_torrent *sim_torrent_new(const struct sim_torrent_options *options);
void sim_torrent_free(struct sim_torrent *torrent);
uint32_t sim_torrent_piece_size(const struct sim_torrent *torrent, uint32_t piece);
/* The same without the padding or gap at its end. */
uint32_t sim_torrent_piece_payload(const struct sim_torrent *torrent, uint32_t piece);
/* The real bytes of a span: true content, zeros or garbage. */
void sim_torrent_bytes(const struct sim_torrent *torrent, const struct sim_span *span,
                       uint8_t *bytes);
/* What a stretch of spans hashes to. True content gives its true digest, whatever else is there
 * gives one made from the spans; either is the same for the same bytes. */
void sim_torrent_sha1(const struct sim_torrent *torrent, const struct sim_spans *spans,
                      uint64_t begin, uint64_t length, uint8_t ret_digest[20]);
void sim_torrent_leaf(const struct sim_torrent *torrent, const struct sim_spans *spans,
                      uint64_t begin, uint64_t length, uint8_t ret_digest[32]);

#endif

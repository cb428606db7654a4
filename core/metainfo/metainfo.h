/* SPDX-License-Identifier: MIT */
/*
 * A parsed .torrent (BEP 3, 12, 19, 27, 47, 52): v1, v2 or hybrid. Keeps a copy of the raw `info`
 * dictionary, whose bytes the info-hash covers and which is never encoded again; what is parsed
 * points into it or into an arena. Read-only once made, so several readers may share it.
 */
#ifndef FRESHET_METAINFO_METAINFO_H
#define FRESHET_METAINFO_METAINFO_H

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/metainfo/geometry.h"

struct metainfo_file {
    const char *path;        /* safe relative path below the root, '/' separated, NUL-terminated;
                                begins with the torrent's safe name when multi-file */
    const struct bytes *raw; /* the path elements as the torrent has them (no name in front) */
    uint32_t raw_count;
    uint64_t length;
    bool padding, executable, hidden;
    const char *symlink; /* target as a path like the one above, made safe so that it stays inside;
                            NULL: an ordinary file */
    const uint8_t *pieces_root; /* v2: 32 bytes; NULL for v1 and for empty files */
    const uint8_t
        *piece_layer; /* v2: 32 bytes a piece, verified against the root; NULL when the
                         file has one piece (the root is its hash) or the layer is absent */
};

/* A node of the DHT that a torrent without trackers names (BEP 5). */
struct metainfo_node {
    const char *host; /* a name or numeric address, NUL-terminated */
    uint16_t port;
};

struct metainfo {
    bool has_v1, has_v2;
    uint8_t info_hash_v1[20];
    uint8_t info_hash_v2[32];
    struct bytes info; /* raw info dictionary, owned */
    const char *name;  /* made safe, UTF-8 */
    struct bytes raw_name;
    bool single_file; /* v1 `length` form, or a v2 tree of one file with the torrent's name */
    bool is_private;
    const uint8_t *pieces; /* v1: piece_count × 20 bytes; NULL without v1 */
    struct geometry geometry;
    struct metainfo_file *files; /* geometry.file_count; same order as geometry.files */
    bool renamed;                /* some name was made safe: path differs from raw */

    struct bytes *trackers;  /* in order of tiers */
    uint32_t *tracker_tiers; /* tier of each, ascending from 0 */
    uint32_t tracker_count;
    struct bytes *web_seeds; /* BEP 19 url-list */
    uint32_t web_seed_count;
    struct metainfo_node *nodes; /* BEP 5: where a DHT may be entered */
    uint32_t node_count;
    struct bytes comment, created_by, source; /* {NULL,0} when absent; source is in info */
    int64_t creation_date;                    /* unix seconds, 0 when absent */
    bool layers_missing; /* v2 file(s) lack their piece layer: fetch by hash requests first */
    struct metainfo_arena *arena; /* private */
};

/* A sentence for a person about what is wrong and where: "info.piece length: must be at least 1".
 */
#define METAINFO_REASON_SIZE 160

/* Parses a whole .torrent file. On failure *ret_metainfo is untouched and `reason` tells why. The
 * bytes may be freed afterwards. */
enum freshet_error metainfo_parse(struct bytes torrent, struct metainfo **ret_metainfo,
                                  char reason[METAINFO_REASON_SIZE]);
/* Parses a bare info dictionary (as a magnet's metadata exchange brings it). */
enum freshet_error metainfo_parse_info(struct bytes info, struct metainfo **ret_metainfo,
                                       char reason[METAINFO_REASON_SIZE]);
void metainfo_free(struct metainfo *metainfo);

/* Gives the file its piece layer (32 bytes a piece, copied), and layers_missing its new value.
 * RANGE: it needs none, or of another size. HASH: it does not lead to the file's root. Only while
 * nobody else reads the metainfo. */
enum freshet_error metainfo_set_piece_layer(struct metainfo *metainfo, file_index file,
                                            struct bytes layer);

/* Gives a file or folder another name on the disk: `path` is the path of a file of the torrent, or
 * of a folder that leads to some; `name` takes the place of its last element. The info dictionary
 * stays as it is. NOT_FOUND: no such path. EXISTS: another file would lie there. REFUSED: no safe
 * name (path_name.h). Only while nobody else reads the metainfo. */
enum freshet_error metainfo_rename(struct metainfo *metainfo, const char *path, const char *name);
/* What that would answer; nothing is changed. */
enum freshet_error metainfo_rename_judge(const struct metainfo *metainfo, const char *path,
                                         const char *name);

/* What a piece must hash to: SHA-1, a merkle node, or both (then both must pass). */
struct piece_digest {
    const uint8_t *sha1;    /* 20 bytes or NULL */
    const uint8_t *merkle;  /* 32 bytes or NULL */
    uint32_t merkle_leaves; /* number of leaves the node stands for, a power of two: blocks per
                               piece, or less for a file of less than a piece */
};
void metainfo_piece_digest(const struct metainfo *metainfo, piece_index piece,
                           struct piece_digest *ret_digest);
/* Judges the results of a hash job: sha1[20] and the leaves (count × 32) of the piece's payload. */
bool metainfo_piece_matches(const struct metainfo *metainfo, piece_index piece, const uint8_t *sha1,
                            const uint8_t *leaves, uint32_t leaf_count);
/* The hash that stands for the torrent on the wire to v1 peers and trackers: v1 if there is one,
 * else the first 20 bytes of v2. */
const uint8_t *metainfo_wire_hash(const struct metainfo *metainfo);

#endif

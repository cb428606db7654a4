/* SPDX-License-Identifier: MIT */
/* planted: core/metainfo/metainfo_v1.c */
/* finds: internal check failed: pieces.length == */
/* covers: core/metainfo/metainfo.c core/metainfo/metainfo_v1.c core/metainfo/metainfo_v2.c
 * core/metainfo/metainfo_outer.c core/metainfo/metainfo_draft.c core/metainfo/metainfo_names.c
 * core/metainfo/geometry.c */
/* A whole .torrent: what is accepted has safe paths, a digest for each piece, ranges that add up,
 * the same hashes as its bare info dictionary, and a magnet link that names it. */
#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/bencode/bencode.h"
#include "core/metainfo/magnet.h"
#include "core/metainfo/metainfo.h"
#include "core/metainfo/metainfo_names.h"
#include "core/metainfo/torrent_editor.h"

#include <string.h>

#define PIECES_LOOKED_AT 64u
#define FILES_LOOKED_AT  64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const char *path)
{
    CHECK(path[0] != '\0');
    CHECK(strlen(path) <= LIMIT_PATH_LENGTH);
    CHECK(utf8_is_valid((struct bytes){(const uint8_t *)path, strlen(path)}));
    while (*path) {
        size_t length = strcspn(path, "/");
        CHECK(length > 0 && length <= LIMIT_PATH_ELEMENT);
        CHECK(path[length - 1] != '.');
        CHECK(memchr(path, '\\', length) == NULL);
        path += length;
        CHECK(*path == '\0' || path[1] != '\0');
        path += *path == '/';
    }
}

/* A SHA-1 for each piece, neither more nor fewer. */
static void check_pieces(const struct metainfo *metainfo)
{
    struct bencode document = {0};
    struct bytes pieces;
    CHECK(bencode_parse(&document, metainfo->info, BENCODE_STRICT) == FRESHET_OK);
    if (metainfo->has_v1) {
        CHECK(bencode_find_string(bencode_root(&document), "pieces", &pieces));
        CHECK(pieces.length == 20 * (size_t)metainfo->geometry.piece_count);
    }
    bencode_deinit(&document);
}

static void check_files(const struct metainfo *metainfo)
{
    uint64_t payload = 0;
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        CHECK(file->length == metainfo->geometry.files[i].length);
        CHECK(file->padding == metainfo->geometry.files[i].padding);
        payload += file->padding ? 0 : file->length;
        if (!file->padding || file->raw_count)
            check_path(file->path);
        if (file->symlink)
            check_path(file->symlink);
    }
    CHECK(payload == metainfo->geometry.payload_length);
}

static void check_nodes(const struct metainfo *metainfo)
{
    CHECK(metainfo->node_count <= LIMIT_DHT_NAMES);
    for (uint32_t i = 0; i < metainfo->node_count; i++) {
        size_t length = strlen(metainfo->nodes[i].host);
        CHECK(length > 0 && length <= LIMIT_HOST_LENGTH);
        CHECK(metainfo->nodes[i].port > 0);
    }
}

/* A path with the torrent's own names, where it has one, stays below its root too. */
static void check_raw_path(struct metainfo *metainfo, file_index file)
{
    struct buffer out = {0};
    bool plain = metainfo_names_raw_path(metainfo, file, &out);
    CHECK(plain == (out.length > 0));
    if (plain) {
        const char *path = (const char *)out.data;
        CHECK(strlen(path) + 1 == out.length && out.length <= LIMIT_PATH_LENGTH + 1);
        for (size_t length; *path; path += length + (path[length] == '/')) {
            length = strcspn(path, "/");
            CHECK(length > 0 && length <= LIMIT_PATH_ELEMENT);
            CHECK(!(length == 1 && path[0] == '.'));
            CHECK(!(length == 2 && path[0] == '.' && path[1] == '.'));
        }
    }
    CHECK(metainfo_names_use_raw(metainfo, file) == plain);
    if (plain)
        CHECK(strcmp(metainfo->files[file].path, (const char *)out.data) == 0);
    buffer_deinit(&out);
}

static void check_file_pieces(const struct geometry *geometry, file_index file)
{
    piece_index first = 0, last = 0;
    bool some = geometry_file_pieces(geometry, file, &first, &last);
    CHECK(some == (geometry->files[file].length > 0));
    if (some) {
        CHECK(first <= last && last < geometry->piece_count);
        CHECK(geometry_file_at(geometry, geometry->files[file].offset) == file);
    }
}

/* What a parsed torrent has as layers is taken again, and what differs in a bit is not. */
static void check_layer(struct metainfo *metainfo, file_index file)
{
    const struct metainfo_file *of = &metainfo->files[file];
    uint32_t piece_length = metainfo->geometry.piece_length;
    CHECK(metainfo_set_piece_layer(metainfo, file, (struct bytes){NULL, 0}) == FRESHET_ERROR_RANGE);
    if (of->piece_layer == NULL)
        return;
    bool missing = metainfo->layers_missing;
    struct buffer layer = {0};
    buffer_append(&layer, of->piece_layer, ((of->length - 1) / piece_length + 1) * 32);
    CHECK(metainfo_set_piece_layer(metainfo, file, buffer_bytes(&layer)) == FRESHET_OK);
    CHECK(metainfo->layers_missing == missing);
    layer.data[layer.length / 2] ^= 1;
    CHECK(metainfo_set_piece_layer(metainfo, file, buffer_bytes(&layer)) == FRESHET_ERROR_HASH);
    buffer_deinit(&layer);
}

static uint32_t sum_of(const uint8_t *bytes, size_t length)
{
    uint32_t sum = 0;
    for (size_t i = 0; bytes && i < length; i++)
        sum += bytes[i];
    return sum;
}

static void check_piece(const struct metainfo *metainfo, piece_index piece)
{
    const struct geometry *geometry = &metainfo->geometry;
    struct piece_digest digest;
    static const uint8_t zero[32];
    uint32_t size = geometry_piece_size(geometry, piece), payload = 0;
    uint32_t blocks = geometry_piece_blocks(geometry, piece);
    struct file_range ranges[8];
    uint32_t count = geometry_ranges(geometry, piece, 0, size, ranges, 8);
    uint64_t length = 0;
    for (uint32_t i = 0; i < count && i < 8; i++)
        length += ranges[i].length;
    CHECK(count > 8 ? length < size : length == size);
    /* What lies behind it is padding. */
    count = geometry_ranges(geometry, piece, 0, geometry->piece_length, ranges, 8);
    length = 0;
    for (uint32_t i = 0; i < count && i < 8; i++)
        length += ranges[i].length;
    CHECK(count > 8 ? length < geometry->piece_length : length == geometry->piece_length);
    for (uint32_t block = 0; block < blocks; block++)
        payload += geometry_block_length(geometry, piece, block);
    CHECK(payload <= size && payload == geometry_piece_payload(geometry, piece));
    metainfo_piece_digest(metainfo, piece, &digest);
    CHECK((digest.sha1 != NULL) == metainfo->has_v1);
    CHECK(digest.merkle || metainfo->layers_missing || !metainfo->has_v2);
    volatile uint32_t read = sum_of(digest.sha1, 20) + sum_of(digest.merkle, 32);
    (void)read;
    if (blocks <= 1)
        metainfo_piece_matches(metainfo, piece, digest.sha1, zero, blocks);
}

static void check_link(const struct metainfo *metainfo)
{
    struct buffer link = {0};
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    magnet_format_metainfo(metainfo, &link);
    if (link.length <= LIMIT_MAGNET_LENGTH) {
        CHECK(magnet_parse(buffer_bytes(&link), &magnet, reason) == FRESHET_OK);
        CHECK(magnet_matches(magnet, metainfo));
        CHECK(strcmp(magnet->name, metainfo->name) == 0);
        magnet_free(magnet);
    }
    buffer_deinit(&link);
}

static void check_bare(const struct metainfo *metainfo)
{
    struct metainfo *bare = NULL;
    char reason[METAINFO_REASON_SIZE];
    CHECK(metainfo_parse_info(metainfo->info, &bare, reason) == FRESHET_OK);
    CHECK(memcmp(bare->info_hash_v1, metainfo->info_hash_v1, 20) == 0);
    CHECK(memcmp(bare->info_hash_v2, metainfo->info_hash_v2, 32) == 0);
    metainfo_free(bare);
}

static void check_edit(const struct metainfo *metainfo, struct bytes torrent)
{
    struct torrent_editor_changes none = {0};
    struct torrent_editor_changes all = {.set_trackers = true,
                                         .trackers = metainfo->trackers,
                                         .tracker_tiers = metainfo->tracker_tiers,
                                         .tracker_count = metainfo->tracker_count,
                                         .set_web_seeds = true,
                                         .web_seeds = metainfo->web_seeds,
                                         .web_seed_count = metainfo->web_seed_count,
                                         .set_comment = true,
                                         .comment = metainfo->comment};
    struct buffer out = {0};
    struct metainfo *edited = NULL;
    char reason[METAINFO_REASON_SIZE];
    CHECK(torrent_editor_apply(torrent, &none, &out) == FRESHET_OK);
    CHECK(bytes_equal(buffer_bytes(&out), torrent));
    buffer_clear(&out);
    CHECK(torrent_editor_apply(torrent, &all, &out) == FRESHET_OK);
    CHECK(metainfo_parse(buffer_bytes(&out), &edited, reason) == FRESHET_OK);
    CHECK(bytes_equal(edited->info, metainfo->info));
    CHECK(edited->tracker_count == metainfo->tracker_count);
    CHECK(edited->web_seed_count == metainfo->web_seed_count);
    metainfo_free(edited);
    buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    struct bytes torrent = {data, size};
    if (metainfo_parse(torrent, &metainfo, reason) != FRESHET_OK) {
        CHECK(metainfo == NULL);
        CHECK(reason[0] != '\0' && strlen(reason) < METAINFO_REASON_SIZE);
        metainfo_parse_info(torrent, &metainfo, reason);
        metainfo_free(metainfo);
        return 0;
    }
    check_files(metainfo);
    uint32_t pieces = metainfo->geometry.piece_count;
    for (piece_index piece = 0; piece < pieces && piece < PIECES_LOOKED_AT; piece++)
        check_piece(metainfo, piece);
    check_piece(metainfo, pieces - 1);
    CHECK(metainfo_wire_hash(metainfo) != NULL);
    check_pieces(metainfo);
    check_nodes(metainfo);
    check_link(metainfo);
    check_bare(metainfo);
    check_edit(metainfo, torrent);
    for (file_index file = 0; file < metainfo->geometry.file_count && file < FILES_LOOKED_AT;
         file++) {
        check_file_pieces(&metainfo->geometry, file);
        check_layer(metainfo, file);
        check_raw_path(metainfo, file);
    }
    metainfo_free(metainfo);
    return 0;
}

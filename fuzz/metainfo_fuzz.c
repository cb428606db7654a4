/* SPDX-License-Identifier: MIT */
/* covers: core/metainfo/metainfo.c core/metainfo/metainfo_v1.c core/metainfo/metainfo_v2.c */
/* A whole .torrent: what is accepted has safe paths, a digest for each piece, ranges that add up,
 * the same hashes as its bare info dictionary, and a magnet link that names it. */
#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/metainfo/magnet.h"
#include "core/metainfo/metainfo.h"
#include "core/metainfo/torrent_editor.h"

#include <string.h>

#define PIECES_LOOKED_AT 64u

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
    uint32_t size = geometry_piece_size(geometry, piece);
    uint32_t blocks = geometry_piece_blocks(geometry, piece);
    struct file_range ranges[8];
    uint32_t count = geometry_ranges(geometry, piece, 0, size, ranges, 8);
    uint64_t length = 0;
    for (uint32_t i = 0; i < count && i < 8; i++)
        length += ranges[i].length;
    CHECK(count > 8 ? length < size : length == size);
    CHECK(geometry_piece_payload(geometry, piece) <= size);
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
    check_link(metainfo);
    check_bare(metainfo);
    check_edit(metainfo, torrent);
    metainfo_free(metainfo);
    return 0;
}

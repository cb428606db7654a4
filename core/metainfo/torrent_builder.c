/* SPDX-License-Identifier: MIT */
#include "core/metainfo/torrent_builder.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/bencode/bencode_writer.h"
#include "core/crypto/sha1.h"
#include "core/metainfo/merkle.h"
#include "core/metainfo/torrent_builder_info.h"

#include <stdlib.h>
#include <string.h>

#define PIECES_WANTED_MAX 1500u

struct torrent_builder {
    struct torrent_builder_options options;
    struct geometry geometry;
    struct torrent_builder_entry *entries; /* one for each file of the geometry */
    uint32_t entry_count;
    uint8_t *sha1s; /* piece_count × 20, with v1 */
    uint8_t *nodes; /* piece_count × 32, with v2 */
};

/* Compares paths element by element as raw bytes, as the dictionaries of a file tree are ordered:
 * '/' counts as lower than everything else. */
static int compare_paths(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int left = *a == '/' ? 1 : *a ? 1 + (uint8_t)*a : 0;
    int right = *b == '/' ? 1 : *b ? 1 + (uint8_t)*b : 0;
    return left - right;
}

static int compare_entries(const void *a, const void *b)
{
    const struct torrent_builder_entry *left = a;
    const struct torrent_builder_entry *right = b;
    return compare_paths(left->path, right->path);
}

static bool is_inside(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    return strncmp(folder, path, length) == 0 && path[length] == '/';
}

/* Entries are sorted, so what contradicts lies side by side. */
static bool is_contradictory(const struct torrent_builder *builder)
{
    const struct torrent_builder_options *options = &builder->options;
    if (options->single_file)
        return options->file_count != 1;
    for (uint32_t i = 1; i < builder->entry_count; i++) {
        const char *before = builder->entries[i - 1].path;
        const char *path = builder->entries[i].path;
        if (strcmp(before, path) == 0 || is_inside(before, path))
            return true;
    }
    return options->has_v2 && builder->entry_count == 1 &&
           strcmp(builder->entries[0].path, options->name) == 0;
}

static void sort_files(struct torrent_builder *builder)
{
    const struct torrent_builder_options *options = &builder->options;
    builder->entry_count = options->file_count;
    builder->entries = memory_new_array(options->file_count, sizeof builder->entries[0]);
    for (uint32_t i = 0; i < options->file_count; i++)
        builder->entries[i] = (struct torrent_builder_entry){
            .file = &options->files[i],
            .path = options->single_file ? options->name : options->files[i].path,
            .length = options->files[i].length,
            .source = i};
    qsort(builder->entries, builder->entry_count, sizeof builder->entries[0], compare_entries);
}

/* BEP 47 and 52: padding behind each file of a hybrid that another with content follows. */
static void add_padding(struct torrent_builder *builder)
{
    uint32_t piece_length = builder->options.piece_length;
    uint32_t solid_last = 0;
    for (uint32_t i = 0; i < builder->entry_count; i++)
        if (builder->entries[i].length)
            solid_last = i;
    struct torrent_builder_entry *padded =
        memory_new_array((size_t)builder->entry_count * 2, sizeof padded[0]);
    uint32_t count = 0;
    for (uint32_t i = 0; i < builder->entry_count; i++) {
        padded[count++] = builder->entries[i];
        uint64_t over = builder->entries[i].length % piece_length;
        if (over && i < solid_last)
            padded[count++] =
                (struct torrent_builder_entry){.length = piece_length - over, .source = UINT32_MAX};
    }
    memory_free(builder->entries);
    builder->entries = padded;
    builder->entry_count = count;
}

static enum freshet_error lay_out(struct torrent_builder *builder)
{
    const struct torrent_builder_options *options = &builder->options;
    if (options->piece_length == 0 ||
        (options->has_v2 && (options->piece_length < LIMIT_PIECE_LENGTH_MIN_V2 ||
                             (options->piece_length & (options->piece_length - 1)))))
        return FRESHET_ERROR_RANGE;
    if (options->has_v1 && options->has_v2)
        add_padding(builder);
    struct geometry_file *files = memory_new_array(builder->entry_count, sizeof files[0]);
    for (uint32_t i = 0; i < builder->entry_count; i++)
        files[i] =
            (struct geometry_file){0, builder->entries[i].length, builder->entries[i].file == NULL};
    enum freshet_error error = geometry_init(&builder->geometry, options->piece_length, files,
                                             builder->entry_count, !options->has_v1);
    memory_free(files);
    return error;
}

enum freshet_error torrent_builder_new(const struct torrent_builder_options *options,
                                       struct torrent_builder **ret_builder)
{
    CHECK(options->has_v1 || options->has_v2);
    if (options->file_count > LIMIT_FILES_MAX / 2)
        return FRESHET_ERROR_LIMIT;
    struct torrent_builder *builder = memory_new(sizeof *builder);
    builder->options = *options;
    sort_files(builder);
    enum freshet_error error =
        is_contradictory(builder) ? FRESHET_ERROR_CONFLICT : lay_out(builder);
    if (error != FRESHET_OK) {
        torrent_builder_free(builder);
        return error;
    }
    if (options->has_v1)
        builder->sha1s = memory_new_array(builder->geometry.piece_count, SHA1_SIZE);
    if (options->has_v2)
        builder->nodes = memory_new_array(builder->geometry.piece_count, MERKLE_HASH);
    *ret_builder = builder;
    return FRESHET_OK;
}

void torrent_builder_free(struct torrent_builder *builder)
{
    if (builder == NULL)
        return;
    geometry_deinit(&builder->geometry);
    memory_free(builder->entries);
    memory_free(builder->sha1s);
    memory_free(builder->nodes);
    memory_free(builder);
}

const struct geometry *torrent_builder_geometry(const struct torrent_builder *builder)
{
    return &builder->geometry;
}

uint32_t torrent_builder_source(const struct torrent_builder *builder, file_index file)
{
    CHECK(file < builder->entry_count);
    return builder->entries[file].source;
}

void torrent_builder_set_piece(struct torrent_builder *builder, piece_index piece,
                               const uint8_t *sha1, const uint8_t *leaves)
{
    const struct geometry *geometry = &builder->geometry;
    CHECK(piece < geometry->piece_count);
    if (builder->sha1s)
        memcpy(builder->sha1s + (size_t)piece * SHA1_SIZE, sha1, SHA1_SIZE);
    if (builder->nodes == NULL)
        return;
    static const uint8_t zero_leaf[MERKLE_HASH];
    uint32_t count = geometry_piece_blocks(geometry, piece);
    file_index file = geometry_file_at(geometry, (uint64_t)piece * geometry->piece_length);
    /* The tree of a file of one piece is only as high as it needs to be. */
    uint64_t width = geometry->files[file].length <= geometry->piece_length
                         ? merkle_width(count)
                         : geometry->piece_length / LIMIT_BLOCK_SIZE;
    merkle_root(leaves, count, width, zero_leaf, builder->nodes + (size_t)piece * MERKLE_HASH);
}

/* Merkle roots of the files from the nodes of their pieces. */
static void compute_roots(const struct torrent_builder *builder)
{
    const struct geometry *geometry = &builder->geometry;
    uint8_t pad[MERKLE_HASH];
    merkle_pad(geometry->piece_length / LIMIT_BLOCK_SIZE, pad);
    for (uint32_t i = 0; i < builder->entry_count; i++) {
        struct torrent_builder_entry *entry = &builder->entries[i];
        piece_index first;
        piece_index last;
        if (entry->file == NULL || !geometry_file_pieces(geometry, i, &first, &last))
            continue;
        entry->layer_count = last - first + 1;
        entry->layer = builder->nodes + (size_t)first * MERKLE_HASH;
        merkle_root(entry->layer, entry->layer_count, merkle_width(entry->layer_count), pad,
                    entry->root);
    }
}

static void write_trackers(const struct torrent_builder_options *options, struct buffer *out)
{
    if (options->tracker_count == 0)
        return;
    bencode_writer_key(out, "announce");
    bencode_writer_text(out, options->trackers[0]);
    if (options->tracker_count == 1)
        return;
    bencode_writer_key(out, "announce-list");
    bencode_writer_list(out);
    for (uint32_t i = 0; i < options->tracker_count; i++) {
        const uint32_t *tiers = options->tracker_tiers;
        if (i == 0 || (tiers && tiers[i] != tiers[i - 1])) {
            if (i)
                bencode_writer_end(out);
            bencode_writer_list(out);
        }
        bencode_writer_text(out, options->trackers[i]);
    }
    bencode_writer_end(out);
    bencode_writer_end(out);
}

static int compare_roots(const void *a, const void *b)
{
    const struct torrent_builder_entry *const *left = a;
    const struct torrent_builder_entry *const *right = b;
    return memcmp((*left)->root, (*right)->root, MERKLE_HASH);
}

static void write_layers(const struct torrent_builder *builder, struct buffer *out)
{
    const struct torrent_builder_entry **order =
        memory_new_array(builder->entry_count, sizeof(void *));
    uint32_t count = 0;
    for (uint32_t i = 0; i < builder->entry_count; i++)
        if (builder->entries[i].layer_count > 1)
            order[count++] = &builder->entries[i];
    qsort(order, count, sizeof order[0], compare_roots);
    bencode_writer_key(out, "piece layers");
    bencode_writer_dict(out);
    for (uint32_t i = 0; i < count; i++) {
        if (i && memcmp(order[i]->root, order[i - 1]->root, MERKLE_HASH) == 0)
            continue; /* equal files share one entry */
        bencode_writer_string(out, (struct bytes){order[i]->root, MERKLE_HASH});
        bencode_writer_string(
            out, (struct bytes){order[i]->layer, (size_t)order[i]->layer_count * MERKLE_HASH});
    }
    bencode_writer_end(out);
    memory_free(order);
}

static void write_optional(const char *key, const char *text, struct buffer *out)
{
    if (text == NULL)
        return;
    bencode_writer_key(out, key);
    bencode_writer_text(out, text);
}

void torrent_builder_finish(const struct torrent_builder *builder, struct buffer *out)
{
    const struct torrent_builder_options *options = &builder->options;
    if (options->has_v2)
        compute_roots(builder);
    bencode_writer_dict(out);
    write_trackers(options, out);
    write_optional("comment", options->comment, out);
    write_optional("created by", options->created_by, out);
    if (options->creation_date) {
        bencode_writer_key(out, "creation date");
        bencode_writer_integer(out, options->creation_date);
    }
    bencode_writer_key(out, "info");
    torrent_builder_info_write(
        options, builder->entries, builder->entry_count,
        (struct bytes){builder->sha1s, (size_t)builder->geometry.piece_count * SHA1_SIZE}, out);
    if (options->has_v2)
        write_layers(builder, out);
    if (options->web_seed_count) {
        bencode_writer_key(out, "url-list");
        bencode_writer_list(out);
        for (uint32_t i = 0; i < options->web_seed_count; i++)
            bencode_writer_text(out, options->web_seeds[i]);
        bencode_writer_end(out);
    }
    bencode_writer_end(out);
}

uint32_t torrent_builder_piece_length(uint64_t total_length)
{
    uint32_t piece_length = LIMIT_PIECE_LENGTH_MIN_V2;
    while (piece_length < 16 * MIB && total_length / piece_length > PIECES_WANTED_MAX)
        piece_length *= 2;
    while (piece_length < LIMIT_PIECE_LENGTH_MAX &&
           total_length / piece_length > LIMIT_PIECES_MAX / 4)
        piece_length *= 2;
    return piece_length;
}

/* SPDX-License-Identifier: MIT */
#include "sim/sim_torrent.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/crypto/sha256.h"
#include "core/metainfo/torrent_builder.h"

#include <string.h>

static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

void sim_torrent_bytes(const struct sim_torrent *torrent, const struct sim_span *span,
                       uint8_t *bytes)
{
    if (span->source == SIM_SOURCE_ZERO) {
        memset(bytes, 0, span->length);
        return;
    }
    uint64_t key = span->source == torrent->source ? torrent->seed : mix(span->source);
    for (uint64_t i = 0; i < span->length;) {
        uint64_t at = span->offset + i;
        uint64_t word = mix(key ^ (at / 8));
        for (uint32_t byte = (uint32_t)(at % 8); byte < 8 && i < span->length; byte++)
            bytes[i++] = (uint8_t)(word >> (8 * byte));
    }
}

uint32_t sim_torrent_piece_size(const struct sim_torrent *torrent, uint32_t piece)
{
    uint64_t begin = (uint64_t)piece * torrent->piece_length;
    uint64_t left = torrent->length - begin;
    return left < torrent->piece_length ? (uint32_t)left : torrent->piece_length;
}

uint32_t sim_torrent_piece_payload(const struct sim_torrent *torrent, uint32_t piece)
{
    uint64_t begin = (uint64_t)piece * torrent->piece_length;
    for (uint32_t i = 0; torrent->aligned && i < torrent->file_count; i++) {
        uint64_t end = torrent->files[i].offset + torrent->files[i].length;
        if (torrent->files[i].offset <= begin && begin < end)
            return end - begin < torrent->piece_length ? (uint32_t)(end - begin)
                                                       : torrent->piece_length;
    }
    return sim_torrent_piece_size(torrent, piece);
}

/* SHA-1 over payload and padding, SHA-256 of each block of payload. */
static void hash_piece(struct sim_torrent *torrent, uint32_t piece, uint8_t *bytes)
{
    uint32_t payload = sim_torrent_piece_payload(torrent, piece);
    uint32_t size = sim_torrent_piece_size(torrent, piece);
    uint64_t begin = (uint64_t)piece * torrent->piece_length;
    struct sim_span span = {0, payload, torrent->source, begin};
    sim_torrent_bytes(torrent, &span, bytes);
    memset(bytes + payload, 0, size - payload);
    sha1_of(bytes, size, torrent->piece_sha1 + (size_t)piece * SHA1_SIZE);
    uint8_t *leaf = torrent->leaves + begin / LIMIT_BLOCK_SIZE * SHA256_SIZE;
    for (uint32_t at = 0; at < payload; at += LIMIT_BLOCK_SIZE, leaf += SHA256_SIZE) {
        uint32_t left = payload - at;
        sha256_of(bytes + at, left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE, leaf);
    }
}

static void hash_content(struct sim_torrent *torrent)
{
    size_t blocks = (size_t)torrent->piece_count * (torrent->piece_length / LIMIT_BLOCK_SIZE);
    torrent->piece_sha1 = memory_new_array(torrent->piece_count, SHA1_SIZE);
    torrent->leaves = memory_new_array(blocks, SHA256_SIZE);
    uint8_t *bytes = memory_new(torrent->piece_length);
    for (uint32_t piece = 0; piece < torrent->piece_count; piece++)
        hash_piece(torrent, piece, bytes);
    memory_free(bytes);
}

/* Sizes that fall across pieces: file i gets a share of 1 + i % 3, every fifth is empty, the last
 * one gets the rest. */
static void cut_files(struct sim_torrent *torrent)
{
    uint64_t shares = 0, offset = 0;
    for (uint32_t i = 0; i < torrent->file_count; i++)
        shares += 1 + i % 3;
    for (uint32_t i = 0; i < torrent->file_count; i++) {
        struct sim_torrent_file *file = &torrent->files[i];
        file->offset = offset;
        file->length = torrent->length / shares * (1 + i % 3) + i % 7;
        if (i % 5 == 3)
            file->length = 0;
        if (i + 1 == torrent->file_count)
            file->length = torrent->length - offset;
        offset += file->length;
        if (torrent->file_count == 1) {
            memcpy(file->path, "content", 8);
            continue;
        }
        memcpy(file->path, "content/file-000", 17);
        file->path[13] = (char)('0' + i / 100 % 10);
        file->path[14] = (char)('0' + i / 10 % 10);
        file->path[15] = (char)('0' + i % 10);
    }
    CHECK(offset == torrent->length);
}

static void append_string(struct buffer *buffer, struct bytes bytes)
{
    buffer_append_i64(buffer, (int64_t)bytes.length);
    buffer_append_text(buffer, ":");
    buffer_append(buffer, bytes.data, bytes.length);
}

static void append_files(struct buffer *buffer, const struct sim_torrent *torrent)
{
    buffer_append_text(buffer, "5:filesl");
    for (uint32_t i = 0; i < torrent->file_count; i++) {
        const char *name = torrent->files[i].path + strlen("content/");
        buffer_append_text(buffer, "d6:lengthi");
        buffer_append_i64(buffer, (int64_t)torrent->files[i].length);
        buffer_append_text(buffer, "e4:pathl");
        append_string(buffer, (struct bytes){(const uint8_t *)name, strlen(name)});
        buffer_append_text(buffer, "ee");
    }
    buffer_append_text(buffer, "e");
}

static void encode(struct sim_torrent *torrent, const char *tracker)
{
    struct buffer info = {0};
    buffer_append_text(&info, "d");
    if (torrent->file_count > 1) {
        append_files(&info, torrent);
    } else {
        buffer_append_text(&info, "6:lengthi");
        buffer_append_i64(&info, (int64_t)torrent->length);
        buffer_append_text(&info, "e");
    }
    buffer_append_text(&info, "4:name7:content12:piece lengthi");
    buffer_append_i64(&info, torrent->piece_length);
    buffer_append_text(&info, "e6:pieces");
    append_string(&info,
                  (struct bytes){torrent->piece_sha1, (size_t)torrent->piece_count * SHA1_SIZE});
    buffer_append_text(&info, "e");
    sha1_of(info.data, info.length, torrent->info_hash);

    buffer_append_text(&torrent->encoded, "d");
    if (tracker) {
        buffer_append_text(&torrent->encoded, "8:announce");
        append_string(&torrent->encoded, (struct bytes){(const uint8_t *)tracker, strlen(tracker)});
    }
    buffer_append_text(&torrent->encoded, "4:info");
    buffer_append(&torrent->encoded, info.data, info.length);
    buffer_append_text(&torrent->encoded, "e");
    buffer_deinit(&info);
}

/* v2 and hybrid are laid out and encoded by core's own builder. */
static void build(struct sim_torrent *torrent, const struct sim_torrent_options *options)
{
    struct torrent_builder_file *files = memory_new_array(torrent->file_count, sizeof *files);
    for (uint32_t i = 0; i < torrent->file_count; i++)
        files[i] = (struct torrent_builder_file){
            .path = torrent->files[i].path + (torrent->file_count > 1 ? strlen("content/") : 0),
            .length = torrent->files[i].length};
    const struct torrent_builder_options builder_options = {
        .name = "content",
        .single_file = torrent->file_count == 1,
        .has_v1 = options->version == SIM_TORRENT_HYBRID,
        .has_v2 = true,
        .piece_length = torrent->piece_length,
        .files = files,
        .file_count = torrent->file_count,
        .trackers = &options->tracker,
        .tracker_count = options->tracker != NULL,
    };
    struct torrent_builder *builder = NULL;
    CHECK(torrent_builder_new(&builder_options, &builder) == FRESHET_OK);
    const struct geometry *geometry = torrent_builder_geometry(builder);
    for (uint32_t i = 0; i < geometry->file_count; i++) {
        uint32_t source = torrent_builder_source(builder, i);
        if (source != UINT32_MAX)
            torrent->files[source].offset = geometry->files[i].offset;
    }
    torrent->length = geometry->total_length;
    torrent->piece_count = geometry->piece_count;
    torrent->aligned = true;
    hash_content(torrent);
    for (uint32_t piece = 0; piece < torrent->piece_count; piece++) {
        size_t block = (size_t)piece * (torrent->piece_length / LIMIT_BLOCK_SIZE);
        torrent_builder_set_piece(builder, piece, torrent->piece_sha1 + (size_t)piece * SHA1_SIZE,
                                  torrent->leaves + block * SHA256_SIZE);
    }
    torrent_builder_finish(builder, &torrent->encoded);
    torrent_builder_free(builder);
    memory_free(files);
}

static uint32_t choose_piece_length(uint64_t length)
{
    uint32_t piece_length = 64 * KIB;
    while (piece_length < 4 * MIB && length / piece_length > 256)
        piece_length *= 2;
    return piece_length;
}

struct sim_torrent *sim_torrent_new(const struct sim_torrent_options *options)
{
    struct sim_torrent *torrent = memory_new(sizeof *torrent);
    torrent->seed = mix(options->seed);
    torrent->source = (torrent->seed & ~SIM_SOURCE_GARBAGE) | 1;
    torrent->length = torrent->payload = options->length;
    torrent->piece_length =
        options->piece_length ? options->piece_length : choose_piece_length(options->length);
    CHECK(torrent->length > 0);
    CHECK(torrent->piece_length % LIMIT_BLOCK_SIZE == 0);
    torrent->piece_count =
        (uint32_t)((torrent->length + torrent->piece_length - 1) / torrent->piece_length);
    torrent->file_count = options->file_count ? options->file_count : 1;
    CHECK(torrent->file_count <= 1000);
    torrent->files = memory_new_array(torrent->file_count, sizeof *torrent->files);
    cut_files(torrent);
    if (options->version == SIM_TORRENT_V1) {
        hash_content(torrent);
        encode(torrent, options->tracker);
    } else {
        build(torrent, options);
    }
    return torrent;
}

void sim_torrent_free(struct sim_torrent *torrent)
{
    if (torrent == NULL)
        return;
    memory_free(torrent->files);
    memory_free(torrent->piece_sha1);
    memory_free(torrent->leaves);
    buffer_deinit(&torrent->encoded);
    memory_free(torrent);
}

/* What the spans are, as words: the same for the same bytes, since spans are in normal form. */
static void hash_spans(const struct sim_spans *spans, uint64_t begin, uint64_t length,
                       uint8_t ret_digest[32])
{
    struct sha256 sha256;
    sha256_init(&sha256);
    while (length > 0) {
        struct sim_span span = sim_spans_at(spans, begin, length);
        uint8_t words[24];
        struct writer writer;
        writer_init(&writer, words, sizeof words);
        writer_u64(&writer, span.source);
        writer_u64(&writer, span.source == SIM_SOURCE_ZERO ? 0 : span.offset);
        writer_u64(&writer, span.length);
        sha256_update(&sha256, words, sizeof words);
        begin += span.length;
        length -= span.length;
    }
    sha256_final(&sha256, ret_digest);
}

/* Is it the true content from a multiple of `unit` on, up to the end of the unit or of the payload
 * of its piece, whichever comes first, and zeros from there on? */
static bool is_true(const struct sim_torrent *torrent, const struct sim_spans *spans,
                    uint64_t begin, uint64_t length, uint64_t unit, uint64_t *ret_index)
{
    struct sim_span span = sim_spans_at(spans, begin, length);
    if (span.source != torrent->source || span.offset % unit != 0)
        return false;
    uint32_t piece = (uint32_t)(span.offset / torrent->piece_length);
    uint64_t end =
        (uint64_t)piece * torrent->piece_length + sim_torrent_piece_payload(torrent, piece);
    uint64_t expected = end - span.offset < unit ? end - span.offset : unit;
    if (span.length != expected)
        return false;
    *ret_index = span.offset / unit;
    return length == expected ||
           sim_spans_match(spans, begin + expected, length - expected, SIM_SOURCE_ZERO, 0);
}

void sim_torrent_sha1(const struct sim_torrent *torrent, const struct sim_spans *spans,
                      uint64_t begin, uint64_t length, uint8_t ret_digest[20])
{
    uint64_t piece;
    if (is_true(torrent, spans, begin, length, torrent->piece_length, &piece) &&
        length == sim_torrent_piece_size(torrent, (uint32_t)piece)) {
        memcpy(ret_digest, torrent->piece_sha1 + piece * SHA1_SIZE, SHA1_SIZE);
        return;
    }
    uint8_t digest[32];
    hash_spans(spans, begin, length, digest);
    memcpy(ret_digest, digest, 20);
}

void sim_torrent_leaf(const struct sim_torrent *torrent, const struct sim_spans *spans,
                      uint64_t begin, uint64_t length, uint8_t ret_digest[32])
{
    uint64_t block;
    if (is_true(torrent, spans, begin, length, LIMIT_BLOCK_SIZE, &block))
        memcpy(ret_digest, torrent->leaves + block * SHA256_SIZE, SHA256_SIZE);
    else
        hash_spans(spans, begin, length, ret_digest);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/metainfo/metainfo.h"
#include "sim/sim_torrent.h"

static struct sim_torrent *version_of(uint64_t length, uint32_t files,
                                      enum sim_torrent_version version)
{
    const struct sim_torrent_options options = {
        3, length, 64 * KIB, files, "http://tracker.example.org/announce", version};
    return sim_torrent_new(&options);
}

static struct sim_torrent *torrent_of(uint64_t length, uint32_t files)
{
    return version_of(length, files, SIM_TORRENT_V1);
}

/* The digests of the .torrent, as core reads it, are those that hash jobs will give. */
static void assert_pieces_match(const struct sim_torrent *torrent, const struct metainfo *metainfo)
{
    uint8_t sha1[20], leaves[4 * 32];
    for (uint32_t piece = 0; piece < torrent->piece_count; piece++) {
        uint32_t payload = sim_torrent_piece_payload(torrent, piece);
        uint32_t size = geometry_piece_size(&metainfo->geometry, piece);
        struct sim_spans spans = {0};
        assert_int_equal(payload, geometry_piece_payload(&metainfo->geometry, piece));
        sim_spans_put(&spans, 0, payload, torrent->source, (uint64_t)piece * 64 * KIB);
        sim_torrent_sha1(torrent, &spans, 0, size, sha1);
        uint32_t count = 0;
        for (uint32_t at = 0; at < payload; at += LIMIT_BLOCK_SIZE, count++)
            sim_torrent_leaf(torrent, &spans, at,
                             payload - at < LIMIT_BLOCK_SIZE ? payload - at : LIMIT_BLOCK_SIZE,
                             leaves + count * 32);
        assert_true(metainfo_piece_matches(metainfo, piece, sha1, leaves, count));
        sim_spans_put(&spans, payload / 2, 1, SIM_SOURCE_GARBAGE | 1, 0);
        sim_torrent_sha1(torrent, &spans, 0, size, sha1);
        sim_torrent_leaf(torrent, &spans, 0,
                         payload < LIMIT_BLOCK_SIZE ? payload : LIMIT_BLOCK_SIZE, leaves);
        assert_true(!metainfo->has_v1 ||
                    !metainfo_piece_matches(metainfo, piece, sha1, leaves, count));
        sim_spans_deinit(&spans);
    }
}

static void sim_torrent_of_each_version_is_read_as_a_real_one(void **state)
{
    (void)state;
    const uint32_t files[] = {1, 3, 17};
    for (int f = 0; f < 3; f++)
        for (int version = SIM_TORRENT_V1; version <= SIM_TORRENT_HYBRID; version++) {
            struct sim_torrent *torrent =
                version_of(1000003, files[f], (enum sim_torrent_version)version);
            struct metainfo *metainfo = NULL;
            char reason[METAINFO_REASON_SIZE];
            assert_int_equal(metainfo_parse(buffer_bytes(&torrent->encoded), &metainfo, reason),
                             FRESHET_OK);
            assert_int_equal(metainfo->has_v1, version != SIM_TORRENT_V2);
            assert_int_equal(metainfo->has_v2, version != SIM_TORRENT_V1);
            assert_int_equal(metainfo->geometry.piece_count, torrent->piece_count);
            assert_pieces_match(torrent, metainfo);
            metainfo_free(metainfo);
            sim_torrent_free(torrent);
        }
}

static void assert_reads_as(const struct sim_torrent *torrent)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    assert_int_equal(metainfo_parse(buffer_bytes(&torrent->encoded), &metainfo, reason),
                     FRESHET_OK);
    assert_memory_equal(metainfo->info_hash_v1, torrent->info_hash, 20);
    assert_int_equal(metainfo->geometry.piece_count, torrent->piece_count);
    assert_memory_equal(metainfo->pieces, torrent->piece_sha1, torrent->piece_count * 20u);
    assert_int_equal(metainfo->geometry.file_count, torrent->file_count);
    for (uint32_t i = 0; i < torrent->file_count; i++) {
        assert_string_equal(metainfo->files[i].path, torrent->files[i].path);
        assert_int_equal(metainfo->files[i].length, torrent->files[i].length);
        assert_int_equal(metainfo->geometry.files[i].offset, torrent->files[i].offset);
    }
    assert_int_equal(metainfo->tracker_count, 1);
    metainfo_free(metainfo);
}

static void sim_torrent_is_read_as_a_real_one(void **state)
{
    (void)state;
    const uint32_t files[] = {1, 2, 3, 17};
    const uint64_t lengths[] = {1000, 65536, 1000003};
    for (int f = 0; f < 4; f++)
        for (int l = 0; l < 3; l++) {
            struct sim_torrent *torrent = torrent_of(lengths[l], files[f]);
            assert_reads_as(torrent);
            sim_torrent_free(torrent);
        }
}

static void sim_torrent_digests_are_those_of_its_bytes(void **state)
{
    (void)state;
    struct sim_torrent *torrent = torrent_of(200000, 1);
    struct sim_span span = {0, 64 * KIB, torrent->source, 64 * KIB};
    uint8_t *bytes = memory_new(span.length), *parts = memory_new(span.length), digest[20];
    sim_torrent_bytes(torrent, &span, bytes);
    sha1_of(bytes, span.length, digest);
    assert_memory_equal(digest, torrent->piece_sha1 + 20, 20);
    for (uint64_t at = 0; at < span.length;) { /* however it is cut */
        struct sim_span part = {0, at % 1000 + 1, torrent->source, span.offset + at};
        if (part.length > span.length - at)
            part.length = span.length - at;
        sim_torrent_bytes(torrent, &part, parts + at);
        at += part.length;
    }
    assert_memory_equal(bytes, parts, span.length);
    memory_free(bytes);
    memory_free(parts);
    sim_torrent_free(torrent);
}

static void sim_torrent_tells_garbage_from_truth(void **state)
{
    (void)state;
    struct sim_torrent *torrent = torrent_of(200000, 1);
    struct sim_spans spans = {0};
    uint8_t digest[20], other[20];
    sim_spans_put(&spans, 0, 64 * KIB, torrent->source, 64 * KIB);
    sim_torrent_sha1(torrent, &spans, 0, 64 * KIB, digest);
    assert_memory_equal(digest, torrent->piece_sha1 + 20, 20);
    sim_spans_put(&spans, 100, 1, SIM_SOURCE_GARBAGE | 1, 0);
    sim_torrent_sha1(torrent, &spans, 0, 64 * KIB, digest);
    assert_memory_not_equal(digest, torrent->piece_sha1 + 20, 20);
    sim_spans_put(&spans, 100, 1, SIM_SOURCE_GARBAGE | 2, 0);
    sim_torrent_sha1(torrent, &spans, 0, 64 * KIB, other);
    assert_memory_not_equal(digest, other, 20);
    sim_spans_put(&spans, 0, 64 * KIB, torrent->source, 64 * KIB + 1);
    sim_torrent_sha1(torrent, &spans, 0, 64 * KIB, digest);
    assert_memory_not_equal(digest, torrent->piece_sha1 + 20, 20);
    sim_spans_deinit(&spans);
    sim_torrent_free(torrent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_torrent_is_read_as_a_real_one),
        cmocka_unit_test(sim_torrent_of_each_version_is_read_as_a_real_one),
        cmocka_unit_test(sim_torrent_digests_are_those_of_its_bytes),
        cmocka_unit_test(sim_torrent_tells_garbage_from_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

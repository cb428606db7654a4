/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/metainfo/metainfo.h"
#include "tests/metainfo/torrent_maker.h"

#include <stdlib.h>

static uint8_t vector_byte(uint32_t file, uint64_t offset)
{
    (void)file;
    return (uint8_t)offset;
}

static struct metainfo *parse(struct bytes torrent)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    enum freshet_error error = metainfo_parse(torrent, &metainfo, reason);
    if (error != FRESHET_OK)
        print_error("%s\n", reason);
    assert_int_equal(error, FRESHET_OK);
    return metainfo;
}

static struct metainfo *make_vector(bool v1, bool v2, size_t info_length)
{
    struct torrent_builder_file file = {.length = 49152};
    struct torrent_builder_options options = {.name = "a.bin",
                                              .single_file = true,
                                              .has_v1 = v1,
                                              .has_v2 = v2,
                                              .piece_length = 32768,
                                              .files = &file,
                                              .file_count = 1};
    struct buffer torrent = torrent_maker_make(&options, vector_byte);
    struct metainfo *metainfo = parse(buffer_bytes(&torrent));
    assert_int_equal(metainfo->info.length, info_length);
    assert_true(metainfo->single_file);
    assert_string_equal(metainfo->files[0].path, "a.bin");
    assert_false(metainfo->layers_missing);
    buffer_deinit(&torrent);
    return metainfo;
}

static void assert_hex(const uint8_t *bytes, size_t length, const char *hex)
{
    char text[65];
    bytes_to_hex(bytes, length, text);
    assert_string_equal(text, hex);
}

static void torrent_builder_gives_the_published_info_hashes(void **state)
{
    (void)state;
    struct metainfo *v1 = make_vector(true, false, 103);
    assert_hex(v1->info_hash_v1, 20, "27bbceaf3829b60524759f7335fcafcc4c3fcfee");
    assert_true(v1->has_v1 && !v1->has_v2);
    metainfo_free(v1);
    struct metainfo *v2 = make_vector(false, true, 145);
    assert_hex(v2->info_hash_v2, 32,
               "0c0172d32feffde9c8a2db297b031be96fd32cec0989cfab1d0b2c5c52b4463b");
    assert_hex(v2->files[0].pieces_root, 32,
               "f58f20cf9931d62f43e46349544f414bfdcb31eb514dbda6b30732415f46573f");
    assert_hex(v2->files[0].piece_layer, 32,
               "d59bed8525858976750c655a37dd1fca7124bf3d51099ba23ee6ee3436cde6a6");
    assert_hex(v2->files[0].piece_layer + 32, 32,
               "ced1ff0f8d85bc276a149ae5d15b97ddc428749bf87b08f312a1f2bda2816c03");
    assert_memory_equal(metainfo_wire_hash(v2), v2->info_hash_v2, 20);
    metainfo_free(v2);
    struct metainfo *hybrid = make_vector(true, true, 211);
    assert_hex(hybrid->info_hash_v1, 20, "1864acef3b2681b0613a5221bbfb88ed47f0a996");
    assert_hex(hybrid->info_hash_v2, 32,
               "7695f713e8bcdceee885681044b5f4f2ec5e0cdd76f07e39533ded708da9c0ef");
    assert_memory_equal(metainfo_wire_hash(hybrid), hybrid->info_hash_v1, 20);
    metainfo_free(hybrid);
}

static const struct torrent_builder_file folder[] = {
    {.path = "z.txt", .length = 5},
    {.path = "b/c", .length = 40000, .executable = true},
    {.path = "b.x", .length = 16384},
    {.path = "b/empty", .length = 0},
    {.path = "b/d/deep", .length = 100000},
    {.path = "a/link", .symlink = "b/c"},
    {.path = "zz", .length = 0, .hidden = true},
};

static struct torrent_builder_options folder_options(bool v1, bool v2)
{
    return (struct torrent_builder_options){.name = "folder",
                                            .has_v1 = v1,
                                            .has_v2 = v2,
                                            .piece_length = 32768,
                                            .files = folder,
                                            .file_count = sizeof folder / sizeof folder[0]};
}

static const struct metainfo_file *find_file(const struct metainfo *metainfo, const char *path)
{
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (strcmp(metainfo->files[i].path, path) == 0)
            return &metainfo->files[i];
    return NULL;
}

static void torrent_builder_makes_folders_that_parse_back(void **state)
{
    (void)state;
    static const char *const order[] = {"folder/a/link",  "folder/b/c", "folder/b/d/deep",
                                        "folder/b/empty", "folder/b.x", "folder/z.txt",
                                        "folder/zz"};
    for (int kind = 1; kind <= 3; kind++) {
        struct torrent_builder_options options = folder_options(kind & 1, kind & 2);
        struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
        struct metainfo *metainfo = parse(buffer_bytes(&torrent));
        assert_int_equal(metainfo->has_v1, kind & 1);
        assert_int_equal(metainfo->has_v2, (kind & 2) != 0);
        assert_false(metainfo->renamed);
        assert_false(metainfo->single_file);
        assert_int_equal(metainfo->geometry.payload_length, 5 + 40000 + 16384 + 100000);
        assert_true(metainfo->geometry.aligned == (kind != 1));
        uint32_t seen = 0;
        for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
            if (!metainfo->files[i].padding)
                assert_string_equal(metainfo->files[i].path, order[seen++]);
        assert_int_equal(seen, 7);
        assert_true(find_file(metainfo, "folder/b/c")->executable);
        assert_true(find_file(metainfo, "folder/zz")->hidden);
        assert_string_equal(find_file(metainfo, "folder/a/link")->symlink, "folder/b/c");
        metainfo_free(metainfo);
        buffer_deinit(&torrent);
    }
}

static void torrent_builder_gives_the_same_bytes_for_the_same_input(void **state)
{
    (void)state;
    struct torrent_builder_options options = folder_options(true, true);
    struct buffer first = torrent_maker_make(&options, torrent_maker_usual_byte);
    struct torrent_builder_file shuffled[7];
    for (int i = 0; i < 7; i++)
        shuffled[i] = folder[(i * 3 + 2) % 7];
    options.files = shuffled;
    struct torrent_builder *builder;
    struct buffer second = {0};
    assert_int_equal(torrent_builder_new(&options, &builder), FRESHET_OK);
    const struct geometry *geometry = torrent_builder_geometry(builder);
    for (uint32_t piece = geometry->piece_count; piece-- > 0;) { /* and in another order */
        /* The content goes by the file's place in `folder`. */
        uint32_t size = geometry_piece_size(geometry, piece);
        uint8_t *bytes = memory_new(size);
        struct file_range ranges[16];
        uint32_t count = geometry_ranges(geometry, piece, 0, size, ranges, 16);
        uint32_t at = 0;
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t j = 0; j < ranges[i].length; j++, at++)
                if (ranges[i].file != FILE_PADDING)
                    bytes[at] = torrent_maker_usual_byte(
                        (torrent_builder_source(builder, ranges[i].file) * 3 + 2) % 7,
                        ranges[i].offset + j);
        uint8_t *leaves = torrent_maker_leaves(geometry, piece, bytes);
        uint8_t sha1[SHA1_SIZE];
        sha1_of(bytes, size, sha1);
        torrent_builder_set_piece(builder, piece, sha1, leaves);
        memory_free(leaves);
        memory_free(bytes);
    }
    torrent_builder_finish(builder, &second);
    assert_true(bytes_equal(buffer_bytes(&first), buffer_bytes(&second)));
    torrent_builder_free(builder);
    buffer_deinit(&first);
    buffer_deinit(&second);
}

static void torrent_builder_writes_all_that_stands_outside(void **state)
{
    (void)state;
    const char *const trackers[] = {"http://a/announce", "udp://b:1", "http://c/announce"};
    const uint32_t tiers[] = {0, 0, 1};
    const char *const seeds[] = {"http://seed/x"};
    struct torrent_builder_options options = folder_options(true, true);
    options.trackers = trackers;
    options.tracker_tiers = tiers;
    options.tracker_count = 3;
    options.web_seeds = seeds;
    options.web_seed_count = 1;
    options.is_private = true;
    options.source = "here";
    options.comment = "a comment";
    options.created_by = "a test";
    options.creation_date = 1234567890;
    struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
    struct metainfo *metainfo = parse(buffer_bytes(&torrent));
    assert_int_equal(metainfo->tracker_count, 3);
    assert_true(bytes_is(metainfo->trackers[1], "udp://b:1"));
    assert_int_equal(metainfo->tracker_tiers[1], 0);
    assert_int_equal(metainfo->tracker_tiers[2], 1);
    assert_int_equal(metainfo->web_seed_count, 1);
    assert_true(metainfo->is_private);
    assert_true(bytes_is(metainfo->source, "here"));
    assert_true(bytes_is(metainfo->comment, "a comment"));
    assert_true(bytes_is(metainfo->created_by, "a test"));
    assert_int_equal(metainfo->creation_date, 1234567890);
    metainfo_free(metainfo);
    buffer_deinit(&torrent);
}

static enum freshet_error outcome(const struct torrent_builder_options *options)
{
    struct torrent_builder *builder = NULL;
    enum freshet_error error = torrent_builder_new(options, &builder);
    torrent_builder_free(builder);
    return error;
}

static void torrent_builder_refuses_contradictions(void **state)
{
    (void)state;
    struct torrent_builder_file files[] = {{.path = "a", .length = 1},
                                           {.path = "a/b", .length = 1}};
    struct torrent_builder_options options = folder_options(true, true);
    options.files = files;
    options.file_count = 2;
    assert_int_equal(outcome(&options), FRESHET_ERROR_CONFLICT);
    files[1].path = "a";
    assert_int_equal(outcome(&options), FRESHET_ERROR_CONFLICT);
    files[1].path = "a.b";
    assert_int_equal(outcome(&options), FRESHET_OK);
    options.piece_length = 20000;
    assert_int_equal(outcome(&options), FRESHET_ERROR_RANGE);
    options.has_v2 = false;
    assert_int_equal(outcome(&options), FRESHET_OK);
    options.has_v2 = true;
    options.piece_length = 16384;
    options.file_count = 1;
    files[0].path = "folder";
    assert_int_equal(outcome(&options), FRESHET_ERROR_CONFLICT);
    files[0].length = 0;
    files[0].path = "a";
    assert_int_equal(outcome(&options), FRESHET_ERROR_RANGE);
}

static void torrent_builder_chooses_piece_lengths_that_grow(void **state)
{
    (void)state;
    assert_int_equal(torrent_builder_piece_length(1), 16384);
    assert_int_equal(torrent_builder_piece_length(UINT64_C(200) * MIB), 256 * KIB);
    assert_int_equal(torrent_builder_piece_length(UINT64_C(4096) * MIB), 4 * MIB);
    assert_int_equal(torrent_builder_piece_length(UINT64_C(100) * 1024 * MIB), 16 * MIB);
    uint32_t before = 0;
    for (uint64_t length = 1; length < UINT64_C(1) << 45; length *= 2) {
        uint32_t piece_length = torrent_builder_piece_length(length);
        assert_true(piece_length >= before);
        assert_true(length / piece_length < LIMIT_PIECES_MAX);
        before = piece_length;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torrent_builder_gives_the_published_info_hashes),
        cmocka_unit_test(torrent_builder_makes_folders_that_parse_back),
        cmocka_unit_test(torrent_builder_gives_the_same_bytes_for_the_same_input),
        cmocka_unit_test(torrent_builder_writes_all_that_stands_outside),
        cmocka_unit_test(torrent_builder_refuses_contradictions),
        cmocka_unit_test(torrent_builder_chooses_piece_lengths_that_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/bencode/bencode_writer.h"
#include "core/metainfo/merkle.h"
#include "core/metainfo/metainfo.h"
#include "core/metainfo/metainfo_names.h"
#include "tests/metainfo/torrent_maker.h"

#include <stdio.h>
#include <stdlib.h>

#define TWENTY     "aaaaaaaaaaaaaaaaaaaa"
#define THIRTY_TWO "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static enum freshet_error try_parse(struct bytes torrent, struct metainfo **metainfo,
                                    char reason[METAINFO_REASON_SIZE])
{
    enum freshet_error error = metainfo_parse(torrent, metainfo, reason);
    assert_int_equal(error == FRESHET_OK, reason[0] == '\0');
    assert_null(strchr(reason, '\n'));
    return error;
}

static struct metainfo *parse_text(const char *text)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    struct bytes torrent = {(const uint8_t *)text, strlen(text)};
    if (try_parse(torrent, &metainfo, reason) != FRESHET_OK)
        print_error("%s: %s\n", text, reason);
    assert_non_null(metainfo);
    return metainfo;
}

static void assert_refused(const char *text, enum freshet_error expected, const char *said)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    enum freshet_error error =
        try_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &metainfo, reason);
    if (error != expected || strstr(reason, said) == NULL)
        print_error("%s: %d, %s\n", text, error, reason);
    assert_int_equal(error, expected);
    assert_non_null(strstr(reason, said));
    assert_null(metainfo);
}

#define V1(body) "d4:infod" body "ee"

static void metainfo_reads_a_plain_file(void **state)
{
    (void)state;
    struct metainfo *metainfo =
        parse_text(V1("6:lengthi5e4:name1:x12:piece lengthi16e6:pieces20:" TWENTY));
    assert_true(metainfo->has_v1 && !metainfo->has_v2);
    assert_true(metainfo->single_file);
    assert_string_equal(metainfo->files[0].path, "x");
    assert_int_equal(metainfo->geometry.piece_count, 1);
    assert_int_equal(metainfo->tracker_count, 0);
    assert_true(
        bytes_is(metainfo->info, "d6:lengthi5e4:name1:x12:piece lengthi16e6:pieces20:" TWENTY "e"));
    metainfo_free(metainfo);
}

static void metainfo_says_what_is_wrong_and_where(void **state)
{
    (void)state;
    assert_refused("", FRESHET_ERROR_TRUNCATED, "bencode at byte 0: empty");
    assert_refused("i1e", FRESHET_ERROR_SYNTAX, "not a bencoded dictionary");
    assert_refused("de", FRESHET_ERROR_MISSING, "info: missing");
    assert_refused("d4:infoi1ee", FRESHET_ERROR_MISSING, "info: missing");
    assert_refused("d4:infodee", FRESHET_ERROR_MISSING, "info.name");
    assert_refused("d4:infod4:name1:xe1:aee", FRESHET_ERROR_SYNTAX, "bencode at byte 18: keys");
    assert_refused(V1("4:name1:x"), FRESHET_ERROR_MISSING, "neither a length nor a list");
    assert_refused(V1("5:filesle4:name1:x"), FRESHET_ERROR_MISSING, "neither a length");
    assert_refused(V1("5:filesl1:ae6:lengthi1e4:name1:x"), FRESHET_ERROR_CONFLICT, "both length");
    assert_refused(V1("6:lengthi5e4:name1:x"), FRESHET_ERROR_MISSING, "info.piece length");
    assert_refused(V1("6:lengthi5e4:name1:x12:piece lengthi0e"), FRESHET_ERROR_RANGE,
                   "info.piece length: must be from 1 byte to 512 MiB");
    assert_refused(V1("6:lengthi5e4:name1:x12:piece lengthi-1e"), FRESHET_ERROR_RANGE,
                   "info.piece length");
    assert_refused(V1("6:lengthi5e4:name1:x12:piece lengthi536870913e"), FRESHET_ERROR_RANGE,
                   "info.piece length");
    assert_refused(V1("6:lengthi5e4:name1:x12:piece lengthi16e"), FRESHET_ERROR_MISSING,
                   "info.pieces");
    assert_refused(V1("6:lengthi5e4:name1:x12:piece lengthi16e6:pieces19:aaaaaaaaaaaaaaaaaaa"),
                   FRESHET_ERROR_RANGE, "info.pieces: its length");
    assert_refused(V1("6:lengthi17e4:name1:x12:piece lengthi16e6:pieces20:" TWENTY),
                   FRESHET_ERROR_RANGE, "info.pieces: its length");
    assert_refused(V1("6:lengthi-5e4:name1:x"), FRESHET_ERROR_RANGE, "info.length: negative");
    assert_refused(V1("6:lengthi0e4:name1:x12:piece lengthi16e6:pieces0:"), FRESHET_ERROR_RANGE,
                   "holds no content");
    assert_refused(V1("6:lengthi9223372036854775807e4:name1:x12:piece lengthi1e6:pieces0:"),
                   FRESHET_ERROR_LIMIT, "more than 2097152 pieces");
    assert_refused(V1("6:lengthi9223372036854775808e4:name1:x"), FRESHET_ERROR_RANGE, "64 bits");
    assert_refused(V1("12:meta versioni3e4:name1:x"), FRESHET_ERROR_UNSUPPORTED,
                   "versions 1 and 2");
    assert_refused(V1("12:meta version1:24:name1:x"), FRESHET_ERROR_SYNTAX, "info.meta version");
}

#define FILES(list) V1("5:filesl" list "e4:name1:x12:piece lengthi16e6:pieces20:" TWENTY)

static void metainfo_refuses_bad_lists_of_files(void **state)
{
    (void)state;
    assert_refused(FILES("i1e"), FRESHET_ERROR_SYNTAX, "info.files, file 0: not a dictionary");
    assert_refused(FILES("d6:lengthi1e4:pathl1:aeed4:pathl1:bee"), FRESHET_ERROR_MISSING,
                   "info.files, file 1: length is missing");
    assert_refused(FILES("d6:lengthi-1e4:pathl1:aee"), FRESHET_ERROR_RANGE, "length is negative");
    assert_refused(FILES("d6:lengthi1ee"), FRESHET_ERROR_MISSING, "path is missing");
    assert_refused(FILES("d6:lengthi1e4:pathlee"), FRESHET_ERROR_MISSING,
                   "path is missing or empty");
    assert_refused(FILES("d6:lengthi1e4:pathli1eee"), FRESHET_ERROR_SYNTAX, "not a string");
    assert_refused(FILES("d4:attr1:l6:lengthi0e4:pathl1:aee"), FRESHET_ERROR_MISSING,
                   "symlink without its symlink path");
    assert_refused(FILES("d4:attr1:l6:lengthi1e4:pathl1:ae12:symlink pathl1:bee"),
                   FRESHET_ERROR_RANGE, "symlink must have length 0");
    assert_refused(FILES("d6:lengthi9223372036854775807e4:pathl1:aee"
                         "d6:lengthi9223372036854775807e4:pathl1:bee"),
                   FRESHET_ERROR_LIMIT, "2^63 bytes");
}

static void metainfo_never_lets_a_path_escape(void **state)
{
    (void)state;
    struct metainfo *metainfo = parse_text(
        V1("5:filesld6:lengthi1e4:pathl2:..2:..3:etceed6:lengthi1e4:pathl4:/etceed6:lengthi1e"
           "4:pathl0:eed4:attr1:l6:lengthi0e4:pathl4:linke12:symlink pathl2:..6:secreteee"
           "4:name2:..12:piece lengthi16e6:pieces20:" TWENTY));
    static const char *const paths[] = {"_/_/_/etc", "_/_etc", "_/_.1", "_/link"};
    for (int i = 0; i < 4; i++)
        assert_string_equal(metainfo->files[i].path, paths[i]);
    assert_string_equal(metainfo->files[3].symlink, "_/_/secret");
    assert_true(metainfo->renamed);
    assert_true(bytes_is(metainfo->files[0].raw[2], "etc"));
    metainfo_free(metainfo);
}

static void metainfo_reads_padding_without_a_path(void **state)
{
    (void)state;
    struct metainfo *metainfo =
        parse_text(FILES("d6:lengthi1e4:pathl1:aeed4:attr2:px6:lengthi10eed4:attr1:p6:lengthi2e"
                         "4:pathl4:.pad1:2eed6:lengthi2e4:pathl1:Aee"));
    assert_true(metainfo->files[1].padding && metainfo->files[2].padding);
    assert_int_equal(metainfo->geometry.payload_length, 3);
    assert_string_equal(metainfo->files[3].path, "x/A.1");
    metainfo_free(metainfo);
}

static void metainfo_reads_what_stands_outside(void **state)
{
    (void)state;
    struct metainfo *metainfo = parse_text(
        "d8:announce8:http://a13:announce-listll0:eli1eel9: http://be7:udp://cl7:udp://d2:\n\tee"
        "7:comment2:hi13:creation datei-5e4:infod6:lengthi5e4:name1:x12:piece "
        "lengthi16e6:pieces20:" TWENTY "7:privatei1e6:source1:se8:url-list8:http://we");
    assert_int_equal(metainfo->tracker_count, 3);
    assert_true(bytes_is(metainfo->trackers[0], "http://b"));
    assert_true(bytes_is(metainfo->trackers[1], "udp://c"));
    assert_true(bytes_is(metainfo->trackers[2], "udp://d"));
    assert_int_equal(metainfo->tracker_tiers[0], 0);
    assert_int_equal(metainfo->tracker_tiers[2], 2);
    assert_int_equal(metainfo->web_seed_count, 1);
    assert_true(metainfo->is_private);
    assert_true(bytes_is(metainfo->source, "s"));
    assert_int_equal(metainfo->creation_date, 0);
    metainfo_free(metainfo);
    metainfo = parse_text("d8:announce8:http://a4:infod6:lengthi5e4:name1:x12:piece lengthi16e"
                          "6:pieces20:" TWENTY "e8:url-listl8:http://wi1e0:ee");
    assert_int_equal(metainfo->tracker_count, 1);
    assert_int_equal(metainfo->web_seed_count, 1);
    metainfo_free(metainfo);
}

#define TREE(tree)                                                                                 \
    "d4:infod9:file treed" tree "e12:meta versioni2e4:name1:x12:piece lengthi16384eee"
#define LEAF "d6:lengthi5e11:pieces root32:" THIRTY_TWO "e"

static void metainfo_reads_and_refuses_file_trees(void **state)
{
    (void)state;
    struct metainfo *metainfo = parse_text(TREE("1:ad0:" LEAF "e1:bd1:cd0:d6:lengthi0eeee"));
    assert_false(metainfo->single_file);
    assert_false(metainfo->layers_missing);
    assert_string_equal(metainfo->files[1].path, "x/b/c");
    metainfo_free(metainfo);
    metainfo = parse_text(TREE("1:xd0:" LEAF "e"));
    assert_true(metainfo->single_file);
    metainfo_free(metainfo);
    assert_refused(TREE(""), FRESHET_ERROR_MISSING, "holds no files");
    assert_refused(TREE("0:" LEAF), FRESHET_ERROR_SYNTAX, "root must not be a file");
    assert_refused(TREE("1:ad0:" LEAF "1:bd0:" LEAF "ee"), FRESHET_ERROR_CONFLICT, "a folder too");
    assert_refused(TREE("1:ad0:i1ee"), FRESHET_ERROR_SYNTAX, "not a dictionary");
    assert_refused(TREE("1:ai1e"), FRESHET_ERROR_SYNTAX, "not a dictionary");
    assert_refused(TREE("1:ad0:d6:lengthi5eee"), FRESHET_ERROR_MISSING, "no pieces root");
    assert_refused(TREE("1:ad0:d6:lengthi5e11:pieces root2:aaee"), FRESHET_ERROR_MISSING,
                   "no pieces root");
    assert_refused(TREE("1:ad0:d4:attr1:p6:lengthi5eee"), FRESHET_ERROR_RANGE, "padding");
    assert_refused("d4:infod9:file treed1:ad0:" LEAF "ee12:meta versioni2e4:name1:x"
                   "12:piece lengthi16385eee",
                   FRESHET_ERROR_RANGE, "power of two");
    char deep[2048] = "d4:infod9:file treed";
    for (int i = 0; i < 80; i++)
        strcat(deep, "1:ad");
    strcat(deep, "0:" LEAF "e");
    for (int i = 0; i < 80; i++)
        strcat(deep, "e");
    strcat(deep, "12:meta versioni2e4:name1:x12:piece lengthi16384eee");
    assert_refused(deep, FRESHET_ERROR_LIMIT, "nested too deep");
}

static const struct torrent_builder_file two_files[] = {{.path = "a", .length = 40000},
                                                        {.path = "b/c", .length = 100000}};

static struct buffer make_two(bool v1, bool v2)
{
    struct torrent_builder_options options = {.name = "two",
                                              .has_v1 = v1,
                                              .has_v2 = v2,
                                              .piece_length = 32768,
                                              .files = two_files,
                                              .file_count = 2};
    return torrent_maker_make(&options, torrent_maker_usual_byte);
}

/* Replaces the first `from` by `to`, of the same length. */
static void patch(struct buffer *torrent, const char *from, const char *to)
{
    size_t length = strlen(from);
    assert_int_equal(length, strlen(to));
    for (size_t i = 0; i + length <= torrent->length; i++) {
        if (memcmp(torrent->data + i, from, length) == 0) {
            memcpy(torrent->data + i, to, length);
            return;
        }
    }
    fail_msg("no %s", from);
}

static void assert_hybrid_refused(const char *from, const char *to, enum freshet_error expected,
                                  const char *said)
{
    struct buffer torrent = make_two(true, true);
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE] = "";
    patch(&torrent, from, to);
    enum freshet_error error = try_parse(buffer_bytes(&torrent), &metainfo, reason);
    if (error != expected || strstr(reason, said) == NULL)
        print_error("%s: %d, %s\n", to, error, reason);
    assert_int_equal(error, expected);
    assert_non_null(strstr(reason, said));
    buffer_deinit(&torrent);
}

static void metainfo_refuses_hybrids_whose_halves_disagree(void **state)
{
    (void)state;
    assert_hybrid_refused("4:pathl1:ae", "4:pathl1:ze", FRESHET_ERROR_CONFLICT,
                          "disagree on its name");
    assert_hybrid_refused("4:pathl1:b1:ce", "4:pathl4:b1:ce", FRESHET_ERROR_CONFLICT,
                          "disagree on its name");
    assert_hybrid_refused("lengthi40000e4:path", "lengthi39999e4:path", FRESHET_ERROR_CONFLICT,
                          "disagree on its length");
    assert_hybrid_refused("lengthi25536e4:path", "lengthi25535e4:path", FRESHET_ERROR_CONFLICT,
                          "does not start at the piece");
    assert_hybrid_refused("d4:attr1:p6:length", "d4:attr1:x6:length", FRESHET_ERROR_CONFLICT,
                          "disagree on its name");
    assert_hybrid_refused("d4:attr1:p6:lengthi25536e4:path", "d4:attr1:p6:lengthi58304e4:path",
                          FRESHET_ERROR_RANGE, "info.pieces");
}

static void metainfo_verifies_piece_layers(void **state)
{
    (void)state;
    for (int kind = 2; kind <= 3; kind++) {
        struct buffer torrent = make_two(kind & 1, true);
        struct metainfo *metainfo = NULL;
        char reason[METAINFO_REASON_SIZE];
        assert_int_equal(try_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_OK);
        assert_non_null(metainfo->files[0].piece_layer);
        metainfo_free(metainfo);
        metainfo = NULL;
        torrent.data[torrent.length - 10] ^= 1; /* the end is the last layer's last hash */
        assert_int_equal(try_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_ERROR_HASH);
        assert_non_null(strstr(reason, "piece layers, file"));
        torrent.data[torrent.length - 10] ^= 1;
        patch(&torrent, "12:piece layers", "12:PIECE layers");
        /* Out of order now, so give it as a key that sorts there. */
        patch(&torrent, "12:PIECE layers", "12:piece lazers");
        assert_int_equal(try_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_OK);
        assert_true(metainfo->layers_missing);
        assert_null(metainfo->files[0].piece_layer);
        struct piece_digest digest;
        metainfo_piece_digest(metainfo, 0, &digest);
        assert_null(digest.merkle);
        assert_int_equal(digest.sha1 != NULL, kind & 1);
        metainfo_free(metainfo);
        buffer_deinit(&torrent);
    }
}

static void metainfo_judges_pieces_by_every_hash_it_has(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 3; kind++) {
        struct torrent_builder_options options = {.name = "two",
                                                  .has_v1 = kind & 1,
                                                  .has_v2 = kind & 2,
                                                  .piece_length = 32768,
                                                  .files = two_files,
                                                  .file_count = 2};
        struct buffer torrent = torrent_maker_make(&options, torrent_maker_usual_byte);
        struct metainfo *metainfo = NULL;
        struct torrent_builder *builder = NULL;
        char reason[METAINFO_REASON_SIZE];
        assert_int_equal(try_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_OK);
        assert_int_equal(torrent_builder_new(&options, &builder), FRESHET_OK);
        assert_int_equal(metainfo->geometry.piece_count, kind == 1 ? 5 : 6);
        for (uint32_t piece = 0; piece < metainfo->geometry.piece_count; piece++) {
            uint8_t *bytes = torrent_maker_piece(builder, piece, torrent_maker_usual_byte);
            uint8_t *leaves = torrent_maker_leaves(&metainfo->geometry, piece, bytes);
            uint32_t count = geometry_piece_blocks(&metainfo->geometry, piece);
            uint8_t sha1[20];
            uint8_t wrong[20] = {0};
            sha1_of(bytes, geometry_piece_size(&metainfo->geometry, piece), sha1);
            assert_true(metainfo_piece_matches(metainfo, piece, sha1, leaves, count));
            assert_int_equal(metainfo_piece_matches(metainfo, piece, wrong, leaves, count),
                             !(kind & 1));
            assert_int_equal(metainfo_piece_matches(metainfo, piece, NULL, leaves, count),
                             !(kind & 1));
            assert_int_equal(metainfo_piece_matches(metainfo, piece, sha1, NULL, 0), !(kind & 2));
            assert_int_equal(metainfo_piece_matches(metainfo, piece, sha1, leaves, count - 1),
                             !(kind & 2));
            leaves[0] ^= 1;
            assert_int_equal(metainfo_piece_matches(metainfo, piece, sha1, leaves, count),
                             !(kind & 2));
            memory_free(leaves);
            memory_free(bytes);
        }
        torrent_builder_free(builder);
        metainfo_free(metainfo);
        buffer_deinit(&torrent);
    }
}

static void metainfo_reads_a_bare_info_dictionary(void **state)
{
    (void)state;
    for (int kind = 1; kind <= 3; kind++) {
        struct buffer torrent = make_two(kind & 1, kind & 2);
        struct metainfo *whole = NULL;
        struct metainfo *bare = NULL;
        char reason[METAINFO_REASON_SIZE];
        assert_int_equal(try_parse(buffer_bytes(&torrent), &whole, reason), FRESHET_OK);
        assert_int_equal(metainfo_parse_info(whole->info, &bare, reason), FRESHET_OK);
        assert_memory_equal(bare->info_hash_v1, whole->info_hash_v1, 20);
        assert_memory_equal(bare->info_hash_v2, whole->info_hash_v2, 32);
        assert_int_equal(bare->layers_missing, kind != 1);
        metainfo_free(bare);
        metainfo_free(whole);
        buffer_deinit(&torrent);
    }
}

static void metainfo_refuses_every_truncation(void **state)
{
    (void)state;
    struct buffer torrent = make_two(true, true);
    for (size_t cut = 0; cut < torrent.length; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, torrent.data, cut);
        struct metainfo *metainfo = NULL;
        char reason[METAINFO_REASON_SIZE];
        assert_int_equal(try_parse((struct bytes){exact, cut}, &metainfo, reason),
                         FRESHET_ERROR_TRUNCATED);
        free(exact);
    }
    buffer_deinit(&torrent);
}

static void metainfo_survives_every_flipped_byte(void **state)
{
    (void)state;
    struct buffer torrent = make_two(true, true);
    for (size_t i = 0; i < torrent.length; i++) {
        struct metainfo *metainfo = NULL;
        char reason[METAINFO_REASON_SIZE];
        torrent.data[i] ^= 0x01;
        try_parse(buffer_bytes(&torrent), &metainfo, reason);
        metainfo_free(metainfo);
        torrent.data[i] ^= 0x01;
    }
    buffer_deinit(&torrent);
}

static void metainfo_caps_equal_names_and_paths(void **state)
{
    (void)state;
    struct buffer torrent = {0};
    buffer_append_text(&torrent, "d4:infod5:filesl");
    for (unsigned i = 0; i < LIMIT_DUPLICATE_NAMES + 2; i++)
        buffer_append_text(&torrent, "d6:lengthi1e4:pathl4:sameee");
    buffer_append_text(&torrent, "e4:name1:x12:piece lengthi16384e6:pieces20:" TWENTY "ee");
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    assert_int_equal(try_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_ERROR_LIMIT);
    assert_string_equal(reason, "info.files, file 501: a path too long or too deep, or too many "
                                "equal names");
    buffer_deinit(&torrent);
}

static void metainfo_names_takes_only_plain_names(void **state)
{
    (void)state;
    struct metainfo *metainfo = parse_text(
        FILES("d6:lengthi1e4:pathl4:dot.eed6:lengthi1e4:pathl2:..1:aeed6:lengthi1e4:pathl3:a/beed"
              "6:lengthi1e4:pathl0:eed6:lengthi1e4:pathl1:A1:beed6:lengthi1e4:pathl1:aee"));
    static const char *const paths[] = {"x/dot.", NULL, NULL, NULL, "x/A/b", "x/a"};
    assert_string_equal(metainfo->files[5].path, "x/a.1");
    for (file_index i = 0; i < 6; i++) {
        struct buffer out = {0};
        assert_int_equal(metainfo_names_raw_path(metainfo, i, &out), paths[i] != NULL);
        assert_int_equal(out.length, paths[i] ? strlen(paths[i]) + 1 : 0);
        buffer_deinit(&out);
        const char *safe = metainfo->files[i].path;
        assert_int_equal(metainfo_names_use_raw(metainfo, i), paths[i] != NULL);
        assert_string_equal(metainfo->files[i].path, paths[i] ? paths[i] : safe);
    }
    metainfo_free(metainfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metainfo_reads_a_plain_file),
        cmocka_unit_test(metainfo_says_what_is_wrong_and_where),
        cmocka_unit_test(metainfo_refuses_bad_lists_of_files),
        cmocka_unit_test(metainfo_never_lets_a_path_escape),
        cmocka_unit_test(metainfo_reads_padding_without_a_path),
        cmocka_unit_test(metainfo_reads_what_stands_outside),
        cmocka_unit_test(metainfo_reads_and_refuses_file_trees),
        cmocka_unit_test(metainfo_refuses_hybrids_whose_halves_disagree),
        cmocka_unit_test(metainfo_verifies_piece_layers),
        cmocka_unit_test(metainfo_judges_pieces_by_every_hash_it_has),
        cmocka_unit_test(metainfo_reads_a_bare_info_dictionary),
        cmocka_unit_test(metainfo_refuses_every_truncation),
        cmocka_unit_test(metainfo_survives_every_flipped_byte),
        cmocka_unit_test(metainfo_caps_equal_names_and_paths),
        cmocka_unit_test(metainfo_names_takes_only_plain_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

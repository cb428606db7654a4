/* SPDX-License-Identifier: MIT */
/* A .torrent made of metadata that peers gave is the one that was made of the content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/metainfo/torrent_writer.h"
#include "tests/metainfo/torrent_maker.h"

static const char *const trackers[] = {"http://a.example/announce", "udp://b.example:1/announce"};
static const uint32_t tiers[] = {0, 1};
static const char *const web_seeds[] = {"http://w.example/"};

static struct buffer make(bool has_v1, bool has_v2)
{
    static const struct torrent_builder_file files[] = {{.path = "b", .length = 100000},
                                                        {.path = "a/c", .length = 50000},
                                                        {.path = "d", .length = 0},
                                                        {.path = "same", .length = 100000}};
    struct torrent_builder_options options = {.name = "t",
                                              .has_v1 = has_v1,
                                              .has_v2 = has_v2,
                                              .piece_length = 32768,
                                              .files = files,
                                              .file_count = 4,
                                              .trackers = trackers,
                                              .tracker_tiers = tiers,
                                              .tracker_count = 2,
                                              .web_seeds = web_seeds,
                                              .web_seed_count = 1};
    return torrent_maker_make(&options, torrent_maker_usual_byte);
}

static struct metainfo *parse(struct bytes torrent)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    assert_int_equal(metainfo_parse(torrent, &metainfo, reason), FRESHET_OK);
    return metainfo;
}

static void torrent_writer_writes_the_torrent_again(void **state)
{
    (void)state;
    for (int version = 1; version <= 3; version++) {
        struct buffer torrent = make(version & 1, version & 2), again = {0};
        struct metainfo *metainfo = parse(buffer_bytes(&torrent));
        torrent_writer_write(metainfo, NULL, &again);
        assert_true(bytes_equal(buffer_bytes(&torrent), buffer_bytes(&again)));
        metainfo_free(metainfo);
        buffer_deinit(&torrent);
        buffer_deinit(&again);
    }
}

static void torrent_writer_takes_trackers_and_web_seeds_from_the_link(void **state)
{
    (void)state;
    struct buffer torrent = make(true, true), again = {0}, link = {0};
    struct metainfo *metainfo = parse(buffer_bytes(&torrent)), *bare = NULL;
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    magnet_format_metainfo(metainfo, &link);
    assert_int_equal(magnet_parse(buffer_bytes(&link), &magnet, reason), FRESHET_OK);
    /* What the exchange brings: the dictionary, then the layers, file by file. */
    assert_int_equal(metainfo_parse_info(metainfo->info, &bare, reason), FRESHET_OK);
    assert_true(bare->layers_missing);
    for (uint32_t i = 0; i < bare->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        if (file->piece_layer == NULL)
            continue;
        uint8_t wrong[4 * 32];
        size_t length = ((file->length - 1) / 32768 + 1) * 32;
        memcpy(wrong, file->piece_layer, length);
        wrong[length - 1] ^= 1;
        assert_int_equal(metainfo_set_piece_layer(bare, i, (struct bytes){wrong, length}),
                         FRESHET_ERROR_HASH);
        assert_int_equal(
            metainfo_set_piece_layer(bare, i, (struct bytes){file->piece_layer, length - 32}),
            FRESHET_ERROR_RANGE);
        assert_true(bare->layers_missing);
        assert_int_equal(
            metainfo_set_piece_layer(bare, i, (struct bytes){file->piece_layer, length}),
            FRESHET_OK);
    }
    assert_false(bare->layers_missing);
    torrent_writer_write(bare, magnet, &again);
    assert_true(bytes_equal(buffer_bytes(&torrent), buffer_bytes(&again)));
    metainfo_free(metainfo);
    metainfo_free(bare);
    magnet_free(magnet);
    buffer_deinit(&torrent);
    buffer_deinit(&again);
    buffer_deinit(&link);
}

static void metainfo_reads_the_nodes_of_a_torrent_and_leaves_out_nonsense(void **state)
{
    (void)state;
    struct buffer torrent = {0};
    buffer_append_text(&torrent, "d4:infod6:lengthi1e4:name1:f12:piece lengthi16384e6:pieces20:"
                                 "aaaaaaaaaaaaaaaaaaaae5:nodesl");
    buffer_append_text(&torrent, "l9:127.0.0.1i6881ee"  /* good */
                                 "l7:no portei5e3:abc"  /* no list of two, no list */
                                 "l1:ai0eel1:bi65536ee" /* ports that are none */
                                 "l0:i1eel4:a cbi1ee"   /* no name, a blank in it */
                                 "l11:dht.examplei1eee"
                                 "e");
    struct metainfo *metainfo = parse(buffer_bytes(&torrent));
    assert_int_equal(metainfo->node_count, 2);
    assert_string_equal(metainfo->nodes[0].host, "127.0.0.1");
    assert_int_equal(metainfo->nodes[0].port, 6881);
    assert_string_equal(metainfo->nodes[1].host, "dht.example");
    assert_int_equal(metainfo->nodes[1].port, 1);
    metainfo_free(metainfo);
    buffer_deinit(&torrent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torrent_writer_writes_the_torrent_again),
        cmocka_unit_test(torrent_writer_takes_trackers_and_web_seeds_from_the_link),
        cmocka_unit_test(metainfo_reads_the_nodes_of_a_torrent_and_leaves_out_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What other programs write of a torrent, in words of ours. The real programs are met in
 * tests/program/import_test.py; here are the layouts and the values that they rarely write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/metainfo/magnet.h"
#include "services/takeover/takeover.h"

#define PIECES "6:pieces20:aaaaaaaaaaaaaaaaaaaae"
#define ALBUM                                                                                      \
    "d4:infod5:filesld6:lengthi3e4:pathl1:aeed6:lengthi3e4:pathl3:sub1:beed6:lengthi3e4:"          \
    "pathl3:sub1:ceee4:name5:album12:piece lengthi16384e" PIECES "e"
#define LONE   "d4:infod6:lengthi9e4:name1:f12:piece lengthi16384e" PIECES "e"
#define FOLDER "11:destination2:/d"

struct bench {
    struct metainfo *metainfo;
    struct takeover *takeover;
};

static struct metainfo *parse(const char *torrent)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    if (torrent)
        assert_int_equal(metainfo_parse((struct bytes){(const uint8_t *)torrent, strlen(torrent)},
                                        &metainfo, reason),
                         FRESHET_OK);
    return metainfo;
}

static struct bench read_as(bool qbittorrent, const char *torrent, const char *file)
{
    struct bench bench = {parse(torrent), takeover_new()};
    char reason[METAINFO_REASON_SIZE] = "";
    size_t length = strlen(file);
    uint8_t *exact = memory_copy(file, length);
    struct bytes bytes = {exact, length};
    enum freshet_error error =
        qbittorrent ? takeover_qbittorrent_read(bench.takeover, bytes, bench.metainfo, reason)
                    : takeover_transmission_read(bench.takeover, bytes, bench.metainfo, reason);
    assert_string_equal(reason, "");
    assert_int_equal(error, FRESHET_OK);
    memory_free(exact);
    return bench;
}

static void end(struct bench *bench)
{
    metainfo_free(bench->metainfo);
    takeover_free(bench->takeover);
}

static void takeover_makes_renamings_of_paths(void **state)
{
    (void)state;
    struct bench bench =
        read_as(false, ALBUM, "d" FOLDER "5:filesl8:record/x14:record/other/y14:record/other/cee");
    assert_string_equal(bench.takeover->refusal, "");
    assert_int_equal(bench.takeover->renamed_count, 4);
    assert_string_equal(bench.takeover->renamed_paths[0], "album");
    assert_string_equal(bench.takeover->renamed_names[0], "record");
    assert_string_equal(bench.takeover->renamed_paths[2], "record/sub");
    assert_string_equal(bench.takeover->renamed_names[2], "other");
    assert_string_equal(bench.metainfo->files[1].path, "record/other/y");
    assert_string_equal(bench.metainfo->files[2].path, "record/other/c");
    end(&bench);
}

static void takeover_refuses_what_renaming_cannot_make(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "l7:album/a9:album/b/x11:album/sub/ce",    /* one of a folder's files lies elsewhere */
        "l7:album/a11:album/sub/c11:album/sub/be", /* two have changed places */
        "l7:album/a10:album/deep11:album/sub/ce",  /* less deep */
        "l7:album/a13:album/../../b11:album/sub/ce", "l7:album/a10:/etc/passw11:album/sub/ce",
        "l7:album/a8:album//b11:album/sub/ce",       "l7:album/ae",
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char file[256];
        snprintf(file, sizeof file, "d" FOLDER "5:files%se", lists[i]);
        struct bench bench = read_as(false, ALBUM, file);
        assert_string_not_equal(bench.takeover->refusal, "");
        end(&bench);
    }
}

static void takeover_knows_layouts_with_another_folder(void **state)
{
    (void)state;
    /* Without the torrent's own folder: the folder that it lies in takes its place. */
    struct bench bench =
        read_as(true, ALBUM, "d12:mapped_filesl1:a5:sub/b5:sub/ce9:save_path6:/x/y/ze");
    assert_string_equal(bench.takeover->refusal, "");
    assert_string_equal(bench.takeover->folder, "/x/y");
    assert_string_equal(bench.metainfo->files[1].path, "z/sub/b");
    end(&bench);
    /* A lone file in a folder. */
    bench = read_as(true, LONE, "d12:mapped_filesl8:in/two/ge9:save_path3:/x/e");
    assert_string_equal(bench.takeover->refusal, "");
    assert_string_equal(bench.takeover->folder, "/x/in/two");
    assert_string_equal(bench.metainfo->files[0].path, "g");
    end(&bench);
    /* There is nothing above to take the name of. */
    bench = read_as(true, ALBUM, "d12:mapped_filesl1:a5:sub/b5:sub/ce9:save_path1:/e");
    assert_string_not_equal(bench.takeover->refusal, "");
    end(&bench);
}

static void takeover_reads_transmissions_wishes(void **state)
{
    (void)state;
    struct bench bench =
        read_as(false, ALBUM,
                "d18:bandwidth-priorityi-3e" FOLDER "3:dndli0ei0ei1ee10:idle-limitd10:idle-limiti9e"
                "9:idle-modei1ee6:labelsl1:a1:a3:x,y0:e9:max-peersi17e6:pausedi1e"
                "8:priorityli1ei-1ei1ee11:ratio-limitd11:ratio-limit8:2.50000010:ratio-modei1ee"
                "16:speed-limit-downd9:speed-Bpsi70000e22:use-global-speed-limiti0e"
                "15:use-speed-limiti1eee");
    const struct takeover *takeover = bench.takeover;
    assert_true(takeover->stopped);
    assert_int_equal(takeover->wishes.bandwidth_priority, -1);
    assert_int_equal(takeover->wishes.peers_max, 17);
    assert_true(takeover->wishes.ratio > 2.4999 && takeover->wishes.ratio < 2.5001);
    assert_int_equal(takeover->wishes.ratio_mode, GOAL_OWN);
    assert_int_equal(takeover->wishes.idle_minutes, 9);
    assert_int_equal(takeover->wishes.download_limit, 70000);
    assert_true(takeover->wishes.download_limited && !takeover->wishes.upload_limited);
    assert_false(takeover->wishes.honors_session_limits);
    assert_int_equal(takeover->label_count, 1);
    assert_int_equal(takeover->note_count, 1); /* "x,y" */
    assert_int_equal(takeover->priority_count, 3);
    assert_int_equal(takeover->priorities[0], CATALOG_PRIORITY_HIGH);
    assert_int_equal(takeover->priorities[1], CATALOG_PRIORITY_LOW);
    assert_int_equal(takeover->priorities[2], CATALOG_PRIORITY_UNWANTED);
    assert_int_equal(takeover->unwanted, 1);
    end(&bench);
    /* As version 4 spells them. */
    bench = read_as(false, ALBUM, "d10:added_datei7e11:destination2:/d9:max_peersi17ee");
    assert_int_equal(bench.takeover->past.added_s, 7);
    assert_int_equal(bench.takeover->wishes.peers_max, 17);
    end(&bench);
}

static void takeover_tells_how_much_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *blocks;
        int percent;
    } cases[] = {{"3:all", 100}, {"4:none", 0}, {"1:\x80", 100}, {"0:", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[128];
        snprintf(file, sizeof file, "d" FOLDER "8:progressd6:blocks%see", cases[i].blocks);
        struct bench bench = read_as(false, LONE, file);
        assert_int_equal((int)(100 * bench.takeover->done), cases[i].percent);
        end(&bench);
    }
    struct bench bench = read_as(false, LONE, "d" FOLDER "e");
    assert_true(bench.takeover->done < 0);
    end(&bench);
}

static void takeover_knows_where_incomplete_data_are(void **state)
{
    (void)state;
    struct bench bench = read_as(false, LONE, "d" FOLDER "14:incomplete-dir3:/i/e");
    assert_string_equal(bench.takeover->folder, "/i");
    assert_string_equal(bench.takeover->folder_done, "/d");
    end(&bench);
    bench = read_as(true, LONE, "d16:qBt-downloadPath2:/t12:qBt-savePath2:/s9:save_path2:/te");
    assert_string_equal(bench.takeover->folder, "/t");
    assert_string_equal(bench.takeover->folder_done, "/s");
    end(&bench);
    /* A folder of another kind of machine. */
    bench = read_as(true, LONE, "d9:save_path4:C:\\xe");
    assert_string_not_equal(bench.takeover->refusal, "");
    end(&bench);
}

static void takeover_tells_stopped_from_queued_and_forced(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        bool stopped, forced;
    } cases[] = {
        {"d12:auto_managedi0e6:pausedi1e9:save_path2:/se", true, false},
        {"d12:auto_managedi1e6:pausedi1e9:save_path2:/se", false, false},
        {"d12:auto_managedi0e6:pausedi0e9:save_path2:/se", false, true},
        {"d12:auto_managedi1e6:pausedi0e9:save_path2:/se", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bench bench = read_as(true, LONE, cases[i].file);
        assert_int_equal(bench.takeover->stopped, cases[i].stopped);
        assert_int_equal(bench.takeover->forced, cases[i].forced);
        end(&bench);
    }
}

static void takeover_puts_links_together(void **state)
{
    (void)state;
    struct bench bench = read_as(true, NULL,
                                 "d9:info-hash20:aaaaaaaaaaaaaaaaaaaa8:qBt-name4:some"
                                 "9:save_path2:/s8:trackersll10:http://t/aeee");
    struct magnet *magnet;
    char reason[METAINFO_REASON_SIZE];
    const char *link = bench.takeover->magnet;
    assert_non_null(link);
    assert_int_equal(
        magnet_parse((struct bytes){(const uint8_t *)link, strlen(link)}, &magnet, reason),
        FRESHET_OK);
    assert_memory_equal(magnet->info_hash_v1, "aaaaaaaaaaaaaaaaaaaa", 20);
    assert_string_equal(magnet->name, "some");
    assert_int_equal(magnet->tracker_count, 1);
    magnet_free(magnet);
    end(&bench);
    struct buffer made = {0};
    assert_true(takeover_transmission_magnet(
        BYTES_LITERAL("d8:announce10:http://t/a11:magnet-infod12:display-name4:some9:info_hash20:"
                      "aaaaaaaaaaaaaaaaaaaaee"),
        &made));
    assert_memory_equal(made.data, "magnet:?", 8);
    buffer_clear(&made);
    assert_false(takeover_transmission_magnet(BYTES_LITERAL(LONE), &made));
    assert_int_equal(made.length, 0);
    buffer_deinit(&made);
}

static void takeover_learns_nothing_of_what_is_torn(void **state)
{
    (void)state;
    static const char whole[] = "d" FOLDER "6:labelsl1:ae8:uploadedi5ee";
    struct metainfo *metainfo = parse(LONE);
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        struct takeover *takeover = takeover_new();
        char reason[METAINFO_REASON_SIZE] = "";
        uint8_t *exact = memory_copy(whole, length);
        assert_int_not_equal(
            takeover_transmission_read(takeover, (struct bytes){exact, length}, metainfo, reason),
            FRESHET_OK);
        assert_string_not_equal(reason, "");
        assert_null(takeover->folder);
        memory_free(exact);
        takeover_free(takeover);
    }
    metainfo_free(metainfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takeover_makes_renamings_of_paths),
        cmocka_unit_test(takeover_refuses_what_renaming_cannot_make),
        cmocka_unit_test(takeover_knows_layouts_with_another_folder),
        cmocka_unit_test(takeover_reads_transmissions_wishes),
        cmocka_unit_test(takeover_tells_how_much_is_there),
        cmocka_unit_test(takeover_knows_where_incomplete_data_are),
        cmocka_unit_test(takeover_tells_stopped_from_queued_and_forced),
        cmocka_unit_test(takeover_puts_links_together),
        cmocka_unit_test(takeover_learns_nothing_of_what_is_torn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

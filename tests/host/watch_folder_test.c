/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/watch_folder.h"
#include "tests/host/temporary_folder.h"

#define LINK "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567"
#define TORRENT                                                                                    \
    "d4:infod6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"

static const struct watch_found *find(const struct watch_look *look, const char *name)
{
    for (uint32_t i = 0; i < look->count; i++)
        if (strcmp(look->files[i].name, name) == 0)
            return &look->files[i];
    return NULL;
}

static struct watch_stamp stamp_of(const char *folder, const char *name)
{
    struct watch_look look;

    watch_folder_look(folder, &look);
    const struct watch_found *found = find(&look, name);
    assert_non_null(found);
    struct watch_stamp stamp = found->stamp;
    watch_folder_look_deinit(&look);
    return stamp;
}

static struct watch_content content_of(const char *folder, const char *name)
{
    struct watch_content content;
    struct watch_stamp stamp = stamp_of(folder, name);

    watch_folder_read(folder, name, &stamp, &content);
    assert_false(content.is_moving);
    assert_int_equal(content.is_bad, content.words[0] != '\0');
    return content;
}

static bool is_there(const char *folder, const char *name)
{
    char path[TEMPORARY_PATH];
    return access(temporary_path(folder, name, path), F_OK) == 0;
}

static void watch_folder_sees_torrents_and_links_only(void **state)
{
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];
    struct watch_look look;

    (void)state;
    temporary_write(folder, "a.torrent", "1", 1);
    temporary_write(folder, "B.TORRENT", "1", 1);
    temporary_write(folder, "c.magnet", "1", 1);
    temporary_write(folder, ".d.torrent", "1", 1);
    temporary_write(folder, ".torrent", "1", 1);
    temporary_write(folder, "e.torrent.added", "1", 1);
    assert_int_equal(mkfifo(temporary_path(folder, "f.torrent", path), 0600), 0);
    assert_int_equal(mkdir(temporary_path(folder, "g.torrent", path), 0700), 0);
    watch_folder_look(folder, &look);
    assert_string_equal(look.trouble, "");
    assert_int_equal(look.count, 3);
    assert_non_null(find(&look, "a.torrent"));
    assert_non_null(find(&look, "B.TORRENT"));
    assert_non_null(find(&look, "c.magnet"));
    watch_folder_look_deinit(&look);
    watch_folder_look(temporary_path(folder, "not there", path), &look);
    assert_string_not_equal(look.trouble, "");
    watch_folder_look_deinit(&look);
    temporary_folder_drop(folder);
}

static void watch_folder_reads_what_can_be_added(void **state)
{
    char *folder = temporary_folder_make();

    (void)state;
    temporary_write(folder, "a.torrent", TORRENT, sizeof TORRENT - 1);
    temporary_write(folder, "b.magnet", " \n" LINK "\r\n", sizeof LINK + 4);
    temporary_write(folder, "c.torrent", TORRENT, sizeof TORRENT - 2);
    temporary_write(folder, "d.magnet", "http://h/", 9);
    temporary_write(folder, "e.magnet", "", 0);
    struct watch_content content = content_of(folder, "a.torrent");
    assert_non_null(content.metainfo);
    assert_int_equal(content.torrent.length, sizeof TORRENT - 1);
    watch_folder_content_deinit(&content);
    content = content_of(folder, "b.magnet");
    assert_string_equal(content.magnet, LINK);
    watch_folder_content_deinit(&content);
    for (const char *bad = "c.torrent\0d.magnet\0e.magnet\0"; *bad; bad += strlen(bad) + 1) {
        content = content_of(folder, bad);
        assert_true(content.is_bad);
        assert_null(content.metainfo);
        assert_null(content.magnet);
        watch_folder_content_deinit(&content);
    }
    temporary_folder_drop(folder);
}

static void watch_folder_bounds_a_file(void **state)
{
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];

    (void)state;
    temporary_write(folder, "a.torrent", "", 0);
    assert_int_equal(
        truncate(temporary_path(folder, "a.torrent", path), LIMIT_TORRENT_FILE_SIZE + 1), 0);
    struct watch_content content = content_of(folder, "a.torrent");
    assert_string_equal(content.words, "is too large");
    watch_folder_content_deinit(&content);
    temporary_folder_drop(folder);
}

static void watch_folder_touches_nothing_that_has_changed(void **state)
{
    char *folder = temporary_folder_make();
    struct watch_content content;

    (void)state;
    temporary_write(folder, "a.torrent", TORRENT, sizeof TORRENT - 1);
    struct watch_stamp stamp = stamp_of(folder, "a.torrent");
    temporary_write(folder, "a.torrent", TORRENT, 10);
    watch_folder_read(folder, "a.torrent", &stamp, &content);
    assert_true(content.is_moving);
    watch_folder_content_deinit(&content);
    assert_int_equal(watch_folder_finish(folder, "a.torrent", &stamp, INTAKE_DELETE), FRESHET_OK);
    assert_true(is_there(folder, "a.torrent"));
    assert_int_equal(watch_folder_finish(folder, "gone.torrent", &stamp, INTAKE_DELETE),
                     FRESHET_OK);
    temporary_folder_drop(folder);
}

static void watch_folder_renames_over_nothing(void **state)
{
    char *folder = temporary_folder_make(), bytes[8];

    (void)state;
    temporary_write(folder, "a.torrent.added", "first", 5);
    for (int i = 0; i < 2; i++) {
        temporary_write(folder, "a.torrent", i ? "third" : "other", 5);
        struct watch_stamp stamp = stamp_of(folder, "a.torrent");
        assert_int_equal(watch_folder_finish(folder, "a.torrent", &stamp, INTAKE_RENAME),
                         FRESHET_OK);
        assert_false(is_there(folder, "a.torrent"));
    }
    assert_int_equal(temporary_read(folder, "a.torrent.added", bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "first", 5);
    assert_int_equal(temporary_read(folder, "a.torrent.added.1", bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "other", 5);
    assert_int_equal(temporary_read(folder, "a.torrent.added.2", bytes, sizeof bytes), 5);
    assert_memory_equal(bytes, "third", 5);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watch_folder_sees_torrents_and_links_only),
        cmocka_unit_test(watch_folder_reads_what_can_be_added),
        cmocka_unit_test(watch_folder_bounds_a_file),
        cmocka_unit_test(watch_folder_touches_nothing_that_has_changed),
        cmocka_unit_test(watch_folder_renames_over_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/beneath.h"
#include "tests/host/temporary_folder.h"

static int root_of(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY);

    assert_true(fd >= 0);
    return fd;
}

static void beneath_refuses_paths_that_leave_the_root(void **state)
{
    static const char *const paths[] = {
        "../outside", "sub/../../outside", "/etc/passwd", "..", "link/file", "link", "filelink"};
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH], target[TEMPORARY_PATH];
    int fd;

    (void)state;
    mkdir(temporary_path(folder, "root", path), 0755);
    mkdir(temporary_path(folder, "elsewhere", target), 0755);
    mkdir(temporary_path(folder, "root/sub", path), 0755);
    temporary_write(folder, "outside", "x", 1);
    temporary_write(folder, "elsewhere/file", "x", 1);
    assert_int_equal(symlink(target, temporary_path(folder, "root/link", path)), 0);
    assert_int_equal(symlink("../outside", temporary_path(folder, "root/filelink", path)), 0);
    int root = root_of(temporary_path(folder, "root", path));
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_int_equal(beneath_open(root, paths[i], O_RDONLY, 0, &fd), FRESHET_ERROR_REFUSED);
        assert_int_equal(beneath_open(root, paths[i], O_RDWR | O_CREAT, 0644, &fd),
                         FRESHET_ERROR_REFUSED);
    }
    assert_int_equal(beneath_make_folders(root, "link/new/file", NULL, NULL),
                     FRESHET_ERROR_REFUSED);
    assert_int_equal(beneath_make_folders(root, "../new/file", NULL, NULL), FRESHET_ERROR_REFUSED);
    assert_int_equal(beneath_remove(root, "../outside", false), FRESHET_ERROR_REFUSED);
    assert_int_equal(beneath_remove(root, "link/file", false), FRESHET_ERROR_REFUSED);
    assert_int_equal(beneath_symlink(root, "link/new", "x"), FRESHET_ERROR_REFUSED);
    struct file_stat stat;
    assert_int_equal(beneath_stat(root, "filelink", &stat), FRESHET_ERROR_REFUSED);
    assert_int_equal(access(temporary_path(folder, "elsewhere/new", path), F_OK), -1);
    assert_int_equal(access(temporary_path(folder, "outside", path), F_OK), 0);
    close(root);
    temporary_folder_drop(folder);
}

struct made {
    int count;
    char folders[8][64], parents[8][64];
};

static void on_made(void *context, const char *folder, const char *parent)
{
    struct made *made = context;

    snprintf(made->folders[made->count], 64, "%s", folder);
    snprintf(made->parents[made->count++], 64, "%s", parent);
}

static void beneath_makes_folders_once_and_tells_each(void **state)
{
    char *folder = temporary_folder_make();
    struct made made = {0};
    int root = root_of(folder);

    (void)state;
    assert_int_equal(beneath_make_folders(root, "a/b/c/file", on_made, &made), FRESHET_OK);
    assert_int_equal(made.count, 3);
    assert_string_equal(made.folders[0], "a");
    assert_string_equal(made.parents[0], ".");
    assert_string_equal(made.folders[2], "a/b/c");
    assert_string_equal(made.parents[2], "a/b");
    assert_int_equal(beneath_make_folders(root, "a/b/c/other", on_made, &made), FRESHET_OK);
    assert_int_equal(beneath_make_folders(root, "plain", on_made, &made), FRESHET_OK);
    assert_int_equal(made.count, 3);
    close(root);
    temporary_folder_drop(folder);
}

static void beneath_tells_what_is_there(void **state)
{
    char *folder = temporary_folder_make();
    struct file_stat stat;
    int root = root_of(folder);

    (void)state;
    temporary_write(folder, "file", "12345", 5);
    assert_int_equal(beneath_stat(root, "file", &stat), FRESHET_OK);
    assert_true(stat.exists);
    assert_int_equal(stat.size, 5);
    assert_true(stat.mtime_ns > 0);
    assert_true(stat.inode > 0);
    assert_int_equal(beneath_stat(root, "no/file", &stat), FRESHET_OK);
    assert_false(stat.exists);
    assert_int_equal(beneath_remove(root, "file", false), FRESHET_OK);
    assert_int_equal(beneath_remove(root, "file", false), FRESHET_ERROR_NOT_FOUND);
    close(root);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beneath_refuses_paths_that_leave_the_root),
        cmocka_unit_test(beneath_makes_folders_once_and_tells_each),
        cmocka_unit_test(beneath_tells_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

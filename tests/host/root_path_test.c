/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/root_path.h"
#include "tests/host/temporary_folder.h"

static void expect(const char *path, const char *root)
{
    char resolved[LIMIT_PATH_LENGTH + 1];

    assert_int_equal(root_path_resolve(path, resolved), FRESHET_OK);
    assert_string_equal(resolved, root);
}

static void root_path_gives_one_folder_one_name(void **state)
{
    char *folder = temporary_folder_make(), *real = realpath(folder, NULL);
    char path[TEMPORARY_PATH], root[TEMPORARY_PATH], resolved[LIMIT_PATH_LENGTH + 1];

    (void)state;
    mkdir(temporary_path(real, "a", root), 0755);
    expect(root, root);
    expect(temporary_path(real, "a/", path), root);
    expect(temporary_path(real, "a/../a/./", path), root);
    assert_int_equal(symlink("a", temporary_path(real, "link", path)), 0);
    expect(path, root);
    temporary_path(real, "a/new/deep", root);
    expect(root, root);
    expect(temporary_path(real, "link//new/deep/", path), root);
    assert_int_equal(root_path_resolve(temporary_path(real, "new/../x", path), resolved),
                     FRESHET_ERROR_USAGE);
    assert_int_equal(root_path_resolve("", resolved), FRESHET_ERROR_USAGE);
    temporary_write(real, "file", "x", 1);
    assert_int_not_equal(root_path_resolve(temporary_path(real, "file/below", path), resolved),
                         FRESHET_OK);
    assert_int_equal(chdir(real), 0);
    expect(".", real);
    expect("fresh", temporary_path(real, "fresh", root));
    assert_int_equal(chdir("/"), 0);
    expect("/", "/");
    free(real);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_path_gives_one_folder_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

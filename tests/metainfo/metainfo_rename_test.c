/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/metainfo/metainfo.h"

#include <string.h>

static struct metainfo *parse(const char *info)
{
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];
    struct bytes bytes = {(const uint8_t *)info, strlen(info)};
    assert_int_equal(metainfo_parse_info(bytes, &metainfo, reason), FRESHET_OK);
    return metainfo;
}

static struct metainfo *several(void)
{
    return parse("d5:filesld6:lengthi4e4:pathl1:aeed6:lengthi4e4:pathl3:sub1:beed6:lengthi4e"
                 "4:pathl5:sub-21:ceee4:name3:top12:piece lengthi16e6:pieces20:"
                 "01234567890123456789e");
}

static void metainfo_rename_changes_paths_and_nothing_else(void **state)
{
    (void)state;
    struct metainfo *metainfo = several();
    uint8_t hash[20];
    memcpy(hash, metainfo->info_hash_v1, 20);
    assert_int_equal(metainfo_rename(metainfo, "top", "other"), FRESHET_OK);
    assert_string_equal(metainfo->name, "other");
    assert_string_equal(metainfo->files[0].path, "other/a");
    assert_string_equal(metainfo->files[1].path, "other/sub/b");
    assert_int_equal(metainfo_rename(metainfo, "other/sub", "deep"), FRESHET_OK);
    assert_string_equal(metainfo->files[1].path, "other/deep/b");
    assert_string_equal(metainfo->files[2].path, "other/sub-2/c");
    assert_int_equal(metainfo_rename(metainfo, "other/a", "a.part"), FRESHET_OK);
    assert_string_equal(metainfo->files[0].path, "other/a.part");
    assert_int_equal(metainfo_rename(metainfo, "other/a.part", "a.part"), FRESHET_OK);
    assert_true(bytes_equal(metainfo->files[1].raw[0], BYTES_LITERAL("sub")));
    assert_memory_equal(metainfo->info_hash_v1, hash, 20);
    metainfo_free(metainfo);
}

static void metainfo_rename_takes_a_lone_file(void **state)
{
    (void)state;
    struct metainfo *metainfo = parse("d6:lengthi4e4:name3:one12:piece lengthi16e6:pieces20:"
                                      "01234567890123456789e");
    assert_int_equal(metainfo_rename(metainfo, "one", "two"), FRESHET_OK);
    assert_string_equal(metainfo->files[0].path, "two");
    assert_string_equal(metainfo->name, "two");
    metainfo_free(metainfo);
}

static void metainfo_rename_refuses_what_makes_no_sense(void **state)
{
    static const char *const unsafe[] = {"", ".", "..", "a/b", "x\n", "con", "a."};
    (void)state;
    struct metainfo *metainfo = several();
    for (size_t i = 0; i < sizeof unsafe / sizeof *unsafe; i++)
        assert_int_equal(metainfo_rename(metainfo, "top/a", unsafe[i]), FRESHET_ERROR_REFUSED);
    assert_int_equal(metainfo_rename(metainfo, "top/x", "y"), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(metainfo_rename(metainfo, "to", "y"), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(metainfo_rename_judge(metainfo, "top/x", "y"), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(metainfo_rename_judge(metainfo, "top/a", "sub"), FRESHET_ERROR_EXISTS);
    assert_int_equal(metainfo_rename_judge(metainfo, "top/a", ".."), FRESHET_ERROR_REFUSED);
    assert_int_equal(metainfo_rename_judge(metainfo, "top/a", "free"), FRESHET_OK);
    assert_int_equal(metainfo_rename(metainfo, "top/a", "sub"), FRESHET_ERROR_EXISTS);
    assert_int_equal(metainfo_rename(metainfo, "top/sub", "sub-2"), FRESHET_ERROR_EXISTS);
    assert_string_equal(metainfo->files[0].path, "top/a");
    metainfo_free(metainfo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metainfo_rename_changes_paths_and_nothing_else),
        cmocka_unit_test(metainfo_rename_takes_a_lone_file),
        cmocka_unit_test(metainfo_rename_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

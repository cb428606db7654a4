/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/metainfo/path_name.h"
#include "core/metainfo/path_name_set.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_clean(const char *raw, size_t length, const char *expected)
{
    struct buffer out = {0};
    bool same = path_name_clean((struct bytes){(const uint8_t *)raw, length}, &out);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    assert_int_equal(same, length == strlen(expected) && memcmp(raw, expected, length) == 0);
    buffer_deinit(&out);
}

#define ASSERT_CLEAN(raw, expected) assert_clean(raw, sizeof(raw) - 1, expected)

static void path_name_keeps_good_names(void **state)
{
    (void)state;
    ASSERT_CLEAN("read.me", "read.me");
    ASSERT_CLEAN(".hidden", ".hidden");
    ASSERT_CLEAN("..hidden", "..hidden");
    ASSERT_CLEAN(" leading", " leading");
    ASSERT_CLEAN("a:b?c*\"<>|", "a:b?c*\"<>|");
    ASSERT_CLEAN("\xc3\xa9t\xc3\xa9.txt", "\xc3\xa9t\xc3\xa9.txt");
    ASSERT_CLEAN("\xf0\x9f\x90\x9f", "\xf0\x9f\x90\x9f");
    ASSERT_CLEAN("aux.c", "aux.c");
    ASSERT_CLEAN("console", "console");
}

static void path_name_makes_bad_names_safe(void **state)
{
    (void)state;
    ASSERT_CLEAN("", "_");
    ASSERT_CLEAN(".", "_");
    ASSERT_CLEAN("..", "_");
    ASSERT_CLEAN("...", "_");
    ASSERT_CLEAN(" ", "_");
    ASSERT_CLEAN("../etc", ".._etc");
    ASSERT_CLEAN("/etc/passwd", "_etc_passwd");
    ASSERT_CLEAN("a\\b", "a_b");
    ASSERT_CLEAN("a\0b", "a_b");
    ASSERT_CLEAN("a\nb\x1b[2J\x7f", "a_b_[2J_");
    ASSERT_CLEAN("a. . ", "a");
    ASSERT_CLEAN("\xc0\xaf", "__");
    ASSERT_CLEAN("\xe0\x80\xaf", "___");
    ASSERT_CLEAN("\xed\xa0\x80", "___");
    ASSERT_CLEAN("\xff\xfe.txt", "__.txt");
    ASSERT_CLEAN("x\xc2\x85y", "x_y");
    ASSERT_CLEAN("gpj\xe2\x80\xae.exe", "gpj.exe");
    ASSERT_CLEAN("..\xe2\x80\x8e", "_");
    ASSERT_CLEAN("\xef\xbb\xbf", "_");
    ASSERT_CLEAN("CON", "CON_");
    ASSERT_CLEAN("lpt9", "lpt9_");
    ASSERT_CLEAN("lpt0", "lpt0");
}

static void path_name_cuts_long_names_between_characters(void **state)
{
    (void)state;
    char raw[600];
    for (size_t length = 250; length < 290; length++) {
        for (size_t i = 0; i < length; i++)
            raw[i] = "\xc3\xa9"[i % 2];
        memcpy(raw + length - 4, ".txt", 4);
        struct buffer out = {0};
        path_name_clean((struct bytes){(const uint8_t *)raw, length}, &out);
        assert_true(out.length <= LIMIT_PATH_ELEMENT);
        assert_true(utf8_is_valid(buffer_bytes(&out)));
        assert_memory_equal(out.data + out.length - 4, ".txt", 4);
        buffer_deinit(&out);
    }
    memset(raw, '.', sizeof raw);
    assert_clean(raw, sizeof raw, "_");
}

static void add(struct path_name_set *set, const char *path, const char *expected)
{
    struct bytes elements[8] = {{0}};
    uint32_t count = 0;
    for (const char *at = path; at; count++) {
        const char *slash = strchr(at, '/');
        elements[count] =
            (struct bytes){(const uint8_t *)at, slash ? (size_t)(slash - at) : strlen(at)};
        at = slash ? slash + 1 : NULL;
    }
    struct buffer out = {0};
    bool changed;
    assert_int_equal(path_name_set_add(set, elements, count, &out, &changed), FRESHET_OK);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    assert_int_equal(changed, strcmp(path, expected) != 0);
    buffer_deinit(&out);
}

static void path_name_set_tells_names_apart_that_a_disk_may_not(void **state)
{
    (void)state;
    struct path_name_set *set = path_name_set_new();
    add(set, "read.me", "read.me");
    add(set, "READ.me", "READ.1.me");
    add(set, "read.me", "read.2.me");
    add(set, "\xc3\xa9", "\xc3\xa9");
    add(set, "e\xcc\x81", "e\xcc\x81.1");
    add(set, "\xc3\x89", "\xc3\x89.2");
    add(set, "\xd0\x96", "\xd0\x96");
    add(set, "\xd0\xb6", "\xd0\xb6.1");
    add(set, "a./b", "a/b");
    add(set, "a/b", "a.1/b");
    add(set, "a./c", "a/c");
    add(set, "A", "A.2");
    add(set, "x", "x");
    add(set, "x/y", "x.1/y");
    add(set, "x/z", "x.1/z");
    path_name_set_free(set);
}

static void path_name_set_treats_hangul_forms_alike(void **state)
{
    (void)state;
    struct path_name_set *set = path_name_set_new();
    add(set, "\xea\xb0\x81", "\xea\xb0\x81");
    add(set, "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8.1");
    path_name_set_free(set);
}

static void path_name_set_caps_duplicates(void **state)
{
    (void)state;
    struct path_name_set *set = path_name_set_new();
    struct bytes name = BYTES_LITERAL("same");
    enum freshet_error error = FRESHET_OK;
    uint32_t added = 0;
    for (; added < 2 * LIMIT_DUPLICATE_NAMES && error == FRESHET_OK; added++) {
        struct buffer out = {0};
        bool changed;
        error = path_name_set_add(set, &name, 1, &out, &changed);
        buffer_deinit(&out);
    }
    assert_int_equal(error, FRESHET_ERROR_LIMIT);
    assert_int_equal(added, LIMIT_DUPLICATE_NAMES + 2);
    path_name_set_free(set);
}

static void path_name_set_bounds_depth_and_length(void **state)
{
    (void)state;
    struct path_name_set *set = path_name_set_new();
    struct bytes elements[LIMIT_PATH_DEPTH + 1];
    for (size_t i = 0; i <= LIMIT_PATH_DEPTH; i++)
        elements[i] = BYTES_LITERAL("d");
    struct buffer out = {0};
    bool changed;
    assert_int_equal(path_name_set_add(set, elements, LIMIT_PATH_DEPTH + 1, &out, &changed),
                     FRESHET_ERROR_LIMIT);
    assert_int_equal(path_name_set_add(set, elements, 0, &out, &changed), FRESHET_ERROR_RANGE);
    assert_int_equal(path_name_set_add(set, elements, LIMIT_PATH_DEPTH, &out, &changed),
                     FRESHET_OK);
    char long_name[201];
    memset(long_name, 'x', 200);
    for (size_t i = 0; i < LIMIT_PATH_DEPTH; i++)
        elements[i] = (struct bytes){(const uint8_t *)long_name, 200};
    buffer_clear(&out);
    assert_int_equal(path_name_set_add(set, elements, LIMIT_PATH_DEPTH, &out, &changed),
                     FRESHET_ERROR_LIMIT);
    buffer_deinit(&out);
    path_name_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_name_keeps_good_names),
        cmocka_unit_test(path_name_makes_bad_names_safe),
        cmocka_unit_test(path_name_cuts_long_names_between_characters),
        cmocka_unit_test(path_name_set_tells_names_apart_that_a_disk_may_not),
        cmocka_unit_test(path_name_set_treats_hangul_forms_alike),
        cmocka_unit_test(path_name_set_caps_duplicates),
        cmocka_unit_test(path_name_set_bounds_depth_and_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

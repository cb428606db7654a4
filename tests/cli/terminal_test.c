/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit_code.h"
#include "cli/terminal.h"

static void use_utf8(void)
{
    assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
    assert_true(terminal_is_utf8());
}

static const char *safe(const char *text)
{
    static char room[256];
    return terminal_safe_text(text, room, sizeof room);
}

static void terminal_shows_names_as_they_are(void **state)
{
    (void)state;
    use_utf8();
    assert_string_equal(safe("Dvořák – Rusalka.flac"), "Dvořák – Rusalka.flac");
    assert_string_equal(safe("日本語 🎵"), "日本語 🎵");
    assert_string_equal(safe(""), "");
}

static void terminal_takes_the_teeth_out_of_control_characters(void **state)
{
    (void)state;
    use_utf8();
    assert_string_equal(safe("a\x1b[31mb\x07\n\tc\x7f"), "a?[31mb???c?");
    assert_string_equal(safe("c1 \xc2\x9b csi"), "c1 ? csi");
    assert_string_equal(safe("exe.\xe2\x80\xaegpj"), "exe.?gpj");
    assert_string_equal(safe("\xe2\x81\xa6x\xef\xbb\xbf"), "?x?");
}

static void terminal_replaces_malformed_utf8_byte_by_byte(void **state)
{
    (void)state;
    use_utf8();
    assert_string_equal(safe("\xff\xfe"), "??");
    assert_string_equal(safe("a\xc3"), "a?");
    assert_string_equal(safe("\xc0\xaf"), "??");           /* overlong */
    assert_string_equal(safe("\xed\xa0\x80"), "???");      /* a surrogate */
    assert_string_equal(safe("\xf4\x90\x80\x80"), "????"); /* beyond Unicode */
    assert_string_equal(safe("\xe2\x82x"), "??x");         /* cut short */
}

static void terminal_writes_only_ascii_where_the_locale_has_no_more(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_CTYPE, "C"));
    assert_false(terminal_is_utf8());
    assert_string_equal(safe("Dvořák"), "Dvo??k");
    use_utf8();
}

static void terminal_cuts_between_characters(void **state)
{
    (void)state;
    use_utf8();
    static const char text[] = "aé日🎵";
    char room[16];
    for (size_t size = 1; size <= sizeof room; size++) {
        memset(room, 'x', sizeof room);
        terminal_safe_text(text, room, size);
        size_t length = strlen(room);
        assert_true(length < size);
        assert_memory_equal(room, text, length);
        assert_true(length == 0 || length == 1 || length == 3 || length == 6 || length == 10);
    }
}

static void terminal_counts_columns_not_bytes(void **state)
{
    (void)state;
    use_utf8();
    assert_int_equal(terminal_text_width("abc"), 3);
    assert_int_equal(terminal_text_width("é"), 1);
    assert_int_equal(terminal_text_width("日本"), 4);
    assert_int_equal(terminal_text_width("e\xcc\x81"), 1);
}

static void terminal_is_as_wide_as_columns_says(void **state)
{
    (void)state;
    setenv("COLUMNS", "123", 1);
    assert_int_equal(terminal_width(STDOUT_FILENO), 123);
    setenv("COLUMNS", "3", 1);
    assert_int_equal(terminal_width(STDOUT_FILENO), 20);
    setenv("COLUMNS", "99999999", 1);
    assert_int_equal(terminal_width(STDOUT_FILENO), 1000);
    setenv("COLUMNS", "wide", 1);
    assert_int_equal(terminal_width(-1), 80);
    unsetenv("COLUMNS");
}

static void terminal_that_is_none_has_no_colour(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(terminal_is_interactive(ends[1]));
    assert_false(terminal_has_colour(ends[1]));
    assert_false(terminal_can_redraw(ends[1]));
    close(ends[0]);
    close(ends[1]);
}

static void exit_codes_follow_the_errors(void **state)
{
    (void)state;
    assert_int_equal(exit_code_from_error(FRESHET_OK), 0);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_USAGE), 2);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_TIMEOUT), 4);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_HASH), 5);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_NO_SPACE), 6);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_CANCELLED), 7);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_TRUNCATED), 8);
    assert_int_equal(exit_code_from_error(FRESHET_ERROR_BUSY), 9);
    for (int error = 1; error < FRESHET_ERROR_COUNT; error++) {
        enum exit_code code = exit_code_from_error((enum freshet_error)error);
        assert_true(code > EXIT_CODE_OK && code < EXIT_CODE_COUNT);
        assert_true(strlen(exit_code_text(code)) > 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_shows_names_as_they_are),
        cmocka_unit_test(terminal_takes_the_teeth_out_of_control_characters),
        cmocka_unit_test(terminal_replaces_malformed_utf8_byte_by_byte),
        cmocka_unit_test(terminal_writes_only_ascii_where_the_locale_has_no_more),
        cmocka_unit_test(terminal_cuts_between_characters),
        cmocka_unit_test(terminal_counts_columns_not_bytes),
        cmocka_unit_test(terminal_is_as_wide_as_columns_says),
        cmocka_unit_test(terminal_that_is_none_has_no_colour),
        cmocka_unit_test(exit_codes_follow_the_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

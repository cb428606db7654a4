/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/error.h"
#include "core/base/memory.h"

static void memory_is_zeroed_and_never_null(void **state)
{
    (void)state;
    uint8_t *nothing = memory_new(0);
    assert_non_null(nothing);
    memory_free(nothing);
    uint8_t *bytes = memory_new_array(100, 7);
    for (size_t i = 0; i < 700; i++)
        assert_int_equal(bytes[i], 0);
    memory_free(bytes);
    memory_free(NULL);
}

static void memory_keeps_its_bytes_when_resized(void **state)
{
    (void)state;
    char *text = memory_copy("freshet", 8);
    assert_string_equal(text, "freshet");
    text = memory_resize_array(text, 100000, 3);
    assert_string_equal(text, "freshet");
    text = memory_resize_array(text, 0, 3);
    assert_non_null(text);
    memory_free(text);
    char *nothing = memory_copy(NULL, 0);
    assert_non_null(nothing);
    memory_free(nothing);
}

static void a_text_is_copied_with_its_end(void **state)
{
    (void)state;
    char *text = memory_copy_text("fresh\nwater"), *empty = memory_copy_text("");
    assert_string_equal(text, "fresh\nwater");
    assert_string_equal(empty, "");
    memory_free(text);
    memory_free(empty);
    assert_null(memory_copy_text(NULL));
}

static void errors_all_have_words_of_their_own(void **state)
{
    (void)state;
    for (int a = 0; a < FRESHET_ERROR_COUNT; a++) {
        const char *text = error_text((enum freshet_error)a);
        assert_non_null(text);
        assert_true(strlen(text) > 1);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(text, error_text((enum freshet_error)b));
    }
    assert_non_null(error_text((enum freshet_error)12345));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_never_null),
        cmocka_unit_test(memory_keeps_its_bytes_when_resized),
        cmocka_unit_test(a_text_is_copied_with_its_end),
        cmocka_unit_test(errors_all_have_words_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

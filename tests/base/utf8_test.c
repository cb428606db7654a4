/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/utf8.h"

#include <string.h>

static void utf8_round_trips_every_code_point(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10ffff; code_point++) {
        uint8_t encoded[UTF8_MAX];
        size_t length = utf8_encode(code_point, encoded);
        uint32_t decoded = UINT32_MAX;
        bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
        assert_int_equal(utf8_decode((struct bytes){encoded, length}, &decoded),
                         surrogate ? 0 : length);
        if (!surrogate)
            assert_int_equal(decoded, code_point);
        for (size_t cut = 0; cut < length; cut++)
            assert_int_equal(utf8_decode((struct bytes){encoded, cut}, &decoded), 0);
    }
}

static void utf8_refuses_what_is_not_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc0\xaf",
                                      "\xe0\x80\xaf",
                                      "\xe0\x9f\xbf",
                                      "\xf5",
                                      "\xff",
                                      "\xfe",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80",
                                      "\xc3\x28",
                                      "\xe2\x28",
                                      "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bytes text = {(const uint8_t *)bad[i], strlen(bad[i])};
        uint32_t code_point;
        assert_int_equal(utf8_decode(text, &code_point), 0);
        assert_false(utf8_is_valid(text));
    }
    assert_true(utf8_is_valid(BYTES_LITERAL("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x9f")));
    assert_true(utf8_is_valid((struct bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_round_trips_every_code_point),
        cmocka_unit_test(utf8_refuses_what_is_not_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

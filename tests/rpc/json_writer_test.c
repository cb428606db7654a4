/* SPDX-License-Identifier: MIT */
#include "services/rpc/base64.h"
#include "services/rpc/json_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

static struct buffer out;
static struct json_writer writer;

static void begin(void)
{
    buffer_deinit(&out);
    json_writer_init(&writer, &out);
}

static void check(const char *wanted)
{
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, wanted);
    begin();
}

static void json_writer_puts_commas_between_values(void **state)
{
    (void)state;
    begin();
    json_writer_open(&writer, '{');
    json_writer_put_i64(&writer, "a", -1);
    json_writer_key(&writer, "b");
    json_writer_open(&writer, '[');
    json_writer_close(&writer, ']');
    json_writer_key(&writer, "c");
    json_writer_open(&writer, '[');
    json_writer_bool(&writer, true);
    json_writer_open(&writer, '{');
    json_writer_close(&writer, '}');
    json_writer_raw(&writer, BYTES_LITERAL("null"));
    json_writer_close(&writer, ']');
    json_writer_close(&writer, '}');
    check("{\"a\":-1,\"b\":[],\"c\":[true,{},null]}");
}

static void json_writer_writes_the_ends_of_numbers(void **state)
{
    (void)state;
    begin();
    json_writer_i64(&writer, INT64_MIN);
    json_writer_i64(&writer, INT64_MAX);
    json_writer_u64(&writer, UINT64_MAX);
    check("-9223372036854775808,9223372036854775807,18446744073709551615");
    json_writer_real(&writer, 0.5);
    json_writer_real(&writer, -2);
    json_writer_real(&writer, 1.0 / 3);
    json_writer_real(&writer, 0.99996);
    json_writer_real(&writer, -0.00001);
    json_writer_real(&writer, NAN);
    json_writer_real(&writer, INFINITY);
    json_writer_real(&writer, 12.0305);
    check("0.5,-2,0.3333,1,0,0,0,12.0305");
}

static void json_writer_escapes_every_control_character(void **state)
{
    (void)state;
    for (int character = 1; character < 256; character++) {
        char text[3] = {'x', (char)character, 0};
        begin();
        json_writer_open(&writer, '[');
        json_writer_text(&writer, text);
        json_writer_close(&writer, ']');
        json_error_t error;
        json_t *read = json_loadb((const char *)out.data, out.length, 0, &error);
        assert_non_null(read);
        const char *got = json_string_value(json_array_get(read, 0));
        assert_string_equal(got, character < 0x80 ? text : "x\xef\xbf\xbd");
        json_decref(read);
    }
    begin();
}

static void json_writer_makes_replacement_characters_of_what_is_not_utf8(void **state)
{
    (void)state;
    begin();
    json_writer_text(&writer, "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    check("\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\"");
    json_writer_text(&writer, "\xc3(\xed\xa0\x80\xf8\xe2\x82");
    check("\"\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
          "\"");
    json_writer_text(&writer, NULL);
    check("\"\"");
}

static void base64_is_that_of_the_rfc(void **state)
{
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct buffer text = {0}, back = {0};
        base64_encode((struct bytes){(const uint8_t *)vectors[i][0], strlen(vectors[i][0])}, &text);
        assert_true(bytes_is(buffer_bytes(&text), vectors[i][1]));
        assert_true(base64_decode(buffer_bytes(&text), &back));
        assert_true(bytes_is(buffer_bytes(&back), vectors[i][0]));
        buffer_deinit(&text);
        buffer_deinit(&back);
    }
}

static bool decodes(const char *text, const char *wanted)
{
    struct buffer back = {0};
    bool good = base64_decode((struct bytes){(const uint8_t *)text, strlen(text)}, &back) &&
                bytes_is(buffer_bytes(&back), wanted);
    buffer_deinit(&back);
    return good;
}

static void base64_passes_over_blanks_and_missing_padding(void **state)
{
    (void)state;
    assert_true(decodes("Zm9v\r\nYmFy\n", "foobar"));
    assert_true(decodes("Zm9vYg", "foob"));
    assert_false(decodes("Z", ""));
    assert_false(decodes("Zm9v=", "foo"));
    assert_false(decodes("Zg=", "f"));
    assert_false(decodes("Z=g=", "f"));
    assert_false(decodes("Zm9*", "fo"));
    assert_false(decodes("Zm9vYg===", "foob"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_writer_puts_commas_between_values),
        cmocka_unit_test(json_writer_writes_the_ends_of_numbers),
        cmocka_unit_test(json_writer_escapes_every_control_character),
        cmocka_unit_test(json_writer_makes_replacement_characters_of_what_is_not_utf8),
        cmocka_unit_test(base64_is_that_of_the_rfc),
        cmocka_unit_test(base64_passes_over_blanks_and_missing_padding),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buffer_deinit(&out);
    return failed;
}

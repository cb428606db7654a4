/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/bencode/bencode.h"
#include "core/bencode/bencode_writer.h"

#include <stdlib.h>
#include <string.h>

static enum freshet_error parse_text(struct bencode *document, const char *text, unsigned flags)
{
    return bencode_parse(document, (struct bytes){(const uint8_t *)text, strlen(text)}, flags);
}

static enum freshet_error outcome(const char *text, unsigned flags)
{
    struct bencode document = {0};
    enum freshet_error error = parse_text(&document, text, flags);
    assert_int_equal(error == FRESHET_OK, bencode_root(&document) != NULL);
    assert_int_equal(error == FRESHET_OK, document.problem == NULL);
    bencode_deinit(&document);
    return error;
}

static void bencode_reads_every_type(void **state)
{
    (void)state;
    struct bencode document = {0};
    assert_int_equal(parse_text(&document, "d1:ai-42e1:b3:xyz1:cl1:pi7ee1:dd1:ei0eee", 0), 0);
    const struct bencode_value *root = bencode_root(&document);
    assert_int_equal(root->count, 4);
    assert_int_equal(root->span, document.value_count);
    int64_t integer = 0;
    assert_true(bencode_find_integer(root, "a", &integer));
    assert_int_equal(integer, -42);
    struct bytes string;
    assert_true(bencode_find_string(root, "b", &string));
    assert_true(bytes_is(string, "xyz"));
    struct bencode_iterator each = bencode_iterate(bencode_find_list(root, "c"));
    assert_true(bencode_iterate_next(&each));
    assert_true(bencode_string(each.value, &string) && bytes_is(string, "p"));
    assert_true(bencode_iterate_next(&each));
    assert_true(bencode_integer(each.value, &integer) && integer == 7);
    assert_false(bencode_iterate_next(&each));
    assert_true(bytes_is(bencode_raw(bencode_find_dict(root, "d")), "d1:ei0ee"));
    bencode_deinit(&document);
}

static void bencode_answers_absent_for_absent_and_mistyped(void **state)
{
    (void)state;
    struct bencode document = {0};
    assert_null(bencode_root(&document));
    assert_int_equal(parse_text(&document, "d1:ai1e1:b0:e", 0), 0);
    const struct bencode_value *root = bencode_root(&document);
    int64_t integer = 99;
    struct bytes string = {NULL, 77};
    assert_false(bencode_find_integer(root, "b", &integer));
    assert_false(bencode_find_string(root, "a", &string));
    assert_int_equal(integer, 99);
    assert_int_equal(string.length, 77);
    assert_null(bencode_find(root, "c"));
    assert_null(bencode_find(NULL, "c"));
    assert_null(bencode_find_list(root, "a"));
    assert_null(bencode_find_dict(root, "a"));
    assert_int_equal(bencode_raw(NULL).length, 0);
    struct bencode_iterator each = bencode_iterate(bencode_find(root, "a"));
    assert_false(bencode_iterate_next(&each));
    bencode_deinit(&document);
}

static void bencode_reads_the_bounds_of_int64(void **state)
{
    (void)state;
    struct bencode document = {0};
    int64_t integer;
    assert_int_equal(parse_text(&document, "i9223372036854775807e", 0), 0);
    assert_true(bencode_integer(bencode_root(&document), &integer) && integer == INT64_MAX);
    assert_int_equal(parse_text(&document, "i-9223372036854775808e", 0), 0);
    assert_true(bencode_integer(bencode_root(&document), &integer) && integer == INT64_MIN);
    assert_int_equal(parse_text(&document, "i0e", 0), 0);
    assert_true(bencode_integer(bencode_root(&document), &integer) && integer == 0);
    bencode_deinit(&document);
    assert_int_equal(outcome("i9223372036854775808e", 0), FRESHET_ERROR_RANGE);
    assert_int_equal(outcome("i-9223372036854775809e", 0), FRESHET_ERROR_RANGE);
    assert_int_equal(outcome("i99999999999999999999999999e", 0), FRESHET_ERROR_RANGE);
}

static void bencode_refuses_leading_zeros(void **state)
{
    (void)state;
    static const char *const bad[] = {"i00e", "i-0e", "i01e", "i-01e", "00:", "01:a", "i+1e",
                                      "ie",   "i-e",  "i1",   "i 1e",  "1a:", "i1.e"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_not_equal(outcome(bad[i], 0), FRESHET_OK);
}

static void bencode_refuses_what_two_readers_could_read_differently(void **state)
{
    (void)state;
    assert_int_equal(outcome("d1:bi1e1:ai2ee", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("d1:ai1e1:ai2ee", 0), FRESHET_ERROR_CONFLICT);
    assert_int_equal(outcome("d2:aai1e1:ai2ee", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("d1:ai1e2:aai2ee", 0), FRESHET_OK);
    assert_int_equal(outcome("di1ei2ee", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("d1:ae", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("i1ei2e", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("e", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("x", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("", 0), FRESHET_ERROR_TRUNCATED);
    assert_int_equal(outcome("5:abcd", 0), FRESHET_ERROR_TRUNCATED);
    assert_int_equal(outcome("99999999999999999999:a", 0), FRESHET_ERROR_LIMIT);
}

static void bencode_takes_any_order_where_asked(void **state)
{
    (void)state;
    struct bencode document = {0};
    int64_t integer = 0;
    assert_int_equal(parse_text(&document, "d1:bi1e1:ai2e1:ai3ee", BENCODE_ANY_ORDER), 0);
    assert_true(bencode_find_integer(bencode_root(&document), "a", &integer));
    assert_int_equal(integer, 2);
    bencode_deinit(&document);
}

static void bencode_leaves_a_tail_where_asked(void **state)
{
    (void)state;
    struct bencode document = {0};
    assert_int_equal(parse_text(&document, "d8:msg_typei1eeRAWBYTES", BENCODE_TAIL), 0);
    assert_int_equal(document.consumed, strlen("d8:msg_typei1ee"));
    bencode_deinit(&document);
}

static void bencode_says_where_it_failed(void **state)
{
    (void)state;
    struct bencode document = {0};
    assert_int_equal(parse_text(&document, "d1:bi1e1:ai2ee", 0), FRESHET_ERROR_SYNTAX);
    assert_int_equal(document.problem_offset, 7);
    assert_string_equal(document.problem, "keys that are not in order");
    bencode_deinit(&document);
}

static void bencode_refuses_every_truncation(void **state)
{
    (void)state;
    const char text[] = "d1:ai-42e1:b12:Hello World!1:cl1:pi7eli0eleee1:dd1:ei10eee";
    size_t length = sizeof text - 1;
    struct bencode document = {0};
    for (size_t cut = 0; cut < length; cut++) {
        uint8_t *exact = malloc(cut ? cut : 1); /* so that a read past the cut is seen */
        memcpy(exact, text, cut);
        assert_int_equal(bencode_parse(&document, (struct bytes){exact, cut}, 0),
                         FRESHET_ERROR_TRUNCATED);
        free(exact);
    }
    assert_int_equal(parse_text(&document, text, 0), FRESHET_OK);
    bencode_deinit(&document);
}

static enum freshet_error parse_repeated(const char *pattern, size_t total)
{
    size_t length = strlen(pattern);
    uint8_t *bytes = malloc(total);
    for (size_t i = 0; i < total; i++)
        bytes[i] = (uint8_t)pattern[i % length];
    struct bencode document = {0};
    enum freshet_error error = bencode_parse(&document, (struct bytes){bytes, total}, 0);
    assert_true(document.steps <= total);
    assert_true(document.value_capacity <= 2 * LIMIT_BENCODE_TOKENS);
    bencode_deinit(&document);
    free(bytes);
    return error;
}

static void bencode_survives_ten_megabytes_of_nesting(void **state)
{
    (void)state;
    const size_t total = 10 * 1000 * 1000;
    assert_int_equal(parse_repeated("l", total), FRESHET_ERROR_LIMIT);
    assert_int_equal(parse_repeated("d1:a", total), FRESHET_ERROR_LIMIT);
    assert_int_equal(parse_repeated("ld1:al", total), FRESHET_ERROR_LIMIT);
    assert_int_equal(parse_repeated("d", total), FRESHET_ERROR_SYNTAX);
}

static void bencode_caps_depth_and_values(void **state)
{
    (void)state;
    char text[2 * (LIMIT_BENCODE_DEPTH + 1) + 1];
    for (size_t depth = LIMIT_BENCODE_DEPTH; depth <= LIMIT_BENCODE_DEPTH + 1; depth++) {
        memset(text, 'l', depth);
        memset(text + depth, 'e', depth);
        text[2 * depth] = '\0';
        assert_int_equal(outcome(text, 0),
                         depth > LIMIT_BENCODE_DEPTH ? FRESHET_ERROR_LIMIT : FRESHET_OK);
    }
    size_t count = LIMIT_BENCODE_TOKENS;
    uint8_t *many = malloc(2 * count + 2);
    many[0] = 'l';
    for (size_t i = 0; i < count; i++)
        memcpy(many + 1 + 2 * i, "0:", 2);
    many[2 * count + 1] = 'e';
    struct bencode document = {0};
    assert_int_equal(bencode_parse(&document, (struct bytes){many, 2 * count + 2}, 0),
                     FRESHET_ERROR_LIMIT);
    many[2 * (count - 1) + 1] = 'e'; /* one element fewer: list and elements are at the limit */
    assert_int_equal(bencode_parse(&document, (struct bytes){many, 2 * count}, 0), FRESHET_OK);
    bencode_deinit(&document);
    free(many);
}

static void bencode_writer_writes_what_the_reader_reads(void **state)
{
    (void)state;
    struct buffer out = {0};
    bencode_writer_dict(&out);
    bencode_writer_key(&out, "a");
    bencode_writer_integer(&out, INT64_MIN);
    bencode_writer_key(&out, "b");
    bencode_writer_list(&out);
    bencode_writer_text(&out, "");
    bencode_writer_string(&out, (struct bytes){(const uint8_t *)"\0\xff", 2});
    bencode_writer_end(&out);
    bencode_writer_key(&out, "c");
    bencode_writer_raw(&out, BYTES_LITERAL("i5e"));
    bencode_writer_end(&out);
    struct bytes expected = BYTES_LITERAL("d1:ai-9223372036854775808e1:bl0:2:\0\xff"
                                          "e1:ci5ee");
    assert_true(bytes_equal(buffer_bytes(&out), expected));
    struct bencode document = {0};
    assert_int_equal(bencode_parse(&document, buffer_bytes(&out), 0), FRESHET_OK);
    bencode_deinit(&document);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bencode_reads_every_type),
        cmocka_unit_test(bencode_answers_absent_for_absent_and_mistyped),
        cmocka_unit_test(bencode_reads_the_bounds_of_int64),
        cmocka_unit_test(bencode_refuses_leading_zeros),
        cmocka_unit_test(bencode_refuses_what_two_readers_could_read_differently),
        cmocka_unit_test(bencode_takes_any_order_where_asked),
        cmocka_unit_test(bencode_leaves_a_tail_where_asked),
        cmocka_unit_test(bencode_says_where_it_failed),
        cmocka_unit_test(bencode_refuses_every_truncation),
        cmocka_unit_test(bencode_survives_ten_megabytes_of_nesting),
        cmocka_unit_test(bencode_caps_depth_and_values),
        cmocka_unit_test(bencode_writer_writes_what_the_reader_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

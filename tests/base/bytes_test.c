/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/bytes.h"

static void cursor_reads_big_endian_integers(void **state)
{
    (void)state;
    static const uint8_t wire[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                   0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){wire, sizeof wire});
    assert_int_equal(cursor_u8(&cursor), 0x01);
    assert_int_equal(cursor_u16(&cursor), 0x0203);
    assert_int_equal(cursor_u32(&cursor), 0x04050607);
    assert_true(cursor_u64(&cursor) == UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(cursor_left(&cursor), 0);
    assert_false(cursor.failed);
}

static void cursor_stays_failed_after_the_first_short_read(void **state)
{
    (void)state;
    static const uint8_t wire[] = {1, 2, 3};
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){wire, sizeof wire});
    assert_int_equal(cursor_u32(&cursor), 0);
    assert_true(cursor.failed);
    assert_int_equal(cursor_u8(&cursor), 0);
    assert_null(cursor_bytes(&cursor, 1).data);
    assert_true(cursor.failed);
}

static void cursor_lends_spans_and_refuses_longer_ones(void **state)
{
    (void)state;
    static const uint8_t wire[] = "abcdef";
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){wire, 6});
    struct bytes span = cursor_bytes(&cursor, 4);
    assert_ptr_equal(span.data, wire);
    assert_int_equal(span.length, 4);
    assert_int_equal(cursor_left(&cursor), 2);
    assert_null(cursor_bytes(&cursor, SIZE_MAX).data);
    assert_true(cursor.failed);
}

static void writer_is_read_back_by_cursor(void **state)
{
    (void)state;
    uint8_t room[20];
    struct writer writer;
    writer_init(&writer, room, sizeof room);
    writer_u8(&writer, 0xab);
    writer_u16(&writer, 0x1234);
    writer_u32(&writer, 0xdeadbeef);
    writer_u64(&writer, UINT64_C(0x0123456789abcdef));
    writer_bytes(&writer, "tail!", 5);
    assert_false(writer.failed);
    assert_int_equal(writer_length(&writer), 20);
    struct cursor cursor;
    cursor_init(&cursor, (struct bytes){room, writer_length(&writer)});
    assert_int_equal(cursor_u8(&cursor), 0xab);
    assert_int_equal(cursor_u16(&cursor), 0x1234);
    assert_true(cursor_u32(&cursor) == 0xdeadbeef);
    assert_true(cursor_u64(&cursor) == UINT64_C(0x0123456789abcdef));
    assert_true(bytes_is(cursor_bytes(&cursor, 5), "tail!"));
}

static void writer_never_writes_past_its_end(void **state)
{
    (void)state;
    uint8_t room[8];
    memset(room, 0x55, sizeof room);
    struct writer writer;
    writer_init(&writer, room, 3);
    writer_u16(&writer, 0x0102);
    writer_u16(&writer, 0x0304);
    assert_true(writer.failed);
    assert_int_equal(writer_length(&writer), 2);
    writer_u8(&writer, 9);
    assert_int_equal(writer_length(&writer), 2);
    for (size_t i = 3; i < sizeof room; i++)
        assert_int_equal(room[i], 0x55);
}

static void bytes_compare_as_raw_bytes_with_prefixes_first(void **state)
{
    (void)state;
    static const uint8_t high[] = {0xff};
    assert_true(bytes_compare(BYTES_LITERAL("a"), BYTES_LITERAL("b")) < 0);
    assert_true(bytes_compare(BYTES_LITERAL("ab"), BYTES_LITERAL("a")) > 0);
    assert_true(bytes_compare(BYTES_LITERAL("z"), (struct bytes){high, 1}) < 0);
    assert_int_equal(bytes_compare((struct bytes){NULL, 0}, BYTES_LITERAL("")), 0);
    assert_true(bytes_equal((struct bytes){NULL, 0}, BYTES_LITERAL("")));
    assert_false(bytes_equal(BYTES_LITERAL("ab"), BYTES_LITERAL("abc")));
    assert_true(bytes_is(BYTES_LITERAL("piece"), "piece"));
    assert_false(bytes_is(BYTES_LITERAL("piece"), "pieces"));
    assert_false(bytes_is(BYTES_LITERAL("pie\0e"), "pie"));
}

static void buffer_grows_and_keeps_what_it_holds(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 5000; i++)
        buffer_append_u8(&buffer, (uint8_t)i);
    assert_int_equal(buffer_bytes(&buffer).length, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);
    buffer_clear(&buffer);
    buffer_append_text(&buffer, "x=");
    buffer_append_i64(&buffer, INT64_MIN);
    buffer_append_text(&buffer, ",");
    buffer_append_i64(&buffer, INT64_MAX);
    buffer_append_i64(&buffer, 0);
    buffer_append(&buffer, "", 0);
    assert_true(bytes_is(buffer_bytes(&buffer), "x=-9223372036854775808,92233720368547758070"));
    buffer_deinit(&buffer);
    buffer_deinit(&buffer);
}

static void bytes_turn_to_hex_and_back(void **state)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    (void)state;
    uint8_t all[256], back[256];
    char text[513];
    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    bytes_to_hex(all, sizeof all, text);
    assert_int_equal(strlen(text), 512);
    assert_memory_equal(text, "000102", 6);
    for (int i = 0; i < 256; i++) {
        const char *at = i ? strchr(digits, i) : NULL;
        assert_int_equal(bytes_hex_digit((uint8_t)i), at ? (at - digits) % 16 : -1);
    }
    assert_true(bytes_from_hex((struct bytes){(const uint8_t *)text, 512}, back, 256));
    assert_memory_equal(all, back, 256);
    assert_true(bytes_from_hex(BYTES_LITERAL("aBCd"), back, 2));
    assert_int_equal(back[0], 0xab);
    assert_int_equal(back[1], 0xcd);
    back[0] = 7;
    assert_false(bytes_from_hex(BYTES_LITERAL("abc"), back, 2));
    assert_false(bytes_from_hex(BYTES_LITERAL("abcde"), back, 2));
    assert_false(bytes_from_hex(BYTES_LITERAL("abcg"), back, 2));
    assert_false(bytes_from_hex(BYTES_LITERAL("ab d"), back, 2));
    assert_int_equal(back[0], 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_reads_big_endian_integers),
        cmocka_unit_test(cursor_stays_failed_after_the_first_short_read),
        cmocka_unit_test(cursor_lends_spans_and_refuses_longer_ones),
        cmocka_unit_test(writer_is_read_back_by_cursor),
        cmocka_unit_test(writer_never_writes_past_its_end),
        cmocka_unit_test(bytes_compare_as_raw_bytes_with_prefixes_first),
        cmocka_unit_test(buffer_grows_and_keeps_what_it_holds),
        cmocka_unit_test(bytes_turn_to_hex_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

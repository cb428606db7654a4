/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/stream/stream_range.h"

static void expect_part(const char *text, uint64_t length, uint64_t first, uint64_t count)
{
    uint64_t ret_first, ret_count;
    assert_int_equal(stream_range_parse(text, length, &ret_first, &ret_count), STREAM_PART);
    assert_int_equal(ret_first, first);
    assert_int_equal(ret_count, count);
}

static void expect_whole(const char *text, uint64_t length)
{
    uint64_t ret_first, ret_count;
    assert_int_equal(stream_range_parse(text, length, &ret_first, &ret_count), STREAM_WHOLE);
    assert_int_equal(ret_first, 0);
    assert_int_equal(ret_count, length);
}

static void expect_beyond(const char *text, uint64_t length)
{
    uint64_t first, count;
    assert_int_equal(stream_range_parse(text, length, &first, &count), STREAM_BEYOND);
    assert_int_equal(count, 0);
}

static void range_is_cut_off_at_the_end(void **state)
{
    (void)state;
    expect_part("bytes=0-0", 100, 0, 1);
    expect_part("bytes=10-19", 100, 10, 10);
    expect_part("bytes=99-", 100, 99, 1);
    expect_part("bytes=50-100", 100, 50, 50);
    expect_part("bytes=50-99999999999999999999999999", 100, 50, 50);
    expect_part("Bytes= 1-2\t", 100, 1, 2);
}

static void range_may_count_from_the_end(void **state)
{
    (void)state;
    expect_part("bytes=-1", 100, 99, 1);
    expect_part("bytes=-100", 100, 0, 100);
    expect_part("bytes=-101", 100, 0, 100);
    expect_part("bytes=-18446744073709551615", 100, 0, 100);
}

static void range_beyond_the_end_is_told(void **state)
{
    (void)state;
    expect_beyond("bytes=100-", 100);
    expect_beyond("bytes=100-200", 100);
    expect_beyond("bytes=-0", 100);
    expect_beyond("bytes=0-", 0);
    expect_beyond("bytes=-1", 0);
    expect_beyond("bytes=99999999999999999999999-", 100);
}

static void range_that_is_none_is_passed_over(void **state)
{
    (void)state;
    static const char *const texts[] = {"",           "bytes",      "bytes=",        "bytes=-",
                                        "bytes=5",    "bytes=5-4",  "bytes=0-1,3-4", "bytes=a-b",
                                        "items=0-1",  "bytes=1 -2", "bytes=1-2x",    "bytes=--1",
                                        "bytes=+1-2", "0-1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_whole(texts[i], 100);
    expect_whole(NULL, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(range_is_cut_off_at_the_end),
        cmocka_unit_test(range_may_count_from_the_end),
        cmocka_unit_test(range_beyond_the_end_is_told),
        cmocka_unit_test(range_that_is_none_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

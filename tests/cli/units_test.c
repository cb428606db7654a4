/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "cli/units.h"
#include "core/base/limits.h"

static void units_reads_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"0", 0},
        {"4096", 4096},
        {"16k", 16384},
        {"16KiB", 16384},
        {"10M", 10485760},
        {"10MiB", 10485760},
        {"10MB", 10000000},
        {"1.5G", 1610612736},
        {"0.5K", 512},
        {"7 B", 7},
        {"2T", UINT64_C(2199023255552)},
        {"18446744073709551615", UINT64_MAX},
    };
    static const char *const bad[] = {"",
                                      "M",
                                      "-1",
                                      "1X",
                                      "1Mi B",
                                      "1..5",
                                      "1.",
                                      " 1",
                                      "1 M ",
                                      "+1",
                                      "1e3",
                                      "0x10",
                                      "18446744073709551616",
                                      "16777216T"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint64_t bytes = 1;
        assert_true(units_parse_size(good[i].text, &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint64_t bytes = 77;
        assert_false(units_parse_size(bad[i], &bytes));
        assert_int_equal(bytes, 77);
    }
}

static void units_reads_rates(void **state)
{
    (void)state;
    uint64_t rate = 5;
    assert_true(units_parse_rate("2M", &rate));
    assert_int_equal(rate, 2097152);
    assert_true(units_parse_rate("300kB/s", &rate));
    assert_int_equal(rate, 300000);
    assert_true(units_parse_rate("unlimited", &rate));
    assert_int_equal(rate, 0);
    assert_false(units_parse_rate("fast", &rate));
    assert_false(units_parse_rate("/s", &rate));
    assert_false(units_parse_rate("00000000000000000000000000000000000000001", &rate));
}

static void units_reads_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"90", 90 * SECOND_NS},       {"1h30m", 5400 * SECOND_NS},
        {"2d", 172800 * SECOND_NS},   {"500ms", 500 * MILLISECOND_NS},
        {"0.5", 500000000},           {"1.5h", 5400 * SECOND_NS},
        {"1w1s", 604801 * SECOND_NS}, {"0", 0},
    };
    static const char *const bad[] = {"", "h", "1h30", "1x", "-5", "99999999999w", "1 h"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t ns = -1;
        assert_true(units_parse_duration(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ns = 77;
        assert_false(units_parse_duration(bad[i], &ns));
        assert_int_equal(ns, 77);
    }
}

static void units_reads_ranges(void **state)
{
    (void)state;
    struct units_range *ranges;
    size_t count;
    assert_true(units_parse_ranges("1,3-5,9-", &ranges, &count));
    assert_int_equal(count, 3);
    static const uint32_t in[] = {1, 3, 4, 5, 9, 4000000000u};
    static const uint32_t out[] = {0, 2, 6, 8};
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        assert_true(units_ranges_have(ranges, count, in[i]));
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
        assert_false(units_ranges_have(ranges, count, out[i]));
    free(ranges);
    static const char *const bad[] = {"",   "0",    "1,",  ",1", "5-3",
                                      "-3", "1--2", "1.5", "a",  "4294967295"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(units_parse_ranges(bad[i], &ranges, &count));
}

static void units_reads_numbers_and_ratios(void **state)
{
    (void)state;
    uint64_t number = 0;
    uint32_t ratio = 0;
    assert_true(units_parse_number("65535", 65535, &number));
    assert_int_equal(number, 65535);
    assert_false(units_parse_number("65536", 65535, &number));
    assert_false(units_parse_number("1.0", 9, &number));
    assert_true(units_parse_ratio("1.25", &ratio));
    assert_int_equal(ratio, 1250);
    assert_true(units_parse_ratio("2", &ratio));
    assert_int_equal(ratio, 2000);
    assert_false(units_parse_ratio("two", &ratio));
    assert_false(units_parse_ratio("99999999", &ratio));
}

static void units_writes_bytes_as_people_read_them(void **state)
{
    (void)state;
    char text[UNITS_TEXT_SIZE];
    assert_string_equal(units_format_bytes(0, text), "0 B");
    assert_string_equal(units_format_bytes(1023, text), "1023 B");
    assert_string_equal(units_format_bytes(1024, text), "1.0 KiB");
    assert_string_equal(units_format_bytes(1048575, text), "1.0 MiB");
    assert_string_equal(units_format_bytes(2040109466, text), "1.9 GiB");
    assert_string_equal(units_format_bytes(UINT64_MAX, text), "16.0 EiB");
    assert_string_equal(units_format_rate(11953767, text), "11.4 MiB/s");
}

static void units_writes_times_as_people_read_them(void **state)
{
    (void)state;
    char text[UNITS_TEXT_SIZE];
    assert_string_equal(units_format_clock(-1, text), "-");
    assert_string_equal(units_format_clock(9 * SECOND_NS, text), "0:09");
    assert_string_equal(units_format_clock(62 * SECOND_NS, text), "1:02");
    assert_string_equal(units_format_clock(11045 * SECOND_NS, text), "3:04:05");
    assert_string_equal(units_format_clock(183840 * SECOND_NS, text), "2d 03:04");
    assert_string_equal(units_format_duration(5400 * SECOND_NS, text), "1h30m");
    assert_string_equal(units_format_duration(0, text), "0s");
    assert_string_equal(units_format_duration(250 * MILLISECOND_NS, text), "250ms");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_reads_sizes),
        cmocka_unit_test(units_reads_rates),
        cmocka_unit_test(units_reads_durations),
        cmocka_unit_test(units_reads_ranges),
        cmocka_unit_test(units_reads_numbers_and_ratios),
        cmocka_unit_test(units_writes_bytes_as_people_read_them),
        cmocka_unit_test(units_writes_times_as_people_read_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

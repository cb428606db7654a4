/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/week_times.h"

static void week_times_reads_what_people_write(void **state)
{
    static const struct {
        const char *text;
        struct week_times times;
        const char *written;
    } good[] = {
        {"mon-fri 8:00-17:30", {480, 1050, 0x3e}, "mon-fri 8:00-17:30"},
        {"22-6", {1320, 360, 0x7f}, "22:00-6:00"},
        {"sun 0:00-24:00", {0, 0, 0x01}, "sun 0:00-0:00"},
        {"SAT,Sun 09:05-23:59", {545, 1439, 0x41}, "sat-sun 9:05-23:59"},
        {"fri-mon  7-8", {420, 480, 0x63}, "mon,fri-sun 7:00-8:00"},
        {"mon,wed,fri,sun 1-2", {60, 120, 0x2b}, "mon,wed,fri,sun 1:00-2:00"},
        {"tue-mon 0-1", {0, 60, 0x7f}, "0:00-1:00"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct week_times times = {0}, again = {0};
        char text[WEEK_TIMES_TEXT_SIZE];
        assert_true(week_times_parse(good[i].text, &times));
        assert_int_equal(times.begin, good[i].times.begin);
        assert_int_equal(times.end, good[i].times.end);
        assert_int_equal(times.days, good[i].times.days);
        assert_string_equal(week_times_format(&times, text), good[i].written);
        assert_true(week_times_parse(text, &again));
        assert_int_equal(again.days, times.days);
    }
}

static void week_times_refuses_what_it_does_not_understand(void **state)
{
    static const char *const bad[] = {
        "",       "off",          "mon",       "mon-fri",         "8:00",          "8:00-",
        "-8:00",  "8:0-9:00",     "8:60-9:00", "24:01-3:00",      "24:00-3:00",    "25-26",
        "8-9 ",   "mon- 8-9",     "mon, 8-9",  "mon,,tue 8-9",    "monday 8-9",    "mon8-9",
        "8-9-10", "mon-tue-wed ", "-mon 8-9",  "8:00:00-9:00:00", "100:00-101:00", " 8-9",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct week_times times = {7, 7, 7};
        assert_false(week_times_parse(bad[i], &times));
        assert_int_equal(times.begin, 7);
    }
}

static void week_times_of_no_day_are_never(void **state)
{
    char text[WEEK_TIMES_TEXT_SIZE];

    (void)state;
    assert_string_equal(week_times_format(&(struct week_times){0, 60, 0}, text), "never 0:00-1:00");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(week_times_reads_what_people_write),
        cmocka_unit_test(week_times_refuses_what_it_does_not_understand),
        cmocka_unit_test(week_times_of_no_day_are_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

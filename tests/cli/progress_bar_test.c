/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/progress_bar.h"
#include "cli/terminal.h"

#include <string.h>

static struct progress_line line_of(uint64_t verified, uint64_t wanted)
{
    return (struct progress_line){
        .name = "a name of some length",
        .info_hash = "00",
        .status = {.phase = PHASE_DOWNLOADING,
                   .verified_bytes = verified,
                   .wanted_bytes = wanted,
                   .total_bytes = wanted,
                   .download_rate = 1048576,
                   .peers = 3},
    };
}

static void progress_bar_never_says_100_before_all_is_durable(void **state)
{
    struct progress_line line = line_of(1000, 1000);

    (void)state;
    assert_int_equal(progress_bar_percent(&line.status), 99);
    line.status.complete = true;
    assert_int_equal(progress_bar_percent(&line.status), 100);
    line = line_of(0, 0);
    assert_int_equal(progress_bar_percent(&line.status), 0);
    line = line_of(UINT64_MAX / 2, UINT64_MAX);
    assert_int_equal(progress_bar_percent(&line.status), 50);
}

static void progress_bar_shows_checking_as_a_part_of_all(void **state)
{
    struct progress_line line = line_of(0, 500);

    (void)state;
    line.status.phase = PHASE_CHECKING;
    line.status.total_bytes = 1000;
    line.status.checked_bytes = 250;
    assert_int_equal(progress_bar_percent(&line.status), 25);
}

static void progress_bar_fits_every_width(void **state)
{
    char text[PROGRESS_BAR_SIZE];

    (void)state;
    for (int width = 20; width < 300; width++) {
        for (uint64_t done = 0; done <= 100; done += 7) {
            struct progress_line line = line_of(done * 1000003, 100 * 1000003);
            progress_bar_text(&line, width, false, text);
            assert_true((int)strlen(text) < width);
            progress_bar_text(&line, width, true, text);
            assert_true(strlen(text) < sizeof text);
        }
    }
}

static void progress_bar_tells_the_facts(void **state)
{
    char text[PROGRESS_BAR_SIZE];
    struct progress_line line = line_of(63 * 1048576, 100 * 1048576);

    (void)state;
    progress_bar_text(&line, 120, false, text);
    assert_non_null(strstr(text, " 63% 63.0 MiB/100.0 MiB"));
    assert_non_null(strstr(text, "down 1.0 MiB/s"));
    assert_non_null(strstr(text, "3 peers"));
    assert_non_null(strstr(text, "ETA 0:37"));
    assert_non_null(strstr(text, "###"));
    line.status.peers = 1;
    progress_bar_plain_text(&line, text);
    assert_non_null(strstr(text, "1 peer ETA"));
    assert_null(strchr(text, '#'));
}

static void progress_bar_makes_names_safe(void **state)
{
    char text[PROGRESS_BAR_SIZE];
    struct progress_line line = line_of(1, 2);

    (void)state;
    line.name = "bad\033[2Jname\r\n";
    progress_bar_plain_text(&line, text);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\r'));
    progress_bar_text(&line, 100, false, text);
    assert_null(strchr(text, '\033'));
    assert_null(strchr(text, '\n'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_bar_never_says_100_before_all_is_durable),
        cmocka_unit_test(progress_bar_shows_checking_as_a_part_of_all),
        cmocka_unit_test(progress_bar_fits_every_width),
        cmocka_unit_test(progress_bar_tells_the_facts),
        cmocka_unit_test(progress_bar_makes_names_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

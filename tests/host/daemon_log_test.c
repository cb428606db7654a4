/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "host/daemon_log.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *line_from(uint64_t from, uint64_t *ret_number)
{
    struct bytes line;
    json_error_t where;

    if (!daemon_log_line(from, ret_number, &line))
        return NULL;
    json_t *json = json_loadb((const char *)line.data, line.length, 0, &where);
    assert_non_null(json);
    return json;
}

static const char *field(const json_t *line, const char *name)
{
    return json_string_value(json_object_get(json_object_get(line, "fields"), name));
}

static void daemon_log_keeps_lines_as_they_were_logged(void **state)
{
    uint64_t number = 0;

    (void)state;
    assert_null(line_from(0, &number));
    daemon_log("info", "added", "name", "a \"b\" \\ \x01 \xff", "hash",
               "0123456789abcdef0123456789abcdef01234567", NULL);
    json_t *line = line_from(0, &number);
    assert_int_equal(number, 1);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "info");
    assert_string_equal(json_string_value(json_object_get(line, "event")), "added");
    assert_int_equal(json_integer_value(json_object_get(line, "number")), 1);
    assert_true(json_integer_value(json_object_get(line, "time")) > 0);
    assert_string_equal(field(line, "name"), "a \"b\" \\ \x01 \uFFFD");
    assert_string_equal(field(line, "hash"), "0123456789abcdef0123456789abcdef01234567");
    json_decref(line);
    assert_null(line_from(2, &number));
    /* The number is of an earlier run's: this run's come. */
    json_decref(line_from(3, &number));
    assert_int_equal(number, 1);
}

static void daemon_log_keeps_no_secrets(void **state)
{
    uint64_t number;

    (void)state;
    daemon_log("info", "x", "url", "http://user:pass@host/announce/passkey?key=1", "token",
               "abcdefgh12345678", "proxy", "socks5://user:p@ss@host:1080", "text",
               "'http://ada:it's@host/key', 'http://other/key' failed", NULL);
    json_t *line = line_from(2, &number);
    assert_string_equal(field(line, "url"), "http://host/...");
    assert_string_equal(field(line, "token"), "...");
    assert_string_equal(field(line, "proxy"), "socks5://host:1080");
    assert_string_equal(field(line, "text"), "'http://host/...', 'http://other/...' failed");
    json_decref(line);
}

static void daemon_log_forgets_the_oldest(void **state)
{
    uint64_t number = 0;
    char text[16];

    (void)state;
    for (unsigned i = 3; i <= LIMIT_LOG_LINES + 5; i++) {
        snprintf(text, sizeof text, "%u", i);
        daemon_log("info", "x", "i", text, NULL);
    }
    json_t *line = line_from(0, &number);
    assert_int_equal(number, 6);
    assert_string_equal(field(line, "i"), "6");
    json_decref(line);
    line = line_from(LIMIT_LOG_LINES + 5, &number);
    assert_int_equal(number, LIMIT_LOG_LINES + 5);
    json_decref(line);
    assert_null(line_from(LIMIT_LOG_LINES + 6, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(daemon_log_keeps_lines_as_they_were_logged),
        cmocka_unit_test(daemon_log_keeps_no_secrets),
        cmocka_unit_test(daemon_log_forgets_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

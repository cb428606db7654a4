/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/http_validators.h"

#include <stdio.h>
#include <string.h>

static void read_line(struct http_validators *validators, const char *line)
{
    http_validators_read(validators, line, strlen(line));
}

static void http_validators_reads_what_servers_say(void **state)
{
    static const struct {
        const char *line, *etag, *modified;
    } lines[] = {
        {"ETag: \"abc\"\r\n", "\"abc\"", ""},
        {"etag:W/\"a-b_c:1\"  \r\n", "W/\"a-b_c:1\"", ""},
        {"ETAG: \"\"\r\n", "\"\"", ""},
        {"Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {"last-modified: Sunday, 06-Nov-94 08:49:37 GMT", "", "Sunday, 06-Nov-94 08:49:37 GMT"},
        {"ETagged: \"abc\"\r\n", "", ""},
        {"X-ETag: \"abc\"\r\n", "", ""},
        {"ETag", "", ""},
        {"", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct http_validators validators = {0};
        read_line(&validators, lines[i].line);
        assert_string_equal(validators.etag, lines[i].etag);
        assert_string_equal(validators.modified, lines[i].modified);
        assert_int_equal(http_validators_are_empty(&validators),
                         !lines[i].etag[0] && !lines[i].modified[0]);
    }
}

/* Nothing that could end a line of our request, or be more than one word of it. */
static void http_validators_refuses_what_is_no_such_word(void **state)
{
    static const char *const lines[] = {
        "ETag: abc\r\n",
        "ETag: \"abc\r\n",
        "ETag: \"\r\n",
        "ETag: W/\r\n",
        "ETag: W/\"\r\n",
        "ETag: \"a\" \"b\"\r\n",
        "ETag: \"a\"b\"\r\n",
        "ETag: \"a\rHost: b\"\r\n",
        "ETag: \"a\nHost: b\"\r\n",
        "ETag: \"a\tb\"\r\n",
        "ETag: \"a\x7f\"\r\n",
        "ETag: \"\xc3\xa4\"\r\n",
        "Last-Modified: \r\n",
        "Last-Modified: 1\r\nHost: b\r\n",
        "Last-Modified: \"x\"\r\n",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT, and so on\r\n",
    };
    char line[HTTP_VALIDATORS_ETAG_SIZE + 32];
    int length;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        /* Nor does an older one of the same answer count then. */
        struct http_validators validators = {.etag = "\"x\"", .modified = "x"};
        validators.etag[0] = lines[i][0] == 'E' ? '"' : '\0';
        validators.modified[0] = lines[i][0] == 'E' ? '\0' : 'x';
        read_line(&validators, lines[i]);
        assert_true(http_validators_are_empty(&validators));
    }
    for (int most = HTTP_VALIDATORS_ETAG_SIZE - 3; most < HTTP_VALIDATORS_ETAG_SIZE; most++) {
        struct http_validators validators = {0};
        length = snprintf(line, sizeof line, "ETag: \"%0*d\"\r\n", most, 0);
        http_validators_read(&validators, line, (size_t)length);
        assert_int_equal(http_validators_are_empty(&validators),
                         most > HTTP_VALIDATORS_ETAG_SIZE - 3);
    }
    struct http_validators validators = {0};
    http_validators_read(&validators, "ETag: \"a\0b\"", 11);
    http_validators_read(&validators, "Last-Modified: 1\0002", 18);
    assert_true(http_validators_are_empty(&validators));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_validators_reads_what_servers_say),
        cmocka_unit_test(http_validators_refuses_what_is_no_such_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

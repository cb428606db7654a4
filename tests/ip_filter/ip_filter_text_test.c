/* SPDX-License-Identifier: MIT */
/* The three usual formats, line by line, and what is none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/ip_filter/ip_filter_text.h"

/* What the last read found. */
static struct ip_filter_text text;

static enum freshet_error read_parts(const char *list, size_t part, struct ip_filter **ret_filter)
{
    struct ip_filter_builder *builder = ip_filter_builder_new();
    size_t length = strlen(list);
    ip_filter_text_init(&text, builder);
    for (size_t at = 0; at < length; at += part) {
        size_t size = length - at < part ? length - at : part;
        uint8_t *exact = memory_copy(list + at, size);
        ip_filter_text_feed(&text, (struct bytes){exact, size});
        memory_free(exact);
    }
    enum freshet_error error = ip_filter_text_end(&text);
    assert_int_equal(text.ranges, ip_filter_builder_length(builder));
    *ret_filter = ip_filter_builder_finish(builder);
    ip_filter_check(*ret_filter);
    return error;
}

static bool has(const struct ip_filter *filter, const char *ip)
{
    struct address address;
    assert_true(address_from_text(ip, true, &address));
    return ip_filter_has(filter, &address);
}

/* The line is exactly one range from `first` to `last`, with a free address on either side. */
static void assert_range(const char *line, const char *before, const char *first, const char *last,
                         const char *after)
{
    struct ip_filter *filter;
    assert_int_equal(read_parts(line, SIZE_MAX / 2, &filter), FRESHET_OK);
    assert_int_equal(text.bad, 0);
    assert_int_equal(ip_filter_length(filter), 1);
    assert_true(has(filter, first) && has(filter, last));
    assert_false(has(filter, before) || has(filter, after));
    ip_filter_free(filter);
}

static void ip_filter_text_reads_peerguardian(void **state)
{
    (void)state;
    assert_range("Some Company, Inc:1.2.3.4-1.2.3.8", "1.2.3.3", "1.2.3.4", "1.2.3.8", "1.2.3.9");
    assert_range("a-b: with:colons - and 1.1.1.1:001.002.003.004-001.002.003.008\r\n", "1.2.3.3",
                 "1.2.3.4", "1.2.3.8", "1.2.3.9");
    assert_range(":1.2.3.4-1.2.3.8", "1.2.3.3", "1.2.3.4", "1.2.3.8", "1.2.3.9");
    assert_range("1.1.1.1/24, no prefix:1.2.3.4 - 1.2.3.8", "1.1.1.1", "1.2.3.4", "1.2.3.8",
                 "1.2.3.9");
    assert_range("name:2001:db8::1-2001:db8::5", "2001:db8::", "2001:db8::1", "2001:db8::5",
                 "2001:db8::6");
    assert_range("a very long name that is longer than any address can ever be written down:"
                 "2001:db8::-2001:db8::5",
                 "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8::5",
                 "2001:db8::6");
}

static void ip_filter_text_reads_emule(void **state)
{
    (void)state;
    assert_range("001.002.003.004 - 001.002.003.008 , 000 , Some Company", "1.2.3.3", "1.2.3.4",
                 "1.2.3.8", "1.2.3.9");
    assert_range("1.2.3.4-1.2.3.8,127,name # with; signs, and commas", "1.2.3.3", "1.2.3.4",
                 "1.2.3.8", "1.2.3.9");
    struct ip_filter *filter;
    assert_int_equal(read_parts("1.2.3.4 - 1.2.3.8 , 128 , let in\n", 1, &filter), FRESHET_OK);
    assert_int_equal(text.bad, 0);
    assert_int_equal(ip_filter_length(filter), 0);
    ip_filter_free(filter);
}

static void ip_filter_text_reads_plain_lines(void **state)
{
    (void)state;
    assert_range("1.2.3.4-1.2.3.8", "1.2.3.3", "1.2.3.4", "1.2.3.8", "1.2.3.9");
    assert_range("1.2.3.4/24", "1.2.2.255", "1.2.3.0", "1.2.3.255", "1.2.4.0");
    assert_range("\t10.0.0.0/8 ; SBL1", "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0");
    assert_range("1.2.3.4 # one", "1.2.3.3", "1.2.3.4", "1.2.3.4", "1.2.3.5");
    assert_range("1.2.3.4/32", "1.2.3.3", "1.2.3.4", "1.2.3.4", "1.2.3.5");
    assert_range("2001:db8::/33", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
                 "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", "2001:db8:8000::");
    assert_range("::ffff:1.2.3.0/126", "1.2.2.255", "1.2.3.0", "1.2.3.3", "1.2.3.4");
    assert_range("2001:db8::1", "2001:db8::", "2001:db8::1", "2001:db8::1", "2001:db8::2");
    struct ip_filter *filter;
    assert_int_equal(read_parts("0.0.0.0/0\n::/0\n", 3, &filter), FRESHET_OK);
    assert_true(has(filter, "255.255.255.255") && has(filter, "0.0.0.0") && has(filter, "::1"));
    ip_filter_free(filter);
}

static void ip_filter_text_passes_over_comments(void **state)
{
    (void)state;
    struct ip_filter *filter;
    assert_int_equal(read_parts("\xef\xbb\xbf# list\n\n ; more\n//and more\n   \r\n", 2, &filter),
                     FRESHET_OK);
    assert_int_equal(text.lines, 5);
    assert_int_equal(text.bad, 0);
    assert_int_equal(ip_filter_length(filter), 0);
    ip_filter_free(filter);
    assert_int_equal(read_parts("\xef\xbb\xbf"
                                "1.2.3.4",
                                1, &filter),
                     FRESHET_OK);
    assert_int_equal(text.ranges, 1);
    ip_filter_free(filter);
}

static void ip_filter_text_counts_what_it_does_not_understand(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "1.2.3",        "1.2.3.256",  "1.2.3.4.5",       "1.2.3.4/33",     "1.2.3.4/",
        "1.2.3.4-",     "-1.2.3.4",   "1.2.3.9-1.2.3.4", "a:1.2.3.4",      "1.2.3.4-2001::",
        "1.2.3.4/2001", "0001.2.3.4", "1.2.3.4 , x , ",  "2001:db8::/129", "::ffff:1.2.3.4/8",
        "name",         "[2001::]",   "2001:db8::1:::2", "1.2.3.4,,",      "a:b:c-d",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct ip_filter *filter;
        assert_int_equal(read_parts(bad[i], 7, &filter), FRESHET_ERROR_SYNTAX);
        assert_int_equal(text.bad, 1);
        assert_int_equal(text.bad_first, 1);
        ip_filter_free(filter);
    }
    struct ip_filter *filter;
    assert_int_equal(read_parts("1.2.3.4\nnonsense\n1.2.3.5\nmore\n", 5, &filter), FRESHET_OK);
    assert_int_equal(text.ranges, 2);
    assert_int_equal(text.bad, 2);
    assert_int_equal(text.bad_first, 2);
    ip_filter_free(filter);
}

static void ip_filter_text_is_the_same_in_parts_of_any_size(void **state)
{
    (void)state;
    static const char list[] = "a:1.1.1.1-1.1.1.2\r\n2.2.2.2 - 2.2.2.3 , 0 , x\n3.3.3.0/24\n#\nbad";
    for (size_t part = 1; part <= sizeof list; part++) {
        struct ip_filter *filter;
        assert_int_equal(read_parts(list, part, &filter), FRESHET_OK);
        assert_int_equal(text.lines, 5);
        assert_int_equal(text.ranges, 3);
        assert_int_equal(text.bad, 1);
        assert_int_equal(text.bad_first, 5);
        ip_filter_free(filter);
    }
}

static void ip_filter_text_does_not_keep_a_long_line(void **state)
{
    (void)state;
    size_t size = 3 * LIMIT_IP_FILTER_LINE;
    char *list = memory_new(size + 32);
    memset(list, '#', size);
    strcpy(list + size, "\n1.2.3.4\n");
    struct ip_filter *filter;
    assert_int_equal(read_parts(list, 100, &filter), FRESHET_OK);
    assert_int_equal(text.bad, 1);
    assert_int_equal(text.ranges, 1);
    ip_filter_free(filter);
    list[size] = '\0';
    assert_int_equal(read_parts(list, size, &filter), FRESHET_ERROR_SYNTAX);
    ip_filter_free(filter);
    memory_free(list);
}

static void ip_filter_text_stops_at_its_limits(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    uint8_t lines[1000];
    memset(lines, '\n', sizeof lines);
    ip_filter_text_init(&text, builder);
    enum freshet_error error = FRESHET_OK;
    for (uint32_t i = 0; i < LIMIT_IP_FILTER_LINES / sizeof lines; i++) {
        assert_int_equal(error, FRESHET_OK);
        error = ip_filter_text_feed(&text, (struct bytes){lines, sizeof lines});
    }
    assert_int_equal(error, FRESHET_ERROR_LIMIT);
    assert_int_equal(ip_filter_text_feed(&text, BYTES_LITERAL("1.2.3.4\n")), FRESHET_ERROR_LIMIT);
    assert_int_equal(ip_filter_text_end(&text), FRESHET_ERROR_LIMIT);
    assert_int_equal(text.ranges, 0);
    ip_filter_builder_free(builder);
    builder = ip_filter_builder_new();
    ip_filter_text_init(&text, builder);
    for (uint32_t i = 0; i < LIMIT_IP_FILTER_RANGES; i++)
        assert_int_equal(ip_filter_text_feed(&text, BYTES_LITERAL("1.2.3.4\n")), FRESHET_OK);
    assert_int_equal(ip_filter_text_feed(&text, BYTES_LITERAL("1.2.3.4\n")), FRESHET_ERROR_LIMIT);
    assert_int_equal(text.ranges, LIMIT_IP_FILTER_RANGES);
    ip_filter_builder_free(builder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_filter_text_reads_peerguardian),
        cmocka_unit_test(ip_filter_text_reads_emule),
        cmocka_unit_test(ip_filter_text_reads_plain_lines),
        cmocka_unit_test(ip_filter_text_passes_over_comments),
        cmocka_unit_test(ip_filter_text_counts_what_it_does_not_understand),
        cmocka_unit_test(ip_filter_text_is_the_same_in_parts_of_any_size),
        cmocka_unit_test(ip_filter_text_does_not_keep_a_long_line),
        cmocka_unit_test(ip_filter_text_stops_at_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

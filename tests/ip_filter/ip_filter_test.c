/* SPDX-License-Identifier: MIT */
/* The table: against a plain list of ranges, at its ends, and at its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/rng.h"
#include "core/ip_filter/ip_filter.h"

static struct address v4(uint32_t ip)
{
    uint8_t bytes[4] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip};
    return address_ipv4(bytes, 6881);
}

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, true, &address));
    return address;
}

static enum freshet_error add(struct ip_filter_builder *builder, const char *first,
                              const char *last)
{
    struct address from = parsed(first), to = parsed(last);
    return ip_filter_builder_add(builder, &from, &to);
}

static bool has(const struct ip_filter *filter, const char *text)
{
    struct address address = parsed(text);
    return ip_filter_has(filter, &address);
}

static void ip_filter_without_ranges_has_nobody(void **state)
{
    (void)state;
    struct ip_filter *filter = ip_filter_builder_finish(ip_filter_builder_new());
    struct address none = {0};
    assert_false(has(filter, "0.0.0.0"));
    assert_false(has(filter, "::"));
    assert_false(has(NULL, "1.2.3.4"));
    assert_false(ip_filter_has(filter, &none));
    assert_int_equal(ip_filter_length(filter), 0);
    assert_int_equal(ip_filter_length(NULL), 0);
    ip_filter_check(filter);
    ip_filter_free(filter);
    ip_filter_free(NULL);
    ip_filter_builder_free(NULL);
}

static void ip_filter_knows_both_ends_of_a_range(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    assert_int_equal(add(builder, "1.2.3.4", "1.2.3.8"), FRESHET_OK);
    assert_int_equal(add(builder, "2001:db8::1", "2001:db8::ff"), FRESHET_OK);
    assert_int_equal(add(builder, "255.255.255.255", "255.255.255.255"), FRESHET_OK);
    assert_int_equal(add(builder, "0.0.0.0", "0.0.0.0"), FRESHET_OK);
    assert_int_equal(add(builder, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                     FRESHET_OK);
    struct ip_filter *filter = ip_filter_builder_finish(builder);
    ip_filter_check(filter);
    assert_int_equal(ip_filter_length(filter), 5);
    static const char *const in[] = {"1.2.3.4",          "1.2.3.6",         "1.2.3.8:7",
                                     "[2001:db8::1]:80", "2001:db8::ff",    "::ffff:1.2.3.5",
                                     "0.0.0.0",          "255.255.255.255", "2001:db8::80"};
    static const char *const out[] = {
        "1.2.3.3", "1.2.3.9",   "2001:db8::",     "::", "2001:db8::100", "255.255.255.254",
        "0.0.0.1", "::1.2.3.5", "2001:db7:ffff::"};
    for (size_t i = 0; i < sizeof in / sizeof *in; i++)
        assert_true(has(filter, in[i]));
    for (size_t i = 0; i < sizeof out / sizeof *out; i++)
        assert_false(has(filter, out[i]));
    ip_filter_free(filter);
}

static void ip_filter_merges_what_touches(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    add(builder, "10.0.0.10", "10.0.0.20");
    add(builder, "10.0.0.0", "10.0.0.9");   /* touches */
    add(builder, "10.0.0.15", "10.0.0.16"); /* within */
    add(builder, "10.0.0.22", "10.0.0.30"); /* one address between */
    add(builder, "2001:db8::ffff", "2001:db8::1:5");
    add(builder, "2001:db8::", "2001:db8::fffe");
    add(builder, "ffff::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    add(builder, "ffff::5", "ffff::6");
    add(builder, "255.0.0.0", "255.255.255.255");
    add(builder, "255.1.0.0", "255.2.0.0");
    assert_int_equal(ip_filter_builder_length(builder), 10);
    struct ip_filter *filter = ip_filter_builder_finish(builder);
    ip_filter_check(filter);
    assert_int_equal(ip_filter_length(filter), 5);
    assert_false(has(filter, "10.0.0.21"));
    assert_true(has(filter, "10.0.0.22"));
    assert_true(has(filter, "2001:db8::1:0"));
    assert_true(has(filter, "255.255.255.255"));
    ip_filter_free(filter);
}

static void ip_filter_refuses_what_is_no_range(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    struct address none = {0};
    assert_int_equal(add(builder, "1.2.3.5", "1.2.3.4"), FRESHET_ERROR_RANGE);
    assert_int_equal(add(builder, "2001:db8::5", "2001:db8::4"), FRESHET_ERROR_RANGE);
    assert_int_equal(add(builder, "1.2.3.5", "2001:db8::4"), FRESHET_ERROR_RANGE);
    assert_int_equal(ip_filter_builder_add(builder, &none, &none), FRESHET_ERROR_RANGE);
    assert_int_equal(ip_filter_builder_length(builder), 0);
    ip_filter_builder_free(builder);
}

static void ip_filter_agrees_with_a_plain_list(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 7);
    for (int round = 0; round < 50; round++) {
        struct ip_filter_builder *builder = ip_filter_builder_new();
        uint32_t firsts[60], lasts[60], count = 1 + (uint32_t)rng_below(&rng, 60);
        for (uint32_t i = 0; i < count; i++) {
            firsts[i] = (uint32_t)rng_below(&rng, 2000);
            lasts[i] = firsts[i] + (uint32_t)rng_below(&rng, 40);
            struct address from = v4(firsts[i]), to = v4(lasts[i]);
            assert_int_equal(ip_filter_builder_add(builder, &from, &to), FRESHET_OK);
        }
        struct ip_filter *filter = ip_filter_builder_finish(builder);
        ip_filter_check(filter);
        for (uint32_t ip = 0; ip < 2050; ip++) {
            bool expected = false;
            for (uint32_t i = 0; i < count; i++)
                expected = expected || (firsts[i] <= ip && ip <= lasts[i]);
            struct address address = v4(ip);
            assert_int_equal(ip_filter_has(filter, &address), expected);
        }
        ip_filter_free(filter);
    }
}

static void ip_filter_takes_another_in(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    add(builder, "1.0.0.0", "1.0.0.9");
    add(builder, "2001:db8::1", "2001:db8::2");
    struct ip_filter *first = ip_filter_builder_finish(builder);
    builder = ip_filter_builder_new();
    add(builder, "1.0.0.10", "1.0.0.19");
    assert_int_equal(ip_filter_builder_add_all(builder, first), FRESHET_OK);
    struct ip_filter *both = ip_filter_builder_finish(builder);
    assert_int_equal(ip_filter_length(both), 2);
    assert_true(has(both, "1.0.0.0") && has(both, "1.0.0.19") && has(both, "2001:db8::2"));
    ip_filter_free(first);
    ip_filter_free(both);
}

static void ip_filter_of_all_has_all(void **state)
{
    (void)state;
    struct ip_filter *filter = ip_filter_new_all();
    ip_filter_check(filter);
    assert_true(has(filter, "0.0.0.0") && has(filter, "255.255.255.255"));
    assert_true(has(filter, "::") && has(filter, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    ip_filter_free(filter);
}

static void ip_filter_refuses_more_than_its_limit(void **state)
{
    (void)state;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    for (uint32_t i = 0; i < LIMIT_IP_FILTER_RANGES; i++) {
        struct address one = v4(2 * i);
        assert_int_equal(ip_filter_builder_add(builder, &one, &one), FRESHET_OK);
    }
    assert_int_equal(add(builder, "9.9.9.9", "9.9.9.9"), FRESHET_ERROR_LIMIT);
    assert_int_equal(add(builder, "2001::", "2001::"), FRESHET_ERROR_LIMIT);
    struct ip_filter *filter = ip_filter_builder_finish(builder);
    ip_filter_check(filter);
    assert_int_equal(ip_filter_length(filter), LIMIT_IP_FILTER_RANGES);
    builder = ip_filter_builder_new();
    add(builder, "9.9.9.9", "9.9.9.9");
    assert_int_equal(ip_filter_builder_add_all(builder, filter), FRESHET_ERROR_LIMIT);
    ip_filter_builder_free(builder);
    ip_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_filter_without_ranges_has_nobody),
        cmocka_unit_test(ip_filter_knows_both_ends_of_a_range),
        cmocka_unit_test(ip_filter_merges_what_touches),
        cmocka_unit_test(ip_filter_refuses_what_is_no_range),
        cmocka_unit_test(ip_filter_agrees_with_a_plain_list),
        cmocka_unit_test(ip_filter_takes_another_in),
        cmocka_unit_test(ip_filter_of_all_has_all),
        cmocka_unit_test(ip_filter_refuses_more_than_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

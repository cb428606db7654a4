/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/url.h"

#include <string.h>

static void http_is_known_by_its_scheme_and_a_host(void **state)
{
    static const char *const right[] = {"http://a", "https://a/b?c", "HTTP://A:1",
                                        "hTtPs://[::1]/"};
    static const char *const wrong[] = {
        "",         "http",      "http:",    "http://", "https://", "https:///a",
        "http://?", "http:// a", "httpx://", "ftp://a", " http://", "magnet:?xt=http://a"};

    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_true(url_is_http(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(url_is_http(wrong[i]));
}

static const char *public_of(const char *url)
{
    static char text[256];
    struct buffer out = {0};

    url_append_public((struct bytes){(const uint8_t *)url, strlen(url)}, &out);
    assert_true(out.length < sizeof text);
    if (out.length)
        memcpy(text, out.data, out.length);
    text[out.length] = '\0';
    buffer_deinit(&out);
    return text;
}

static void what_others_may_see_ends_behind_the_host(void **state)
{
    (void)state;
    assert_string_equal(public_of("https://tracker.example:8080/0123abcd/announce?key=5"),
                        "https://tracker.example:8080/...");
    assert_string_equal(public_of("udp://tracker.example:80"), "udp://tracker.example:80");
    assert_string_equal(public_of("http://ada:secret@tracker.example/"),
                        "http://tracker.example/...");
    assert_string_equal(public_of("http://ada:a@b@tracker.example"), "http://tracker.example");
    assert_string_equal(public_of("https://me:it's-\"<secret>@tracker.example/rss"),
                        "https://tracker.example/...");
    assert_string_equal(public_of("http://tracker.example?passkey=1"),
                        "http://tracker.example/...");
    assert_string_equal(public_of("http://tracker.example/@key"), "http://tracker.example/...");
    assert_string_equal(public_of("http://"), "http://");
}

static void what_others_may_see_of_a_magnet_link_is_which_torrent_it_is(void **state)
{
    (void)state;
    assert_string_equal(public_of("magnet:?xt=urn:btih:00ff&dn=a%20b&tr=http%3A%2F%2Ft%2Fkey&so=1"),
                        "magnet:?xt=urn:btih:00ff&dn=a%20b&so=1");
    assert_string_equal(public_of("magnet:?tr=http://t/key&xt.1=urn:btmh:12&ws=http://w/key&xl=5&"),
                        "magnet:?xt.1=urn:btmh:12&xl=5");
    assert_string_equal(public_of("magnet:?tr=http://t/key"), "");
    assert_string_equal(public_of("key"), "...");
    assert_string_equal(public_of(""), "...");
}

static void an_origin_is_found_only_at_the_start(void **state)
{
    (void)state;
    assert_int_equal(url_origin_length(BYTES_LITERAL("http://a/b")), 8);
    assert_int_equal(url_origin_length(BYTES_LITERAL("http://a' b")), 8);
    assert_int_equal(url_origin_length(BYTES_LITERAL("wss://a")), 7);
    assert_int_equal(url_origin_length(BYTES_LITERAL("at http://a")), 0);
    assert_int_equal(url_origin_length(BYTES_LITERAL("1ttp://a")), 0);
    assert_int_equal(url_origin_length(BYTES_LITERAL("http:/")), 0);
    assert_int_equal(url_origin_length(BYTES_LITERAL("muchtoolong://a")), 0);
    assert_int_equal(url_origin_length((struct bytes){NULL, 0}), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_is_known_by_its_scheme_and_a_host),
        cmocka_unit_test(what_others_may_see_ends_behind_the_host),
        cmocka_unit_test(what_others_may_see_of_a_magnet_link_is_which_torrent_it_is),
        cmocka_unit_test(an_origin_is_found_only_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Announce and scrape over HTTP as a client says and reads them; and the parts of tracker URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/tracker/tracker_http.h"
#include "core/tracker/tracker_url.h"

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static struct tracker_announce sample_announce(void)
{
    struct tracker_announce announce = {
        .uploaded = 1, .downloaded = 2, .left = 3, .key = 0xabcd, .numwant = 50, .port = 6881};
    static const uint8_t hash[20] = {0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf1, 0x23, 0x45,
                                     0x67, 0x89, 0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x9a};
    memcpy(announce.info_hash, hash, 20);
    memcpy(announce.peer_id, "-FR0100-abcdefghij ~", 20);
    return announce;
}

static void assert_announce_url(const char *url, const struct tracker_announce *announce,
                                const char *expected)
{
    struct buffer out = {0};
    assert_int_equal(tracker_http_announce_url(text_bytes(url), announce, &out), FRESHET_OK);
    buffer_append_u8(&out, 0);
    assert_string_equal((const char *)out.data, expected);
    buffer_deinit(&out);
}

#define KEYS                                                                                       \
    "info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A&peer_id=-FR0100-abcdefghij%20~"        \
    "&port=6881&uploaded=1&downloaded=2&left=3&key=0000abcd&numwant=50&compact=1&no_peer_id=1"

static void announce_url_encodes_raw_bytes(void **state)
{
    (void)state;
    struct tracker_announce announce = sample_announce();
    assert_announce_url("http://t.example/announce", &announce, "http://t.example/announce?" KEYS);
    announce.event = TRACKER_EVENT_PAUSED;
    assert_announce_url("http://t.example/announce", &announce,
                        "http://t.example/announce?" KEYS "&event=paused");
    announce.event = TRACKER_EVENT_COMPLETED;
    announce.tracker_id = BYTES_LITERAL("a&b");
    assert_announce_url("http://t.example/announce", &announce,
                        "http://t.example/announce?" KEYS "&event=completed&trackerid=a%26b");
}

static void announce_url_goes_on_with_a_query(void **state)
{
    (void)state;
    struct tracker_announce announce = sample_announce();
    assert_announce_url("http://t/a?passkey=1", &announce, "http://t/a?passkey=1&" KEYS);
    assert_announce_url("http://t/a?", &announce, "http://t/a?" KEYS);
    assert_announce_url("http://t/a?x&", &announce, "http://t/a?x&" KEYS);
    assert_announce_url("http://t/a?x#part", &announce, "http://t/a?x&" KEYS);
}

static void urls_that_are_too_long_are_refused(void **state)
{
    (void)state;
    struct tracker_announce announce = sample_announce();
    struct buffer out = {0};
    char *url = memory_new(LIMIT_URL_LENGTH + 2);
    memset(url, 'a', LIMIT_URL_LENGTH + 1);
    memcpy(url, "http://t/", 9);
    assert_int_equal(tracker_http_announce_url(text_bytes(url), &announce, &out),
                     FRESHET_ERROR_LIMIT);
    assert_int_equal(tracker_http_scrape_url(text_bytes(url), announce.info_hash, 1, &out),
                     FRESHET_ERROR_LIMIT);
    assert_int_equal(out.length, 0);
    memory_free(url);
}

/* The examples of BEP 48 and what follows from them. */
static void scrape_url_replaces_the_last_announce(void **state)
{
    (void)state;
    static const struct {
        const char *announce, *scrape;
    } cases[] = {
        {"http://example.com/announce", "http://example.com/scrape?info_hash="},
        {"http://example.com/x/announce", "http://example.com/x/scrape?info_hash="},
        {"http://example.com/announce.php", "http://example.com/scrape.php?info_hash="},
        {"http://example.com/a", NULL},
        {"http://example.com/announce?x2%0644", "http://example.com/scrape?x2%0644&info_hash="},
        {"http://example.com/announce?x=2/4", "http://example.com/scrape?x=2/4&info_hash="},
        {"http://example.com/x%064announce", NULL},
        {"announce", NULL},
        {"", NULL},
    };
    uint8_t hash[20];
    memset(hash, 'a', 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer out = {0};
        enum freshet_error error =
            tracker_http_scrape_url(text_bytes(cases[i].announce), hash, 1, &out);
        if (cases[i].scrape == NULL) {
            assert_int_equal(error, FRESHET_ERROR_UNSUPPORTED);
        } else {
            char expected[128];
            snprintf(expected, sizeof expected, "%saaaaaaaaaaaaaaaaaaaa", cases[i].scrape);
            assert_int_equal(error, FRESHET_OK);
            assert_true(bytes_is(buffer_bytes(&out), expected));
        }
        buffer_deinit(&out);
    }
}

static const char full_reply[] =
    "d8:completei7e10:downloadedi9e11:external ip4:\xc0\x00\x02\x09"
    "10:incompletei8e"
    "8:intervali900e12:min intervali60e5:peers12:\xc0\x00\x02\x01\x1a\xe1\xc0\x00\x02\x02\x1a\xe2"
    "6:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe3"
    "10:tracker id3:abc"
    "15:warning message4:slowe";

static void reply_with_every_key_is_read(void **state)
{
    (void)state;
    struct tracker_reply reply;
    struct bytes body = {(const uint8_t *)full_reply, sizeof full_reply - 1};
    assert_int_equal(tracker_http_parse_reply(body, &reply), FRESHET_OK);
    assert_false(reply.failed);
    assert_int_equal(reply.interval_s, 900);
    assert_int_equal(reply.interval_min_s, 60);
    assert_true(reply.has_counts);
    assert_int_equal(reply.counts.complete, 7);
    assert_int_equal(reply.counts.incomplete, 8);
    assert_int_equal(reply.counts.downloaded, 9);
    assert_int_equal(reply.peer_count, 3);
    char text[ADDRESS_TEXT_SIZE];
    address_to_text(&reply.peers[1], text);
    assert_string_equal(text, "192.0.2.2:6882");
    address_to_text(&reply.peers[2], text);
    assert_string_equal(text, "[2001:db8::1]:6883");
    address_ip_to_text(&reply.external_ip, text);
    assert_string_equal(text, "192.0.2.9");
    assert_true(bytes_is(buffer_bytes(&reply.tracker_id), "abc"));
    assert_true(bytes_is(buffer_bytes(&reply.text), "slow"));
    tracker_reply_deinit(&reply);
}

static void truncated_replies_are_refused_at_every_byte(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof full_reply - 1; length++) {
        struct tracker_reply reply;
        uint8_t *copy = memory_copy(full_reply, length);
        assert_int_not_equal(tracker_http_parse_reply((struct bytes){copy, length}, &reply),
                             FRESHET_OK);
        assert_int_equal(reply.peer_count, 0);
        tracker_reply_deinit(&reply);
        memory_free(copy);
    }
}

static void dictionary_peers_are_read_and_bad_ones_left_out(void **state)
{
    (void)state;
    const char *body = "d8:intervali1800e5:peersl"
                       "d2:ip9:192.0.2.17:peer id20:aaaaaaaaaaaaaaaaaaaa4:porti6881ee"
                       "d2:ip11:2001:db8::14:porti6882ee"
                       "d2:ip12:name.example4:porti6883ee"
                       "d2:ip9:192.0.2.14:porti0ee"
                       "d2:ip9:192.0.2.14:porti65536ee"
                       "d2:ip12:192.0.2.1:804:porti80ee"
                       "d2:ip7:0.0.0.04:porti80ee"
                       "d2:ip9:224.0.0.14:porti80ee"
                       "d4:porti80ee"
                       "i5e"
                       "ee";
    struct tracker_reply reply;
    assert_int_equal(tracker_http_parse_reply(text_bytes(body), &reply), FRESHET_OK);
    assert_int_equal(reply.peer_count, 2);
    char text[ADDRESS_TEXT_SIZE];
    address_to_text(&reply.peers[0], text);
    assert_string_equal(text, "192.0.2.1:6881");
    address_to_text(&reply.peers[1], text);
    assert_string_equal(text, "[2001:db8::1]:6882");
    tracker_reply_deinit(&reply);
}

static void refusal_carries_its_words_and_retry(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t retry_s;
    } cases[] = {
        {"d14:failure reason4:full8:retry ini5ee", 300},
        {"d14:failure reason4:full8:retry in1:5e", 300},
        {"d14:failure reason4:full8:retry in5:nevere", TRACKER_RETRY_NEVER},
        {"d14:failure reason4:full8:retry in5:laterei", 0},
        {"d14:failure reason4:full8:retry ini-5ee", 0},
        {"d14:failure reason4:full8:retry in25:9999999999999999999999999e", 0},
        {"d14:failure reason4:fulle", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tracker_reply reply;
        assert_int_equal(tracker_http_parse_reply(text_bytes(cases[i].body), &reply), FRESHET_OK);
        assert_true(reply.failed);
        assert_true(bytes_is(buffer_bytes(&reply.text), "full"));
        assert_int_equal(reply.retry_s, cases[i].retry_s);
        tracker_reply_deinit(&reply);
    }
}

static void replies_that_are_no_dictionary_are_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "i5e", "le", "<html></html>", "4:peer", "d"};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        struct tracker_reply reply;
        assert_int_not_equal(tracker_http_parse_reply(text_bytes(bodies[i]), &reply), FRESHET_OK);
        tracker_reply_deinit(&reply);
    }
}

static void careless_trackers_are_understood(void **state)
{
    (void)state;
    /* Keys in any order, bytes behind the end, a broken last peer, absurd counts. */
    const char *body = "d5:peers7:\1\2\3\4\5\6\7"
                       "8:intervali60e8:completei-1e3:abc0:e\r\n";
    struct tracker_reply reply;
    assert_int_equal(tracker_http_parse_reply(text_bytes(body), &reply), FRESHET_OK);
    assert_int_equal(reply.interval_s, 60);
    assert_int_equal(reply.peer_count, 1);
    assert_false(reply.has_counts);
    tracker_reply_deinit(&reply);
}

static void replies_are_cut_at_the_limits(void **state)
{
    (void)state;
    uint32_t count = LIMIT_TRACKER_REPLY_PEERS + 500;
    struct buffer body = {0};
    buffer_append_text(&body, "d14:failure reason");
    buffer_append_i64(&body, 2000);
    buffer_append_u8(&body, ':');
    for (int i = 0; i < 2000; i++)
        buffer_append_u8(&body, 'x');
    buffer_append_u8(&body, 'e');
    struct tracker_reply reply;
    assert_int_equal(tracker_http_parse_reply(buffer_bytes(&body), &reply), FRESHET_OK);
    assert_int_equal(reply.text.length, LIMIT_TRACKER_TEXT);
    tracker_reply_deinit(&reply);
    buffer_clear(&body);
    buffer_append_text(&body, "d5:peers");
    buffer_append_i64(&body, 6 * (int64_t)count);
    buffer_append_u8(&body, ':');
    for (uint32_t i = 0; i < count; i++)
        buffer_append(&body, "\xc0\x00\x02\x01\x1a\xe1", 6);
    buffer_append_u8(&body, 'e');
    assert_int_equal(tracker_http_parse_reply(buffer_bytes(&body), &reply), FRESHET_OK);
    assert_int_equal(reply.peer_count, LIMIT_TRACKER_REPLY_PEERS);
    tracker_reply_deinit(&reply);
    buffer_deinit(&body);
}

static void scrape_counts_are_found_by_hash(void **state)
{
    (void)state;
    const char *body = "d5:filesd20:aaaaaaaaaaaaaaaaaaaad8:completei5e10:downloadedi50e"
                       "11:downloadersi3e10:incompletei10eee5:flagsd20:min_request_interval"
                       "i60eee";
    struct tracker_counts counts;
    uint8_t hash[20];
    memset(hash, 'a', 20);
    assert_int_equal(tracker_http_parse_scrape(text_bytes(body), hash, &counts), FRESHET_OK);
    assert_int_equal(counts.complete, 5);
    assert_int_equal(counts.incomplete, 10);
    assert_int_equal(counts.downloaded, 50);
    assert_int_equal(counts.downloaders, 3);
    for (size_t length = 0; length < strlen(body); length++) {
        uint8_t *copy = memory_copy(body, length);
        assert_int_not_equal(tracker_http_parse_scrape((struct bytes){copy, length}, hash, &counts),
                             FRESHET_OK);
        memory_free(copy);
    }
    hash[0] = 'b';
    assert_int_equal(tracker_http_parse_scrape(text_bytes(body), hash, &counts),
                     FRESHET_ERROR_MISSING);
    assert_int_equal(
        tracker_http_parse_scrape(text_bytes("d14:failure reason2:noe"), hash, &counts),
        FRESHET_ERROR_REFUSED);
    assert_int_equal(tracker_http_parse_scrape(text_bytes("le"), hash, &counts),
                     FRESHET_ERROR_SYNTAX);
}

static void tracker_urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *path;
        uint16_t port;
        enum tracker_scheme scheme;
        enum address_family family;
    } cases[] = {
        {"udp://t.example:6969/announce?k=1", "t.example", "/announce?k=1", 6969,
         TRACKER_SCHEME_UDP, ADDRESS_NONE},
        {"UDP://192.0.2.1:80", "192.0.2.1", "", 80, TRACKER_SCHEME_UDP, ADDRESS_IPV4},
        {"udp://[2001:db8::1]:80/#x", "2001:db8::1", "/", 80, TRACKER_SCHEME_UDP, ADDRESS_IPV6},
        {"http://t.example/announce", "t.example", "/announce", 80, TRACKER_SCHEME_HTTP,
         ADDRESS_NONE},
        {"https://u:p@t.example:8443?x", "t.example", "?x", 8443, TRACKER_SCHEME_HTTP,
         ADDRESS_NONE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tracker_url url;
        assert_int_equal(tracker_url_parse(text_bytes(cases[i].url), &url), FRESHET_OK);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, cases[i].port);
        assert_int_equal(url.scheme, cases[i].scheme);
        assert_int_equal(url.family, cases[i].family);
        assert_true(bytes_is(url.path_and_query, cases[i].path));
    }
}

static void tracker_urls_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        enum freshet_error error;
    } cases[] = {
        {"", FRESHET_ERROR_UNSUPPORTED},
        {"udp:", FRESHET_ERROR_UNSUPPORTED},
        {"wss://t.example/", FRESHET_ERROR_UNSUPPORTED},
        {"file:///etc/passwd", FRESHET_ERROR_UNSUPPORTED},
        {"udp://", FRESHET_ERROR_SYNTAX},
        {"udp://t.example", FRESHET_ERROR_MISSING},
        {"udp://t.example:", FRESHET_ERROR_RANGE},
        {"udp://t.example:0", FRESHET_ERROR_RANGE},
        {"udp://t.example:65536", FRESHET_ERROR_RANGE},
        {"udp://t.example:99999999999", FRESHET_ERROR_RANGE},
        {"udp://t.example:8x", FRESHET_ERROR_SYNTAX},
        {"udp://[::1:80", FRESHET_ERROR_SYNTAX},
        {"udp://[::1]x:80", FRESHET_ERROR_SYNTAX},
        {"http://a b/", FRESHET_ERROR_SYNTAX},
        {"http://a\r\nHost: b/", FRESHET_ERROR_SYNTAX},
        {"http://:80/", FRESHET_ERROR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tracker_url url;
        assert_int_equal(tracker_url_parse(text_bytes(cases[i].url), &url), cases[i].error);
    }
    char long_host[400] = "http://";
    memset(long_host + 7, 'a', 300);
    struct tracker_url url;
    assert_int_equal(tracker_url_parse(text_bytes(long_host), &url), FRESHET_ERROR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announce_url_encodes_raw_bytes),
        cmocka_unit_test(announce_url_goes_on_with_a_query),
        cmocka_unit_test(urls_that_are_too_long_are_refused),
        cmocka_unit_test(scrape_url_replaces_the_last_announce),
        cmocka_unit_test(reply_with_every_key_is_read),
        cmocka_unit_test(truncated_replies_are_refused_at_every_byte),
        cmocka_unit_test(dictionary_peers_are_read_and_bad_ones_left_out),
        cmocka_unit_test(refusal_carries_its_words_and_retry),
        cmocka_unit_test(replies_that_are_no_dictionary_are_refused),
        cmocka_unit_test(careless_trackers_are_understood),
        cmocka_unit_test(replies_are_cut_at_the_limits),
        cmocka_unit_test(scrape_counts_are_found_by_hash),
        cmocka_unit_test(tracker_urls_are_taken_apart),
        cmocka_unit_test(tracker_urls_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

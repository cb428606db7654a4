/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "services/intake/feed_parser.h"

#include <stdio.h>
#include <string.h>

#define HASH "0123456789abcdef0123456789abcdef01234567"

static enum freshet_error parse(struct bytes text, struct feed_document *ret_document)
{
    char reason[FEED_PARSER_REASON_SIZE];
    enum freshet_error error = feed_parser_parse(text, reason, ret_document);

    assert_int_equal(error == FRESHET_OK, reason[0] == '\0');
    return error;
}

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static enum freshet_error outcome(const char *text)
{
    struct feed_document document;
    enum freshet_error error = parse(bytes_of(text), &document);

    if (!error)
        feed_parser_deinit(&document);
    return error;
}

static struct feed_document good(const char *text)
{
    struct feed_document document;

    assert_int_equal(parse(bytes_of(text), &document), FRESHET_OK);
    return document;
}

static void feed_parser_reads_rss_with_enclosures(void **state)
{
    struct feed_document document =
        good("<?xml version='1.0' encoding='ISO-8859-1'?><rss version='2.0'><channel>"
             "<title> The\nFeed </title><image><title>no</title></image>"
             "<item><title>B\xfc"
             "cher &amp; &lt;b&gt;</title><guid isPermaLink='false'>g1</guid>"
             "<link>http://h/page</link>"
             "<enclosure url='http://h/p.jpg' type='image/png' length='5'/>"
             "<enclosure url='http://h/a.torrent?x=1&amp;y=2' length='77' "
             "type='application/x-bittorrent'/></item>"
             "<item><title>two</title><link>http://h/b.torrent</link></item>"
             "<item><title>three</title><description>none</description></item>"
             "</channel></rss>");

    (void)state;
    assert_string_equal(document.title, "The Feed");
    assert_int_equal(document.count, 3);
    assert_string_equal(document.items[0].title, "B\u00fccher & <b>");
    assert_string_equal(document.items[0].guid, "g1");
    assert_string_equal(document.items[0].link, "http://h/a.torrent?x=1&y=2");
    assert_string_equal(document.items[1].link, "http://h/b.torrent");
    assert_string_equal(document.items[1].guid, "http://h/b.torrent");
    assert_null(document.items[2].link);
    assert_string_equal(document.items[2].guid, "three");
    feed_parser_deinit(&document);
}

static void feed_parser_reads_torrent_and_torznab_names(void **state)
{
    struct feed_document document =
        good("<rss xmlns:torrent='http://xmlns.ezrss.it/0.1/' xmlns:m='http://other/' "
             "xmlns:t='http://torznab.com/schemas/2015/feed'><channel>"
             "<item><title>a</title><m:title>not this</m:title><link>http://h/page</link>"
             "<torrent:magnetURI><![CDATA[magnet:?xt=urn:btih:" HASH "&dn=a]]></torrent:magnetURI>"
             "<torrent:contentLength>123</torrent:contentLength></item>"
             "<item><title>b</title><link>http://h/page</link><torrent:torrent>"
             "<torrent:infoHash>" HASH "</torrent:infoHash></torrent:torrent></item>"
             "<item><title>c</title><enclosure url='http://h/c'/>"
             "<t:attr name='size' value='9'/><t:attr name='infohash' value='" HASH "'/></item>"
             "<item><title>d</title><link>http://h/page</link>"
             "<t:attr name='magneturl' value='magnet:?xt=urn:btih:" HASH "'/></item>"
             "<item><title>e</title><torrent:infoHash>123</torrent:infoHash></item>"
             "</channel></rss>");

    (void)state;
    assert_string_equal(document.items[0].title, "a");
    assert_string_equal(document.items[0].link, "magnet:?xt=urn:btih:" HASH "&dn=a");
    assert_int_equal(document.items[0].size, 123);
    assert_string_equal(document.items[1].link, "magnet:?xt=urn:btih:" HASH);
    assert_string_equal(document.items[2].link, "http://h/c");
    assert_int_equal(document.items[2].size, 9);
    assert_string_equal(document.items[3].link, "magnet:?xt=urn:btih:" HASH);
    assert_null(document.items[4].link);
    feed_parser_deinit(&document);
}

static void feed_parser_reads_atom(void **state)
{
    struct feed_document document =
        good("<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title><entry><id>urn:1</id>"
             "<title type='text'>one</title><source><title>other</title><id>no</id></source>"
             "<link rel='alternate' href='http://h/page'/>"
             "<link rel='self' href='http://h/self'/>"
             "<link rel='enclosure' type='application/x-bittorrent' length='4' href='http://h/1'/>"
             "</entry><entry><title>two</title><link href='magnet:?xt=urn:btih:" HASH "'/></entry>"
             "</feed>");

    (void)state;
    assert_string_equal(document.title, "F");
    assert_int_equal(document.count, 2);
    assert_string_equal(document.items[0].title, "one");
    assert_string_equal(document.items[0].guid, "urn:1");
    assert_string_equal(document.items[0].link, "http://h/1");
    assert_int_equal(document.items[0].size, 4);
    assert_string_equal(document.items[1].link, "magnet:?xt=urn:btih:" HASH);
    feed_parser_deinit(&document);
}

static void feed_parser_takes_only_links_that_lead_to_torrents(void **state)
{
    static const char *const wrong[] = {"file:///etc/passwd", "ftp://h/a", "javascript:1", "/a",
                                        ""};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text,
                 "<rss><channel><item><title>a</title><link>%s</link><enclosure url='%s' "
                 "type='application/x-bittorrent'/></item></channel></rss>",
                 wrong[i], wrong[i]);
        struct feed_document document = good(text);
        assert_null(document.items[0].link);
        feed_parser_deinit(&document);
    }
}

static void feed_parser_refuses_entities_and_document_types(void **state)
{
    (void)state;
    assert_int_equal(outcome("<!DOCTYPE rss [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"
                             "<rss><channel><title>&b;</title></channel></rss>"),
                     FRESHET_ERROR_REFUSED);
    assert_int_equal(outcome("<!DOCTYPE rss SYSTEM 'file:///etc/passwd'><rss/>"),
                     FRESHET_ERROR_REFUSED);
    assert_int_equal(outcome("<rss><channel><title>&nbsp;</title></channel></rss>"),
                     FRESHET_ERROR_SYNTAX);
}

static void feed_parser_refuses_what_is_no_feed(void **state)
{
    (void)state;
    assert_int_equal(outcome("<html><body/></html>"), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(outcome("<feed/>"), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(outcome(""), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("d8:announce"), FRESHET_ERROR_SYNTAX);
    assert_int_equal(outcome("<rss/>"), FRESHET_OK);
}

static void feed_parser_keeps_nothing_of_a_torn_feed(void **state)
{
    static const char text[] = "<rss><channel><title>t</title><item><title>a</title><link>http://h/"
                               "</link></item></channel></rss>";

    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct feed_document document;
        assert_int_equal(parse((struct bytes){(const uint8_t *)text, length}, &document),
                         FRESHET_ERROR_SYNTAX);
    }
    assert_int_equal(outcome(text), FRESHET_OK);
}

static void append_times(struct buffer *out, const char *text, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        buffer_append_text(out, text);
}

static void feed_parser_bounds_depth_elements_items_and_size(void **state)
{
    struct buffer deep = {0}, wide = {0}, many = {0}, large = {0};
    struct feed_document document;

    (void)state;
    buffer_append_text(&deep, "<rss>");
    append_times(&deep, "<a>", LIMIT_FEED_DEPTH);
    assert_int_equal(parse(buffer_bytes(&deep), &document), FRESHET_ERROR_LIMIT);
    buffer_append_text(&wide, "<rss>");
    append_times(&wide, "<a/>", LIMIT_FEED_ELEMENTS);
    assert_int_equal(parse(buffer_bytes(&wide), &document), FRESHET_ERROR_LIMIT);
    buffer_append_text(&many, "<rss><channel>");
    append_times(&many, "<item><title>t</title></item>", LIMIT_FEED_ITEMS + 1);
    buffer_append_text(&many, "</channel></rss>");
    assert_int_equal(parse(buffer_bytes(&many), &document), FRESHET_OK);
    assert_int_equal(document.count, LIMIT_FEED_ITEMS);
    feed_parser_deinit(&document);
    append_times(&large, "                ", LIMIT_FEED_SIZE / 16);
    buffer_append_text(&large, "<rss/>");
    assert_int_equal(parse(buffer_bytes(&large), &document), FRESHET_ERROR_LIMIT);
    buffer_deinit(&deep);
    buffer_deinit(&wide);
    buffer_deinit(&many);
    buffer_deinit(&large);
}

/* Titles of two-byte letters: none is cut in two. */
static void feed_parser_cuts_long_texts_between_letters(void **state)
{
    struct buffer text = {0};
    struct feed_document document;

    (void)state;
    buffer_append_text(&text, "<rss><channel><item><title>a");
    append_times(&text, "ü", 5000);
    buffer_append_text(&text, "</title></item></channel></rss>");
    assert_int_equal(parse(buffer_bytes(&text), &document), FRESHET_OK);
    assert_int_equal(strlen(document.items[0].title), LIMIT_FEED_TITLE - 1);
    feed_parser_deinit(&document);
    buffer_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_parser_reads_rss_with_enclosures),
        cmocka_unit_test(feed_parser_reads_torrent_and_torznab_names),
        cmocka_unit_test(feed_parser_reads_atom),
        cmocka_unit_test(feed_parser_takes_only_links_that_lead_to_torrents),
        cmocka_unit_test(feed_parser_refuses_entities_and_document_types),
        cmocka_unit_test(feed_parser_refuses_what_is_no_feed),
        cmocka_unit_test(feed_parser_keeps_nothing_of_a_torn_feed),
        cmocka_unit_test(feed_parser_bounds_depth_elements_items_and_size),
        cmocka_unit_test(feed_parser_cuts_long_texts_between_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

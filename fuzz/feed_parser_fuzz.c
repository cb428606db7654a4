/* SPDX-License-Identifier: MIT */
/* planted: services/intake/feed_parser.c */
/* finds: heap-buffer-overflow :: in line_of */
/* covers: services/intake/feed_parser.c */
/* max_len: 8192 */
/* A feed as a stranger's server sends it, and its titles through filters. */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "services/intake/feed_filter.h"
#include "services/intake/feed_parser.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text, size_t length_max)
{
    CHECK(strlen(text) <= length_max);
    for (; *text; text++)
        CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_item(const struct feed_item *item)
{
    check_line(item->title, LIMIT_FEED_TITLE);
    check_line(item->guid, LIMIT_URL_LENGTH);
    if (!item->link)
        return;
    check_line(item->link, LIMIT_URL_LENGTH);
    CHECK(strstr(item->link, ":") != NULL);
}

static void filter_title(const char *title)
{
    static char words[] = "some show", expression[] = "/s[0-9]+e[0-9]{2}/",
                slow[] = "/^(\\w+\\s?)*$/"; /* for ever, on some titles */
    char *includes[] = {words}, *excludes[] = {expression, slow};
    struct feed_filter *filter = feed_filter_new(includes, 1, excludes, 2);
    struct buffer key = {0}, again = {0};

    feed_filter_fits(filter, title);
    if (feed_filter_episode(title, &key)) {
        CHECK(feed_filter_episode(title, &again));
        CHECK(bytes_equal(buffer_bytes(&key), buffer_bytes(&again)));
    } else {
        CHECK(key.length == 0);
    }
    buffer_deinit(&key);
    buffer_deinit(&again);
    feed_filter_free(filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed_document document;
    char reason[FEED_PARSER_REASON_SIZE];

    if (feed_parser_parse((struct bytes){data, size}, reason, &document) != FRESHET_OK) {
        CHECK(reason[0] != '\0' && strlen(reason) < FEED_PARSER_REASON_SIZE);
        return 0;
    }
    CHECK(document.count <= LIMIT_FEED_ITEMS);
    check_line(document.title, LIMIT_FEED_TITLE);
    for (uint32_t i = 0; i < document.count; i++) {
        check_item(&document.items[i]);
        filter_title(document.items[i].title);
    }
    feed_parser_deinit(&document);
    return 0;
}

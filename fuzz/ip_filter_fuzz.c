/* SPDX-License-Identifier: MIT */
/* planted: core/ip_filter/ip_filter_text.c */
/* finds: heap-buffer-overflow :: in ip_filter_text_feed */
/* covers: core/ip_filter/ip_filter_text.c core/ip_filter/ip_filter.c */
/* max_len: 4096 */
/* A list of addresses in parts of any size: the same table comes out as of the whole, its ranges
 * are in order, and a table taken into another one is the same. */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/ip_filter/ip_filter_text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ip_filter *read(struct bytes list, size_t part, uint32_t *ret_bad)
{
    struct ip_filter_text *text = memory_new(sizeof *text);
    struct ip_filter_builder *builder = ip_filter_builder_new();
    ip_filter_text_init(text, builder);
    for (size_t at = 0; at < list.length; at += part) {
        size_t length = list.length - at < part ? list.length - at : part;
        CHECK(ip_filter_text_feed(text, (struct bytes){list.data + at, length}) == FRESHET_OK);
    }
    enum freshet_error error = ip_filter_text_end(text);
    CHECK(error == (text->ranges == 0 && text->bad ? FRESHET_ERROR_SYNTAX : FRESHET_OK));
    CHECK(text->ranges + text->bad <= text->lines);
    CHECK((text->bad == 0) == (text->bad_first == 0));
    CHECK(text->ranges == ip_filter_builder_length(builder));
    *ret_bad = text->bad;
    memory_free(text);
    struct ip_filter *filter = ip_filter_builder_finish(builder);
    ip_filter_check(filter);
    return filter;
}

static void check_same(const struct ip_filter *a, const struct ip_filter *b, struct bytes list)
{
    CHECK(ip_filter_length(a) == ip_filter_length(b));
    for (size_t at = 0; at + 16 <= list.length; at += 5) {
        struct address v4 = address_ipv4(list.data + at, 0), v6 = address_ipv6(list.data + at, 0);
        CHECK(ip_filter_has(a, &v4) == ip_filter_has(b, &v4));
        CHECK(ip_filter_has(a, &v6) == ip_filter_has(b, &v6));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes list = {data, size};
    struct ip_filter_builder *builder = ip_filter_builder_new();
    uint32_t bad_whole, bad_parts;
    struct ip_filter *whole = read(list, size + 1, &bad_whole);
    struct ip_filter *parts = read(list, 1 + size % 7, &bad_parts);
    CHECK(bad_whole == bad_parts);
    check_same(whole, parts, list);
    CHECK(ip_filter_builder_add_all(builder, whole) == FRESHET_OK);
    struct ip_filter *all = ip_filter_new_all();
    CHECK(ip_filter_builder_add_all(builder, parts) == FRESHET_OK);
    struct ip_filter *both = ip_filter_builder_finish(builder);
    ip_filter_check(both);
    check_same(whole, both, list);
    struct address zero = address_ipv4((const uint8_t[4]){0}, 0);
    CHECK(ip_filter_has(all, &zero) && !ip_filter_has(NULL, &zero));
    ip_filter_free(whole);
    ip_filter_free(parts);
    ip_filter_free(both);
    ip_filter_free(all);
    return 0;
}

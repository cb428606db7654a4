/* SPDX-License-Identifier: MIT */
#include "core/ip_filter/ip_filter.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define IP6 16u

struct range4 {
    uint32_t first, last;
};

struct range6 {
    uint8_t first[IP6], last[IP6];
};

_Static_assert(sizeof(struct range4) == 8, "lists have a range for each of half a million lines");
_Static_assert(sizeof(struct range6) == 32, "so have those of IPv6");

struct ip_filter_builder {
    struct range4 *v4;
    struct range6 *v6;
    uint32_t v4_count, v4_capacity, v6_count, v6_capacity;
};

struct ip_filter {
    struct range4 *v4;
    struct range6 *v6;
    uint32_t v4_count, v6_count;
};

static uint32_t number_of(const struct address *address)
{
    const uint8_t *ip = address->ip;
    return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

/* ---- gathering ---- */

struct ip_filter_builder *ip_filter_builder_new(void)
{
    return memory_new(sizeof(struct ip_filter_builder));
}

void ip_filter_builder_free(struct ip_filter_builder *builder)
{
    if (!builder)
        return;
    memory_free(builder->v4);
    memory_free(builder->v6);
    memory_free(builder);
}

static enum freshet_error add4(struct ip_filter_builder *builder, uint32_t first, uint32_t last)
{
    if (first > last)
        return FRESHET_ERROR_RANGE;
    if (ip_filter_builder_length(builder) >= LIMIT_IP_FILTER_RANGES)
        return FRESHET_ERROR_LIMIT;
    if (builder->v4_count == builder->v4_capacity) {
        builder->v4_capacity = builder->v4_capacity ? 2 * builder->v4_capacity : 64;
        builder->v4 = memory_resize_array(builder->v4, builder->v4_capacity, sizeof *builder->v4);
    }
    builder->v4[builder->v4_count++] = (struct range4){first, last};
    return FRESHET_OK;
}

static enum freshet_error add6(struct ip_filter_builder *builder, const uint8_t *first,
                               const uint8_t *last)
{
    if (memcmp(first, last, IP6) > 0)
        return FRESHET_ERROR_RANGE;
    if (ip_filter_builder_length(builder) >= LIMIT_IP_FILTER_RANGES)
        return FRESHET_ERROR_LIMIT;
    if (builder->v6_count == builder->v6_capacity) {
        builder->v6_capacity = builder->v6_capacity ? 2 * builder->v6_capacity : 64;
        builder->v6 = memory_resize_array(builder->v6, builder->v6_capacity, sizeof *builder->v6);
    }
    struct range6 *range = &builder->v6[builder->v6_count++];
    memcpy(range->first, first, IP6);
    memcpy(range->last, last, IP6);
    return FRESHET_OK;
}

enum freshet_error ip_filter_builder_add(struct ip_filter_builder *builder,
                                         const struct address *first, const struct address *last)
{
    if (first->family != last->family)
        return FRESHET_ERROR_RANGE;
    if (first->family == ADDRESS_IPV4)
        return add4(builder, number_of(first), number_of(last));
    if (first->family == ADDRESS_IPV6)
        return add6(builder, first->ip, last->ip);
    return FRESHET_ERROR_RANGE;
}

enum freshet_error ip_filter_builder_add_all(struct ip_filter_builder *builder,
                                             const struct ip_filter *filter)
{
    enum freshet_error error = FRESHET_OK;
    for (uint32_t i = 0; i < filter->v4_count && !error; i++)
        error = add4(builder, filter->v4[i].first, filter->v4[i].last);
    for (uint32_t i = 0; i < filter->v6_count && !error; i++)
        error = add6(builder, filter->v6[i].first, filter->v6[i].last);
    return error;
}

uint32_t ip_filter_builder_length(const struct ip_filter_builder *builder)
{
    return builder->v4_count + builder->v6_count;
}

/* ---- sorting and merging ---- */

static int compare4(const void *a, const void *b)
{
    const struct range4 *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return x->last < y->last ? -1 : x->last > y->last;
}

static int compare6(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct range6));
}

static uint32_t merge4(struct range4 *ranges, uint32_t count)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct range4 *before = kept ? &ranges[kept - 1] : NULL;
        if (!before || (before->last != UINT32_MAX && ranges[i].first > before->last + 1))
            ranges[kept++] = ranges[i];
        else if (ranges[i].last > before->last)
            before->last = ranges[i].last;
    }
    return kept;
}

/* false: there is none after the last. */
static bool next_of(const uint8_t *ip, uint8_t ret_next[IP6])
{
    size_t at = IP6;
    memcpy(ret_next, ip, IP6);
    while (at > 0 && ++ret_next[at - 1] == 0)
        at--;
    return at > 0;
}

static uint32_t merge6(struct range6 *ranges, uint32_t count)
{
    uint32_t kept = 0;
    uint8_t next[IP6];
    for (uint32_t i = 0; i < count; i++) {
        struct range6 *before = kept ? &ranges[kept - 1] : NULL;
        if (!before || (next_of(before->last, next) && memcmp(ranges[i].first, next, IP6) > 0))
            ranges[kept++] = ranges[i];
        else if (memcmp(ranges[i].last, before->last, IP6) > 0)
            memcpy(before->last, ranges[i].last, IP6);
    }
    return kept;
}

struct ip_filter *ip_filter_builder_finish(struct ip_filter_builder *builder)
{
    struct ip_filter *filter = memory_new(sizeof *filter);
    if (builder->v4_count)
        qsort(builder->v4, builder->v4_count, sizeof *builder->v4, compare4);
    if (builder->v6_count)
        qsort(builder->v6, builder->v6_count, sizeof *builder->v6, compare6);
    filter->v4_count = merge4(builder->v4, builder->v4_count);
    filter->v6_count = merge6(builder->v6, builder->v6_count);
    filter->v4 = memory_resize_array(builder->v4, filter->v4_count, sizeof *filter->v4);
    filter->v6 = memory_resize_array(builder->v6, filter->v6_count, sizeof *filter->v6);
    memory_free(builder);
    return filter;
}

struct ip_filter *ip_filter_new_all(void)
{
    static const uint8_t lowest[IP6];
    uint8_t highest[IP6];
    struct ip_filter_builder *builder = ip_filter_builder_new();
    memset(highest, 0xff, sizeof highest);
    CHECK(add4(builder, 0, UINT32_MAX) == FRESHET_OK);
    CHECK(add6(builder, lowest, highest) == FRESHET_OK);
    return ip_filter_builder_finish(builder);
}

void ip_filter_free(struct ip_filter *filter)
{
    if (!filter)
        return;
    memory_free(filter->v4);
    memory_free(filter->v6);
    memory_free(filter);
}

/* ---- looking up ---- */

static bool has4(const struct ip_filter *filter, uint32_t ip)
{
    uint32_t low = 0, high = filter->v4_count; /* the first range that ends at or after ip */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (filter->v4[middle].last < ip)
            low = middle + 1;
        else
            high = middle;
    }
    return low < filter->v4_count && filter->v4[low].first <= ip;
}

static bool has6(const struct ip_filter *filter, const uint8_t *ip)
{
    uint32_t low = 0, high = filter->v6_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(filter->v6[middle].last, ip, IP6) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < filter->v6_count && memcmp(filter->v6[low].first, ip, IP6) <= 0;
}

bool ip_filter_has(const struct ip_filter *filter, const struct address *address)
{
    if (!filter)
        return false;
    if (address->family == ADDRESS_IPV4)
        return has4(filter, number_of(address));
    return address->family == ADDRESS_IPV6 && has6(filter, address->ip);
}

uint32_t ip_filter_length(const struct ip_filter *filter)
{
    return filter ? filter->v4_count + filter->v6_count : 0;
}

void ip_filter_check(const struct ip_filter *filter)
{
    uint8_t next[IP6];
    for (uint32_t i = 0; i < filter->v4_count; i++) {
        CHECK(filter->v4[i].first <= filter->v4[i].last);
        if (i > 0) {
            CHECK(filter->v4[i - 1].last != UINT32_MAX);
            CHECK(filter->v4[i].first > filter->v4[i - 1].last + 1);
        }
    }
    for (uint32_t i = 0; i < filter->v6_count; i++) {
        CHECK(memcmp(filter->v6[i].first, filter->v6[i].last, IP6) <= 0);
        if (i > 0) {
            CHECK(next_of(filter->v6[i - 1].last, next));
            CHECK(memcmp(filter->v6[i].first, next, IP6) > 0);
        }
    }
}

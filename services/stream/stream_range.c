/* SPDX-License-Identifier: MIT */
#include "services/stream/stream_range.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Digits, at least one; what does not fit counts as the largest number. */
static bool read_number(const char **at, uint64_t *ret_number)
{
    const char *text = *at;
    uint64_t number = 0;

    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    bool has_digits = text != *at;
    *at = text;
    *ret_number = number;
    return has_digits;
}

/* "first-last", "first-" or "-count"; false: it is none, or not the only one. */
static bool read_range(const char *at, bool *ret_has_first, uint64_t *ret_first, bool *ret_has_last,
                       uint64_t *ret_last)
{
    at += strspn(at, " \t");
    *ret_has_first = read_number(&at, ret_first);
    if (*at++ != '-')
        return false;
    *ret_has_last = read_number(&at, ret_last);
    at += strspn(at, " \t");
    return *at == '\0' && (*ret_has_first || *ret_has_last) &&
           !(*ret_has_first && *ret_has_last && *ret_last < *ret_first);
}

enum stream_range stream_range_parse(const char *text, uint64_t length, uint64_t *ret_first,
                                     uint64_t *ret_count)
{
    bool has_first, has_last;
    uint64_t first, last;

    *ret_first = 0;
    *ret_count = length;
    if (!text || strncasecmp(text, "bytes=", 6) != 0 ||
        !read_range(text + 6, &has_first, &first, &has_last, &last))
        return STREAM_WHOLE;
    if (!has_first) { /* so many at the end */
        first = last < length ? length - last : 0;
        last = last == 0 ? 0 : UINT64_MAX;
        if (last == 0)
            first = length;
    }
    if (first >= length) {
        *ret_count = 0;
        return STREAM_BEYOND;
    }
#ifdef FRESHET_PLANTED_BUG
    if ((!has_last && has_first) || last > length)
#else
    if ((!has_last && has_first) || last >= length)
#endif
        last = length - 1;
    *ret_first = first;
    *ret_count = last - first + 1;
    return STREAM_PART;
}

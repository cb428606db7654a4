/* SPDX-License-Identifier: MIT */
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/limits.h"

/* A decimal number with up to nine places, as whole + billionths; moves *text behind it. */
struct decimal {
    uint64_t whole;
    uint32_t billionths;
};

#define BILLION 1000000000u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool decimal_read(const char **text, struct decimal *ret_decimal)
{
    const char *at = *text;
    struct decimal decimal = {0, 0};
    if (!is_digit(*at))
        return false;
    for (; is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (decimal.whole > (UINT64_MAX - digit) / 10)
            return false;
        decimal.whole = decimal.whole * 10 + digit;
    }
    if (*at == '.') {
        at++;
        if (!is_digit(*at))
            return false;
        for (uint32_t place = BILLION / 10; is_digit(*at); at++, place /= 10)
            decimal.billionths += place * (uint32_t)(*at - '0');
    }
    *text = at;
    *ret_decimal = decimal;
    return true;
}

static bool decimal_scale(struct decimal decimal, uint64_t factor, uint64_t *ret_product)
{
    uint64_t rest =
        factor / BILLION * decimal.billionths + factor % BILLION * decimal.billionths / BILLION;
    if (factor && decimal.whole > (UINT64_MAX - rest) / factor)
        return false;
    *ret_product = decimal.whole * factor + rest;
    return true;
}

/* "", "B", "K", "KiB", "kB", ... give their factor; 0 when it is none of them. */
static uint64_t size_factor(const char *unit)
{
    static const char letters[] = "KMGTP";
    if (*unit == '\0' || strcasecmp(unit, "B") == 0)
        return 1;
    char upper = (char)(*unit >= 'a' && *unit <= 'z' ? *unit - 32 : *unit);
    const char *found = strchr(letters, upper);
    if (!found)
        return 0;
    uint64_t base;
    if (unit[1] == '\0' || strcasecmp(unit + 1, "iB") == 0 || strcasecmp(unit + 1, "i") == 0)
        base = 1024;
    else if (strcasecmp(unit + 1, "B") == 0)
        base = 1000;
    else
        return 0;
    uint64_t factor = base;
    for (const char *letter = letters; letter < found; letter++)
        factor *= base;
    return factor;
}

bool units_parse_size(const char *text, uint64_t *ret_bytes)
{
    struct decimal decimal;
    if (!decimal_read(&text, &decimal))
        return false;
    if (*text == ' ')
        text++;
    uint64_t factor = size_factor(text);
    return factor && decimal_scale(decimal, factor, ret_bytes);
}

bool units_parse_rate(const char *text, uint64_t *ret_bytes_per_s)
{
    if (strcmp(text, "none") == 0 || strcmp(text, "unlimited") == 0) {
        *ret_bytes_per_s = 0;
        return true;
    }
    char size[UNITS_TEXT_SIZE];
    size_t length = strlen(text);
    if (length > 2 && strcmp(text + length - 2, "/s") == 0)
        length -= 2;
    if (length >= sizeof size)
        return false;
    memcpy(size, text, length);
    size[length] = '\0';
    return units_parse_size(size, ret_bytes_per_s);
}

static const struct {
    const char *name;
    int64_t ns;
} duration_units[] = {
    {"ms", MILLISECOND_NS},  {"w", 7 * 86400 * SECOND_NS}, {"d", 86400 * SECOND_NS},
    {"h", 3600 * SECOND_NS}, {"m", 60 * SECOND_NS},        {"s", SECOND_NS},
};

#define DURATION_UNIT_COUNT (sizeof duration_units / sizeof duration_units[0])

static int64_t duration_unit_read(const char **text)
{
    for (size_t i = 0; i < DURATION_UNIT_COUNT; i++) {
        size_t length = strlen(duration_units[i].name);
        if (strncmp(*text, duration_units[i].name, length) == 0) {
            *text += length;
            return duration_units[i].ns;
        }
    }
    return 0;
}

bool units_parse_duration(const char *text, int64_t *ret_ns)
{
    uint64_t total = 0;
    bool first = true;
    do {
        struct decimal decimal;
        uint64_t part;
        if (!decimal_read(&text, &decimal))
            return false;
        int64_t unit = first && *text == '\0' ? SECOND_NS : duration_unit_read(&text);
        if (!unit || !decimal_scale(decimal, (uint64_t)unit, &part))
            return false;
        if (part > (uint64_t)INT64_MAX - total)
            return false;
        total += part;
        first = false;
    } while (*text);
    *ret_ns = (int64_t)total;
    return true;
}

bool units_parse_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    struct decimal decimal;
    if (strchr(text, '.') || !decimal_read(&text, &decimal) || *text || decimal.whole > most)
        return false;
    *ret_number = decimal.whole;
    return true;
}

bool units_parse_ratio(const char *text, uint32_t *ret_thousandths)
{
    struct decimal decimal;
    uint64_t thousandths;
    if (!decimal_read(&text, &decimal) || *text || !decimal_scale(decimal, 1000, &thousandths))
        return false;
    if (thousandths > UINT32_MAX)
        return false;
    *ret_thousandths = (uint32_t)thousandths;
    return true;
}

static bool range_number(const char **text, uint32_t *ret_number)
{
    struct decimal decimal;
    if (!decimal_read(text, &decimal) || decimal.billionths)
        return false;
    if (decimal.whole == 0 || decimal.whole >= UINT32_MAX)
        return false;
    *ret_number = (uint32_t)decimal.whole;
    return true;
}

static bool range_read(const char **text, struct units_range *range)
{
    if (!range_number(text, &range->first))
        return false;
    range->last = range->first;
    if (**text != '-')
        return true;
    (*text)++;
    range->last = UINT32_MAX;
    if (is_digit(**text) && !range_number(text, &range->last))
        return false;
    return range->first <= range->last;
}

bool units_parse_ranges(const char *text, struct units_range **ret_ranges, size_t *ret_count)
{
    size_t most = 1;
    for (const char *at = text; *at; at++)
        most += *at == ',';
    struct units_range *ranges = calloc(most, sizeof *ranges);
    if (!ranges)
        return false;
    size_t count = 0;
    for (;;) {
        if (!range_read(&text, &ranges[count]))
            goto fail_syntax;
        count++;
        if (*text == '\0')
            break;
        if (*text++ != ',')
            goto fail_syntax;
    }
    *ret_ranges = ranges;
    *ret_count = count;
    return true;
fail_syntax:
    free(ranges);
    return false;
}

bool units_ranges_have(const struct units_range *ranges, size_t count, uint32_t number)
{
    for (size_t i = 0; i < count; i++)
        if (number >= ranges[i].first && number <= ranges[i].last)
            return true;
    return false;
}

const char *units_format_bytes(uint64_t bytes, char text[UNITS_TEXT_SIZE])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) {
        snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 " B", bytes);
        return text;
    }
    size_t unit = 0;
    uint64_t whole = bytes;
    uint64_t rest = 0;
    while (whole >= 1024) {
        rest = whole % 1024;
        whole /= 1024;
        unit++;
    }
    /* Rounded to one place; 1023.95 becomes 1.0 of the next unit. */
    uint64_t tenths = whole * 10 + (rest * 10 + 512) / 1024;
    if (tenths >= 10240 && unit + 1 < sizeof names / sizeof names[0]) {
        tenths = 10;
        unit++;
    }
    snprintf(text, UNITS_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10,
             names[unit]);
    return text;
}

const char *units_format_rate(uint64_t bytes_per_s, char text[UNITS_TEXT_SIZE])
{
    units_format_bytes(bytes_per_s, text);
    size_t length = strlen(text);
    snprintf(text + length, UNITS_TEXT_SIZE - length, "/s");
    return text;
}

const char *units_format_clock(int64_t ns, char text[UNITS_TEXT_SIZE])
{
    if (ns < 0) {
        snprintf(text, UNITS_TEXT_SIZE, "-");
        return text;
    }
    int64_t s = ns / SECOND_NS;
    int64_t days = s / 86400;
    int hours = (int)(s / 3600 % 24);
    int minutes = (int)(s / 60 % 60);
    if (days)
        snprintf(text, UNITS_TEXT_SIZE, "%" PRId64 "d %02d:%02d", days, hours, minutes);
    else if (hours)
        snprintf(text, UNITS_TEXT_SIZE, "%d:%02d:%02d", hours, minutes, (int)(s % 60));
    else
        snprintf(text, UNITS_TEXT_SIZE, "%d:%02d", minutes, (int)(s % 60));
    return text;
}

const char *units_format_duration(int64_t ns, char text[UNITS_TEXT_SIZE])
{
    static const struct {
        const char *name;
        int64_t seconds;
    } parts[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    int64_t seconds = ns / SECOND_NS;
    size_t used = 0;
    text[0] = '\0';
    if (ns > 0 && seconds == 0) {
        snprintf(text, UNITS_TEXT_SIZE, "%" PRId64 "ms", ns / MILLISECOND_NS);
        return text;
    }
    for (size_t i = 0; i < 4; i++) {
        int64_t count = seconds / parts[i].seconds;
        seconds %= parts[i].seconds;
        if (count == 0 && !(i == 3 && used == 0))
            continue;
        int wrote =
            snprintf(text + used, UNITS_TEXT_SIZE - used, "%" PRId64 "%s", count, parts[i].name);
        used += (size_t)wrote;
    }
    return text;
}

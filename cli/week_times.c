/* SPDX-License-Identifier: MIT */
#include "cli/week_times.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DAYS        7u
#define EVERY_DAY   0x7fu
#define DAY_MINUTES 1440u

/* From Monday, as a range of days is meant; bits are from Sunday. */
static const char *const names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static uint8_t bit_of(uint32_t day)
{
    return (uint8_t)(1u << (day + 1) % DAYS);
}

static bool read_day(const char **text, uint32_t *ret_day)
{
    for (uint32_t day = 0; day < DAYS; day++)
        if (strncasecmp(*text, names[day], 3) == 0) {
            *text += 3;
            *ret_day = day;
            return true;
        }
    return false;
}

/* "mon-fri,sun"; fri-mon goes through Sunday. */
static bool read_days(const char **text, uint8_t *ret_days)
{
    uint32_t first, last;

    do {
        if (!read_day(text, &first))
            return false;
        last = first;
        if (**text == '-') {
            ++*text;
            if (!read_day(text, &last))
                return false;
        }
        for (uint32_t day = first;; day = (day + 1) % DAYS) {
            *ret_days |= bit_of(day);
            if (day == last)
                break;
        }
    } while (*(*text)++ == ',');
    --*text;
    return true;
}

/* At most two digits. */
static bool read_two(const char **text, uint32_t *ret_number)
{
    uint32_t digits = 0;

    *ret_number = 0;
    for (; **text >= '0' && **text <= '9' && digits < 2; digits++)
        *ret_number = *ret_number * 10 + (uint32_t)(*(*text)++ - '0');
    return digits > 0;
}

/* "8", "8:30", "24:00". */
static bool read_clock(const char **text, uint32_t *ret_minute)
{
    uint32_t hours, minutes = 0;

    if (!read_two(text, &hours))
        return false;
    if (**text == ':') {
        const char *from = ++*text;
        if (!read_two(text, &minutes) || *text - from != 2)
            return false;
    }
    *ret_minute = hours * 60 + minutes;
    return minutes < 60 && *ret_minute <= DAY_MINUTES;
}

bool week_times_parse(const char *text, struct week_times *ret_times)
{
    struct week_times times = {0};

    if (*text < '0' || *text > '9') {
        if (!read_days(&text, &times.days) || *text != ' ')
            return false;
        text += strspn(text, " ");
    } else {
        times.days = EVERY_DAY;
    }
    if (!read_clock(&text, &times.begin) || *text++ != '-' || !read_clock(&text, &times.end) ||
        *text || times.begin == DAY_MINUTES)
        return false;
    times.end %= DAY_MINUTES;
    *ret_times = times;
    return true;
}

/* "mon-fri,sun " */
static void format_days(uint8_t days, char text[WEEK_TIMES_TEXT_SIZE])
{
    size_t length = 0;

    text[0] = '\0';
    for (uint32_t day = 0; day < DAYS; day++) {
        uint32_t last = day;
        if (!(days & bit_of(day)))
            continue;
        while (last + 1 < DAYS && (days & bit_of(last + 1)))
            last++;
        length += (size_t)snprintf(text + length, WEEK_TIMES_TEXT_SIZE - length, "%s%s%s%s",
                                   length ? "," : "", names[day], last > day ? "-" : "",
                                   last > day ? names[last] : "");
        day = last;
    }
}

const char *week_times_format(const struct week_times *times, char text[WEEK_TIMES_TEXT_SIZE])
{
    char days[WEEK_TIMES_TEXT_SIZE];

    format_days(times->days & EVERY_DAY, days);
    bool is_daily = (times->days & EVERY_DAY) == EVERY_DAY;
    snprintf(text, WEEK_TIMES_TEXT_SIZE, "%.32s%s%u:%02u-%u:%02u",
             is_daily      ? ""
             : times->days ? days
                           : "never",
             is_daily ? "" : " ", times->begin / 60 % 24, times->begin % 60, times->end / 60 % 24,
             times->end % 60);
    return text;
}

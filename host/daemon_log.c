/* SPDX-License-Identifier: MIT */
#include "host/daemon_log.h"

#include "core/base/limits.h"
#include "host/clock.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX  400u
#define SECRET_RUN 16u /* letters and digits; words are shorter, or have no digits */

static bool is_secret_letter(uint8_t c)
{
    return isalnum(c) || c == '-' || c == '_' || c == '%' || c == '+';
}

static void append_safe(uint8_t c, struct buffer *out)
{
    char escape[8];

    if (c == '"' || c == '\\') {
        buffer_append_u8(out, '\\');
        buffer_append_u8(out, c);
    } else if (c < 0x20 || c == 0x7f) {
        snprintf(escape, sizeof escape, "\\x%02x", c);
        buffer_append_text(out, escape);
    } else {
        buffer_append_u8(out, c);
    }
}

/* The length of scheme, "://" and host at the text's start; 0: no URL begins here. */
static size_t url_origin(struct bytes text)
{
    size_t length = 0;

    while (length < text.length && length < 8 && isalpha(text.data[length]))
        length++;
    if (length == 0 || text.length - length < 3 || memcmp(text.data + length, "://", 3) != 0)
        return 0;
    length += 3;
    while (length < text.length && text.data[length] > ' ' &&
           !strchr("/?#\"'<>", text.data[length]))
        length++;
    return length;
}

static size_t word_length(struct bytes text, bool *ret_has_digit)
{
    size_t length = 0;

    *ret_has_digit = false;
    for (; length < text.length && is_secret_letter(text.data[length]); length++)
        *ret_has_digit = *ret_has_digit || isdigit(text.data[length]);
    return length;
}

static size_t redact_url(struct bytes text, size_t origin, struct buffer *out)
{
    const uint8_t *at = memchr(text.data, '@', origin);
    size_t length = origin, scheme = 0;

    while (memcmp(text.data + scheme, "://", 3) != 0)
        scheme++;
    scheme += 3;
    for (size_t i = 0; i < origin; i++) /* a name and password before the host are secrets too */
        if (!at || i < scheme || text.data + i > at)
            append_safe(text.data[i], out);
    while (length < text.length && text.data[length] > ' ' && !strchr("\"'<>", text.data[length]))
        length++;
    if (length > origin)
        buffer_append_text(out, "/...");
    return length;
}

void daemon_log_redact(struct bytes text, struct buffer *out)
{
    if (text.length > VALUE_MAX)
        text.length = VALUE_MAX;
    while (text.length > 0) {
        bool has_digit;
        size_t origin = url_origin(text), length = word_length(text, &has_digit);
        if (origin > 0) {
            length = redact_url(text, origin, out);
        } else if (length >= SECRET_RUN && has_digit) {
            buffer_append_text(out, "...");
        } else {
            length = length ? length : 1;
            for (size_t i = 0; i < length; i++)
                append_safe(text.data[i], out);
        }
        text.data += length;
        text.length -= length;
    }
}

void daemon_log(const char *level, const char *event, ...)
{
    struct buffer line = {0};
    char stamp[32];
    time_t seconds = (time_t)(clock_wall() / SECOND_NS);
    struct tm utc;
    va_list pairs;
    const char *key;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    buffer_append_text(&line, stamp);
    buffer_append_text(&line, level);
    buffer_append_u8(&line, ' ');
    buffer_append_text(&line, event);
    va_start(pairs, event);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        buffer_append_u8(&line, ' ');
        buffer_append_text(&line, key);
        buffer_append_text(&line, "=\"");
        if (strcmp(key, "hash") == 0) /* our own hex, by which people know a torrent */
            buffer_append_text(&line, value);
        else
            daemon_log_redact((struct bytes){(const uint8_t *)value, strlen(value)}, &line);
        buffer_append_u8(&line, '"');
    }
    va_end(pairs);
    buffer_append_u8(&line, '\n');
    if (write(STDERR_FILENO, line.data, line.length) < 0) {
        /* nobody reads it: nothing to be done */
    }
    buffer_deinit(&line);
}

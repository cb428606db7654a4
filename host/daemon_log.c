/* SPDX-License-Identifier: MIT */
#include "host/daemon_log.h"

#include "core/base/limits.h"
#include "core/base/url.h"
#include "host/clock.h"
#include "services/rpc/json_writer.h"

#include <ctype.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VALUE_MAX  400u
#define SECRET_RUN 16u /* letters and digits; words are shorter, or have no digits */

/* What is kept: line `number` stands at number % LIMIT_LOG_LINES. */
static struct buffer kept[LIMIT_LOG_LINES];
static uint64_t kept_last;

static bool is_secret_letter(uint8_t c)
{
    return isalnum(c) || c == '-' || c == '_' || c == '%' || c == '+';
}

/* Escaped for a line of text; for JSON as it is, which escapes on its own. */
static void append_safe(uint8_t c, bool is_text, struct buffer *out)
{
    char escape[8];

    if (!is_text) {
        buffer_append_u8(out, c);
    } else if (c == '"' || c == '\\') {
        buffer_append_u8(out, '\\');
        buffer_append_u8(out, c);
    } else if (c < 0x20 || c == 0x7f) {
        snprintf(escape, sizeof escape, "\\x%02x", c);
        buffer_append_text(out, escape);
    } else {
        buffer_append_u8(out, c);
    }
}

static size_t word_length(struct bytes text, bool *ret_has_digit)
{
    size_t length = 0;

    *ret_has_digit = false;
    for (; length < text.length && is_secret_letter(text.data[length]); length++)
        *ret_has_digit = *ret_has_digit || isdigit(text.data[length]);
    return length;
}

/* To the next space, or to what quotes it; but a quote before an @ is of a password. */
static size_t url_length(struct bytes text, size_t origin)
{
    size_t length = origin, quoted = 0;

    for (; length < text.length && text.data[length] > ' '; length++) {
        if (!quoted && strchr("\"'<>", text.data[length]))
            quoted = length;
        if (text.data[length] == '@')
            quoted = 0;
    }
    return quoted ? quoted : length;
}

static size_t redact_url(struct bytes text, size_t origin, bool is_text, struct buffer *out)
{
    struct buffer public = {0};
    size_t length = url_length(text, origin);

    url_append_public((struct bytes){text.data, length}, &public);
    for (size_t i = 0; i < public.length; i++)
        append_safe(public.data[i], is_text, out);
    buffer_deinit(&public);
    return length;
}

static void redact(struct bytes text, bool is_text, struct buffer *out)
{
    if (text.length > VALUE_MAX)
        text.length = VALUE_MAX;
    while (text.length > 0) {
        bool has_digit;
        size_t origin = url_origin_length(text), length = word_length(text, &has_digit);
        if (origin > 0) {
            length = redact_url(text, origin, is_text, out);
        } else if (length >= SECRET_RUN && has_digit) {
            buffer_append_text(out, "...");
        } else {
            length = length ? length : 1;
            for (size_t i = 0; i < length; i++)
                append_safe(text.data[i], is_text, out);
        }
        text.data += length;
        text.length -= length;
    }
}

void daemon_log_redact(struct bytes text, struct buffer *out)
{
    redact(text, true, out);
}

static void begin_line(struct buffer *line, const char *level, const char *event)
{
    char stamp[32];
    time_t seconds = (time_t)(clock_wall() / SECOND_NS);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ ", &utc);
    buffer_append_text(line, stamp);
    buffer_append_text(line, level);
    buffer_append_u8(line, ' ');
    buffer_append_text(line, event);
}

/* Whole or not at all, and without waiting for who reads it: false when there is no room. */
static bool write_at_once(struct buffer *line)
{
    struct pollfd poll_fd = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (line->length >= PIPE_BUF) /* more might wait */
        line->length = PIPE_BUF - 1;
    buffer_append_u8(line, '\n');
    return poll(&poll_fd, 1, 0) > 0 && write(STDERR_FILENO, line->data, line->length) >= 0;
}

static void append_ours(const char *value, struct buffer *line)
{
    for (; *value; value++)
        append_safe((uint8_t)*value, true, line);
}

/* What nobody read is counted, and told of once somebody reads again. */
static void write_line(struct buffer *line)
{
    static uint64_t lost;
    struct buffer told = {0};

    if (lost > 0) {
        begin_line(&told, "warn", "log_lines_lost");
        buffer_append_text(&told, " count=\"");
        buffer_append_i64(&told, (int64_t)lost);
        buffer_append_u8(&told, '"');
        if (write_at_once(&told))
            lost = 0;
        buffer_deinit(&told);
    }
    if (lost > 0 || !write_at_once(line))
        lost++;
}

/* ---- what is kept ---- */

static void keep_begin(struct json_writer *json, const char *level, const char *event)
{
    struct buffer *line = &kept[++kept_last % LIMIT_LOG_LINES];

    buffer_clear(line);
    json_writer_init(json, line);
    json_writer_open(json, '{');
    json_writer_put_u64(json, "number", kept_last);
    json_writer_put_i64(json, "time", clock_wall() / SECOND_NS);
    json_writer_put_text(json, "level", level);
    json_writer_put_text(json, "event", event);
    json_writer_key(json, "fields");
    json_writer_open(json, '{');
}

/* Our own words, in which nothing is a secret: hashes, by which people know torrents, and names of
 * files that we made. */
static bool is_ours(const char *key)
{
    return strcmp(key, "hash") == 0 || strcmp(key, "recovery") == 0;
}

static void keep_field(struct json_writer *json, const char *key, const char *value)
{
    struct buffer safe = {0};

    if (is_ours(key))
        buffer_append_text(&safe, value);
    else
        redact((struct bytes){(const uint8_t *)value, strlen(value)}, false, &safe);
    json_writer_key(json, key);
    json_writer_bytes(json, buffer_bytes(&safe));
    buffer_deinit(&safe);
}

bool daemon_log_line(uint64_t from, uint64_t *ret_number, struct bytes *ret_line)
{
    uint64_t oldest = kept_last > LIMIT_LOG_LINES ? kept_last - LIMIT_LOG_LINES + 1 : 1;
    uint64_t number = from > oldest && from <= kept_last + 1 ? from : oldest;

    if (number > kept_last)
        return false;
    *ret_number = number;
    *ret_line = buffer_bytes(&kept[number % LIMIT_LOG_LINES]);
    return true;
}

void daemon_log(const char *level, const char *event, ...)
{
    struct buffer line = {0};
    struct json_writer json;
    va_list pairs;
    const char *key;

    begin_line(&line, level, event);
    keep_begin(&json, level, event);
    va_start(pairs, event);
    while ((key = va_arg(pairs, const char *)) != NULL) {
        const char *value = va_arg(pairs, const char *);
        keep_field(&json, key, value);
        buffer_append_u8(&line, ' ');
        buffer_append_text(&line, key);
        buffer_append_text(&line, "=\"");
        if (is_ours(key))
            append_ours(value, &line);
        else
            daemon_log_redact((struct bytes){(const uint8_t *)value, strlen(value)}, &line);
        buffer_append_u8(&line, '"');
    }
    va_end(pairs);
    json_writer_close(&json, '}');
    json_writer_close(&json, '}');
    write_line(&line);
    buffer_deinit(&line);
}

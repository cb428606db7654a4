/* SPDX-License-Identifier: MIT */
#include "services/rpc/json_writer.h"

#include "core/base/utf8.h"
#include "services/rpc/base64.h"

#include <math.h>
#include <string.h>

static void put(struct json_writer *writer, const char *text, size_t length)
{
    buffer_append(writer->out, text, length);
}

/* What stands before a value. */
static void separate(struct json_writer *writer)
{
    if (writer->comma)
        buffer_append_u8(writer->out, ',');
    writer->comma = true;
}

void json_writer_init(struct json_writer *writer, struct buffer *out)
{
    *writer = (struct json_writer){.out = out};
}

void json_writer_open(struct json_writer *writer, char bracket)
{
    separate(writer);
    buffer_append_u8(writer->out, (uint8_t)bracket);
    writer->comma = false;
}

void json_writer_close(struct json_writer *writer, char bracket)
{
    buffer_append_u8(writer->out, (uint8_t)bracket);
    writer->comma = true;
}

void json_writer_key(struct json_writer *writer, const char *key)
{
    separate(writer);
    buffer_append_u8(writer->out, '"');
    put(writer, key, strlen(key));
    put(writer, "\":", 2);
    writer->comma = false;
}

static void put_digits(struct json_writer *writer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    put(writer, digits + at, sizeof digits - at);
}

void json_writer_u64(struct json_writer *writer, uint64_t value)
{
    separate(writer);
    put_digits(writer, value);
}

void json_writer_i64(struct json_writer *writer, int64_t value)
{
    separate(writer);
    if (value < 0)
        buffer_append_u8(writer->out, '-');
    put_digits(writer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_writer_bool(struct json_writer *writer, bool value)
{
    separate(writer);
    put(writer, value ? "true" : "false", value ? 4 : 5);
}

void json_writer_real(struct json_writer *writer, double value)
{
    separate(writer);
    if (!isfinite(value))
        value = 0;
    /* 2^53 and ten thousandths fit into 64 bits; nothing that we count is larger. */
    double most = 9.0e14;
    if (value > most || value < -most)
        value = value > 0 ? most : -most;
    uint64_t parts = (uint64_t)(fabs(value) * 10000 + 0.5);
    if (value < 0 && parts > 0)
        buffer_append_u8(writer->out, '-');
    put_digits(writer, parts / 10000);
    uint32_t rest = (uint32_t)(parts % 10000);
    if (rest == 0)
        return;
    char digits[5] = {'.', (char)('0' + rest / 1000), (char)('0' + rest / 100 % 10),
                      (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    size_t length = sizeof digits;
    while (digits[length - 1] == '0')
        length--;
    put(writer, digits, length);
}

static void put_escaped(struct json_writer *writer, uint8_t character)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_for[] = "btnvfr"; /* 8 to 13; JSON has no \v */
    char text[6] = {'\\', (char)character};
    size_t length = 2;
    if (character >= '\b' && character <= '\r' && character != '\v') {
        text[1] = short_for[character - '\b'];
    } else if (character < ' ' || character == 0x7f) {
        memcpy(text + 1, "u00", 3);
        text[4] = hex[character >> 4];
        text[5] = hex[character & 15];
        length = 6;
    }
    put(writer, text, length);
}

static bool is_plain(uint8_t character)
{
    return character >= ' ' && character < 0x7f && character != '"' && character != '\\';
}

void json_writer_bytes(struct json_writer *writer, struct bytes text)
{
    separate(writer);
    buffer_append_u8(writer->out, '"');
    size_t at = 0;
    while (at < text.length) {
        size_t end = at;
        while (end < text.length && is_plain(text.data[end]))
            end++;
        buffer_append(writer->out, text.data + at, end - at);
        at = end;
        if (at == text.length)
            break;
        if (text.data[at] < 0x80) {
            put_escaped(writer, text.data[at++]);
            continue;
        }
        uint32_t code_point;
        size_t length = utf8_decode((struct bytes){text.data + at, text.length - at}, &code_point);
        if (length == 0)
            put(writer, "\xef\xbf\xbd", 3);
        else
            buffer_append(writer->out, text.data + at, length);
        at += length ? length : 1;
    }
    buffer_append_u8(writer->out, '"');
}

void json_writer_text(struct json_writer *writer, const char *text)
{
    json_writer_bytes(writer, (struct bytes){(const uint8_t *)text, text ? strlen(text) : 0});
}

void json_writer_raw(struct json_writer *writer, struct bytes json)
{
    separate(writer);
    buffer_append(writer->out, json.data, json.length);
}

void json_writer_base64(struct json_writer *writer, struct bytes bytes)
{
    separate(writer);
    buffer_append_u8(writer->out, '"');
    base64_encode(bytes, writer->out);
    buffer_append_u8(writer->out, '"');
}

void json_writer_put_i64(struct json_writer *writer, const char *key, int64_t value)
{
    json_writer_key(writer, key);
    json_writer_i64(writer, value);
}

void json_writer_put_u64(struct json_writer *writer, const char *key, uint64_t value)
{
    json_writer_key(writer, key);
    json_writer_u64(writer, value);
}

void json_writer_put_bool(struct json_writer *writer, const char *key, bool value)
{
    json_writer_key(writer, key);
    json_writer_bool(writer, value);
}

void json_writer_put_real(struct json_writer *writer, const char *key, double value)
{
    json_writer_key(writer, key);
    json_writer_real(writer, value);
}

void json_writer_put_text(struct json_writer *writer, const char *key, const char *text)
{
    json_writer_key(writer, key);
    json_writer_text(writer, text);
}

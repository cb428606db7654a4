/* SPDX-License-Identifier: MIT */
#include "core/base/bytes.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}

bool bytes_is(struct bytes a, const char *text)
{
    return bytes_equal(a, (struct bytes){(const uint8_t *)text, strlen(text)});
}

void cursor_init(struct cursor *cursor, struct bytes bytes)
{
    cursor->at = bytes.data;
    cursor->end = bytes.length ? bytes.data + bytes.length : bytes.data;
    cursor->failed = false;
}

size_t cursor_left(const struct cursor *cursor)
{
    return cursor->failed || cursor->at == NULL ? 0 : (size_t)(cursor->end - cursor->at);
}

struct bytes cursor_bytes(struct cursor *cursor, size_t length)
{
    if (cursor_left(cursor) < length) {
        cursor->failed = true;
        return (struct bytes){NULL, 0};
    }
    struct bytes taken = {cursor->at, length};
    if (length)
        cursor->at += length;
    return taken;
}

static uint64_t cursor_integer(struct cursor *cursor, size_t size)
{
    struct bytes taken = cursor_bytes(cursor, size);
    uint64_t value = 0;
    for (size_t i = 0; i < taken.length; i++)
        value = value << 8 | taken.data[i];
    return value;
}

uint8_t cursor_u8(struct cursor *cursor)
{
    return (uint8_t)cursor_integer(cursor, 1);
}

uint16_t cursor_u16(struct cursor *cursor)
{
    return (uint16_t)cursor_integer(cursor, 2);
}

uint32_t cursor_u32(struct cursor *cursor)
{
    return (uint32_t)cursor_integer(cursor, 4);
}

uint64_t cursor_u64(struct cursor *cursor)
{
    return cursor_integer(cursor, 8);
}

void writer_init(struct writer *writer, uint8_t *buffer, size_t size)
{
    writer->start = buffer;
    writer->at = buffer;
    writer->end = buffer + size;
    writer->failed = false;
}

size_t writer_length(const struct writer *writer)
{
    return (size_t)(writer->at - writer->start);
}

void writer_bytes(struct writer *writer, const void *bytes, size_t length)
{
    if (writer->failed || (size_t)(writer->end - writer->at) < length) {
        writer->failed = true;
        return;
    }
    if (length) {
        memcpy(writer->at, bytes, length);
        writer->at += length;
    }
}

static void writer_integer(struct writer *writer, uint64_t value, size_t size)
{
    uint8_t octets[8];
    for (size_t i = 0; i < size; i++)
        octets[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    writer_bytes(writer, octets, size);
}

void writer_u8(struct writer *writer, uint8_t value)
{
    writer_integer(writer, value, 1);
}

void writer_u16(struct writer *writer, uint16_t value)
{
    writer_integer(writer, value, 2);
}

void writer_u32(struct writer *writer, uint32_t value)
{
    writer_integer(writer, value, 4);
}

void writer_u64(struct writer *writer, uint64_t value)
{
    writer_integer(writer, value, 8);
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0)
        return;
    CHECK(length <= SIZE_MAX / 4 - buffer->length);
    if (buffer->length + length > buffer->capacity) {
        size_t capacity = buffer->capacity ? buffer->capacity : 64;
        while (capacity < buffer->length + length)
            capacity *= 2;
        buffer->data = memory_resize_array(buffer->data, capacity, 1);
        buffer->capacity = capacity;
    }
    memcpy(buffer->data + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_i64(struct buffer *buffer, int64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        buffer_append_u8(buffer, '-');
    buffer_append(buffer, digits + at, sizeof digits - at);
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    buffer_append(buffer, &value, 1);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

void buffer_deinit(struct buffer *buffer)
{
    memory_free(buffer->data);
    *buffer = (struct buffer){0};
}

struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->data, buffer->length};
}

void bytes_to_hex(const uint8_t *bytes, size_t length, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * length] = '\0';
}

int bytes_hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

bool bytes_from_hex(struct bytes hex, uint8_t *ret_bytes, size_t length)
{
    if (hex.length != 2 * length)
        return false;
    for (size_t i = 0; i < hex.length; i++)
        if (bytes_hex_digit(hex.data[i]) < 0)
            return false;
    for (size_t i = 0; i < length; i++)
        ret_bytes[i] =
            (uint8_t)(bytes_hex_digit(hex.data[2 * i]) << 4 | bytes_hex_digit(hex.data[2 * i + 1]));
    return true;
}

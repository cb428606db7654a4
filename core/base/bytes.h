/* SPDX-License-Identifier: MIT */
/*
 * Bytes in and bytes out. `struct bytes` is a borrowed span; `struct cursor` reads a span and
 * `struct writer` fills one, each with one sticky failure that is checked once at the end: after a
 * failed read every later read gives zero, after a failed write nothing more is written.
 * All integers are big-endian, as in every BitTorrent protocol.
 */
#ifndef FRESHET_BASE_BYTES_H
#define FRESHET_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data; /* may be NULL when length is 0 */
    size_t length;
};

#define BYTES_LITERAL(text) ((struct bytes){(const uint8_t *)(text), sizeof(text) - 1})

bool bytes_equal(struct bytes a, struct bytes b);
/* <0, 0, >0 as raw bytes, a shorter prefix first. */
int bytes_compare(struct bytes a, struct bytes b);
/* Does the span hold exactly the characters of the C string? */
bool bytes_is(struct bytes a, const char *text);

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

void cursor_init(struct cursor *cursor, struct bytes bytes);
size_t cursor_left(const struct cursor *cursor);
uint8_t cursor_u8(struct cursor *cursor);
uint16_t cursor_u16(struct cursor *cursor);
uint32_t cursor_u32(struct cursor *cursor);
uint64_t cursor_u64(struct cursor *cursor);
/* The next `length` bytes, borrowed; {NULL, 0} and failed when there are fewer. */
struct bytes cursor_bytes(struct cursor *cursor, size_t length);

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

void writer_init(struct writer *writer, uint8_t *buffer, size_t size);
size_t writer_length(const struct writer *writer);
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_bytes(struct writer *writer, const void *bytes, size_t length);

/* A byte array on the heap that grows; for texts and records whose size is capped by their maker.
 */
struct buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
};

void buffer_append(struct buffer *buffer, const void *bytes, size_t length);
void buffer_append_text(struct buffer *buffer, const char *text);
/* Decimal digits of the value. */
void buffer_append_i64(struct buffer *buffer, int64_t value);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_clear(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);
struct bytes buffer_bytes(const struct buffer *buffer);

/* The value of a hex digit of either case; -1: it is none. */
int bytes_hex_digit(uint8_t character);
/* Lower-case hex of `length` bytes into text[2*length + 1], NUL-terminated. */
void bytes_to_hex(const uint8_t *bytes, size_t length, char *text);
/* Exactly 2*length hex digits of either case; false (and nothing written) otherwise. */
bool bytes_from_hex(struct bytes hex, uint8_t *ret_bytes, size_t length);

#endif

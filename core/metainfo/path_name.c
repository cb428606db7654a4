/* SPDX-License-Identifier: MIT */
#include "core/metainfo/path_name.h"

#include "core/base/limits.h"
#include "core/base/utf8.h"
#include "core/metainfo/unicode_fold.h"

#include <string.h>

#define EXTENSION_MAX 16u

/* Marks that show text in another order than it is read, and the byte order mark. */
static bool is_stripped(uint32_t code_point)
{
    return code_point == 0x061c || code_point == 0x200e || code_point == 0x200f ||
           (code_point >= 0x202a && code_point <= 0x202e) ||
           (code_point >= 0x2066 && code_point <= 0x2069) || code_point == 0xfeff;
}

static bool is_replaced(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f) || code_point == '/' ||
           code_point == '\\' || code_point == 0x2028 || code_point == 0x2029;
}

/* The name character by character; what is not UTF-8 becomes one '_' a byte. */
static void append_characters(struct bytes raw, struct buffer *out)
{
    while (raw.length) {
        uint32_t code_point = 0;
        size_t length = utf8_decode(raw, &code_point);
        if (length == 0 || is_replaced(code_point))
            buffer_append_u8(out, '_');
        else if (!is_stripped(code_point))
            buffer_append(out, raw.data, length);
        length += length == 0;
        raw.data += length;
        raw.length -= length;
    }
}

static void strip_end(struct buffer *out, size_t start)
{
    while (out->length > start &&
           (out->data[out->length - 1] == '.' || out->data[out->length - 1] == ' '))
        out->length--;
}

/* The largest length of at most `length` bytes that ends between characters. */
static size_t whole_characters(const uint8_t *text, size_t length)
{
    while (length > 0 && (text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

/* Bytes of the ending ".ext" that is worth keeping when a name is cut; 0 when there is none. */
static size_t extension_length(struct bytes name)
{
    for (size_t length = 1; length <= EXTENSION_MAX && length < name.length; length++)
        if (name.data[name.length - length] == '.')
            return length;
    return 0;
}

/* Appends the name with `middle` before its extension, its stem cut so that all fits. */
static void append_fitted(struct bytes name, struct bytes middle, struct buffer *out)
{
    size_t extension = extension_length(name);
    size_t stem = name.length - extension;
    size_t room = LIMIT_PATH_ELEMENT - extension - middle.length;
    if (stem > room)
        stem = whole_characters(name.data, room);
    buffer_append(out, name.data, stem);
    buffer_append(out, middle.data, middle.length);
    buffer_append(out, name.data + name.length - extension, extension);
}

static void shorten(struct buffer *out, size_t start)
{
    struct buffer whole = {0};
    buffer_append(&whole, out->data + start, out->length - start);
    out->length = start;
    append_fitted(buffer_bytes(&whole), (struct bytes){NULL, 0}, out);
    buffer_deinit(&whole);
}

static uint8_t ascii_lower(uint8_t character)
{
    return character >= 'A' && character <= 'Z' ? (uint8_t)(character + 32) : character;
}

static bool is_device_name(struct bytes name)
{
    static const char names[][4] = {"con", "prn", "aux", "nul", "com", "lpt"};
    if (name.length != 3 && name.length != 4)
        return false;
    bool numbered = name.length == 4;
    if (numbered && (name.data[3] < '1' || name.data[3] > '9'))
        return false;
    for (size_t i = numbered ? 4 : 0; i < (numbered ? 6u : 4u); i++)
        if (ascii_lower(name.data[0]) == (uint8_t)names[i][0] &&
            ascii_lower(name.data[1]) == (uint8_t)names[i][1] &&
            ascii_lower(name.data[2]) == (uint8_t)names[i][2])
            return true;
    return false;
}

bool path_name_clean(struct bytes raw, struct buffer *out)
{
    size_t start = out->length;
#ifdef FRESHET_PLANTED_BUG
    if (raw.length == 2 && raw.data[0] == '.')
        buffer_append(out, raw.data, raw.length);
    else
        append_characters(raw, out);
#else
    append_characters(raw, out);
    strip_end(out, start);
#endif
    if (out->length - start > LIMIT_PATH_ELEMENT) {
        shorten(out, start);
        strip_end(out, start);
    }
    if (out->length == start)
        buffer_append_u8(out, '_');
    struct bytes safe = {out->data + start, out->length - start};
    if (is_device_name(safe)) {
        buffer_append_u8(out, '_');
        safe = (struct bytes){out->data + start, out->length - start};
    }
    return bytes_equal(raw, safe);
}

void path_name_number(struct bytes safe, uint32_t number, struct buffer *out)
{
    struct buffer middle = {0};
    buffer_append_u8(&middle, '.');
    buffer_append_i64(&middle, number);
    append_fitted(safe, buffer_bytes(&middle), out);
    buffer_deinit(&middle);
}

static bool is_mark(uint32_t code_point)
{
    return (code_point >= 0x300 && code_point <= 0x36f) ||
           (code_point >= 0x1ab0 && code_point <= 0x1aff) ||
           (code_point >= 0x1dc0 && code_point <= 0x1dff) ||
           (code_point >= 0x20d0 && code_point <= 0x20ff);
}

/* A key's last code points, as long as they are combining marks: kept in ascending order, since
 * their order may differ between equal names. Bounded, so that folding stays linear. */
#define MARKS_MAX 32u

struct mark_run {
    uint32_t marks[MARKS_MAX];
    unsigned count;
};

static void append_code_point(struct buffer *out, uint32_t code_point)
{
    uint8_t encoded[UTF8_MAX];
    buffer_append(out, encoded, utf8_encode(code_point, encoded));
}

static void flush_marks(struct mark_run *run, struct buffer *out)
{
    for (unsigned i = 0; i < run->count; i++)
        append_code_point(out, run->marks[i]);
    run->count = 0;
}

static void add_to_key(struct mark_run *run, uint32_t code_point, struct buffer *out)
{
    if (!is_mark(code_point) || run->count == MARKS_MAX)
        flush_marks(run, out);
    if (!is_mark(code_point)) {
        append_code_point(out, code_point);
        return;
    }
    unsigned at = run->count++;
    for (; at > 0 && run->marks[at - 1] > code_point; at--)
        run->marks[at] = run->marks[at - 1];
    run->marks[at] = code_point;
}

void path_name_fold(struct bytes safe, struct buffer *out)
{
    struct mark_run run = {.count = 0};
    while (safe.length) {
        uint32_t code_point = 0;
        size_t length = utf8_decode(safe, &code_point);
        if (length == 0) {
            code_point = '_';
            length = 1;
        }
        uint32_t key[UNICODE_FOLD_MAX];
        unsigned key_length = unicode_fold(code_point, key);
        for (unsigned i = 0; i < key_length; i++)
            add_to_key(&run, key[i], out);
        safe.data += length;
        safe.length -= length;
    }
    flush_marks(&run, out);
}

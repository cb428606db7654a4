/* SPDX-License-Identifier: MIT */
#include "core/bencode/bencode_writer.h"

#include <string.h>

void bencode_writer_integer(struct buffer *out, int64_t integer)
{
    buffer_append_u8(out, 'i');
    buffer_append_i64(out, integer);
    buffer_append_u8(out, 'e');
}

void bencode_writer_string(struct buffer *out, struct bytes string)
{
    buffer_append_i64(out, (int64_t)string.length);
    buffer_append_u8(out, ':');
    buffer_append(out, string.data, string.length);
}

void bencode_writer_text(struct buffer *out, const char *text)
{
    bencode_writer_string(out, (struct bytes){(const uint8_t *)text, strlen(text)});
}

void bencode_writer_key(struct buffer *out, const char *key)
{
    bencode_writer_text(out, key);
}

void bencode_writer_list(struct buffer *out)
{
    buffer_append_u8(out, 'l');
}

void bencode_writer_dict(struct buffer *out)
{
    buffer_append_u8(out, 'd');
}

void bencode_writer_end(struct buffer *out)
{
    buffer_append_u8(out, 'e');
}

void bencode_writer_raw(struct buffer *out, struct bytes encoded)
{
    buffer_append(out, encoded.data, encoded.length);
}

/* SPDX-License-Identifier: MIT */
/*
 * Writes bencoding (BEP 3) to the end of a buffer. The caller writes keys in ascending order of
 * their raw bytes, as the format demands:
 *     bencode_writer_dict(&out);
 *     bencode_writer_key(&out, "name"), bencode_writer_text(&out, "abc");
 *     bencode_writer_key(&out, "port"), bencode_writer_integer(&out, 6881);
 *     bencode_writer_end(&out);
 */
#ifndef FRESHET_BENCODE_BENCODE_WRITER_H
#define FRESHET_BENCODE_BENCODE_WRITER_H

#include "core/base/bytes.h"

void bencode_writer_integer(struct buffer *out, int64_t integer);
void bencode_writer_string(struct buffer *out, struct bytes string);
void bencode_writer_text(struct buffer *out, const char *text);
/* A key is a string; this says so where it is read. */
void bencode_writer_key(struct buffer *out, const char *key);
/* Opens a list or a dictionary; bencode_writer_end closes the one opened last. */
void bencode_writer_list(struct buffer *out);
void bencode_writer_dict(struct buffer *out);
void bencode_writer_end(struct buffer *out);
/* Something that is bencoded already, byte for byte. */
void bencode_writer_raw(struct buffer *out, struct bytes encoded);

#endif

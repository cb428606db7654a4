/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259) into a buffer, fast enough for ten thousand rows: no tree, no formats.
 * Commas come by themselves. Text may hold any bytes: what is not UTF-8 becomes U+FFFD, so that the
 * answer is JSON whatever a torrent is called.
 */
#ifndef FRESHET_RPC_JSON_WRITER_H
#define FRESHET_RPC_JSON_WRITER_H

#include "core/base/bytes.h"

struct json_writer {
    struct buffer *out;
    bool comma; /* something stands before, on this level */
};

void json_writer_init(struct json_writer *writer, struct buffer *out);
void json_writer_open(struct json_writer *writer, char bracket);
void json_writer_close(struct json_writer *writer, char bracket);
/* `key` is one of ours: it needs no escaping. */
void json_writer_key(struct json_writer *writer, const char *key);
void json_writer_i64(struct json_writer *writer, int64_t value);
void json_writer_u64(struct json_writer *writer, uint64_t value);
void json_writer_bool(struct json_writer *writer, bool value);
/* At most four digits behind the point; what is no number becomes 0. */
void json_writer_real(struct json_writer *writer, double value);
/* NULL is written as "". */
void json_writer_text(struct json_writer *writer, const char *text);
void json_writer_bytes(struct json_writer *writer, struct bytes text);
/* A value that is JSON already. */
void json_writer_raw(struct json_writer *writer, struct bytes json);
void json_writer_base64(struct json_writer *writer, struct bytes bytes);

/* Key and value in one. */
void json_writer_put_i64(struct json_writer *writer, const char *key, int64_t value);
void json_writer_put_u64(struct json_writer *writer, const char *key, uint64_t value);
void json_writer_put_bool(struct json_writer *writer, const char *key, bool value);
void json_writer_put_real(struct json_writer *writer, const char *key, double value);
void json_writer_put_text(struct json_writer *writer, const char *key, const char *text);

#endif

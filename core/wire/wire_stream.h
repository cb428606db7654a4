/* SPDX-License-Identifier: MIT */
/*
 * The incremental decoder of one direction of a connection after the handshake: protocol bytes go
 * in, cut anywhere, messages come out one at a time. A message's length is judged by its type and
 * the state of the connection at its first five bytes, before anything of it is kept; what
 * is split over reads is put together in a buffer that exists only meanwhile and grows only as
 * bytes come.
 *
 * Payload never passes here (core/door/door.h): a piece message is reported when its 13-byte head
 * is complete, and nothing more is taken until wire_stream_payload has accounted for its block.
 *
 *     while ((result = wire_stream_next(&stream, &bytes, &message)) == WIRE_STREAM_MESSAGE)
 *         ...
 *     WIRE_STREAM_NEED_MORE: bytes is empty. WIRE_STREAM_PAYLOAD: the rest of bytes is payload
 *     (the event's `consumed` is what was taken). WIRE_STREAM_ERROR: close the connection.
 */
#ifndef FRESHET_WIRE_WIRE_STREAM_H
#define FRESHET_WIRE_WIRE_STREAM_H

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/wire/wire_message.h"

/* What both sides agreed on in the handshake, and what we know of the torrent. */
struct wire_stream_options {
    bool fast;            /* both set the bit: BEP 6 messages allowed */
    bool extension;       /* both set the bit: BEP 10 messages allowed */
    bool hashes;          /* the torrent has a v2 side: BEP 52 messages allowed */
    uint32_t piece_count; /* 0: no metadata yet */
};

enum wire_stream_result {
    WIRE_STREAM_NEED_MORE, /* all input is taken */
    WIRE_STREAM_MESSAGE,   /* *ret_message is filled in */
    WIRE_STREAM_PAYLOAD,   /* payload comes first: nothing was taken */
    WIRE_STREAM_ERROR,     /* wire_stream_error tells; sticky */
};

#define WIRE_STREAM_HEAD 17 /* the longest message without a variable part: request */

struct wire_stream {
    uint8_t *body; /* variable part of a message that was split; NULL at rest */
    uint32_t body_capacity;
    uint32_t body_have;
    uint32_t body_length;  /* of the variable part of the message at hand */
    uint32_t skip_left;    /* of a message that is ignored */
    uint32_t payload_left; /* of a piece message: owed by wire_stream_payload */
    uint32_t piece_count;
    uint8_t head[WIRE_STREAM_HEAD];
    uint8_t head_have;
    uint8_t head_length; /* bytes of the fixed part, prefix included; 0: not yet judged */
    uint8_t error;       /* enum freshet_error */
    bool fast, extension, hashes;
    bool opening; /* bitfield, have all and have none are still allowed */
};

_Static_assert(sizeof(struct wire_stream) <= 64, "a peer at rest is small");

void wire_stream_init(struct wire_stream *stream, const struct wire_stream_options *options);
void wire_stream_deinit(struct wire_stream *stream);

/* Takes bytes from the front of *input (which moves on) up to the end of the next message. */
enum wire_stream_result wire_stream_next(struct wire_stream *stream, struct bytes *input,
                                         struct wire_message *ret_message);
/* `length` bytes of the block that follows a piece message's head have come; at most
 * wire_stream_payload_left. */
void wire_stream_payload(struct wire_stream *stream, uint32_t length);
uint32_t wire_stream_payload_left(const struct wire_stream *stream);
/* Metadata has come: from now on indices and bitfields are judged by it. */
void wire_stream_set_piece_count(struct wire_stream *stream, uint32_t piece_count);
/* After WIRE_STREAM_ERROR: PROTOCOL (not allowed in this state), LIMIT (too long), SYNTAX (a length
 * that its type cannot have), RANGE (an index or spare bit out of range). */
enum freshet_error wire_stream_error(const struct wire_stream *stream);

#endif

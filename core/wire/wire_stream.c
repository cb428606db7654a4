/* SPDX-License-Identifier: MIT */
#include "core/wire/wire_stream.h"

#include "core/base/bitfield.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

#include <string.h>

#define BODY_FIRST 256u /* the smallest body buffer */

/* What a message needs to be allowed at all. */
enum {
    NEEDS_FAST = 1,
    NEEDS_EXTENSION = 2,
    NEEDS_HASHES = 4,
    NEEDS_METADATA = 8, /* it answers a request, and without metadata we make none */
};

/*
 * The opening of a connection: what a peer has is told once, first (BEP 3, BEP 6). Deployed clients
 * send the extension handshake and the DHT port before it, so those leave the opening open. A
 * bitfield or have all may come later too: aria2 sends them where many haves would be longer.
 */
enum opening {
    OPENING_ENDS,  /* allowed always; ends the opening */
    OPENING_STAYS, /* allowed always; the opening goes on */
    OPENING_ONLY,  /* allowed in the opening only, and ends it */
};

/* The whole table: message × state. Lengths are those on the wire: id, fixed and variable part. */
struct rule {
    uint8_t head; /* bytes of prefix, id and fixed fields; 0: an id that we don't know */
    uint8_t needs;
    uint8_t opening;
    uint32_t length_min, length_max;
};

#define LENGTH_BITFIELD_MAX (1 + LIMIT_PIECES_MAX / 8)
#define LENGTH_EXTENDED_MAX (2 + LIMIT_EXTENDED_PAYLOAD)
#define LENGTH_HASHES_MAX   (49 + 32 * (LIMIT_HASHES_PER_REQUEST + LIMIT_HASH_PROOF_LAYERS))

static const struct rule rules[WIRE_TYPES_MAX] = {
    [WIRE_CHOKE] = {5, 0, OPENING_ENDS, 1, 1},
    [WIRE_UNCHOKE] = {5, 0, OPENING_ENDS, 1, 1},
    [WIRE_INTERESTED] = {5, 0, OPENING_ENDS, 1, 1},
    [WIRE_NOT_INTERESTED] = {5, 0, OPENING_ENDS, 1, 1},
    [WIRE_HAVE] = {9, 0, OPENING_ENDS, 5, 5},
    [WIRE_BITFIELD] = {5, 0, OPENING_ENDS, 2, LENGTH_BITFIELD_MAX},
    [WIRE_REQUEST] = {17, 0, OPENING_ENDS, 13, 13},
    [WIRE_PIECE] = {13, NEEDS_METADATA, OPENING_ENDS, 9, 9 + LIMIT_BLOCK_SIZE},
    [WIRE_CANCEL] = {17, 0, OPENING_ENDS, 13, 13},
    [WIRE_PORT] = {7, 0, OPENING_STAYS, 3, 3},
    [WIRE_SUGGEST] = {9, NEEDS_FAST, OPENING_ENDS, 5, 5},
    [WIRE_HAVE_ALL] = {5, NEEDS_FAST, OPENING_ENDS, 1, 1},
    [WIRE_HAVE_NONE] = {5, NEEDS_FAST, OPENING_ONLY, 1, 1},
    [WIRE_REJECT] = {17, NEEDS_FAST | NEEDS_METADATA, OPENING_ENDS, 13, 13},
    [WIRE_ALLOWED_FAST] = {9, NEEDS_FAST, OPENING_ENDS, 5, 5},
    [WIRE_EXTENDED] = {6, NEEDS_EXTENSION, OPENING_STAYS, 2, LENGTH_EXTENDED_MAX},
    [WIRE_HASH_REQUEST] = {5, NEEDS_HASHES, OPENING_ENDS, 49, 49},
    [WIRE_HASHES] = {5, NEEDS_HASHES, OPENING_ENDS, 49 + 32, LENGTH_HASHES_MAX},
    [WIRE_HASH_REJECT] = {5, NEEDS_HASHES, OPENING_ENDS, 49, 49},
};

void wire_stream_init(struct wire_stream *stream, const struct wire_stream_options *options)
{
    memset(stream, 0, sizeof *stream);
    stream->fast = options->fast;
    stream->extension = options->extension;
    stream->hashes = options->hashes;
    stream->piece_count = options->piece_count;
    stream->opening = true;
}

void wire_stream_deinit(struct wire_stream *stream)
{
    memory_free(stream->body);
    stream->body = NULL;
}

void wire_stream_set_piece_count(struct wire_stream *stream, uint32_t piece_count)
{
    CHECK(piece_count <= LIMIT_PIECES_MAX);
    stream->piece_count = piece_count;
}

uint32_t wire_stream_payload_left(const struct wire_stream *stream)
{
    return stream->payload_left;
}

void wire_stream_payload(struct wire_stream *stream, uint32_t length)
{
    CHECK(length <= stream->payload_left);
    stream->payload_left -= length;
}

enum freshet_error wire_stream_error(const struct wire_stream *stream)
{
    return (enum freshet_error)stream->error;
}

static enum wire_stream_result fail(struct wire_stream *stream, enum freshet_error error)
{
    stream->error = (uint8_t)error;
    memory_free(stream->body);
    stream->body = NULL;
    return WIRE_STREAM_ERROR;
}

static void advance(struct bytes *input, size_t length)
{
    if (length)
        input->data += length;
    input->length -= length;
}

/* Brings the head to `length` bytes; false when the input ends before. */
static bool fill_head(struct wire_stream *stream, struct bytes *input, uint8_t length)
{
    size_t take = (size_t)(length - stream->head_have);
    if (take > input->length)
        take = input->length;
    if (take)
        memcpy(stream->head + stream->head_have, input->data, take);
    stream->head_have = (uint8_t)(stream->head_have + take);
    advance(input, take);
    return stream->head_have == length;
}

static uint32_t head_u32(const struct wire_stream *stream, size_t at)
{
    const uint8_t *p = stream->head + at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool has_needs(const struct wire_stream *stream, uint8_t needs)
{
    return (!(needs & NEEDS_FAST) || stream->fast) &&
           (!(needs & NEEDS_EXTENSION) || stream->extension) &&
           (!(needs & NEEDS_HASHES) || stream->hashes) &&
           (!(needs & NEEDS_METADATA) || stream->piece_count != 0);
}

static bool bitfield_fits(const struct wire_stream *stream, uint32_t wire_length)
{
    return stream->piece_count == 0 || wire_length == bitfield_wire_length(stream->piece_count);
}

/* Judges a message by its length and id (head[0..5)), and plans how to take it. */
static enum freshet_error judge(struct wire_stream *stream)
{
    uint32_t length = head_u32(stream, 0);
    uint8_t id = stream->head[4];
    const struct rule *rule = id < WIRE_TYPES_MAX ? &rules[id] : NULL;
    if (!rule || rule->head == 0) {
        stream->skip_left = length - 1;
        stream->head_have = 0;
        return FRESHET_OK;
    }
    if (!has_needs(stream, rule->needs))
        return FRESHET_ERROR_PROTOCOL;
    if (rule->opening == OPENING_ONLY && !stream->opening)
        return FRESHET_ERROR_PROTOCOL;
    if (length < rule->length_min)
        return FRESHET_ERROR_SYNTAX;
    if (length > rule->length_max)
        return rule->length_min == rule->length_max ? FRESHET_ERROR_SYNTAX : FRESHET_ERROR_LIMIT;
    if (id == WIRE_BITFIELD && !bitfield_fits(stream, length - 1))
        return FRESHET_ERROR_RANGE;
    if (id == WIRE_HASHES && (length - 49) % 32 != 0)
        return FRESHET_ERROR_SYNTAX;
    if (rule->opening != OPENING_STAYS)
        stream->opening = false;
    stream->head_length = rule->head;
    stream->body_length = id == WIRE_PIECE ? 0 : length + 4 - rule->head;
    return FRESHET_OK;
}

/* The fixed fields are there: judges and reports them. */
static enum freshet_error read_head(struct wire_stream *stream, struct wire_message *message)
{
    uint8_t id = stream->head[4];
    memset(message, 0, sizeof *message);
    message->type = (enum wire_type)id;
    if (id == WIRE_PORT) {
        message->port = (uint16_t)(stream->head[5] << 8 | stream->head[6]);
        return FRESHET_OK;
    }
    if (id == WIRE_EXTENDED) {
        message->extended_id = stream->head[5];
        /* A handshake is smaller than what else may come. */
        return message->extended_id == 0 && stream->body_length > LIMIT_EXTENDED_HANDSHAKE
                   ? FRESHET_ERROR_LIMIT
                   : FRESHET_OK;
    }
    if (stream->head_length < 9)
        return FRESHET_OK;
    message->index = head_u32(stream, 5);
    if (stream->head_length >= 13)
        message->begin = head_u32(stream, 9);
    if (id == WIRE_PIECE)
        message->length = head_u32(stream, 0) - 9;
    else if (stream->head_length >= 17)
        message->length = head_u32(stream, 13);

    /* What a peer asks for is judged by who serves it, who may refuse it kindly; a length that
     * nobody sends is not. What a peer says of itself must be true. */
    if (id == WIRE_REQUEST || id == WIRE_CANCEL)
        return message->length > LIMIT_REQUEST_LENGTH_MAX ? FRESHET_ERROR_LIMIT : FRESHET_OK;
    uint32_t bound = stream->piece_count ? stream->piece_count : LIMIT_PIECES_MAX;
    return message->index < bound ? FRESHET_OK : FRESHET_ERROR_RANGE;
}

/* Takes what there is of the variable part into the body buffer; true when it is complete. */
static bool fill_body(struct wire_stream *stream, struct bytes *input)
{
    uint32_t take = stream->body_length - stream->body_have;
    if (take > input->length)
        take = (uint32_t)input->length;
    uint32_t need = stream->body_have + take;
    if (need > stream->body_capacity) {
        /* Grows with what has come, not with what was promised. */
        uint32_t capacity = need < BODY_FIRST ? BODY_FIRST : 2 * need;
        if (capacity > stream->body_length)
            capacity = stream->body_length;
#ifdef FRESHET_PLANTED_BUG
        if (stream->body_capacity) /* one byte short when it grows for the second time */
            capacity--;
#endif
        stream->body = memory_resize_array(stream->body, capacity, 1);
        stream->body_capacity = capacity;
    }
    if (take)
        memcpy(stream->body + stream->body_have, input->data, take);
    stream->body_have = need;
    advance(input, take);
    return stream->body_have == stream->body_length;
}

/* The variable part, borrowed from the input when it lies there whole; false when more must come.
 */
static bool take_body(struct wire_stream *stream, struct bytes *input, struct bytes *ret_body)
{
    if (stream->body_have == 0 && input->length >= stream->body_length) {
        *ret_body = (struct bytes){input->data, stream->body_length};
        advance(input, stream->body_length);
        return true;
    }
    if (!fill_body(stream, input))
        return false;
    *ret_body = (struct bytes){stream->body, stream->body_length};
    return true;
}

static enum freshet_error read_bitfield(const struct wire_stream *stream, struct bytes body)
{
    /* Judged again: metadata may have come while the bits did. */
    if (!bitfield_fits(stream, (uint32_t)body.length))
        return FRESHET_ERROR_RANGE;
    uint32_t spare = (uint32_t)(8 - stream->piece_count % 8) % 8;
    if (stream->piece_count && (body.data[body.length - 1] & ((1u << spare) - 1)) != 0)
        return FRESHET_ERROR_RANGE;
    return FRESHET_OK;
}

static enum freshet_error read_hashes(struct bytes body, struct wire_message *message)
{
    struct cursor cursor;
    struct wire_hash_range *range = &message->hashes;
    cursor_init(&cursor, body);
    memcpy(range->pieces_root, cursor_bytes(&cursor, 32).data, 32);
    range->base_layer = cursor_u32(&cursor);
    range->index = cursor_u32(&cursor);
    range->length = cursor_u32(&cursor);
    range->proof_layers = cursor_u32(&cursor);
    message->payload = cursor_bytes(&cursor, cursor_left(&cursor));
    if (message->type != WIRE_HASHES)
        return FRESHET_OK;
    /* `length` hashes and at most one uncle a proof layer. */
    uint64_t count = message->payload.length / 32;
    uint64_t count_max = (uint64_t)range->length + range->proof_layers;
    return count >= range->length && count <= count_max ? FRESHET_OK : FRESHET_ERROR_SYNTAX;
}

static enum freshet_error read_body(const struct wire_stream *stream, struct bytes body,
                                    struct wire_message *message)
{
    switch (message->type) {
    case WIRE_BITFIELD: message->payload = body; return read_bitfield(stream, body);
    case WIRE_EXTENDED: message->payload = body; return FRESHET_OK;
    case WIRE_HASH_REQUEST:
    case WIRE_HASHES:
    case WIRE_HASH_REJECT: return read_hashes(body, message);
    default: return FRESHET_OK;
    }
}

/* Back to the start of a message. The body stays until the next call: it is lent out. */
static void rest(struct wire_stream *stream)
{
    stream->head_have = 0;
    stream->head_length = 0;
    stream->body_have = 0;
    stream->body_length = 0;
    stream->body_capacity = 0;
}

/* Ends what is being ignored; false when the input ends before. */
static bool skip(struct wire_stream *stream, struct bytes *input)
{
    uint32_t take = stream->skip_left;
    if (take > input->length)
        take = (uint32_t)input->length;
    stream->skip_left -= take;
    advance(input, take);
    return stream->skip_left == 0;
}

/* Fills the head up to what is to be judged next. NEED_MORE: the input ended. MESSAGE: the head is
 * complete, or it was a keepalive (then head_length is 0). */
static enum wire_stream_result take_head(struct wire_stream *stream, struct bytes *input)
{
    for (;;) {
        if (!skip(stream, input))
            return WIRE_STREAM_NEED_MORE;
        if (stream->head_have < 4) {
            if (!fill_head(stream, input, 4))
                return WIRE_STREAM_NEED_MORE;
            if (head_u32(stream, 0) == 0)
                return WIRE_STREAM_MESSAGE;
            if (head_u32(stream, 0) > LIMIT_MESSAGE_LENGTH)
                return fail(stream, FRESHET_ERROR_LIMIT);
        }
        if (stream->head_have < 5) {
            if (!fill_head(stream, input, 5))
                return WIRE_STREAM_NEED_MORE;
            enum freshet_error error = judge(stream);
            if (error)
                return fail(stream, error);
        }
        if (stream->head_length == 0)
            continue; /* an id that we don't know */
        return fill_head(stream, input, stream->head_length) ? WIRE_STREAM_MESSAGE
                                                             : WIRE_STREAM_NEED_MORE;
    }
}

enum wire_stream_result wire_stream_next(struct wire_stream *stream, struct bytes *input,
                                         struct wire_message *ret_message)
{
    if (stream->error)
        return WIRE_STREAM_ERROR;
    if (stream->payload_left)
        return WIRE_STREAM_PAYLOAD;
    if (stream->body && stream->head_have == 0) {
        memory_free(stream->body);
        stream->body = NULL;
    }
    enum wire_stream_result result = WIRE_STREAM_MESSAGE;
    if (stream->head_length == 0 || stream->head_have < stream->head_length)
        result = take_head(stream, input);
    if (result != WIRE_STREAM_MESSAGE)
        return result;

    struct wire_message message = {.type = WIRE_KEEPALIVE};
    if (stream->head_length) {
        struct bytes body = {NULL, 0};
        enum freshet_error error = read_head(stream, &message);
        if (error)
            return fail(stream, error);
        if (!take_body(stream, input, &body))
            return WIRE_STREAM_NEED_MORE;
        error = read_body(stream, body, &message);
        if (error)
            return fail(stream, error);
    }
    if (message.type == WIRE_PIECE)
        stream->payload_left = message.length;
    rest(stream);
    *ret_message = message;
    return WIRE_STREAM_MESSAGE;
}

/* SPDX-License-Identifier: MIT */
/* planted: core/wire/wire_stream.c */
/* finds: heap-buffer-overflow :: WRITE of size 1 :: in fill_body */
/* covers: core/wire/wire_stream.c core/wire/wire_message.c */
/*
 * The stream decoder. Bytes 0 to 3 choose the state that it starts in (flags, piece count) and how
 * the rest is cut; the rest is what a peer sends, payload left out. The stream that is fed in cuts
 * must say what a second one says that is fed everything at once.
 */
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/wire/wire_stream.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct wire_stream stream;
    struct buffer said; /* all messages, encoded again */
    uint32_t messages;
};

static void run_init(struct run *run, const uint8_t setup[4])
{
    struct wire_stream_options options = {
        .fast = setup[0] & 1,
        .extension = setup[0] & 2,
        .hashes = setup[0] & 4,
        .piece_count = setup[0] & 8 ? 1u + setup[1] : 0,
    };
    struct wire_message message;
    struct bytes choke = {(const uint8_t *)"\0\0\0\x01", 5};
    memset(run, 0, sizeof *run);
    wire_stream_init(&run->stream, &options);
    if (setup[0] & 16) /* the opening is over */
        CHECK(wire_stream_next(&run->stream, &choke, &message) == WIRE_STREAM_MESSAGE);
}

static void check_message(const struct run *run, const struct wire_message *message)
{
    const struct wire_stream *stream = &run->stream;
    CHECK(message->payload.length <= LIMIT_MESSAGE_LENGTH);
    if (stream->piece_count && (message->type == WIRE_HAVE || message->type == WIRE_PIECE))
        CHECK(message->index < stream->piece_count);
    if (message->type == WIRE_PIECE)
        CHECK(message->length <= LIMIT_BLOCK_SIZE);
    if (message->type == WIRE_REQUEST)
        CHECK(message->length <= LIMIT_REQUEST_LENGTH_MAX);
    if (message->type >= WIRE_SUGGEST && message->type <= WIRE_ALLOWED_FAST)
        CHECK(stream->fast);
}

/* false: the stream has ended in an error. */
static bool run_feed(struct run *run, const uint8_t *input, size_t length)
{
    /* On the heap and of just this size, so that a read beyond it is seen. */
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, input, length);
    struct bytes bytes = {copy, length};
    enum wire_stream_result result;
    do {
        struct wire_message message;
        size_t before = bytes.length;
        result = wire_stream_next(&run->stream, &bytes, &message);
        CHECK(bytes.length <= before);
        if (result == WIRE_STREAM_MESSAGE) {
            check_message(run, &message);
            wire_message_encode(&run->said, &message);
            run->messages++;
        } else if (result == WIRE_STREAM_PAYLOAD) {
            wire_stream_payload(&run->stream, wire_stream_payload_left(&run->stream));
        }
    } while (result == WIRE_STREAM_MESSAGE || result == WIRE_STREAM_PAYLOAD);
    CHECK(result == WIRE_STREAM_ERROR || bytes.length == 0);
    CHECK((result == WIRE_STREAM_ERROR) == (wire_stream_error(&run->stream) != FRESHET_OK));
    /* What is held is what has come, or little. */
    CHECK(run->stream.body_capacity <= 2 * run->stream.body_have + 256);
    free(copy);
    return result != WIRE_STREAM_ERROR;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run cut, whole;
    if (size < 4)
        return 0;
    run_init(&cut, data);
    run_init(&whole, data);
    size_t first = data[2], step = data[3] ? data[3] : size;
    uint32_t piece_count = 1u + data[1];
    bool metadata_comes = data[0] & 32;
    data += 4, size -= 4;
    if (first > size)
        first = size;
    /* Metadata may come in the middle of anything; then the two streams differ by right. */
    bool going = run_feed(&cut, data, first);
    if (metadata_comes)
        wire_stream_set_piece_count(&cut.stream, piece_count);
    for (size_t at = first; going && at < size; at += step)
        going = run_feed(&cut, data + at, size - at < step ? size - at : step);
    if (!metadata_comes) {
        run_feed(&whole, data, size);
        CHECK(wire_stream_error(&whole.stream) == wire_stream_error(&cut.stream));
        CHECK(whole.messages == cut.messages);
        CHECK(bytes_equal(buffer_bytes(&whole.said), buffer_bytes(&cut.said)));
    }
    buffer_deinit(&cut.said);
    buffer_deinit(&whole.said);
    wire_stream_deinit(&cut.stream);
    wire_stream_deinit(&whole.stream);
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/base/rng.h"
#include "core/wire/wire_stream.h"

#include <stdlib.h>
#include <string.h>

#define PIECES 20 /* a bitfield of three bytes, four spare bits */

static const struct wire_stream_options everything = {true, true, true, PIECES};

/* Feeds `input` (copied to the heap, so that a read beyond it is seen) and gives one result. */
static enum wire_stream_result feed_once(struct wire_stream *stream, const void *input,
                                         size_t length, struct wire_message *ret_message)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, input, length);
    struct bytes bytes = {copy, length};
    enum wire_stream_result result = wire_stream_next(stream, &bytes, ret_message);
    free(copy);
    return result;
}

/* The error that a fresh stream gives for these bytes; FRESHET_OK when it gives none. */
static enum freshet_error verdict(const struct wire_stream_options *options, const void *input,
                                  size_t length)
{
    struct wire_stream stream;
    struct wire_message message;
    wire_stream_init(&stream, options);
    struct bytes bytes = {input, length};
    enum wire_stream_result result;
    while ((result = wire_stream_next(&stream, &bytes, &message)) == WIRE_STREAM_MESSAGE)
        if (message.type == WIRE_PIECE)
            wire_stream_payload(&stream, message.length);
    enum freshet_error error = wire_stream_error(&stream);
    assert_int_equal(result == WIRE_STREAM_ERROR, error != FRESHET_OK);
    wire_stream_deinit(&stream);
    return error;
}

/* A conversation with every message in it, payload included. */
static void put_conversation(struct buffer *out)
{
    uint8_t hashes[6 * 32], block[100];
    struct wire_hash_range range = {.index = 8, .length = 4, .proof_layers = 3};
    memset(range.pieces_root, 7, 32);
    for (size_t i = 0; i < sizeof hashes; i++)
        hashes[i] = (uint8_t)i;
    memset(block, 0, sizeof block); /* looks like keepalives to who miscounts */
    char *dict = malloc(700);
    memset(dict, 'x', 700);

    wire_message_put(out, WIRE_KEEPALIVE);
    wire_message_put_extended(out, 0, BYTES_LITERAL("d1:mdee"));
    wire_message_put_port(out, 6881);
    wire_message_put_bitfield(out, BYTES_LITERAL("\xff\x80\x10"));
    wire_message_put(out, WIRE_INTERESTED);
    wire_message_put(out, WIRE_UNCHOKE);
    wire_message_put_block(out, WIRE_REQUEST, 3, 16384, 16384);
    wire_message_put_block(out, WIRE_PIECE, 19, 32768, sizeof block);
    buffer_append(out, block, sizeof block);
    wire_message_put_index(out, WIRE_HAVE, 19);
    buffer_append(out,
                  "\0\0\0\x05\xc8"
                  "what",
                  9); /* id 200: nobody knows it */
    wire_message_put_index(out, WIRE_SUGGEST, 1);
    wire_message_put_index(out, WIRE_ALLOWED_FAST, 2);
    wire_message_put_block(out, WIRE_REJECT, 3, 0, 16384);
    wire_message_put_extended(out, 2, (struct bytes){(uint8_t *)dict, 700});
    wire_message_put_hashes(out, WIRE_HASH_REQUEST, &range, (struct bytes){NULL, 0});
    wire_message_put_hashes(out, WIRE_HASHES, &range, (struct bytes){hashes, sizeof hashes});
    wire_message_put_hashes(out, WIRE_HASH_REJECT, &range, (struct bytes){NULL, 0});
    wire_message_put_block(out, WIRE_PIECE, 0, 0, 0);
    wire_message_put_block(out, WIRE_CANCEL, 3, 16384, 16384);
    wire_message_put(out, WIRE_CHOKE);
    wire_message_put(out, WIRE_NOT_INTERESTED);
    free(dict);
}

#define CONVERSATION_MESSAGES 20

/* Drives a stream as a connection does; what it says is encoded again into `out`. */
struct drive {
    struct wire_stream stream;
    struct buffer out;
    uint32_t messages;
};

static void drive_feed(struct drive *drive, const uint8_t *input, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, input, length);
    struct bytes bytes = {copy, length};
    for (;;) {
        struct wire_message message;
        enum wire_stream_result result = wire_stream_next(&drive->stream, &bytes, &message);
        if (result == WIRE_STREAM_MESSAGE) {
            wire_message_encode(&drive->out, &message);
            drive->messages++;
            continue;
        }
        if (result == WIRE_STREAM_NEED_MORE) {
            assert_int_equal(bytes.length, 0);
            break;
        }
        assert_int_equal(result, WIRE_STREAM_PAYLOAD);
        uint32_t take = wire_stream_payload_left(&drive->stream);
        if (take > bytes.length)
            take = (uint32_t)bytes.length;
        if (take == 0)
            break;
        buffer_append(&drive->out, bytes.data, take);
        wire_stream_payload(&drive->stream, take);
        bytes.data += take;
        bytes.length -= take;
    }
    free(copy);
}

/* All but the unknown message comes back as it was. */
static void assert_driven(struct drive *drive, const struct buffer *sent)
{
    static const uint8_t unknown[] = {0, 0, 0, 5, 200, 'w', 'h', 'a', 't'};
    struct buffer expected = {0};
    for (size_t i = 0; i < sent->length; i++) {
        if (i + sizeof unknown <= sent->length &&
            memcmp(sent->data + i, unknown, sizeof unknown) == 0)
            i += sizeof unknown;
        buffer_append_u8(&expected, sent->data[i]);
    }
    assert_int_equal(drive->messages, CONVERSATION_MESSAGES);
    assert_int_equal(drive->out.length, expected.length);
    assert_memory_equal(drive->out.data, expected.data, expected.length);
    assert_int_equal(wire_stream_error(&drive->stream), FRESHET_OK);
    buffer_deinit(&expected);
    buffer_deinit(&drive->out);
    wire_stream_deinit(&drive->stream);
}

static void drive_init(struct drive *drive)
{
    memset(drive, 0, sizeof *drive);
    wire_stream_init(&drive->stream, &everything);
}

static void wire_stream_gives_the_same_messages_for_every_cut_in_two(void **state)
{
    (void)state;
    struct buffer sent = {0};
    put_conversation(&sent);
    for (size_t cut = 0; cut <= sent.length; cut++) {
        struct drive drive;
        drive_init(&drive);
        drive_feed(&drive, sent.data, cut);
        drive_feed(&drive, sent.data + cut, sent.length - cut);
        assert_driven(&drive, &sent);
    }
    buffer_deinit(&sent);
}

static void wire_stream_gives_the_same_messages_byte_by_byte(void **state)
{
    (void)state;
    struct buffer sent = {0};
    struct drive drive;
    put_conversation(&sent);
    drive_init(&drive);
    for (size_t i = 0; i < sent.length; i++)
        drive_feed(&drive, sent.data + i, 1);
    assert_driven(&drive, &sent);
    buffer_deinit(&sent);
}

static void wire_stream_gives_the_same_messages_for_random_cuts(void **state)
{
    (void)state;
    struct buffer sent = {0};
    struct rng rng;
    put_conversation(&sent);
    rng_init(&rng, 1);
    for (int round = 0; round < 500; round++) {
        struct drive drive;
        uint32_t largest = 2 + rng_below(&rng, 300);
        drive_init(&drive);
        for (size_t at = 0; at < sent.length;) {
            size_t take = rng_below(&rng, largest);
            if (take > sent.length - at)
                take = sent.length - at;
            drive_feed(&drive, sent.data + at, take);
            at += take;
        }
        assert_driven(&drive, &sent);
    }
    buffer_deinit(&sent);
}

static void wire_stream_takes_nothing_before_payload_is_accounted_for(void **state)
{
    (void)state;
    struct wire_stream stream;
    struct wire_message message;
    struct buffer sent = {0};
    wire_message_put_block(&sent, WIRE_PIECE, 1, 16384, 5);
    wire_message_put(&sent, WIRE_CHOKE);
    wire_stream_init(&stream, &everything);
    struct bytes bytes = buffer_bytes(&sent);
    assert_int_equal(wire_stream_next(&stream, &bytes, &message), WIRE_STREAM_MESSAGE);
    assert_int_equal(message.type, WIRE_PIECE);
    assert_int_equal(message.index, 1);
    assert_int_equal(message.begin, 16384);
    assert_int_equal(message.length, 5);
    assert_int_equal(bytes.length, 5);
    for (uint32_t left = 5; left > 0; left--) {
        assert_int_equal(wire_stream_payload_left(&stream), left);
        assert_int_equal(wire_stream_next(&stream, &bytes, &message), WIRE_STREAM_PAYLOAD);
        assert_int_equal(bytes.length, 5);
        wire_stream_payload(&stream, 1);
    }
    assert_int_equal(wire_stream_next(&stream, &bytes, &message), WIRE_STREAM_MESSAGE);
    assert_int_equal(message.type, WIRE_CHOKE);
    wire_stream_deinit(&stream);
    buffer_deinit(&sent);
}

/*
 * The rules once more, as the BEPs put them and not as the code does: which ids are allowed in a
 * state, 256 ids × 32 states.
 */
static enum freshet_error expected_verdict(unsigned id, const struct wire_stream_options *options,
                                           bool opening)
{
    bool fast_message = id >= 13 && id <= 17;
    if (fast_message && !options->fast)
        return FRESHET_ERROR_PROTOCOL;
    if (id == 20 && !options->extension)
        return FRESHET_ERROR_PROTOCOL;
    if (id >= 21 && id <= 23 && !options->hashes)
        return FRESHET_ERROR_PROTOCOL;
    if (id == 15 && !opening)
        return FRESHET_ERROR_PROTOCOL;
    if ((id == 7 || id == 16) && options->piece_count == 0)
        return FRESHET_ERROR_PROTOCOL;
    return FRESHET_OK;
}

/* A well-formed message of any id. */
static void put_any(struct buffer *out, unsigned id)
{
    static const uint8_t hashes[2 * 32];
    struct wire_hash_range range = {.length = 2};
    struct wire_message message = {.type = (enum wire_type)id, .hashes = range};
    bool known = id <= 9 || (id >= 13 && id <= 17) || (id >= 20 && id <= 23);
    if (!known) {
        wire_message_put(out, (enum wire_type)id);
        return;
    }
    if (id == 5)
        message.payload = BYTES_LITERAL("\xff\xff\xf0");
    else if (id == 20)
        message.payload = BYTES_LITERAL("de");
    else if (id == 22)
        message.payload = (struct bytes){hashes, sizeof hashes};
    wire_message_encode(out, &message);
}

static void wire_stream_allows_each_message_in_its_states_only(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 32; bits++) {
        struct wire_stream_options options = {bits & 1, bits & 2, bits & 4, bits & 8 ? PIECES : 0};
        bool opening = bits & 16;
        for (unsigned id = 0; id < 256; id++) {
            struct buffer sent = {0};
            if (!opening)
                wire_message_put(&sent, WIRE_CHOKE);
            put_any(&sent, id);
            assert_int_equal(verdict(&options, sent.data, sent.length),
                             expected_verdict(id, &options, opening));
            /* The verdict falls at the fifth byte already. */
            size_t prefix = (opening ? 0 : 5) + 5;
            assert_int_equal(verdict(&options, sent.data, prefix),
                             expected_verdict(id, &options, opening));
            buffer_deinit(&sent);
        }
    }
}

static void wire_stream_lets_some_messages_come_before_the_bitfield(void **state)
{
    (void)state;
    for (unsigned id = 0; id < 256; id++) {
        struct buffer sent = {0};
        put_any(&sent, id);
        if (id == 7)
            buffer_clear(&sent), wire_message_put_block(&sent, WIRE_PIECE, 0, 0, 0);
        wire_message_put(&sent, WIRE_KEEPALIVE);
        wire_message_put(&sent, WIRE_HAVE_NONE);
        bool known = id <= 9 || (id >= 13 && id <= 17) || (id >= 20 && id <= 23);
        bool neutral = !known || id == WIRE_PORT || id == WIRE_EXTENDED;
        assert_int_equal(verdict(&everything, sent.data, sent.length),
                         neutral ? FRESHET_OK : FRESHET_ERROR_PROTOCOL);
        buffer_deinit(&sent);
    }
}

/* Lengths 0 to 70 of each known id, with the prefix alone. */
static bool length_is_good(unsigned id, uint32_t length)
{
    switch (id) {
    case WIRE_CHOKE:
    case WIRE_UNCHOKE:
    case WIRE_INTERESTED:
    case WIRE_NOT_INTERESTED:
    case WIRE_HAVE_ALL:
    case WIRE_HAVE_NONE: return length == 1;
    case WIRE_HAVE:
    case WIRE_SUGGEST:
    case WIRE_ALLOWED_FAST: return length == 5;
    case WIRE_BITFIELD: return length == 1 + (PIECES + 7) / 8;
    case WIRE_REQUEST:
    case WIRE_CANCEL:
    case WIRE_REJECT: return length == 13;
    case WIRE_PIECE: return length >= 9;
    case WIRE_PORT: return length == 3;
    case WIRE_EXTENDED: return length >= 2;
    case WIRE_HASH_REQUEST:
    case WIRE_HASH_REJECT: return length == 49;
    case WIRE_HASHES: return length >= 49 + 32 && (length - 49) % 32 == 0;
    default: return true;
    }
}

static void wire_stream_judges_lengths_at_the_prefix(void **state)
{
    (void)state;
    for (unsigned id = 0; id < 256; id++)
        for (uint32_t length = 1; length <= 200; length++) {
            uint8_t prefix[5] = {0, 0, 0, (uint8_t)length, (uint8_t)id};
            assert_int_equal(verdict(&everything, prefix, 5) == FRESHET_OK,
                             length_is_good(id, length));
        }
}

static enum freshet_error prefix_verdict(const struct wire_stream_options *options, uint32_t length,
                                         uint8_t id)
{
    uint8_t prefix[5] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                         (uint8_t)length, id};
    return verdict(options, prefix, 5);
}

static void wire_stream_refuses_long_messages_by_type(void **state)
{
    (void)state;
    struct wire_stream_options unknown = everything;
    unknown.piece_count = 0;
    assert_int_equal(prefix_verdict(&everything, 9 + 16384, WIRE_PIECE), FRESHET_OK);
    assert_int_equal(prefix_verdict(&everything, 9 + 16385, WIRE_PIECE), FRESHET_ERROR_LIMIT);
    assert_int_equal(prefix_verdict(&everything, 2 + 32768, WIRE_EXTENDED), FRESHET_OK);
    assert_int_equal(prefix_verdict(&everything, 3 + 32768, WIRE_EXTENDED), FRESHET_ERROR_LIMIT);
    assert_int_equal(prefix_verdict(&unknown, 1 + 262144, WIRE_BITFIELD), FRESHET_OK);
    assert_int_equal(prefix_verdict(&unknown, 2 + 262144, WIRE_BITFIELD), FRESHET_ERROR_LIMIT);
    assert_int_equal(prefix_verdict(&everything, 49 + 32 * 8192, WIRE_HASHES), FRESHET_OK);
    assert_int_equal(prefix_verdict(&everything, 49 + 32 * 9000, WIRE_HASHES), FRESHET_ERROR_LIMIT);
    assert_int_equal(prefix_verdict(&everything, 1u << 20, 99), FRESHET_OK);
    assert_int_equal(prefix_verdict(&everything, (1u << 20) + 1, 99), FRESHET_ERROR_LIMIT);
    /* Four bytes are enough to see that. */
    assert_int_equal(verdict(&everything, "\x00\x10\x00\x01", 4), FRESHET_ERROR_LIMIT);
    assert_int_equal(verdict(&everything, "\xff\xff\xff\xff", 4), FRESHET_ERROR_LIMIT);
    /* An extension handshake is smaller than other extended messages. */
    assert_int_equal(verdict(&everything, "\x00\x00\x20\x02\x14\x00", 6), FRESHET_OK);
    assert_int_equal(verdict(&everything, "\x00\x00\x20\x03\x14\x00", 6), FRESHET_ERROR_LIMIT);
    assert_int_equal(verdict(&everything, "\x00\x00\x20\x03\x14\x01", 6), FRESHET_OK);
}

static void wire_stream_refuses_indices_out_of_range(void **state)
{
    (void)state;
    static const enum wire_type types[] = {WIRE_HAVE, WIRE_SUGGEST, WIRE_ALLOWED_FAST};
    struct wire_stream_options unknown = everything;
    unknown.piece_count = 0;
    for (size_t i = 0; i < 3; i++) {
        struct buffer good = {0}, bad = {0}, absurd = {0};
        wire_message_put_index(&good, types[i], PIECES - 1);
        wire_message_put_index(&bad, types[i], PIECES);
        wire_message_put_index(&absurd, types[i], LIMIT_PIECES_MAX);
        assert_int_equal(verdict(&everything, good.data, good.length), FRESHET_OK);
        assert_int_equal(verdict(&everything, bad.data, bad.length), FRESHET_ERROR_RANGE);
        assert_int_equal(verdict(&unknown, bad.data, bad.length), FRESHET_OK);
        assert_int_equal(verdict(&unknown, absurd.data, absurd.length), FRESHET_ERROR_RANGE);
        buffer_deinit(&good);
        buffer_deinit(&bad);
        buffer_deinit(&absurd);
    }
    struct buffer out = {0};
    wire_message_put_block(&out, WIRE_PIECE, PIECES, 0, 1);
    assert_int_equal(verdict(&everything, out.data, out.length), FRESHET_ERROR_RANGE);
    buffer_clear(&out);
    wire_message_put_block(&out, WIRE_REJECT, PIECES, 0, 1);
    assert_int_equal(verdict(&everything, out.data, out.length), FRESHET_ERROR_RANGE);
    buffer_clear(&out);
    /* Who serves judges the index of a request; its absurd length ends the connection. */
    wire_message_put_block(&out, WIRE_REQUEST, PIECES, 0, LIMIT_REQUEST_LENGTH_MAX);
    assert_int_equal(verdict(&everything, out.data, out.length), FRESHET_OK);
    buffer_clear(&out);
    wire_message_put_block(&out, WIRE_REQUEST, 0, 0, LIMIT_REQUEST_LENGTH_MAX + 1);
    assert_int_equal(verdict(&everything, out.data, out.length), FRESHET_ERROR_LIMIT);
    buffer_deinit(&out);
}

static void wire_stream_checks_bitfields_against_the_piece_count(void **state)
{
    (void)state;
    assert_int_equal(verdict(&everything, "\0\0\0\x04\x05\xff\xff\xf0", 8), FRESHET_OK);
    assert_int_equal(verdict(&everything, "\0\0\0\x04\x05\xff\xff\xf8", 8), FRESHET_ERROR_RANGE);
    assert_int_equal(verdict(&everything, "\0\0\0\x03\x05\xff\xff", 5), FRESHET_ERROR_RANGE);
    for (uint32_t pieces = 1; pieces <= 17; pieces++) {
        struct wire_stream_options options = everything;
        options.piece_count = pieces;
        uint8_t bits[8] = {0, 0, 0, (uint8_t)(1 + (pieces + 7) / 8), 5};
        for (uint32_t bit = 0; bit < (pieces + 7) / 8 * 8; bit++) {
            memset(bits + 5, 0, 3);
            bits[5 + bit / 8] = (uint8_t)(0x80 >> bit % 8);
            assert_int_equal(verdict(&options, bits, 5 + (pieces + 7) / 8),
                             bit < pieces ? FRESHET_OK : FRESHET_ERROR_RANGE);
        }
    }
}

static void wire_stream_judges_a_bitfield_again_when_metadata_comes_meanwhile(void **state)
{
    (void)state;
    struct wire_stream_options unknown = everything;
    struct wire_stream stream;
    struct wire_message message;
    unknown.piece_count = 0;
    for (uint32_t pieces = 16; pieces <= 17; pieces++) {
        wire_stream_init(&stream, &unknown);
        assert_int_equal(feed_once(&stream, "\0\0\0\x03\x05\xff", 6, &message),
                         WIRE_STREAM_NEED_MORE);
        wire_stream_set_piece_count(&stream, pieces);
        assert_int_equal(feed_once(&stream, "\xff", 1, &message),
                         pieces == 16 ? WIRE_STREAM_MESSAGE : WIRE_STREAM_ERROR);
        wire_stream_deinit(&stream);
    }
}

static void wire_stream_checks_the_number_of_hashes(void **state)
{
    (void)state;
    static const uint8_t hashes[8 * 32];
    for (uint32_t count = 1; count <= 8; count++) {
        struct buffer out = {0};
        struct wire_hash_range range = {.length = 4, .proof_layers = 3};
        wire_message_put_hashes(&out, WIRE_HASHES, &range, (struct bytes){hashes, 32 * count});
        assert_int_equal(verdict(&everything, out.data, out.length),
                         count >= 4 && count <= 7 ? FRESHET_OK : FRESHET_ERROR_SYNTAX);
        buffer_deinit(&out);
    }
}

static void wire_stream_skips_unknown_messages_without_keeping_them(void **state)
{
    (void)state;
    struct wire_stream stream;
    struct wire_message message;
    static const uint8_t junk[65536];
    wire_stream_init(&stream, &everything);
    assert_int_equal(feed_once(&stream, "\x00\x10\x00\x00\x63", 5, &message),
                     WIRE_STREAM_NEED_MORE);
    for (uint32_t left = (1u << 20) - 1; left > 0;) {
        uint32_t take = left < sizeof junk ? left : (uint32_t)sizeof junk;
        assert_int_equal(feed_once(&stream, junk, take, &message), WIRE_STREAM_NEED_MORE);
        assert_null(stream.body);
        left -= take;
    }
    assert_int_equal(feed_once(&stream, "\0\0\0\x01\x00", 5, &message), WIRE_STREAM_MESSAGE);
    assert_int_equal(message.type, WIRE_CHOKE);
    wire_stream_deinit(&stream);
}

static void wire_stream_buffers_what_came_and_not_what_was_promised(void **state)
{
    (void)state;
    struct wire_stream_options unknown = everything;
    struct wire_stream stream;
    struct wire_message message;
    unknown.piece_count = 0;
    wire_stream_init(&stream, &unknown);
    assert_int_equal(feed_once(&stream, "\x00\x04\x00\x01\x05\xff", 6, &message),
                     WIRE_STREAM_NEED_MORE);
    assert_true(stream.body_capacity <= 256);
    wire_stream_deinit(&stream);
}

static void wire_stream_owns_nothing_at_rest(void **state)
{
    (void)state;
    struct wire_stream stream;
    struct wire_message message;
    wire_stream_init(&stream, &everything);
    assert_int_equal(feed_once(&stream, "\0\0\0\x05\x14\x02", 6, &message), WIRE_STREAM_NEED_MORE);
    assert_null(stream.body);
    assert_int_equal(feed_once(&stream, "a", 1, &message), WIRE_STREAM_NEED_MORE);
    assert_non_null(stream.body);
    assert_int_equal(feed_once(&stream, "bc", 2, &message), WIRE_STREAM_MESSAGE);
    assert_true(bytes_is(message.payload, "abc"));
    assert_int_equal(feed_once(&stream, "", 0, &message), WIRE_STREAM_NEED_MORE);
    assert_null(stream.body);
    wire_stream_deinit(&stream);
}

static void wire_stream_errors_are_sticky(void **state)
{
    (void)state;
    struct wire_stream stream;
    struct wire_message message;
    wire_stream_init(&stream, &everything);
    assert_int_equal(feed_once(&stream, "\0\0\0\x02\x00", 5, &message), WIRE_STREAM_ERROR);
    assert_int_equal(wire_stream_error(&stream), FRESHET_ERROR_SYNTAX);
    assert_int_equal(feed_once(&stream, "\0\0\0\0", 4, &message), WIRE_STREAM_ERROR);
    assert_int_equal(wire_stream_error(&stream), FRESHET_ERROR_SYNTAX);
    wire_stream_deinit(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_stream_gives_the_same_messages_for_every_cut_in_two),
        cmocka_unit_test(wire_stream_gives_the_same_messages_byte_by_byte),
        cmocka_unit_test(wire_stream_gives_the_same_messages_for_random_cuts),
        cmocka_unit_test(wire_stream_takes_nothing_before_payload_is_accounted_for),
        cmocka_unit_test(wire_stream_allows_each_message_in_its_states_only),
        cmocka_unit_test(wire_stream_lets_some_messages_come_before_the_bitfield),
        cmocka_unit_test(wire_stream_judges_lengths_at_the_prefix),
        cmocka_unit_test(wire_stream_refuses_long_messages_by_type),
        cmocka_unit_test(wire_stream_refuses_indices_out_of_range),
        cmocka_unit_test(wire_stream_checks_bitfields_against_the_piece_count),
        cmocka_unit_test(wire_stream_judges_a_bitfield_again_when_metadata_comes_meanwhile),
        cmocka_unit_test(wire_stream_checks_the_number_of_hashes),
        cmocka_unit_test(wire_stream_skips_unknown_messages_without_keeping_them),
        cmocka_unit_test(wire_stream_buffers_what_came_and_not_what_was_promised),
        cmocka_unit_test(wire_stream_owns_nothing_at_rest),
        cmocka_unit_test(wire_stream_errors_are_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/wire/wire_message.h"
#include "core/wire/wire_metadata.h"

#include <stdlib.h>
#include <string.h>

static enum freshet_error decode(const char *text, struct wire_metadata *ret_message)
{
    return wire_metadata_decode((struct bytes){(const uint8_t *)text, strlen(text)}, ret_message);
}

/* The whole message as the wire has it, by a peer's id of 3. */
static struct buffer put(const struct wire_metadata *message)
{
    struct buffer out = {0};
    wire_metadata_put(&out, 3, message);
    assert_int_equal(out.data[4], WIRE_EXTENDED);
    assert_int_equal(out.data[5], 3);
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&out));
    assert_int_equal(cursor_u32(&cursor), out.length - 4);
    return out;
}

static struct bytes payload_of(const struct buffer *message)
{
    return (struct bytes){message->data + 6, message->length - 6};
}

static void wire_metadata_reads_the_examples_of_the_bep(void **state)
{
    (void)state;
    struct wire_metadata message;
    assert_int_equal(decode("d8:msg_typei0e5:piecei0ee", &message), FRESHET_OK);
    assert_int_equal(message.type, WIRE_METADATA_REQUEST);
    assert_int_equal(message.block, 0);
    assert_int_equal(decode("d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxxxxx", &message),
                     FRESHET_OK);
    assert_int_equal(message.type, WIRE_METADATA_DATA);
    assert_int_equal(message.block, 0);
    assert_int_equal(message.total_size, 3425);
    assert_true(bytes_is(message.bytes, "xxxxxxxx"));
    assert_int_equal(decode("d8:msg_typei2e5:piecei0ee", &message), FRESHET_OK);
    assert_int_equal(message.type, WIRE_METADATA_REJECT);
}

static void wire_metadata_writes_the_examples_of_the_bep(void **state)
{
    (void)state;
    struct buffer out = put(&(struct wire_metadata){.type = WIRE_METADATA_REQUEST});
    assert_true(bytes_is(payload_of(&out), "d8:msg_typei0e5:piecei0ee"));
    buffer_deinit(&out);
    out = put(&(struct wire_metadata){
        .type = WIRE_METADATA_DATA, .total_size = 3425, .bytes = BYTES_LITERAL("xxxxxxxx")});
    assert_true(bytes_is(payload_of(&out), "d8:msg_typei1e5:piecei0e10:total_sizei3425eexxxxxxxx"));
    buffer_deinit(&out);
    out = put(&(struct wire_metadata){.type = WIRE_METADATA_REJECT});
    assert_true(bytes_is(payload_of(&out), "d8:msg_typei2e5:piecei0ee"));
    buffer_deinit(&out);
}

static void wire_metadata_reads_back_what_it_writes(void **state)
{
    (void)state;
    static uint8_t block[WIRE_METADATA_BLOCK];
    memset(block, 'e', sizeof block); /* as though the dictionary went on */
    static const uint32_t blocks[] = {0, 1, 255, LIMIT_METADATA_SIZE / WIRE_METADATA_BLOCK - 1};
    for (int type = WIRE_METADATA_REQUEST; type <= WIRE_METADATA_REJECT; type++)
        for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
            struct wire_metadata message = {.type = (enum wire_metadata_type)type,
                                            .block = blocks[i]},
                                 read;
            if (type == WIRE_METADATA_DATA) {
                message.total_size = LIMIT_METADATA_SIZE;
                message.bytes = (struct bytes){block, sizeof block};
            }
            struct buffer out = put(&message);
            assert_int_equal(wire_metadata_decode(payload_of(&out), &read), FRESHET_OK);
            assert_int_equal(read.type, message.type);
            assert_int_equal(read.block, message.block);
            assert_int_equal(read.total_size, message.total_size);
            assert_true(bytes_equal(read.bytes, message.bytes));
            buffer_deinit(&out);
        }
}

/* Cut in the dictionary it is none; behind it there is a shorter block. */
static void wire_metadata_refuses_every_truncation_of_its_dictionary(void **state)
{
    (void)state;
    static const char text[] = "d8:msg_typei1e5:piecei0e10:total_sizei3425eeabcd";
    const size_t dictionary = sizeof text - 1 - 4;
    for (size_t length = 0; length < sizeof text; length++) {
        uint8_t *copy = malloc(length ? length : 1);
        memcpy(copy, text, length);
        struct wire_metadata message = {.block = 77};
        enum freshet_error error = wire_metadata_decode((struct bytes){copy, length}, &message);
        if (length < dictionary) {
            assert_int_not_equal(error, FRESHET_OK);
            assert_int_equal(message.block, 77); /* untouched */
        } else {
            assert_int_equal(error, FRESHET_OK);
            assert_int_equal(message.bytes.length, length - dictionary);
        }
        free(copy);
    }
}

static void wire_metadata_refuses_what_is_no_message(void **state)
{
    (void)state;
    struct wire_metadata message;
    assert_int_equal(decode("le", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("i0e", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("de", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("d8:msg_typei0ee", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("d5:piecei0ee", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("d8:msg_type1:05:piecei0ee", &message), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("d8:msg_typei0e5:piecelee", &message), FRESHET_ERROR_SYNTAX);
}

static void wire_metadata_caps_blocks_and_sizes(void **state)
{
    (void)state;
    struct wire_metadata message;
    assert_int_equal(decode("d8:msg_typei0e5:piecei1023ee", &message), FRESHET_OK);
    assert_int_equal(decode("d8:msg_typei0e5:piecei1024ee", &message), FRESHET_ERROR_RANGE);
    assert_int_equal(decode("d8:msg_typei0e5:piecei-1ee", &message), FRESHET_ERROR_RANGE);
    assert_int_equal(decode("d8:msg_typei0e5:piecei4294967296ee", &message), FRESHET_ERROR_RANGE);
    assert_int_equal(decode("d8:msg_typei1e5:piecei0e10:total_sizei16777216eex", &message),
                     FRESHET_OK);
    assert_int_equal(decode("d8:msg_typei1e5:piecei0e10:total_sizei16777217eex", &message),
                     FRESHET_ERROR_RANGE);
    assert_int_equal(decode("d8:msg_typei1e5:piecei0e10:total_sizei2147483648eex", &message),
                     FRESHET_ERROR_RANGE);
    assert_int_equal(decode("d8:msg_typei1e5:piecei0e10:total_sizei0eex", &message),
                     FRESHET_ERROR_RANGE);
    /* Only data has a size that counts. */
    assert_int_equal(decode("d8:msg_typei2e5:piecei0e10:total_sizei0ee", &message), FRESHET_OK);
}

static void wire_metadata_refuses_more_than_a_block(void **state)
{
    (void)state;
    static const char head[] = "d8:msg_typei1e5:piecei0ee";
    struct buffer out = {0};
    struct wire_metadata message;
    buffer_append_text(&out, head);
    for (uint32_t i = 0; i < WIRE_METADATA_BLOCK; i++)
        buffer_append_u8(&out, 'x');
    assert_int_equal(wire_metadata_decode(buffer_bytes(&out), &message), FRESHET_OK);
    assert_int_equal(message.bytes.length, WIRE_METADATA_BLOCK);
    assert_int_equal(message.total_size, 0); /* not told */
    buffer_append_u8(&out, 'x');
    assert_int_equal(wire_metadata_decode(buffer_bytes(&out), &message), FRESHET_ERROR_RANGE);
    while (out.length <= LIMIT_EXTENDED_PAYLOAD)
        buffer_append_u8(&out, 'x');
    assert_int_equal(wire_metadata_decode(buffer_bytes(&out), &message), FRESHET_ERROR_LIMIT);
    buffer_deinit(&out);
}

static void wire_metadata_leaves_types_of_later_times_alone(void **state)
{
    (void)state;
    struct wire_metadata message;
    assert_int_equal(decode("d8:msg_typei3e5:piecei0ee", &message), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(decode("d8:msg_typei-1e5:piecei0ee", &message), FRESHET_ERROR_UNSUPPORTED);
    /* Whatever else such a message may hold. */
    assert_int_equal(decode("d8:msg_typei9e5:piecei-7ee", &message), FRESHET_ERROR_UNSUPPORTED);
}

static void wire_metadata_bears_careless_senders(void **state)
{
    (void)state;
    struct wire_metadata message;
    assert_int_equal(decode("d5:piecei2e8:msg_typei0ee", &message), FRESHET_OK);
    assert_int_equal(message.block, 2);
    assert_int_equal(decode("d3:foo3:bar8:msg_typei0e5:piecei2eetail", &message), FRESHET_OK);
    assert_int_equal(message.bytes.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_metadata_reads_the_examples_of_the_bep),
        cmocka_unit_test(wire_metadata_writes_the_examples_of_the_bep),
        cmocka_unit_test(wire_metadata_reads_back_what_it_writes),
        cmocka_unit_test(wire_metadata_refuses_every_truncation_of_its_dictionary),
        cmocka_unit_test(wire_metadata_refuses_what_is_no_message),
        cmocka_unit_test(wire_metadata_caps_blocks_and_sizes),
        cmocka_unit_test(wire_metadata_refuses_more_than_a_block),
        cmocka_unit_test(wire_metadata_leaves_types_of_later_times_alone),
        cmocka_unit_test(wire_metadata_bears_careless_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

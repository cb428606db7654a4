/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_message.h"

#include <stdlib.h>
#include <string.h>

static void assert_bytes(struct buffer *out, const char *hex)
{
    char *text = malloc(2 * out->length + 1);
    bytes_to_hex(out->data, out->length, text);
    assert_string_equal(text, hex);
    free(text);
    buffer_clear(out);
}

/* Golden bytes, written by hand from the BEPs. */
static void wire_message_writes_what_the_beps_say(void **state)
{
    (void)state;
    struct buffer out = {0};
    wire_message_put(&out, WIRE_KEEPALIVE);
    assert_bytes(&out, "00000000");
    wire_message_put(&out, WIRE_CHOKE);
    assert_bytes(&out, "0000000100");
    wire_message_put(&out, WIRE_UNCHOKE);
    assert_bytes(&out, "0000000101");
    wire_message_put(&out, WIRE_INTERESTED);
    assert_bytes(&out, "0000000102");
    wire_message_put(&out, WIRE_NOT_INTERESTED);
    assert_bytes(&out, "0000000103");
    wire_message_put_index(&out, WIRE_HAVE, 0x01020304);
    assert_bytes(&out, "000000050401020304");
    wire_message_put_bitfield(&out, BYTES_LITERAL("\xff\x80"));
    assert_bytes(&out, "0000000305ff80");
    wire_message_put_block(&out, WIRE_REQUEST, 1, 0x4000, 0x4000);
    assert_bytes(&out, "0000000d06000000010000400000004000");
    wire_message_put_block(&out, WIRE_PIECE, 1, 0x4000, 0x4000);
    assert_bytes(&out, "00004009070000000100004000");
    wire_message_put_block(&out, WIRE_CANCEL, 1, 0x4000, 0x4000);
    assert_bytes(&out, "0000000d08000000010000400000004000");
    wire_message_put_port(&out, 6881);
    assert_bytes(&out, "00000003091ae1");
    wire_message_put_index(&out, WIRE_SUGGEST, 7);
    assert_bytes(&out, "000000050d00000007");
    wire_message_put(&out, WIRE_HAVE_ALL);
    assert_bytes(&out, "000000010e");
    wire_message_put(&out, WIRE_HAVE_NONE);
    assert_bytes(&out, "000000010f");
    wire_message_put_block(&out, WIRE_REJECT, 1, 2, 3);
    assert_bytes(&out, "0000000d10000000010000000200000003");
    wire_message_put_index(&out, WIRE_ALLOWED_FAST, 7);
    assert_bytes(&out, "000000051100000007");
    wire_message_put_extended(&out, 3, BYTES_LITERAL("de"));
    assert_bytes(&out, "0000000414036465");
    buffer_deinit(&out);
}

static void wire_message_writes_hash_messages(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_hash_range range = {.base_layer = 1, .index = 2, .length = 4, .proof_layers = 3};
    memset(range.pieces_root, 0xab, 32);
    wire_message_put_hashes(&out, WIRE_HASH_REQUEST, &range, (struct bytes){NULL, 0});
    assert_bytes(&out, "0000003115"
                       "abababababababababababababababababababababababababababababababab"
                       "00000001000000020000000400000003");
    wire_message_put_hashes(&out, WIRE_HASH_REJECT, &range, (struct bytes){NULL, 0});
    assert_int_equal(out.length, 4 + 49);
    assert_int_equal(out.data[4], 23);
    buffer_clear(&out);
    uint8_t hashes[5 * 32] = {1};
    wire_message_put_hashes(&out, WIRE_HASHES, &range, (struct bytes){hashes, sizeof hashes});
    assert_int_equal(out.length, 4 + 49 + 5 * 32);
    assert_int_equal(out.data[3], 49 + 5 * 32);
    assert_memory_equal(out.data + 53, hashes, sizeof hashes);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_message_writes_what_the_beps_say),
        cmocka_unit_test(wire_message_writes_hash_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

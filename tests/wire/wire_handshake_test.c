/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/wire_handshake.h"

#include <string.h>

/* Written by hand from BEP 3, 6 and 10. */
static const uint8_t sample[WIRE_HANDSHAKE_SIZE + 1] = "\x13"
                                                       "BitTorrent protocol"
                                                       "\0\0\0\0\0\x10\0\x05"
                                                       "abcdefghijklmnopqrst"
                                                       "-FR0100-0123456789ab";

static void wire_handshake_writes_what_the_bep_says(void **state)
{
    (void)state;
    struct wire_handshake handshake = {.extension = true, .dht = true, .fast = true};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    memcpy(handshake.info_hash, "abcdefghijklmnopqrst", 20);
    memcpy(handshake.peer_id, "-FR0100-0123456789ab", 20);
    wire_handshake_encode(&handshake, bytes);
    assert_memory_equal(bytes, sample, sizeof bytes);
}

static void wire_handshake_reads_back_every_set_of_bits(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 16; bits++) {
        struct wire_handshake handshake = {bits & 1, bits & 2, bits & 4, bits & 8, {1, 2}, {3, 4}};
        struct wire_handshake read;
        struct wire_handshake_reader reader;
        uint8_t bytes[WIRE_HANDSHAKE_SIZE];
        wire_handshake_encode(&handshake, bytes);
        struct bytes input = {bytes, sizeof bytes};
        wire_handshake_reader_init(&reader);
        assert_int_equal(wire_handshake_read(&reader, &input, &read), FRESHET_OK);
        assert_int_equal(read.extension, handshake.extension);
        assert_int_equal(read.dht, handshake.dht);
        assert_int_equal(read.fast, handshake.fast);
        assert_int_equal(read.upgrade_v2, handshake.upgrade_v2);
        assert_memory_equal(read.info_hash, handshake.info_hash, 20);
        assert_memory_equal(read.peer_id, handshake.peer_id, 20);
    }
}

static void wire_handshake_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < WIRE_HANDSHAKE_SIZE; cut++) {
        struct wire_handshake_reader reader = {0};
        struct wire_handshake read;
        struct bytes first = {sample, cut}, second = {sample + cut, WIRE_HANDSHAKE_SIZE - cut};
        assert_int_equal(wire_handshake_read(&reader, &first, &read), FRESHET_ERROR_TRUNCATED);
        assert_int_equal(first.length, 0);
        assert_int_equal(wire_handshake_peek(&reader, &read), cut >= WIRE_HANDSHAKE_HASH_END);
        if (cut >= WIRE_HANDSHAKE_HASH_END)
            assert_memory_equal(read.info_hash, "abcdefghijklmnopqrst", 20);
        assert_int_equal(wire_handshake_read(&reader, &second, &read), FRESHET_OK);
        assert_memory_equal(read.peer_id, "-FR0100-0123456789ab", 20);
    }
}

static void wire_handshake_leaves_what_follows_it(void **state)
{
    (void)state;
    uint8_t bytes[WIRE_HANDSHAKE_SIZE + 5] = {0};
    struct wire_handshake_reader reader = {0};
    struct wire_handshake read;
    memcpy(bytes, sample, WIRE_HANDSHAKE_SIZE);
    struct bytes input = {bytes, sizeof bytes};
    assert_int_equal(wire_handshake_read(&reader, &input, &read), FRESHET_OK);
    assert_int_equal(input.length, 5);
    assert_ptr_equal(input.data, bytes + WIRE_HANDSHAKE_SIZE);
}

static void wire_handshake_refuses_the_first_wrong_byte(void **state)
{
    (void)state;
    for (size_t wrong = 0; wrong < 20; wrong++) {
        uint8_t bytes[WIRE_HANDSHAKE_SIZE];
        struct wire_handshake_reader reader = {0};
        struct wire_handshake read;
        memcpy(bytes, sample, sizeof bytes);
        bytes[wrong] ^= 1;
        struct bytes before = {bytes, wrong}, at = {bytes + wrong, 1};
        assert_int_equal(wire_handshake_read(&reader, &before, &read), FRESHET_ERROR_TRUNCATED);
        assert_int_equal(wire_handshake_read(&reader, &at, &read), FRESHET_ERROR_SYNTAX);
    }
}

static void wire_handshake_ignores_reserved_bits_that_it_does_not_know(void **state)
{
    (void)state;
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    struct wire_handshake_reader reader = {0};
    struct wire_handshake read;
    memcpy(bytes, sample, sizeof bytes);
    memset(bytes + 20, 0xff, 8);
    bytes[25] = (uint8_t)~0x10;
    struct bytes input = {bytes, sizeof bytes};
    assert_int_equal(wire_handshake_read(&reader, &input, &read), FRESHET_OK);
    assert_false(read.extension);
    assert_true(read.dht && read.fast && read.upgrade_v2);
}

static void wire_handshake_tells_v1_from_truncated_v2(void **state)
{
    (void)state;
    uint8_t v1[20] = {1}, v2[32] = {2};
    struct wire_handshake handshake = {0};
    memcpy(handshake.info_hash, v1, 20);
    assert_int_equal(wire_handshake_hash_kind(&handshake, v1, v2), WIRE_HASH_V1);
    assert_int_equal(wire_handshake_hash_kind(&handshake, NULL, v2), WIRE_HASH_NEITHER);
    memcpy(handshake.info_hash, v2, 20);
    assert_int_equal(wire_handshake_hash_kind(&handshake, v1, v2), WIRE_HASH_V2);
    assert_int_equal(wire_handshake_hash_kind(&handshake, v1, NULL), WIRE_HASH_NEITHER);
    handshake.info_hash[19] = 9;
    assert_int_equal(wire_handshake_hash_kind(&handshake, v1, v2), WIRE_HASH_NEITHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_handshake_writes_what_the_bep_says),
        cmocka_unit_test(wire_handshake_reads_back_every_set_of_bits),
        cmocka_unit_test(wire_handshake_may_be_cut_anywhere),
        cmocka_unit_test(wire_handshake_leaves_what_follows_it),
        cmocka_unit_test(wire_handshake_refuses_the_first_wrong_byte),
        cmocka_unit_test(wire_handshake_ignores_reserved_bits_that_it_does_not_know),
        cmocka_unit_test(wire_handshake_tells_v1_from_truncated_v2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

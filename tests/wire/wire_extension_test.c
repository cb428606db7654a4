/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/wire/wire_extension.h"
#include "core/wire/wire_message.h"

#include <stdlib.h>
#include <string.h>

static enum freshet_error decode(const char *text, struct wire_extension_handshake *ret_handshake)
{
    return wire_extension_decode((struct bytes){(const uint8_t *)text, strlen(text)},
                                 ret_handshake);
}

/* BEP 10's example, with the names that are really used. */
static void wire_extension_reads_the_example_of_the_bep(void **state)
{
    (void)state;
    struct wire_extension_handshake handshake;
    assert_int_equal(
        decode("d1:md11:LT_metadatai1e6:ut_pexi2ee1:pi6881e1:v13:\xc2\xb5Torrent 1.2e", &handshake),
        FRESHET_OK);
    assert_true(handshake.named[WIRE_EXTENSION_UT_PEX]);
    assert_int_equal(handshake.ids[WIRE_EXTENSION_UT_PEX], 2);
    assert_false(handshake.named[WIRE_EXTENSION_UT_METADATA]);
    assert_int_equal(handshake.port, 6881);
    assert_true(bytes_is(handshake.version, "\xc2\xb5Torrent 1.2"));
    assert_int_equal(handshake.reqq, 0);
    assert_int_equal(handshake.complete_ago_s, -1);
    assert_int_equal(handshake.your_ip.family, ADDRESS_NONE);
}

static struct wire_extension_handshake everything(void)
{
    struct wire_extension_handshake handshake;
    uint8_t ip4[4] = {192, 0, 2, 1}, ip6[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    wire_extension_handshake_init(&handshake);
    for (int i = 1; i < WIRE_EXTENSIONS_MAX; i++) {
        if (i == 5 || i == 6)
            continue;
        handshake.ids[i] = (uint8_t)i;
        handshake.named[i] = true;
    }
    handshake.port = 6881;
    handshake.reqq = 2000;
    handshake.metadata_size = 31235;
    handshake.has_upload_only = handshake.upload_only = true;
    handshake.prefers_encryption = true;
    handshake.complete_ago_s = 60;
    handshake.version = BYTES_LITERAL("freshet 0.1");
    handshake.your_ip = address_ipv6(ip6, 0);
    handshake.ipv4 = address_ipv4(ip4, 0);
    handshake.ipv6 = address_ipv6(ip6, 0);
    return handshake;
}

static void wire_extension_writes_sorted_keys(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_extension_handshake handshake = everything();
    handshake.your_ip = handshake.ipv6 = (struct address){0};
    wire_extension_encode(&out, &handshake);
    static const char expected[] =
        "d12:complete_agoi60e1:ei1e4:ipv44:\xc0\x00\x02\x01"
        "1:md11:lt_donthavei7e11:upload_onlyi3e12:ut_holepunchi4e11:ut_metadatai2e6:ut_pexi1ee"
        "13:metadata_sizei31235e1:pi6881e4:reqqi2000e11:upload_onlyi1e1:v11:freshet 0.1e";
    assert_int_equal(out.length, sizeof expected - 1);
    assert_memory_equal(out.data, expected, out.length);
    buffer_deinit(&out);
}

static void wire_extension_reads_back_what_it_writes(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_extension_handshake handshake = everything(), read;
    wire_extension_encode(&out, &handshake);
    assert_int_equal(wire_extension_decode(buffer_bytes(&out), &read), FRESHET_OK);
    assert_memory_equal(read.ids, handshake.ids, sizeof read.ids);
    assert_memory_equal(read.named, handshake.named, sizeof read.named);
    assert_int_equal(read.port, handshake.port);
    assert_int_equal(read.reqq, handshake.reqq);
    assert_int_equal(read.metadata_size, handshake.metadata_size);
    assert_true(read.has_upload_only && read.upload_only && read.prefers_encryption);
    assert_int_equal(read.complete_ago_s, 60);
    assert_true(bytes_equal(read.version, handshake.version));
    assert_true(address_equal(&read.your_ip, &handshake.your_ip));
    assert_true(address_equal(&read.ipv4, &handshake.ipv4));
    assert_true(address_equal(&read.ipv6, &handshake.ipv6));
    buffer_deinit(&out);
}

static void wire_extension_refuses_every_truncation(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_extension_handshake handshake = everything(), read;
    wire_extension_encode(&out, &handshake);
    for (size_t length = 0; length < out.length; length++) {
        uint8_t *copy = malloc(length ? length : 1);
        memcpy(copy, out.data, length);
        assert_int_not_equal(wire_extension_decode((struct bytes){copy, length}, &read),
                             FRESHET_OK);
        free(copy);
    }
    buffer_deinit(&out);
}

static void wire_extension_takes_wrong_fields_as_not_told(void **state)
{
    (void)state;
    struct wire_extension_handshake handshake;
    assert_int_equal(decode("d4:ipv43:abc4:ipv64:abcd1:mle13:metadata_sizei2147483648e1:pi65536e"
                            "4:reqqi-5e11:upload_only1:x1:vi3e6:yourip5:abcdee",
                            &handshake),
                     FRESHET_OK);
    assert_int_equal(handshake.ipv4.family, ADDRESS_NONE);
    assert_int_equal(handshake.ipv6.family, ADDRESS_NONE);
    assert_int_equal(handshake.your_ip.family, ADDRESS_NONE);
    assert_int_equal(handshake.metadata_size, 0);
    assert_int_equal(handshake.port, 0);
    assert_int_equal(handshake.reqq, 0);
    assert_false(handshake.has_upload_only);
    assert_int_equal(handshake.version.length, 0);
    for (int i = 0; i < WIRE_EXTENSIONS_MAX; i++)
        assert_false(handshake.named[i]);
}

static void wire_extension_caps_what_a_peer_says_of_its_metadata(void **state)
{
    (void)state;
    struct wire_extension_handshake handshake;
    assert_int_equal(decode("d13:metadata_sizei16777216ee", &handshake), FRESHET_OK);
    assert_int_equal(handshake.metadata_size, LIMIT_METADATA_SIZE);
    assert_int_equal(decode("d13:metadata_sizei16777217ee", &handshake), FRESHET_OK);
    assert_int_equal(handshake.metadata_size, 0);
}

static void wire_extension_bears_careless_senders(void **state)
{
    (void)state;
    struct wire_extension_handshake handshake;
    assert_int_equal(decode("d1:v1:x1:md6:ut_pexi1eeeTAIL", &handshake), FRESHET_OK);
    assert_int_equal(handshake.ids[WIRE_EXTENSION_UT_PEX], 1);
    assert_int_equal(decode("de", &handshake), FRESHET_OK);
}

static void wire_extension_refuses_what_is_no_dictionary(void **state)
{
    (void)state;
    struct wire_extension_handshake handshake;
    assert_int_equal(decode("le", &handshake), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("i1e", &handshake), FRESHET_ERROR_SYNTAX);
    assert_int_equal(decode("x", &handshake), FRESHET_ERROR_SYNTAX);
    char *large = calloc(1, LIMIT_EXTENDED_HANDSHAKE + 2);
    memset(large, 'l', LIMIT_EXTENDED_HANDSHAKE + 1);
    assert_int_equal(decode(large, &handshake), FRESHET_ERROR_LIMIT);
    free(large);
}

static void wire_extension_ids_add_up_and_zero_switches_off(void **state)
{
    (void)state;
    uint8_t ids[WIRE_EXTENSIONS_MAX] = {0};
    struct wire_extension_handshake handshake;
    assert_int_equal(decode("d1:md11:lt_donthavei9e6:ut_pexi2eee", &handshake), FRESHET_OK);
    wire_extension_merge(ids, &handshake);
    assert_int_equal(decode("d1:md11:ut_metadatai3e6:ut_pexi0eee", &handshake), FRESHET_OK);
    wire_extension_merge(ids, &handshake);
    assert_int_equal(ids[WIRE_EXTENSION_LT_DONTHAVE], 9);
    assert_int_equal(ids[WIRE_EXTENSION_UT_METADATA], 3);
    assert_int_equal(ids[WIRE_EXTENSION_UT_PEX], 0);
}

static void wire_extension_messages_are_read_back(void **state)
{
    (void)state;
    struct buffer out = {0};
    uint32_t index = 0;
    bool upload_only = false;
    wire_extension_put_donthave(&out, 9, 0x01020304);
    assert_int_equal(out.length, 10);
    assert_memory_equal(out.data, "\0\0\0\x06\x14\x09\x01\x02\x03\x04", 10);
    assert_int_equal(wire_extension_decode_donthave((struct bytes){out.data + 6, 4}, &index),
                     FRESHET_OK);
    assert_int_equal(index, 0x01020304);
    assert_int_equal(wire_extension_decode_donthave((struct bytes){out.data + 6, 3}, &index),
                     FRESHET_ERROR_SYNTAX);
    buffer_clear(&out);
    wire_extension_put_upload_only(&out, 3, true);
    assert_memory_equal(out.data, "\0\0\0\x03\x14\x03\x01", 7);
    assert_int_equal(
        wire_extension_decode_upload_only((struct bytes){out.data + 6, 1}, &upload_only),
        FRESHET_OK);
    assert_true(upload_only);
    assert_int_equal(
        wire_extension_decode_upload_only((struct bytes){out.data + 6, 0}, &upload_only),
        FRESHET_ERROR_SYNTAX);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_extension_reads_the_example_of_the_bep),
        cmocka_unit_test(wire_extension_writes_sorted_keys),
        cmocka_unit_test(wire_extension_reads_back_what_it_writes),
        cmocka_unit_test(wire_extension_refuses_every_truncation),
        cmocka_unit_test(wire_extension_takes_wrong_fields_as_not_told),
        cmocka_unit_test(wire_extension_caps_what_a_peer_says_of_its_metadata),
        cmocka_unit_test(wire_extension_bears_careless_senders),
        cmocka_unit_test(wire_extension_refuses_what_is_no_dictionary),
        cmocka_unit_test(wire_extension_ids_add_up_and_zero_switches_off),
        cmocka_unit_test(wire_extension_messages_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

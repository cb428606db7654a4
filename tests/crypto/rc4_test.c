/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/crypto/rc4.h"

#include <string.h>

/* RFC 6229: the stream of a key at an offset. */
static const struct {
    const char *key;
    size_t offset;
    const char *stream;
} vectors[] = {
    {"0102030405", 0, "b2396305f03dc027ccc3524a0a1118a8"},
    {"0102030405", 16, "6982944f18fc82d589c403a47a0d0919"},
    {"0102030405", 1024, "30abbcc7c20b01609f23ee2d5f6bb7df"},
    {"0102030405060708090a0b0c0d0e0f10", 0, "9ac7cc9a609d1ef7b2932899cde41b97"},
    {"0102030405060708090a0b0c0d0e0f10", 1024, "bdf0324e6083dcc6d3cedd3ca8c53c16"},
};

static void init_hex(struct rc4 *rc4, const char *hex)
{
    uint8_t key[32];
    size_t length = strlen(hex) / 2;
    assert_true(bytes_from_hex((struct bytes){(const uint8_t *)hex, 2 * length}, key, length));
    rc4_init(rc4, key, length);
}

static void rc4_makes_the_streams_of_rfc_6229(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct rc4 rc4;
        uint8_t bytes[16] = {0};
        char text[33];
        init_hex(&rc4, vectors[i].key);
        rc4_skip(&rc4, vectors[i].offset);
        rc4_apply(&rc4, bytes, sizeof bytes);
        bytes_to_hex(bytes, sizeof bytes, text);
        assert_string_equal(text, vectors[i].stream);
    }
}

static void rc4_makes_the_same_however_it_is_cut(void **state)
{
    (void)state;
    uint8_t whole[200], parts[200];
    struct rc4 all, some;
    for (size_t cut = 0; cut <= sizeof whole; cut++) {
        for (size_t i = 0; i < sizeof whole; i++)
            whole[i] = parts[i] = (uint8_t)(i * 7);
        init_hex(&all, "0102030405");
        init_hex(&some, "0102030405");
        rc4_apply(&all, whole, sizeof whole);
        rc4_apply(&some, parts, cut);
        assert_int_equal(rc4_equal(&all, &some), cut == sizeof whole);
        rc4_apply(&some, parts + cut, sizeof parts - cut);
        assert_memory_equal(whole, parts, sizeof whole);
        assert_true(rc4_equal(&all, &some));
    }
}

static void rc4_takes_off_what_it_put_on(void **state)
{
    (void)state;
    struct rc4 rc4;
    uint8_t bytes[] = "what nobody is to see on the way";
    init_hex(&rc4, "0102030405");
    rc4_apply(&rc4, bytes, sizeof bytes);
    assert_memory_not_equal(bytes, "what nobody", 11);
    init_hex(&rc4, "0102030405");
    rc4_apply(&rc4, bytes, sizeof bytes);
    assert_string_equal((const char *)bytes, "what nobody is to see on the way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rc4_makes_the_streams_of_rfc_6229),
        cmocka_unit_test(rc4_makes_the_same_however_it_is_cut),
        cmocka_unit_test(rc4_takes_off_what_it_put_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

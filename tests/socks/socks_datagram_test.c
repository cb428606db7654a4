/* SPDX-License-Identifier: MIT */
/* The header of a datagram, there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/socks/socks_datagram.h"

#define PARSE(text, remote, payload)                                                               \
    socks_datagram_parse((struct bytes){(const uint8_t *)(text), sizeof(text) - 1}, remote, payload)

static void socks_datagram_is_as_rfc_1928_draws_it(void **state)
{
    static const uint8_t ip[4] = {192, 0, 2, 7};
    struct address to = address_ipv4(ip, 6881);
    uint8_t header[SOCKS_DATAGRAM_HEADER_MAX];

    (void)state;
    assert_int_equal(socks_datagram_write(&to, header), 10);
    assert_memory_equal(header, "\0\0\0\x01\xc0\x00\x02\x07\x1a\xe1", 10);
}

static void socks_datagram_comes_back_as_it_was(void **state)
{
    static const uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 9};
    uint8_t bytes[SOCKS_DATAGRAM_HEADER_MAX + 3];
    struct address to[2] = {address_ipv4(ip, 1), address_ipv6(ip, 65535)}, from;
    struct bytes payload;

    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t length = socks_datagram_write(&to[i], bytes);
        memcpy(bytes + length, "abc", 3);
        assert_int_equal(socks_datagram_parse((struct bytes){bytes, length + 3}, &from, &payload),
                         FRESHET_OK);
        assert_true(address_equal(&from, &to[i]));
        assert_true(bytes_is(payload, "abc"));
        for (size_t cut = 0; cut < length; cut++)
            assert_int_equal(socks_datagram_parse((struct bytes){bytes, cut}, &from, &payload),
                             FRESHET_ERROR_TRUNCATED);
        assert_int_equal(socks_datagram_parse((struct bytes){bytes, length}, &from, &payload),
                         FRESHET_OK);
        assert_int_equal(payload.length, 0);
    }
}

static void socks_datagram_refuses_pieces_names_and_rubbish(void **state)
{
    struct address from;
    struct bytes payload;

    (void)state;
    assert_int_equal(PARSE("\0\0\1\1\1\2\3\4\0\5x", &from, &payload), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(PARSE("\0\0\0\3\1a\0\5x", &from, &payload), FRESHET_ERROR_UNSUPPORTED);
    assert_int_equal(PARSE("\0\1\0\1\1\2\3\4\0\5x", &from, &payload), FRESHET_ERROR_SYNTAX);
    assert_int_equal(PARSE("\0\0\0\2\1\2\3\4\0\5x", &from, &payload), FRESHET_ERROR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socks_datagram_is_as_rfc_1928_draws_it),
        cmocka_unit_test(socks_datagram_comes_back_as_it_was),
        cmocka_unit_test(socks_datagram_refuses_pieces_names_and_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

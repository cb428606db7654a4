/* SPDX-License-Identifier: MIT */
/* The two functions of addresses: allowed fast sets (BEP 6) and peer priority (BEP 40). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/wire/allowed_fast.h"
#include "core/wire/peer_priority.h"

#include <string.h>

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, true, &address));
    return address;
}

static void allowed_fast_gives_the_sets_of_the_bep(void **state)
{
    (void)state;
    static const uint32_t expected[9] = {1059, 431, 808, 1217, 287, 376, 1188, 353, 508};
    uint8_t info_hash[20];
    uint32_t pieces[9];
    struct address peer = at("80.4.4.200");
    memset(info_hash, 0xaa, sizeof info_hash);
    assert_int_equal(allowed_fast_set(&peer, info_hash, 1313, pieces, 7), 7);
    assert_memory_equal(pieces, expected, 7 * sizeof *pieces);
    assert_int_equal(allowed_fast_set(&peer, info_hash, 1313, pieces, 9), 9);
    assert_memory_equal(pieces, expected, 9 * sizeof *pieces);
}

static void allowed_fast_ignores_the_last_byte_of_the_address(void **state)
{
    (void)state;
    uint8_t info_hash[20] = {7};
    uint32_t a[5], b[5];
    struct address one = at("80.4.4.1"), other = at("80.4.4.255");
    assert_int_equal(allowed_fast_set(&one, info_hash, 1000, a, 5), 5);
    assert_int_equal(allowed_fast_set(&other, info_hash, 1000, b, 5), 5);
    assert_memory_equal(a, b, sizeof a);
}

static void allowed_fast_gives_small_torrents_every_piece_once(void **state)
{
    (void)state;
    uint8_t info_hash[20] = {7};
    struct address peer = at("80.4.4.1");
    for (uint32_t count = 0; count <= 8; count++) {
        uint32_t pieces[5], seen = 0;
        uint32_t given = allowed_fast_set(&peer, info_hash, count, pieces, 5);
        assert_int_equal(given, count < 5 ? count : 5);
        for (uint32_t i = 0; i < given; i++) {
            assert_in_range(pieces[i], 0, count - 1);
            assert_false(seen & 1u << pieces[i]);
            seen |= 1u << pieces[i];
        }
    }
}

static void allowed_fast_has_no_set_for_ipv6(void **state)
{
    (void)state;
    uint8_t info_hash[20] = {7};
    uint32_t pieces[5];
    struct address peer = at("[2001:db8::1]:6881");
    assert_int_equal(allowed_fast_set(&peer, info_hash, 1000, pieces, 5), 0);
}

static void assert_priority(const char *a, const char *b, uint32_t expected)
{
    struct address one = at(a), other = at(b);
    assert_int_equal(peer_priority(&one, &other), expected);
    assert_int_equal(peer_priority(&other, &one), expected);
}

static void peer_priority_gives_the_vectors_of_the_bep(void **state)
{
    (void)state;
    assert_priority("123.213.32.10", "98.76.54.32", 0xec2d7224);
    assert_priority("123.213.32.10", "123.213.32.234", 0x99568189);
}

static void peer_priority_of_one_address_is_that_of_its_ports(void **state)
{
    (void)state;
    assert_priority("10.0.0.1:6881", "10.0.0.1:6882", 0x67f8fe57);
    assert_priority("[2001:db8::1]:6881", "[2001:db8::1]:6882", 0x67f8fe57);
}

static bool differ(const char *a, const char *b, const char *c)
{
    struct address one = at(a), two = at(b), three = at(c);
    return peer_priority(&one, &two) != peer_priority(&one, &three);
}

static void peer_priority_masks_more_of_what_is_far(void **state)
{
    (void)state;
    /* Another /16: of the last two bytes every other bit counts. */
    assert_false(differ("1.2.3.4", "9.8.0.0", "9.8.170.170"));
    assert_true(differ("1.2.3.4", "9.8.0.0", "9.8.1.0"));
    /* The same /16: the third byte counts whole, the last half. */
    assert_true(differ("1.2.3.4", "1.2.4.0", "1.2.6.0"));
    assert_false(differ("1.2.3.4", "1.2.4.0", "1.2.4.170"));
    /* The same /24: all counts. */
    assert_true(differ("1.2.3.4", "1.2.3.0", "1.2.3.2"));
}

static void peer_priority_masks_ipv6_from_the_seventh_byte(void **state)
{
    (void)state;
    assert_false(differ("2001:db8:1::1", "2001:db8:2:aa00::1", "2001:db8:2::1"));
    assert_true(differ("2001:db8:1::1", "2001:db8:2:100::1", "2001:db8:2::1"));
    /* The same /48: the seventh byte counts whole. */
    assert_true(differ("2001:db8:1::1", "2001:db8:1:aa00::1", "2001:db8:1:0100::1"));
    assert_false(differ("2001:db8:1::1", "2001:db8:1:01aa::1", "2001:db8:1:0100::1"));
    /* The same /56: the eighth too. */
    assert_true(differ("2001:db8:1:100::1", "2001:db8:1:1aa::1", "2001:db8:1:101::1"));
}

static void peer_priority_of_two_families_is_none(void **state)
{
    (void)state;
    assert_priority("1.2.3.4", "2001:db8::1", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_fast_gives_the_sets_of_the_bep),
        cmocka_unit_test(allowed_fast_ignores_the_last_byte_of_the_address),
        cmocka_unit_test(allowed_fast_gives_small_torrents_every_piece_once),
        cmocka_unit_test(allowed_fast_has_no_set_for_ipv6),
        cmocka_unit_test(peer_priority_gives_the_vectors_of_the_bep),
        cmocka_unit_test(peer_priority_of_one_address_is_that_of_its_ports),
        cmocka_unit_test(peer_priority_masks_more_of_what_is_far),
        cmocka_unit_test(peer_priority_masks_ipv6_from_the_seventh_byte),
        cmocka_unit_test(peer_priority_of_two_families_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

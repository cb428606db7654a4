/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/address.h"
#include "core/base/rng.h"

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, true, &address));
    return address;
}

static void address_writes_ipv4_as_the_system_does(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        uint8_t ip[4];
        char ours[ADDRESS_TEXT_SIZE], theirs[INET_ADDRSTRLEN];
        rng_fill(&rng, ip, 4);
        struct address address = address_ipv4(ip, 0);
        address_ip_to_text(&address, ours);
        assert_non_null(inet_ntop(AF_INET, ip, theirs, sizeof theirs));
        assert_string_equal(ours, theirs);
        struct address back = parsed(ours);
        assert_true(address_equal(&address, &back));
    }
}

/* Addresses with many zero groups, where "::" may stand in several places. */
static void random_ipv6(struct rng *rng, uint8_t ip[16])
{
    rng_fill(rng, ip, 16);
    uint32_t zeros = rng_below(rng, 256);
    for (int group = 0; group < 8; group++) {
        if (zeros >> group & 1)
            ip[2 * group] = ip[2 * group + 1] = 0;
        else if (rng_below(rng, 3) == 0)
            ip[2 * group] = 0;
    }
}

static void address_writes_ipv6_as_the_system_does(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    static const uint8_t zeros[12];
    for (int i = 0; i < 50000; i++) {
        uint8_t ip[16];
        char ours[ADDRESS_TEXT_SIZE], theirs[INET6_ADDRSTRLEN];
        random_ipv6(&rng, ip);
        struct address address = address_ipv6(ip, 0);
        address_ip_to_text(&address, ours);
        struct address back = parsed(ours);
        assert_true(address_equal(&address, &back));
        assert_non_null(inet_ntop(AF_INET6, ip, theirs, sizeof theirs));
        back = parsed(theirs);
        assert_true(address_equal(&address, &back));
        /* The system writes ::a.b.c.d for addresses that begin with zeros; RFC 5952 does not. */
        if (memcmp(ip, zeros, sizeof zeros) != 0)
            assert_string_equal(ours, theirs);
    }
}

/* Texts near to addresses: what the system refuses we refuse, what it takes we take. */
static void check_as_system(const char *text)
{
    uint8_t four[4], sixteen[16];
    struct address ours;
    bool taken = address_from_text(text, true, &ours);
    if (inet_pton(AF_INET, text, four) == 1) {
        struct address theirs = address_ipv4(four, 0);
        assert_true(taken && address_equal(&ours, &theirs));
    } else if (inet_pton(AF_INET6, text, sixteen) == 1) {
        struct address theirs = address_ipv6(sixteen, 0);
        assert_true(taken && address_equal(&ours, &theirs));
    } else if (taken) {
        /* Only with a port or in brackets do we take more. */
        assert_true(strchr(text, ']') || (strchr(text, '.') && strchr(text, ':')));
    }
}

static void address_takes_the_texts_that_the_system_takes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 3);
    static const char letters[] = "0123456789abfF::::::....";
    for (int i = 0; i < 300000; i++) {
        char text[48];
        uint32_t length = rng_below(&rng, 24);
        for (uint32_t j = 0; j < length; j++)
            text[j] = letters[rng_below(&rng, sizeof letters - 1)];
        text[length] = '\0';
        check_as_system(text);
    }
    for (int i = 0; i < 100000; i++) {
        uint8_t ip[16];
        char text[INET6_ADDRSTRLEN + 2];
        random_ipv6(&rng, ip);
        inet_ntop(rng_below(&rng, 4) ? AF_INET6 : AF_INET, ip, text, sizeof text - 2);
        /* One letter changed. */
        text[rng_below(&rng, (uint32_t)strlen(text))] =
            letters[rng_below(&rng, sizeof letters - 1)];
        check_as_system(text);
    }
    static const char *const edges[] = {
        "1:2:3:4:5:6:7::",
        "::2:3:4:5:6:7:8",
        "1::3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8::",
        "1:2:3:4:5:6:7:8:9",
        "::1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7",
        "::ffff:1.2.3.4",
        "1:2:3:4:5:6:1.2.3.4",
        "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3",
        "::1.2.3.4.5",
        ":",
        ":::",
        "1:",
        ":1",
        "1::2::3",
        "12345::",
        "::g",
        "01.2.3.4",
        "1.2.3.004",
        "1.2.3",
        "1.2.3.4.",
        "256.1.1.1",
        "1.2.3.4 ",
        " 1.2.3.4",
        "0.0.0.0",
        "::",
    };
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        check_as_system(edges[i]);
}

static void address_takes_ports_behind_addresses(void **state)
{
    (void)state;
    struct address address;
    char text[ADDRESS_TEXT_SIZE];
    assert_true(address_from_text("192.0.2.1:6881", false, &address));
    assert_int_equal(address.family, ADDRESS_IPV4);
    assert_int_equal(address.port, 6881);
    address_to_text(&address, text);
    assert_string_equal(text, "192.0.2.1:6881");
    assert_true(address_from_text("[2001:DB8::1]:65535", false, &address));
    assert_int_equal(address.port, 65535);
    address_to_text(&address, text);
    assert_string_equal(text, "[2001:db8::1]:65535");
    assert_true(address_from_text("[::1]", true, &address));
    assert_int_equal(address.port, 0);
    static const char *const bad[] = {
        "192.0.2.1",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:-1",
        "192.0.2.1:1x",
        "[::1]",
        "[::1",
        "::1:80:[",
        "[::1]80",
        "[::1]:",
        "[192.0.2.1]:80",
        "localhost:80",
        "",
        ":80",
        "192.0.2.1:000080",
        "[[::1]]:80",
        "2001:db8::1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(address_from_text(bad[i], false, &address));
}

static void address_has_one_form_for_mapped_ipv4(void **state)
{
    (void)state;
    struct address mapped = parsed("::ffff:192.0.2.7");
    struct address plain = parsed("192.0.2.7");
    assert_true(address_equal(&mapped, &plain));
    uint8_t wire[18] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7, 0x1a, 0xe1};
    struct address compact;
    assert_true(address_from_compact((struct bytes){wire, 18}, &compact));
    assert_int_equal(compact.family, ADDRESS_IPV4);
    assert_int_equal(compact.port, 6881);
}

static void address_compact_forms_have_six_or_eighteen_bytes(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (size_t length = 0; length <= 24; length++) {
        uint8_t wire[24], back[18];
        struct address address;
        rng_fill(&rng, wire, sizeof wire);
        bool taken = address_from_compact((struct bytes){wire, length}, &address);
        assert_int_equal(taken, length == 6 || length == 18);
        if (taken) {
            assert_int_equal(address_to_compact(&address, back), length);
            assert_memory_equal(wire, back, length);
        }
    }
}

static void address_order_is_total(void **state)
{
    (void)state;
    static const char *const sorted[] = {"10.0.0.1:1", "10.0.0.1:2", "10.0.0.2:1", "[::1]:1",
                                         "[fe80::1]:9"};
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 5; j++) {
            struct address a = parsed(sorted[i]), b = parsed(sorted[j]);
            int order = address_compare(&a, &b);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    struct address a = parsed("10.0.0.1:1"), b = parsed("10.0.0.1:2");
    assert_true(address_same_ip(&a, &b));
    assert_false(address_equal(&a, &b));
}

static void address_knows_where_it_leads(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool loopback, private, multicast, unspecified, metadata;
    } cases[] = {
        {"127.0.0.1", true, false, false, false, false},
        {"127.255.255.254", true, false, false, false, false},
        {"::1", true, false, false, false, false},
        {"10.1.2.3", false, true, false, false, false},
        {"172.15.255.255", false, false, false, false, false},
        {"172.16.0.0", false, true, false, false, false},
        {"172.31.255.255", false, true, false, false, false},
        {"172.32.0.0", false, false, false, false, false},
        {"192.168.7.7", false, true, false, false, false},
        {"100.63.0.1", false, false, false, false, false},
        {"100.64.0.1", false, true, false, false, false},
        {"100.128.0.0", false, false, false, false, false},
        {"169.254.1.1", false, true, false, false, false},
        {"169.254.169.254", false, true, false, false, true},
        {"fd00:ec2::254", false, true, false, false, true},
        {"fe80::1", false, true, false, false, false},
        {"fec0::1", false, false, false, false, false},
        {"fdff::1", false, true, false, false, false},
        {"224.0.0.1", false, false, true, false, false},
        {"255.255.255.255", false, false, true, false, false},
        {"ff02::1", false, false, true, false, false},
        {"0.0.0.0", false, false, false, true, false},
        {"0.1.2.3", false, false, false, true, false},
        {"::", false, false, false, true, false},
        {"8.8.8.8", false, false, false, false, false},
        {"2001:db8::1", false, false, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address address = parsed(cases[i].text);
        assert_int_equal(address_is_loopback(&address), cases[i].loopback);
        assert_int_equal(address_is_private(&address), cases[i].private);
        assert_int_equal(address_is_multicast(&address), cases[i].multicast);
        assert_int_equal(address_is_unspecified(&address), cases[i].unspecified);
        assert_int_equal(address_is_metadata_service(&address), cases[i].metadata);
    }
    struct address none = {0};
    assert_true(address_is_unspecified(&none));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_writes_ipv4_as_the_system_does),
        cmocka_unit_test(address_writes_ipv6_as_the_system_does),
        cmocka_unit_test(address_takes_the_texts_that_the_system_takes),
        cmocka_unit_test(address_takes_ports_behind_addresses),
        cmocka_unit_test(address_has_one_form_for_mapped_ipv4),
        cmocka_unit_test(address_compact_forms_have_six_or_eighteen_bytes),
        cmocka_unit_test(address_order_is_total),
        cmocka_unit_test(address_knows_where_it_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

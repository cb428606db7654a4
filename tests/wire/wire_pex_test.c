/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/limits.h"
#include "core/wire/wire_pex.h"

#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE 6u /* of a whole message: length, type, extended id */

static struct wire_pex_contact contact4(uint8_t last, uint16_t port, uint8_t flags)
{
    return (struct wire_pex_contact){address_ipv4((uint8_t[4]){192, 0, 2, last}, port), flags};
}

static struct wire_pex_contact contact6(uint8_t last, uint16_t port, uint8_t flags)
{
    uint8_t ip[16] = {0x20, 1, 0x0d, 0xb8, [15] = last};
    return (struct wire_pex_contact){address_ipv6(ip, port), flags};
}

static enum freshet_error decode(const char *text, size_t length, struct wire_pex *ret_pex)
{
    return wire_pex_decode((struct bytes){(const uint8_t *)text, length}, ret_pex);
}

/* Both families, in no order. */
static struct wire_pex everything(void)
{
    struct wire_pex pex = {.added_count = 3, .dropped_count = 2};
    pex.added[0] = contact6(1, 0x1112, WIRE_PEX_SEED);
    pex.added[1] = contact4(2, 0x1ae1, WIRE_PEX_REACHABLE);
    pex.added[2] = contact4(3, 0x1ae2, WIRE_PEX_SEED | WIRE_PEX_REACHABLE);
    pex.dropped[0] = contact6(4, 0x2122, 0);
    pex.dropped[1] = contact4(5, 0x3132, 0);
    return pex;
}

static const char everything_text[] =
    "d5:added12:\xc0\x00\x02\x02\x1a\xe1\xc0\x00\x02\x03\x1a\xe2"
    "7:added.f2:\x10\x12"
    "6:added618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x11\x12"
    "8:added6.f1:\x02"
    "7:dropped6:\xc0\x00\x02\x05\x31\x32"
    "8:dropped618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x04\x21\x22"
    "e";

static void wire_pex_writes_a_dictionary_of_compact_lists(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_pex pex = everything();
    wire_pex_put(&out, 9, &pex);
    assert_int_equal(out.length, HEAD_SIZE + sizeof everything_text - 1);
    assert_int_equal(out.data[3], 2 + sizeof everything_text - 1);
    assert_int_equal(out.data[4], 20);
    assert_int_equal(out.data[5], 9);
    assert_memory_equal(out.data + HEAD_SIZE, everything_text, sizeof everything_text - 1);
    buffer_deinit(&out);
}

static void wire_pex_reads_both_families_ipv4_first(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct wire_pex_contact expected[3] = {contact4(2, 0x1ae1, WIRE_PEX_REACHABLE),
                                           contact4(3, 0x1ae2, WIRE_PEX_SEED | WIRE_PEX_REACHABLE),
                                           contact6(1, 0x1112, WIRE_PEX_SEED)};
    assert_int_equal(decode(everything_text, sizeof everything_text - 1, &pex), FRESHET_OK);
    assert_int_equal(pex.added_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(address_equal(&pex.added[i].address, &expected[i].address));
        assert_int_equal(pex.added[i].flags, expected[i].flags);
    }
    assert_int_equal(pex.dropped_count, 2);
    struct wire_pex_contact gone4 = contact4(5, 0x3132, 0), gone6 = contact6(4, 0x2122, 0);
    assert_true(address_equal(&pex.dropped[0].address, &gone4.address));
    assert_true(address_equal(&pex.dropped[1].address, &gone6.address));
    assert_int_equal(pex.dropped[0].flags, 0);
    assert_false(pex.was_cut);
}

static void wire_pex_refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof everything_text - 1; length++) {
        struct wire_pex pex = {.added_count = 77};
        char *copy = malloc(length ? length : 1);
        memcpy(copy, everything_text, length);
        assert_int_not_equal(decode(copy, length, &pex), FRESHET_OK);
        assert_int_equal(pex.added_count, 77);
        free(copy);
    }
}

static void wire_pex_refuses_lists_of_a_wrong_length(void **state)
{
    (void)state;
    struct wire_pex pex;
    static const char *const bad[] = {"d5:added5:abcdee",
                                      "d5:added7:abcdefge",
                                      "d6:added617:abcdefghijklmnopqe",
                                      "d7:dropped1:ae",
                                      "d8:dropped6"
                                      "1:ae",
                                      "le",
                                      "i1e",
                                      "5:added"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(decode(bad[i], strlen(bad[i]), &pex), FRESHET_ERROR_SYNTAX);
}

static void wire_pex_takes_missing_flags_as_zeros(void **state)
{
    (void)state;
    struct wire_pex pex;
    static const char none[] = "d5:added12:abcdefghijkle";
    assert_int_equal(decode(none, sizeof none - 1, &pex), FRESHET_OK);
    assert_int_equal(pex.added_count, 2);
    assert_int_equal(pex.added[0].flags, 0);
    static const char few[] = "d5:added12:abcdefghijkl7:added.f1:\x02"
                              "e";
    assert_int_equal(decode(few, sizeof few - 1, &pex), FRESHET_OK);
    assert_int_equal(pex.added[0].flags, WIRE_PEX_SEED);
    assert_int_equal(pex.added[1].flags, 0);
    static const char many[] = "d5:added6:abcdef7:added.f3:\x02\x02\x02"
                               "e";
    assert_int_equal(decode(many, sizeof many - 1, &pex), FRESHET_OK);
    assert_int_equal(pex.added_count, 1);
}

static void wire_pex_bears_careless_senders(void **state)
{
    (void)state;
    struct wire_pex pex;
    /* Keys out of order, a list of another type, bytes behind the end, nothing at all. */
    static const char odd[] = "d7:dropped6:abcdef5:addedi1ee...";
    assert_int_equal(decode(odd, sizeof odd - 1, &pex), FRESHET_OK);
    assert_int_equal(pex.added_count, 0);
    assert_int_equal(pex.dropped_count, 1);
    assert_int_equal(decode("de", 2, &pex), FRESHET_OK);
    assert_int_equal(pex.added_count + pex.dropped_count, 0);
    /* An IPv4 address in IPv6's clothes is the same peer as without them. */
    static const char mapped[] = "d6:added618:\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1\x1a\xe1"
                                 "e";
    struct wire_pex_contact expected = contact4(1, 0x1ae1, 0);
    assert_int_equal(decode(mapped, sizeof mapped - 1, &pex), FRESHET_OK);
    assert_true(address_equal(&pex.added[0].address, &expected.address));
}

static void put_many(struct buffer *out, const char *key, uint32_t count, size_t entry_size)
{
    buffer_append_text(out, key);
    buffer_append_i64(out, (int64_t)(count * entry_size));
    buffer_append_text(out, ":");
    for (uint32_t i = 0; i < count; i++) {
        uint8_t entry[18] = {1, (uint8_t)(i >> 8), (uint8_t)i, 1, 1, 1};
        buffer_append(out, entry, entry_size);
    }
}

static void wire_pex_cuts_what_is_too_much(void **state)
{
    (void)state;
    struct wire_pex pex;
    struct buffer out = {0};
    buffer_append_text(&out, "d");
    put_many(&out, "5:added", WIRE_PEX_CONTACTS_MAX - 1, 6);
    put_many(&out, "6:added6", 2, 18);
    buffer_append_text(&out, "e");
    assert_int_equal(wire_pex_decode(buffer_bytes(&out), &pex), FRESHET_OK);
    assert_int_equal(pex.added_count, WIRE_PEX_CONTACTS_MAX);
    assert_int_equal(pex.added[WIRE_PEX_CONTACTS_MAX - 1].address.family, ADDRESS_IPV6);
    assert_true(pex.was_cut);
    buffer_clear(&out);
    buffer_append_text(&out, "d");
    put_many(&out, "7:dropped", WIRE_PEX_CONTACTS_MAX + 1, 6);
    buffer_append_text(&out, "e");
    assert_int_equal(wire_pex_decode(buffer_bytes(&out), &pex), FRESHET_OK);
    assert_int_equal(pex.dropped_count, WIRE_PEX_CONTACTS_MAX);
    assert_true(pex.was_cut);
    buffer_clear(&out);
    buffer_append_text(&out, "d");
    put_many(&out, "5:added", LIMIT_EXTENDED_PAYLOAD / 6, 6);
    buffer_append_text(&out, "e");
    assert_int_equal(wire_pex_decode(buffer_bytes(&out), &pex), FRESHET_ERROR_LIMIT);
    buffer_deinit(&out);
}

static void wire_pex_writes_nothing_to_tell_as_an_empty_dictionary(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct wire_pex pex = {0};
    wire_pex_put(&out, 1, &pex);
    assert_int_equal(out.length, HEAD_SIZE + 2);
    assert_memory_equal(out.data + HEAD_SIZE, "de", 2);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_pex_writes_a_dictionary_of_compact_lists),
        cmocka_unit_test(wire_pex_reads_both_families_ipv4_first),
        cmocka_unit_test(wire_pex_refuses_every_truncation),
        cmocka_unit_test(wire_pex_refuses_lists_of_a_wrong_length),
        cmocka_unit_test(wire_pex_takes_missing_flags_as_zeros),
        cmocka_unit_test(wire_pex_bears_careless_senders),
        cmocka_unit_test(wire_pex_cuts_what_is_too_much),
        cmocka_unit_test(wire_pex_writes_nothing_to_tell_as_an_empty_dictionary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

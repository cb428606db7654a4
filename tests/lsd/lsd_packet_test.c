/* SPDX-License-Identifier: MIT */
/* The packet of BEP 14. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/lsd/lsd_packet.h"

#define HASH_ONE "0123456789abcdef0123456789abcdef01234567"
#define HASH_TWO "ffffffffffffffffffffffffffffffffffffffff"

static struct lsd_packet packet;

static enum freshet_error parse(const char *text)
{
    size_t length = strlen(text);
    uint8_t *exact = memory_copy(text, length);
    memset(&packet, 0, sizeof packet);
    enum freshet_error error = lsd_packet_parse((struct bytes){exact, length}, &packet);
    if (packet.cookie.length)
        packet.cookie.data = (const uint8_t *)text + (packet.cookie.data - exact);
    memory_free(exact);
    return error;
}

static void assert_hash(uint32_t index, const char *hex)
{
    char text[41];
    assert_true(index < packet.hash_count);
    bytes_to_hex(packet.hashes[index], 20, text);
    assert_string_equal(text, hex);
}

/* As the document draws it, and as others send it. */
static void lsd_packet_reads_what_the_bep_shows(void **state)
{
    (void)state;
    assert_int_equal(parse("BT-SEARCH * HTTP/1.1\r\n"
                           "Host: 239.192.152.143:6771\r\n"
                           "Port: 6881\r\n"
                           "Infohash: " HASH_ONE "\r\n"
                           "Infohash: " HASH_TWO "\r\n"
                           "cookie: a name\r\n"
                           "\r\n"
                           "\r\n"),
                     FRESHET_OK);
    assert_int_equal(packet.port, 6881);
    assert_int_equal(packet.hash_count, 2);
    assert_hash(0, HASH_ONE);
    assert_hash(1, HASH_TWO);
    assert_true(bytes_is(packet.cookie, "a name"));
}

static void lsd_packet_is_tolerant(void **state)
{
    static const char *const texts[] = {
        /* One empty line, no cookie, no host. */
        "BT-SEARCH * HTTP/1.1\r\nPort: 6881\r\nInfohash: " HASH_ONE "\r\n\r\n",
        /* Another order, other letters, other blanks. */
        "bt-search * http/1.1\r\ninfohash:" HASH_ONE "\r\nPORT:\t06881 \r\nhOST: x\r\n\r\n",
        /* Unix lines, HTTP/1.0, what comes behind. */
        "BT-SEARCH * HTTP/1.0 \nInfoHash: " HASH_ONE "\nPort: 6881\n\nand more",
        /* Headers that we do not know, and hashes that are none. */
        "BT-SEARCH * HTTP/1.1\r\nX: y\r\n: \r\nPort: 6881\r\nInfohash: 12\r\nInfohash:\r\n"
        "Infohash: " HASH_ONE "0\r\nInfohash: 0123456789abcdef0123456789abcdef0123456g\r\n"
        "Infohash: " HASH_ONE "\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(parse(texts[i]), FRESHET_OK);
        assert_int_equal(packet.port, 6881);
        assert_int_equal(packet.hash_count, 1);
        assert_hash(0, HASH_ONE);
        assert_int_equal(packet.cookie.length, 0);
    }
}

static void lsd_packet_refuses_what_is_none(void **state)
{
    static const struct {
        const char *text;
        enum freshet_error error;
    } cases[] = {
        {"", FRESHET_ERROR_TRUNCATED},
        {"\r\n", FRESHET_ERROR_SYNTAX},
        {"GET * HTTP/1.1\r\nPort: 1\r\nInfohash: " HASH_ONE "\r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"M-SEARCH * HTTP/1.1\r\nHost: 239.255.255.250:1900\r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"BT-SEARCH * HTTP/2.0\r\nPort: 1\r\nInfohash: " HASH_ONE "\r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"BT-SEARCH * HTTP/1.1\r\nno colon\r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 1\r\n\r\n", FRESHET_ERROR_MISSING},
        {"BT-SEARCH * HTTP/1.1\r\nInfohash: " HASH_ONE "\r\n\r\n", FRESHET_ERROR_MISSING},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 0\r\nInfohash: " HASH_ONE "\r\n\r\n", FRESHET_ERROR_RANGE},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 65536\r\nInfohash: " HASH_ONE "\r\n\r\n",
         FRESHET_ERROR_RANGE},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 99999999999999999999999\r\n\r\n", FRESHET_ERROR_RANGE},
        {"BT-SEARCH * HTTP/1.1\r\nPort: -1\r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"BT-SEARCH * HTTP/1.1\r\nPort: \r\n\r\n", FRESHET_ERROR_SYNTAX},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nPort: 2\r\n\r\n", FRESHET_ERROR_CONFLICT},
        {"BT-SEARCH * HTTP/1.1\r\nPort: 1\r\nInfohash: " HASH_ONE "\r\n", FRESHET_ERROR_TRUNCATED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(parse(cases[i].text), cases[i].error);
}

static void make(struct lsd_packet *made, uint32_t hashes, const char *cookie)
{
    memset(made, 0, sizeof *made);
    made->port = 65535;
    made->hash_count = hashes;
    for (uint32_t i = 0; i < hashes; i++)
        memset(made->hashes[i], (int)(i + 1), 20);
    made->cookie = (struct bytes){(const uint8_t *)cookie, strlen(cookie)};
}

static void lsd_packet_writes_what_the_bep_shows(void **state)
{
    static const char *const expected[] = {
        "BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 65535\r\n"
        "Infohash: 0101010101010101010101010101010101010101\r\ncookie: c\r\n\r\n\r\n",
        "BT-SEARCH * HTTP/1.1\r\nHost: [ff15::efc0:988f]:6771\r\nPort: 65535\r\n"
        "Infohash: 0101010101010101010101010101010101010101\r\n\r\n\r\n",
    };
    struct lsd_packet made;
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct buffer out = {0};
        make(&made, 1, i == 0 ? "c" : "");
        assert_int_equal(lsd_packet_write(&made, i == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6, &out), 1);
        assert_true(bytes_is(buffer_bytes(&out), expected[i]));
        buffer_deinit(&out);
    }
}

static void lsd_packet_never_writes_more_than_1400_bytes(void **state)
{
    struct lsd_packet made;
    struct buffer out = {0};
    (void)state;
    buffer_append_text(&out, "before");
    make(&made, LIMIT_LSD_HASHES, "0123456789abcdef");
    uint32_t fit = lsd_packet_write(&made, ADDRESS_IPV6, &out);
    assert_int_equal(fit, 25);
    assert_true(out.length - 6 <= LIMIT_LSD_PACKET);
    struct bytes written = {out.data + 6, out.length - 6};
    assert_int_equal(lsd_packet_parse(written, &packet), FRESHET_OK);
    assert_int_equal(packet.hash_count, 25);
    assert_memory_equal(packet.hashes, made.hashes, 25 * 20);
    assert_int_equal(packet.port, 65535);
    assert_true(bytes_is(packet.cookie, "0123456789abcdef"));
    buffer_deinit(&out);
}

static void lsd_packet_takes_so_many_hashes_and_no_more(void **state)
{
    struct buffer out = {0};
    (void)state;
    buffer_append_text(&out, "BT-SEARCH * HTTP/1.1\nPort: 7\n");
    for (uint32_t i = 0; i < LIMIT_LSD_HASHES + 5; i++)
        buffer_append_text(&out, "Infohash:" HASH_ONE "\n");
    buffer_append_text(&out, "cookie:c\n\n");
    assert_true(out.length <= LIMIT_LSD_PACKET_IN);
    assert_int_equal(lsd_packet_parse(buffer_bytes(&out), &packet), FRESHET_OK);
    assert_int_equal(packet.hash_count, LIMIT_LSD_HASHES);
    assert_true(bytes_is(packet.cookie, "c"));
    while (out.length <= LIMIT_LSD_PACKET_IN)
        buffer_append_u8(&out, '\n');
    assert_int_equal(lsd_packet_parse(buffer_bytes(&out), &packet), FRESHET_ERROR_LIMIT);
    buffer_deinit(&out);
}

static void lsd_packet_cut_anywhere_is_refused(void **state)
{
    struct lsd_packet made;
    struct buffer out = {0};
    (void)state;
    make(&made, 2, "name");
    lsd_packet_write(&made, ADDRESS_IPV4, &out);
    for (size_t length = 0; length <= out.length; length++) {
        uint8_t *copy = memory_copy(out.data, length);
        enum freshet_error error = lsd_packet_parse((struct bytes){copy, length}, &packet);
        /* The second empty line may be missing. */
        assert_int_equal(error, length < out.length - 2 ? FRESHET_ERROR_TRUNCATED : FRESHET_OK);
        memory_free(copy);
    }
    buffer_deinit(&out);
}

static void lsd_packet_knows_the_groups(void **state)
{
    char text[ADDRESS_TEXT_SIZE];
    (void)state;
    struct address group = lsd_packet_group(ADDRESS_IPV4);
    address_to_text(&group, text);
    assert_string_equal(text, "239.192.152.143:6771");
    group = lsd_packet_group(ADDRESS_IPV6);
    address_to_text(&group, text);
    assert_string_equal(text, "[ff15::efc0:988f]:6771");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lsd_packet_reads_what_the_bep_shows),
        cmocka_unit_test(lsd_packet_is_tolerant),
        cmocka_unit_test(lsd_packet_refuses_what_is_none),
        cmocka_unit_test(lsd_packet_writes_what_the_bep_shows),
        cmocka_unit_test(lsd_packet_never_writes_more_than_1400_bytes),
        cmocka_unit_test(lsd_packet_takes_so_many_hashes_and_no_more),
        cmocka_unit_test(lsd_packet_cut_anywhere_is_refused),
        cmocka_unit_test(lsd_packet_knows_the_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

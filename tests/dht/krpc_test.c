/* SPDX-License-Identifier: MIT */
/* The messages of the DHT (BEP 5, 32, 33, 42, 44, 51), ids and filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/crypto/sha1.h"
#include "core/dht/dht_bloom.h"
#include "core/dht/krpc.h"

static struct krpc_message message;

static void parse(const char *packet)
{
    struct bytes bytes = {(const uint8_t *)packet, strlen(packet)};
    assert_int_equal(krpc_parse(bytes, &message), FRESHET_OK);
}

static void assert_writes(const char *packet)
{
    struct buffer out = {0};
    parse(packet);
    krpc_write(&message, &out);
    assert_int_equal(out.length, strlen(packet));
    assert_memory_equal(out.data, packet, out.length);
    buffer_deinit(&out);
}

static const char *const samples[] = {
    /* The examples of BEP 5. */
    "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
    "d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
    "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
    "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:"
    "qe",
    "d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
    "d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti"
    "6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
    "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
    /* want (BEP 32), noseed and scrape (BEP 33), ro (BEP 43). */
    "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234566:noseedi1e6:scrapei1e4:want"
    "l2:n42:n6ee1:q9:get_peers2:roi1e1:t2:aa1:v4:FR011:y1:qe",
    /* ip (BEP 42), samples (BEP 51). */
    "d2:ip6:abcdef1:rd2:id20:abcdefghij01234567898:intervali60e5:nodes26:"
    "abcdefghij0123456789abcdef3:numi1e7:samples20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
    /* An immutable and a mutable item (BEP 44). */
    "d1:ad2:id20:abcdefghij01234567895:token2:xx1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe",
    "d1:ad3:casi1e2:id20:abcdefghij01234567891:k32:abcdefghijabcdefghijabcdefghijab4:salt6:foobar"
    "3:seqi2e3:sig64:abcdefghijabcdefghijabcdefghijababcdefghijabcdefghijabcdefghijab5:token2:xx"
    "1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe",
};

#define SAMPLE_COUNT (sizeof samples / sizeof samples[0])

static void every_message_is_written_as_it_was_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        assert_writes(samples[i]);
}

static void a_message_cut_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLE_COUNT; i++)
        for (size_t length = 0; length < strlen(samples[i]); length++) {
            uint8_t *exact = memory_copy(samples[i], length);
            assert_int_not_equal(krpc_parse((struct bytes){exact, length}, &message), FRESHET_OK);
            memory_free(exact);
        }
}

static void the_fields_are_where_bep_5_says(void **state)
{
    (void)state;
    parse(samples[5]);
    assert_int_equal(message.kind, KRPC_QUERY);
    assert_int_equal(message.method, KRPC_ANNOUNCE_PEER);
    assert_memory_equal(message.id.bytes, "abcdefghij0123456789", 20);
    assert_memory_equal(message.target.bytes, "mnopqrstuvwxyz123456", 20);
    assert_int_equal(message.port, 6881);
    assert_true(message.implied_port);
    assert_true(bytes_is(message.token, "aoeusnth"));
    assert_null(message.problem);
    parse(samples[4]);
    assert_int_equal(message.value_count, 2);
    assert_int_equal(message.values[0].port, '.' << 8 | 'u');
    parse(samples[6]);
    assert_int_equal(message.error_code, 201);
}

static void a_query_with_bad_arguments_says_what_is_wrong(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe",
        "d1:q4:ping1:t2:aa1:y1:qe",
        "d1:ad2:id20:abcdefghij0123456789e1:q9:find_node1:t2:aa1:y1:qe",
        "d1:ad2:id20:abcdefghij0123456789e1:q9:get_peers1:t2:aa1:y1:qe",
        "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz1234564:porti70000e5:token1:xe"
        "1:q13:announce_peer1:t2:aa1:y1:qe",
        "d1:ad2:id20:abcdefghij01234567891:v1:xe1:q3:put1:t2:aa1:y1:qe",
        "d1:ad2:id20:abcdefghij01234567891:k32:abcdefghijabcdefghijabcdefghijab5:token1:x1:v1:xe"
        "1:q3:put1:t2:aa1:y1:qe",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        parse(bad[i]);
        assert_non_null(message.problem);
    }
}

static void an_unknown_query_may_have_a_target_or_an_info_hash(void **state)
{
    (void)state;
    parse("d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q3:new1:t1:a1:y1:"
          "qe");
    assert_int_equal(message.method, KRPC_UNKNOWN);
    assert_true(message.has_target);
    parse("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:new1:t1:a1:y1:qe");
    assert_true(message.has_target);
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    struct buffer out = {0};
    uint8_t *large = memory_new(5000);
    buffer_append_text(&out, "d1:rd2:id20:abcdefghij01234567891:v1001:");
    buffer_append(&out, large, 1001);
    buffer_append_text(&out, "e1:t1:a1:y1:re");
    assert_int_equal(krpc_parse(buffer_bytes(&out), &message), FRESHET_ERROR_LIMIT);
    assert_int_equal(krpc_parse((struct bytes){large, 5000}, &message), FRESHET_ERROR_LIMIT);
    memory_free(large);
    buffer_deinit(&out);
    parse("d1:t32:abcdefghijabcdefghijabcdefghijab1:y1:ee");
    assert_int_equal(
        krpc_parse(BYTES_LITERAL("d1:t33:abcdefghijabcdefghijabcdefghijabc1:y1:ee"), &message),
        FRESHET_ERROR_LIMIT);
}

static void half_an_entry_at_the_end_of_nodes_is_ignored(void **state)
{
    (void)state;
    parse("d1:rd2:id20:abcdefghij01234567895:nodes30:abcdefghij0123456789abcdefabcde1:t1:a1:y1:re");
    assert_int_equal(message.nodes.length, 26);
    struct dht_contact contact;
    assert_true(dht_id_read_contact(message.nodes, &contact));
    uint8_t compact[38];
    assert_int_equal(dht_id_write_contact(&contact, compact), 26);
    assert_memory_equal(compact, message.nodes.data, 26);
}

static void items_have_the_targets_and_signed_bytes_of_bep_44(void **state)
{
    (void)state;
    uint8_t key[32], want[20];
    struct buffer out = {0};
    struct krpc_item item = {.value = BYTES_LITERAL("12:Hello World!"), .seq = 1};
    struct dht_id target = krpc_item_target(&item);
    assert_true(
        bytes_from_hex(BYTES_LITERAL("e5f96f6f38320f0f33959cb4d3d656452117aadb"), want, 20));
    assert_memory_equal(target.bytes, want, 20);
    assert_true(bytes_from_hex(
        BYTES_LITERAL("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"), key,
        32));
    item.key = key;
    target = krpc_item_target(&item);
    assert_true(
        bytes_from_hex(BYTES_LITERAL("4a533d47ec9c7d95b1ad75f576cffc641853b750"), want, 20));
    assert_memory_equal(target.bytes, want, 20);
    krpc_write_signed(&item, &out);
    assert_true(bytes_is(buffer_bytes(&out), "3:seqi1e1:v12:Hello World!"));
    item.salt = BYTES_LITERAL("foobar");
    target = krpc_item_target(&item);
    assert_true(
        bytes_from_hex(BYTES_LITERAL("411eba73b6f087ca51a3795d9c8c938d365e32c1"), want, 20));
    assert_memory_equal(target.bytes, want, 20);
    buffer_clear(&out);
    krpc_write_signed(&item, &out);
    assert_true(bytes_is(buffer_bytes(&out), "4:salt6:foobar3:seqi1e1:v12:Hello World!"));
    buffer_deinit(&out);
}

static void the_filter_of_bep_33_has_its_bytes_and_its_estimate(void **state)
{
    (void)state;
    uint8_t bloom[DHT_BLOOM_SIZE] = {0}, digest[20], want[20];
    assert_int_equal(dht_bloom_estimate(bloom), 0);
    for (int i = 0; i < 256; i++) {
        struct address address = address_ipv4((uint8_t[4]){192, 0, 2, (uint8_t)i}, 1);
        dht_bloom_insert(bloom, &address);
    }
    for (int i = 0; i < 1000; i++) {
        uint8_t ip[16] = {0x20, 0x01, 0x0d, 0xb8, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i};
        struct address address = address_ipv6(ip, 1);
        dht_bloom_insert(bloom, &address);
    }
    sha1_of(bloom, sizeof bloom, digest);
    assert_true(
        bytes_from_hex(BYTES_LITERAL("e4dabf3c822dcd0030ee21df8369bfef2594b52b"), want, 20));
    assert_memory_equal(digest, want, 20);
    assert_int_equal(dht_bloom_estimate(bloom), 1225);
    memset(bloom, 0xff, sizeof bloom);
    assert_in_range(dht_bloom_estimate(bloom), 7000, 9000);
}

static void addresses_allow_the_ids_of_bep_42(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        uint32_t crc;
        uint8_t last;
    } vectors[] = {
        {"124.31.75.21", 0x5fbfbdb2, 1},
        {"21.75.31.124", 0x5a3ce9b0, 86},
        {"65.23.51.170", 0xa5d4344a, 22},
        {"84.124.73.14", 0x1b03217b, 65},
        {"43.213.53.83", 0xe56f6972, 90},
        {"2001:db8::1", 0x7c89c9bd, 0},
        {"2001:db8::1", 0x45883a40, 5},
        {"2001:b829:2123:be84:e16c:d6ae:5290:49f1", 0x0a8ad1aa, 4},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct address address;
        assert_true(address_from_text(vectors[i].address, true, &address));
        assert_int_equal(dht_id_address_crc(&address, vectors[i].last), vectors[i].crc);
    }
    struct address address;
    struct dht_id id;
    struct rng rng;
    assert_true(address_from_text("124.31.75.21", true, &address));
    assert_true(
        bytes_from_hex(BYTES_LITERAL("5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"), id.bytes, 20));
    assert_true(dht_id_is_allowed(&id, &address));
    id.bytes[2] ^= 8;
    assert_false(dht_id_is_allowed(&id, &address));
    rng_init(&rng, 1);
    for (int i = 0; i < 50; i++) {
        id = dht_id_of_address(&address, &rng);
        assert_true(dht_id_is_allowed(&id, &address));
    }
    memset(id.bytes, 0, 20);
    assert_true(address_from_text("192.168.0.1", true, &address));
    assert_true(dht_id_is_allowed(&id, &address));
}

static void distances_agree_with_shared_bits(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (uint32_t bits = 0; bits <= 160; bits++) {
        struct dht_id own, near, far;
        rng_fill(&rng, own.bytes, 20);
        near = dht_id_random_at(&own, bits, &rng);
        assert_int_equal(dht_id_shared_bits(&own, &near), bits);
        if (bits == 0)
            continue;
        far = dht_id_random_at(&own, bits - 1, &rng);
        assert_true(dht_id_compare_distance(&own, &near, &far) < 0);
        assert_true(dht_id_compare_distance(&own, &far, &near) > 0);
        assert_int_equal(dht_id_compare_distance(&own, &far, &far), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_written_as_it_was_read),
        cmocka_unit_test(a_message_cut_anywhere_is_refused),
        cmocka_unit_test(the_fields_are_where_bep_5_says),
        cmocka_unit_test(a_query_with_bad_arguments_says_what_is_wrong),
        cmocka_unit_test(an_unknown_query_may_have_a_target_or_an_info_hash),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(half_an_entry_at_the_end_of_nodes_is_ignored),
        cmocka_unit_test(items_have_the_targets_and_signed_bytes_of_bep_44),
        cmocka_unit_test(the_filter_of_bep_33_has_its_bytes_and_its_estimate),
        cmocka_unit_test(addresses_allow_the_ids_of_bep_42),
        cmocka_unit_test(distances_agree_with_shared_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

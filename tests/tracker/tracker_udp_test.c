/* SPDX-License-Identifier: MIT */
/* The codec of UDP trackers (BEP 15, 41), both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/tracker/tracker_udp.h"

static struct tracker_announce sample_announce(void)
{
    struct tracker_announce announce = {
        .uploaded = 0x0102030405060708,
        .downloaded = 0x1112131415161718,
        .left = 0x2122232425262728,
        .event = TRACKER_EVENT_STARTED,
        .key = 0x31323334,
        .numwant = -1,
        .port = 6881,
    };
    memset(announce.info_hash, 0xaa, 20);
    memset(announce.peer_id, 'p', 20);
    return announce;
}

static void connect_request_has_the_bytes_of_bep_15(void **state)
{
    (void)state;
    uint8_t packet[16];
    struct writer writer;
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_connect(&writer, 0xdeadbeef);
    static const uint8_t expected[16] = {0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80,
                                         0, 0, 0, 0,    0xde, 0xad, 0xbe, 0xef};
    assert_int_equal(writer_length(&writer), 16);
    assert_memory_equal(packet, expected, 16);
}

static void announce_request_has_its_fields_where_bep_15_says(void **state)
{
    (void)state;
    uint8_t packet[256];
    struct writer writer;
    struct tracker_announce announce = sample_announce();
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_announce(&writer, 0x4142434445464748, 7, &announce, (struct bytes){NULL, 0});
    assert_int_equal(writer_length(&writer), 98);
    static const uint8_t head[16] = {0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48,
                                     0,    0,    0,    1,    0,    0,    0,    7};
    assert_memory_equal(packet, head, 16);
    assert_int_equal(packet[16], 0xaa);
    assert_int_equal(packet[36], 'p');
    static const uint8_t tail[42] = {
        0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, /* downloaded */
        0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, /* left */
        1,    2,    3,    4,    5,    6,    7,    8,    /* uploaded */
        0,    0,    0,    2,                            /* started */
        0,    0,    0,    0,                            /* ip */
        0x31, 0x32, 0x33, 0x34,                         /* key */
        0xff, 0xff, 0xff, 0xff,                         /* numwant */
        0x1a, 0xe1,                                     /* port 6881 */
    };
    assert_memory_equal(packet + 56, tail, 42);
}

static void url_data_has_the_bytes_of_bep_41(void **state)
{
    (void)state;
    uint8_t packet[256];
    struct writer writer;
    struct tracker_announce announce = sample_announce();
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_announce(&writer, 1, 7, &announce, BYTES_LITERAL("/dir?a=b&c=d"));
    static const uint8_t vector[14] = {0x02, 0x0c, 0x2f, 0x64, 0x69, 0x72, 0x3f,
                                       0x61, 0x3d, 0x62, 0x26, 0x63, 0x3d, 0x64};
    assert_int_equal(writer_length(&writer), 98 + 14);
    assert_memory_equal(packet + 98, vector, 14);
    struct tracker_udp_request request;
    assert_int_equal(
        tracker_udp_parse_request((struct bytes){packet, writer_length(&writer)}, &request),
        FRESHET_OK);
    assert_int_equal(request.url_data_length, 12);
    assert_memory_equal(request.url_data, "/dir?a=b&c=d", 12);
}

static void long_url_data_goes_in_several_options(void **state)
{
    (void)state;
    for (size_t length = 0; length <= TRACKER_UDP_URL_DATA_MAX + 10; length += 51) {
        uint8_t packet[98 + TRACKER_UDP_URL_DATA_MAX + 16];
        uint8_t url[TRACKER_UDP_URL_DATA_MAX + 64];
        for (size_t i = 0; i < sizeof url; i++)
            url[i] = (uint8_t)('a' + i % 26);
        struct writer writer;
        struct tracker_announce announce = sample_announce();
        writer_init(&writer, packet, sizeof packet);
        tracker_udp_write_announce(&writer, 1, 7, &announce, (struct bytes){url, length});
        assert_false(writer.failed);
        struct tracker_udp_request request;
        assert_int_equal(
            tracker_udp_parse_request((struct bytes){packet, writer_length(&writer)}, &request),
            FRESHET_OK);
        size_t kept = length < TRACKER_UDP_URL_DATA_MAX ? length : TRACKER_UDP_URL_DATA_MAX;
        assert_int_equal(request.url_data_length, kept);
        assert_memory_equal(request.url_data, url, kept);
    }
}

static void options_are_skipped_joined_and_ended(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        size_t length;
        const char *expected;
    } cases[] = {
        {"\x01\x01\x02\x01/\x02\x01x", 8, "/x"}, /* nops, then two joined */
        {"\x02\x01/\x00\x02\x01x", 7, "/"},      /* the end option ends */
        {"\x7f\x03zzz\x02\x02/y", 9, "/y"},      /* unknown: skipped by its length */
        {"\x02", 1, ""},                         /* cut behind the type */
        {"\x02\x05/ab", 5, ""},                  /* longer than the packet */
        {"\x02\x02/y\x7f", 5, "/y"},             /* unknown without a length */
        {"\x02\x00\x02\x01/", 5, "/"},           /* empty data */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t packet[160];
        struct writer writer;
        struct tracker_announce announce = sample_announce();
        writer_init(&writer, packet, sizeof packet);
        tracker_udp_write_announce(&writer, 1, 7, &announce, (struct bytes){NULL, 0});
        writer_bytes(&writer, cases[i].options, cases[i].length);
        struct tracker_udp_request request;
        assert_int_equal(
            tracker_udp_parse_request((struct bytes){packet, writer_length(&writer)}, &request),
            FRESHET_OK);
        assert_int_equal(request.url_data_length, strlen(cases[i].expected));
        assert_memory_equal(request.url_data, cases[i].expected, strlen(cases[i].expected));
    }
}

static void requests_come_back_as_they_went(void **state)
{
    (void)state;
    for (int event = 0; event < TRACKER_EVENT_COUNT; event++) {
        uint8_t packet[256];
        struct writer writer;
        struct tracker_announce announce = sample_announce();
        announce.event = (enum tracker_event)event;
        announce.numwant = 77;
        writer_init(&writer, packet, sizeof packet);
        tracker_udp_write_announce(&writer, 99, 7, &announce, (struct bytes){NULL, 0});
        struct tracker_udp_request request;
        assert_int_equal(
            tracker_udp_parse_request((struct bytes){packet, writer_length(&writer)}, &request),
            FRESHET_OK);
        assert_int_equal(request.action, TRACKER_UDP_ANNOUNCE);
        assert_int_equal(request.connection_id, 99);
        assert_int_equal(request.transaction_id, 7);
        assert_int_equal(request.announce.uploaded, announce.uploaded);
        assert_int_equal(request.announce.downloaded, announce.downloaded);
        assert_int_equal(request.announce.left, announce.left);
        assert_int_equal(request.announce.key, announce.key);
        assert_int_equal(request.announce.numwant, 77);
        assert_int_equal(request.announce.port, 6881);
        assert_int_equal(request.announce.ip.family, ADDRESS_NONE);
        assert_memory_equal(request.announce.info_hash, announce.info_hash, 20);
        assert_memory_equal(request.announce.peer_id, announce.peer_id, 20);
        /* BEP 15 has no number for paused. */
        enum tracker_event expected =
            event == TRACKER_EVENT_PAUSED ? TRACKER_EVENT_NONE : (enum tracker_event)event;
        assert_int_equal(request.announce.event, expected);
    }
}

static void announce_replies_come_back_in_both_families(void **state)
{
    (void)state;
    struct address peers[3];
    assert_true(address_from_text("192.0.2.1:1", false, &peers[0]));
    assert_true(address_from_text("[2001:db8::1]:2", false, &peers[1]));
    assert_true(address_from_text("192.0.2.3:3", false, &peers[2]));
    struct tracker_counts counts = {.complete = 10, .incomplete = 20};
    static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
    for (size_t i = 0; i < 2; i++) {
        uint8_t packet[256];
        struct writer writer;
        writer_init(&writer, packet, sizeof packet);
        tracker_udp_write_announce_reply(&writer, 5, 1800, &counts, families[i], peers, 3);
        assert_int_equal(writer_length(&writer), i == 0 ? 20 + 12 : 20 + 18);
        struct tracker_udp_head head;
        assert_int_equal(
            tracker_udp_parse_head((struct bytes){packet, writer_length(&writer)}, &head),
            FRESHET_OK);
        assert_int_equal(head.transaction_id, 5);
        struct tracker_reply reply;
        assert_int_equal(tracker_udp_parse_announce(&head, families[i], &reply), FRESHET_OK);
        assert_int_equal(reply.interval_s, 1800);
        assert_int_equal(reply.counts.complete, 10);
        assert_int_equal(reply.counts.incomplete, 20);
        assert_int_equal(reply.peer_count, i == 0 ? 2 : 1);
        assert_true(address_equal(&reply.peers[0], &peers[i]));
        tracker_reply_deinit(&reply);
    }
}

static void scrape_and_error_replies_come_back(void **state)
{
    (void)state;
    uint8_t packet[256];
    struct writer writer;
    struct tracker_counts counts[2] = {{.complete = 1, .incomplete = 2, .downloaded = 3},
                                       {.complete = 4, .incomplete = 5, .downloaded = 6}};
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_scrape_reply(&writer, 9, counts, 2);
    struct tracker_udp_head head;
    struct tracker_counts read;
    assert_int_equal(tracker_udp_parse_head((struct bytes){packet, writer_length(&writer)}, &head),
                     FRESHET_OK);
    assert_int_equal(tracker_udp_parse_scrape(&head, 1, &read), FRESHET_OK);
    assert_int_equal(read.complete, 4);
    assert_int_equal(read.incomplete, 5);
    assert_int_equal(read.downloaded, 6);
    assert_int_equal(tracker_udp_parse_scrape(&head, 2, &read), FRESHET_ERROR_TRUNCATED);
    assert_int_equal(tracker_udp_parse_scrape(&head, UINT32_MAX, &read), FRESHET_ERROR_RANGE);

    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_error(&writer, 9, BYTES_LITERAL("go\x1b away"));
    assert_int_equal(tracker_udp_parse_head((struct bytes){packet, writer_length(&writer)}, &head),
                     FRESHET_OK);
    struct tracker_reply reply;
    assert_int_equal(tracker_udp_parse_announce(&head, ADDRESS_IPV4, &reply), FRESHET_OK);
    assert_true(reply.failed);
    assert_true(bytes_is(buffer_bytes(&reply.text), "go  away"));
    tracker_reply_deinit(&reply);
    assert_int_equal(tracker_udp_parse_scrape(&head, 0, &read), FRESHET_ERROR_REFUSED);
    /* A text longer than the room is cut, not dropped. */
    writer_init(&writer, packet, 12);
    tracker_udp_write_error(&writer, 9, BYTES_LITERAL("go away"));
    assert_false(writer.failed);
    assert_int_equal(writer_length(&writer), 12);
}

static void truncated_requests_are_refused_at_every_byte(void **state)
{
    (void)state;
    uint8_t packet[256];
    struct writer writer;
    struct tracker_announce announce = sample_announce();
    struct tracker_udp_request request;
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_announce(&writer, 1, 2, &announce, (struct bytes){NULL, 0});
    for (size_t length = 0; length < 98; length++) {
        uint8_t *copy = memory_copy(packet, length);
        assert_int_equal(tracker_udp_parse_request((struct bytes){copy, length}, &request),
                         FRESHET_ERROR_TRUNCATED);
        memory_free(copy);
    }
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_scrape(&writer, 1, 2, announce.info_hash, 1);
    for (size_t length = 0; length < 36; length++) {
        uint8_t *copy = memory_copy(packet, length);
        assert_int_equal(tracker_udp_parse_request((struct bytes){copy, length}, &request),
                         FRESHET_ERROR_TRUNCATED);
        memory_free(copy);
    }
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    struct tracker_udp_request request;
    uint8_t packet[16] = {0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80};
    assert_int_equal(tracker_udp_parse_request((struct bytes){packet, 16}, &request), FRESHET_OK);
    packet[7] = 0x81;
    assert_int_equal(tracker_udp_parse_request((struct bytes){packet, 16}, &request),
                     FRESHET_ERROR_SYNTAX);
    packet[11] = 3;
    assert_int_equal(tracker_udp_parse_request((struct bytes){packet, 16}, &request),
                     FRESHET_ERROR_RANGE);
}

static void truncated_replies_are_refused_or_lose_their_last_peer(void **state)
{
    (void)state;
    uint8_t packet[64];
    struct writer writer;
    struct address peers[2];
    struct tracker_counts counts = {.complete = 1};
    assert_true(address_from_text("192.0.2.1:1", false, &peers[0]));
    assert_true(address_from_text("192.0.2.2:2", false, &peers[1]));
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_announce_reply(&writer, 5, 1800, &counts, ADDRESS_IPV4, peers, 2);
    for (size_t length = 0; length <= 32; length++) {
        uint8_t *copy = memory_copy(packet, length);
        struct tracker_udp_head head;
        enum freshet_error error = tracker_udp_parse_head((struct bytes){copy, length}, &head);
        assert_int_equal(error, length < 8 ? FRESHET_ERROR_TRUNCATED : FRESHET_OK);
        if (error == FRESHET_OK) {
            struct tracker_reply reply;
            error = tracker_udp_parse_announce(&head, ADDRESS_IPV4, &reply);
            assert_int_equal(error, length < 20 ? FRESHET_ERROR_TRUNCATED : FRESHET_OK);
            assert_int_equal(reply.peer_count, length < 20 ? 0 : (length - 20) / 6);
            tracker_reply_deinit(&reply);
        }
        memory_free(copy);
    }
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_connect_reply(&writer, 1, 2);
    for (size_t length = 0; length <= 16; length++) {
        struct tracker_udp_head head;
        assert_int_equal(tracker_udp_parse_head((struct bytes){packet, length}, &head),
                         length < 16 ? FRESHET_ERROR_TRUNCATED : FRESHET_OK);
    }
}

static void scrape_requests_hold_at_most_74_hashes(void **state)
{
    (void)state;
    uint8_t packet[16 + 80 * 20] = {0};
    uint8_t hashes[80 * 20];
    struct writer writer;
    memset(hashes, 5, sizeof hashes);
    writer_init(&writer, packet, sizeof packet);
    tracker_udp_write_scrape(&writer, 1, 2, hashes, 80);
    assert_int_equal(writer_length(&writer), 16 + 74 * 20);
    struct tracker_udp_request request;
    assert_int_equal(tracker_udp_parse_request((struct bytes){packet, sizeof packet}, &request),
                     FRESHET_OK);
    assert_int_equal(request.hashes.length, 74 * 20);
    assert_true(request.has_too_many);
    assert_int_equal(tracker_udp_parse_request((struct bytes){packet, 16 + 74 * 20}, &request),
                     FRESHET_OK);
    assert_int_equal(request.hashes.length, 74 * 20);
    assert_false(request.has_too_many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connect_request_has_the_bytes_of_bep_15),
        cmocka_unit_test(announce_request_has_its_fields_where_bep_15_says),
        cmocka_unit_test(url_data_has_the_bytes_of_bep_41),
        cmocka_unit_test(long_url_data_goes_in_several_options),
        cmocka_unit_test(options_are_skipped_joined_and_ended),
        cmocka_unit_test(requests_come_back_as_they_went),
        cmocka_unit_test(announce_replies_come_back_in_both_families),
        cmocka_unit_test(scrape_and_error_replies_come_back),
        cmocka_unit_test(truncated_requests_are_refused_at_every_byte),
        cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(truncated_replies_are_refused_or_lose_their_last_peer),
        cmocka_unit_test(scrape_requests_hold_at_most_74_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The packet's bytes, and the small parts that a connection is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/utp/utp_cookie.h"
#include "core/utp/utp_delay.h"
#include "core/utp/utp_mtu.h"
#include "core/utp/utp_packet.h"
#include "core/utp/utp_reorder.h"
#include "core/utp/utp_send_queue.h"
#include "core/utp/utp_timeout.h"

static const uint8_t sample[] = {
    0x21, 0x01, 0x12, 0x34,             /* STATE, version 1, selective ack, connection id */
    0x01, 0x02, 0x03, 0x04,             /* time */
    0x05, 0x06, 0x07, 0x08,             /* delay */
    0x00, 0x10, 0x00, 0x00,             /* window */
    0xfe, 0xdc, 0xba, 0x98,             /* seq, ack */
    0x00, 0x04, 0x01, 0x00, 0x00, 0x80, /* ack + 2 and ack + 33 */
};

static void the_fields_lie_where_the_bep_says(void **state)
{
    struct utp_packet packet;
    uint8_t head[UTP_HEAD_MAX];
    (void)state;
    assert_int_equal(utp_packet_parse((struct bytes){sample, sizeof sample}, &packet), FRESHET_OK);
    assert_int_equal(packet.type, UTP_STATE);
    assert_int_equal(packet.id, 0x1234);
    assert_int_equal(packet.time_us, 0x01020304);
    assert_int_equal(packet.delay_us, 0x05060708);
    assert_int_equal(packet.window, 0x100000);
    assert_int_equal(packet.seq, 0xfedc);
    assert_int_equal(packet.ack, 0xba98);
    assert_int_equal(packet.sack.length, 4);
    assert_int_equal(packet.payload.length, 0);
    assert_int_equal(utp_packet_write_head(&packet, head), sizeof sample);
    assert_memory_equal(head, sample, sizeof sample);
}

static void packets_cut_anywhere_are_refused(void **state)
{
    struct utp_packet packet;
    (void)state;
    for (size_t length = 0; length < sizeof sample; length++)
        assert_int_equal(utp_packet_parse((struct bytes){sample, length}, &packet),
                         FRESHET_ERROR_TRUNCATED);
}

static void unknown_extensions_are_passed_over(void **state)
{
    uint8_t bytes[40] = {0x01, 0x07};
    struct utp_packet packet;
    (void)state;
    /* 7 (3 bytes), then 2 (2 bytes), then a selective ack of a length that libtorrent sends. */
    memcpy(bytes + UTP_HEADER_SIZE, "\x02\x03...\x01\x02..\x00\x01\x05hello", 17);
    assert_int_equal(utp_packet_parse((struct bytes){bytes, 37}, &packet), FRESHET_OK);
    assert_true(bytes_is(packet.payload, "hello"));
    assert_int_equal(packet.sack.length, 1);
    assert_int_equal(packet.sack.data[0], 5);
    /* Two of them contradict one another. */
    bytes[1] = 1;
    assert_int_equal(utp_packet_parse((struct bytes){bytes, 37}, &packet), FRESHET_ERROR_CONFLICT);
}

static void dht_and_tracker_packets_are_not_ours(void **state)
{
    uint8_t bytes[64] = "d1:ad2:id20:abcdefghij0123456789e1:q4:ping";
    (void)state;
    assert_false(utp_packet_is((struct bytes){bytes, 64}));
    for (uint8_t action = 0; action < 4; action++) { /* a tracker's reply, BEP 15 */
        memset(bytes, 0, sizeof bytes);
        bytes[3] = action;
        assert_false(utp_packet_is((struct bytes){bytes, 64}));
    }
    bytes[0] = 0x51;
    assert_false(utp_packet_is((struct bytes){bytes, 64}));
    bytes[0] = 0x41;
    assert_true(utp_packet_is((struct bytes){bytes, 64}));
    assert_false(utp_packet_is((struct bytes){bytes, 19}));
}

static void numbers_compare_across_their_wrap(void **state)
{
    (void)state;
    assert_true(utp_seq_before(0xffff, 0));
    assert_true(utp_seq_before(0xff00, 0x00ff));
    assert_false(utp_seq_before(0, 0xffff));
    assert_false(utp_seq_before(5, 5));
    assert_true(utp_time_before(0xffffffff, 3));
    assert_false(utp_time_before(3, 0xffffffff));
}

static void the_queue_behind_is_seen_across_the_clocks_wrap(void **state)
{
    struct utp_delay delay = {0};
    (void)state;
    utp_delay_sample(&delay, 0, 0xfffffff0u);
    for (int i = 0; i < 3; i++)
        utp_delay_sample(&delay, SECOND_NS, 0xfffffff0u + 50000u);
    assert_int_equal(utp_delay_queue_us(&delay), 50000);
    utp_delay_sample(&delay, SECOND_NS, 0xfffffff0u + 20000u);
    assert_int_equal(utp_delay_queue_us(&delay), 20000);
    /* A base of long ago is forgotten. */
    for (int64_t minute = 1; minute < 15; minute++)
        utp_delay_sample(&delay, minute * 60 * SECOND_NS, 70000);
    assert_int_equal(utp_delay_queue_us(&delay), 0);
}

static void a_timeout_follows_the_round_trip_and_doubles(void **state)
{
    struct utp_timeout timeout;
    (void)state;
    utp_timeout_init(&timeout);
    assert_int_equal(utp_timeout_wait(&timeout), SECOND_NS);
    utp_timeout_expire(&timeout);
    assert_int_equal(utp_timeout_wait(&timeout), 2 * SECOND_NS);
    utp_timeout_progress(&timeout);
    for (int i = 0; i < 100; i++)
        utp_timeout_sample(&timeout, 20 * MILLISECOND_NS);
    assert_int_equal(timeout.rtt_ns, 20 * MILLISECOND_NS);
    assert_int_equal(utp_timeout_wait(&timeout), LIMIT_UTP_RTO_MIN_NS);
    for (int i = 0; i < 100; i++)
        utp_timeout_sample(&timeout, 2 * SECOND_NS);
    assert_true(utp_timeout_wait(&timeout) >= 2 * SECOND_NS);
    for (int i = 0; i < 40; i++)
        utp_timeout_expire(&timeout);
    assert_int_equal(utp_timeout_wait(&timeout), LIMIT_UTP_RTO_MAX_NS);
}

static void a_search_finds_the_largest_that_passes(void **state)
{
    (void)state;
    for (uint16_t path = 1200; path <= 1480; path += 7) {
        struct utp_mtu mtu;
        utp_mtu_init(&mtu, ADDRESS_IPV4);
        for (int i = 0; i < 100; i++) {
            uint16_t size = utp_mtu_next_probe(&mtu, 0);
            if (size == 0)
                break;
            assert_true(size <= 1472);
            utp_mtu_on_probe(&mtu, size);
            assert_int_equal(utp_mtu_next_probe(&mtu, 0), 0);
            if (size <= path)
                utp_mtu_on_passed(&mtu, 0);
            else
                utp_mtu_on_lost(&mtu, 0);
        }
        assert_int_equal(utp_mtu_next_probe(&mtu, 0), 0);
        uint16_t most = path < 1472 ? path : 1472;
        assert_in_range(utp_mtu_size(&mtu), most > 1216 ? most - 16 : 1200, most);
        assert_int_not_equal(utp_mtu_next_probe(&mtu, 601 * SECOND_NS), 0);
    }
}

static void a_path_that_swallows_all_makes_packets_small(void **state)
{
    struct utp_mtu mtu;
    (void)state;
    utp_mtu_init(&mtu, ADDRESS_IPV4);
    utp_mtu_on_black_hole(&mtu);
    assert_int_equal(utp_mtu_size(&mtu), 548);
    utp_mtu_init(&mtu, ADDRESS_IPV6);
    utp_mtu_on_black_hole(&mtu);
    assert_int_equal(utp_mtu_size(&mtu), 1200);
}

static void what_came_too_early_waits_its_turn(void **state)
{
    struct utp_reorder reorder;
    struct bytes payload;
    uint8_t sack[UTP_SACK_MAX];
    (void)state;
    utp_reorder_init(&reorder, 0xfffe);
    assert_int_equal(utp_reorder_sack(&reorder, sack, sizeof sack), 0);
    assert_true(utp_reorder_put(&reorder, 0xffff, BYTES_LITERAL("b")));
    assert_true(utp_reorder_put(&reorder, 1, BYTES_LITERAL("d")));
    assert_true(utp_reorder_put(&reorder, 1, BYTES_LITERAL("another"))); /* the first stays */
    assert_true(utp_reorder_put(&reorder, 40, BYTES_LITERAL("far")));
    assert_false(utp_reorder_put(&reorder, 0xfffe, BYTES_LITERAL("a")));
    assert_false(utp_reorder_put(&reorder, 0xfffe + 1024 - 65536, BYTES_LITERAL("too far")));
    assert_int_equal(reorder.bytes, 5);
    utp_reorder_check(&reorder);
    assert_int_equal(utp_reorder_sack(&reorder, sack, sizeof sack), 8);
    assert_int_equal(sack[0], 1 | 4); /* ffff and 1 */
    assert_int_equal(sack[5], 2);     /* 40 is ffff + 41 */
    assert_false(utp_reorder_peek(&reorder, &payload));
    utp_reorder_advance(&reorder);
    assert_true(utp_reorder_peek(&reorder, &payload));
    assert_true(bytes_is(payload, "b"));
    utp_reorder_advance(&reorder);
    assert_false(utp_reorder_peek(&reorder, &payload));
    utp_reorder_advance(&reorder);
    assert_true(utp_reorder_peek(&reorder, &payload));
    assert_true(bytes_is(payload, "d"));
    utp_reorder_check(&reorder);
    utp_reorder_deinit(&reorder);
}

static void put_text(struct utp_send_queue *queue, uint32_t length)
{
    while (length > 0) {
        uint32_t size;
        uint8_t *at = utp_send_queue_reserve(queue, UINT64_MAX, &size);
        assert_non_null(at);
        size = size < length ? size : length;
        for (uint32_t i = 0; i < size; i++)
            at[i] = (uint8_t)(queue->written + i);
        utp_send_queue_commit(queue, size);
        length -= size;
    }
}

static void sent_bytes_stay_until_they_are_acknowledged(void **state)
{
    struct utp_send_queue queue;
    struct utp_acked acked = {0};
    struct utp_lost lost;
    struct bytes pieces[2];
    uint16_t seq;
    (void)state;
    utp_send_queue_init(&queue, 0xfffd, 65536);
    put_text(&queue, 10000);
    for (int i = 0; i < 10; i++) {
        struct utp_sent *sent = utp_send_queue_frame(&queue, 1000);
        assert_int_equal(utp_send_queue_bytes(&queue, sent, pieces), 1);
        assert_int_equal(pieces[0].data[0], (uint8_t)(1000 * i));
        utp_send_queue_on_sent(&queue, sent, i);
    }
    assert_null(utp_send_queue_frame(&queue, 1000));
    assert_int_equal(queue.flight, 10000);
    /* fffd and fffe have arrived; of those behind 0, 1 and 2 have, so ffff is lost. */
    utp_send_queue_ack(&queue, 20, 0xfffe, &acked);
    assert_true(utp_send_queue_sack(&queue, 20, 0xfffe, BYTES_LITERAL("\x07\0\0\0"), &acked));
    assert_int_equal(acked.bytes, 5000);
    utp_send_queue_find_lost(&queue, 1, &lost);
    assert_int_equal(lost.packets, 1);
    assert_int_equal(lost.newest, 0xffff);
    utp_send_queue_check(&queue);
    assert_int_equal(queue.flight, 4000);
    struct utp_sent *again = utp_send_queue_next_lost(&queue, &seq);
    assert_int_equal(seq, 0xffff);
    utp_send_queue_bytes(&queue, again, pieces);
    assert_int_equal(pieces[0].data[0], (uint8_t)2000);
    utp_send_queue_on_sent(&queue, again, 21);
    /* It is not lost again because of what was sent before it. */
    utp_send_queue_find_lost(&queue, 1, &lost);
    assert_int_equal(lost.packets, 0);
    /* A bit for a packet that was never sent. */
    assert_false(utp_send_queue_sack(&queue, 20, 0xfffe, BYTES_LITERAL("\0\x01\0\0"), &acked));
    utp_send_queue_lose_all(&queue, &lost);
    assert_int_equal(lost.packets, 5);
    assert_int_equal(queue.flight, 0);
    utp_send_queue_ack(&queue, 30, 6, &acked);
    assert_int_equal(acked.bytes, 10000);
    assert_int_equal(utp_send_queue_outstanding(&queue), 0);
    utp_send_queue_check(&queue);
    utp_send_queue_deinit(&queue);
}

static void a_ring_that_grows_keeps_its_bytes(void **state)
{
    struct utp_send_queue queue;
    struct utp_acked acked = {0};
    struct bytes pieces[2];
    uint64_t position = 0;
    uint16_t seq = 0;
    (void)state;
    utp_send_queue_init(&queue, 0, 1u << 20);
    put_text(&queue, 16000);
    for (int round = 0; round < 200; round++) {
        struct utp_sent *sent = utp_send_queue_frame(&queue, 1001);
        uint32_t count = utp_send_queue_bytes(&queue, sent, pieces);
        for (uint32_t i = 0; i < count; i++)
            for (size_t at = 0; at < pieces[i].length; at++)
                assert_int_equal(pieces[i].data[at], (uint8_t)position++);
        utp_send_queue_on_sent(&queue, sent, round);
        if (round % 2)
            utp_send_queue_ack(&queue, round, seq++, &acked);
        put_text(&queue, 1001 + (round % 3) * 1000u);
        utp_send_queue_check(&queue);
    }
    utp_send_queue_deinit(&queue);
}

static void cookies_are_good_for_one_address_and_a_while(void **state)
{
    uint8_t secret[UTP_SECRET_SIZE] = "a secret";
    struct address here = address_ipv4((const uint8_t[]){10, 0, 0, 1}, 1);
    struct address there = address_ipv4((const uint8_t[]){10, 0, 0, 2}, 1);
    int64_t now = 5000 * SECOND_NS;
    uint16_t cookie = utp_cookie_make(secret, &here, 7, 0xffff, now), seq;
    struct utp_packet packet = {.id = 8, .seq = 0, .ack = (uint16_t)(cookie - 1)};
    (void)state;
    assert_true(utp_cookie_is_good(secret, &here, &packet, now, &seq));
    assert_int_equal(seq, 0xffff);
    packet.seq = 7; /* one that overtook the first */
    assert_true(utp_cookie_is_good(secret, &here, &packet, now + 30 * SECOND_NS, &seq));
    assert_int_equal(seq, 0xffff);
    packet.seq = 100;
    assert_false(utp_cookie_is_good(secret, &here, &packet, now, &seq));
    packet.seq = 0;
    assert_false(utp_cookie_is_good(secret, &there, &packet, now, &seq));
    assert_false(utp_cookie_is_good(secret, &here, &packet, now + 100 * SECOND_NS, &seq));
    packet.id = 9;
    assert_false(utp_cookie_is_good(secret, &here, &packet, now, &seq));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_lie_where_the_bep_says),
        cmocka_unit_test(packets_cut_anywhere_are_refused),
        cmocka_unit_test(unknown_extensions_are_passed_over),
        cmocka_unit_test(dht_and_tracker_packets_are_not_ours),
        cmocka_unit_test(numbers_compare_across_their_wrap),
        cmocka_unit_test(the_queue_behind_is_seen_across_the_clocks_wrap),
        cmocka_unit_test(a_timeout_follows_the_round_trip_and_doubles),
        cmocka_unit_test(a_search_finds_the_largest_that_passes),
        cmocka_unit_test(a_path_that_swallows_all_makes_packets_small),
        cmocka_unit_test(what_came_too_early_waits_its_turn),
        cmocka_unit_test(sent_bytes_stay_until_they_are_acknowledged),
        cmocka_unit_test(a_ring_that_grows_keeps_its_bytes),
        cmocka_unit_test(cookies_are_good_for_one_address_and_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

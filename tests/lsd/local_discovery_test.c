/* SPDX-License-Identifier: MIT */
/* Who is told what when, and who is heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/lsd/local_discovery.h"
#include "core/lsd/lsd_packet.h"

#define PORT 6881u

struct bench {
    struct local_discovery *discovery;
    int64_t now;
    uint32_t packets[2]; /* that went out, of each family */
    struct lsd_packet last;
    struct buffer bytes; /* of the last */
    uint32_t told[256];  /* times, by the first byte of the hash */
    int64_t told_ns[256], gap_least, gap_most;
    int64_t packet_ns; /* of the last */
};

static void hash_of(uint8_t number, uint8_t ret_hash[20])
{
    memset(ret_hash, number, 20);
}

static void add(struct bench *bench, uint8_t number)
{
    uint8_t hash[20];
    hash_of(number, hash);
    local_discovery_add(bench->discovery, bench->now, hash);
    local_discovery_check(bench->discovery);
}

static void drop(struct bench *bench, uint8_t number)
{
    uint8_t hash[20];
    hash_of(number, hash);
    local_discovery_remove(bench->discovery, hash);
    local_discovery_check(bench->discovery);
}

static void bench_init(struct bench *bench, uint16_t port)
{
    *bench = (struct bench){.now = 1000 * SECOND_NS, .gap_least = INT64_MAX};
    bench->discovery = local_discovery_new(7, port, bench->now);
}

static void bench_deinit(struct bench *bench)
{
    local_discovery_free(bench->discovery);
    buffer_deinit(&bench->bytes);
}

static void note_hash(struct bench *bench, uint8_t number)
{
    if (bench->told[number]++) {
        int64_t gap = bench->now - bench->told_ns[number];
        bench->gap_least = gap < bench->gap_least ? gap : bench->gap_least;
        bench->gap_most = gap > bench->gap_most ? gap : bench->gap_most;
    }
    bench->told_ns[number] = bench->now;
}

static void note_packet(struct bench *bench, const struct action *action)
{
    assert_int_equal(action->type, ACTION_SEND_LOCAL);
    int family = action->remote.family == ADDRESS_IPV4 ? 0 : 1;
    struct address group = lsd_packet_group(action->remote.family);
    assert_true(address_equal(&group, &action->remote));
    assert_true(action->bytes.length <= 1400);
    buffer_clear(&bench->bytes);
    buffer_append(&bench->bytes, action->bytes.data, action->bytes.length);
    assert_int_equal(lsd_packet_parse(buffer_bytes(&bench->bytes), &bench->last), FRESHET_OK);
    if (family == 0 && bench->packets[0])
        assert_true(bench->now - bench->packet_ns >= 60 * SECOND_NS);
    bench->packet_ns = bench->now;
    bench->packets[family]++;
    for (uint32_t i = 0; i < bench->last.hash_count && family == 0; i++)
        note_hash(bench, bench->last.hashes[i][0]);
}

/* Lets time pass, with every deadline on the way. */
static void pass(struct bench *bench, int64_t duration_ns)
{
    struct action action;
    int64_t end = bench->now + duration_ns;
    while (local_discovery_deadline(bench->discovery) <= end) {
        int64_t due = local_discovery_deadline(bench->discovery);
        bench->now = due > bench->now ? due : bench->now;
        local_discovery_tick(bench->discovery, bench->now);
        local_discovery_check(bench->discovery);
        while (local_discovery_output(bench->discovery, &action))
            note_packet(bench, &action);
    }
    bench->now = end;
}

static void local_discovery_tells_a_new_torrent_at_once_and_every_five_minutes(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    assert_int_equal(local_discovery_deadline(bench.discovery), INT64_MAX);
    add(&bench, 1);
    pass(&bench, SECOND_NS);
    assert_int_equal(bench.packets[0], 1);
    assert_int_equal(bench.packets[1], 1);
    assert_int_equal(bench.last.port, PORT);
    assert_int_equal(bench.last.hash_count, 1);
    assert_true(bench.last.cookie.length > 0);
    pass(&bench, 299 * SECOND_NS);
    assert_int_equal(bench.packets[0], 1);
    pass(&bench, 3301 * SECOND_NS);
    assert_int_equal(bench.packets[0], 1 + 12);
    assert_int_equal(bench.packets[1], 1 + 12);
    bench_deinit(&bench);
}

static void local_discovery_sends_a_packet_a_minute_at_most(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    for (uint8_t i = 1; i <= 60; i++) { /* a new one every second */
        add(&bench, i);
        pass(&bench, SECOND_NS);
    }
    assert_int_equal(bench.packets[0], 1);
    pass(&bench, 181 * SECOND_NS);
    for (uint8_t i = 1; i <= 60; i++)
        assert_int_equal(bench.told[i], 1);
    assert_int_equal(bench.packets[0], 1 + 3);
    bench_deinit(&bench);
}

static void local_discovery_tells_what_came_together_together(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    for (uint8_t i = 1; i <= 20; i++)
        add(&bench, i);
    add(&bench, 1); /* again */
    pass(&bench, SECOND_NS);
    assert_int_equal(bench.packets[0], 1);
    assert_int_equal(bench.last.hash_count, 20);
    pass(&bench, 3600 * SECOND_NS);
    assert_int_equal(bench.packets[0], 1 + 12);
    bench_deinit(&bench);
}

static void local_discovery_gives_every_torrent_its_turn(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    for (uint8_t i = 0; i < 100; i++)
        add(&bench, i);
    pass(&bench, 7200 * SECOND_NS);
    assert_true(bench.gap_least >= 240 * SECOND_NS);
    assert_true(bench.gap_most <= 300 * SECOND_NS);
    /* 200 hashes are eight packets: each has its turn every eight minutes. */
    for (uint8_t i = 100; i < 200; i++)
        add(&bench, i);
    pass(&bench, 3600 * SECOND_NS);
    bench.gap_least = INT64_MAX;
    bench.gap_most = 0;
    pass(&bench, 7200 * SECOND_NS);
    assert_true(bench.gap_least >= 420 * SECOND_NS);
    assert_true(bench.gap_most <= 540 * SECOND_NS);
    bench_deinit(&bench);
}

static void local_discovery_tells_nothing_without_a_port(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, 0);
    add(&bench, 1);
    pass(&bench, 600 * SECOND_NS);
    assert_int_equal(bench.packets[0], 0);
    local_discovery_set_port(bench.discovery, 4711);
    pass(&bench, 0);
    assert_int_equal(bench.packets[0], 1);
    assert_int_equal(bench.last.port, 4711);
    bench_deinit(&bench);
}

static void local_discovery_is_silent_of_what_was_removed(void **state)
{
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 1);
    add(&bench, 2);
    drop(&bench, 1);
    drop(&bench, 3); /* was never there */
    pass(&bench, 3600 * SECOND_NS);
    assert_int_equal(bench.told[1], 0);
    assert_int_equal(bench.told[2], 12);
    drop(&bench, 2);
    assert_int_equal(local_discovery_deadline(bench.discovery), INT64_MAX);
    bench_deinit(&bench);
}

/* ---- hearing ---- */

static void say(struct bench *bench, const char *from, uint8_t number, const char *cookie)
{
    struct lsd_packet packet = {
        .port = 7777,
        .hash_count = 1,
        .cookie = {(const uint8_t *)cookie, strlen(cookie)},
    };
    struct address remote;
    struct buffer out = {0};
    hash_of(number, packet.hashes[0]);
    assert_true(address_from_text(from, false, &remote));
    lsd_packet_write(&packet, ADDRESS_IPV4, &out);
    local_discovery_input(bench->discovery, bench->now, &remote, buffer_bytes(&out));
    local_discovery_check(bench->discovery);
    buffer_deinit(&out);
}

static uint32_t results(struct bench *bench, uint8_t ret_hash[20], struct address *ret_peer)
{
    uint32_t count = 0;
    while (local_discovery_result(bench->discovery, ret_hash, ret_peer))
        count++;
    return count;
}

static uint32_t count_results(struct bench *bench)
{
    uint8_t hash[20];
    struct address peer;
    return results(bench, hash, &peer);
}

static void local_discovery_hears_peers_of_its_torrents(void **state)
{
    struct bench bench;
    uint8_t hash[20], expected[20];
    struct address peer, there;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    say(&bench, "192.168.1.9:50000", 5, "");
    assert_int_equal(results(&bench, hash, &peer), 1);
    hash_of(5, expected);
    assert_memory_equal(hash, expected, 20);
    assert_true(address_from_text("192.168.1.9:7777", false, &there));
    assert_true(address_equal(&peer, &there));
    say(&bench, "192.168.1.9:50000", 6, "");
    assert_int_equal(count_results(&bench), 0);
    drop(&bench, 5);
    say(&bench, "192.168.1.9:50000", 5, "");
    assert_int_equal(count_results(&bench), 0);
    bench_deinit(&bench);
}

static void local_discovery_hears_only_who_is_near(void **state)
{
    static const char *const near[] = {"10.1.2.3:1",  "172.16.0.1:1",  "192.168.0.1:1",
                                       "127.0.0.1:1", "169.254.7.7:1", "100.64.0.1:1",
                                       "[::1]:1",     "[fd00::7]:1"};
    static const char *const far[] = {"8.8.8.8:1",         "[2001:db8::1]:1",  "0.0.0.0:1",
                                      "[fe80::1]:1",       "224.0.0.1:1",      "[ff02::1]:1",
                                      "169.254.169.254:1", "[fd00:ec2::254]:1"};
    struct bench bench;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    for (size_t i = 0; i < sizeof near / sizeof near[0]; i++) {
        say(&bench, near[i], 5, "x");
        assert_int_equal(count_results(&bench), 1);
    }
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        say(&bench, far[i], 5, "x");
        assert_int_equal(count_results(&bench), 0);
    }
    bench_deinit(&bench);
}

static void local_discovery_does_not_hear_itself(void **state)
{
    struct bench bench, other;
    struct address remote;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    pass(&bench, SECOND_NS);
    assert_true(address_from_text("192.168.1.9:6771", false, &remote));
    local_discovery_input(bench.discovery, bench.now, &remote, buffer_bytes(&bench.bytes));
    assert_int_equal(count_results(&bench), 0);
    /* Another one, of another seed, does. */
    other = (struct bench){.now = bench.now};
    other.discovery = local_discovery_new(8, PORT, other.now);
    add(&other, 5);
    local_discovery_input(other.discovery, other.now, &remote, buffer_bytes(&bench.bytes));
    assert_int_equal(count_results(&other), 1);
    bench_deinit(&other);
    bench_deinit(&bench);
}

static void local_discovery_ignores_garbage(void **state)
{
    static const char *const texts[] = {"", "x", "BT-SEARCH * HTTP/1.1\r\n\r\n",
                                        "M-SEARCH * HTTP/1.1\r\n\r\n"};
    struct bench bench;
    struct address remote;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    assert_true(address_from_text("10.0.0.1:1", false, &remote));
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        local_discovery_input(bench.discovery, bench.now, &remote,
                              (struct bytes){(const uint8_t *)texts[i], strlen(texts[i])});
    assert_int_equal(count_results(&bench), 0);
    bench_deinit(&bench);
}

static void local_discovery_does_not_hear_who_floods(void **state)
{
    struct bench bench;
    uint32_t heard = 0;
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    for (uint32_t i = 0; i < 3 * LIMIT_LSD_PACKETS_SOURCE; i++) {
        say(&bench, "10.0.0.1:1", 5, "");
        heard += count_results(&bench);
    }
    assert_int_equal(heard, LIMIT_LSD_PACKETS_SOURCE);
    say(&bench, "10.0.0.2:1", 5, "");
    assert_int_equal(count_results(&bench), 1);
    bench.now += 60 * SECOND_NS;
    say(&bench, "10.0.0.1:1", 5, "");
    assert_int_equal(count_results(&bench), 1);
    bench_deinit(&bench);
}

static void local_discovery_remembers_so_many_sources(void **state)
{
    struct bench bench;
    char from[ADDRESS_TEXT_SIZE];
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    for (uint32_t i = 0; i < 2 * LIMIT_LSD_SOURCES; i++) {
        struct address source = address_ipv4((uint8_t[]){10, 0, (uint8_t)(i >> 8), (uint8_t)i}, 1);
        address_to_text(&source, from);
        say(&bench, from, 5, "");
    }
    assert_int_equal(count_results(&bench), LIMIT_LSD_SOURCES);
    /* One that was there before is still heard. */
    say(&bench, "10.0.0.7:1", 5, "");
    assert_int_equal(count_results(&bench), 1);
    bench_deinit(&bench);
}

static void local_discovery_keeps_so_many_results(void **state)
{
    struct bench bench;
    char from[ADDRESS_TEXT_SIZE];
    (void)state;
    bench_init(&bench, PORT);
    add(&bench, 5);
    for (uint32_t i = 0; i < LIMIT_LSD_RESULTS + 9; i++) {
        struct address source = address_ipv4((uint8_t[]){10, 0, 0, (uint8_t)(i % 200)}, 1);
        address_to_text(&source, from);
        say(&bench, from, 5, "");
    }
    assert_int_equal(count_results(&bench), LIMIT_LSD_RESULTS);
    bench_deinit(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_discovery_tells_a_new_torrent_at_once_and_every_five_minutes),
        cmocka_unit_test(local_discovery_sends_a_packet_a_minute_at_most),
        cmocka_unit_test(local_discovery_tells_what_came_together_together),
        cmocka_unit_test(local_discovery_gives_every_torrent_its_turn),
        cmocka_unit_test(local_discovery_tells_nothing_without_a_port),
        cmocka_unit_test(local_discovery_is_silent_of_what_was_removed),
        cmocka_unit_test(local_discovery_hears_peers_of_its_torrents),
        cmocka_unit_test(local_discovery_hears_only_who_is_near),
        cmocka_unit_test(local_discovery_does_not_hear_itself),
        cmocka_unit_test(local_discovery_ignores_garbage),
        cmocka_unit_test(local_discovery_does_not_hear_who_floods),
        cmocka_unit_test(local_discovery_remembers_so_many_sources),
        cmocka_unit_test(local_discovery_keeps_so_many_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

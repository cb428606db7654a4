/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/pex.h"

#include <stdlib.h>
#include <string.h>

static struct wire_pex_contact contact(uint32_t number)
{
    uint8_t ip[4] = {8, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return (struct wire_pex_contact){address_ipv4(ip, 6881), WIRE_PEX_REACHABLE};
}

static struct wire_pex_contact contact6(uint32_t number)
{
    uint8_t ip[16] = {0x20, 1, 0x0d, 0xb8, [14] = (uint8_t)(number >> 8), [15] = (uint8_t)number};
    return (struct wire_pex_contact){address_ipv6(ip, 6881), 0};
}

/* A peer and the swarm around it. */
struct bench {
    struct pex pex;
    struct pex_view view;
    struct wire_pex_contact live[1000], recent[2 * PEX_RECENT_MAX];
    struct wire_pex message;
    int64_t now;
};

static void set_live(struct bench *bench, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        bench->live[i] = contact(first + i);
    bench->view.live_count = count;
    if (bench->view.first >= count)
        bench->view.first = 0;
}

static struct bench *bench_new(uint32_t live)
{
    struct bench *bench = calloc(1, sizeof *bench);
    bench->now = 1000 * SECOND_NS;
    pex_init(&bench->pex, bench->now);
    bench->view.live = bench->live;
    bench->view.recent = bench->recent;
    bench->view.receiver[0] = contact(0xffffff).address;
    set_live(bench, 0, live);
    return bench;
}

static bool next(struct bench *bench)
{
    bool told = pex_next(&bench->pex, bench->now, &bench->view, &bench->message);
    pex_check(&bench->pex);
    return told;
}

static bool next_minute(struct bench *bench)
{
    bench->now += PEX_INTERVAL_NS;
    return next(bench);
}

static void bench_free(struct bench *bench)
{
    pex_deinit(&bench->pex);
    free(bench);
}

static bool names(const struct wire_pex_contact *contacts, uint32_t count,
                  const struct address *address)
{
    for (uint32_t i = 0; i < count; i++)
        if (address_equal(&contacts[i].address, address))
            return true;
    return false;
}

static void pex_speaks_once_a_minute(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1);
    assert_true(pex_is_due(&bench->pex, bench->now));
    assert_true(next(bench));
    assert_false(pex_is_due(&bench->pex, bench->now + PEX_INTERVAL_NS - 1));
    assert_true(pex_is_due(&bench->pex, bench->now + PEX_INTERVAL_NS));
    /* Nothing changed: nothing is told, and soon it is looked again. */
    assert_false(next_minute(bench));
    assert_true(pex_is_due(&bench->pex, bench->now + PEX_RETRY_NS));
    bench_free(bench);
}

static void pex_tells_fifty_at_a_time_but_the_first_time(void **state)
{
    (void)state;
    struct bench *bench = bench_new(190);
    assert_true(next(bench));
    assert_int_equal(bench->message.added_count, PEX_FIRST_ADDED_MAX);
    assert_true(next_minute(bench));
    assert_int_equal(bench->message.added_count, PEX_ADDED_MAX);
    assert_true(next_minute(bench));
    assert_int_equal(bench->message.added_count, 190 - PEX_FIRST_ADDED_MAX - PEX_ADDED_MAX);
    assert_false(next_minute(bench));
    /* All leave at once. */
    set_live(bench, 0, 0);
    for (uint32_t left = 190; left > 0; left -= bench->message.dropped_count) {
        assert_true(next_minute(bench));
        assert_int_equal(bench->message.added_count, 0);
        assert_int_equal(bench->message.dropped_count,
                         left < PEX_DROPPED_MAX ? left : PEX_DROPPED_MAX);
    }
    assert_false(next_minute(bench));
    assert_int_equal(bench->pex.told_count, 0);
    bench_free(bench);
}

static void pex_begins_where_it_is_told_to(void **state)
{
    (void)state;
    struct bench *bench = bench_new(190);
    bench->view.first = 150;
    assert_true(next(bench));
    assert_true(names(bench->message.added, 1, &bench->live[150].address));
    assert_true(names(bench->message.added, 100, &bench->live[59].address));
    assert_false(names(bench->message.added, 100, &bench->live[60].address));
    bench_free(bench);
}

static void pex_tells_nobody_of_itself(void **state)
{
    (void)state;
    struct bench *bench = bench_new(3);
    bench->view.receiver[0] = contact(1).address;
    bench->view.receiver[0].port = 50000;
    bench->view.receiver[1] = contact(1).address;
    assert_true(next(bench));
    assert_int_equal(bench->message.added_count, 2);
    assert_false(names(bench->message.added, 2, &bench->view.receiver[1]));
    bench_free(bench);
}

static void pex_keeps_silent_about_who_came_and_went_between(void **state)
{
    (void)state;
    struct bench *bench = bench_new(2);
    assert_true(next(bench));
    set_live(bench, 1, 1);
    set_live(bench, 0, 2);
    assert_false(next_minute(bench));
    set_live(bench, 0, 1);
    assert_true(next_minute(bench));
    assert_int_equal(bench->message.dropped_count, 1);
    assert_int_equal(bench->message.dropped[0].flags, 0);
    set_live(bench, 0, 2);
    assert_true(next_minute(bench));
    assert_int_equal(bench->message.added_count, 1);
    assert_int_equal(bench->message.dropped_count, 0);
    bench_free(bench);
}

static void pex_names_those_who_left_when_few_are_here(void **state)
{
    (void)state;
    struct bench *bench = bench_new(PEX_FEW - 1);
    for (uint32_t i = 0; i < PEX_RECENT_MAX + 5; i++)
        bench->recent[i] = contact(1000 + i);
    for (uint32_t i = 0; i < 3; i++)
        bench->recent[PEX_RECENT_MAX + 5 + i] = contact6(i);
    bench->view.recent_count = PEX_RECENT_MAX + 8;
    assert_true(next(bench));
    /* A family may have as many as the BEP says. */
    assert_int_equal(bench->message.added_count, PEX_FEW - 1 + PEX_RECENT_MAX + 3);
    assert_true(next_minute(bench));
    assert_int_equal(bench->message.added_count, 0);
    assert_int_equal(bench->message.dropped_count, PEX_RECENT_MAX + 3);
    assert_false(next_minute(bench));
    bench_free(bench);
}

static void pex_keeps_one_who_left_and_came_back(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1);
    bench->recent[0] = contact(1);
    bench->view.recent_count = 1;
    assert_true(next(bench));
    assert_int_equal(bench->message.added_count, 2);
    set_live(bench, 0, 2);
    assert_false(next_minute(bench));
    bench_free(bench);
}

static void pex_does_not_name_those_who_left_when_enough_are_here(void **state)
{
    (void)state;
    struct bench *bench = bench_new(PEX_FEW);
    bench->recent[0] = contact(1000);
    bench->recent[1] = contact6(1);
    bench->view.recent_count = 2;
    assert_true(next(bench));
    assert_int_equal(bench->message.added_count, PEX_FEW + 1); /* of IPv6 there are few */
    assert_true(names(bench->message.added, PEX_FEW + 1, &bench->recent[1].address));
    bench_free(bench);
}

/* The receiver's book after any history: what it holds is what was here, and limits are kept. */
static void pex_tells_the_whole_truth_in_the_end(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 11);
    for (uint32_t round = 0; round < 30; round++) {
        struct bench *bench = bench_new(0);
        bool here[400] = {false}, held[400] = {false};
        for (uint32_t minute = 0; minute < 60; minute++) {
            uint32_t changes = minute < 40 ? (uint32_t)rng_below(&rng, 120) : 0;
            for (uint32_t i = 0; i < changes; i++) {
                uint32_t who = (uint32_t)rng_below(&rng, 200) + (minute / 10) * 50;
                here[who] = !here[who];
            }
            uint32_t count = 0;
            for (uint32_t i = 0; i < 400; i++)
                if (here[i])
                    bench->live[count++] = contact(i);
            bench->view.live_count = count;
            bench->view.first = count ? (uint32_t)rng_below(&rng, count) : 0;
            bool first = !bench->pex.has_spoken;
            if (!next_minute(bench))
                continue;
            assert_true(bench->message.added_count <=
                        (first ? PEX_FIRST_ADDED_MAX : PEX_ADDED_MAX));
            assert_true(bench->message.dropped_count <= PEX_DROPPED_MAX);
            for (uint32_t i = 0; i < 400; i++) {
                struct address address = contact(i).address;
                bool added = names(bench->message.added, bench->message.added_count, &address);
                bool dropped =
                    names(bench->message.dropped, bench->message.dropped_count, &address);
                assert_false(added && (dropped || held[i] || !here[i]));
                assert_false(dropped && (!held[i] || here[i]));
                held[i] = (held[i] || added) && !dropped;
            }
        }
        assert_memory_equal(here, held, sizeof here);
        bench_free(bench);
    }
}

static void pex_remembers_no_more_than_its_limit(void **state)
{
    (void)state;
    struct bench *bench = bench_new(100);
    assert_true(next(bench));
    /* Others come each minute, faster than they can be dropped. */
    for (uint32_t minute = 1; minute < 50; minute++) {
        set_live(bench, 1000 * minute, 200);
        assert_true(next_minute(bench));
        assert_true(bench->pex.told_count <= PEX_TOLD_MAX);
    }
    bench_free(bench);
}

static void pex_hears_one_message_a_minute(void **state)
{
    (void)state;
    struct pex pex;
    int64_t now = 5 * SECOND_NS;
    pex_init(&pex, now);
    assert_int_equal(pex_hear(&pex, now), PEX_HEAR);
    assert_int_equal(pex_kept_max(&pex), PEX_FIRST_ADDED_MAX);
    assert_int_equal(pex_hear(&pex, now + PEX_HEAR_NS - 1), PEX_IGNORE);
    assert_int_equal(pex_hear(&pex, now + PEX_HEAR_NS), PEX_HEAR);
    assert_int_equal(pex_kept_max(&pex), PEX_ADDED_MAX);
    now += PEX_HEAR_NS;
    for (uint32_t i = 1; i < LIMIT_PEX_NUISANCE; i++)
        assert_int_equal(pex_hear(&pex, now), PEX_IGNORE);
    assert_int_equal(pex_hear(&pex, now), PEX_LEAVE);
    pex_check(&pex);
}

static void pex_forgives_a_little_haste(void **state)
{
    (void)state;
    struct pex pex;
    pex_init(&pex, 0);
    for (uint32_t minute = 0; minute < 100; minute++) {
        assert_int_equal(pex_hear(&pex, minute * 60 * SECOND_NS), PEX_HEAR);
        assert_int_equal(pex_hear(&pex, minute * 60 * SECOND_NS + 1), PEX_IGNORE);
    }
}

static bool may_pass(const char *peer, const char *about)
{
    struct address from, to;
    assert_true(address_from_text(peer, false, &from));
    assert_true(address_from_text(about, false, &to));
    return pex_may_pass(&from, &to);
}

static void pex_keeps_private_addresses_among_private_peers(void **state)
{
    (void)state;
    static const char *const private[] = {"10.1.2.3:1",   "172.16.0.1:1",  "192.168.1.1:1",
                                          "100.64.0.1:1", "169.254.1.1:1", "[fd00::1]:1",
                                          "[fe80::1]:1"};
    for (size_t i = 0; i < sizeof private / sizeof private[0]; i++) {
        assert_false(may_pass("8.8.8.8:1", private[i]));
        assert_false(may_pass("[2001:db8::1]:1", private[i]));
        assert_true(may_pass("10.0.0.1:1", private[i]));
        assert_true(may_pass("127.0.0.1:1", private[i]));
        assert_true(may_pass(private[i], "8.8.8.8:1"));
    }
    /* Our own machine's doors are for those on it only. */
    assert_false(may_pass("8.8.8.8:1", "127.0.0.1:1"));
    assert_false(may_pass("10.0.0.1:1", "127.0.0.1:1"));
    assert_false(may_pass("10.0.0.1:1", "[::1]:1"));
    assert_true(may_pass("127.0.0.2:1", "127.0.0.1:1"));
    assert_true(may_pass("[::1]:1", "[::1]:2"));
    assert_false(may_pass("10.0.0.1:1", "169.254.169.254:80"));
    assert_true(may_pass("8.8.8.8:1", "9.9.9.9:1"));
}

static void pex_tells_a_public_peer_of_no_private_one(void **state)
{
    (void)state;
    struct bench *bench = bench_new(1);
    bench->live[0].address = address_ipv4((uint8_t[4]){192, 168, 1, 1}, 1);
    assert_false(next(bench));
    bench->now += PEX_RETRY_NS;
    bench->view.receiver[0] = address_ipv4((uint8_t[4]){192, 168, 1, 2}, 1);
    assert_true(next(bench));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pex_speaks_once_a_minute),
        cmocka_unit_test(pex_tells_fifty_at_a_time_but_the_first_time),
        cmocka_unit_test(pex_begins_where_it_is_told_to),
        cmocka_unit_test(pex_tells_nobody_of_itself),
        cmocka_unit_test(pex_keeps_silent_about_who_came_and_went_between),
        cmocka_unit_test(pex_names_those_who_left_when_few_are_here),
        cmocka_unit_test(pex_keeps_one_who_left_and_came_back),
        cmocka_unit_test(pex_does_not_name_those_who_left_when_enough_are_here),
        cmocka_unit_test(pex_tells_the_whole_truth_in_the_end),
        cmocka_unit_test(pex_remembers_no_more_than_its_limit),
        cmocka_unit_test(pex_hears_one_message_a_minute),
        cmocka_unit_test(pex_forgives_a_little_haste),
        cmocka_unit_test(pex_keeps_private_addresses_among_private_peers),
        cmocka_unit_test(pex_tells_a_public_peer_of_no_private_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

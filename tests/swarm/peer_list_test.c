/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/peer_list.h"
#include "core/wire/peer_priority.h"

static struct address at(uint32_t ip, uint16_t port)
{
    uint8_t bytes[4] = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip};
    return address_ipv4(bytes, port);
}

static void peer_list_prefers_the_better_source(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    const enum peer_source order[] = {PEER_SOURCE_PEX, PEER_SOURCE_USER, PEER_SOURCE_DHT,
                                      PEER_SOURCE_TRACKER};
    struct address next;
    assert_false(peer_list_next(list, 0, &next));
    assert_int_equal(peer_list_deadline(list, 0), INT64_MAX);
    for (uint32_t i = 0; i < 4; i++) {
        struct address a = at(0x0a000001 + i, 6881);
        assert_true(peer_list_add(list, &a, order[i]));
        assert_false(peer_list_add(list, &a, order[i]));
    }
    assert_int_equal(peer_list_deadline(list, 0), 0);
    const uint32_t expected[] = {2, 4, 3, 1};
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(peer_list_next(list, 0, &next));
        assert_int_equal(next.ip[3], expected[i]);
    }
    assert_false(peer_list_next(list, 0, &next));
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_follows_canonical_priority(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address self = at(0x7bd5200a, 6881);
    for (uint32_t i = 0; i < 50; i++) {
        struct address a = at(0x50000000 + i * 7919, 6881);
        assert_true(peer_list_add(list, &a, PEER_SOURCE_TRACKER));
    }
    peer_list_set_self(list, &self);
    uint32_t before = UINT32_MAX;
    struct address next;
    for (uint32_t i = 0; i < 50; i++) {
        assert_true(peer_list_next(list, 0, &next));
        uint32_t priority = peer_priority(&self, &next);
        assert_true(priority <= before);
        before = priority;
    }
    peer_list_free(list);
}

static void peer_list_rests_after_failures_and_gives_up_after_three(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881);
    struct address next;
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    int64_t now = 0;
    for (uint32_t i = 1; i <= PEER_LIST_FAILS_MAX; i++) {
        assert_true(peer_list_next(list, now, &next));
        peer_list_on_failed(list, &next, now);
        assert_false(peer_list_next(list, now, &next));
        if (i == PEER_LIST_FAILS_MAX)
            break;
        int64_t deadline = peer_list_deadline(list, now);
        assert_int_equal(deadline, now + (int64_t)i * PEER_LIST_RETRY_NS);
        assert_false(peer_list_next(list, deadline - 1, &next));
        now = deadline;
    }
    assert_int_equal(peer_list_deadline(list, now), INT64_MAX);
    assert_false(peer_list_next(list, INT64_MAX, &next));
    /* Gossip does not bring it back, the tracker does, for one try. */
    peer_list_add(list, &a, PEER_SOURCE_PEX);
    assert_false(peer_list_next(list, INT64_MAX, &next));
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    assert_true(peer_list_next(list, now + 4 * PEER_LIST_RETRY_NS, &next));
    peer_list_on_connected(list, &next);
    peer_list_on_disconnected(list, &next, 0);
    assert_int_equal(peer_list_deadline(list, 0), PEER_LIST_RETRY_NS);
    peer_list_free(list);
}

static void peer_list_tries_everybody_anew_on_a_new_network(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address given_up = at(0x0a000001, 6881), left = at(0x0a010001, 6881);
    struct address connected = at(0x0a020001, 6881), banned = at(0x0a030001, 6881), next;
    int64_t now = 0;
    peer_list_add(list, &given_up, PEER_SOURCE_TRACKER);
    for (uint32_t i = 0; i < PEER_LIST_FAILS_MAX; i++) {
        assert_true(peer_list_next(list, now, &next));
        peer_list_on_failed(list, &next, now);
        now += (i + 1) * PEER_LIST_RETRY_NS;
    }
    peer_list_add(list, &left, PEER_SOURCE_TRACKER);
    assert_true(peer_list_next(list, now, &next));
    peer_list_on_connected(list, &left);
    peer_list_on_disconnected(list, &left, now);
    peer_list_add(list, &connected, PEER_SOURCE_TRACKER);
    assert_true(peer_list_next(list, now, &next));
    peer_list_on_connected(list, &connected);
    peer_list_add(list, &banned, PEER_SOURCE_TRACKER);
    peer_list_ban(list, &banned);
    assert_false(peer_list_next(list, now, &next));
    peer_list_on_network_changed(list);
    assert_true(peer_list_deadline(list, now) <= now);
    assert_true(peer_list_next(list, now, &next));
    assert_true(peer_list_next(list, now, &next));
    assert_false(peer_list_next(list, INT64_MAX, &next));
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_soon_tries_again_who_turned_us_away(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881), next;
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    int64_t now = 0;
    for (uint32_t i = 1; i < PEER_LIST_FAILS_MAX; i++) {
        assert_true(peer_list_next(list, now, &next));
        peer_list_on_turned_away(list, &next, now);
        assert_int_equal(peer_list_deadline(list, now), now + i * PEER_LIST_RETRY_SOON_NS);
        now = peer_list_deadline(list, now);
    }
    /* Not without end. */
    assert_true(peer_list_next(list, now, &next));
    peer_list_on_turned_away(list, &next, now);
    assert_false(peer_list_next(list, INT64_MAX, &next));
    peer_list_free(list);
}

static void peer_list_remembers_whom_mse_turned_until_that_fails_too(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881), next;
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    assert_false(peer_list_is_mse_turned(list, &a));
    assert_true(peer_list_next(list, 0, &next));
    peer_list_on_mse_turned(list, &a);
    /* At once, and no failure. */
    assert_true(peer_list_is_mse_turned(list, &a));
    assert_true(peer_list_next(list, 0, &next));
    peer_list_on_connected(list, &a);
    peer_list_on_disconnected(list, &a, 0);
    assert_true(peer_list_is_mse_turned(list, &a));
    assert_true(peer_list_next(list, PEER_LIST_RETRY_NS, &next));
    peer_list_on_failed(list, &a, PEER_LIST_RETRY_NS);
    assert_false(peer_list_is_mse_turned(list, &a));
    /* Whom the list does not know it knows nothing of. */
    next = at(0x0a000002, 6881);
    peer_list_on_mse_turned(list, &next);
    assert_false(peer_list_is_mse_turned(list, &next));
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_never_gives_up_a_peer_that_a_person_named(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881);
    peer_list_add(list, &a, PEER_SOURCE_USER);
    int64_t now = 0;
    for (int i = 0; i < 10; i++) {
        struct address next;
        assert_true(peer_list_next(list, now, &next));
        peer_list_on_failed(list, &next, now);
        assert_false(peer_list_next(list, now, &next));
        int64_t deadline = peer_list_deadline(list, now);
        assert_true(deadline > now);
        assert_true(deadline <= now + PEER_LIST_FAILS_MAX * PEER_LIST_RETRY_SOON_NS);
        now = deadline;
    }
    peer_list_free(list);
}

static void peer_list_never_connects_to_ourselves_or_nonsense(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address self = at(0x0a000001, 6881), next;
    struct address port_zero = at(0x0a000002, 0), multicast = at(0xe0000001, 1), none = {0};
    struct address metadata_service = at(0xa9fea9fe, 80);
    assert_true(peer_list_add(list, &self, PEER_SOURCE_TRACKER));
    peer_list_set_self(list, &self);
    assert_false(peer_list_next(list, 0, &next));
    assert_false(peer_list_add(list, &self, PEER_SOURCE_USER));
    assert_false(peer_list_add(list, &port_zero, PEER_SOURCE_USER));
    assert_false(peer_list_add(list, &multicast, PEER_SOURCE_USER));
    for (int source = 0; source < PEER_SOURCE_COUNT; source++)
        assert_false(peer_list_add(list, &metadata_service, (enum peer_source)source));
    assert_false(peer_list_add(list, &none, PEER_SOURCE_USER));
    struct address other = at(0x0a000001, 6882); /* same host, another port: somebody else */
    assert_true(peer_list_add(list, &other, PEER_SOURCE_TRACKER));
    assert_true(peer_list_next(list, 0, &next));
    peer_list_on_self(list, &other);
    peer_list_on_failed(list, &other, 0);
    assert_false(peer_list_next(list, 1000 * SECOND_NS, &next));
    peer_list_free(list);
}

static void peer_list_forgets_the_banned(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881), b = at(0x0a000001, 7000), next;
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    peer_list_ban(list, &b);
    assert_true(peer_list_is_banned(list, &a));
    assert_false(peer_list_next(list, 0, &next));
    assert_false(peer_list_add(list, &b, PEER_SOURCE_USER));
    peer_list_free(list);
}

static void peer_list_cannot_be_stuffed_by_a_source_or_a_prefix(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    uint32_t added = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        struct address a = at(0x14000000 + i, 6881); /* one /16 */
        added += peer_list_add(list, &a, PEER_SOURCE_PEX);
    }
    assert_int_equal(added, LIMIT_PEER_LIST / 8);
    for (uint32_t i = 0; i < 5000; i++) {
        struct address a = at(0x20000000 + (i << 16), 6881);
        added += peer_list_add(list, &a, PEER_SOURCE_PEX);
    }
    assert_int_equal(added, LIMIT_PEER_LIST / 2);
    for (uint32_t i = 0; i < 2000; i++) {
        struct address a = at(0x40000000 + (i << 16), 6881);
        added += peer_list_add(list, &a, PEER_SOURCE_DHT);
    }
    assert_int_equal(added, LIMIT_PEER_LIST);
    assert_int_equal(peer_list_length(list), LIMIT_PEER_LIST);
    /* A better source still finds room, a worse one does not. */
    struct address good = at(0x01020304, 6881), bad = at(0x01020305, 6881), next;
    assert_false(peer_list_add(list, &bad, PEER_SOURCE_PEX));
    assert_true(peer_list_add(list, &good, PEER_SOURCE_TRACKER));
    assert_int_equal(peer_list_length(list), LIMIT_PEER_LIST);
    assert_true(peer_list_next(list, 0, &next));
    assert_true(address_equal(&next, &good));
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_gives_the_place_of_one_that_failed_to_another_of_its_source(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address next, late = at(0x01020304, 6881);
    for (uint32_t i = 0; i < LIMIT_PEER_LIST / 2; i++) {
        struct address a = at(0x20000000 + (i << 16), 6881);
        assert_true(peer_list_add(list, &a, PEER_SOURCE_PEX));
    }
    assert_false(peer_list_add(list, &late, PEER_SOURCE_PEX));
    assert_true(peer_list_next(list, 0, &next));
    peer_list_on_failed(list, &next, 0);
    assert_true(peer_list_add(list, &late, PEER_SOURCE_PEX));
    assert_int_equal(peer_list_count_from(list, PEER_SOURCE_PEX), LIMIT_PEER_LIST / 2);
    assert_int_equal(peer_list_source_of(list, &next), PEER_SOURCE_INBOUND); /* forgotten */
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_knows_where_each_came_from(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881), b = at(0x0a000002, 6881), c = at(0x0a000003, 6881);
    peer_list_add(list, &a, PEER_SOURCE_PEX);
    peer_list_add(list, &b, PEER_SOURCE_PEX);
    assert_int_equal(peer_list_count_from(list, PEER_SOURCE_PEX), 2);
    assert_int_equal(peer_list_source_of(list, &a), PEER_SOURCE_PEX);
    assert_int_equal(peer_list_source_of(list, &c), PEER_SOURCE_INBOUND);
    /* A better source takes it over, a worse one does not. */
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    peer_list_add(list, &a, PEER_SOURCE_DHT);
    assert_int_equal(peer_list_source_of(list, &a), PEER_SOURCE_TRACKER);
    assert_int_equal(peer_list_count_from(list, PEER_SOURCE_PEX), 1);
    assert_int_equal(peer_list_count_from(list, PEER_SOURCE_TRACKER), 1);
    assert_int_equal(peer_list_count_from(list, PEER_SOURCE_DHT), 0);
    peer_list_check(list);
    peer_list_free(list);
}

static void peer_list_prefers_who_gave_us_something_before(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address next, useful = at(0x0a000007, 6881), better = at(0x0b000001, 6881);
    for (uint32_t i = 0; i < 20; i++) {
        struct address a = at(0x0a000001 + i, 6881);
        peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    }
    peer_list_mark_useful(list, &useful);
    peer_list_add(list, &better, PEER_SOURCE_USER);
    assert_true(peer_list_next(list, 0, &next));
    assert_true(address_equal(&next, &better));
    assert_true(peer_list_next(list, 0, &next));
    assert_true(address_equal(&next, &useful));
    peer_list_free(list);
}

static void peer_list_skips_seeds_while_seeding(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address a = at(0x0a000001, 6881), next;
    peer_list_add(list, &a, PEER_SOURCE_TRACKER);
    peer_list_mark_seed(list, &a);
    peer_list_set_seeding(list, true);
    assert_false(peer_list_next(list, 0, &next));
    peer_list_set_seeding(list, false);
    assert_true(peer_list_next(list, 0, &next));
    peer_list_free(list);
}

static void peer_list_remembers_good_peers_latest_first(void **state)
{
    (void)state;
    struct peer_list *list = peer_list_new(1);
    struct address good[4];
    for (uint32_t i = 0; i < 5; i++) {
        struct address a = at(0x0a000001 + i, 6881);
        peer_list_add(list, &a, PEER_SOURCE_TRACKER);
        if (i != 2)
            peer_list_on_connected(list, &a);
    }
    assert_int_equal(peer_list_known_good(list, good, 3), 3);
    assert_int_equal(good[0].ip[3], 5);
    assert_int_equal(good[1].ip[3], 4);
    assert_int_equal(good[2].ip[3], 2);
    peer_list_free(list);
}

static void peer_list_keeps_its_invariants_in_any_order_of_calls(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        struct peer_list *list = peer_list_new(seed);
        int64_t now = 0;
        for (uint32_t step = 0; step < 4000; step++) {
            struct address a = at(0x0a000000 + rng_below(&rng, 40), 6881), next;
            now += rng_below(&rng, 10) * SECOND_NS;
            switch (rng_below(&rng, 9)) {
            case 8: peer_list_on_mse_turned(list, &a); break;
            case 0: peer_list_add(list, &a, rng_below(&rng, PEER_SOURCE_COUNT)); break;
            case 1: peer_list_on_failed(list, &a, now); break;
            case 2: peer_list_on_connected(list, &a); break;
            case 3: peer_list_on_disconnected(list, &a, now); break;
            case 4:
                if (rng_below(&rng, 300) == 0)
                    peer_list_ban(list, &a);
                break;
            default: {
                /* The deadline tells the truth. */
                int64_t deadline = peer_list_deadline(list, now);
                bool due = peer_list_next(list, now, &next);
                assert_int_equal(due, deadline <= now);
                if (due)
                    assert_false(peer_list_is_banned(list, &next));
            }
            }
            peer_list_check(list);
        }
        peer_list_free(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_list_prefers_the_better_source),
        cmocka_unit_test(peer_list_follows_canonical_priority),
        cmocka_unit_test(peer_list_rests_after_failures_and_gives_up_after_three),
        cmocka_unit_test(peer_list_tries_everybody_anew_on_a_new_network),
        cmocka_unit_test(peer_list_soon_tries_again_who_turned_us_away),
        cmocka_unit_test(peer_list_remembers_whom_mse_turned_until_that_fails_too),
        cmocka_unit_test(peer_list_never_gives_up_a_peer_that_a_person_named),
        cmocka_unit_test(peer_list_never_connects_to_ourselves_or_nonsense),
        cmocka_unit_test(peer_list_forgets_the_banned),
        cmocka_unit_test(peer_list_cannot_be_stuffed_by_a_source_or_a_prefix),
        cmocka_unit_test(peer_list_gives_the_place_of_one_that_failed_to_another_of_its_source),
        cmocka_unit_test(peer_list_knows_where_each_came_from),
        cmocka_unit_test(peer_list_prefers_who_gave_us_something_before),
        cmocka_unit_test(peer_list_skips_seeds_while_seeding),
        cmocka_unit_test(peer_list_remembers_good_peers_latest_first),
        cmocka_unit_test(peer_list_keeps_its_invariants_in_any_order_of_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Whom a look-up asks next, and when it is enough. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/base/heap.h"
#include "core/dht/dht_lookup.h"

#define LATE (100 * MILLISECOND_NS)

static struct dht_lookup lookup;
static struct dht_id target;

static int set_up(void **state)
{
    (void)state;
    memset(target.bytes, 0, DHT_ID_SIZE);
    dht_lookup_init(&lookup, &target);
    return 0;
}

/* The smaller the number, the nearer; on a private address, where ids are free. */
static struct dht_contact contact_of(uint8_t distance)
{
    struct dht_contact contact = {.address = address_ipv4((uint8_t[4]){10, 0, distance, 1}, 1000)};
    contact.id.bytes[0] = distance;
    return contact;
}

static bool add(uint8_t distance, uint16_t rtt_ms, uint8_t path)
{
    struct dht_contact contact = contact_of(distance);
    bool is_new = dht_lookup_add(&lookup, &contact, rtt_ms, path);
    dht_lookup_check(&lookup);
    return is_new;
}

/* Whom it asks, by distance; 0: nobody. */
static uint8_t ask(int64_t now)
{
    const struct dht_candidate *candidate = dht_lookup_ask(&lookup, now, LATE);
    return candidate ? candidate->contact.id.bytes[0] : 0;
}

static uint8_t answer(uint8_t distance)
{
    struct dht_contact contact = contact_of(distance);
    return dht_lookup_answered(&lookup, &contact, BYTES_LITERAL("token"));
}

static void five_are_asked_and_nearest_first(void **state)
{
    (void)state;
    for (uint8_t i = 20; i > 0; i--)
        assert_true(add((uint8_t)(i * 8), UINT16_MAX, 0));
    assert_false(add(8, UINT16_MAX, 0));
    assert_int_equal(ask(0), 8);
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(ask(0), 0);
    assert_int_equal(ask(0), 0);
    assert_int_equal(answer(8), 0);
    assert_int_not_equal(ask(0), 0);
    assert_int_equal(ask(0), 0);
}

static void who_is_late_is_replaced_and_may_still_answer(void **state)
{
    (void)state;
    for (uint8_t i = 1; i <= 20; i++)
        add((uint8_t)(i * 8), UINT16_MAX, 0);
    for (int i = 0; i < 5; i++)
        ask(0);
    assert_int_equal(ask(LATE - 1), 0);
    assert_int_equal(dht_lookup_deadline(&lookup, 0, LATE), LATE);
    assert_int_not_equal(ask(LATE), 0);
    assert_int_equal(dht_lookup_deadline(&lookup, LATE, LATE), 2 * LATE);
    assert_int_equal(answer(8), 0);
    /* But there are never more than sixteen open ones. */
    uint32_t open = 0;
    for (int64_t now = LATE; now < 100 * LATE; now += LATE)
        while (ask(now))
            open++;
    assert_in_range(open, 5, DHT_LOOKUP_OPEN_ALL);
}

static void of_the_equally_near_the_quickest_goes_first(void **state)
{
    (void)state;
    add(0x41, 300, 0);
    add(0x42, 200, 0);
    add(0x43, 30, 0);
    add(0x44, UINT16_MAX, 0);
    add(0x81, 1, 0);
    assert_int_equal(ask(0), 0x43);
    assert_int_equal(ask(0), 0x42);
    assert_int_equal(ask(0), 0x41);
    assert_int_equal(ask(0), 0x44);
    assert_int_equal(ask(0), 0x81);
}

static void it_is_done_when_the_eight_nearest_have_answered(void **state)
{
    (void)state;
    const struct dht_candidate *closest[DHT_LOOKUP_SET];
    uint32_t asked = 0;
    for (uint8_t i = 1; i <= 30; i++)
        add(i, UINT16_MAX, 0);
    /* The third is dead. */
    while (!dht_lookup_is_done(&lookup, 0, LATE)) {
        uint8_t distance = ask(0);
        assert_int_not_equal(distance, 0);
        asked++;
        struct dht_contact contact = contact_of(distance);
        if (distance == 3)
            dht_lookup_failed(&lookup, &contact.address);
        else
            answer(distance);
    }
    assert_int_equal(asked, 9);
    assert_int_equal(dht_lookup_closest(&lookup, closest), 8);
    assert_int_equal(closest[2]->contact.id.bytes[0], 4);
    assert_int_equal(closest[7]->contact.id.bytes[0], 9);
    assert_int_equal(closest[0]->token_length, 5);
}

static void a_path_of_liars_does_not_end_the_others(void **state)
{
    (void)state;
    /* Path 0 has the eight nearest; the paths 1 and 2 still ask their own four. */
    for (uint8_t i = 1; i <= 8; i++)
        add(i, UINT16_MAX, 0);
    for (uint8_t i = 0; i < 5; i++) {
        add((uint8_t)(100 + i), UINT16_MAX, 1);
        add((uint8_t)(200 + i), UINT16_MAX, 2);
    }
    uint32_t by_path[DHT_LOOKUP_PATHS] = {0};
    while (!dht_lookup_is_done(&lookup, 0, LATE)) {
        uint8_t distance = ask(0);
        assert_int_not_equal(distance, 0);
        by_path[answer(distance)]++;
    }
    assert_int_equal(by_path[0], 8);
    assert_int_equal(by_path[1], 4);
    assert_int_equal(by_path[2], 4);
}

static void ids_that_do_not_fit_wait_until_there_are_no_others(void **state)
{
    (void)state;
    struct dht_contact liar = {.address = address_ipv4((uint8_t[4]){99, 1, 1, 1}, 1)};
    liar.id.bytes[19] = 1; /* the nearest of all */
    assert_false(dht_id_is_allowed(&liar.id, &liar.address));
    assert_true(dht_lookup_add(&lookup, &liar, 1, 0));
    for (uint8_t i = 1; i <= 8; i++)
        add(i, UINT16_MAX, 0);
    while (!dht_lookup_is_done(&lookup, 0, LATE)) {
        uint8_t distance = ask(0);
        assert_int_not_equal(distance, 0);
        answer(distance);
    }
    assert_int_equal(lookup.candidates[0].state, DHT_CANDIDATE_NEW);
    set_up(NULL);
    assert_true(dht_lookup_add(&lookup, &liar, 1, 0));
    add(1, UINT16_MAX, 0);
    assert_non_null(dht_lookup_ask(&lookup, 0, LATE));
    assert_non_null(dht_lookup_ask(&lookup, 0, LATE));
}

static void nobody_crowds_in_by_numbers(void **state)
{
    (void)state;
    struct rng rng;
    uint32_t taken = 0;
    rng_init(&rng, 1);
    for (uint8_t i = 1; i < 200; i++) {
        struct dht_contact contact = {.address = address_ipv4((uint8_t[4]){99, 1, 1, i}, 1)};
        contact.id = dht_id_of_address(&contact.address, &rng);
        taken += dht_lookup_add(&lookup, &contact, 1, 0);
        contact.address.port = 2;
        contact.id.bytes[19] ^= 8;
        assert_false(dht_lookup_add(&lookup, &contact, 1, 0));
        dht_lookup_check(&lookup);
    }
    assert_int_equal(taken, 3);
}

static void a_full_look_up_keeps_the_nearest(void **state)
{
    (void)state;
    for (uint8_t i = 255; i > 0; i--)
        assert_true(add(i, UINT16_MAX, i % DHT_LOOKUP_PATHS));
    assert_int_equal(lookup.count, DHT_LOOKUP_CANDIDATES);
    for (uint32_t i = 0; i < lookup.count; i++)
        assert_int_equal(lookup.candidates[i].contact.id.bytes[0], i + 1);
    assert_false(add(255, UINT16_MAX, 0));
}

static void an_answer_with_another_id_is_a_failure(void **state)
{
    (void)state;
    add(1, UINT16_MAX, 0);
    struct dht_contact contact = contact_of(1);
    contact.id.bytes[5] = 1;
    assert_int_equal(answer(1), DHT_LOOKUP_PATHS);
    assert_int_equal(ask(0), 1);
    assert_int_equal(dht_lookup_answered(&lookup, &contact, (struct bytes){NULL, 0}),
                     DHT_LOOKUP_PATHS);
    assert_int_equal(lookup.candidates[0].state, DHT_CANDIDATE_FAILED);
    assert_true(dht_lookup_is_done(&lookup, 0, LATE));
    assert_true(dht_lookup_deadline(&lookup, 0, LATE) == HEAP_NEVER);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(five_are_asked_and_nearest_first),
        TEST(who_is_late_is_replaced_and_may_still_answer),
        TEST(of_the_equally_near_the_quickest_goes_first),
        TEST(it_is_done_when_the_eight_nearest_have_answered),
        TEST(a_path_of_liars_does_not_end_the_others),
        TEST(ids_that_do_not_fit_wait_until_there_are_no_others),
        TEST(nobody_crowds_in_by_numbers),
        TEST(a_full_look_up_keeps_the_nearest),
        TEST(an_answer_with_another_id_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

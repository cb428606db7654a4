/* SPDX-License-Identifier: MIT */
/* The routing table, against rules and against a naive model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/dht/routing_table.h"

static struct rng rng;
static struct dht_id own;
static struct routing_table table;

static int set_up(void **state)
{
    (void)state;
    rng_init(&rng, 7);
    rng_fill(&rng, own.bytes, DHT_ID_SIZE);
    routing_table_init(&table, &own, ADDRESS_IPV4);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    routing_table_check(&table);
    routing_table_deinit(&table);
    return 0;
}

/* A node in a /24 of its own, with an id that fits. */
static struct dht_contact contact_of(uint32_t i)
{
    struct dht_contact contact;
    contact.address = address_ipv4(
        (uint8_t[4]){(uint8_t)(20 + i / 65536), (uint8_t)(i / 256), (uint8_t)i, 1}, 1000);
    contact.id = dht_id_of_address(&contact.address, &rng);
    return contact;
}

/* One whose id shares `bits` with ours, on a private address, where ids are free. */
static struct dht_contact near_us(uint32_t i, uint32_t bits)
{
    return (struct dht_contact){
        .id = dht_id_random_at(&own, bits, &rng),
        .address = address_ipv4((uint8_t[4]){10, (uint8_t)(i >> 8), (uint8_t)i, 1}, 1000)};
}

static void only_the_own_bucket_is_split(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_contact contact = near_us(i, 0);
        routing_table_answered(&table, &contact, 50, 0);
        routing_table_check(&table);
    }
    assert_int_equal(routing_table_count(&table), 8);
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_contact contact = near_us(1000 + i, 3 + i % 2);
        routing_table_answered(&table, &contact, 50, 0);
    }
    assert_int_equal(routing_table_count(&table), 24);
    assert_true(table.bucket_count >= 4);
    assert_true(table.bucket_count <= LIMIT_DHT_BUCKETS);
}

static void the_table_has_a_bound_whatever_comes(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3000; i++) {
        struct dht_contact contact = near_us(i, i % 60);
        routing_table_answered(&table, &contact, 50, 0);
    }
    assert_int_equal(table.bucket_count, LIMIT_DHT_BUCKETS);
    assert_int_equal(routing_table_count(&table), LIMIT_DHT_BUCKETS * 8);
    assert_true(routing_table_memory(&table) < 15 * 1024);
}

static void one_address_has_one_node(void **state)
{
    (void)state;
    struct dht_contact first = near_us(1, 2), second = near_us(2, 2);
    routing_table_answered(&table, &first, 50, 0);
    second.address = first.address;
    second.address.port++;
    routing_table_answered(&table, &second, 50, 0);
    assert_int_equal(routing_table_count(&table), 1);
    assert_memory_equal(routing_table_find(&table, &first.address)->id.bytes, first.id.bytes, 20);
    /* The same socket with another id is another node now. */
    second.address = first.address;
    routing_table_answered(&table, &second, 50, 0);
    assert_int_equal(routing_table_count(&table), 1);
    assert_memory_equal(routing_table_find(&table, &first.address)->id.bytes, second.id.bytes, 20);
    /* And nobody takes an id from who bears it. */
    struct dht_contact thief = near_us(3, 2);
    thief.id = second.id;
    routing_table_answered(&table, &thief, 50, 0);
    assert_null(routing_table_find(&table, &thief.address));
}

static void loopback_tells_nodes_apart_by_their_ports(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 5; i++) {
        struct dht_contact contact = near_us(1, 2);
        contact.address = address_ipv4((uint8_t[4]){127, 0, 0, 1}, (uint16_t)(2000 + i));
        routing_table_answered(&table, &contact, 50, 0);
    }
    assert_int_equal(routing_table_count(&table), 5);
}

static void one_network_gets_few_places(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 250; i++) {
        struct dht_contact contact;
        contact.address = address_ipv4((uint8_t[4]){50, 1, 2, (uint8_t)(i + 1)}, 1000);
        contact.id = dht_id_of_address(&contact.address, &rng);
        routing_table_answered(&table, &contact, 50, 0);
    }
    assert_in_range(routing_table_count(&table), 1, 4);
}

static void who_lives_is_not_put_out_and_who_is_bad_is(void **state)
{
    (void)state;
    struct dht_contact first[8], late[12];
    for (uint32_t i = 0; i < 8; i++) {
        first[i] = near_us(i, 0);
        routing_table_answered(&table, &first[i], 50, 0);
    }
    for (uint32_t i = 0; i < 12; i++) {
        struct dht_contact deep = near_us(500 + i, 1);
        routing_table_answered(&table, &deep, 50, 0);
        late[i] = near_us(100 + i, 0);
        routing_table_answered(&table, &late[i], 50, 0);
    }
    const struct routing_entry *closest[8];
    assert_int_equal(routing_table_closest(&table, &first[0].id, true, closest, 8), 8);
    assert_memory_equal(closest[0]->id.bytes, first[0].id.bytes, 20);
    for (int i = 0; i < 3; i++)
        routing_table_failed(&table, &first[0].address, 1);
    assert_null(routing_table_find(&table, &first[0].address));
    routing_table_closest(&table, &late[11].id, true, closest, 8);
    /* The spare that was heard of last has its place. */
    assert_memory_equal(closest[0]->id.bytes, late[11].id.bytes, 20);
}

static void an_id_that_does_not_fit_gives_way(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        struct dht_contact contact = contact_of(i);
        contact.id = dht_id_random_at(&own, i % 2, &rng);
        routing_table_answered(&table, &contact, 50, 0);
    }
    for (uint32_t i = 300; i < 900; i++) {
        struct dht_contact contact = contact_of(i);
        routing_table_answered(&table, &contact, 50, 0);
    }
    for (uint32_t k = 0; k < table.buckets[0].live_count; k++)
        assert_true(table.buckets[0].live[k].is_allowed);
}

static void silence_makes_questionable_and_an_answer_good(void **state)
{
    (void)state;
    struct dht_contact contact = near_us(1, 2), asked;
    routing_table_remember(&table, &contact, 0);
    assert_int_equal(routing_table_good_count(&table, 0), 0);
    assert_true(routing_table_to_ping(&table, 0, &asked));
    assert_true(dht_id_equal(&asked.id, &contact.id));
    routing_table_answered(&table, &contact, 50, 0);
    assert_false(routing_table_to_ping(&table, 0, &asked));
    assert_int_equal(routing_table_good_count(&table, 899 * SECOND_NS), 1);
    assert_int_equal(routing_table_good_count(&table, 901 * SECOND_NS), 0);
    routing_table_asked(&table, &contact, 901 * SECOND_NS);
    assert_int_equal(routing_table_good_count(&table, 901 * SECOND_NS), 1);
    struct dht_id target;
    assert_true(routing_table_to_refresh(&table, 901 * SECOND_NS, &rng, &target));
    assert_false(routing_table_to_refresh(&table, 901 * SECOND_NS, &rng, &target));
}

static void what_was_only_heard_of_is_not_handed_out(void **state)
{
    (void)state;
    const struct routing_entry *closest[8];
    struct dht_contact contact = near_us(1, 2);
    routing_table_remember(&table, &contact, 0);
    assert_int_equal(routing_table_closest(&table, &own, true, closest, 8), 0);
    assert_int_equal(routing_table_closest(&table, &own, false, closest, 8), 1);
}

static struct dht_id sort_target;

static int by_distance(const void *a, const void *b)
{
    return dht_id_compare_distance(&sort_target, a, b);
}

static void the_closest_are_those_of_a_naive_model(void **state)
{
    (void)state;
    static struct dht_id all[LIMIT_DHT_BUCKETS * 8];
    for (uint32_t round = 0; round < 400; round++) {
        struct dht_contact contact = rng_below(&rng, 2) ? contact_of(rng_below(&rng, 500))
                                                        : near_us(rng_below(&rng, 500), round % 20);
        if (rng_below(&rng, 4) == 0)
            routing_table_failed(&table, &contact.address, round * SECOND_NS);
        else
            routing_table_answered(&table, &contact, 50, round * SECOND_NS);
        routing_table_check(&table);
        uint32_t count = 0;
        for (uint32_t i = 0; i < table.bucket_count; i++)
            for (uint32_t k = 0; k < table.buckets[i].live_count; k++)
                if (table.buckets[i].live[k].fails == 0)
                    all[count++] = table.buckets[i].live[k].id;
        rng_fill(&rng, sort_target.bytes, DHT_ID_SIZE);
        qsort(all, count, sizeof all[0], by_distance);
        const struct routing_entry *closest[8];
        uint32_t got = routing_table_closest(&table, &sort_target, true, closest, 8);
        assert_int_equal(got, count < 8 ? count : 8);
        for (uint32_t i = 0; i < got; i++)
            assert_memory_equal(closest[i]->id.bytes, all[i].bytes, 20);
    }
}

static void a_new_own_id_gives_everybody_a_new_place(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        struct dht_contact contact = contact_of(i);
        routing_table_answered(&table, &contact, 50, i * SECOND_NS);
    }
    uint32_t before = routing_table_count(&table);
    struct dht_id other = dht_id_random_at(&own, 0, &rng);
    routing_table_move(&table, &other);
    routing_table_check(&table);
    assert_true(routing_table_count(&table) >= 8);
    assert_true(routing_table_count(&table) <= before + 4 * table.bucket_count);
}

static void entries_are_good_questionable_or_bad(void **state)
{
    (void)state;
    struct dht_contact contact = near_us(0, 5);
    routing_table_answered(&table, &contact, 50, 0);
    const struct routing_entry *entry = routing_table_find(&table, &contact.address);
    assert_true(routing_table_is_good(entry, 14 * 60 * SECOND_NS));
    assert_false(routing_table_is_good(entry, 16 * 60 * SECOND_NS));
    assert_false(routing_table_is_bad(entry));
    for (int i = 0; i < 3; i++)
        routing_table_failed(&table, &contact.address, SECOND_NS);
    assert_false(routing_table_is_good(entry, SECOND_NS));
    assert_true(routing_table_is_bad(entry));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_the_own_bucket_is_split),
        TEST(the_table_has_a_bound_whatever_comes),
        TEST(entries_are_good_questionable_or_bad),
        TEST(one_address_has_one_node),
        TEST(loopback_tells_nodes_apart_by_their_ports),
        TEST(one_network_gets_few_places),
        TEST(who_lives_is_not_put_out_and_who_is_bad_is),
        TEST(an_id_that_does_not_fit_gives_way),
        TEST(silence_makes_questionable_and_an_answer_good),
        TEST(what_was_only_heard_of_is_not_handed_out),
        TEST(the_closest_are_those_of_a_naive_model),
        TEST(a_new_own_id_gives_everybody_a_new_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

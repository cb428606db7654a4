/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/dht_nearest.h"

#define PLACES 8u

static struct rng rng;

static struct dht_result answer_of(struct dht_id id)
{
    return (struct dht_result){.type = DHT_RESULT_TRACE, .step = DHT_TRACE_ANSWERED, .id = id};
}

static struct dht_id random_id(void)
{
    struct dht_id id;
    rng_fill(&rng, id.bytes, DHT_ID_SIZE);
    return id;
}

static void dht_nearest_keeps_the_eight_nearest_in_order(void **state)
{
    struct dht_id target = {{0}};
    struct dht_nearest nearest;

    (void)state;
    dht_nearest_init(&nearest, &target);
    for (uint8_t i = 20; i > 0; i--) {
        struct dht_result answer = answer_of((struct dht_id){{(uint8_t)(i * 7 % 23)}});
        dht_nearest_add(&nearest, &answer);
        dht_nearest_add(&nearest, &answer);
    }
    assert_int_equal(nearest.count, DHT_NEAREST_MAX);
    for (uint32_t i = 1; i < nearest.count; i++)
        assert_true(nearest.nodes[i - 1].id.bytes[0] < nearest.nodes[i].id.bytes[0]);
    assert_int_equal(nearest.nodes[0].id.bytes[0], 1);
}

/* Networks of known size with evenly spread ids. */
static void dht_nearest_estimates_the_size_of_a_network(void **state)
{
    static const uint32_t sizes[] = {100, 1000, 20000};
    static struct dht_nearest places[PLACES];

    (void)state;
    rng_init(&rng, 7);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t j = 0; j < PLACES; j++) {
            struct dht_id target = random_id();
            dht_nearest_init(&places[j], &target);
        }
        for (uint32_t j = 0; j < sizes[i]; j++) {
            struct dht_result answer = answer_of(random_id());
            for (uint32_t k = 0; k < PLACES; k++)
                dht_nearest_add(&places[k], &answer);
        }
        double estimate = dht_nearest_estimate(places, PLACES);
        assert_true(estimate > 0.65 * sizes[i] && estimate < 1.5 * sizes[i]);
    }
}

static void dht_nearest_says_nothing_of_a_few(void **state)
{
    struct dht_id target = {{0}};
    struct dht_nearest nearest;

    (void)state;
    rng_init(&rng, 8);
    dht_nearest_init(&nearest, &target);
    for (int i = 0; i < 7; i++) {
        struct dht_result answer = answer_of(random_id());
        dht_nearest_add(&nearest, &answer);
    }
    assert_true(dht_nearest_estimate(&nearest, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dht_nearest_keeps_the_eight_nearest_in_order),
        cmocka_unit_test(dht_nearest_estimates_the_size_of_a_network),
        cmocka_unit_test(dht_nearest_says_nothing_of_a_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "core/base/rng.h"

/* Blackman and Vigna's xoshiro256** from the state 1, 2, 3, 4. */
static void rng_gives_the_published_sequence(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        UINT64_C(11520),
        UINT64_C(0),
        UINT64_C(1509978240),
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
    };
    struct rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(rng_u64(&rng) == expected[i]);
}

/* Steele, Lea and Flood's splitmix64 from 1234567. */
static void rng_is_seeded_by_splitmix(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 1234567);
    assert_true(rng.state[0] == UINT64_C(6457827717110365317));
    assert_true(rng.state[1] == UINT64_C(3203168211198807973));
    assert_true(rng.state[2] == UINT64_C(9817491932198370423));
    assert_true(rng.state[3] == UINT64_C(4593380528125082431));
}

static void rng_repeats_itself_for_one_seed_only(void **state)
{
    (void)state;
    struct rng a, b, c;
    rng_init(&a, 7);
    rng_init(&b, 7);
    rng_init(&c, 8);
    uint64_t first = rng_u64(&a);
    assert_true(first == rng_u64(&b));
    assert_true(first != rng_u64(&c));
}

static void rng_below_reaches_every_value_evenly(void **state)
{
    (void)state;
    struct rng rng;
    uint32_t counts[7] = {0};
    rng_init(&rng, 9);
    for (int i = 0; i < 70000; i++) {
        uint32_t value = rng_below(&rng, 7);
        assert_true(value < 7);
        counts[value]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9500, 10500);
    assert_int_equal(rng_below(&rng, 1), 0);
}

static void rng_fill_writes_exactly_its_length(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 10);
    for (size_t length = 0; length <= 40; length++) {
        uint8_t room[48];
        memset(room, 0xee, sizeof room);
        rng_fill(&rng, room, length);
        for (size_t i = length; i < sizeof room; i++)
            assert_int_equal(room[i], 0xee);
    }
}

static void rng_shuffle_keeps_every_element(void **state)
{
    (void)state;
    struct rng rng;
    uint16_t deck[52];
    bool seen[52] = {false};
    int at_home = 0;
    rng_init(&rng, 11);
    for (uint16_t i = 0; i < 52; i++)
        deck[i] = i;
    rng_shuffle(&rng, deck, 52, sizeof deck[0]);
    for (uint16_t i = 0; i < 52; i++) {
        assert_false(seen[deck[i]]);
        seen[deck[i]] = true;
        at_home += deck[i] == i;
    }
    assert_true(at_home < 10);
    rng_shuffle(&rng, deck, 0, sizeof deck[0]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_gives_the_published_sequence),
        cmocka_unit_test(rng_is_seeded_by_splitmix),
        cmocka_unit_test(rng_repeats_itself_for_one_seed_only),
        cmocka_unit_test(rng_below_reaches_every_value_evenly),
        cmocka_unit_test(rng_fill_writes_exactly_its_length),
        cmocka_unit_test(rng_shuffle_keeps_every_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

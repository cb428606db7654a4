/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/map.h"
#include "core/base/rng.h"

#define KEYS 997

/* Values are addresses in this array. */
static char values[2 * KEYS];

static void make_key(uint32_t number, uint8_t *key, size_t size)
{
    memset(key, (int)(number % 3), size);
    for (size_t i = 0; i < 4 && i < size; i++)
        key[size - 1 - i] = (uint8_t)(number >> (8 * i));
}

static void check_against_model(size_t key_size, uint64_t seed)
{
    struct map map;
    struct rng rng;
    void *model[KEYS] = {NULL};
    uint8_t key[64];
    size_t length = 0;
    rng_init(&rng, seed + key_size);
    map_init(&map, key_size, seed);
    for (int step = 0; step < 20000; step++) {
        uint32_t number = rng_below(&rng, KEYS);
        make_key(number, key, key_size);
        void *value = &values[2 * number + rng_below(&rng, 2)];
        switch (rng_below(&rng, 3)) {
        case 0:
            assert_ptr_equal(map_remove(&map, key), model[number]);
            length -= model[number] != NULL;
            model[number] = NULL;
            break;
        case 1:
            assert_ptr_equal(map_put(&map, key, value), model[number]);
            length += model[number] == NULL;
            model[number] = value;
            break;
        default: assert_ptr_equal(map_get(&map, key), model[number]);
        }
        assert_int_equal(map.length, length);
    }
    for (uint32_t number = 0; number < KEYS; number++) {
        make_key(number, key, key_size);
        assert_ptr_equal(map_get(&map, key), model[number]);
    }
    map_deinit(&map);
}

static void map_agrees_with_a_plain_array_for_every_key_size(void **state)
{
    (void)state;
    static const size_t sizes[] = {4, 6, 8, 18, 20, 32, 64};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (uint64_t seed = 0; seed < 3; seed++)
            check_against_model(sizes[i], seed);
}

static void map_is_empty_before_anything_is_put(void **state)
{
    (void)state;
    struct map map;
    map_init(&map, 4, 0);
    assert_null(map_get(&map, "abcd"));
    assert_null(map_remove(&map, "abcd"));
    assert_int_equal(map.length, 0);
    map_deinit(&map);
    map_deinit(&map);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_a_plain_array_for_every_key_size),
        cmocka_unit_test(map_is_empty_before_anything_is_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

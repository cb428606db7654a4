/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/base/bitfield.h"
#include "core/base/rng.h"

static void bitfield_speaks_the_wire_order(void **state)
{
    (void)state;
    struct bitfield field;
    bitfield_init(&field, 10);
    bitfield_set(&field, 0);
    bitfield_set(&field, 9);
    struct bytes wire = bitfield_wire(&field);
    assert_int_equal(wire.length, 2);
    assert_int_equal(wire.data[0], 0x80);
    assert_int_equal(wire.data[1], 0x40);
    bitfield_deinit(&field);
}

static void bitfield_refuses_spare_bits_and_wrong_lengths(void **state)
{
    (void)state;
    struct bitfield field;
    for (uint32_t size = 0; size <= 64; size++) {
        uint8_t wire[16];
        size_t length = bitfield_wire_length(size);
        bitfield_init(&field, size);
        memset(wire, 0, sizeof wire);
        assert_int_equal(bitfield_load(&field, (struct bytes){wire, length}), FRESHET_OK);
        for (size_t wrong = 0; wrong <= 9; wrong++)
            if (wrong != length)
                assert_int_equal(bitfield_load(&field, (struct bytes){wire, wrong}),
                                 FRESHET_ERROR_RANGE);
        for (uint32_t spare = size; spare < 8 * length; spare++) {
            memset(wire, 0, sizeof wire);
            wire[spare >> 3] = (uint8_t)(0x80u >> (spare & 7));
            assert_int_equal(bitfield_load(&field, (struct bytes){wire, length}),
                             FRESHET_ERROR_RANGE);
            assert_int_equal(field.count, 0);
        }
        bitfield_deinit(&field);
    }
}

static void bitfield_counts_its_bits_as_they_change(void **state)
{
    (void)state;
    struct bitfield field, copy;
    bool model[203] = {false};
    uint32_t count = 0;
    struct rng rng;
    rng_init(&rng, 1);
    bitfield_init(&field, 203);
    bitfield_init(&copy, 203);
    for (int step = 0; step < 20000; step++) {
        uint32_t index = rng_below(&rng, 203);
        bool set = rng_below(&rng, 2);
        if (set)
            bitfield_set(&field, index);
        else
            bitfield_clear(&field, index);
        count += (uint32_t)set - (uint32_t)model[index];
        model[index] = set;
        assert_int_equal(field.count, count);
        assert_int_equal(bitfield_has(&field, index), set);
    }
    assert_int_equal(bitfield_load(&copy, bitfield_wire(&field)), FRESHET_OK);
    assert_int_equal(copy.count, count);
    for (uint32_t i = 0; i < 203; i++)
        assert_int_equal(bitfield_has(&copy, i), model[i]);
    bitfield_deinit(&field);
    bitfield_deinit(&copy);
}

static void bitfield_finds_the_next_bit_of_either_kind(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 2);
    for (uint32_t size = 0; size < 70; size++) {
        struct bitfield field;
        bitfield_init(&field, size);
        /* Long runs, so that whole bytes are walked over. */
        for (uint32_t i = 0; i < size; i++)
            if (rng_below(&rng, 8) != 0 ? i >= size / 2 : i < size / 2)
                bitfield_set(&field, i);
        for (uint32_t from = 0; from <= size; from++) {
            uint32_t set = from, clear = from;
            while (set < size && !bitfield_has(&field, set))
                set++;
            while (clear < size && bitfield_has(&field, clear))
                clear++;
            assert_int_equal(bitfield_next_set(&field, from), set);
            assert_int_equal(bitfield_next_clear(&field, from), clear);
        }
        bitfield_deinit(&field);
    }
}

static void bitfield_full_and_empty_keep_spare_bits_zero(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 40; size++) {
        struct bitfield field, other;
        bitfield_init(&field, size);
        bitfield_init(&other, size);
        bitfield_set_all(&field);
        assert_true(bitfield_is_full(&field));
        assert_int_equal(bitfield_load(&other, bitfield_wire(&field)), FRESHET_OK);
        assert_int_equal(other.count, size);
        assert_false(bitfield_has_beyond(&field, &other));
        bitfield_clear_all(&other);
        assert_int_equal(bitfield_has_beyond(&field, &other), size > 0);
        assert_false(bitfield_has_beyond(&other, &field));
        bitfield_copy(&field, &other);
        assert_int_equal(field.count, 0);
        assert_int_equal(bitfield_next_set(&field, 0), size);
        bitfield_deinit(&field);
        bitfield_deinit(&other);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(bitfield_speaks_the_wire_order),
        cmocka_unit_test(bitfield_refuses_spare_bits_and_wrong_lengths),
        cmocka_unit_test(bitfield_counts_its_bits_as_they_change),
        cmocka_unit_test(bitfield_finds_the_next_bit_of_either_kind),
        cmocka_unit_test(bitfield_full_and_empty_keep_spare_bits_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

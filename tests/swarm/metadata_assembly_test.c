/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/metadata_assembly.h"

#include <string.h>

#define SIZE (3 * LIMIT_BLOCK_SIZE + 100u)

static uint8_t truth[4 * LIMIT_BLOCK_SIZE];

static struct address address_of(uint8_t who)
{
    return address_ipv4((uint8_t[]){10, 0, 0, who}, 6881);
}

static struct bytes bytes_of(uint32_t block)
{
    uint32_t left = SIZE - block * LIMIT_BLOCK_SIZE;
    return (struct bytes){truth + block * LIMIT_BLOCK_SIZE,
                          left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE};
}

static enum freshet_error put(struct metadata_assembly *assembly, uint32_t slot, uint32_t block)
{
    struct address giver = address_of((uint8_t)slot);
    enum freshet_error error =
        metadata_assembly_put(assembly, slot, &giver, block, bytes_of(block));
    metadata_assembly_check(assembly);
    return error;
}

/* The block that the slot is asked for; UINT32_MAX: none. */
static uint32_t next(struct metadata_assembly *assembly, uint32_t slot, int64_t now)
{
    uint32_t block = UINT32_MAX;
    metadata_assembly_next(assembly, slot, now, &block);
    metadata_assembly_check(assembly);
    return block;
}

static struct metadata_assembly *assembly_new(void)
{
    for (size_t i = 0; i < sizeof truth; i++)
        truth[i] = (uint8_t)(i * 2654435761u >> 11);
    return metadata_assembly_new(SIZE);
}

static void metadata_assembly_asks_different_slots_for_different_blocks(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    assert_int_equal(metadata_assembly_size(assembly), SIZE);
    assert_int_equal(metadata_assembly_deadline(assembly), INT64_MAX);
    for (uint32_t slot = 0; slot < 4; slot++)
        assert_int_equal(next(assembly, slot, slot), slot);
    assert_int_equal(next(assembly, 4, 4), UINT32_MAX);
    assert_int_equal(metadata_assembly_asked(assembly, 2), 1);
    assert_int_equal(metadata_assembly_asked(assembly, 4), 0);
    assert_int_equal(metadata_assembly_deadline(assembly), METADATA_OVERDUE_NS);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_puts_blocks_together_in_any_order(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    for (uint32_t i = 0; i < 4; i++)
        next(assembly, 7, 0);
    static const uint32_t order[] = {3, 0, 2, 1};
    uint32_t bytes = 0;
    for (int i = 0; i < 4; i++) {
        assert_false(metadata_assembly_is_complete(assembly));
        assert_int_equal(metadata_assembly_bytes(assembly), bytes);
        assert_int_equal(put(assembly, 7, order[i]), FRESHET_OK);
        bytes += (uint32_t)bytes_of(order[i]).length;
    }
    assert_true(metadata_assembly_is_complete(assembly));
    struct buffer whole = {0};
    metadata_assembly_read(assembly, &whole);
    assert_int_equal(whole.length, SIZE);
    assert_memory_equal(whole.data, truth, SIZE);
    buffer_deinit(&whole);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_takes_only_what_was_asked_of_the_giver(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    struct address giver = address_of(1);
    assert_int_equal(put(assembly, 1, 0), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(next(assembly, 1, 0), 0);
    assert_int_equal(put(assembly, 2, 0), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(put(assembly, 1, 1), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(metadata_assembly_put(assembly, 1, &giver, 4, bytes_of(0)),
                     FRESHET_ERROR_NOT_FOUND);
    struct bytes shorter = {truth, LIMIT_BLOCK_SIZE - 1};
    assert_int_equal(metadata_assembly_put(assembly, 1, &giver, 0, shorter), FRESHET_ERROR_RANGE);
    assert_int_equal(put(assembly, 1, 0), FRESHET_OK);
    assert_int_equal(put(assembly, 1, 0), FRESHET_ERROR_NOT_FOUND); /* twice */
    assert_int_equal(metadata_assembly_bytes(assembly), LIMIT_BLOCK_SIZE);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_asks_others_for_what_is_overdue(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    for (uint32_t i = 0; i < 4; i++)
        next(assembly, 1, 0);
    assert_int_equal(next(assembly, 2, METADATA_OVERDUE_NS - 1), UINT32_MAX);
    assert_int_equal(next(assembly, 1, METADATA_OVERDUE_NS), UINT32_MAX); /* it owes it already */
    assert_int_equal(next(assembly, 2, METADATA_OVERDUE_NS), 0);
    assert_int_equal(metadata_assembly_asked(assembly, 1), 3);
    assert_int_equal(put(assembly, 2, 0), FRESHET_OK);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_takes_what_comes_late(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    next(assembly, 1, 0);
    assert_int_equal(next(assembly, 1, 0), 1);
    for (uint32_t i = 2; i < 4; i++)
        next(assembly, 5, METADATA_OVERDUE_NS);
    assert_int_equal(next(assembly, 2, METADATA_OVERDUE_NS), 0);
    assert_int_equal(put(assembly, 1, 0), FRESHET_OK);
    assert_int_equal(metadata_assembly_asked(assembly, 2), 0);
    assert_int_equal(put(assembly, 2, 0), FRESHET_ERROR_NOT_FOUND);
    /* Two were asked since: it is forgotten. So is who has left, and perhaps came back. */
    assert_int_equal(next(assembly, 2, METADATA_OVERDUE_NS), 1);
    assert_int_equal(next(assembly, 3, 2 * METADATA_OVERDUE_NS), 1);
    assert_int_equal(put(assembly, 1, 1), FRESHET_ERROR_NOT_FOUND);
    metadata_assembly_release(assembly, 2);
    assert_int_equal(put(assembly, 2, 1), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(put(assembly, 3, 1), FRESHET_OK);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_frees_what_was_refused_or_left(void **state)
{
    (void)state;
    struct metadata_assembly *assembly = assembly_new();
    for (uint32_t i = 0; i < 3; i++)
        next(assembly, 1, 0);
    metadata_assembly_reject(assembly, 2, 1); /* not its own */
    assert_int_equal(metadata_assembly_asked(assembly, 1), 3);
    metadata_assembly_reject(assembly, 1, 1);
    metadata_assembly_reject(assembly, 1, UINT32_MAX);
    assert_int_equal(next(assembly, 2, 0), 1);
    metadata_assembly_release(assembly, 1);
    assert_int_equal(metadata_assembly_asked(assembly, 1), 0);
    assert_int_equal(next(assembly, 2, 0), 0);
    assert_int_equal(metadata_assembly_asked(assembly, 2), 2);
    metadata_assembly_free(assembly);
}

static void metadata_assembly_knows_whether_one_gave_it_all(void **state)
{
    (void)state;
    for (uint32_t second = 1; second <= 2; second++) {
        struct metadata_assembly *assembly = assembly_new();
        for (uint32_t block = 0; block < 4; block++) {
            uint32_t slot = block == 3 ? second : 1;
            next(assembly, slot, 0);
            assert_int_equal(put(assembly, slot, block), FRESHET_OK);
        }
        const struct address *giver = metadata_assembly_sole_giver(assembly);
        struct address expected = address_of(1);
        if (second == 1)
            assert_true(address_equal(giver, &expected));
        else
            assert_null(giver);
        metadata_assembly_free(assembly);
    }
}

static void metadata_assembly_has_a_last_block_of_any_length(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, LIMIT_BLOCK_SIZE - 1, LIMIT_BLOCK_SIZE,
                                     LIMIT_BLOCK_SIZE + 1, 2 * LIMIT_BLOCK_SIZE};
    struct address giver = address_of(1);
    metadata_assembly_free(NULL);
    metadata_assembly_free(metadata_assembly_new(LIMIT_METADATA_SIZE));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct metadata_assembly *assembly = metadata_assembly_new(sizes[i]);
        uint32_t left = sizes[i], block;
        while (metadata_assembly_next(assembly, 1, 0, &block)) {
            uint32_t length = left < LIMIT_BLOCK_SIZE ? left : LIMIT_BLOCK_SIZE;
            assert_int_equal(metadata_assembly_put(assembly, 1, &giver, block,
                                                   (struct bytes){truth, length + 1}),
                             FRESHET_ERROR_RANGE);
            assert_int_equal(
                metadata_assembly_put(assembly, 1, &giver, block, (struct bytes){truth, length}),
                FRESHET_OK);
            left -= length;
        }
        assert_int_equal(left, 0);
        assert_true(metadata_assembly_is_complete(assembly));
        metadata_assembly_free(assembly);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata_assembly_asks_different_slots_for_different_blocks),
        cmocka_unit_test(metadata_assembly_puts_blocks_together_in_any_order),
        cmocka_unit_test(metadata_assembly_takes_only_what_was_asked_of_the_giver),
        cmocka_unit_test(metadata_assembly_asks_others_for_what_is_overdue),
        cmocka_unit_test(metadata_assembly_takes_what_comes_late),
        cmocka_unit_test(metadata_assembly_frees_what_was_refused_or_left),
        cmocka_unit_test(metadata_assembly_knows_whether_one_gave_it_all),
        cmocka_unit_test(metadata_assembly_has_a_last_block_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

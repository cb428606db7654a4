/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/block_ledger.h"

static void block_ledger_hands_out_the_lowest_free_block(void **state)
{
    (void)state;
    struct block_ledger *ledger = block_ledger_new(4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(block_ledger_take(ledger), i);
    assert_int_equal(block_ledger_take(ledger), BLOCK_NONE);
    block_ledger_give(ledger, 2);
    block_ledger_give(ledger, 1);
    assert_int_equal(block_ledger_in_use(ledger), 2);
    assert_int_equal(block_ledger_take(ledger), 1);
    assert_int_equal(block_ledger_take(ledger), 2);
    block_ledger_free(ledger);
}

static void block_ledger_always_has_room_for_a_first_piece(void **state)
{
    (void)state;
    struct block_ledger *ledger = block_ledger_new(16);
    assert_true(block_ledger_has_room(ledger, 1000));
    block_ledger_reserve(ledger, 10);
    assert_false(block_ledger_has_room(ledger, 1000));
    assert_true(block_ledger_has_room(ledger, 4));
    assert_false(block_ledger_has_room(ledger, 5));
    block_ledger_release(ledger, 10);
    assert_true(block_ledger_has_room(ledger, 1000));
    block_ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_ledger_hands_out_the_lowest_free_block),
        cmocka_unit_test(block_ledger_always_has_room_for_a_first_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/heap.h"
#include "core/base/rng.h"
#include <cmocka.h>

#define TIMERS 200

struct timer {
    int name;
    struct heap_node node;
};

static void heap_fires_in_order_of_deadline(void **state)
{
    (void)state;
    struct heap heap;
    struct timer timers[TIMERS] = {0};
    struct rng rng;
    rng_init(&rng, 3);
    heap_init(&heap);
    for (int i = 0; i < TIMERS; i++)
        heap_set(&heap, &timers[i].node, rng_below(&rng, 50));
    assert_true(heap_check(&heap));
    int64_t last = -1;
    for (int i = 0; i < TIMERS; i++) {
        int64_t deadline = heap_deadline(&heap);
        assert_null(heap_pop_due(&heap, deadline - 1));
        struct heap_node *node = heap_pop_due(&heap, deadline);
        assert_non_null(node);
        assert_true(node->when_ns == deadline && deadline >= last);
        last = deadline;
    }
    assert_true(heap_deadline(&heap) == HEAP_NEVER);
    assert_null(heap_pop_due(&heap, HEAP_NEVER));
    heap_deinit(&heap);
}

static void heap_fires_equal_deadlines_in_the_order_of_arming(void **state)
{
    (void)state;
    struct heap heap;
    struct timer timers[TIMERS] = {0};
    heap_init(&heap);
    for (int i = 0; i < TIMERS; i++) {
        int name = i * 7 % TIMERS;
        timers[name].name = i;
        heap_set(&heap, &timers[name].node, 5);
    }
    for (int i = 0; i < TIMERS; i++) {
        struct heap_node *node = heap_pop_due(&heap, 5);
        assert_int_equal(HEAP_ELEMENT(node, struct timer, node)->name, i);
    }
    heap_deinit(&heap);
}

static void heap_keeps_the_place_of_a_deadline_that_is_set_again(void **state)
{
    (void)state;
    struct heap heap;
    struct timer first = {0}, second = {0};
    heap_init(&heap);
    heap_set(&heap, &first.node, 9);
    heap_set(&heap, &second.node, 9);
    heap_set(&heap, &first.node, 9);
    assert_ptr_equal(heap_pop_due(&heap, 9), &first.node);
    heap_set(&heap, &first.node, HEAP_NEVER);
    assert_ptr_equal(heap_pop_due(&heap, 9), &second.node);
    heap_deinit(&heap);
}

static void heap_survives_random_moves_and_removals(void **state)
{
    (void)state;
    struct heap heap;
    struct timer timers[TIMERS] = {0};
    bool armed[TIMERS] = {false};
    struct rng rng;
    rng_init(&rng, 4);
    heap_init(&heap);
    for (int step = 0; step < 20000; step++) {
        uint32_t i = rng_below(&rng, TIMERS);
        switch (rng_below(&rng, 3)) {
        case 0: heap_remove(&heap, &timers[i].node), armed[i] = false; break;
        case 1: heap_set(&heap, &timers[i].node, HEAP_NEVER), armed[i] = false; break;
        default: heap_set(&heap, &timers[i].node, rng_below(&rng, 1000)), armed[i] = true;
        }
        assert_true(heap_check(&heap));
        int64_t least = HEAP_NEVER;
        for (int j = 0; j < TIMERS; j++) {
            assert_int_equal(timers[j].node.place != 0, armed[j]);
            if (armed[j] && timers[j].node.when_ns < least)
                least = timers[j].node.when_ns;
        }
        assert_true(heap_deadline(&heap) == least);
    }
    heap_deinit(&heap);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_fires_in_order_of_deadline),
        cmocka_unit_test(heap_fires_equal_deadlines_in_the_order_of_arming),
        cmocka_unit_test(heap_keeps_the_place_of_a_deadline_that_is_set_again),
        cmocka_unit_test(heap_survives_random_moves_and_removals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

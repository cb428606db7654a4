/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/piece_order.h"

#define PIECES 700u

static void random_bits(struct rng *rng, struct bitfield *field, uint32_t one_in)
{
    bitfield_clear_all(field);
    for (uint32_t i = 0; i < field->size; i++)
        if (rng_below(rng, one_in) == 0)
            bitfield_set(field, i);
}

static void next_common_finds_what_a_walk_finds(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 4);
    for (uint32_t size = 1; size < 300; size += 7) {
        struct bitfield a, b;
        bitfield_init(&a, size);
        bitfield_init(&b, size);
        random_bits(&rng, &a, 8);
        random_bits(&rng, &b, 8);
        for (uint32_t from = 0; from <= size + 1; from++) {
            uint32_t expected = from < size ? from : size;
            while (expected < size && !(bitfield_has(&a, expected) && bitfield_has(&b, expected)))
                expected++;
            assert_int_equal(piece_order_next_common(&a, &b, from), expected);
        }
        bitfield_deinit(&a);
        bitfield_deinit(&b);
    }
}

struct model {
    bool listed;
    uint32_t priority, rarity;
};

/* The best rank among listed pieces in `has`; 0: there is none. */
static uint32_t best_rank(const struct model *model, const struct bitfield *has)
{
    uint32_t best = 0;
    for (uint32_t i = 0; i < PIECES; i++) {
        uint32_t rank = model[i].priority * 1000 + 500 - model[i].rarity;
        if (model[i].listed && bitfield_has(has, i) && rank > best)
            best = rank;
    }
    return best;
}

static void compare(struct piece_order *order, const struct model *model,
                    const struct bitfield *has, struct rng *rng)
{
    uint32_t rank = best_rank(model, has);
    piece_index rarest = piece_order_rarest(order, has, false, rng);
    piece_index any = piece_order_random(order, has, rng);
    piece_index first = piece_order_first(order, has);
    if (rank == 0) {
        assert_int_equal(rarest, PIECE_ORDER_NONE);
        assert_int_equal(any, PIECE_ORDER_NONE);
        assert_int_equal(first, PIECE_ORDER_NONE);
        return;
    }
    assert_true(model[rarest].listed && bitfield_has(has, rarest));
    assert_int_equal(model[rarest].priority * 1000 + 500 - model[rarest].rarity, rank);
    assert_true(model[any].listed && bitfield_has(has, any));
    assert_int_equal(model[any].priority, model[rarest].priority);
    for (uint32_t i = 0; i < first; i++)
        assert_false(model[i].listed && bitfield_has(has, i) &&
                     model[i].priority >= model[first].priority);
}

static void order_agrees_with_a_walk_over_everything(void **state)
{
    (void)state;
    static struct model model[PIECES];
    struct rng rng;
    rng_init(&rng, 9);
    struct piece_order order;
    piece_order_init(&order, PIECES);
    struct bitfield has;
    bitfield_init(&has, PIECES);
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t i = rng_below(&rng, PIECES);
        struct model *piece = &model[i];
        if (!piece->listed) {
            *piece = (struct model){.listed = true, .priority = 1 + rng_below(&rng, 7)};
            piece->rarity = rng_below(&rng, PIECE_ORDER_LEVELS);
            piece_order_insert(&order, i, piece->priority, piece->rarity);
        } else if (rng_below(&rng, 3) == 0) {
            piece->listed = false;
            piece_order_remove(&order, i);
        } else {
            piece->rarity = rng_below(&rng, PIECE_ORDER_LEVELS);
            piece_order_move(&order, i, piece->rarity);
        }
        if (step % 20)
            continue;
        const uint32_t one_in[] = {1, 2, 30, 1000};
        random_bits(&rng, &has, one_in[step / 20 % 4]);
        piece_order_check(&order);
        compare(&order, model, &has, &rng);
    }
    bitfield_deinit(&has);
    piece_order_deinit(&order);
}

static void what_is_commoner_than_common_is_common(void **state)
{
    (void)state;
    struct piece_order order;
    piece_order_init(&order, 2);
    piece_order_insert(&order, 0, 4, 100000);
    piece_order_insert(&order, 1, 4, 3);
    piece_order_move(&order, 1, 100000);
    piece_order_check(&order);
    assert_int_equal(piece_order_length(&order), 2);
    assert_int_equal(piece_order_top(&order), 4);
    piece_order_deinit(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_common_finds_what_a_walk_finds),
        cmocka_unit_test(order_agrees_with_a_walk_over_everything),
        cmocka_unit_test(what_is_commoner_than_common_is_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/swarm/super_seed.h"

#define PIECES 20u
#define PEERS  4u

struct fixture {
    struct super_seed *seed;
    struct bitfield has[PEERS];
};

static void fixture_init(struct fixture *f)
{
    f->seed = super_seed_new(PIECES, 1);
    for (uint32_t i = 0; i < PEERS; i++)
        bitfield_init(&f->has[i], PIECES);
}

static void fixture_deinit(struct fixture *f)
{
    super_seed_free(f->seed);
    for (uint32_t i = 0; i < PEERS; i++)
        bitfield_deinit(&f->has[i]);
}

static uint32_t have(struct fixture *f, uint32_t slot, uint32_t piece)
{
    uint32_t earned;
    bitfield_set(&f->has[slot], piece);
    super_seed_peer_have(f->seed, slot, piece, &earned);
    return earned;
}

static void each_peer_is_shown_another_piece(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint32_t shown[PEERS];
    for (uint32_t i = 0; i < PEERS; i++) {
        shown[i] = super_seed_peer_joined(f.seed, i, &f.has[i]);
        assert_true(shown[i] < PIECES);
        for (uint32_t j = 0; j < i; j++)
            assert_int_not_equal(shown[i], shown[j]);
        assert_true(super_seed_is_shown(f.seed, i, shown[i]));
        assert_false(super_seed_is_shown(f.seed, i, (shown[i] + 1) % PIECES));
    }
    fixture_deinit(&f);
}

static void another_piece_is_earned_by_spreading_the_last(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint32_t a = super_seed_peer_joined(f.seed, 0, &f.has[0]);
    super_seed_peer_joined(f.seed, 1, &f.has[1]);
    assert_int_equal(have(&f, 0, a), SUPER_SEED_NONE); /* its own word does not count */
    assert_int_equal(have(&f, 1, a), 0);
    uint32_t next = super_seed_next(f.seed, 0, &f.has[0]);
    assert_true(next < PIECES);
    assert_int_not_equal(next, a);
    fixture_deinit(&f);
}

static void a_lonely_peer_is_served_on_its_word(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint32_t piece = super_seed_peer_joined(f.seed, 0, &f.has[0]);
    for (uint32_t i = 1; i < PIECES; i++) {
        assert_false(super_seed_is_done(f.seed));
        assert_int_equal(have(&f, 0, piece), 0);
        piece = super_seed_next(f.seed, 0, &f.has[0]);
        assert_true(piece < PIECES);
    }
    assert_int_equal(have(&f, 0, piece), 0);
    assert_int_equal(super_seed_next(f.seed, 0, &f.has[0]), SUPER_SEED_NONE);
    assert_true(super_seed_is_done(f.seed));
    super_seed_peer_left(f.seed, 0, &f.has[0]);
    assert_false(super_seed_is_done(f.seed));
    super_seed_peer_left(f.seed, 1, NULL);
    fixture_deinit(&f);
}

static void who_waits_too_long_is_shown_another_piece(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    uint32_t first = super_seed_peer_joined(f.seed, 0, &f.has[0]);
    super_seed_peer_joined(f.seed, 1, &f.has[1]);
    for (uint32_t second = 1; second < SUPER_SEED_PATIENCE_S; second++)
        super_seed_tick(f.seed);
    assert_int_equal(super_seed_take_overdue(f.seed), SUPER_SEED_NONE);
    super_seed_tick(f.seed);
    assert_int_equal(super_seed_take_overdue(f.seed), 0);
    uint32_t piece = super_seed_next(f.seed, 0, &f.has[0]);
    assert_true(piece < PIECES && piece != first);
    assert_true(super_seed_is_shown(f.seed, 0, first));
    assert_int_equal(super_seed_take_overdue(f.seed), 1);
    assert_int_equal(super_seed_take_overdue(f.seed), SUPER_SEED_NONE);
    fixture_deinit(&f);
}

/* Peers swap what they were shown, in random order: one copy goes out with one upload a piece. */
static void one_copy_goes_out_with_little_more_than_one_upload(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct rng rng;
    rng_init(&rng, 5);
    uint32_t wanted[PEERS];
    uint32_t uploads = 0;
    for (uint32_t i = 0; i < PEERS; i++)
        wanted[i] = super_seed_peer_joined(f.seed, i, &f.has[i]);
    for (uint32_t step = 0; step < 100000 && !super_seed_is_done(f.seed); step++) {
        uint32_t slot = rng_below(&rng, PEERS);
        uint32_t piece = SUPER_SEED_NONE;
        if (wanted[slot] != SUPER_SEED_NONE && !bitfield_has(&f.has[slot], wanted[slot])) {
            piece = wanted[slot];
            uploads++;
        } else {
            uint32_t other = rng_below(&rng, PEERS);
            uint32_t at = rng_below(&rng, PIECES);
            if (other != slot && bitfield_has(&f.has[other], at) && !bitfield_has(&f.has[slot], at))
                piece = at;
        }
        if (piece == SUPER_SEED_NONE)
            continue;
        uint32_t earned = have(&f, slot, piece);
        if (earned != SUPER_SEED_NONE)
            wanted[earned] = super_seed_next(f.seed, earned, &f.has[earned]);
    }
    assert_true(super_seed_is_done(f.seed));
    assert_in_range(uploads, PIECES, PIECES + 2 * PEERS);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_peer_is_shown_another_piece),
        cmocka_unit_test(another_piece_is_earned_by_spreading_the_last),
        cmocka_unit_test(a_lonely_peer_is_served_on_its_word),
        cmocka_unit_test(who_waits_too_long_is_shown_another_piece),
        cmocka_unit_test(one_copy_goes_out_with_little_more_than_one_upload),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

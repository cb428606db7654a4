/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/choker.h"

#define PEERS 20u

struct fixture {
    struct choker choker;
    struct choker_situation situation;
    struct choker_peer peers[PEERS];
    uint32_t count;
};

/* Peers 0.. of slots 100.., interested, choked, old, giving 1000 * (i + 1) bytes a second. */
static void fixture_init(struct fixture *f, uint32_t slots, uint32_t count)
{
    *f = (struct fixture){.count = count, .situation.now = 1000 * SECOND_NS};
    choker_init(&f->choker, slots, 1, f->situation.now);
    for (uint32_t i = 0; i < count; i++)
        f->peers[i] =
            (struct choker_peer){.slot = 100 + i, .interested = true, .rate_from = 1000 * (i + 1)};
}

static bool contains(const uint32_t *slots, uint32_t count, uint32_t slot)
{
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] == slot)
            return true;
    return false;
}

/* Runs a round and puts it into effect; returns how many are unchoked. */
static uint32_t play_round(struct fixture *f, int64_t after_ns)
{
    uint32_t slots[PEERS];
    f->situation.now += after_ns;
    uint32_t count = choker_round(&f->choker, &f->situation, f->peers, f->count, slots);
    for (uint32_t i = 0; i < f->count; i++) {
        bool unchoked = contains(slots, count, f->peers[i].slot);
        if (unchoked != f->peers[i].unchoked)
            f->peers[i].choked_ns = f->situation.now;
        f->peers[i].unchoked = unchoked;
    }
    return count;
}

static void choker_unchokes_the_best_and_one_optimistically(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 10);
    assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 4);
    assert_true(f.peers[9].unchoked && f.peers[8].unchoked && f.peers[7].unchoked);
    assert_int_equal(f.choker.optimistic_count, 1);
    assert_true(f.choker.optimistic[0] < 107);
    assert_int_equal(choker_deadline(&f.choker), f.situation.now + CHOKER_ROUND_NS);
}

static void choker_serves_everybody_while_there_is_room(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 4);
    f.peers[1].rate_from = 0;
    assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 4);
}

static void choker_keeps_the_optimistic_one_for_thirty_seconds(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 12);
    play_round(&f, CHOKER_ROUND_NS);
    uint32_t first = f.choker.optimistic[0];
    play_round(&f, CHOKER_ROUND_NS);
    assert_int_equal(f.choker.optimistic[0], first);
    play_round(&f, CHOKER_ROUND_NS); /* 30 s since the start */
    assert_int_equal(f.choker.optimistic_count, 1);
    assert_int_not_equal(f.choker.optimistic[0], first);
}

static void choker_gives_newcomers_three_chances(void **state)
{
    (void)state;
    uint32_t newcomers = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        struct fixture f;
        fixture_init(&f, 4, 13);
        choker_init(&f.choker, 4, seed, f.situation.now);
        for (uint32_t i = 0; i < 5; i++)
            f.peers[i].connected_ns = f.situation.now; /* 5 newcomers, 5 old, 3 regular ones */
        play_round(&f, CHOKER_ROUND_NS);
        newcomers += f.choker.optimistic[0] < 105;
    }
    assert_in_range(newcomers, 2880, 3120); /* 3000 expected, sigma 27 */
}

static void choker_tries_everybody_in_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 12);
    uint32_t tried[PEERS] = {0};
    for (uint32_t i = 0; i < 900; i++) {
        play_round(&f, CHOKER_OPTIMISTIC_NS);
        tried[f.choker.optimistic[0] - 100]++;
    }
    for (uint32_t i = 0; i < 9; i++)
        assert_in_range(tried[i], 60, 140);
}

static void choker_unchokes_a_better_one_that_is_not_interested(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 10);
    f.peers[9].interested = false;
    assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 5);
    assert_true(f.peers[9].unchoked);
    assert_true(f.peers[6].unchoked);
    /* When it becomes interested, the worst regular one makes room. */
    f.peers[9].interested = true;
    struct choker_change change;
    choker_on_interested(&f.choker, &f.situation, f.peers, f.count, 109, &change);
    assert_int_equal(change.unchoke, CHOKER_SLOT_NONE);
    assert_int_equal(change.choke, 106);
}

static void choker_gives_no_regular_slot_to_who_snubs_us(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 12);
    play_round(&f, CHOKER_ROUND_NS);
    f.peers[11].snubbed = f.peers[10].snubbed = true;
    play_round(&f, CHOKER_ROUND_NS);
    assert_false(f.peers[11].unchoked && !choker_is_optimistic(&f.choker, 111));
    assert_int_equal(f.choker.optimistic_count, 3); /* two more than before */
    assert_true(f.peers[9].unchoked);
}

static void choker_never_unchokes_seeds_and_the_uninterested(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 6);
    f.peers[5].is_seed = true;
    f.peers[0].interested = false;
    assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 4);
    assert_false(f.peers[5].unchoked);
    assert_false(f.peers[0].unchoked);
}

static void choker_fills_a_free_slot_at_once(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 2, 3);
    struct choker_change change;
    for (uint32_t i = 0; i < 2; i++) {
        choker_on_interested(&f.choker, &f.situation, f.peers, f.count, 100 + i, &change);
        assert_int_equal(change.unchoke, 100 + i);
        assert_int_equal(change.choke, CHOKER_SLOT_NONE);
        f.peers[i].unchoked = true;
    }
    choker_on_interested(&f.choker, &f.situation, f.peers, f.count, 102, &change);
    assert_int_equal(change.unchoke, CHOKER_SLOT_NONE);
    f.peers[0].interested = false;
    choker_on_interested(&f.choker, &f.situation, f.peers, f.count, CHOKER_SLOT_NONE, &change);
    assert_int_equal(change.unchoke, 102);
}

static void choker_rotates_fairly_while_seeding(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 12);
    f.situation.seeding = true;
    uint32_t rounds[PEERS] = {0};
    for (uint32_t i = 0; i < 1200; i++) {
        assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 4);
        for (uint32_t j = 0; j < f.count; j++) {
            rounds[j] += f.peers[j].unchoked;
            f.peers[j].rate_to = f.peers[j].unchoked ? 1000 * j : 0;
        }
    }
    for (uint32_t j = 0; j < f.count; j++)
        assert_in_range(rounds[j], 280, 520); /* 400 each */
}

static void choker_prefers_good_takers_within_their_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 3, 4);
    f.situation.seeding = true;
    for (uint32_t i = 0; i < 4; i++) {
        f.peers[i].unchoked = true;
        f.peers[i].choked_ns = f.situation.now;
        f.peers[i].rate_to = 1000 * i;
    }
    play_round(&f, CHOKER_ROUND_NS);
    assert_true(f.peers[3].unchoked && f.peers[2].unchoked);
}

static void choker_adds_slots_only_while_they_bring_more(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 0, 20);
    /* Each slot moves 100 kB/s, the link 1 MB/s. */
    uint32_t most = 0;
    for (uint32_t i = 0; i < 200; i++) {
        uint64_t rate = f.choker.slots * UINT64_C(100000);
        f.situation.upload_rate = rate < 1000000 ? rate : 1000000;
        play_round(&f, CHOKER_ROUND_NS);
        if (f.choker.slots > most)
            most = f.choker.slots;
    }
    assert_in_range(f.choker.slots, 10, 11);
    assert_int_equal(most, 11);
    /* A limit that is reached stops it. */
    fixture_init(&f, 0, 20);
    f.situation.upload_limit = 1000000;
    f.situation.upload_rate = 950000;
    for (uint32_t i = 0; i < 50; i++)
        play_round(&f, CHOKER_ROUND_NS);
    assert_int_equal(f.choker.slots, CHOKER_SLOTS_DEFAULT);
    /* Fixed slots stay. */
    fixture_init(&f, 7, 20);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(play_round(&f, CHOKER_ROUND_NS), 7);
}

static void choker_forgets_who_left(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, 4, 12);
    play_round(&f, CHOKER_ROUND_NS);
    uint32_t slot = f.choker.optimistic[0];
    choker_on_left(&f.choker, slot);
    assert_false(choker_is_optimistic(&f.choker, slot));
    assert_int_equal(f.choker.optimistic_count, 0);
}

static void choker_decides_the_same_with_the_same_seed(void **state)
{
    (void)state;
    struct fixture a, b;
    fixture_init(&a, 4, 15);
    fixture_init(&b, 4, 15);
    for (uint32_t i = 0; i < 50; i++) {
        play_round(&a, CHOKER_ROUND_NS);
        play_round(&b, CHOKER_ROUND_NS);
        for (uint32_t j = 0; j < a.count; j++)
            assert_int_equal(a.peers[j].unchoked, b.peers[j].unchoked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choker_unchokes_the_best_and_one_optimistically),
        cmocka_unit_test(choker_serves_everybody_while_there_is_room),
        cmocka_unit_test(choker_keeps_the_optimistic_one_for_thirty_seconds),
        cmocka_unit_test(choker_gives_newcomers_three_chances),
        cmocka_unit_test(choker_tries_everybody_in_turn),
        cmocka_unit_test(choker_unchokes_a_better_one_that_is_not_interested),
        cmocka_unit_test(choker_gives_no_regular_slot_to_who_snubs_us),
        cmocka_unit_test(choker_never_unchokes_seeds_and_the_uninterested),
        cmocka_unit_test(choker_fills_a_free_slot_at_once),
        cmocka_unit_test(choker_rotates_fairly_while_seeding),
        cmocka_unit_test(choker_prefers_good_takers_within_their_turn),
        cmocka_unit_test(choker_adds_slots_only_while_they_bring_more),
        cmocka_unit_test(choker_forgets_who_left),
        cmocka_unit_test(choker_decides_the_same_with_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

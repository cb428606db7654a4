/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/blame.h"

#include <string.h>

#define BLOCKS 4u

static struct address at(uint32_t host, uint16_t port)
{
    uint8_t ip[4] = {10, (uint8_t)(host >> 16), (uint8_t)(host >> 8), (uint8_t)host};
    return address_ipv4(ip, port);
}

/* Leaves of a good piece; `bad` blocks differ. */
static void make_leaves(uint8_t leaves[BLOCKS * 32], uint32_t bad)
{
    for (uint32_t i = 0; i < BLOCKS; i++)
        memset(leaves + 32 * (size_t)i, (int)(i + (bad >> i & 1 ? 100 : 1)), 32);
}

static void the_sole_sender_of_a_bad_piece_is_banned(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address senders[BLOCKS], told;
    for (uint32_t i = 0; i < BLOCKS; i++)
        senders[i] = at(1 << 16, (uint16_t)(1000 + i)); /* ports do not count */
    blame_piece_failed(blame, 3, senders, NULL, BLOCKS);
    assert_true(blame_is_banned(blame, &senders[0]));
    assert_true(blame_next_ban(blame, &told));
    assert_true(address_same_ip(&told, &senders[0]));
    assert_false(blame_next_ban(blame, &told));
    assert_false(blame_wants_leaves(blame, 3));
    blame_check(blame);
    blame_free(blame);
}

static void the_poisoner_among_several_is_found_by_block(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address senders[BLOCKS], told;
    uint8_t leaves[BLOCKS * 32];
    for (uint32_t i = 0; i < BLOCKS; i++)
        senders[i] = at((i + 1) << 16, 1);
    make_leaves(leaves, 1 << 2);
    blame_piece_failed(blame, 3, senders, leaves, BLOCKS);
    assert_false(blame_next_ban(blame, &told));
    assert_int_equal(blame_trust(blame, &senders[0]), -BLAME_BAD);
    assert_true(blame_wants_leaves(blame, 3));
    assert_false(blame_wants_leaves(blame, 4));
    make_leaves(leaves, 0);
    struct address others[BLOCKS];
    for (uint32_t i = 0; i < BLOCKS; i++)
        others[i] = at((i + 20) << 16, 1);
    blame_piece_verified(blame, 3, others, leaves, BLOCKS);
    assert_true(blame_next_ban(blame, &told));
    assert_true(address_same_ip(&told, &senders[2]));
    assert_false(blame_next_ban(blame, &told));
    assert_int_equal(blame_trust(blame, &senders[0]), 0); /* proved innocent */
    assert_int_equal(blame_trust(blame, &others[0]), 1);
    assert_false(blame_wants_leaves(blame, 3));
    blame_check(blame);
    blame_free(blame);
}

static void two_failures_of_a_piece_are_both_judged(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address senders[BLOCKS];
    uint8_t leaves[BLOCKS * 32];
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < BLOCKS; i++)
            senders[i] = at((i + 1 + 10 * round) << 16, 1);
        make_leaves(leaves, 1 << round);
        blame_piece_failed(blame, 3, senders, leaves, BLOCKS);
    }
    make_leaves(leaves, 0);
    blame_piece_verified(blame, 3, senders, leaves, BLOCKS);
    struct address first = at(1 << 16, 1), second = at(12 << 16, 1), third = at(2 << 16, 1);
    assert_true(blame_is_banned(blame, &first));
    assert_true(blame_is_banned(blame, &second));
    assert_false(blame_is_banned(blame, &third));
    blame_free(blame);
}

static void trust_is_lost_by_two_and_banned_at_minus_seven(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address senders[2] = {at(1 << 16, 1), at(2 << 16, 1)};
    struct address good[2] = {at(1 << 16, 1), at(1 << 16, 1)};
    for (uint32_t i = 0; i < 20; i++)
        blame_piece_verified(blame, i, good, NULL, 2);
    assert_int_equal(blame_trust(blame, &senders[0]), BLAME_TRUST_MAX);
    for (uint32_t i = 0; i < 3; i++)
        blame_piece_failed(blame, i, senders, NULL, 2);
    assert_false(blame_is_banned(blame, &senders[1])); /* -6 */
    blame_piece_failed(blame, 9, senders, NULL, 2);
    assert_true(blame_is_banned(blame, &senders[1]));  /* -8 */
    assert_false(blame_is_banned(blame, &senders[0])); /* 8 - 8 */
    assert_int_equal(blame_trust(blame, &senders[0]), 0);
    blame_check(blame);
    blame_free(blame);
}

static void three_bans_quarantine_their_prefix(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address neighbour = at(0x010203, 9), stranger = at(0x010303, 9);
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(blame_is_banned(blame, &neighbour));
        struct address bad = at(0x010210 + i, 1);
        blame_ban(blame, &bad);
        blame_ban(blame, &bad); /* counts once */
    }
    assert_true(blame_is_banned(blame, &neighbour));
    assert_false(blame_is_banned(blame, &stranger));
    uint8_t ip[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1};
    for (uint32_t i = 0; i < 3; i++) {
        ip[15] = (uint8_t)(i + 1);
        struct address bad = address_ipv6(ip, 1);
        blame_ban(blame, &bad);
    }
    ip[8] = 77;
    struct address same_64 = address_ipv6(ip, 5);
    assert_true(blame_is_banned(blame, &same_64));
    ip[7] = 2;
    struct address other_64 = address_ipv6(ip, 5);
    assert_false(blame_is_banned(blame, &other_64));
    blame_free(blame);
}

static void blame_stays_within_its_bounds(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    uint8_t leaves[BLOCKS * 32];
    make_leaves(leaves, 1);
    for (uint32_t i = 0; i < 6000; i++) {
        struct address senders[BLOCKS];
        for (uint32_t j = 0; j < BLOCKS; j++)
            senders[j] = at((i * BLOCKS + j) << 8 | (i >> 12), 1);
        blame_piece_failed(blame, i, senders, leaves, BLOCKS);
        blame_ban(blame, &senders[0]);
        if (i % 64 == 0)
            blame_check(blame);
    }
    blame_check(blame);
    assert_false(blame_wants_leaves(blame, 0));
    assert_true(blame_wants_leaves(blame, 5999));
    uint32_t told = 0;
    struct address address;
    while (blame_next_ban(blame, &address))
        told++;
    assert_true(told <= BLAME_BANS_MAX);
    blame_free(blame);
}

static void who_shares_pieces_with_a_poisoner_waits_for_the_proof(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address honest = at(1 << 16, 1), liar = at(2 << 16, 1);
    const struct address senders[BLOCKS] = {honest, liar, honest, honest};
    uint8_t bad[BLOCKS * 32], good[BLOCKS * 32];
    make_leaves(bad, 2);
    make_leaves(good, 0);
    for (piece_index piece = 0; piece + 1 < BLAME_PENDING_MAX; piece++) {
        blame_piece_failed(blame, piece, senders, bad, BLOCKS);
        assert_false(blame_is_banned(blame, &honest));
        assert_false(blame_is_banned(blame, &liar));
    }
    blame_check(blame);
    /* One good piece proves it. */
    blame_piece_verified(blame, 0, senders, good, BLOCKS);
    assert_false(blame_is_banned(blame, &honest));
    assert_true(blame_is_banned(blame, &liar));
    blame_free(blame);
}

static void nobody_can_keep_the_proof_from_coming_for_ever(void **state)
{
    (void)state;
    struct blame *blame = blame_new(1);
    struct address honest = at(1 << 16, 1), liar = at(2 << 16, 1);
    const struct address senders[BLOCKS] = {honest, liar, honest, honest};
    uint8_t bad[BLOCKS * 32];
    make_leaves(bad, 2);
    for (piece_index piece = 0; piece < BLAME_PENDING_MAX; piece++)
        blame_piece_failed(blame, piece, senders, bad, BLOCKS);
    assert_true(blame_is_banned(blame, &liar));
    blame_free(blame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sole_sender_of_a_bad_piece_is_banned),
        cmocka_unit_test(the_poisoner_among_several_is_found_by_block),
        cmocka_unit_test(two_failures_of_a_piece_are_both_judged),
        cmocka_unit_test(trust_is_lost_by_two_and_banned_at_minus_seven),
        cmocka_unit_test(three_bans_quarantine_their_prefix),
        cmocka_unit_test(blame_stays_within_its_bounds),
        cmocka_unit_test(who_shares_pieces_with_a_poisoner_waits_for_the_proof),
        cmocka_unit_test(nobody_can_keep_the_proof_from_coming_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

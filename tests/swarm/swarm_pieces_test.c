/* SPDX-License-Identifier: MIT */
/* What storage says of pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static void swarm_pieces_tell_others_what_came(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t leecher = lone_leecher(lone, 1, true);
    uint32_t knows = lone_leecher(lone, 2, true);
    lone_say_index(lone, knows, WIRE_HAVE, 0);
    uint32_t seed = lone_seed_peer(lone, 3, true);
    while (lone_answer(lone, seed, true) > 0)
        ;
    assert_int_equal(lone_count_sent(lone, leecher, WIRE_HAVE), LONE_PIECES);
    assert_int_equal(lone_count_sent(lone, knows, WIRE_HAVE), LONE_PIECES - 1);
    /* Seeds have nothing for each other; the others stay. */
    assert_true(lone->closed[seed]);
    assert_false(lone->closed[leecher]);
    lone_free(lone);
}

static void swarm_pieces_find_the_one_poisoner_among_two(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t liar = lone_seed_peer(lone, 1, true);
    uint32_t honest = lone_seed_peer(lone, 2, true);
    for (int round = 0; round < 200 && !lone_status(lone).complete; round++) {
        lone_answer(lone, liar, false);
        lone_answer(lone, honest, true);
        lone_wait(lone, SECOND_NS);
    }
    assert_true(lone_status(lone).complete);
    assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
    assert_true(lone->closed[liar]);
    assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 1);
    struct address who = lone_address(1);
    assert_true(address_same_ip(&lone->last_banned, &who));
    lone_free(lone);
}

static void swarm_pieces_that_changed_on_the_disk_are_not_served(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    lone->disk[5] ^= 1;
    lone->mtime_ns++;
    lone_wait(lone, 12 * SECOND_NS);
    assert_int_equal(lone->notices[NOTICE_FILE_CHANGED], 1);
    assert_int_equal(lone->notices[NOTICE_REHASHED], 1);
    assert_false(lone_status(lone).complete);
    assert_int_equal(lone_status(lone).pieces_done, LONE_PIECES - 1);
    assert_int_equal(lone_status(lone).phase, PHASE_DOWNLOADING);
    lone_forget_sent(lone, peer);
    lone_say_block(lone, peer, WIRE_REQUEST, 0, 0, 16384);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 0);
    lone_say_block(lone, peer, WIRE_REQUEST, 1, 0, 16384);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_PIECE), 1);
    /* The missing piece comes back from a peer. */
    uint32_t seed = lone_seed_peer(lone, 2, true);
    while (lone_answer(lone, seed, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
}

static void swarm_pieces_missing_from_a_read_only_copy_stay_missing(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->disk[5] ^= 1;
    struct torrent_options options = {
        .root = "/r", .read_only = true, .seed_ratio = -1, .seed_time_s = -1};
    lone_begin(lone, NULL, &options);
    assert_int_equal(lone_status(lone).phase, PHASE_SEEDING);
    assert_int_equal(lone_status(lone).pieces_done, LONE_PIECES - 1);
    uint32_t leecher = lone_leecher(lone, 1, true);
    uint32_t seed = lone_seed_peer(lone, 2, true);
    assert_int_equal(lone_count_sent(lone, seed, WIRE_INTERESTED), 0);
    assert_int_equal(lone_count_sent(lone, seed, WIRE_REQUEST), 0);
    lone_say_block(lone, leecher, WIRE_REQUEST, 1, 0, 16384);
    assert_int_equal(lone_count_sent(lone, leecher, WIRE_PIECE), 1);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_pieces_tell_others_what_came),
        cmocka_unit_test(swarm_pieces_find_the_one_poisoner_among_two),
        cmocka_unit_test(swarm_pieces_that_changed_on_the_disk_are_not_served),
        cmocka_unit_test(swarm_pieces_missing_from_a_read_only_copy_stay_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

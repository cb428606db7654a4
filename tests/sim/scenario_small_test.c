/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/scenario_run.h"

/* Engines check themselves after every event here: the runs are short. */
static void run_checked(const char *name, uint64_t seed)
{
    const struct sim_wish options = {.seed = seed, .check_every = 1};
    scenario_run_twice(name, &options);
}

static void two_peers_share_a_torrent_of_several_files(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_checked("two_peers", seed);
}

static void everybody_completes_when_the_seed_leaves_after_one_copy(void **state)
{
    (void)state;
    const struct sim_wish options = {.seed = 1, .check_every = 1000};
    scenario_run_twice("seed_leaves", &options);
}

static void a_poisoner_is_banned_and_nobody_honest_is(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_checked("poisoner", seed);
}

static void everybody_completes_when_the_tracker_dies(void **state)
{
    (void)state;
    const struct sim_wish options = {.seed = 1, .check_every = 1000};
    scenario_run_twice("tracker_loss", &options);
}

static void nothing_recorded_is_lost_by_a_crash_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) /* v2, hybrid, v1 */
        run_checked("crash_restart", seed);
}

static void a_storm_of_faults_ends_with_everybody_complete(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        run_checked("storm", seed);
}

static void what_is_played_comes_first(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) { /* v2, hybrid, v1 */
        const struct sim_wish options = {.seed = seed, .check_every = 100};
        scenario_run_twice("reader", &options);
    }
}

static void everybody_completes_by_peer_exchange_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        const struct sim_wish options = {.seed = seed, .check_every = 1000};
        scenario_run_twice("peer_exchange", &options);
    }
}

static void everybody_completes_without_a_tracker(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) { /* v1, v2, hybrid */
        const struct sim_wish options = {.seed = seed, .check_every = 100};
        scenario_run_twice("trackerless", &options);
    }
}

static void neighbours_find_each_other_without_a_tracker(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) /* v2, hybrid, v1 */
        run_checked("local_discovery", seed);
}

static void liars_keep_nobody_from_metadata(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) { /* v2, hybrid, v1 */
        const struct sim_wish options = {.seed = seed, .check_every = 100};
        scenario_run_twice("metadata_liars", &options);
    }
}

static void a_swarm_over_utp_completes(const char *name)
{
    for (uint64_t seed = 1; seed <= 3; seed++) { /* v2, hybrid, v1 */
        const struct sim_wish options = {.seed = seed, .check_every = 100};
        scenario_run_twice(name, &options);
    }
}

static void everybody_completes_over_utp(void **state)
{
    (void)state;
    a_swarm_over_utp_completes("utp");
    a_swarm_over_utp_completes("utp_mixed");
}

static void everybody_completes_over_utp_on_bad_links(void **state)
{
    (void)state;
    a_swarm_over_utp_completes("utp_loss");
    a_swarm_over_utp_completes("utp_reorder");
    a_swarm_over_utp_completes("utp_far");
}

static void peers_behind_nats_dial_out_and_two_alone_cannot_meet(void **state)
{
    (void)state;
    a_swarm_over_utp_completes("nat");
}

static void all_behind_nats_meet_through_one_in_the_open(void **state)
{
    (void)state;
    a_swarm_over_utp_completes("holepunch");
}

static void an_unknown_scenario_is_none(void **state)
{
    (void)state;
    assert_null(scenario_find("peace_on_earth"));
    assert_true(scenario_count() == 24);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_peers_share_a_torrent_of_several_files),
        cmocka_unit_test(everybody_completes_when_the_seed_leaves_after_one_copy),
        cmocka_unit_test(a_poisoner_is_banned_and_nobody_honest_is),
        cmocka_unit_test(everybody_completes_when_the_tracker_dies),
        cmocka_unit_test(nothing_recorded_is_lost_by_a_crash_anywhere),
        cmocka_unit_test(a_storm_of_faults_ends_with_everybody_complete),
        cmocka_unit_test(what_is_played_comes_first),
        cmocka_unit_test(everybody_completes_by_peer_exchange_alone),
        cmocka_unit_test(everybody_completes_without_a_tracker),
        cmocka_unit_test(neighbours_find_each_other_without_a_tracker),
        cmocka_unit_test(liars_keep_nobody_from_metadata),
        cmocka_unit_test(everybody_completes_over_utp),
        cmocka_unit_test(everybody_completes_over_utp_on_bad_links),
        cmocka_unit_test(peers_behind_nats_dial_out_and_two_alone_cannot_meet),
        cmocka_unit_test(all_behind_nats_meet_through_one_in_the_open),
        cmocka_unit_test(an_unknown_scenario_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The pretend DHT itself: were its delays, its dead or its oracle wrong, the scenarios would prove
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_delay.h"
#include "sim/sim_dht.h"

#define NODES   150u
#define PAIRS   400u /* on each side: 160,000 pairs */
#define LOOKUPS 100u
#define JOIN_NS (60 * SECOND_NS)

/* How many of all pairs are nearer, in permille. */
static uint32_t nearer_permille(uint64_t seed, int64_t rtt_us)
{
    uint32_t count = 0;
    for (uint32_t a = 0; a < PAIRS; a++)
        for (uint32_t b = PAIRS; b < 2 * PAIRS; b++)
            count += sim_delay_rtt_ns(seed, a, b) < rtt_us * 1000;
    return (uint32_t)((uint64_t)count * 1000 / (PAIRS * PAIRS));
}

static void round_trips_are_lognormal_median_80_ms_sigma_0_6(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        /* 80 ms times exp(0.6 k), and the share of a normal distribution that lies below k. */
        assert_in_range(nearer_permille(seed, 24096), 22 - 3, 22 + 3);
        assert_in_range(nearer_permille(seed, 43905), 158 - 5, 158 + 5);
        assert_in_range(nearer_permille(seed, 80000), 500 - 5, 500 + 5);
        assert_in_range(nearer_permille(seed, 145770), 841 - 5, 841 + 5);
        assert_in_range(nearer_permille(seed, 265609), 977 - 3, 977 + 3);
    }
}

static void no_round_trip_is_longer_than_a_second_and_a_few_are_nearly(void **state)
{
    (void)state;
    uint32_t far = 0;
    for (uint32_t a = 0; a < PAIRS; a++)
        for (uint32_t b = PAIRS; b < 2 * PAIRS; b++) {
            int64_t rtt_ns = sim_delay_rtt_ns(1, a, b);
            assert_true(rtt_ns > 0 && rtt_ns <= SECOND_NS);
            far += rtt_ns > SECOND_NS * 6 / 10;
        }
    /* 0.39 of a thousand lie beyond 600 ms: 62 of these. */
    assert_in_range(far, 30, 100);
}

static void a_pair_keeps_its_round_trip_both_ways(void **state)
{
    (void)state;
    uint32_t others = 0;
    for (uint32_t a = 0; a < 100; a++) {
        assert_int_equal(sim_delay_rtt_ns(7, a, 1000), sim_delay_rtt_ns(7, 1000, a));
        others += sim_delay_rtt_ns(7, a, 1000) != sim_delay_rtt_ns(8, a, 1000);
    }
    assert_true(others > 90);
}

static struct sim_dht *new_world(uint64_t seed)
{
    const struct sim_dht_options options = {.seed = seed, .nodes = NODES, .join_ns = JOIN_NS};
    struct sim_dht *world = sim_dht_new(&options);
    sim_dht_run(world, world->now + JOIN_NS + 300 * SECOND_NS);
    return world;
}

static void as_many_entries_are_dead_as_nodes(void **state)
{
    (void)state;
    struct sim_dht *world = new_world(1);
    assert_int_equal(world->honest_alive, NODES);
    assert_int_equal(sim_dht_dead_permille(world), 0);
    sim_dht_kill_share(world, 300);
    assert_int_equal(world->honest_alive, NODES * 7 / 10);
    assert_in_range(sim_dht_dead_permille(world), 270, 330);
    sim_dht_free(world);
}

/* The first peer of one look-up. */
struct first {
    uint32_t searcher, number;
    int64_t at_ns; /* -1: not yet */
};

static void on_result(struct sim_dht *world, uint32_t place, const struct dht_result *result)
{
    struct first *first = world->context;
    if (place == first->searcher && result->number == first->number &&
        result->type == DHT_RESULT_PEERS && first->at_ns < 0)
        first->at_ns = world->now;
}

/* By somebody who goes on to announce it, and so names itself too. */
static void announce(struct sim_dht *world, const struct dht_id *info_hash)
{
    uint32_t place = sim_dht_pick(world);
    assert_int_equal(
        dht_node_keep_announced(world->places[place].node, world->now, info_hash, 1, false), 0);
    sim_dht_pump(world, place);
    sim_dht_run(world, world->now + 10 * SECOND_NS);
}

static void the_oracle_is_never_slower_on_the_same_tables(void **state)
{
    (void)state;
    struct sim_dht *world = new_world(2);
    struct first first = {0};
    struct dht_id info_hash;
    uint32_t found = 0;
    memset(info_hash.bytes, 0x5a, DHT_ID_SIZE);
    announce(world, &info_hash);
    sim_dht_kill_share(world, 300);
    world->on_result = on_result;
    world->context = &first;
    for (uint32_t i = 0; i < LOOKUPS; i++) {
        uint32_t place = sim_dht_pick(world);
        if (dht_node_has_peers(world->places[place].node, &info_hash))
            continue;
        int64_t begun_ns = world->now, oracle_ns = sim_dht_oracle_ns(world, place, &info_hash);
        first = (struct first){.searcher = place, .at_ns = -1};
        first.number = dht_node_get_peers(world->places[place].node, world->now, &info_hash, 0);
        sim_dht_pump(world, place);
        sim_dht_run(world, world->now + 5 * SECOND_NS);
        if (first.at_ns < 0)
            continue;
        found++;
        assert_true(oracle_ns > 0);
        assert_true(oracle_ns <= first.at_ns - begun_ns);
    }
    assert_true(found > LOOKUPS / 2);
    sim_dht_free(world);
}

static void the_oracle_finds_no_way_to_what_nobody_holds(void **state)
{
    (void)state;
    struct sim_dht *world = new_world(3);
    struct dht_id info_hash;
    memset(info_hash.bytes, 0xa5, DHT_ID_SIZE);
    assert_int_equal(sim_dht_oracle_ns(world, sim_dht_pick(world), &info_hash), -1);
    sim_dht_free(world);
}

static void the_oracle_needs_one_round_trip_to_a_holder_that_it_knows(void **state)
{
    (void)state;
    struct sim_dht *world = new_world(4);
    struct dht_id info_hash;
    uint32_t checked = 0;
    memset(info_hash.bytes, 0x33, DHT_ID_SIZE);
    announce(world, &info_hash);
    for (uint32_t i = 0; i < world->place_count; i++) {
        struct dht_contact nearest;
        if (dht_node_closest(world->places[i].node, &info_hash, false, &nearest, 1) == 0)
            continue;
        uint32_t holder = sim_dht_at(world, &nearest.address);
        if (!dht_node_has_peers(world->places[holder].node, &info_hash))
            continue;
        assert_true(sim_dht_oracle_ns(world, i, &info_hash) <= sim_dht_rtt_ns(world, i, holder));
        checked++;
    }
    assert_true(checked > 10);
    sim_dht_free(world);
}

static void one_seed_gives_one_world(void **state)
{
    (void)state;
    struct sim_dht *a = new_world(5), *b = new_world(5), *other = new_world(6);
    assert_true(a->digest == b->digest && a->packets == b->packets);
    assert_true(a->digest != other->digest);
    sim_dht_free(a);
    sim_dht_free(b);
    sim_dht_free(other);
}

static void half_of_all_sessions_are_shorter_than_the_median(void **state)
{
    (void)state;
    const struct sim_dht_options options = {
        .seed = 1, .nodes = 600, .join_ns = SECOND_NS, .session_median_ns = 3600 * SECOND_NS};
    struct sim_dht *world = sim_dht_new(&options);
    uint32_t count = 0, quarter = 0, half = 0, three = 0;
    sim_dht_run(world, world->now + 2 * SECOND_NS);
    for (uint32_t i = 0; i < world->place_count; i++) {
        int64_t session_ns = world->places[i].leaves_ns - world->places[i].born_ns;
        if (world->places[i].leaves_ns == INT64_MAX)
            continue;
        count++;
        quarter += session_ns < 1494 * SECOND_NS; /* log2(4 / 3) of the median */
        half += session_ns < 3600 * SECOND_NS;
        three += session_ns < 7200 * SECOND_NS;
    }
    assert_true(count >= 590);
    assert_in_range(quarter * 1000 / count, 250 - 60, 250 + 60);
    assert_in_range(half * 1000 / count, 500 - 60, 500 + 60);
    assert_in_range(three * 1000 / count, 750 - 60, 750 + 60);
    sim_dht_free(world);
}

static void who_leaves_is_replaced(void **state)
{
    (void)state;
    const struct sim_dht_options options = {
        .seed = 1, .nodes = 100, .join_ns = SECOND_NS, .session_median_ns = 60 * SECOND_NS};
    struct sim_dht *world = sim_dht_new(&options);
    sim_dht_run(world, world->now + 120 * SECOND_NS);
    assert_true(world->place_count > 150);
    assert_int_equal(world->honest_alive, 100);
    sim_dht_free(world);
}

static struct sim_dht *new_sybils(enum sim_dht_sybils sybils, uint32_t permille)
{
    const struct sim_dht_options options = {
        .seed = 1, .nodes = 2000, .sybils = sybils, .sybil_permille = permille, .join_ns = JOIN_NS};
    return sim_dht_new(&options);
}

static void sybils_are_as_many_as_said_each_in_a_network_of_its_own(void **state)
{
    (void)state;
    struct sim_dht *world = new_sybils(SIM_DHT_SYBILS_AIMED, 50);
    static uint8_t seen[65536];
    uint32_t networks = 0;
    assert_int_equal(world->sybil_count, 100);
    for (uint32_t i = 0; i < world->sybil_count; i++) {
        const uint8_t *ip = world->places[world->sybils[i]].address.ip;
        uint8_t *mark = &seen[ip[0] << 8 | ip[1]];
        networks += !*mark;
        *mark = 1;
    }
    assert_in_range(networks, 98, 100);
    sim_dht_free(world);
}

/* The nearest of a hundred random ids shares six or seven bits with the aim. With BEP 42, who is
 * aimed chooses among eight ids an address, and so gains three bits. */
static void aimed_sybils_are_as_near_as_bep_42_allows(void **state)
{
    (void)state;
    struct sim_dht *world = new_sybils(SIM_DHT_SYBILS_AIMED, 50);
    uint32_t nearest = 0;
    for (uint32_t i = 0; i < world->sybil_count; i++) {
        const struct sim_dht_place *place = &world->places[world->sybils[i]];
        uint32_t bits = dht_id_shared_bits(&world->aim, &place->sybil_id);
        assert_true(dht_id_is_allowed(&place->sybil_id, &place->address));
        nearest = bits > nearest ? bits : nearest;
    }
    assert_in_range(nearest, 7, 21);
    sim_dht_free(world);
}

static void forged_sybils_sit_beside_the_aim(void **state)
{
    (void)state;
    struct sim_dht *world = new_sybils(SIM_DHT_SYBILS_FORGED, 50);
    for (uint32_t i = 0; i < world->sybil_count; i++)
        assert_true(dht_id_shared_bits(&world->aim, &world->places[world->sybils[i]].sybil_id) >=
                    100);
    sim_dht_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips_are_lognormal_median_80_ms_sigma_0_6),
        cmocka_unit_test(no_round_trip_is_longer_than_a_second_and_a_few_are_nearly),
        cmocka_unit_test(a_pair_keeps_its_round_trip_both_ways),
        cmocka_unit_test(as_many_entries_are_dead_as_nodes),
        cmocka_unit_test(the_oracle_is_never_slower_on_the_same_tables),
        cmocka_unit_test(the_oracle_finds_no_way_to_what_nobody_holds),
        cmocka_unit_test(the_oracle_needs_one_round_trip_to_a_holder_that_it_knows),
        cmocka_unit_test(one_seed_gives_one_world),
        cmocka_unit_test(half_of_all_sessions_are_shorter_than_the_median),
        cmocka_unit_test(who_leaves_is_replaced),
        cmocka_unit_test(sybils_are_as_many_as_said_each_in_a_network_of_its_own),
        cmocka_unit_test(aimed_sybils_are_as_near_as_bep_42_allows),
        cmocka_unit_test(forged_sybils_sit_beside_the_aim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

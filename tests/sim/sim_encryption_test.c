/* SPDX-License-Identifier: MIT */
/* Two pretend machines with each pair of policies, and a swarm with all of them. Ciphers are
 * compared where they begin (sim_flow_set_cipher): another one at either end is a violation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/sim_swarm.h"

/* FALLBACK: hidden was refused, then clear; TURNED: clear was refused, then hidden. */
enum outcome { NOTHING, CLEAR, HEADER_ONLY, ENCRYPTED, FALLBACK, TURNED };

struct story {
    enum encryption dials, listens;
    bool has_magnet;
    struct address seed;
};

/* Nobody reaches the peer, so that it is the one who dials. */
static void customise_pair(struct sim_node_options *node, uint32_t index, void *context)
{
    struct story *story = context;
    node->encryption = index == 0 ? story->listens : story->dials;
    node->link.unreachable = index == 1;
    if (index == 0)
        return;
    node->has_magnet = story->has_magnet;
    node->peers = &story->seed;
    node->peer_count = 1;
}

static void run_pair(enum encryption dials, enum encryption listens, enum outcome outcome,
                     uint64_t seed)
{
    const struct sim_wish wish = {.seed = seed, .nodes = 2, .size = MIB, .check_every = 1};
    struct story story = {dials, listens, seed % 2, sim_network_address(0, SIM_LISTEN_PORT)};
    const struct sim_swarm_options options = {
        .scenario = &wish,
        .file_count = 3,
        .version = (enum sim_torrent_version)(seed % 3),
        .has_no_tracker = true,
        .customise = customise_pair,
        .context = &story,
    };
    struct sim_world *world = sim_swarm_new(&options);
    assert_int_equal(sim_swarm_run(world, 60 * SECOND_NS), outcome != NOTHING);
    const struct sim_node_facts *listener = &world->nodes[0]->facts;
    const struct sim_node_facts *dialler = &world->nodes[1]->facts;
    assert_int_equal(world->violation_count, 0);
    assert_int_equal(listener->encrypted > 0, outcome == ENCRYPTED || outcome == TURNED);
    assert_int_equal(dialler->encrypted, listener->encrypted);
    /* A hidden handshake is answered in the clear where only it was hidden. */
    assert_int_equal(listener->handshakes > 0,
                     outcome == CLEAR || outcome == HEADER_ONLY || outcome == FALLBACK);
    assert_int_equal(dialler->handshakes > 0,
                     outcome == CLEAR || outcome == FALLBACK || outcome == TURNED ||
                         (outcome == NOTHING && dials != ENCRYPTION_REQUIRE));
    assert_int_equal(dialler->payload_received, outcome == NOTHING ? 0 : MIB);
    sim_world_free(world);
}

static void each_pair_of_policies_ends_as_both_allow(void **state)
{
    (void)state;
    static const enum outcome outcomes[4][4] = {
        [ENCRYPTION_ALLOW] = {CLEAR, CLEAR, CLEAR, TURNED},
        [ENCRYPTION_OFF] = {CLEAR, CLEAR, CLEAR, NOTHING},
        [ENCRYPTION_PREFER] = {HEADER_ONLY, FALLBACK, ENCRYPTED, ENCRYPTED},
        [ENCRYPTION_REQUIRE] = {ENCRYPTED, NOTHING, ENCRYPTED, ENCRYPTED},
    };
    for (int dials = 0; dials < 4; dials++)
        for (int listens = 0; listens < 4; listens++)
            for (uint64_t seed = 1; seed <= 6; seed++)
                run_pair((enum encryption)dials, (enum encryption)listens, outcomes[dials][listens],
                         seed);
}

static void customise_crowd(struct sim_node_options *node, uint32_t index, void *context)
{
    (void)context;
    static const enum encryption mixed[] = {ENCRYPTION_PREFER, ENCRYPTION_ALLOW, ENCRYPTION_REQUIRE,
                                            ENCRYPTION_PREFER};
    node->encryption = mixed[index % 4];
    node->link.unreachable = index % 5 == 4;
}

static uint64_t run_crowd(uint64_t seed)
{
    const struct sim_wish wish = {.seed = seed, .nodes = 16, .size = 4 * MIB, .check_every = 10};
    const struct sim_swarm_options options = {
        .scenario = &wish,
        .file_count = 2,
        .version = (enum sim_torrent_version)(seed % 3),
        .customise = customise_crowd,
    };
    struct sim_verdict verdict = {.passed = true};
    struct sim_world *world = sim_swarm_new(&options);
    assert_true(sim_swarm_run(world, 300 * SECOND_NS));
    sim_swarm_judge(world, &verdict);
    if (!verdict.passed)
        print_error("%.*s", (int)verdict.reasons.length, (const char *)verdict.reasons.data);
    assert_true(verdict.passed);
    uint64_t digest = verdict.digest;
    for (uint32_t i = 0; i < world->node_count; i++)
        if (world->nodes[i]->options.encryption == ENCRYPTION_REQUIRE) {
            assert_int_equal(world->nodes[i]->facts.handshakes, 0);
            assert_true(world->nodes[i]->facts.encrypted > 0);
        }
    sim_verdict_deinit(&verdict);
    sim_world_free(world);
    return digest;
}

static void a_swarm_of_all_policies_completes_and_runs_the_same_twice(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        assert_int_equal(run_crowd(seed), run_crowd(seed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pair_of_policies_ends_as_both_allow),
        cmocka_unit_test(a_swarm_of_all_policies_completes_and_runs_the_same_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

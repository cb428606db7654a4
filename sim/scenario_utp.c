/* SPDX-License-Identifier: MIT */
/*
 * Swarms over uTP, each with LEDBAT++ and with LEDBAT: links that lose nothing, lose, reorder and
 * double, are far, and a swarm of which some speak only TCP. Everybody completes with the right
 * bytes; what every stream brought was compared with what went in (sim_utp.h).
 */
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

/* What a host's kernel and the way do to a packet: UDP payload of an Ethernet frame. */
#define MTU      1472u
#define QUEUE_NS (300 * MILLISECOND_NS)

struct utp_story {
    struct sim_air air;
    int64_t delay_ns; /* of each port: two to the other end, four for a round trip */
    bool is_mixed;
    /* The last peer is complete within so many times the bound that no schedule beats
     * (sim_swarm.h), and the slack: meeting, being unchoked and a slow start take seconds. */
    uint32_t factor;
    int64_t slack_ns;
};

struct utp_run {
    const struct utp_story *story;
    enum utp_policy policy;
};

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    const struct utp_run *run = context;
    node->uses_utp = true;
    node->no_tcp = true;
    if (run->story->is_mixed && index > 0) {
        node->uses_utp = index % 3 != 1;
        node->no_tcp = index % 3 == 2;
    } else if (run->story->is_mixed) {
        node->no_tcp = false;
    }
    node->utp_policy = run->policy;
    node->air = run->story->air;
    node->air.mtu = MTU;
    node->air.queue_ns = QUEUE_NS;
    if (run->story->delay_ns)
        node->link.delay_ns = run->story->delay_ns;
}

/* Nothing went another way than it should have. */
static void judge_transport(const struct sim_world *world, const struct utp_story *story,
                            struct sim_verdict *result)
{
    uint64_t over_utp = 0, payload = 0, datagrams = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        struct sim_utp_facts facts = sim_node_utp_facts(node);
        over_utp += facts.bytes_read;
        datagrams += facts.datagrams_out;
        payload += node->facts.payload_received;
        if (node->options.no_tcp && facts.bytes_read < node->facts.payload_received)
            sim_verdict_fail(result, "payload came another way than uTP: node", i);
        if (!node->options.uses_utp && facts.datagrams_out > 0)
            sim_verdict_fail(result, "uTP without being asked: node", i);
    }
    if (over_utp == 0 || (story->is_mixed && over_utp >= payload))
        sim_verdict_fail(result, "bytes over uTP where both ways should be used",
                         (int64_t)over_utp);
    sim_verdict_note(result, "datagrams of uTP", (int64_t)datagrams, "");
}

static void run_one(const struct sim_wish *options, const struct utp_story *story,
                    enum utp_policy policy, struct sim_verdict *result)
{
    struct utp_run run = {story, policy};
    const struct sim_swarm_options swarm = {
        .scenario = options,
        .version = (enum sim_torrent_version)(options->seed % 3),
        .file_count = 3,
        .customise = customise,
        .context = &run,
    };
    struct sim_world *world = sim_swarm_new(&swarm);
    int64_t bound_ns = sim_swarm_bound_ns(world);
    int64_t limit_ns = story->factor * bound_ns + story->slack_ns;
    sim_swarm_run(world, 20 * bound_ns + 600 * SECOND_NS);
    sim_swarm_judge(world, result);
    judge_transport(world, story, result);
    result->bound_ns = bound_ns;
    if (result->last_ns > limit_ns)
        sim_verdict_fail(result, "slower than its bound allows, in ms",
                         result->last_ns / MILLISECOND_NS);
    sim_verdict_note(result,
                     policy == UTP_LEDBAT ? "LEDBAT: last done after" : "LEDBAT++: last done after",
                     result->last_ns / MILLISECOND_NS, " ms");
    sim_world_free(world);
}

static void run_both(const struct sim_wish *options, const struct utp_story *story,
                     struct sim_verdict *result)
{
    run_one(options, story, UTP_LEDBAT_PLUS, result);
    run_one(options, story, UTP_LEDBAT, result);
}

static void run_clean(const struct sim_wish *options, struct sim_verdict *result)
{
    run_both(options, &(struct utp_story){.factor = 2, .slack_ns = 15 * SECOND_NS}, result);
}

static void run_loss(const struct sim_wish *options, struct sim_verdict *result)
{
    static const uint32_t per_mille[] = {10, 30, 100};
    for (uint32_t i = 0; i < sizeof per_mille / sizeof per_mille[0]; i++) {
        struct utp_story story = {
            .air.lost_per_mille = per_mille[i], .factor = 3 + i * 6, .slack_ns = 30 * SECOND_NS};
        sim_verdict_note(result, "lost", per_mille[i], " per mille");
        run_both(options, &story, result);
    }
}

static void run_reorder(const struct sim_wish *options, struct sim_verdict *result)
{
    struct utp_story story = {
        .air = {.jitter_ns = 30 * MILLISECOND_NS, .doubled_per_mille = 50, .lost_per_mille = 5},
        .factor = 3,
        .slack_ns = 15 * SECOND_NS};
    run_both(options, &story, result);
}

static void run_far(const struct sim_wish *options, struct sim_verdict *result)
{
    struct utp_story story = {
        .delay_ns = 75 * MILLISECOND_NS, .factor = 3, .slack_ns = 15 * SECOND_NS};
    run_both(options, &story, result);
}

static void run_mixed(const struct sim_wish *options, struct sim_verdict *result)
{
    struct utp_story story = {
        .is_mixed = true, .air.lost_per_mille = 10, .factor = 2, .slack_ns = 15 * SECOND_NS};
    run_both(options, &story, result);
}

const struct scenario scenario_utp = {"utp", "a swarm over uTP alone, LEDBAT++ and LEDBAT", 8,
                                      4 * MIB, run_clean};
const struct scenario scenario_utp_loss = {
    "utp_loss", "over uTP where 1, 3 and 10 % of the packets are lost", 6, 2 * MIB, run_loss};
const struct scenario scenario_utp_reorder = {
    "utp_reorder", "over uTP where packets overtake one another, are doubled and lost", 6, 2 * MIB,
    run_reorder};
const struct scenario scenario_utp_far = {"utp_far", "over uTP with round trips of 300 ms", 6,
                                          2 * MIB, run_far};
const struct scenario scenario_utp_mixed = {
    "utp_mixed", "some speak TCP, some uTP, some both: all complete", 9, 4 * MIB, run_mixed};

/* SPDX-License-Identifier: MIT */
/*
 * Holepunch (BEP 55): the seed and all its peers are behind NATs (sim_nat.h), speak uTP alone, and
 * know one address, that of a node in the open who gives nothing to anybody. It tells them of one
 * another (BEP 11) and when to go out; then they complete. Where it does not know the extension
 * nothing gets from one to another.
 *
 * That node is slow to get the files for itself: whoever has all that it wants lets go of seeds,
 * and is no relay for them any more.
 */
#include "core/base/limits.h"
#include "sim/scenario_table.h"
#include "sim/sim_swarm.h"

#define MTU      1472u
#define QUEUE_NS (300 * MILLISECOND_NS)
#define RELAY    1u
#define RELAY_S  600u /* that its own copy would take: it leaves when the others have theirs */
#define FILES    3u
#define DEAF_NS  (300 * SECOND_NS)
/* What goes before the first byte: the relay tells of others, a dial that gets no answer is given
 * up, and only then it is asked. What was lost on the way is asked for a second and a third time,
 * after the candidate has rested. So is what a relay and its peers do not do more often than so
 * many times in a minute: a crowd takes another. */
#define MEETING_NS      (60 * SECOND_NS)
#define MEETING_LOSS_NS (300 * SECOND_NS)
#define CROWD_NS        (60 * SECOND_NS) /* for each LIMIT_HOLEPUNCH_PER_MINUTE nodes */

struct story {
    uint32_t nodes; /* the seed, the relay and who wants the files */
    bool is_deaf;   /* the relay does not know the extension */
    uint32_t lost_per_mille;
    uint64_t relay_limit; /* bytes a second that it takes */
    struct address relay;
};

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    const struct story *story = context;
    node->uses_utp = true;
    node->air =
        (struct sim_air){.queue_ns = QUEUE_NS, .mtu = MTU, .lost_per_mille = story->lost_per_mille};
    if (index == RELAY) {
        node->free_rider = true;
        node->download_limit = story->relay_limit;
        node->no_holepunch = story->is_deaf;
        return;
    }
    node->has_nat = true;
    node->no_tcp = true;
    node->peers = &story->relay;
    node->peer_count = 1;
}

static struct sim_world *new_world(const struct sim_wish *options, struct story *story)
{
    struct sim_wish wish = *options;
    wish.nodes = story->nodes;
    story->relay_limit = options->size / RELAY_S + 1;
    story->relay = sim_network_address(RELAY, SIM_LISTEN_PORT);
    const struct sim_swarm_options swarm = {
        .scenario = &wish,
        .version = (enum sim_torrent_version)(options->seed % 3),
        .file_count = FILES,
        .has_no_tracker = true,
        .customise = customise,
        .context = story,
    };
    return sim_swarm_new(&swarm);
}

/* What the others sent one another; nothing comes from the relay. */
static uint64_t judge_pairs(const struct sim_world *world, struct sim_verdict *result)
{
    uint64_t direct = 0;
    for (uint32_t from = 0; from < world->node_count; from++)
        for (uint32_t to = 0; to < world->node_count; to++) {
            uint64_t bytes = sim_world_pair(world, from, to);
            if (from == RELAY && bytes > 0)
                sim_verdict_fail(result, "payload by way of the relay: to node", to);
            if (from != RELAY && to != RELAY)
                direct += bytes;
        }
    return direct;
}

static void judge_holes(const struct sim_world *world, struct sim_verdict *result)
{
    uint32_t punches = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        if (i == RELAY)
            continue;
        punches += node->facts.punches;
        if (node->facts.punches == 0)
            sim_verdict_fail(result, "nobody told it to go out: node", i);
        if (node->facts.payload_received > sim_node_utp_facts(node).bytes_read)
            sim_verdict_fail(result, "payload came another way than uTP: node", i);
    }
    sim_verdict_note(result, "they went out because the relay said so", punches, " times");
}

/* All are complete but the relay, who takes his time. */
static bool is_over(struct sim_world *world, void *context)
{
    (void)context;
    for (uint32_t i = RELAY + 1; i < world->node_count; i++)
        if (world->nodes[i]->facts.complete_at < 0)
            return false;
    return true;
}

static void run_punched(const struct sim_wish *options, struct story story, int64_t meeting_ns,
                        struct sim_verdict *result)
{
    struct sim_world *world = new_world(options, &story);
    int64_t bound_ns = sim_swarm_bound_ns(world);
    sim_world_run(world, 20 * bound_ns + 2 * RELAY_S * SECOND_NS, is_over, NULL);
    sim_node_crash(world->nodes[RELAY], SIM_CRASH_PROCESS, -1);
    sim_swarm_judge(world, result);
    judge_holes(world, result);
    uint64_t needed = world->torrent->payload * (story.nodes - 2);
    uint64_t direct = judge_pairs(world, result);
    if (direct < needed)
        sim_verdict_fail(result, "less than all copies went from NAT to NAT: bytes",
                         (int64_t)direct);
    result->bound_ns = bound_ns;
    meeting_ns += story.nodes / LIMIT_HOLEPUNCH_PER_MINUTE * CROWD_NS;
    if (result->last_ns > 4 * bound_ns + meeting_ns)
        sim_verdict_fail(result, "slower than its bound allows, in ms",
                         result->last_ns / MILLISECOND_NS);
    sim_verdict_note(result, "nodes", story.nodes, "");
    sim_verdict_note(result, "lost", story.lost_per_mille, " per mille");
    sim_verdict_note(result, "last done after", result->last_ns / MILLISECOND_NS, " ms");
    sim_world_free(world);
}

static void run_deaf(const struct sim_wish *options, struct sim_verdict *result)
{
    struct story story = {.nodes = RELAY + 2, .is_deaf = true};
    struct sim_world *world = new_world(options, &story);
    sim_swarm_run(world, DEAF_NS);
    result->runs++;
    result->digest = (result->digest ^ world->clock.digest) * UINT64_C(0x9e3779b97f4a7c15);
    uint64_t dropped = 0, punches = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        dropped += world->nodes[i]->nat.dropped;
        punches += world->nodes[i]->facts.punches;
    }
    uint64_t direct = judge_pairs(world, result);
    if (direct > 0)
        sim_verdict_fail(result, "without a hole from NAT to NAT: bytes", (int64_t)direct);
    if (punches > 0)
        sim_verdict_fail(result, "nobody can have told them to go out: times", (int64_t)punches);
    if (sim_world_pair(world, 0, RELAY) == 0 ||
        sim_node_utp_facts(world->nodes[RELAY]).accepted < 2)
        sim_verdict_fail(result, "did not get to the one in the open: bytes from the seed",
                         (int64_t)sim_world_pair(world, 0, RELAY));
    if (dropped == 0)
        sim_verdict_fail(result, "nobody tried: packets that a NAT dropped", 0);
    sim_world_free(world);
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    uint32_t nodes = options->nodes < RELAY + 2 ? RELAY + 2 : options->nodes;
    run_deaf(options, result);
    run_punched(options, (struct story){.nodes = RELAY + 2}, MEETING_NS, result);
    run_punched(options, (struct story){.nodes = nodes, .lost_per_mille = 50}, MEETING_LOSS_NS,
                result);
    run_punched(options, (struct story){.nodes = nodes}, MEETING_NS, result);
}

const struct scenario scenario_holepunch = {
    "holepunch", "behind NATs all of them: they meet through one in the open (BEP 55)", 7, 2 * MIB,
    run};

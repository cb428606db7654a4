/* SPDX-License-Identifier: MIT */
#include "sim/sim_swarm.h"

#include "core/base/memory.h"
#include "sim/sim_engine.h"

#define SEED_UP   1000000u
#define PEER_UP   500000u
#define PEER_DOWN 2000000u
#define DELAY_NS  (20 * MILLISECOND_NS)

static const struct sim_disk_options plain_disk = {
    .read_bytes_per_s = 200000000,
    .write_bytes_per_s = 200000000,
    .hash_bytes_per_s = 500000000,
    .access_ns = MILLISECOND_NS / 10,
    .sync_ns = 20 * MILLISECOND_NS,
};

struct sim_world *sim_swarm_new(const struct sim_swarm_options *options)
{
    const char *tracker = options->scenario->seed % 2 ? SIM_TRACKER_HTTP_URL : SIM_TRACKER_UDP_URL;
    const struct sim_world_options world_options = {
        .seed = options->scenario->seed,
        .check_every = options->scenario->check_every,
        .torrent = {.length = options->scenario->size,
                    .piece_length = options->piece_length,
                    .file_count = options->file_count,
                    .version = options->version,
                    .tracker = options->has_no_tracker ? NULL : tracker},
    };
    struct sim_world *world = sim_world_new(&world_options);
    struct sim_link seed_link = {SEED_UP, PEER_DOWN, DELAY_NS, false};
    struct sim_link peer_link = {PEER_UP, PEER_DOWN, DELAY_NS, false};
    if (options->seed_link.up_bytes_per_s)
        seed_link = options->seed_link;
    if (options->peer_link.up_bytes_per_s)
        peer_link = options->peer_link;
    int64_t arrival_ns = options->arrival_ns ? options->arrival_ns : SECOND_NS;
    for (uint32_t i = 0; i < options->scenario->nodes; i++) {
        struct sim_node_options node = {
            .ops = &sim_engine_ops,
            .is_seed = i == 0,
            .link = i == 0 ? seed_link : peer_link,
            .disk = plain_disk,
            .persist_ns = 5 * MILLISECOND_NS,
        };
        if (i > 0)
            node.starts_at_ns = arrival_ns / 1000 * (int64_t)rng_below(&world->rng, 1000);
        if (options->customise)
            options->customise(&node, i, options->context);
        sim_node_new(world, &node);
    }
    return world;
}

bool sim_swarm_is_complete(const struct sim_world *world)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        if (node->options.is_seed || node->has_left)
            continue;
        if (node->facts.complete_at < 0)
            return false;
    }
    return true;
}

bool sim_swarm_is_one_copy_out(const struct sim_world *world)
{
    if (world->nodes[0]->facts.payload_sent < world->torrent->payload)
        return false;
    for (uint32_t piece = 0; piece < world->torrent->piece_count; piece++) {
        bool found = false;
        for (uint32_t i = 1; i < world->node_count && !found; i++)
            found = sim_disk_has_piece(&world->nodes[i]->disk, piece, false);
        if (!found)
            return false;
    }
    return true;
}

struct completion {
    uint32_t first_missing; /* nodes before it are complete: asked again and again */
};

static bool is_done(struct sim_world *world, void *context)
{
    struct completion *completion = context;
    while (completion->first_missing < world->node_count) {
        const struct sim_node *node = world->nodes[completion->first_missing];
        if (!node->options.is_seed && !node->has_left && node->facts.complete_at < 0)
            return false;
        completion->first_missing++;
    }
    return true;
}

bool sim_swarm_run(struct sim_world *world, int64_t limit_ns)
{
    struct completion completion = {0};
    return sim_world_run(world, limit_ns, is_done, &completion);
}

int64_t sim_swarm_bound_ns(const struct sim_world *world)
{
    uint64_t up = 0, peers = 0, seed_up = 0, down_least = UINT64_MAX;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node_options *options = &world->nodes[i]->options;
        up += options->link.up_bytes_per_s;
        if (options->is_seed) {
            seed_up += options->link.up_bytes_per_s;
            continue;
        }
        peers++;
        if (options->link.down_bytes_per_s < down_least)
            down_least = options->link.down_bytes_per_s;
    }
    uint64_t size = world->torrent->payload;
    int64_t bound = sim_clock_transfer_ns(size, seed_up);
    int64_t by_down = sim_clock_transfer_ns(size, down_least);
    int64_t by_sum = sim_clock_transfer_ns(size * peers, up);
    bound = by_down > bound ? by_down : bound;
    return by_sum > bound ? by_sum : bound;
}

enum sim_role sim_swarm_role(const struct sim_node *node)
{
    if (node->options.poison_per_mille)
        return ROLE_POISONER;
    if (node->options.lie != SIM_LIE_NONE)
        return ROLE_LIAR;
    if (node->options.free_rider)
        return ROLE_FREE_RIDER;
    return node->options.is_seed ? ROLE_SEED : ROLE_PEER;
}

/* Does the piece touch a file that the node wants? */
static bool is_wanted(const struct sim_node *node, uint32_t piece)
{
    const struct sim_torrent *torrent = node->world->torrent;
    uint64_t begin = (uint64_t)piece * torrent->piece_length;
    uint64_t end = begin + sim_torrent_piece_size(torrent, piece);
    for (uint32_t i = 0; i < torrent->file_count; i++) {
        const struct sim_torrent_file *file = &torrent->files[i];
        bool wanted = i >= 64 || !(node->options.unwanted >> i & 1);
        if (wanted && file->length > 0 && file->offset < end && begin < file->offset + file->length)
            return true;
    }
    return false;
}

/* A node that is complete has every piece that it wants on the platter, and in its record. */
static void judge_disk(const struct sim_node *node, struct sim_verdict *result)
{
    for (uint32_t piece = 0; piece < node->world->torrent->piece_count; piece++) {
        if (!is_wanted(node, piece))
            continue;
        if (!sim_disk_has_piece(&node->disk, piece, true))
            sim_verdict_fail(result, "complete, but this piece is not durable", piece);
        else if (!node->has_record || !bitfield_has(&node->record_pieces, piece))
            sim_verdict_fail(result, "complete, but this piece is not recorded", piece);
    }
}

/* What the engine says it sent and got is what went over its link. */
static void judge_books(const struct sim_node *node, struct sim_verdict *result)
{
    struct torrent_status status;
    const struct sim_node_facts *facts = &node->facts;
    if (facts->crashes > 0 || !sim_engine_status(node, &status))
        return;
    if (status.uploaded > facts->payload_sent)
        sim_verdict_fail(result, "the engine counts more upload than it sent",
                         (int64_t)(status.uploaded - facts->payload_sent));
    if (status.downloaded > facts->payload_received)
        sim_verdict_fail(result, "the engine counts more download than came in",
                         (int64_t)(status.downloaded - facts->payload_received));
    bool whole = !node->options.is_seed && node->options.unwanted == 0;
    uint64_t needed = whole ? node->world->torrent->payload : 0;
    if (facts->complete_at >= 0 && status.downloaded < needed)
        sim_verdict_fail(result, "the engine counts less download than it needed",
                         (int64_t)status.downloaded);
}

static void judge_links(const struct sim_world *world, struct sim_verdict *result)
{
    for (uint32_t i = 0; i < world->node_count; i++) {
        uint64_t from = 0, to = 0;
        for (uint32_t k = 0; k < world->node_count; k++) {
            from += sim_world_pair(world, i, k);
            to += sim_world_pair(world, k, i);
        }
        if (to != world->nodes[i]->facts.payload_received)
            sim_verdict_fail(result, "payload came from nowhere", i);
        if (from > world->nodes[i]->facts.payload_sent)
            sim_verdict_fail(result, "more payload came from it than it sent", i);
    }
}

static void tell_nodes(const struct sim_world *world, struct sim_verdict *result)
{
    memory_free(result->nodes);
    result->node_count = world->node_count;
    result->nodes = memory_new_array(world->node_count, sizeof *result->nodes);
    result->last_ns = 0;
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        result->nodes[i] = (struct sim_verdict_node){
            .role = sim_swarm_role(node),
            .started_ns = node->facts.started_at,
            .complete_ns = node->options.is_seed ? -1 : node->facts.complete_at,
            .sent = node->facts.payload_sent,
            .received = node->facts.payload_received,
            .crashes = node->facts.crashes,
        };
        result->events += node->facts.events;
        if (node->options.is_seed || node->has_left || result->last_ns < 0)
            continue;
        if (node->facts.complete_at < 0)
            result->last_ns = -1;
        else if (node->facts.complete_at > result->last_ns)
            result->last_ns = node->facts.complete_at;
    }
}

void sim_swarm_judge(const struct sim_world *world, struct sim_verdict *result)
{
    result->runs++;
    result->digest = (result->digest ^ world->clock.digest) * UINT64_C(0x9e3779b97f4a7c15);
    tell_nodes(world, result);
    for (uint32_t i = 0; i < world->node_count; i++) {
        const struct sim_node *node = world->nodes[i];
        if (node->facts.errors)
            sim_verdict_fail(result, error_text(node->facts.error), i);
        if (node->options.is_seed || node->has_left)
            continue;
        if (node->facts.complete_at < 0)
            sim_verdict_fail(result, "never complete: node", i);
        else
            judge_disk(node, result);
        judge_books(node, result);
    }
    judge_links(world, result);
    if (world->violation_count) {
        sim_verdict_fail(result, "things happened that must never happen", world->violation_count);
        buffer_append(&result->reasons, world->violations.data, world->violations.length);
    }
}

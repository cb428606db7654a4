/* SPDX-License-Identifier: MIT */
/*
 * Node 1 plays what it downloads in a crowd that just begins: from the first byte at a steady rate,
 * then from two thirds of it. Twice in the same world: once the engine knows where the player is
 * (windows of pieces), once it does not. The player looks at the disk, not at the engine.
 */
#include "sim/scenario_table.h"
#include "sim/sim_engine.h"
#include "sim/sim_swarm.h"

#define READER     1u
#define SLOW       2u
#define LOOK_NS    (50 * MILLISECOND_NS)
#define RATE       140000u /* bytes a second that it plays */
#define PART       8       /* seconds of either part */
#define AHEAD_NOW  (512u * KIB)
#define AHEAD_SOON (2u * MIB)
/* A block is asked for elsewhere after 5 s; a full pipeline comes before it there. */
#define WAIT_MAX (10 * SECOND_NS)
#define PIECE    (64u * KIB)

struct player {
    struct sim_world *world;
    bool tells;               /* the engine, where it is */
    uint64_t at;              /* byte that is played next */
    uint32_t told;            /* piece for which windows were told; UINT32_MAX: none */
    int64_t waiting_since_ns; /* -1: it plays */
    int64_t waited_ns, longest_ns;
};

/* One answers and takes a second for each block. The seed serves all, and has as much for each
 * as is played: who is choked by the only one that has a piece waits for it, whatever it plays. */
static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    const struct sim_wish *options = context;
    if (node->is_seed) {
        node->upload_slots = options->nodes;
        node->link.up_bytes_per_s = (uint64_t)RATE * (options->nodes - 1);
    }
    if (index == SLOW)
        node->link.up_bytes_per_s = 16000;
}

static void tell(struct player *player)
{
    uint32_t piece = (uint32_t)(player->at / PIECE);
    const struct piece_window windows[] = {
        {.first = piece, .count = AHEAD_NOW / PIECE, .is_now = true},
        {.first = piece, .count = AHEAD_SOON / PIECE},
    };
    if (!player->tells || piece == player->told)
        return;
    if (sim_engine_set_windows(player->world->nodes[READER], windows, 2))
        player->told = piece;
}

/* What `LOOK_NS` of play need, as far as it is there. Returns whether anything is. */
static bool play(struct player *player)
{
    uint64_t wanted = (uint64_t)RATE * LOOK_NS / SECOND_NS;
    const struct sim_disk *disk = &player->world->nodes[READER]->disk;
    uint64_t begin = player->at;
    while (wanted > 0 && player->at < player->world->torrent->length &&
           sim_disk_has_piece(disk, (uint32_t)(player->at / PIECE), false)) {
        uint64_t most = PIECE - player->at % PIECE;
        uint64_t taken = wanted < most ? wanted : most;
        player->at += taken;
        wanted -= taken;
    }
    return player->at > begin;
}

/* `PART` seconds of the content from a place on, however long that takes. */
static void play_part(struct player *player, uint64_t from, int64_t limit_ns)
{
    struct sim_world *world = player->world;
    uint64_t end = from + (uint64_t)RATE * PART;
    if (end > world->torrent->length)
        end = world->torrent->length;
    player->at = from;
    while (player->at < end && sim_world_time(world) < limit_ns) {
        int64_t now = sim_world_time(world);
        tell(player);
        if (player->waiting_since_ns < 0)
            player->waiting_since_ns = now;
        if (play(player))
            player->waiting_since_ns = -1;
        else
            player->waited_ns += LOOK_NS;
        if (player->waiting_since_ns >= 0 && now - player->waiting_since_ns > player->longest_ns)
            player->longest_ns = now - player->waiting_since_ns;
        sim_world_run(world, now + LOOK_NS, NULL, NULL);
    }
}

/* Returns how long it waited in both parts. */
static int64_t run_one(const struct sim_wish *options, bool tells, struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {.scenario = options,
                                            .file_count = 1,
                                            .version =
                                                (enum sim_torrent_version)(options->seed % 3),
                                            .piece_length = PIECE,
                                            .customise = customise,
                                            .context = (void *)(uintptr_t)options};
    struct sim_world *world = sim_swarm_new(&swarm);
    struct player player = {
        .world = world, .tells = tells, .told = UINT32_MAX, .waiting_since_ns = -1};
    result->bound_ns = sim_swarm_bound_ns(world);
    int64_t limit_ns = 20 * result->bound_ns + 600 * SECOND_NS;
    play_part(&player, 0, limit_ns);
    play_part(&player, options->size / 3 * 2, limit_ns);
    sim_swarm_run(world, limit_ns);
    sim_swarm_judge(world, result);
    sim_verdict_note(result, tells ? "with windows it waited" : "without it waited",
                     player.waited_ns / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "  at most at a time", player.longest_ns / MILLISECOND_NS, " ms");
    if (tells && player.longest_ns > WAIT_MAX)
        sim_verdict_fail(result, "the player waited too long at a time, in ms",
                         player.longest_ns / MILLISECOND_NS);
    sim_world_free(world);
    return player.waited_ns;
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    int64_t without = run_one(options, false, result);
    int64_t with = run_one(options, true, result);
    if (with > without * 2 / 3 + SECOND_NS)
        sim_verdict_fail(result, "windows spared the player less than a third of its waits, ms",
                         (without - with) / MILLISECOND_NS);
}

const struct scenario scenario_reader = {
    "reader", "one plays what it downloads, and jumps: what is played comes first", 8, 16 * MIB,
    run};

/* SPDX-License-Identifier: MIT */
/*
 * Node 1 crashes before or after each change of its disk and database, one run for each such
 * boundary and each way of crashing, and starts again two seconds later. Whatever its record
 * promised is there after the crash, is not lost by the restart, and the download completes.
 */
#include "sim/scenario_table.h"
#include "sim/sim_engine.h"
#include "sim/sim_swarm.h"

#define VICTIM         1u
#define BOUNDARIES_MAX 2000u

/* So slow that several barriers pass before the end. */
static const struct sim_link slow_link = {80000, 400000, 20 * MILLISECOND_NS, false};

static void customise(struct sim_node_options *node, uint32_t index, void *context)
{
    const struct sim_crash_plan *plan = context;
    if (index != VICTIM)
        return;
    node->crash_plan = *plan;
    /* So slow that pieces come in while a barrier is under way. */
    node->disk.sync_ns = 800 * MILLISECOND_NS;
    node->persist_ns = 300 * MILLISECOND_NS;
}

struct watch {
    struct sim_verdict *result;
    uint32_t crashes;
    int64_t ready_at;
};

static void judge_record(struct watch *watch, const struct sim_node *node)
{
    for (uint32_t piece = 0; node->has_record && piece < node->record_pieces.size; piece++)
        if (bitfield_has(&node->record_pieces, piece) &&
            !sim_disk_has_piece(&node->disk, piece, true))
            sim_verdict_fail(watch->result, "a recorded piece did not survive the crash", piece);
}

static void judge_restart(struct watch *watch, const struct sim_node *node)
{
    struct torrent_status status;
    if (!node->has_record || !sim_engine_status(node, &status))
        return;
    for (uint32_t piece = 0; piece < node->record_pieces.size; piece++)
        if (bitfield_has(&node->record_pieces, piece) && !bitfield_has(status.pieces, piece))
            sim_verdict_fail(watch->result, "the restart lost a recorded piece", piece);
}

static bool is_done(struct sim_world *world, void *context)
{
    struct watch *watch = context;
    const struct sim_node *victim = world->nodes[VICTIM];
    if (victim->facts.crashes != watch->crashes) {
        watch->crashes = victim->facts.crashes;
        judge_record(watch, victim);
    } else if (victim->facts.ready_at != watch->ready_at) {
        watch->ready_at = victim->facts.ready_at;
        judge_restart(watch, victim);
    }
    /* A crash after the end of the download counts as well: wait for the restart. */
    return victim->machine != NULL && sim_swarm_is_complete(world) &&
           (victim->facts.crashes == 0 || victim->facts.ready_at > victim->facts.crashed_at);
}

/* One run; returns how many boundaries the victim passed. */
static uint32_t run_one(const struct sim_wish *options, struct sim_crash_plan *plan,
                        struct sim_verdict *result)
{
    const struct sim_swarm_options swarm = {.scenario = options,
                                            .file_count = 3,
                                            .version =
                                                (enum sim_torrent_version)(options->seed % 3),
                                            .piece_length = 64 * KIB,
                                            .seed_link = slow_link,
                                            .peer_link = slow_link,
                                            .customise = customise,
                                            .context = plan};
    struct sim_world *world = sim_swarm_new(&swarm);
    struct watch watch = {.result = result, .ready_at = -1};
    result->bound_ns = sim_swarm_bound_ns(world);
    sim_world_run(world, 20 * result->bound_ns + 600 * SECOND_NS, is_done, &watch);
    bool was_good = result->passed;
    sim_swarm_judge(world, result);
    if (was_good && !result->passed)
        sim_verdict_note(result, "first trouble with a crash at boundary", plan->at_boundary, "");
    uint32_t boundaries = world->nodes[VICTIM]->facts.boundaries;
    if (plan->at_boundary && world->nodes[VICTIM]->facts.crashes != 1)
        sim_verdict_fail(result, "no crash at boundary", plan->at_boundary);
    sim_world_free(world);
    return boundaries;
}

static void run(const struct sim_wish *options, struct sim_verdict *result)
{
    static const enum sim_crash crashes[] = {SIM_CRASH_LOSE, SIM_CRASH_TEAR, SIM_CRASH_PROCESS};
    struct sim_crash_plan plan = {.restart_after_ns = 2 * SECOND_NS};
    uint32_t boundaries = run_one(options, &plan, result);
    if (boundaries > BOUNDARIES_MAX)
        boundaries = BOUNDARIES_MAX;
    for (plan.at_boundary = 1; plan.at_boundary <= boundaries; plan.at_boundary++)
        for (uint32_t i = 0; i < sizeof crashes / sizeof crashes[0]; i++) {
            plan.crash = crashes[i];
            run_one(options, &plan, result);
        }
    sim_verdict_note(result, "boundaries of writes, syncs and records", boundaries, "");
    if (boundaries < 10)
        sim_verdict_fail(result, "too few boundaries to be a test", boundaries);
}

const struct scenario scenario_crash_restart = {
    "crash_restart", "a crash at each write and sync: nothing recorded is lost", 3, 1 * MIB, run};

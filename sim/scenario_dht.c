/* SPDX-License-Identifier: MIT */
/*
 * Look-ups in a DHT of a thousand nodes and more: how soon do they reach a peer, beside an oracle
 * that is told who lives; how many succeed, among the dead, the coming and going, and the lying.
 *
 * Every population lives through an hour first. What is measured after it begins with nodes that
 * are that old (or, where nodes come and go, with whoever is there).
 */
#include "sim/scenario_table.h"

#include "core/base/memory.h"
#include "sim/sim_dht.h"

#include <stdlib.h>

#define JOIN_NS    (300 * SECOND_NS)
#define AGE_NS     (3600 * SECOND_NS)
#define TORRENTS   64u
#define PEERS_EACH 4u
#define LOOKUPS    1000u
/* A torrent is looked for twice a second: nodes answer strangers with 8,000 bytes a second in all.
 */
#define LOOKUP_GAP  (SECOND_NS / 2)
#define PATIENCE_NS (20 * SECOND_NS)
#define DEAD        300u /* permille of all nodes that die at once, and so of all entries */
#define NODE_BYTES  (16u * KIB)

/* What must hold, in permille; 0: is not asked. */
struct demands {
    uint32_t success;
    bool of_all;          /* of all look-ups; else of those that the oracle finds a way for */
    uint32_t median, p99; /* of the oracle's time, at most */
};

struct lookup {
    uint32_t searcher, number;
    int64_t begun_ns;
    int64_t found_ns;  /* after so long; -1: no peer yet */
    int64_t oracle_ns; /* -1: nobody could */
};

struct measure {
    struct dht_id torrents[TORRENTS];
    struct lookup *lookups;
    uint32_t begun;
    uint64_t asked, done;
};

static void on_result(struct sim_dht *world, uint32_t place, const struct dht_result *result)
{
    struct measure *measure = world->context;
    for (uint32_t i = measure->begun; i-- > 0;) {
        struct lookup *lookup = &measure->lookups[i];
        if (world->now - lookup->begun_ns > PATIENCE_NS)
            break;
        if (lookup->searcher != place || lookup->number != result->number)
            continue;
        if (result->type == DHT_RESULT_PEERS && lookup->found_ns < 0)
            lookup->found_ns = world->now - lookup->begun_ns;
        if (result->type == DHT_RESULT_DONE) {
            measure->asked += result->asked;
            measure->done++;
        }
        break;
    }
}

/* Torrents are kept announced by some each, as a swarm's members do. */
static void announce(struct sim_dht *world, struct measure *measure)
{
    for (uint32_t i = 0; i < TORRENTS; i++) {
        if (i == 0)
            measure->torrents[i] = world->aim;
        else
            rng_fill(&world->rng, measure->torrents[i].bytes, DHT_ID_SIZE);
        for (uint32_t j = 0; j < PEERS_EACH; j++) {
            uint32_t place = sim_dht_pick(world);
            dht_node_keep_announced(world->places[place].node, world->now, &measure->torrents[i],
                                    (uint16_t)(1000 + i), false);
            sim_dht_pump(world, place);
        }
    }
}

/* Somebody who lives, and does not hold what is looked for itself. */
static uint32_t pick_searcher(struct sim_dht *world, const struct dht_id *info_hash)
{
    uint32_t place = sim_dht_pick(world);
    while (dht_node_has_peers(world->places[place].node, info_hash))
        place = sim_dht_pick(world);
    return place;
}

static void look_up(struct sim_dht *world, struct measure *measure, uint32_t torrents)
{
    const struct dht_id *info_hash = &measure->torrents[measure->begun % torrents];
    struct lookup *lookup = &measure->lookups[measure->begun];
    uint32_t place = pick_searcher(world, info_hash);
    *lookup = (struct lookup){.searcher = place, .begun_ns = world->now, .found_ns = -1};
    lookup->oracle_ns = sim_dht_oracle_ns(world, place, info_hash);
    lookup->number = dht_node_get_peers(world->places[place].node, world->now, info_hash, 0);
    measure->begun++;
    sim_dht_pump(world, place);
    sim_dht_run(world, world->now + LOOKUP_GAP / torrents);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Quantiles of the look-ups that a way led to; one that found nothing counts as the longest. */
struct quantiles {
    uint32_t count, found, found_of_all;
    uint32_t beaten; /* oracles, by somebody who learnt of a node after the oracle was asked */
    int64_t median, p99, oracle_median, oracle_p99, worst;
};

static struct quantiles quantiles_of(const struct measure *measure)
{
    int64_t *ours = memory_new_array(measure->begun + 1, sizeof *ours);
    int64_t *oracle = memory_new_array(measure->begun + 1, sizeof *oracle);
    struct quantiles q = {0};
    for (uint32_t i = 0; i < measure->begun; i++) {
        const struct lookup *lookup = &measure->lookups[i];
        q.found_of_all += lookup->found_ns >= 0;
        if (lookup->oracle_ns < 0)
            continue; /* all that held it are dead: nobody could find it */
        ours[q.count] = lookup->found_ns < 0 ? PATIENCE_NS : lookup->found_ns;
        oracle[q.count++] = lookup->oracle_ns;
        q.found += lookup->found_ns >= 0;
        q.beaten += lookup->found_ns >= 0 && lookup->found_ns < lookup->oracle_ns;
        if (lookup->found_ns > q.worst)
            q.worst = lookup->found_ns;
    }
    qsort(ours, q.count, sizeof *ours, compare);
    qsort(oracle, q.count, sizeof *oracle, compare);
    if (q.count) {
        q.median = ours[q.count / 2];
        q.p99 = ours[q.count * 99 / 100];
        q.oracle_median = oracle[q.count / 2];
        q.oracle_p99 = oracle[q.count * 99 / 100];
    }
    memory_free(ours);
    memory_free(oracle);
    return q;
}

static int64_t permille(int64_t part, int64_t of)
{
    return of ? part * 1000 / of : 0;
}

static void tell(const struct sim_dht *world, const struct measure *measure,
                 const struct quantiles *q, struct sim_verdict *result)
{
    sim_verdict_note(result, "look-ups", measure->begun, "");
    sim_verdict_note(result, "of them possible (an oracle finds a peer)", q->count, "");
    sim_verdict_note(result, "of these found a peer", permille(q->found, q->count), " permille");
    sim_verdict_note(result, "of all found a peer", permille(q->found_of_all, measure->begun),
                     " permille");
    sim_verdict_note(result, "first peer, median", q->median / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "the oracle's", q->oracle_median / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "times the oracle's", permille(q->median, q->oracle_median),
                     " permille");
    sim_verdict_note(result, "first peer, 99th percentile", q->p99 / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "the oracle's", q->oracle_p99 / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "times the oracle's", permille(q->p99, q->oracle_p99), " permille");
    sim_verdict_note(result, "look-ups that were faster than the oracle", q->beaten, "");
    sim_verdict_note(result, "slowest", q->worst / MILLISECOND_NS, " ms");
    sim_verdict_note(result, "in the real network (Jimenez 2011): median 100 to 200 ms, all below",
                     1000, " ms");
    if (measure->done)
        sim_verdict_note(result, "questions a look-up", (int64_t)(measure->asked / measure->done),
                         "");
    sim_verdict_note(result, "packets in all", (int64_t)world->packets, "");
}

/* At most 16 KiB a node at rest, 48 bytes an entry (which the compiler checks). */
static void judge_memory(const struct sim_dht *world, struct sim_verdict *result)
{
    size_t most = 0;
    uint32_t resting = 0;
    for (uint32_t i = 0; i < world->place_count; i++) {
        struct dht_node_stats stats;
        if (!world->places[i].node)
            continue;
        dht_node_check(world->places[i].node);
        dht_node_stats(world->places[i].node, world->now, &stats);
        if (stats.lookups)
            continue;
        resting++;
        size_t bytes = dht_node_memory(world->places[i].node);
        most = bytes > most ? bytes : most;
    }
    sim_verdict_note(result, "nodes at rest", resting, "");
    sim_verdict_note(result, "the largest of them holds", (int64_t)most, " bytes");
    if (most > NODE_BYTES || resting == 0)
        sim_verdict_fail(result, "a node at rest holds bytes", (int64_t)most);
}

static void judge(const struct sim_dht *world, const struct measure *measure,
                  const struct demands *demands, struct sim_verdict *result)
{
    struct quantiles q = quantiles_of(measure);
    tell(world, measure, &q, result);
    uint32_t count = demands->of_all ? measure->begun : q.count;
    uint32_t found = demands->of_all ? q.found_of_all : q.found;
    if (demands->success && q.count < measure->begun * 9 / 10)
        sim_verdict_fail(result, "few look-ups were possible at all", q.count);
    if (permille(found, count) < demands->success)
        sim_verdict_fail(result, "look-ups that found a peer, permille", permille(found, count));
    if (demands->median && q.median * 1000 > q.oracle_median * demands->median)
        sim_verdict_fail(result, "median over the oracle's, permille",
                         permille(q.median, q.oracle_median));
    if (demands->p99 && q.p99 * 1000 > q.oracle_p99 * demands->p99)
        sim_verdict_fail(result, "99th percentile over the oracle's, permille",
                         permille(q.p99, q.oracle_p99));
    if (demands->median && q.beaten * 100 > measure->begun)
        sim_verdict_fail(result, "look-ups that were faster than the oracle", q.beaten);
}

/* As many of the entries as of the nodes are dead, within a tenth of them. */
static void judge_dead(const struct sim_dht *world, uint32_t wanted, struct sim_verdict *result)
{
    uint32_t dead = sim_dht_dead_permille(world);
    sim_verdict_note(result, "nodes that live", world->honest_alive, "");
    sim_verdict_note(result, "entries of their tables that are dead", dead, " permille");
    if (wanted && (dead < wanted * 9 / 10 || dead > wanted * 11 / 10))
        sim_verdict_fail(result, "dead entries, permille", dead);
}

/* An hour of life, look-ups, and what came of it. */
static void live(const struct sim_dht_options *options, uint32_t dead, bool aimed,
                 const struct demands *demands, struct sim_verdict *result)
{
    struct sim_dht *world = sim_dht_new(options);
    struct measure measure = {.lookups = memory_new_array(LOOKUPS, sizeof(struct lookup))};
    world->on_result = on_result;
    world->context = &measure;
    sim_dht_run(world, world->now + JOIN_NS);
    announce(world, &measure);
    sim_dht_run(world, world->now + AGE_NS);
    sim_dht_kill_share(world, dead);
    judge_dead(world, dead, result);
    for (uint32_t i = 0; i < LOOKUPS; i++)
        look_up(world, &measure, aimed ? 1 : TORRENTS);
    sim_dht_run(world, world->now + PATIENCE_NS);
    judge(world, &measure, demands, result);
    judge_memory(world, result);
    result->runs++;
    result->events += world->packets;
    result->machines = options->nodes;
    result->digest = (result->digest ^ world->digest) * UINT64_C(0x9e3779b97f4a7c15);
    memory_free(measure.lookups);
    sim_dht_free(world);
}

static void run_dead(const struct sim_wish *wish, struct sim_verdict *result)
{
    /* So many live when the dead are gone. */
    const struct sim_dht_options options = {
        .seed = wish->seed,
        .nodes = (uint32_t)((uint64_t)wish->nodes * 1000 / (1000 - DEAD)),
        .join_ns = JOIN_NS,
    };
    const struct demands demands = {.success = 999, .median = 2000, .p99 = 4000};
    live(&options, DEAD, false, &demands, result);
}

static void run_churn(const struct sim_wish *wish, struct sim_verdict *result)
{
    const struct sim_dht_options options = {
        .seed = wish->seed,
        .nodes = wish->nodes,
        .join_ns = JOIN_NS,
        .session_median_ns = 3600 * SECOND_NS,
    };
    const struct demands demands = {.success = 999};
    live(&options, 0, false, &demands, result);
}

static void run_sybils(const struct sim_wish *wish, struct sim_verdict *result)
{
    const struct sim_dht_options options = {
        .seed = wish->seed,
        .nodes = wish->nodes,
        .join_ns = JOIN_NS,
        .sybils = SIM_DHT_SYBILS_EVERYWHERE,
        .sybil_permille = 200,
    };
    const struct demands demands = {.success = 950, .of_all = true};
    live(&options, 0, false, &demands, result);
}

static void run_eclipse(const struct sim_wish *wish, struct sim_verdict *result)
{
    struct sim_dht_options options = {
        .seed = wish->seed,
        .nodes = wish->nodes,
        .join_ns = JOIN_NS,
        .sybils = SIM_DHT_SYBILS_AIMED,
        .sybil_permille = 50,
    };
    const struct demands demands = {.success = 900, .of_all = true}, none = {0};
    live(&options, 0, true, &demands, result);
    /* The same where addresses say nothing of ids, and the sybils' are chosen at will: told, not
     * demanded. */
    sim_verdict_note(result, "without BEP 42, sybils beside the torrent", options.nodes / 20, "");
    options.sybils = SIM_DHT_SYBILS_FORGED;
    options.without_bep42 = true;
    live(&options, 0, true, &none, result);
}

const struct scenario scenario_dht = {
    "dht", "DHT look-ups, three of ten entries dead: near an oracle's time", 1000, 0, run_dead};
const struct scenario scenario_dht_churn = {
    "dht_churn", "DHT look-ups while nodes stay an hour in the median", 1000, 0, run_churn};
const struct scenario scenario_dht_sybils = {"dht_sybils", "DHT look-ups, one of five nodes a liar",
                                             1000, 0, run_sybils};
const struct scenario scenario_dht_eclipse = {
    "dht_eclipse", "DHT look-ups, one of twenty nodes a liar aimed at the torrent", 1000, 0,
    run_eclipse};

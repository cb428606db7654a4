/* SPDX-License-Identifier: MIT */
/* freshet dht lookup: how a look-up goes, question by question, and who is nearest. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/dht_nearest.h"
#include "cli/dht_run.h"
#include "cli/message.h"
#include "host/clock.h"

struct lookup {
    struct dht_id target;
    bool is_traced;
    uint32_t peers;
    struct dht_nearest nearest;
};

static const char *const step_words[] = {"ask",   "answer", "refusal",   "silence",
                                         "store", "stored", "not stored"};

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct lookup *lookup = run->context;

    dht_node_trace(node, true);
    dht_run_began(run, dht_node_get_peers(node, clock_now(), &lookup->target, 0));
}

static unsigned distance_bits(const struct lookup *lookup, const struct dht_id *id)
{
    return DHT_ID_BITS - dht_id_shared_bits(&lookup->target, id);
}

static void print_step(const struct dht_run *run, const struct lookup *lookup,
                       const struct dht_result *result)
{
    char address[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE];
    double seconds = (double)(clock_now() - run->start_ns) / (double)SECOND_NS;
    bool is_answer = result->step == DHT_TRACE_ANSWERED;

    address_to_text(&result->from, address);
    dht_run_id_text(&result->id, id);
    if (run->is_json) {
        json_t *object = json_pack("{s:s,s:f,s:s,s:s,s:i}", "event", step_words[result->step],
                                   "seconds", seconds, "node", address, "id", id, "distance_bits",
                                   (int)distance_bits(lookup, &result->id));
        if (is_answer)
            json_object_update_new(object, json_pack("{s:i,s:i,s:i}", "rtt_ms", (int)result->rtt_ms,
                                                     "nodes", (int)result->node_count, "peers",
                                                     (int)result->peer_count));
        dht_run_print_json(object);
        return;
    }
    printf("%7.3f s  %-8s 2^%-3u  %s  %s", seconds, step_words[result->step],
           distance_bits(lookup, &result->id), id, address);
    if (is_answer)
        printf("  %u ms, %" PRIu32 " nodes, %" PRIu32 " peers", result->rtt_ms, result->node_count,
               result->peer_count);
    putchar('\n');
    fflush(stdout);
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    struct lookup *lookup = run->context;

    (void)node;
    if (result->type != DHT_RESULT_TRACE)
        return;
    if (lookup->is_traced)
        print_step(run, lookup, result);
    if (result->step != DHT_TRACE_ANSWERED)
        return;
    lookup->peers += result->peer_count;
    dht_nearest_add(&lookup->nearest, result);
}

static void print_nearest(const struct dht_run *run, const struct lookup *lookup)
{
    for (uint32_t i = 0; i < lookup->nearest.count; i++) {
        const struct dht_nearest_node *node = &lookup->nearest.nodes[i];
        char address[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE];
        address_to_text(&node->address, address);
        dht_run_id_text(&node->id, id);
        if (run->is_json)
            dht_run_print_json(json_pack("{s:s,s:s,s:s,s:i,s:i}", "event", "nearest", "node",
                                         address, "id", id, "distance_bits",
                                         (int)distance_bits(lookup, &node->id), "rtt_ms",
                                         (int)node->rtt_ms));
        else
            printf("2^%-3u  %s  %s  %u ms\n", distance_bits(lookup, &node->id), id, address,
                   node->rtt_ms);
    }
}

static int end(struct dht_run *run)
{
    const struct lookup *lookup = run->context;
    double seconds = (double)(clock_now() - run->start_ns) / (double)SECOND_NS;

    if (lookup->is_traced && !run->is_json && lookup->nearest.count > 0)
        puts("\nnearest:");
    print_nearest(run, lookup);
    if (run->is_json)
        dht_run_print_json(json_pack("{s:s,s:i,s:i,s:i,s:f}", "event", "done", "asked",
                                     (int)run->asked, "answered", (int)run->answered, "peers",
                                     (int)lookup->peers, "seconds", seconds));
    else if (!run->is_late)
        printf("%" PRIu32 " asked, %" PRIu32 " answered, %" PRIu32 " peers told\n", run->asked,
               run->answered, lookup->peers);
    if (!run->is_late)
        return EXIT_CODE_OK;
    message_error("not done in time (--timeout gives it more)");
    return EXIT_CODE_NETWORK;
}

static int lookup_run(struct command_call *call)
{
    static const struct dht_verb verb = {.begin = begin, .take = take, .end = end};
    struct lookup lookup = {.is_traced = command_has(call, "trace")};

    int code = dht_run_read_info_hash(command_operand(call, 0), &lookup.target);
    if (code != EXIT_CODE_OK)
        return code;
    dht_nearest_init(&lookup.nearest, &lookup.target);
    return dht_run(call, &verb, &lookup);
}

static const struct command_option options[] = {
    {.name = "trace", .help = "tell each question and answer as it goes"},
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_lookup_command;
const struct command dht_lookup_command = {
    .name = "dht lookup",
    .summary = "find the nodes nearest to a hash, and tell how",
    .operands = "INFOHASH|MAGNET",
    .description =
        "Asks ever nearer nodes for the peers of a torrent and prints the eight nearest that "
        "answered: distance (2^N is that of two ids whose first 160 - N bits are the same), id, "
        "address, time of the answer.\n"
        "\n"
        "With --trace each question and what came of it is a line: time since the start, what "
        "happened, distance, id, address, and of an answer its delay, how many nodes it named and "
        "how many peers. An answer under another id than was expected is a refusal.",
    .options = options,
    .examples = {"freshet dht lookup 0123456789abcdef0123456789abcdef01234567",
                 "freshet dht lookup --trace HASH", "freshet dht lookup --trace --json HASH"},
    .operands_min = 1,
    .operands_max = 1,
    .run = lookup_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet dht stats: what one node holds (BEP 51), or how large the network is. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cli/dht_nearest.h"
#include "cli/dht_run.h"
#include "cli/message.h"
#include "cli/terminal.h"
#include "core/base/map.h"
#include "host/clock.h"
#include "host/entropy.h"

#define PLACES 8u /* of the id space, whose neighbourhoods are looked at, a family */
/* So few may be counted: until nobody new is met. Asking each of them for every place would be more
 * than a node answers in a second. */
#define SMALL_NETWORK 20u

/* --- One node --- */

struct sample {
    struct address address;
    struct dht_id target;
    bool is_told;
    bool is_answered;
};

static void sample_begin(struct dht_run *run, struct dht_node *node)
{
    struct sample *sample = run->context;

    dht_run_began(run, dht_node_sample(node, clock_now(), &sample->address, &sample->target));
}

static void print_sample(const struct dht_run *run, const struct dht_result *result)
{
    char address[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE], client[DHT_RUN_CLIENT_SIZE];
    char hash[DHT_RUN_ID_SIZE];
    size_t count = result->samples.length / DHT_ID_SIZE;

    address_to_text(&result->from, address);
    dht_run_id_text(&result->id, id);
    dht_run_client_text(result->version, client);
    if (!run->is_json) {
        printf("node        %s\nid          %s\nclient      %s\nanswer      %u ms\n"
               "torrents    %" PRId64 "\ninterval    %" PRId64 " s\n",
               address, id, client, result->rtt_ms, result->sample_total, result->interval_s);
        for (size_t i = 0; i < count; i++) {
            bytes_to_hex(result->samples.data + i * DHT_ID_SIZE, DHT_ID_SIZE, hash);
            printf("torrent     %s\n", hash);
        }
        return;
    }
    json_t *hashes = json_array();
    for (size_t i = 0; i < count; i++) {
        bytes_to_hex(result->samples.data + i * DHT_ID_SIZE, DHT_ID_SIZE, hash);
        json_array_append_new(hashes, json_string(hash));
    }
    dht_run_print_json(json_pack("{s:s,s:s,s:s,s:i,s:I,s:I,s:o}", "node", address, "id", id,
                                 "client", client, "rtt_ms", (int)result->rtt_ms, "torrents",
                                 (json_int_t)result->sample_total, "interval",
                                 (json_int_t)result->interval_s, "samples", hashes));
}

static void sample_take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    struct sample *sample = run->context;

    (void)node;
    sample->is_answered |= result->type == DHT_RESULT_NODE;
    if (result->type != DHT_RESULT_SAMPLES)
        return;
    sample->is_told = true;
    print_sample(run, result);
}

static int sample_end(struct dht_run *run)
{
    const struct sample *sample = run->context;

    if (sample->is_told)
        return EXIT_CODE_OK;
    message_error(sample->is_answered ? "it answered, but does not tell what it holds (BEP 51)"
                                      : "no answer in time");
    return sample->is_answered ? EXIT_CODE_REFUSED : EXIT_CODE_NETWORK;
}

/* --- The network --- */

struct network {
    struct dht_nearest places[2][PLACES]; /* IPv4, IPv6 */
    uint32_t place[2];                    /* where it is looked at now */
    uint32_t number[2];                   /* of the look-up there */
    size_t seen_before[2];
    struct map seen[2]; /* addresses that answered */
};

static bool is_ipv6(struct dht_run *run, const struct dht_node *node)
{
    return node == dht_service_node(run->service, ADDRESS_IPV6);
}

static void look(struct dht_run *run, struct dht_node *node)
{
    struct network *network = run->context;
    bool six = is_ipv6(run, node);

    network->seen_before[six] = network->seen[six].length;
    network->number[six] =
        dht_node_find_node(node, clock_now(), &network->places[six][network->place[six]].target);
    dht_run_began(run, network->number[six]);
}

static void network_begin(struct dht_run *run, struct dht_node *node)
{
    dht_node_trace(node, true);
    look(run, node);
}

static bool is_going_on(const struct network *network, bool six)
{
    size_t seen = network->seen[six].length;

    return network->place[six] + 1 < PLACES &&
           (seen >= SMALL_NETWORK || seen > network->seen_before[six]);
}

static void network_take(struct dht_run *run, struct dht_node *node,
                         const struct dht_result *result)
{
    struct network *network = run->context;
    bool six = is_ipv6(run, node);

    if (result->type == DHT_RESULT_TRACE && result->step == DHT_TRACE_ANSWERED) {
        map_put(&network->seen[six], &result->from, network);
        dht_nearest_add(&network->places[six][network->place[six]], result);
    }
    if (result->type == DHT_RESULT_DONE && is_going_on(network, six)) {
        network->place[six]++;
        look(run, node);
    }
}

/* A network whose nodes were nearly all asked is counted; of a larger one a part was seen. */
static void print_network(const struct dht_run *run, const struct network *network, int six)
{
    const char *family = six ? "IPv6" : "IPv4";
    size_t seen = network->seen[six].length;
    double estimate = dht_nearest_estimate(network->places[six], PLACES);
    bool is_estimate = estimate > 2.0 * (double)seen;
    double nodes = is_estimate ? estimate : (double)seen;
    /* Two digits: the estimate's error is some 12 %. */
    double digits = nodes >= 100 ? pow(10, floor(log10(nodes)) - 1) : 1;

    if (seen == 0)
        return;
    if (is_estimate)
        nodes = round(nodes / digits) * digits;
    if (run->is_json)
        dht_run_print_json(json_pack("{s:s,s:I,s:b,s:i,s:i}", "family", family, "nodes",
                                     (json_int_t)nodes, "estimated", is_estimate, "seen", (int)seen,
                                     "places", (int)network->place[six] + 1));
    else if (is_estimate)
        printf("%s  about %.0f nodes (from how near the eight nearest are to %u places; %zu "
               "answered)\n",
               family, nodes, network->place[six] + 1, seen);
    else
        printf("%s  %zu nodes (all that answered)\n", family, seen);
}

static int network_end(struct dht_run *run)
{
    const struct network *network = run->context;

    if (network->seen[0].length + network->seen[1].length == 0) {
        message_error("nobody answered in time");
        return EXIT_CODE_NETWORK;
    }
    print_network(run, network, 0);
    print_network(run, network, 1);
    return EXIT_CODE_OK;
}

static int network_run(struct command_call *call)
{
    static const struct dht_verb verb = {
        .begin = network_begin, .take = network_take, .end = network_end};
    struct network network = {.seen = {{0}}};

    for (int six = 0; six < 2; six++) {
        map_init(&network.seen[six], sizeof(struct address), (uint64_t)clock_now());
        for (uint32_t i = 0; i < PLACES; i++) {
            struct dht_id target;
            entropy_fill(target.bytes, sizeof target.bytes);
            /* The second lies opposite to the first: those who are not near to one are near to the
             * other. */
            for (int j = 0; i == 1 && j < DHT_ID_SIZE; j++)
                target.bytes[j] = (uint8_t)~network.places[six][0].target.bytes[j];
            dht_nearest_init(&network.places[six][i], &target);
        }
    }
    int code = dht_run(call, &verb, &network);
    map_deinit(&network.seen[0]);
    map_deinit(&network.seen[1]);
    return code;
}

static int stats_run(struct command_call *call)
{
    static const struct dht_verb verb = {
        .is_direct = true, .begin = sample_begin, .take = sample_take, .end = sample_end};
    struct sample sample = {.is_told = false};

    if (command_operand_count(call) == 0)
        return network_run(call);
    if (!dht_run_read_address(command_operand(call, 0), &sample.address))
        return EXIT_CODE_USAGE;
    entropy_fill(sample.target.bytes, sizeof sample.target.bytes);
    return dht_run(call, &verb, &sample);
}

static const struct command_option options[] = {
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_stats_command;
const struct command dht_stats_command = {
    .name = "dht stats",
    .summary = "how large the network is, or what one node holds",
    .operands = "[ADDR:PORT]",
    .description =
        "Without an operand it looks at the neighbourhoods of eight random places of the id space "
        "and says how many nodes there are, a line a family. A small network is counted; the size "
        "of a large one follows from how near the eight nearest nodes are to each place, within "
        "some 12 %. Nodes that do not answer are not counted.\n"
        "\n"
        "With the address of a node it asks that node how many torrents others have announced to "
        "it, and for some of their hashes (BEP 51). A node that stands tells of itself with "
        "'freshet dht node --progress=json'.",
    .options = options,
    .examples = {"freshet dht stats", "freshet dht stats 127.0.0.1:6881",
                 "freshet dht stats --bootstrap 127.0.0.1:6881 --json"},
    .operands_max = 1,
    .run = stats_run,
};

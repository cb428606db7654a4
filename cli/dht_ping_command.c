/* SPDX-License-Identifier: MIT */
/* freshet dht ping: is there a node, which one, how far away? */
#include <stdio.h>

#include "cli/dht_run.h"
#include "cli/terminal.h"
#include "host/clock.h"

struct ping {
    struct address address;
};

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct ping *ping = run->context;

    dht_run_began(run, dht_node_ping(node, clock_now(), &ping->address));
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    char address[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE], client[DHT_RUN_CLIENT_SIZE];
    char hex[2 * 32 + 1] = "";

    (void)node;
    if (result->type != DHT_RESULT_NODE)
        return;
    address_to_text(&result->from, address);
    dht_run_id_text(&result->id, id);
    dht_run_client_text(result->version, client);
    if (!run->is_json) {
        printf("%s  %u ms  %s  %s\n", address, result->rtt_ms, id, client);
        return;
    }
    bytes_to_hex(result->version.data, result->version.length < 32 ? result->version.length : 32,
                 hex);
    dht_run_print_json(json_pack("{s:s,s:i,s:s,s:s,s:s}", "address", address, "rtt_ms",
                                 (int)result->rtt_ms, "id", id, "client", client, "version", hex));
}

static int end(struct dht_run *run)
{
    (void)run;
    return EXIT_CODE_OK;
}

static int ping_run(struct command_call *call)
{
    static const struct dht_verb verb = {
        .is_direct = true, .begin = begin, .take = take, .end = end};
    struct ping ping;

    if (!dht_run_read_address(command_operand(call, 0), &ping.address))
        return EXIT_CODE_USAGE;
    return dht_run(call, &verb, &ping);
}

static const struct command_option options[] = {
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_ping_command;
const struct command dht_ping_command = {
    .name = "dht ping",
    .summary = "ask one node whether it is there",
    .operands = "ADDR:PORT",
    .description = "Prints the node's address, the time until its answer, its id, and the client "
                   "that it says to be. A node that does not answer in two seconds is given up, "
                   "with exit code 4.",
    .options = options,
    .examples = {"freshet dht ping 127.0.0.1:6881", "freshet dht ping [2001:db8::1]:6881 --json"},
    .operands_min = 1,
    .operands_max = 1,
    .run = ping_run,
};

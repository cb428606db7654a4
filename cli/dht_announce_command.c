/* SPDX-License-Identifier: MIT */
/* freshet dht announce: says that a peer of a torrent is at this address. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/dht_run.h"
#include "cli/message.h"
#include "host/clock.h"

struct announce {
    struct dht_id info_hash;
    uint16_t port;
    bool is_seed;
};

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct announce *announce = run->context;

    dht_run_began(run, dht_node_announce(node, clock_now(), &announce->info_hash, announce->port,
                                         announce->is_seed));
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    (void)run;
    (void)node;
    (void)result;
}

static int end(struct dht_run *run)
{
    const struct announce *announce = run->context;
    char text[DHT_RUN_ID_SIZE];

    dht_run_id_text(&announce->info_hash, text);
    if (run->is_json)
        dht_run_print_json(json_pack("{s:s,s:s,s:i,s:b,s:i,s:i,s:i}", "event", "done", "info_hash",
                                     text, "port", (int)announce->port, "seed", announce->is_seed,
                                     "stored", (int)run->stored, "asked", (int)run->asked,
                                     "answered", (int)run->answered));
    if (run->stored > 0) {
        if (!run->is_json)
            printf("announced %s, port %u, to %" PRIu32 " nodes\n", text, announce->port,
                   run->stored);
        return EXIT_CODE_OK;
    }
    if (run->is_late) {
        message_error("not announced in time (--timeout gives it more)");
        return EXIT_CODE_NETWORK;
    }
    if (run->refusal == 0) {
        message_error("%" PRIu32 " nodes answered, but none of them says that it keeps it",
                      run->answered);
        return EXIT_CODE_NETWORK;
    }
    message_error("refused by all %" PRIu32 " nodes that answered (%" PRId64 ")", run->answered,
                  run->refusal);
    return EXIT_CODE_REFUSED;
}

static int announce_run(struct command_call *call)
{
    static const struct dht_verb verb = {.begin = begin, .take = take, .end = end};
    struct announce announce = {.is_seed = command_has(call, "seed")};
    uint64_t port = 0;

    if (!command_has(call, "port"))
        return command_usage_error("--port is missing: where the peer listens");
    if (!command_number(call, "port", UINT16_MAX, &port))
        return EXIT_CODE_USAGE;
    if (port == 0)
        return command_usage_error("--port 0: nobody can connect there");
    announce.port = (uint16_t)port;
    int code = dht_run_read_info_hash(command_operand(call, 0), &announce.info_hash);
    return code == EXIT_CODE_OK ? dht_run(call, &verb, &announce) : code;
}

static const struct command_option options[] = {
    {.name = "port", .argument = "PORT", .help = "where the peer listens"},
    {.name = "seed", .help = "the peer has everything (BEP 33)"},
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_announce_command;
const struct command dht_announce_command = {
    .name = "dht announce",
    .summary = "say that a peer of a torrent is here",
    .operands = "INFOHASH|MAGNET",
    .description =
        "Tells the nodes nearest to the info-hash that this machine's address has a peer "
        "of the torrent on --port. They forget it after some 30 minutes: whoever stays "
        "announces again, as 'freshet seed' does by itself.\n"
        "\n"
        "The address is the one that the nodes see; it cannot be chosen, but on a "
        "machine with several --listen says from which one is spoken.",
    .options = options,
    .examples = {"freshet dht announce 0123456789abcdef0123456789abcdef01234567 --port 6881 --seed",
                 "freshet dht announce HASH --port 51413 --bootstrap 127.0.0.1:6881"},
    .operands_min = 1,
    .operands_max = 1,
    .run = announce_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet dht get-peers: who has a torrent. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/dht_run.h"
#include "cli/message.h"
#include "core/base/map.h"
#include "host/clock.h"

struct get_peers {
    struct dht_id info_hash;
    unsigned flags;
    bool wants_scrape;
    uint32_t scrape_numbers[2]; /* of IPv4, of IPv6 */
    struct map seen;            /* by address: the same peer is told by many nodes */
    uint32_t peer_count;
    bool is_scraped;
    uint32_t seeds, downloaders;
};

static void begin(struct dht_run *run, struct dht_node *node)
{
    struct get_peers *get = run->context;

    dht_run_began(run, dht_node_get_peers(node, clock_now(), &get->info_hash, get->flags));
}

static void print_peer(struct dht_run *run, const struct address *peer, const struct address *from)
{
    char text[ADDRESS_TEXT_SIZE], from_text[ADDRESS_TEXT_SIZE];

    address_to_text(peer, text);
    address_to_text(from, from_text);
    if (run->is_json) {
        dht_run_print_json(
            json_pack("{s:s,s:s,s:s}", "event", "peer", "peer", text, "from", from_text));
        return;
    }
    puts(text);
    fflush(stdout);
}

/* Asked apart, after the peers: some clients name none in the answer that has the estimates. */
static void scrape(struct dht_run *run, struct dht_node *node, uint32_t done)
{
    struct get_peers *get = run->context;
    uint32_t *number =
        &get->scrape_numbers[node == dht_service_node(run->service, ADDRESS_IPV6) ? 1 : 0];

    if (*number == done)
        return;
    *number = dht_node_get_peers(node, clock_now(), &get->info_hash, get->flags | DHT_PEERS_SCRAPE);
    dht_run_began(run, *number);
}

static void take(struct dht_run *run, struct dht_node *node, const struct dht_result *result)
{
    struct get_peers *get = run->context;

    if (result->type == DHT_RESULT_DONE && get->wants_scrape)
        scrape(run, node, result->number);
    if (result->type == DHT_RESULT_SCRAPE) {
        /* Of both families: other peers. */
        get->is_scraped = true;
        get->seeds += result->seeds;
        get->downloaders += result->downloaders;
    }
    if (result->type != DHT_RESULT_PEERS)
        return;
    for (uint32_t i = 0; i < result->peer_count; i++) {
        if (map_put(&get->seen, &result->peers[i], get))
            continue;
        get->peer_count++;
        print_peer(run, &result->peers[i], &result->from);
    }
}

static void print_end(const struct dht_run *run, const struct get_peers *get)
{
    char text[DHT_RUN_ID_SIZE];

    if (!run->is_json) {
        if (get->is_scraped)
            printf("seeds       about %" PRIu32 "\ndownloaders about %" PRIu32 "\n", get->seeds,
                   get->downloaders);
        return;
    }
    json_t *object =
        json_pack("{s:s,s:s,s:i,s:i,s:i}", "event", "done", "info_hash",
                  dht_run_id_text(&get->info_hash, text), "peers", (int)get->peer_count, "asked",
                  (int)run->asked, "answered", (int)run->answered);
    if (get->is_scraped) {
        json_object_set_new(object, "seeds", json_integer(get->seeds));
        json_object_set_new(object, "downloaders", json_integer(get->downloaders));
    }
    dht_run_print_json(object);
}

static int end(struct dht_run *run)
{
    const struct get_peers *get = run->context;

    print_end(run, get);
    if (get->peer_count > 0)
        return EXIT_CODE_OK;
    if (run->is_late)
        message_error("no peer found in time (--timeout gives it more)");
    else
        message_error("no peer: %" PRIu32 " nodes answered, and nobody knows one", run->answered);
    return EXIT_CODE_NETWORK;
}

static int get_peers_run(struct command_call *call)
{
    static const struct dht_verb verb = {.begin = begin, .take = take, .end = end};
    struct get_peers get = {.flags = command_has(call, "no-seeds") ? DHT_PEERS_NO_SEEDS : 0,
                            .wants_scrape = command_has(call, "scrape")};

    int code = dht_run_read_info_hash(command_operand(call, 0), &get.info_hash);
    if (code != EXIT_CODE_OK)
        return code;
    map_init(&get.seen, sizeof(struct address), (uint64_t)clock_now());
    code = dht_run(call, &verb, &get);
    map_deinit(&get.seen);
    return code;
}

static const struct command_option options[] = {
    {.name = "scrape", .help = "also estimate how many seeds and downloaders there are (BEP 33)"},
    {.name = "no-seeds", .help = "ask for peers that are no seeds"},
    DHT_RUN_OPTIONS,
    {.name = NULL},
};

extern const struct command dht_get_peers_command;
const struct command dht_get_peers_command = {
    .name = "dht get-peers",
    .summary = "find the peers of a torrent",
    .operands = "INFOHASH|MAGNET",
    .description = "Prints the address and port of each peer, one a line, as they come. Of a v2 "
                   "torrent the first 20 bytes of the hash are asked for.\n"
                   "\n"
                   "Ends with 4 when nobody answers or nobody knows a peer.",
    .options = options,
    .examples = {"freshet dht get-peers 0123456789abcdef0123456789abcdef01234567",
                 "freshet dht get-peers --scrape --json 'magnet:?xt=urn:btih:...'",
                 "freshet dht get-peers --bootstrap 127.0.0.1:6881 HASH"},
    .operands_min = 1,
    .operands_max = 1,
    .run = get_peers_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet dht node: a node that stands, until a signal ends it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/dht_run.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "host/clock.h"

#define PORT_DEFAULT 6881
#define PORT_NUMBER  "dht_port" /* of the state: the one of last time */
#define TICK_MS      1000
#define JSON_TICKS   10 /* between progress lines */
#define PLAIN_TICKS  60

static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};

enum progress { PROGRESS_BAR, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct node_run {
    const struct command_call *call;
    enum progress progress;
    struct state_store *state;
    struct dht_service *service;
    struct dht_node_stats total; /* of both families */
    uint64_t queries_before;     /* in and out, at the last tick */
    uint64_t rate;               /* queries a second */
    uint32_t ticks;
    bool has_line; /* a status line stands on the terminal */
};

static enum progress read_progress(const struct command_call *call)
{
    const char *text = command_value(call, "progress");

    if (text && strcmp(text, "json") == 0)
        return PROGRESS_JSON;
    if (text && strcmp(text, "none") == 0)
        return PROGRESS_NONE;
    if (text && strcmp(text, "plain") == 0)
        return PROGRESS_PLAIN;
    if (text && strcmp(text, "bar") == 0)
        return PROGRESS_BAR;
    return terminal_can_redraw(STDOUT_FILENO) ? PROGRESS_BAR : PROGRESS_PLAIN;
}

static void add_stats(struct dht_node_stats *total, const struct dht_node_stats *stats)
{
    total->nodes += stats->nodes;
    total->good_nodes += stats->good_nodes;
    total->lookups += stats->lookups;
    total->torrents += stats->torrents;
    total->peers += stats->peers;
    total->items += stats->items;
    total->queries_in += stats->queries_in;
    total->queries_refused += stats->queries_refused;
    total->queries_out += stats->queries_out;
    total->replies_in += stats->replies_in;
}

static void take_stats(struct node_run *run)
{
    struct dht_node_stats stats;

    run->total = (struct dht_node_stats){.nodes = 0};
    for (int i = 0; i < 2; i++) {
        struct dht_node *node = dht_service_node(run->service, families[i]);
        if (!node)
            continue;
        dht_node_stats(node, clock_now(), &stats);
        add_stats(&run->total, &stats);
    }
}

/* --- What it says --- */

static void clear_line(struct node_run *run)
{
    if (run->has_line)
        output_printf("\r\033[K");
    run->has_line = false;
}

static void set_ids(const struct node_run *run, json_t *object)
{
    static const char *const keys[] = {"id", "id6"};
    char id[DHT_RUN_ID_SIZE];
    bool is_first = true;

    for (int i = 0; i < 2; i++) {
        struct dht_node *node = dht_service_node(run->service, families[i]);
        if (!node)
            continue;
        struct dht_id own = dht_node_id(node);
        json_object_set_new(object, keys[is_first ? 0 : 1], json_string(dht_run_id_text(&own, id)));
        is_first = false;
    }
}

/* The first address is "listen", whichever family it is of. */
static void print_ready(const struct node_run *run)
{
    static const char *const keys[] = {"listen", "listen6"};
    json_t *object = json_pack("{s:s}", "event", "ready");
    bool is_first = true;

    for (int i = 0; i < 2; i++) {
        struct address address = dht_service_address(run->service, families[i]);
        struct dht_node *node = dht_service_node(run->service, families[i]);
        char text[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE];
        if (!node)
            continue;
        struct dht_id own = dht_node_id(node);
        address_to_text(&address, text);
        if (run->progress == PROGRESS_BAR || run->progress == PROGRESS_PLAIN)
            output_printf("listening on %s, id %s\n", text, dht_run_id_text(&own, id));
        json_object_set_new(object, keys[is_first ? 0 : 1], json_string(text));
        is_first = false;
    }
    set_ids(run, object);
    if (run->progress == PROGRESS_JSON)
        dht_run_print_json(object);
    else
        json_decref(object);
    output_flush();
}

static void print_json_stats(const struct node_run *run, const char *event)
{
    const struct dht_node_stats *total = &run->total;
    json_t *object = json_object();
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {
        {"nodes", total->nodes},
        {"good_nodes", total->good_nodes},
        {"torrents", total->torrents},
        {"peers", total->peers},
        {"items", total->items},
        {"lookups", total->lookups},
        {"queries_in", total->queries_in},
        {"queries_refused", total->queries_refused},
        {"queries_out", total->queries_out},
        {"replies_in", total->replies_in},
        {"queries_per_s", run->rate},
    };

    json_object_set_new(object, "event", json_string(event));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        json_object_set_new(object, numbers[i].key, json_integer((json_int_t)numbers[i].value));
    set_ids(run, object);
    dht_run_print_json(object);
}

static void print_line(struct node_run *run)
{
    const struct dht_node_stats *total = &run->total;
    char line[160];

    snprintf(line, sizeof line,
             "%" PRIu32 " nodes, %" PRIu32 " torrents, %" PRIu32 " items, %" PRIu64
             " queries a second",
             total->nodes, total->torrents, total->items, run->rate);
    if (run->progress == PROGRESS_PLAIN) {
        output_printf("%s\n", line);
    } else {
        clear_line(run);
        output_printf("%.*s", terminal_width(STDOUT_FILENO) - 1, line);
        run->has_line = true;
    }
    output_flush();
}

static void on_tick(void *context)
{
    struct node_run *run = context;

    take_stats(run);
    uint64_t queries = run->total.queries_in + run->total.queries_out;
    run->rate = (queries - run->queries_before) * 1000 / TICK_MS;
    run->queries_before = queries;
    run->ticks++;
    if (output_is_behind())
        return;
    if (run->progress == PROGRESS_BAR)
        print_line(run);
    else if (run->progress == PROGRESS_PLAIN && run->ticks % PLAIN_TICKS == 0)
        print_line(run);
    else if (run->progress == PROGRESS_JSON && run->ticks % JSON_TICKS == 0)
        print_json_stats(run, "progress");
}

static void on_result(void *context, struct dht_node *node, const struct dht_result *result)
{
    struct node_run *run = context;
    char address[ADDRESS_TEXT_SIZE], id[DHT_RUN_ID_SIZE];

    if (result->type != DHT_RESULT_ADDRESS)
        return;
    struct dht_id own = dht_node_id(node);
    address_to_text(&result->from, address);
    dht_run_id_text(&own, id);
    if (run->progress == PROGRESS_JSON) {
        dht_run_print_json(
            json_pack("{s:s,s:s,s:s}", "event", "address", "address", address, "id", id));
    } else if (run->progress != PROGRESS_NONE) {
        clear_line(run);
        output_printf("others see us at %s, id %s\n", address, id);
        output_flush();
    }
}

static void on_signal(void *context, int signal_number)
{
    struct node_run *run = context;

    (void)signal_number;
    dht_service_stop(run->service);
}

/* --- Life --- */

/* Two nodes of one state would bear one id, and each would write over what the other knows. */
static int claim_state(struct node_run *run, int *ret_lock)
{
    static const uint8_t no_hash[32];
    const char *folder = command_value(run->call, "state");
    char text[STATE_TEXT_SIZE], usual[LIMIT_PATH_LENGTH + 1];
    pid_t pid = 0;

    if (!folder && !state_store_default_folder(usual))
        return command_usage_error("no home for the state: set HOME or use --state");
    enum freshet_error error = state_store_open(folder ? folder : usual, text, &run->state);
    if (text[0])
        message_error("%s", text);
    if (error)
        return (int)exit_code_from_error(error);
    error = state_store_lock(run->state, no_hash, "dht node", ret_lock, &pid);
    if (error == FRESHET_ERROR_BUSY) {
        message_error("another node lives with this state, process %ld (--state)", (long)pid);
        return EXIT_CODE_REFUSED;
    }
    if (error)
        message_error_code("lock of the state", error);
    return error ? (int)exit_code_from_error(error) : EXIT_CODE_OK;
}

static int run_service(struct node_run *run, struct dht_service_options *options)
{
    char text[DHT_SERVICE_TEXT_SIZE];

    if (dht_service_new(options, text, &run->service) != FRESHET_OK) {
        message_error("%s", text);
        return EXIT_CODE_NETWORK;
    }
    if (options->listen.family == ADDRESS_NONE)
        (void)state_store_set_number(run->state, PORT_NUMBER,
                                     dht_service_address(run->service, ADDRESS_IPV4).port);
    output_begin();
    print_ready(run);
    dht_service_run(run->service);
    take_stats(run);
    clear_line(run);
    if (run->progress == PROGRESS_JSON)
        print_json_stats(run, "stats");
    dht_service_free(run->service);
    return EXIT_CODE_OK;
}

static int node_run(struct command_call *call)
{
    struct node_run run = {.call = call, .progress = read_progress(call)};
    struct dht_service_options options = {.is_read_only = command_has(call, "read-only"),
                                          .tick_ms = TICK_MS,
                                          .on_result = on_result,
                                          .on_tick = on_tick,
                                          .on_signal = on_signal,
                                          .context = &run};
    const char *given[LIMIT_DHT_NAMES];
    uint32_t given_count = 0;
    struct dht_bootstrap names;
    int lock = -1;

    if (!dht_run_read_listen(call, &options.listen, &options.port) ||
        !dht_run_read_names(call, given, &given_count))
        return EXIT_CODE_USAGE;
    int code = claim_state(&run, &lock);
    if (code == EXIT_CODE_OK) {
        if (!command_has(call, "listen"))
            options.port = (uint16_t)state_store_number(run.state, PORT_NUMBER, PORT_DEFAULT);
        options.state = run.state;
        dht_bootstrap_load(&names, run.state, given, given_count, &options.listen);
        options.names = &names;
        code = run_service(&run, &options);
        dht_bootstrap_deinit(&names);
    }
    if (lock >= 0)
        state_store_unlock(lock);
    state_store_close(run.state);
    return code;
}

static const struct command_option options[] = {
    {.name = "listen",
     .argument = "ADDR:PORT",
     .help = "listen there; port 0 takes a free one, :PORT means every address (:6881)"},
    {.name = "bootstrap",
     .argument = "HOST:PORT",
     .help = "begin at this node; kept in the state",
     .repeatable = true},
    {.name = "state",
     .argument = "DIR",
     .help = "folder of the state: id, nodes, port ($XDG_STATE_HOME/freshet)"},
    {.name = "read-only", .help = "ask, never answer (BEP 43)"},
    {.name = "progress",
     .argument = "auto|bar|plain|json|none",
     .help = "how to say what goes on; json: one object a line"},
    {.name = NULL},
};

extern const struct command dht_node_command;
const struct command dht_node_command = {
    .name = "dht node",
    .summary = "be a node of the DHT",
    .operands = "",
    .description =
        "A node that stands: it answers whoever asks, keeps what others announce and put, and "
        "knows its id and its nodes again at the next start. Alone on a loopback or a private "
        "address it is the beginning of a network of its own, for others to name with "
        "--bootstrap.\n"
        "\n"
        "Without --listen it takes port 6881 of every address, IPv4 and IPv6, or the next that is "
        "free, and the same again the next time. Without --bootstrap it begins at what was kept, "
        "else at the public nodes; on a loopback address it asks none of those.\n"
        "\n"
        "Runs until SIGINT or SIGTERM, which end it with exit code 0. With --progress=json it says "
        "'ready' with its address and id, 'progress' now and then, 'address' when others agree on "
        "where it is (its id then follows from that, BEP 42), and at the end 'stats'.",
    .options = options,
    .examples = {"freshet dht node", "freshet dht node --listen 192.168.1.2:6881 --state /srv/dht",
                 "freshet dht node --listen 127.0.0.1:0 --progress=json"},
    .run = node_run,
};

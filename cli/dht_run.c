/* SPDX-License-Identifier: MIT */
#include "cli/dht_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/units.h"
#include "core/metainfo/magnet.h"
#include "host/clock.h"

#define TIMEOUT_NS (20 * SECOND_NS)
#define TICK_MS    50
#define RETRY_NS   (1100 * MILLISECOND_NS)

/* --- Reading what a person wrote --- */

bool dht_run_read_listen(const struct command_call *call, struct address *ret_listen,
                         uint16_t *ret_port)
{
    const char *text = command_value(call, "listen");
    char everywhere[64];
    struct address address;

    if (!text)
        return true;
    snprintf(everywhere, sizeof everywhere, "0.0.0.0%.40s", text);
    if (text[0] == ':' && address_from_text(everywhere, false, &address)) {
        *ret_port = address.port;
        return true;
    }
    if (address_from_text(text, false, ret_listen))
        return true;
    command_usage_error("--listen '%.80s' is no address and port (192.0.2.1:6881, "
                        "[2001:db8::1]:6881, :6881)",
                        text);
    return false;
}

bool dht_run_read_names(const struct command_call *call, const char *ret_names[LIMIT_DHT_NAMES],
                        uint32_t *ret_count)
{
    size_t count = command_value_count(call, "bootstrap");

    if (count > LIMIT_DHT_NAMES) {
        command_usage_error("--bootstrap may be given %u times at most", LIMIT_DHT_NAMES);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ret_names[i] = command_value_at(call, "bootstrap", i);
        if (dht_bootstrap_is_name(ret_names[i]))
            continue;
        command_usage_error("--bootstrap '%.80s' is no host and port (dht.example.org:6881)",
                            ret_names[i]);
        return false;
    }
    *ret_count = (uint32_t)count;
    return true;
}

bool dht_run_read_address(const char *text, struct address *ret_address)
{
    if (address_from_text(text, false, ret_address) && ret_address->port != 0)
        return true;
    command_usage_error("'%.80s' is no address and port (192.0.2.1:6881, [2001:db8::1]:6881)",
                        text);
    return false;
}

int dht_run_read_info_hash(const char *text, struct dht_id *ret_hash)
{
    char reason[METAINFO_REASON_SIZE] = "";
    struct magnet *magnet = NULL;

    if (magnet_parse((struct bytes){(const uint8_t *)text, strlen(text)}, &magnet, reason)) {
        message_error("'%.80s': %s (40 hex, 32 base32 or 64 hex digits, or a magnet link)", text,
                      reason[0] ? reason : "no info-hash");
        return EXIT_CODE_BAD_INPUT;
    }
    memcpy(ret_hash->bytes, magnet->has_v1 ? magnet->info_hash_v1 : magnet->info_hash_v2,
           DHT_ID_SIZE);
    magnet_free(magnet);
    return EXIT_CODE_OK;
}

bool dht_run_read_target(const char *text, struct dht_id *ret_target)
{
    struct bytes hex = {(const uint8_t *)text, strlen(text)};

    if (bytes_from_hex(hex, ret_target->bytes, DHT_ID_SIZE))
        return true;
    command_usage_error("'%.80s' is no target (40 hex digits)", text);
    return false;
}

/* --- Writing what came --- */

const char *dht_run_id_text(const struct dht_id *id, char text[DHT_RUN_ID_SIZE])
{
    bytes_to_hex(id->bytes, DHT_ID_SIZE, text);
    return text;
}

void dht_run_print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    output_printf("%s\n", text ? text : "{}");
    output_flush();
    free(text);
    json_decref(object);
}

const char *dht_run_client_text(struct bytes version, char text[DHT_RUN_CLIENT_SIZE])
{
    static const struct {
        char code[3];
        const char *name;
    } clients[] = {
        {"FR", "freshet"},      {"LT", "libtorrent"},  {"UT", "uTorrent"},
        {"lt", "rtorrent"},     {"JC", "jech/dht"},    {"A2", "aria2"},
        {"TR", "Transmission"}, {"MO", "MonoTorrent"}, {"Az", "Vuze"},
    };
    char letters[3] = "??";

    if (version.length < 2) {
        snprintf(text, DHT_RUN_CLIENT_SIZE, "unknown");
        return text;
    }
    for (int i = 0; i < 2; i++)
        if (version.data[i] > ' ' && version.data[i] < 127)
            letters[i] = (char)version.data[i];
    const char *name = NULL;
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        if (strcmp(clients[i].code, letters) == 0)
            name = clients[i].name;
    unsigned first = version.length > 2 ? version.data[2] : 0;
    unsigned second = version.length > 3 ? version.data[3] : 0;
    snprintf(text, DHT_RUN_CLIENT_SIZE, "%s%s%s%s %u.%u", name ? name : "", name ? " (" : "",
             letters, name ? ")" : "", first, second);
    return text;
}

/* --- Running --- */

void dht_run_began(struct dht_run *run, uint32_t number)
{
    run->began += number != 0;
    run->open += number != 0;
}

void dht_run_enough(struct dht_run *run)
{
    dht_service_stop(run->service);
}

static void on_ready(void *context, struct dht_node *node)
{
    struct dht_run *run = context;

    if (!run->verb->is_direct)
        run->verb->begin(run, node);
}

static void on_result(void *context, struct dht_node *node, const struct dht_result *result)
{
    struct dht_run *run = context;
    bool is_done = result->type == DHT_RESULT_DONE;

    if (result->number == 0)
        return;
    if (is_done) {
        run->asked += result->asked;
        run->answered += result->answered;
        run->stored += result->stored;
        run->refusal = result->refusal ? result->refusal : run->refusal;
        run->open--;
    }
    run->verb->take(run, node, result);
    if (run->open > 0 || !is_done)
        return;
    /* Nodes that were there a moment ago, and now all are silent, have perhaps answered this
     * address as often as they do in a second: errand upon errand comes from it. */
    bool is_silent = run->answered == 0 || (result->error == FRESHET_ERROR_REFUSED &&
                                            run->stored == 0 && run->refusal == 0);
    if (is_silent && !run->was_silent && !run->verb->is_direct) {
        run->was_silent = true;
        run->retry_ns = clock_now() + RETRY_NS;
        return;
    }
    /* A family that is not ready by now is not waited for. */
    dht_service_stop(run->service);
}

static void begin_again(struct dht_run *run)
{
    struct dht_node_stats stats;

    run->retry_ns = 0;
    for (int i = 0; i < 2; i++) {
        struct dht_node *node = dht_service_node(run->service, i ? ADDRESS_IPV6 : ADDRESS_IPV4);
        if (!node)
            continue;
        dht_node_stats(node, clock_now(), &stats);
        if (stats.nodes > 0)
            run->verb->begin(run, node);
    }
}

static void on_tick(void *context)
{
    struct dht_run *run = context;

    if (run->retry_ns && clock_now() >= run->retry_ns)
        begin_again(run);
    if (clock_now() - run->start_ns < run->timeout_ns)
        return;
    run->is_late = true;
    dht_service_stop(run->service);
}

static int say_nobody(const struct dht_run *run, const struct dht_bootstrap *names)
{
    char time[UNITS_TEXT_SIZE];

    units_format_duration(run->timeout_ns, time);
    if (run->began > 0 || run->verb->is_direct)
        message_error("nobody answered");
    else if (names->count == 1)
        message_error("%s:%u did not answer in %s, and nobody else is known", names->names[0].host,
                      names->names[0].port, time);
    else
        message_error("nobody answered in %s (%u names asked to begin with)", time, names->count);
    return EXIT_CODE_NETWORK;
}

static int run_service(struct dht_run *run, const struct dht_bootstrap *names)
{
    if (run->verb->is_direct) {
        static const enum address_family families[] = {ADDRESS_IPV4, ADDRESS_IPV6};
        for (int i = 0; i < 2; i++)
            if (dht_service_node(run->service, families[i]))
                run->verb->begin(run, dht_service_node(run->service, families[i]));
        if (run->began == 0) {
            message_error("that address cannot be asked from here");
            return EXIT_CODE_NETWORK;
        }
        dht_service_push(run->service);
    } else if (!dht_service_has_beginning(run->service)) {
        message_error("no node is known to begin with (give --bootstrap HOST:PORT)");
        return EXIT_CODE_NETWORK;
    }
    dht_service_run(run->service);
    bool is_known = run->open == 0; /* whether anybody answered */
    return run->began == 0 || (is_known && run->answered == 0) ? say_nobody(run, names)
                                                               : run->verb->end(run);
}

/* What was kept is of use only to who is not told where to begin. Without a home, or with a state
 * that cannot be opened, the public names are still there: only a folder that a person names must
 * be one. */
static int open_state(const struct dht_run *run, uint32_t name_count,
                      struct state_store **ret_state)
{
    const char *folder = command_value(run->call, "state");
    char text[STATE_TEXT_SIZE], usual[LIMIT_PATH_LENGTH + 1];

    if (run->verb->is_direct || name_count > 0)
        return EXIT_CODE_OK;
    if (!folder && !state_store_default_folder(usual))
        return EXIT_CODE_OK;
    enum freshet_error error = state_store_open(folder ? folder : usual, text, ret_state);
    if (text[0] && (folder || !error))
        message_error("%s", text);
    return error && folder ? (int)exit_code_from_error(error) : EXIT_CODE_OK;
}

static int run_with_state(struct dht_run *run, struct dht_service_options *options,
                          const char *const *given, uint32_t given_count)
{
    char text[DHT_SERVICE_TEXT_SIZE];
    struct dht_bootstrap names = {.count = 0};

    /* Not kept: what is right for one errand need not be for the next. */
    if (!run->verb->is_direct)
        dht_bootstrap_load(&names, given_count ? NULL : options->state, given, given_count,
                           &options->listen);
    options->names = &names;
    int code = EXIT_CODE_NETWORK;
    if (dht_service_new(options, text, &run->service) != FRESHET_OK) {
        message_error("%s", text);
    } else {
        code = run_service(run, &names);
        dht_service_free(run->service);
    }
    dht_bootstrap_deinit(&names);
    return code;
}

int dht_run(const struct command_call *call, const struct dht_verb *verb, void *context)
{
    struct dht_run run = {.call = call,
                          .verb = verb,
                          .context = context,
                          .is_json = command_has(call, "json"),
                          .timeout_ns = TIMEOUT_NS,
                          .start_ns = clock_now()};
    struct dht_service_options options = {.is_passing = true,
                                          .is_read_only = true,
                                          .tick_ms = TICK_MS,
                                          .on_ready = on_ready,
                                          .on_result = on_result,
                                          .on_tick = on_tick,
                                          .context = &run};
    const char *given[LIMIT_DHT_NAMES];
    uint32_t given_count = 0;

    if (!dht_run_read_listen(call, &options.listen, &options.port) ||
        !dht_run_read_names(call, given, &given_count) ||
        !command_duration(call, "timeout", &run.timeout_ns))
        return EXIT_CODE_USAGE;
    int code = open_state(&run, given_count, &options.state);
    if (code == EXIT_CODE_OK)
        code = run_with_state(&run, &options, given, given_count);
    state_store_close(options.state);
    return code;
}

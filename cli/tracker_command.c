/* SPDX-License-Identifier: MIT */
/* freshet tracker: tells the peers of a torrent of one another, over HTTP and UDP. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/message.h"
#include "cli/output.h"
#include "host/tracker_service.h"

#define DEFAULT_PORT 6969

enum progress { PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct tracker_run {
    struct command_call *call;
    struct tracker_service_socket sockets[TRACKER_SERVICE_SOCKETS_MAX];
    uint32_t socket_count;
    struct address proxies[LIMIT_TRACKER_PROXIES];
    uint32_t proxy_count;
    enum progress progress;
    struct tracker_service *service;
};

/* --- Options --- */

static bool add_socket(struct tracker_run *run, enum tracker_transport transport,
                       const struct address *address, bool is_optional)
{
    if (run->socket_count == TRACKER_SERVICE_SOCKETS_MAX) {
        command_usage_error("at most %u addresses to listen on", TRACKER_SERVICE_SOCKETS_MAX);
        return false;
    }
    run->sockets[run->socket_count++] =
        (struct tracker_service_socket){transport, *address, is_optional};
    return true;
}

/* Every address of the machine, of both families. */
static bool add_everywhere(struct tracker_run *run, enum tracker_transport transport, uint16_t port)
{
    struct address address = {.family = ADDRESS_IPV4, .port = port};
    if (!add_socket(run, transport, &address, false))
        return false;
    address.family = ADDRESS_IPV6;
    return add_socket(run, transport, &address, true);
}

static bool parse_socket(struct tracker_run *run, enum tracker_transport transport,
                         const char *text)
{
    static const char *const names[] = {"http", "udp"};
    struct address address;
    char everywhere[64];
    snprintf(everywhere, sizeof everywhere, "0.0.0.0%.40s", text);
    if (text[0] == ':' && address_from_text(everywhere, false, &address))
        return add_everywhere(run, transport, address.port);
    if (address_from_text(text, false, &address))
        return add_socket(run, transport, &address, false);
    command_usage_error("--%s %.60s: not an address and port, such as 0.0.0.0:6969, [::]:6969 "
                        "or :6969 for both",
                        names[transport], text);
    return false;
}

static bool parse_sockets(struct tracker_run *run)
{
    static const char *const names[] = {"http", "udp"};
    for (int transport = TRACKER_TRANSPORT_HTTP; transport <= TRACKER_TRANSPORT_UDP; transport++)
        for (size_t i = 0; i < command_value_count(run->call, names[transport]); i++)
            if (!parse_socket(run, (enum tracker_transport)transport,
                              command_value_at(run->call, names[transport], i)))
                return false;
    if (run->socket_count > 0)
        return true;
    return add_everywhere(run, TRACKER_TRANSPORT_HTTP, DEFAULT_PORT) &&
           add_everywhere(run, TRACKER_TRANSPORT_UDP, DEFAULT_PORT);
}

static bool parse_proxies(struct tracker_run *run)
{
    for (size_t i = 0; i < command_value_count(run->call, "trusted-proxy"); i++) {
        const char *text = command_value_at(run->call, "trusted-proxy", i);
        if (run->proxy_count == LIMIT_TRACKER_PROXIES) {
            command_usage_error("at most %u trusted proxies", LIMIT_TRACKER_PROXIES);
            return false;
        }
        if (!address_from_text(text, true, &run->proxies[run->proxy_count++])) {
            command_usage_error("--trusted-proxy %.60s: not an address", text);
            return false;
        }
    }
    return true;
}

static void parse_progress(struct tracker_run *run)
{
    const char *text = command_value(run->call, "progress");
    run->progress = PROGRESS_PLAIN;
    if (text && strcmp(text, "json") == 0)
        run->progress = PROGRESS_JSON;
    else if (text && strcmp(text, "none") == 0)
        run->progress = PROGRESS_NONE;
}

/* --- The allow list --- */

static bool read_file(const char *path, struct buffer *ret_text)
{
    uint8_t part[65536];
    size_t length;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        message_error("%s: %s", path, strerror(errno));
        return false;
    }
    while ((length = fread(part, 1, sizeof part, file)) > 0 &&
           ret_text->length < (size_t)LIMIT_TRACKER_ALLOWED * 128)
        buffer_append(ret_text, part, length);
    bool is_ok = !ferror(file);
    fclose(file);
    if (!is_ok)
        message_error("%s: cannot be read", path);
    return is_ok;
}

/* EXIT_CODE_OK, or why not after saying so. */
static int load_allow_list(struct tracker_run *run)
{
    const char *path = command_value(run->call, "allow");
    if (path == NULL)
        return EXIT_CODE_OK;
    struct buffer text = {0};
    struct tracker_allow_list list;
    size_t line = 0;
    if (!read_file(path, &text)) {
        buffer_deinit(&text);
        return EXIT_CODE_BAD_INPUT;
    }
    enum freshet_error error = tracker_allow_list_parse(buffer_bytes(&text), &list, &line);
    buffer_deinit(&text);
    if (error != FRESHET_OK) {
        message_error("%s line %zu: %s (one info-hash of 40 hex digits a line)", path, line,
                      error_text(error));
        return EXIT_CODE_BAD_INPUT;
    }
    tracker_server_allow(tracker_service_server(run->service), &list);
    return EXIT_CODE_OK;
}

/* --- Running --- */

static void print_urls(const struct tracker_run *run)
{
    struct tracker_service_socket socket;
    char address[ADDRESS_TEXT_SIZE];
    for (uint32_t i = 0; tracker_service_socket_at(run->service, i, &socket); i++) {
        address_to_text(&socket.address, address);
        output_printf("%s://%s/announce\n",
                      socket.transport == TRACKER_TRANSPORT_HTTP ? "http" : "udp", address);
    }
}

static void print_addresses(const struct tracker_run *run, const char *key,
                            enum tracker_transport transport)
{
    struct tracker_service_socket socket;
    char address[ADDRESS_TEXT_SIZE];
    const char *comma = "";
    output_printf(",\"%s\":[", key);
    for (uint32_t i = 0; tracker_service_socket_at(run->service, i, &socket); i++) {
        if (socket.transport != transport)
            continue;
        address_to_text(&socket.address, address);
        output_printf("%s\"%s\"", comma, address);
        comma = ",";
    }
    output_printf("]");
}

static void print_ready(const struct tracker_run *run)
{
    struct tracker_service_socket first;
    char address[ADDRESS_TEXT_SIZE];
    if (run->progress == PROGRESS_PLAIN)
        print_urls(run);
    if (run->progress == PROGRESS_JSON && tracker_service_socket_at(run->service, 0, &first)) {
        address_to_text(&first.address, address);
        output_printf("{\"event\":\"ready\",\"listen\":\"%s\"", address);
        print_addresses(run, "http", TRACKER_TRANSPORT_HTTP);
        print_addresses(run, "udp", TRACKER_TRANSPORT_UDP);
        output_printf("}\n");
    }
    output_flush();
}

static void print_stats(const struct tracker_run *run)
{
    struct tracker_server_stats stats;
    tracker_server_stats(tracker_service_server(run->service), &stats);
    if (run->progress != PROGRESS_JSON)
        return;
    output_printf("{\"event\":\"stats\",\"announces\":%" PRIu64 ",\"scrapes\":%" PRIu64
                  ",\"connects\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"ignored\":%" PRIu64
                  ",\"torrents\":%" PRIu32 ",\"peers\":%" PRIu32 "}\n",
                  stats.announces, stats.scrapes, stats.connects, stats.refused, stats.ignored,
                  stats.torrents, stats.peers);
    output_flush();
}

static void on_signal(void *context, int signal_number)
{
    struct tracker_run *run = context;
    if (signal_number != SIGHUP) {
        tracker_service_stop(run->service);
        return;
    }
    /* A list that cannot be read leaves the old one in force; what is wrong has been said. */
    if (command_value(run->call, "allow") && load_allow_list(run) == EXIT_CODE_OK)
        message_note("allow list read again");
}

static int run_service(struct tracker_run *run, uint32_t interval_s)
{
    char text[TRACKER_SERVICE_TEXT_SIZE];
    struct tracker_service_options options = {
        .sockets = run->sockets,
        .socket_count = run->socket_count,
        .interval_s = interval_s,
        .proxies = run->proxies,
        .proxy_count = run->proxy_count,
        .on_signal = on_signal,
        .context = run,
    };
    if (tracker_service_new(&options, text, &run->service) != FRESHET_OK) {
        message_error("%s", text[0] ? text : "there is nothing to listen on");
        return EXIT_CODE_NETWORK;
    }
    int code = load_allow_list(run);
    if (code == EXIT_CODE_OK) {
        output_begin();
        print_ready(run);
        tracker_service_run(run->service);
        print_stats(run);
    }
    tracker_service_free(run->service);
    return code;
}

static int tracker_run(struct command_call *call)
{
    struct tracker_run run = {.call = call};
    int64_t interval_ns = LIMIT_ANNOUNCE_INTERVAL_S * SECOND_NS;
    if (!command_duration(call, "interval", &interval_ns) || !parse_sockets(&run) ||
        !parse_proxies(&run))
        return EXIT_CODE_USAGE;
    if (interval_ns < SECOND_NS || interval_ns > LIMIT_ANNOUNCE_INTERVAL_MAX_S * SECOND_NS)
        return command_usage_error("--interval: must be from 1 second to 1 day");
    parse_progress(&run);
    return run_service(&run, (uint32_t)(interval_ns / SECOND_NS));
}

static const struct command_option options[] = {
    {.name = "http",
     .argument = "ADDR:PORT",
     .help = "listen there for HTTP; port 0 takes a free one, :PORT means every address",
     .repeatable = true},
    {.name = "udp",
     .argument = "ADDR:PORT",
     .help = "listen there for UDP; as --http",
     .repeatable = true},
    {.name = "allow",
     .argument = "FILE",
     .help = "serve only the torrents listed there, one info-hash of 40 hex digits a line"},
    {.name = "interval", .argument = "TIME", .help = "how often peers are to announce (30m)"},
    {.name = "trusted-proxy",
     .argument = "ADDR",
     .help = "believe the ip= that announces from this address carry",
     .repeatable = true},
    {.name = "progress",
     .argument = "auto|bar|plain|json|none",
     .help = "how to say what goes on; json: one object a line"},
    {.name = NULL},
};

extern const struct command tracker_command;
const struct command tracker_command = {
    .name = "tracker",
    .summary = "run a tracker",
    .operands = "",
    .description =
        "Tells the peers of a torrent of one another, over HTTP and UDP, IPv4 and IPv6, in one "
        "process. Without --http and --udp it listens on port 6969 of every address, for both.\n"
        "\n"
        "Torrents need not be registered: any info-hash is served, or with --allow only those "
        "listed; the list is read again on SIGHUP. Peers that do not announce for two intervals "
        "are forgotten; nothing is kept on the disk.\n"
        "\n"
        "Prints the announce URLs and runs until SIGINT or SIGTERM, which end it with exit code "
        "0.",
    .options = options,
    .examples = {"freshet tracker", "freshet tracker --http 127.0.0.1:0 --progress=json",
                 "freshet tracker --udp :6969 --allow torrents.txt --interval 15m"},
    .run = tracker_run,
};

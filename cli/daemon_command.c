/* SPDX-License-Identifier: MIT */
/* freshet daemon: keeps torrents, and is spoken to over its RPC. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/transfer.h"
#include "cli/transfer_options.h"
#include "host/daemon_service.h"
#include "host/rpc_token.h"
#include "services/api/api.h"
#include "services/rpc/metrics_service.h"
#include "services/rpc/transmission_rpc.h"
#include "services/rpc/where_service.h"

#define RPC_PORT       9091
#define ALLOWED_MAX    32
#define ROOTS_MAX      32
#define TOKEN_LENGTH   16 /* characters of one that a person chose, at least */
#define TOKEN_VARIABLE "FRESHET_RPC_TOKEN"

static const struct service *const services[] = {&transmission_service, &api_service,
                                                 &metrics_service, &where_service};

struct daemon_run {
    struct command_call *call;
    struct transfer_options options;
    struct daemon_service_options service;
    const char *allowed[ALLOWED_MAX], *roots[ROOTS_MAX];
    char token[RPC_TOKEN_SIZE];
    bool is_json, is_quiet;
};

/* ---- options ---- */

static bool read_rpc(struct daemon_run *run)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    const char *text = command_value(run->call, "rpc");

    if (!text) {
        run->service.rpc = address_ipv4(loopback, RPC_PORT);
        return true;
    }
    if (strcmp(text, "none") == 0 || address_from_text(text, false, &run->service.rpc))
        return true;
    command_usage_error("--rpc '%.80s' is no address and port (127.0.0.1:9091, [::1]:9091) and "
                        "not none",
                        text);
    return false;
}

/* All values of an option that may be repeated. */
static bool read_all(struct command_call *call, const char *name, size_t most,
                     const char **ret_values, size_t *ret_count)
{
    size_t count = command_value_count(call, name);

    if (count > most) {
        command_usage_error("--%s may be given %zu times at most", name, most);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        ret_values[i] = command_value_at(call, name, i);
    *ret_count = count;
    return true;
}

static bool read_allowed(struct daemon_run *run)
{
    run->service.hosts = run->allowed;
    return read_all(run->call, "rpc-allow", ALLOWED_MAX, run->allowed, &run->service.host_count);
}

static bool read_roots(struct daemon_run *run)
{
    run->service.roots = run->roots;
    return read_all(run->call, "root", ROOTS_MAX, run->roots, &run->service.root_count);
}

static bool read_login(struct daemon_run *run)
{
    const char *login = command_value(run->call, "rpc-user");
    const char *colon = login ? strchr(login, ':') : NULL;

    if (login && (!colon || colon == login || colon[1] == '\0')) {
        command_usage_error("--rpc-user: is no USER:PASSWORD");
        return false;
    }
    run->service.login = login;
    return true;
}

static bool read_token_file(const char *path, char ret_token[RPC_TOKEN_SIZE])
{
    char text[RPC_TOKEN_SIZE + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (got < 0) {
        message_error("%s: %s", path, strerror(errno));
        return false;
    }
    text[got] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (strlen(text) >= RPC_TOKEN_SIZE)
        text[0] = '\0'; /* refused below */
    strcpy(ret_token, text);
    return true;
}

/* The variable is taken out, so that nothing that is started inherits it. */
static bool read_token(struct daemon_run *run)
{
    const char *path = command_value(run->call, "rpc-token-file");
    const char *variable = getenv(TOKEN_VARIABLE);

    if (!path && !variable)
        return true;
    if (path && !read_token_file(path, run->token))
        return false;
    if (!path && strlen(variable) < RPC_TOKEN_SIZE)
        strcpy(run->token, variable);
    unsetenv(TOKEN_VARIABLE);
    if (strlen(run->token) < TOKEN_LENGTH) {
        command_usage_error("the token of the RPC must have from %d to %d characters", TOKEN_LENGTH,
                            RPC_TOKEN_SIZE - 1);
        return false;
    }
    run->service.token = run->token;
    return true;
}

static bool read_options(struct daemon_run *run)
{
    const char *progress = command_value(run->call, "progress");
    uint64_t slots = 0;

    if (!transfer_options_read_network(run->call, &run->options) ||
        !command_number(run->call, "upload-slots", 1000, &slots) || !read_rpc(run) ||
        !read_allowed(run) || !read_roots(run) || !read_login(run) || !read_token(run))
        return false;
    run->options.session.engine.upload_slots = (uint32_t)slots;
    run->options.session.engine.no_upload = command_has(run->call, "upload-slots") && slots == 0;
    run->is_json = progress && strcmp(progress, "json") == 0;
    run->is_quiet = progress && strcmp(progress, "none") == 0;
    run->service.has_encryption = command_has(run->call, "encryption");
    run->service.session = run->options.session;
    run->service.services = services;
    run->service.service_count = sizeof services / sizeof *services;
    run->service.version = FRESHET_VERSION;
    run->service.download_folder = command_value(run->call, "download-dir");
    run->service.socket = command_value(run->call, "socket");
    run->service.peers = run->options.peers;
    run->service.peer_count = run->options.peer_count;
    return true;
}

/* ---- running ---- */

/* A path is printed as JSON wants it. */
static void print_json_text(const char *text)
{
    output_printf("\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            output_printf("\\%c", c);
        else if (c < 0x20)
            output_printf("\\u%04x", c);
        else
            output_printf("%c", c);
    }
    output_printf("\"");
}

static void tell_ready(const struct daemon_run *run, const struct daemon_service *service)
{
    struct address listen = daemon_service_listen_address(service);
    struct address rpc = daemon_service_rpc_address(service);
    char listen_text[ADDRESS_TEXT_SIZE], rpc_text[ADDRESS_TEXT_SIZE] = "";

    address_to_text(&listen, listen_text);
    if (rpc.family != ADDRESS_NONE)
        address_to_text(&rpc, rpc_text);
    if (run->is_json) {
        output_printf("{\"event\":\"ready\",\"listen\":");
        if (network_route_has_proxy(&run->options.session.route))
            output_printf("null");
        else
            print_json_text(listen_text);
        output_printf(",\"rpc\":\"%s\",\"socket\":", rpc_text);
        print_json_text(daemon_service_socket(service));
        output_printf("}\n");
    } else if (!run->is_quiet) {
        if (rpc_text[0])
            output_printf("http://%s/\n", rpc_text);
        output_printf("%s\n", daemon_service_socket(service));
    }
    output_flush();
}

static int exit_code_of(enum freshet_error error)
{
    switch (error) {
    case FRESHET_ERROR_USAGE: return EXIT_CODE_USAGE;
    case FRESHET_ERROR_CONNECTION: return EXIT_CODE_NETWORK;
    default: return EXIT_CODE_DISK;
    }
}

static int run_service(struct daemon_run *run)
{
    char text[SESSION_TEXT_SIZE];
    struct daemon_service *service = NULL;
    pid_t pid = 0;
    enum freshet_error error = daemon_service_new(&run->service, text, &pid, &service);

    if (error) {
        message_error("%s", text);
        if (error == FRESHET_ERROR_BUSY)
            return pid ? EXIT_CODE_REFUSED : EXIT_CODE_NETWORK;
        return exit_code_of(error);
    }
    if (text[0])
        message_note("%s", text);
    output_begin();
    tell_ready(run, service);
    daemon_service_run(service);
    daemon_service_free(service);
    return EXIT_CODE_OK;
}

static int daemon_run(struct command_call *call)
{
    struct daemon_run run = {.call = call};

    return read_options(&run) ? run_service(&run) : EXIT_CODE_USAGE;
}

static const struct command_option options[] = {
    {"rpc", 0, "ADDR:PORT", "serve the RPC there (127.0.0.1:9091); none: not over TCP",
     .repeatable = false},
    {"rpc-user", 0, "USER:PASSWORD", "take this login beside the token", .repeatable = false},
    {"rpc-token-file", 0, "FILE", "the token that is to be shown, instead of the generated one",
     .repeatable = false},
    {"rpc-allow", 0, "HOST", "a name under which the RPC may be reached, beside localhost",
     .repeatable = true},
    {"socket", 0, "PATH", "the Unix socket to be spoken to", .repeatable = false},
    {"download-dir", 'o', "DIR", "where torrents go that name no folder", .repeatable = false},
    {"root", 0, "DIR", "let folders below it be used over TCP too, beside the download folder",
     .repeatable = true},
    {"upload-slots", 0, "N", "send to so many peers of a torrent at a time; 0: never send",
     .repeatable = false},
    {"progress", 0, "auto|plain|json|none", "how to say what goes on; json: one object a line",
     .repeatable = false},
    TRANSFER_NETWORK_OPTIONS,
    {0},
};

extern const struct command daemon_command;
const struct command daemon_command = {
    .name = "daemon",
    .summary = "keep torrents running, driven from elsewhere",
    .operands = "",
    .description =
        "Runs torrents until it is told to end, and keeps them across restarts, kills and power "
        "cuts. It is driven over the RPC of Transmission at /transmission/rpc, which many programs "
        "speak.\n"
        "\n"
        "On the Unix socket ($XDG_RUNTIME_DIR/freshet.sock, else freshet.sock in the state "
        "folder) its own user needs no password. Over TCP a token must be shown, as Bearer or "
        "as the password of any user name: it is made at the first start and lies in the file "
        "rpc-token of the state folder; the one in rpc-token-read may look but change nothing, "
        "and sees no passkeys. The environment variable FRESHET_RPC_TOKEN sets another. Names "
        "other than localhost must be allowed with --rpc-allow; addresses need not. Who comes over "
        "TCP may put data below the folder of --download-dir, below the one for what is not "
        "complete, and below each --root; no request changes that.\n"
        "\n"
        "The list of --ip-filter holds always; one that the RPC fetches (blocklist-url, "
        "blocklist-update) is kept in the state folder and can be switched off. While that one "
        "cannot be read, nobody is let in. Both may be in the format of PeerGuardian or eMule "
        "or have CIDR lines, packed by gzip or not. Who is in one is no peer; trackers, web "
        "seeds and the DHT are not judged by it.\n"
        "\n"
        "Prints where it can be reached, writes a log to stderr, and ends with 0 on SIGINT, "
        "SIGTERM "
        "or when the RPC says so, after trackers were told and everything was written. Under "
        "systemd "
        "it says when it is ready, and takes its sockets from a socket unit.",
    .options = options,
    .examples = {"freshet daemon", "freshet daemon -o ~/Downloads --rpc 127.0.0.1:0",
                 "freshet daemon --rpc [::]:9091 --rpc-allow nas.example"},
    .run = daemon_run,
};

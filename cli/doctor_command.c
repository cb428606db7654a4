/* SPDX-License-Identifier: MIT */
/* freshet doctor: what is well on this machine and what is not, with advice. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/message.h"
#include "cli/terminal.h"
#include "host/doctor.h"
#include "host/root_path.h"
#include "host/state_store.h"

#define FINDINGS_MAX 16
#define DHT_ENOUGH   8 /* nodes that answer: a look-up has somewhere to begin */

static const struct command_option options[] = {
    {"folder", 'o', "DIR", "try this download folder instead of the daemon's", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

struct doctor_run {
    const struct command_call *call;
    bool has_daemon;
    json_t *where;    /* what the daemon says of itself */
    json_t *settings; /* its session_get */
    char state[LIMIT_PATH_LENGTH + 1], folder[LIMIT_PATH_LENGTH + 1];
    struct doctor_state kept;
    uint64_t incoming; /* peers that came to us */
    struct doctor_finding findings[FINDINGS_MAX];
    size_t count;
};

static struct doctor_finding *next(struct doctor_run *run)
{
    return &run->findings[run->count++];
}

/* ---- what the daemon knows ---- */

static void count_incoming(struct doctor_run *run, struct daemon_client *client)
{
    static const char *const fields[] = {"peers_from", NULL};
    json_t *rows = NULL, *row;
    size_t index;

    if (daemon_client_torrents(client, fields, &rows))
        return;
    json_array_foreach(rows, index, row)
    {
        const json_t *from = json_object_get(row, "peers_from");
        run->incoming += (uint64_t)daemon_client_number(from, "from_incoming");
    }
    json_decref(rows);
}

/* A daemon that is not there is a finding, not an error. */
static enum exit_code ask_daemon(struct doctor_run *run)
{
    struct daemon_client *client;
    struct buffer body = {0};
    json_error_t error;
    enum exit_code code = daemon_client_new(run->call, &client);

    if (code)
        return code;
    daemon_client_quiet(client, true);
    code = daemon_client_get(client, "/local", &body);
    if (!code) {
        run->where = json_loadb((const char *)body.data, body.length, 0, &error);
        code = daemon_client_call(client, "session_get", NULL, &run->settings);
    }
    if (!code)
        count_incoming(run, client);
    run->has_daemon = !code && run->where;
    struct doctor_finding *finding = next(run);
    *finding = (struct doctor_finding){.check = "daemon"};
    if (run->has_daemon) {
        doctor_find(finding, DOCTOR_OK, "freshet %s runs as process %.0f",
                    daemon_client_text(run->where, "version"),
                    daemon_client_number(run->where, "pid"));
    } else if (strncmp(daemon_client_words(client), "no daemon", 9) == 0) {
        doctor_find(finding, DOCTOR_OK, "none runs; the machine is looked at without it");
    } else {
        doctor_find(finding, DOCTOR_BAD, "%.250s", daemon_client_words(client));
        doctor_advise(finding, "look into its log (journalctl --user -u freshet)");
    }
    buffer_deinit(&body);
    daemon_client_free(client);
    return EXIT_CODE_OK;
}

/* ---- where ---- */

static enum exit_code find_folders(struct doctor_run *run)
{
    const char *state = command_value(run->call, "state"),
               *folder = command_value(run->call, "folder");

    if (run->has_daemon)
        snprintf(run->state, sizeof run->state, "%s", daemon_client_text(run->where, "state"));
    else if (state)
        snprintf(run->state, sizeof run->state, "%s", state);
    else if (!state_store_default_folder(run->state))
        return command_usage_error("no home for the state: set HOME or use --state");
    (void)doctor_read_state(run->state, &run->kept);
    if (folder)
        return root_path_resolve(folder, run->folder)
                   ? command_usage_error("--folder %.200s: no such folder can be", folder)
                   : EXIT_CODE_OK;
    if (run->has_daemon)
        folder = daemon_client_text(run->settings, "download_dir");
    else
        folder = run->kept.download_folder[0] ? run->kept.download_folder : ".";
    snprintf(run->folder, sizeof run->folder, "%s", folder);
    return EXIT_CODE_OK;
}

/* ---- what is looked at ---- */

static uint16_t check_port(struct doctor_run *run)
{
    struct doctor_finding *finding = next(run);
    const char *route = run->has_daemon ? daemon_client_text(run->where, "route") : "";
    struct address listen;

    if (strcmp(route, "proxy") == 0) {
        *finding = (struct doctor_finding){.check = "port"};
        doctor_find(finding, DOCTOR_OK, "nothing listens: the proxy is the only way");
        return 0;
    }
    if (!run->has_daemon ||
        !address_from_text(daemon_client_text(run->where, "listen"), false, &listen)) {
        doctor_check_free_port(run->kept.port, finding);
        return run->kept.port;
    }
    if (strcmp(route, "interface") == 0) {
        *finding = (struct doctor_finding){.check = "port"};
        doctor_find(finding, DOCTOR_OK,
                    "it is listened on by one interface alone, which cannot be tried from here");
    } else {
        doctor_check_port(&listen, finding);
    }
    if (finding->level == DOCTOR_OK && run->incoming) {
        size_t length = strlen(finding->fact);
        snprintf(finding->fact + length, sizeof finding->fact - length,
                 ", and %llu peers have come to it", (unsigned long long)run->incoming);
    } else if (finding->level == DOCTOR_OK) {
        doctor_advise(finding, "whether it can be reached from outside is known once somebody has "
                               "come: 'freshet peers' shows who");
    }
    return listen.port;
}

/* What came of asking the router; where it lets peers in, that one stands between is no harm. */
static void check_mapping(struct doctor_run *run, struct doctor_finding *nat)
{
    const json_t *mapping = json_object_get(run->where, "port_mapping");
    const char *state = mapping ? daemon_client_text(mapping, "state") : "";
    const char *method = mapping ? daemon_client_text(mapping, "method") : "";
    const char *external = mapping ? daemon_client_text(mapping, "external") : "";
    struct doctor_finding *finding = next(run);
    struct address address = {0};

    *finding = (struct doctor_finding){.check = "mapping"};
    if (!run->has_daemon) {
        doctor_find(finding, DOCTOR_OK, "the router is asked (NAT-PMP, UPnP) once something runs");
    } else if (strcmp(state, "asking") == 0) {
        doctor_find(finding, DOCTOR_OK, "the router is being asked; look again in some seconds");
    } else if (strcmp(state, "failed") == 0) {
        doctor_find(finding, DOCTOR_WARN, "the router lets nobody in: %.200s",
                    daemon_client_text(mapping, "text"));
        doctor_advise(finding, "switch on NAT-PMP or UPnP in the router, or forward the port there "
                               "by hand");
    } else if (strcmp(state, "held") != 0) {
        doctor_find(finding, DOCTOR_OK,
                    "the router is not asked: --no-portmap, --proxy, --interface, the setting "
                    "port-forwarding-enabled, or a loopback address");
    } else if (external[0] == '\0' || !address_from_text(external, false, &address)) {
        doctor_find(finding, DOCTOR_WARN,
                    "the router forwards the port (%s), but knows no address "
                    "of its own",
                    method);
        doctor_advise(finding, "it may have no connection to the internet just now");
    } else if (!doctor_is_public(&address)) {
        doctor_find(finding, DOCTOR_WARN,
                    "the router forwards %s (%s), but stands itself behind "
                    "another",
                    external, method);
        doctor_advise(finding, "forward the port in the outer one too, if it is yours");
    } else {
        doctor_find(finding, DOCTOR_OK, "the router forwards %s (%s)", external, method);
        nat->level = DOCTOR_OK;
        nat->advice[0] = '\0';
    }
}

/* Said only when something was lost. What is there now is looked at by itself. */
static void check_recovery(struct doctor_run *run)
{
    const char *trouble = run->has_daemon ? daemon_client_text(run->where, "state_trouble") : "";

    if (!trouble[0])
        return;
    struct doctor_finding *finding = next(run);
    *finding = (struct doctor_finding){.check = "recovery"};
    doctor_find(finding, DOCTOR_WARN, "when the daemon started, %.560s", trouble);
    doctor_advise(finding, "look through 'freshet ls' and add what is missing: data on the disk is "
                           "checked, not fetched again. Keep what was set aside until then. If it "
                           "happens again, the disk or the memory is failing");
}

/* Which folders clients that come over TCP may use; as many as there is room for. */
static void check_roots(struct doctor_run *run)
{
    struct doctor_finding *finding = next(run);
    json_t *roots = json_object_get(run->where, "roots"), *root;
    size_t index, length;

    *finding = (struct doctor_finding){.check = "roots"};
    if (!run->has_daemon) {
        doctor_find(finding, DOCTOR_OK, "the download folder may be used over the network");
    } else {
        doctor_find(finding, DOCTOR_OK, "over the network folders below these may be used:");
        json_array_foreach(roots, index, root)
        {
            length = strlen(finding->fact);
            snprintf(finding->fact + length, sizeof finding->fact - length, "%s%s",
                     index ? ", " : " ", json_string_value(root));
        }
    }
    doctor_advise(finding, "'freshet daemon --root DIR' allows one more, and so does a line "
                           "root = DIR for it in the configuration");
}

/* Said only when it keeps everybody out. */
static void check_blocklist(struct doctor_run *run)
{
    const char *trouble =
        run->has_daemon ? daemon_client_text(run->where, "blocklist_trouble") : "";

    if (!trouble[0])
        return;
    struct doctor_finding *finding = next(run);
    *finding = (struct doctor_finding){.check = "blocklist"};
    doctor_find(finding, DOCTOR_BAD, "no peer is let in: %.250s", trouble);
    doctor_advise(finding, "Transmission's clients do both: blocklist-update, blocklist-enabled");
}

static void check_dht_without_daemon(const struct doctor_run *run, struct doctor_finding *finding)
{
    if (run->kept.dht_bytes)
        doctor_find(finding, DOCTOR_OK, "nodes of the last run are remembered (%llu bytes)",
                    (unsigned long long)run->kept.dht_bytes);
    else
        doctor_find(finding, DOCTOR_OK, "no nodes are remembered; the public ones will be asked");
}

static void check_dht(struct doctor_run *run)
{
    struct doctor_finding *finding = next(run);
    double nodes = 0, good = 0, asked = 0, answered = 0;
    json_t *list = json_object_get(run->where, "dht"), *node;
    size_t index;

    *finding = (struct doctor_finding){.check = "dht"};
    if (!run->has_daemon) {
        check_dht_without_daemon(run, finding);
        return;
    }
    json_array_foreach(list, index, node)
    {
        nodes += daemon_client_number(node, "nodes");
        good += daemon_client_number(node, "good_nodes");
        asked += daemon_client_number(node, "queries_out");
        answered += daemon_client_number(node, "replies_in");
    }
    if (json_array_size(list) == 0) {
        doctor_find(finding, DOCTOR_WARN, "the DHT is switched off");
        doctor_advise(finding, "magnet links without a tracker find nobody; 'freshet daemon' "
                               "without --no-dht, and dht-enabled in the settings, switch it on");
        return;
    }
    bool is_deaf = asked > 0 && answered == 0;
    doctor_find(finding,
                is_deaf             ? DOCTOR_BAD
                : good < DHT_ENOUGH ? DOCTOR_WARN
                                    : DOCTOR_OK,
                "%.0f nodes are known, %.0f of them answer (%.0f of %.0f queries were answered)",
                nodes, good, answered, asked);
    if (is_deaf)
        doctor_advise(finding, "UDP does not come through: let UDP of the port out and in, in "
                               "firewalls of this machine and of the network");
    else if (good < DHT_ENOUGH)
        doctor_advise(finding, "a young daemon needs a minute; else give it a way in with "
                               "--bootstrap HOST:PORT");
}

static void look(struct doctor_run *run)
{
    uint16_t port = check_port(run);

    struct doctor_finding *nat = next(run);

    if (port) {
        doctor_check_nat(port, nat);
    } else {
        *nat = (struct doctor_finding){.check = "nat"};
        doctor_find(nat, DOCTOR_OK, "nobody comes from outside: the proxy is the only way");
    }
    check_mapping(run, nat);
    check_blocklist(run);
    check_dht(run);
    doctor_check_udp(next(run));
    doctor_check_descriptors(run->has_daemon ? (pid_t)daemon_client_number(run->where, "pid") : 0,
                             next(run));
    check_roots(run);
    doctor_check_disk(run->folder, next(run));
    doctor_check_state(run->state, next(run));
    check_recovery(run);
    doctor_check_clock(run->state, next(run));
}

/* ---- telling ---- */

static const char *const level_words[] = {"ok", "warn", "bad"};

static void print_text(const struct doctor_finding *finding)
{
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    bool has_colour = terminal_has_colour(1);
    char safe[DOCTOR_TEXT * 3];

    printf("%s%-4s%s  %-11s  %s\n", has_colour ? colours[finding->level] : "",
           level_words[finding->level], has_colour ? "\033[0m" : "", finding->check,
           terminal_safe_text(finding->fact, safe, sizeof safe));
    if (finding->advice[0])
        printf("%19s%s\n", "", terminal_safe_text(finding->advice, safe, sizeof safe));
}

static json_t *text_json(const char *text)
{
    char safe[DOCTOR_TEXT * 3];
    json_t *json = json_string(text);

    return json ? json : json_string(terminal_safe_text(text, safe, sizeof safe));
}

static void print_json(const struct doctor_run *run)
{
    json_t *list = json_array();

    for (size_t i = 0; i < run->count; i++) {
        const struct doctor_finding *finding = &run->findings[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o, s:o}", "check", finding->check,
                                              "level", level_words[finding->level], "fact",
                                              text_json(finding->fact), "advice",
                                              text_json(finding->advice)));
    }
    daemon_client_print(list);
}

/* Of the first that is bad. */
static enum exit_code code_of(const struct doctor_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        const char *check = run->findings[i].check;
        if (run->findings[i].level != DOCTOR_BAD)
            continue;
        if (strcmp(check, "disk") == 0 || strcmp(check, "state") == 0)
            return EXIT_CODE_DISK;
        if (strcmp(check, "clock") == 0 || strcmp(check, "descriptors") == 0)
            return EXIT_CODE_OTHER;
        return EXIT_CODE_NETWORK;
    }
    return EXIT_CODE_OK;
}

static int doctor_run(struct command_call *call)
{
    struct doctor_run run = {.call = call};
    enum exit_code code = ask_daemon(&run);

    if (!code)
        code = find_folders(&run);
    if (!code) {
        look(&run);
        if (command_has(call, "json"))
            print_json(&run);
        else
            for (size_t i = 0; i < run.count; i++)
                print_text(&run.findings[i]);
        code = code_of(&run);
    }
    json_decref(run.where);
    json_decref(run.settings);
    return code;
}

extern const struct command doctor_command;
const struct command doctor_command = {
    .name = "doctor",
    .summary = "look at what may keep torrents from going well",
    .operands = "",
    .description =
        "Looks at the daemon, the port (a second socket connects to it), the addresses of this "
        "machine (does a router stand between, and does it forward the port?), the DHT, UDP "
        "buffers, open files, the folders "
        "that may be used over the network, the speed of the disk at the download folder, the "
        "state and the clock. A line each: ok, warn or bad, "
        "what was found, and what to do about it. Works with a running daemon, which it asks, and "
        "without; changes nothing.\n"
        "\n"
        "The disk is tried with up to 64 MiB in a file without a name, for some seconds.\n"
        "\n"
        "Ends with 0 when nothing is bad (a warning is not), else with the code of the first thing "
        "that is: 4 network, 6 disk or state, 1 anything else.",
    .options = options,
    .examples = {"freshet doctor", "freshet doctor -o /srv/torrents", "freshet doctor --json"},
    .run = doctor_run,
};

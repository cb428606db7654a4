/* SPDX-License-Identifier: MIT */
/* freshet info: all about a torrent of the daemon. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/daemon_client.h"
#include "cli/terminal.h"
#include "cli/units.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static const char *const fields[] = {"status",
                                     "error",
                                     "error_string",
                                     "percent_done",
                                     "eta",
                                     "rate_download",
                                     "rate_upload",
                                     "labels",
                                     "upload_ratio",
                                     "total_size",
                                     "size_when_done",
                                     "have_valid",
                                     "uploaded_ever",
                                     "downloaded_ever",
                                     "corrupt_ever",
                                     "added_date",
                                     "done_date",
                                     "download_dir",
                                     "comment",
                                     "creator",
                                     "is_private",
                                     "magnet_link",
                                     "piece_count",
                                     "piece_size",
                                     "peers_connected",
                                     "peers_from",
                                     "peers_known",
                                     "peers_getting_from_us",
                                     "peers_sending_to_us",
                                     "seconds_downloading",
                                     "seconds_seeding",
                                     "tracker_stats",
                                     "why",
                                     NULL};

#define LABEL "%-11s "

static void print_text(const char *label, const char *text)
{
    size_t size = strlen(text) * 3 + 1;

    if (!text[0])
        return;
    char *safe = memory_new(size);
    printf(LABEL "%s\n", label, terminal_safe_text(text, safe, size));
    memory_free(safe);
}

static void print_date(const char *label, double unix_seconds)
{
    char text[64];
    time_t when = (time_t)unix_seconds;
    struct tm parts;

    if (unix_seconds > 0 && localtime_r(&when, &parts) &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts))
        printf(LABEL "%s\n", label, text);
}

static void print_state(const json_t *row)
{
    char text[UNITS_TEXT_SIZE];
    double eta = daemon_client_number(row, "eta");

    printf(LABEL "%s, %d%%", "state", daemon_client_state(row),
           (int)(daemon_client_number(row, "percent_done") * 100));
    if (eta >= 0)
        printf(", %s left", units_format_clock((int64_t)eta * SECOND_NS, text));
    putchar('\n');
    print_text("why", daemon_client_text(row, "why"));
    print_text("trouble", daemon_client_text(row, "error_string"));
}

static void print_sizes(const json_t *row)
{
    char a[UNITS_TEXT_SIZE], b[UNITS_TEXT_SIZE], c[UNITS_TEXT_SIZE], ratio[16];

    printf(LABEL "%s of %s wanted, %s in all\n", "have",
           units_format_bytes((uint64_t)daemon_client_number(row, "have_valid"), a),
           units_format_bytes((uint64_t)daemon_client_number(row, "size_when_done"), b),
           units_format_bytes((uint64_t)daemon_client_number(row, "total_size"), c));
    printf(LABEL "%.0f of %s\n", "pieces", daemon_client_number(row, "piece_count"),
           units_format_bytes((uint64_t)daemon_client_number(row, "piece_size"), a));
    printf(LABEL "%s down, %s up, ratio %s\n", "moved",
           units_format_bytes((uint64_t)daemon_client_number(row, "downloaded_ever"), a),
           units_format_bytes((uint64_t)daemon_client_number(row, "uploaded_ever"), b),
           daemon_client_ratio(row, "none yet", ratio));
    printf(LABEL "%s down, %s up\n", "speed",
           units_format_rate((uint64_t)daemon_client_number(row, "rate_download"), a),
           units_format_rate((uint64_t)daemon_client_number(row, "rate_upload"), b));
}

/* "12 from DHT, 3 from PEX": who told us of those that we are connected with. */
static void print_peers(const json_t *row)
{
    static const struct {
        const char *key, *words;
    } sources[] = {{"from_tracker", "trackers"},    {"from_dht", "the DHT"},
                   {"from_pex", "peers (PEX)"},     {"from_lpd", "the local network"},
                   {"from_incoming", "themselves"}, {"from_cache", "last time"}};
    const json_t *from = json_object_get(row, "peers_from");
    bool any = false;

    printf(LABEL "%.0f connected", "peers", daemon_client_number(row, "peers_connected"));
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        double count = daemon_client_number(from, sources[i].key);
        if (count > 0)
            printf("%s%.0f from %s", any ? ", " : ": ", count, sources[i].words);
        any = any || count > 0;
    }
    printf("; %.0f send, %.0f receive\n", daemon_client_number(row, "peers_sending_to_us"),
           daemon_client_number(row, "peers_getting_from_us"));
}

static void print_trackers(const json_t *row)
{
    size_t index;
    json_t *tracker;
    char text[1024];

    json_array_foreach(json_object_get(row, "tracker_stats"), index, tracker)
    {
        const char *result = daemon_client_text(tracker, "last_announce_result");
        snprintf(text, sizeof text, "%.600s%s%.300s", daemon_client_text(tracker, "announce"),
                 result[0] ? ": " : "", result);
        print_text("tracker", text);
    }
}

static void print_row(const json_t *row)
{
    size_t index;
    json_t *label;

    printf(LABEL "%.0f\n", "ID", daemon_client_number(row, "id"));
    print_text("name", daemon_client_text(row, "name"));
    print_text("info-hash", daemon_client_text(row, "hash_string"));
    print_state(row);
    print_sizes(row);
    print_peers(row);
    if (strcmp(daemon_client_text(row, "transport"), "any") != 0)
        print_text("transport", daemon_client_text(row, "transport"));
    print_text("folder", daemon_client_text(row, "download_dir"));
    json_array_foreach(json_object_get(row, "labels"), index, label)
        print_text("label", json_string_value(label) ? json_string_value(label) : "");
    print_date("added", daemon_client_number(row, "added_date"));
    print_date("complete", daemon_client_number(row, "done_date"));
    if (json_is_true(json_object_get(row, "is_private")))
        print_text("private", "yes");
    print_text("comment", daemon_client_text(row, "comment"));
    print_text("made by", daemon_client_text(row, "creator"));
    print_trackers(row);
    print_text("magnet", daemon_client_text(row, "magnet_link"));
}

/* What Transmission's methods do not have. Of a torrent that has gone meanwhile, or whose .torrent
 * cannot be read, the rest is shown all the same. */
static void add_transport(struct daemon_client *client, json_t *row)
{
    char path[64];
    json_t *detail = NULL;

    snprintf(path, sizeof path, "/torrents/%.0f", daemon_client_number(row, "id"));
    daemon_client_quiet(client, true);
    if (daemon_client_api(client, "GET", path, NULL, &detail) == EXIT_CODE_OK)
        json_object_set(row, "transport", json_object_get(detail, "transport"));
    daemon_client_quiet(client, false);
    json_decref(detail);
}

static int info_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *rows = NULL, *row;
    size_t index;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = daemon_client_rows(client, call, fields, &rows);
    json_array_foreach(rows, index, row) add_transport(client, row);
    if (!code)
        daemon_client_note_trouble(client);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json")) {
        daemon_client_print(rows);
        return EXIT_CODE_OK;
    }
    json_array_foreach(rows, index, row)
    {
        if (index)
            putchar('\n');
        print_row(row);
    }
    json_decref(rows);
    return EXIT_CODE_OK;
}

extern const struct command info_command;
const struct command info_command = {
    .name = "info",
    .summary = "all about torrents of the daemon",
    .operands = "ID...",
    .description = "What a torrent is, what it does, from whom its peers are known, what its "
                   "trackers say, and in words why it is not faster.",
    .options = options,
    .examples = {"freshet info 3", "freshet info debian --json"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = info_run,
};

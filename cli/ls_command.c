/* SPDX-License-Identifier: MIT */
/* freshet ls: the torrents of the daemon. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/daemon_table.h"
#include "cli/units.h"
#include "core/base/limits.h"

static const struct command_option options[] = {
    {"state-of", 0, "active|downloading|seeding|stopped|queued|checking|trouble",
     "only those in that state", .repeatable = false},
    {"label", 0, "LABEL", "only those with that label", .repeatable = false},
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
                                     "size_when_done",
                                     "have_valid",
                                     "metadata_percent_complete",
                                     "recheck_progress",
                                     "queue_position",
                                     NULL};

static bool has_label(const json_t *row, const char *label)
{
    size_t index;
    json_t *one;

    json_array_foreach(json_object_get(row, "labels"), index,
                       one) if (strcmp(json_string_value(one) ? json_string_value(one) : "",
                                       label) == 0) return true;
    return false;
}

static bool is_shown(const struct command_call *call, const json_t *row)
{
    const char *state = command_value(call, "state-of"), *label = command_value(call, "label");

    if (label && !has_label(row, label))
        return false;
    if (!state)
        return true;
    if (strcmp(state, "active") == 0)
        return daemon_client_number(row, "rate_download") +
                   daemon_client_number(row, "rate_upload") >
               0;
    return strncmp(daemon_client_state(row), state, strlen(state)) == 0;
}

static void add_rate(struct daemon_table *table, double rate)
{
    char text[UNITS_TEXT_SIZE];

    daemon_table_add(table, rate > 0 ? units_format_rate((uint64_t)rate, text) : "-");
}

/* What share of its present task is done. */
static double progress(const json_t *row)
{
    if (daemon_client_number(row, "metadata_percent_complete") < 1)
        return daemon_client_number(row, "metadata_percent_complete");
    if (daemon_client_number(row, "status") == 2)
        return daemon_client_number(row, "recheck_progress");
    return daemon_client_number(row, "percent_done");
}

static void add_row(struct daemon_table *table, const json_t *row)
{
    char text[UNITS_TEXT_SIZE], ratio[16];
    double eta = daemon_client_number(row, "eta");

    snprintf(text, sizeof text, "%.0f", daemon_client_number(row, "id"));
    daemon_table_add(table, text);
    /* Never 100 % before it is all there. */
    snprintf(text, sizeof text, "%d%%", (int)(progress(row) * 100));
    daemon_table_add(table, text);
    daemon_table_add(
        table, units_format_bytes((uint64_t)daemon_client_number(row, "size_when_done"), text));
    add_rate(table, daemon_client_number(row, "rate_download"));
    add_rate(table, daemon_client_number(row, "rate_upload"));
    daemon_table_add(table, eta < 0 ? "-" : units_format_clock((int64_t)eta * SECOND_NS, text));
    daemon_table_add(table, daemon_client_ratio(row, "-", ratio));
    daemon_table_add(table, daemon_client_state(row));
    daemon_table_add(table, daemon_client_text(row, "name"));
}

static void print(const struct command_call *call, json_t *rows)
{
    static const char *const headings[] = {">ID",   ">done",  ">size", ">down", ">up",
                                           ">left", ">ratio", "state", "name",  NULL};
    struct daemon_table *table = daemon_table_new(headings);
    size_t index;
    json_t *row;

    json_array_foreach(rows, index, row) if (is_shown(call, row)) add_row(table, row);
    daemon_table_print(table);
}

static json_t *chosen(const struct command_call *call, json_t *rows)
{
    json_t *list = json_array(), *row;
    size_t index;

    json_array_foreach(rows, index, row) if (is_shown(call, row)) json_array_append(list, row);
    return list;
}

static int ls_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *rows = NULL;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = command_operand_count(call) ? daemon_client_rows(client, call, fields, &rows)
                                       : daemon_client_torrents(client, fields, &rows);
    if (!code)
        daemon_client_note_trouble(client);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json"))
        daemon_client_print(chosen(call, rows));
    else
        print(call, rows);
    json_decref(rows);
    return EXIT_CODE_OK;
}

extern const struct command ls_command;
const struct command ls_command = {
    .name = "ls",
    .summary = "list the daemon's torrents",
    .operands = "[ID...]",
    .description = "One line a torrent, or with --json one object each in a list.",
    .options = options,
    .examples = {"freshet ls", "freshet ls --state-of downloading", "freshet ls --json"},
    .operands_max = OPERANDS_ANY,
    .run = ls_run,
};

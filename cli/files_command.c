/* SPDX-License-Identifier: MIT */
/* freshet files: the files of a torrent of the daemon, and which of them are wanted. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/daemon_client.h"
#include "cli/daemon_table.h"
#include "cli/message.h"
#include "cli/units.h"

static const struct command_option options[] = {
    {"want", 0, "LIST", "download these: numbers as listed, 1,3-5", .repeatable = false,
     .line_only = true},
    {"skip", 0, "LIST", "do not download these", .repeatable = false, .line_only = true},
    {"high", 0, "LIST", "these before others", .repeatable = false, .line_only = true},
    {"normal", 0, "LIST", "these as usual", .repeatable = false, .line_only = true},
    {"low", 0, "LIST", "these after others", .repeatable = false, .line_only = true},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static const char *const fields[] = {"files", "file_stats", NULL};

static const struct {
    const char *option, *key;
} changes[] = {{"want", "files_wanted"},
               {"skip", "files_unwanted"},
               {"high", "priority_high"},
               {"normal", "priority_normal"},
               {"low", "priority_low"}};
#define CHANGES (sizeof changes / sizeof changes[0])

/* Padding is numbered by the RPC, but not for people: `show --files` does not count it either. */
static bool is_padding(const json_t *file)
{
    return json_is_true(json_object_get(file, "padding"));
}

static void add_files(struct daemon_table *table, const json_t *row)
{
    size_t index, number = 0;
    json_t *file;
    char text[UNITS_TEXT_SIZE];

    json_array_foreach(json_object_get(row, "files"), index, file)
    {
        const json_t *stats = json_array_get(json_object_get(row, "file_stats"), index);
        double length = daemon_client_number(file, "length"),
               have = daemon_client_number(file, "bytes_completed"),
               priority = daemon_client_number(stats, "priority");
        bool wanted = json_is_true(json_object_get(stats, "wanted"));
        if (is_padding(file))
            continue;
        snprintf(text, sizeof text, "%zu", ++number);
        daemon_table_add(table, text);
        snprintf(text, sizeof text, "%d%%", length > 0 ? (int)(have * 100 / length) : 100);
        daemon_table_add(table, text);
        daemon_table_add(table, !wanted        ? "skip"
                                : priority > 0 ? "high"
                                : priority < 0 ? "low"
                                               : "normal");
        daemon_table_add(table, units_format_bytes((uint64_t)length, text));
        daemon_table_add(table, daemon_client_text(file, "name"));
    }
}

/* The option's numbers as the RPC counts, from 0; NULL: it is not given, or is wrong (said). */
static enum exit_code read_list(const struct command_call *call, const char *option,
                                const json_t *files, json_t **ret_list)
{
    struct units_range *ranges;
    size_t count, index, number = 0;
    json_t *file;

    *ret_list = NULL;
    if (!command_has(call, option))
        return EXIT_CODE_OK;
    if (!units_parse_ranges(command_value(call, option), &ranges, &count))
        return command_usage_error("--%s: '%.60s' is no list of numbers such as 1,3-5", option,
                                   command_value(call, option));
    json_t *list = json_array();
    json_array_foreach((json_t *)(uintptr_t)files, index,
                       file) if (!is_padding(file) &&
                                 units_ranges_have(ranges, count, (uint32_t)++number))
        json_array_append_new(list, json_integer((json_int_t)index));
    free(ranges);
    if (json_array_size(list) == 0) {
        json_decref(list);
        return command_usage_error(
            "--%s: no file has such a number ('freshet files ID' lists them)", option);
    }
    *ret_list = list;
    return EXIT_CODE_OK;
}

/* The changes that the options ask for; `ret_any`: there are some. */
static enum exit_code change(struct daemon_client *client, const struct command_call *call,
                             const json_t *rows, bool *ret_any)
{
    json_t *params = json_pack("{s:[O]}", "ids", json_object_get(json_array_get(rows, 0), "id"));
    enum exit_code code = EXIT_CODE_OK;

    *ret_any = false;
    for (size_t i = 0; i < CHANGES && !code; i++) {
        json_t *list;
        code = read_list(call, changes[i].option, json_object_get(json_array_get(rows, 0), "files"),
                         &list);
        if (list)
            json_object_set_new(params, changes[i].key, list);
        *ret_any = *ret_any || list;
    }
    if (code || !*ret_any) {
        json_decref(params);
        return code;
    }
    return daemon_client_call(client, "torrent_set", params, NULL);
}

static int files_run(struct command_call *call)
{
    static const char *const headings[] = {">no", ">done", "priority", ">size", "name", NULL};
    struct daemon_client *client;
    json_t *rows = NULL;
    bool changed = false;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = daemon_client_rows(client, call, fields, &rows);
    if (!code)
        code = change(client, call, rows, &changed);
    if (!code && changed) {
        json_decref(rows);
        code = daemon_client_rows(client, call, fields, &rows);
        rows = code ? NULL : rows;
    }
    daemon_client_free(client);
    if (!code && command_has(call, "json")) {
        daemon_client_print(json_incref(rows));
    } else if (!code) {
        struct daemon_table *table = daemon_table_new(headings);
        add_files(table, json_array_get(rows, 0));
        daemon_table_print(table);
    }
    json_decref(rows);
    return code;
}

extern const struct command files_command;
const struct command files_command = {
    .name = "files",
    .summary = "the files of a torrent of the daemon, and which are wanted",
    .operands = "ID",
    .description = "Lists the files, after the changes that the options ask for.",
    .options = options,
    .examples = {"freshet files 3", "freshet files 3 --skip 2- --high 1"},
    .operands_min = 1,
    .operands_max = 1,
    .run = files_run,
};

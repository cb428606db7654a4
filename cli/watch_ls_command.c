/* SPDX-License-Identifier: MIT */
/* freshet watch ls: the folders that are watched, and how they fare. */
#include <stdio.h>

#include "cli/daemon_table.h"
#include "cli/intake_rules.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static void add_row(struct daemon_table *table, const json_t *entry)
{
    const json_t *rule = json_object_get(entry, "rule"), *status = json_object_get(entry, "status");
    const char *trouble = daemon_client_text(status, "trouble");
    const char *folder = daemon_client_text(rule, "folder");
    char text[256];

    snprintf(text, sizeof text, "%.0f", daemon_client_number(rule, "id"));
    daemon_table_add(table, text);
    daemon_table_add(table, daemon_client_text(rule, "after"));
    daemon_table_add(table, json_is_true(json_object_get(rule, "stopped")) ? "no" : "yes");
    intake_rules_join(json_object_get(rule, "labels"), text, sizeof text);
    daemon_table_add(table, text);
    snprintf(text, sizeof text, "%.0f", daemon_client_number(status, "taken"));
    daemon_table_add(table, text);
    daemon_table_add(table, folder[0] ? folder : "-");
    daemon_table_add(table, daemon_client_text(rule, "path"));
    daemon_table_add(table, trouble[0] ? trouble : "-");
}

static int watch_ls_run(struct command_call *call)
{
    static const char *const headings[] = {">ID", "after",  "start",   "labels", ">taken",
                                           "to",  "folder", "trouble", NULL};

    return intake_rules_list(call, "/watch", headings, add_row);
}

extern const struct command watch_ls_command;
const struct command watch_ls_command = {
    .name = "watch ls",
    .summary = "list the folders that are watched",
    .operands = "",
    .description = "One line a folder: what becomes of its files, how many torrents it brought in "
                   "since the daemon began, and what went wrong last.",
    .options = options,
    .examples = {"freshet watch ls", "freshet watch ls --json"},
    .run = watch_ls_run,
};

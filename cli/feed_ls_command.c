/* SPDX-License-Identifier: MIT */
/* freshet feed ls: the feeds, and how they fare. */
#include <stdio.h>

#include "cli/daemon_table.h"
#include "cli/intake_rules.h"
#include "cli/units.h"
#include "core/base/limits.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static void add_row(struct daemon_table *table, const json_t *entry)
{
    const json_t *rule = json_object_get(entry, "rule"), *status = json_object_get(entry, "status");
    const char *trouble = daemon_client_text(status, "trouble");
    char text[256], when[32], interval[UNITS_TEXT_SIZE];

    snprintf(text, sizeof text, "%.0f", daemon_client_number(rule, "id"));
    daemon_table_add(table, text);
    daemon_table_add(
        table, units_format_duration((int64_t)daemon_client_number(rule, "interval") * SECOND_NS,
                                     interval));
    daemon_table_add(table, intake_rules_time(status, when));
    snprintf(text, sizeof text, "%.0f", daemon_client_number(status, "found"));
    daemon_table_add(table, text);
    snprintf(text, sizeof text, "%.0f", daemon_client_number(status, "taken"));
    daemon_table_add(table, text);
    intake_rules_join(json_object_get(rule, "include"), text, sizeof text);
    daemon_table_add(table, text);
    intake_rules_join(json_object_get(rule, "exclude"), text, sizeof text);
    daemon_table_add(table, text);
    daemon_table_add(table, daemon_client_text(rule, "url"));
    daemon_table_add(table, trouble[0] ? trouble : "-");
}

static int feed_ls_run(struct command_call *call)
{
    static const char *const headings[] = {">ID",     "every",   "read last", ">items",  ">taken",
                                           "include", "exclude", "URL",       "trouble", NULL};

    return intake_rules_list(call, "/feeds", headings, add_row);
}

extern const struct command feed_ls_command;
const struct command feed_ls_command = {
    .name = "feed ls",
    .summary = "list the feeds",
    .operands = "",
    .description = "One line a feed: how many items it had when it was read last, how many "
                   "torrents it brought in since the daemon began, and what went wrong last.",
    .options = options,
    .examples = {"freshet feed ls", "freshet feed ls --json"},
    .run = feed_ls_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet feed show: what is in a feed, and which of it the filters want. */
#include <stdio.h>

#include "cli/daemon_table.h"
#include "cli/intake_rules.h"
#include "cli/terminal.h"
#include "cli/units.h"

static const struct command_option options[] = {
    {"fitting", 0, NULL, "only what the filters want", .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static const char *word_of(const json_t *item)
{
    if (json_is_true(json_object_get(item, "taken")))
        return "taken";
    if (!json_is_true(json_object_get(item, "fits")))
        return "-";
    return daemon_client_text(item, "link")[0] ? "fits" : "no link";
}

static void print(const struct command_call *call, const json_t *answer)
{
    static const char *const headings[] = {"state", ">size", "title", NULL};
    const json_t *items = json_object_get(answer, "items"),
                 *status = json_object_get(answer, "status");
    const char *title = daemon_client_text(status, "title"),
               *trouble = daemon_client_text(status, "trouble");
    char text[512];
    size_t index;
    json_t *item;

    if (title[0])
        printf("%s\n", terminal_safe_text(title, text, sizeof text));
    if (trouble[0])
        printf("trouble: %s\n", terminal_safe_text(trouble, text, sizeof text));
    struct daemon_table *table = daemon_table_new(headings);
    json_array_foreach(items, index, item)
    {
        double size = daemon_client_number(item, "size");
        if (command_has(call, "fitting") && !json_is_true(json_object_get(item, "fits")))
            continue;
        daemon_table_add(table, word_of(item));
        daemon_table_add(table, size > 0 ? units_format_bytes((uint64_t)size, text) : "-");
        daemon_table_add(table, daemon_client_text(item, "title"));
    }
    daemon_table_print(table);
}

static int feed_show_run(struct command_call *call)
{
    struct daemon_client *client;
    json_t *answer = NULL;
    char path[64];
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    long id = intake_rules_find(client, "/feeds", "url", command_operand(call, 0), &code);
    snprintf(path, sizeof path, "/feeds/%ld", id);
    if (id)
        code = daemon_client_api(client, "GET", path, NULL, &answer);
    daemon_client_free(client);
    if (code)
        return code;
    if (command_has(call, "json"))
        daemon_client_print(json_incref(answer));
    else
        print(call, answer);
    json_decref(answer);
    return EXIT_CODE_OK;
}

extern const struct command feed_show_command;
const struct command feed_show_command = {
    .name = "feed show",
    .summary = "list what is in a feed",
    .operands = "URL|ID",
    .description = "The items as they were when the feed was read last: whether the filters want "
                   "them (fits), and whether they were taken, now or in an earlier run.",
    .options = options,
    .examples = {"freshet feed show 1", "freshet feed show 1 --fitting --json"},
    .operands_min = 1,
    .operands_max = 1,
    .run = feed_show_run,
};

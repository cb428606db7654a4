/* SPDX-License-Identifier: MIT */
/* freshet config show: which options have a value, and where it comes from. */
#include <jansson.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/commands.h"
#include "cli/message.h"

static const struct command_option options[] = {
    {"origin", 0, NULL, "say where each value comes from", .repeatable = false},
    {"json", 0, NULL, "print JSON", .repeatable = false},
    {0},
};

struct config_show {
    const struct command_call *call;
    const struct command *command; /* of which a value is shown now */
    const char *wanted;            /* a command's name; NULL: all */
    json_t *list;                  /* of --json */
    bool found, failed;
};

static void origin_text(const struct command_setting *setting, char *text, size_t size)
{
    char variable[COMMAND_VARIABLE_SIZE];

    if (setting->origin == ORIGIN_ENVIRONMENT) {
        command_variable(setting->option, variable);
        snprintf(text, size, "environment, %s", variable);
    } else {
        snprintf(text, size, "%s file, %s:%d",
                 setting->origin == ORIGIN_USER ? "user's" : "system's", setting->path,
                 setting->line);
    }
}

static void see_setting(void *context, const struct command_setting *setting)
{
    struct config_show *show = context;
    const char *value = setting->value ? setting->value : setting->is_off ? "no" : "yes";
    char origin[4200];

    if (setting->option->hidden)
        return;
    origin_text(setting, origin, sizeof origin);
    if (show->list)
        json_array_append_new(
            show->list, json_pack("{s:s, s:s, s:s, s:s}", "command", show->command->name, "option",
                                  setting->option->name, "value", value, "origin", origin));
    else if (command_has(show->call, "origin"))
        printf("%s --%s = %s  (%s)\n", show->command->name, setting->option->name, value, origin);
    else
        printf("%s --%s = %s\n", show->command->name, setting->option->name, value);
}

static bool is_named(const char *name, const char *wanted)
{
    for (; *name && *wanted; name++, wanted++)
        if (*name != *wanted && !(*name == ' ' && *wanted == '-'))
            return false;
    return *name == *wanted;
}

static void see_command(void *context, const struct command *command)
{
    struct config_show *show = context;

    if (show->failed || command->verbs || (show->wanted && !is_named(command->name, show->wanted)))
        return;
    show->found = true;
    show->command = command;
    if (!command_each_setting(command, see_setting, show))
        show->failed = true;
}

static int config_show_run(struct command_call *call)
{
    struct config_show show = {.call = call};

    if (command_operand_count(call))
        show.wanted = command_operand(call, 0);
    if (command_has(call, "json"))
        show.list = json_array();
    commands_each(see_command, &show);
    if (show.list && !show.failed && (show.found || !show.wanted)) {
        json_dumpf(show.list, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(show.list);
    if (show.wanted && !show.found)
        return command_usage_error("no command '%.60s'", show.wanted);
    return show.failed ? EXIT_CODE_USAGE : EXIT_CODE_OK;
}

extern const struct command config_show_command;
const struct command config_show_command = {
    .name = "config show",
    .summary = "show which options have a value when nothing is typed",
    .operands = "[COMMAND]",
    .description = "One line an option that a file or the environment sets, for all commands or "
                   "one; a verb of a group is written dht-node.",
    .options = options,
    .examples = {"freshet config show", "freshet config show get --origin",
                 "freshet config show --json"},
    .operands_max = 1,
    .run = config_show_run,
};

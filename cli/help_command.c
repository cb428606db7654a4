/* SPDX-License-Identifier: MIT */
/* freshet help: the list of commands, or one command's manual. */
#include "cli/command_help.h"
#include "cli/commands.h"

static int help_run(struct command_call *call)
{
    if (command_operand_count(call) == 0) {
        commands_print_overview(stdout);
        return EXIT_CODE_OK;
    }
    const char *name = command_operand(call, 0);
    const struct command *command = commands_find(name);
    if (!command)
        return commands_unknown(name);
    command_help_print_manual(command);
    return EXIT_CODE_OK;
}

extern const struct command help_command;
const struct command help_command = {
    .name = "help",
    .summary = "list the commands, or show the manual of one",
    .operands = "[COMMAND]",
    .description = "Without an operand it lists the commands. With one it shows that command's "
                   "manual: every option, its variable, the exit codes and examples.",
    .examples = {"freshet help", "freshet help help"},
    .operands_max = 1,
    .run = help_run,
};

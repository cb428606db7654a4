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
    if (command_operand_count(call) > 1) {
        const char *word = command_operand(call, 1);
        if (!command->verbs)
            return command_usage_error("'%.60s' is too much", word);
        const struct command *verb = command_verb(command, word);
        if (!verb)
            return command_unknown_verb(command, word);
        command = verb;
    }
    command_help_print_manual(command);
    return EXIT_CODE_OK;
}

extern const struct command help_command;
const struct command help_command = {
    .name = "help",
    .summary = "list the commands, or show the manual of one",
    .operands = "[COMMAND [VERB]]",
    .description = "Without an operand it lists the commands. With one it shows that command's "
                   "manual: every option, its variable, the exit codes and examples.",
    .examples = {"freshet help", "freshet help get", "freshet help dht ping"},
    .operands_max = 2,
    .run = help_run,
};

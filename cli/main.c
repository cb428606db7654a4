/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "cli/command_help.h"
#include "cli/commands.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/terminal.h"

static const char *command_name(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return "help";
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0)
        return "version";
    return word;
}

/* Output that could not be written is a failure, or `freshet show x > full` would look well. */
static int finish(int code)
{
    if (!output_end() && code == EXIT_CODE_OK) {
        message_error("the output could not be written");
        return EXIT_CODE_DISK;
    }
    return code;
}

int main(int argc, char **argv)
{
    terminal_init();
    if (argc < 2) {
        commands_print_overview(stderr);
        return EXIT_CODE_USAGE;
    }
    const char *name = command_name(argv[1]);
    const struct command *command = commands_find(name);
    if (!command)
        return commands_unknown(name);
    return finish(command_run(command, argc - 1, argv + 1, command_help_print));
}

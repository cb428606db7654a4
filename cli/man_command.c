/* SPDX-License-Identifier: MIT */
/* freshet man: manual pages in troff, for whoever packages the program. */
#include <string.h>

#include "cli/commands.h"
#include "cli/man_page.h"

static const struct command_option options[] = {
    {.name = "list", .help = "names of the pages that there are, one a line"},
    {0},
};

static void print_page(void *context, const struct command *command)
{
    (void)context;
    fputs("freshet-", stdout);
    for (const char *at = command->name; *at; at++)
        putchar(*at == ' ' ? '-' : *at);
    putchar('\n');
}

static int list_pages(void)
{
    puts("freshet");
    commands_each(print_page, NULL);
    return EXIT_CODE_OK;
}

static int man_run(struct command_call *call)
{
    if (command_has(call, "list"))
        return list_pages();
    const char *name = command_operand_count(call) ? command_operand(call, 0) : "freshet";
    if (strcmp(name, "freshet") == 0) {
        man_page_print_program(stdout);
        return EXIT_CODE_OK;
    }
    if (strncmp(name, "freshet-", 8) == 0)
        name += 8;
    const struct command *command = commands_find_page(name);
    if (!command)
        return commands_unknown(name);
    man_page_print_command(stdout, command);
    return EXIT_CODE_OK;
}

extern const struct command man_command;
const struct command man_command = {
    .name = "man",
    .summary = "print a manual page in troff",
    .operands = "[COMMAND]",
    .description = "Prints freshet(1), or the page of one command, as man(1) reads it.",
    .options = options,
    .examples = {"freshet man", "freshet man version | man -l -", "freshet man --list"},
    .operands_max = 1,
    .hidden = true,
    .run = man_run,
};

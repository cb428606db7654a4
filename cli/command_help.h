/* SPDX-License-Identifier: MIT */
/* Help as text for a terminal, made from the option tables: short (-h) and whole (help CMD). */
#ifndef FRESHET_CLI_COMMAND_HELP_H
#define FRESHET_CLI_COMMAND_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* `freshet CMD -h`: usage, options, examples; to stdout. */
void command_help_print(const struct command *command);
/* `freshet help CMD`: the manual page as plain text; to stdout. */
void command_help_print_manual(const struct command *command);
/* "-o, --output=DIR" */
void command_help_option_heading(const struct command_option *option, char *text, size_t size);
/* Prints text wrapped to the terminal, every line indented. */
void command_help_print_wrapped(FILE *stream, const char *text, int indent);

#endif

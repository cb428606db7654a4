/* SPDX-License-Identifier: MIT */
/* The one list of commands. What is not built is not in it. */
#ifndef FRESHET_CLI_COMMANDS_H
#define FRESHET_CLI_COMMANDS_H

#include <stdio.h>

#include "cli/command.h"

size_t commands_count(void);
const struct command *commands_at(size_t index);
/* NULL when there is no such command. */
const struct command *commands_find(const char *name);
/* The command, or the verb of a group, whose manual page is freshet-PAGE(1): "get", "dht-ping". */
const struct command *commands_find_page(const char *page);
/* Calls `see` with each command that is listed, and behind a group with its verbs. */
void commands_each(void (*see)(void *context, const struct command *command), void *context);
/* Says that there is no such command, and which is nearest; returns EXIT_CODE_USAGE. */
int commands_unknown(const char *name);
/* `freshet help`: one line a command. */
void commands_print_overview(FILE *stream);

#endif

/* SPDX-License-Identifier: MIT */
/* Manual pages in troff (man macros), made from the option tables. */
#ifndef FRESHET_CLI_MAN_PAGE_H
#define FRESHET_CLI_MAN_PAGE_H

#include <stdio.h>

#include "cli/command.h"

/* freshet(1): the program and its commands. */
void man_page_print_program(FILE *stream);
/* freshet-CMD(1). */
void man_page_print_command(FILE *stream, const struct command *command);

#endif

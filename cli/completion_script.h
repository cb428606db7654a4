/* SPDX-License-Identifier: MIT */
/* Completion scripts for bash, zsh and fish, made from the option tables. */
#ifndef FRESHET_CLI_COMPLETION_SCRIPT_H
#define FRESHET_CLI_COMPLETION_SCRIPT_H

#include <stdio.h>

void completion_script_print_bash(FILE *stream);
void completion_script_print_zsh(FILE *stream);
void completion_script_print_fish(FILE *stream);

#endif

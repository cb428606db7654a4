/* SPDX-License-Identifier: MIT */
/* freshet version: which freshet this is. */
#include <stdio.h>

#include "cli/command.h"

static int version_run(struct command_call *call)
{
    (void)call;
    puts("freshet " FRESHET_VERSION);
    return EXIT_CODE_OK;
}

extern const struct command version_command;
const struct command version_command = {
    .name = "version",
    .summary = "print the version",
    .operands = "",
    .description = "Prints the program's name and version on one line.",
    .examples = {"freshet version", "freshet --version"},
    .run = version_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet completions: a script that teaches a shell our commands and options. */
#include <string.h>

#include "cli/command.h"
#include "cli/completion_script.h"

static const struct {
    const char *shell;
    void (*print)(FILE *stream);
} scripts[] = {
    {"bash", completion_script_print_bash},
    {"zsh", completion_script_print_zsh},
    {"fish", completion_script_print_fish},
};

static int completions_run(struct command_call *call)
{
    const char *shell = command_operand(call, 0);
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        if (strcmp(scripts[i].shell, shell) == 0) {
            scripts[i].print(stdout);
            return EXIT_CODE_OK;
        }
    }
    return command_usage_error("no completions for '%s', only for bash, zsh and fish", shell);
}

extern const struct command completions_command;
const struct command completions_command = {
    .name = "completions",
    .summary = "print completions for a shell",
    .operands = "bash|zsh|fish",
    .description = "Prints a script that completes freshet's commands, options and their values. "
                   "The package installs them where the shells look for them.",
    .examples = {"source <(freshet completions bash)",
                 "freshet completions zsh > ~/.zfunc/_freshet",
                 "freshet completions fish > ~/.config/fish/completions/freshet.fish"},
    .operands_min = 1,
    .operands_max = 1,
    .run = completions_run,
};

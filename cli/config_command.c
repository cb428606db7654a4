/* SPDX-License-Identifier: MIT */
/* freshet config: what holds when nothing is typed. */
#include "cli/command.h"

extern const struct command config_show_command;

static const struct command *const verbs[] = {&config_show_command, NULL};

extern const struct command config_command;
const struct command config_command = {
    .name = "config",
    .summary = "show what files and environment set",
    .operands = "VERB [OPTION]... [OPERAND]...",
    .description =
        "What is given on the command line goes before FRESHET_* variables, these before the "
        "user's file $XDG_CONFIG_HOME/freshet/config.ini (~/.config), and that before the system's "
        "$XDG_CONFIG_DIRS/freshet/config.ini (/etc/xdg). In a file the keys are the long options: "
        "above all sections they hold for every command that has such an option, in a section such "
        "as [get] or [dht node] for that one.",
    .examples = {"freshet config show get --origin"},
    .verbs = verbs,
};

/* SPDX-License-Identifier: MIT */
/* freshet watch rm: a folder is watched no longer. */
#include "cli/intake_rules.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static int watch_rm_run(struct command_call *call)
{
    return intake_rules_remove(call, "/watch", "path");
}

extern const struct command watch_rm_command;
const struct command watch_rm_command = {
    .name = "watch rm",
    .summary = "watch a folder no longer",
    .operands = "FOLDER|ID...",
    .description = "The folder, its files and the torrents that came from it stay.",
    .options = options,
    .examples = {"freshet watch rm ~/Torrents", "freshet watch rm 2"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = watch_rm_run,
};

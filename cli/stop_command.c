/* SPDX-License-Identifier: MIT */
/* freshet stop: let torrents of the daemon rest. */
#include "cli/daemon_deed.h"

static const struct command_option options[] = {
    DAEMON_DEED_OPTIONS,
    {0},
};

static int stop_run(struct command_call *call)
{
    return daemon_deed_run(call, &(struct daemon_deed){.done = "stop", .method = "torrent_stop"});
}

extern const struct command stop_command;
const struct command stop_command = {
    .name = "stop",
    .summary = "let torrents of the daemon rest",
    .operands = "ID...",
    .description = "Stops torrents; what they have is kept, and 'freshet start' goes on from "
                   "there, also after a restart of the daemon.",
    .options = options,
    .examples = {"freshet stop 3", "freshet stop 4f3a9c"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = stop_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet start: let torrents of the daemon run. */
#include "cli/daemon_deed.h"

static const struct command_option options[] = {
    {"now", 0, NULL, "do not wait in a queue", .repeatable = false},
    DAEMON_DEED_OPTIONS,
    {0},
};

static int start_run(struct command_call *call)
{
    bool is_now = command_has(call, "now");

    return daemon_deed_run(
        call, &(struct daemon_deed){.done = "start",
                                    .method = is_now ? "torrent_start_now" : "torrent_start"});
}

extern const struct command start_command;
const struct command start_command = {
    .name = "start",
    .summary = "let torrents of the daemon run",
    .operands = "ID...",
    .description = "Lets stopped torrents run. Where a queue is full they wait for their turn, "
                   "unless --now is given. An ID is the number that 'freshet ls' shows, the "
                   "beginning of a name, or at least 6 hex digits of an info-hash.",
    .options = options,
    .examples = {"freshet start 3", "freshet start debian --now"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = start_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet recheck: hash what is on the disk again. */
#include "cli/daemon_deed.h"

static const struct command_option options[] = {
    DAEMON_DEED_OPTIONS,
    {0},
};

static int recheck_run(struct command_call *call)
{
    return daemon_deed_run(call,
                           &(struct daemon_deed){.done = "recheck", .method = "torrent_verify"});
}

extern const struct command recheck_command;
const struct command recheck_command = {
    .name = "recheck",
    .summary = "hash what torrents of the daemon have again",
    .operands = "ID...",
    .description = "Hashes every byte on the disk again and trusts nothing that was recorded. What "
                   "is bad or missing is downloaded anew when the torrent runs.",
    .options = options,
    .examples = {"freshet recheck 3"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = recheck_run,
};

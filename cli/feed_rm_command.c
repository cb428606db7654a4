/* SPDX-License-Identifier: MIT */
/* freshet feed rm: a feed is read no longer. */
#include "cli/intake_rules.h"

static const struct command_option options[] = {
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static int feed_rm_run(struct command_call *call)
{
    return intake_rules_remove(call, "/feeds", "url");
}

extern const struct command feed_rm_command;
const struct command feed_rm_command = {
    .name = "feed rm",
    .summary = "read a feed no longer",
    .operands = "URL|ID...",
    .description = "The torrents that came from it stay. What was taken from it stays known, "
                   "should it be added again.",
    .options = options,
    .examples = {"freshet feed rm 1", "freshet feed rm https://example.org/iso.rss"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = feed_rm_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet shutdown: end the daemon in order. */
#include "cli/daemon_deed.h"

static const struct command_option options[] = {
    DAEMON_DEED_OPTIONS,
    {0},
};

static int shutdown_run(struct command_call *call)
{
    struct daemon_client *client;
    enum exit_code code = daemon_client_new(call, &client);

    if (code)
        return code;
    code = daemon_client_call(client, "session_close", NULL, NULL);
    if (!code)
        daemon_deed_tell(call, "shutdown", NULL, NULL);
    daemon_client_free(client);
    return code;
}

extern const struct command shutdown_command;
const struct command shutdown_command = {
    .name = "shutdown",
    .summary = "end the daemon in order",
    .operands = "",
    .description = "The daemon says good-bye to trackers, makes everything durable and ends. Under "
                   "systemd, 'systemctl stop freshet' does the same and keeps it stopped.",
    .options = options,
    .examples = {"freshet shutdown"},
    .run = shutdown_run,
};

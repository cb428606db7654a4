/* SPDX-License-Identifier: MIT */
/* freshet rm: take torrents out of the daemon. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/daemon_deed.h"
#include "cli/message.h"
#include "cli/terminal.h"

static const struct command_option options[] = {
    {"data", 0, NULL, "delete the files that freshet made for them too", .repeatable = false,
     .line_only = true},
    {"yes", 'y', NULL, "do not ask", .repeatable = false, .line_only = true},
    DAEMON_DEED_OPTIONS,
    {0},
};

/* Data are deleted only when a person has said so, there or by --yes. */
static enum exit_code confirm(const struct command_call *call, const json_t *rows)
{
    char answer[16], name[160];
    size_t index;
    json_t *row;

    if (!command_has(call, "data") || command_has(call, "yes"))
        return EXIT_CODE_OK;
    if (!terminal_is_interactive(STDIN_FILENO))
        return command_usage_error("--data deletes files: say --yes where nobody can be asked");
    json_array_foreach((json_t *)(uintptr_t)rows, index, row) fprintf(
        stderr, "%s\n", terminal_safe_text(daemon_client_text(row, "name"), name, sizeof name));
    fprintf(stderr, "Delete the data of %s too? [y/N] ",
            json_array_size(rows) == 1 ? "this torrent" : "these torrents");
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return EXIT_CODE_OK;
    message_error("nothing was removed");
    return EXIT_CODE_REFUSED;
}

static int rm_run(struct command_call *call)
{
    bool has_data = command_has(call, "data");

    return daemon_deed_run(
        call, &(struct daemon_deed){.done = "rm",
                                    .method = "torrent_remove",
                                    .params = json_pack("{s:b}", "delete_local_data", has_data),
                                    .more = json_pack("{s:b}", "deletes_data", has_data),
                                    .confirm = confirm});
}

extern const struct command rm_command;
const struct command rm_command = {
    .name = "rm",
    .summary = "take torrents out of the daemon",
    .operands = "ID...",
    .description = "The daemon forgets the torrents; their data stay. With --data the files that "
                   "freshet made for them are deleted too, never a file that was there before; it "
                   "asks first on a terminal and wants --yes elsewhere.\n"
                   "\n"
                   "--json has \"deletes_data\" beside the rest.",
    .options = options,
    .examples = {"freshet rm 3", "freshet rm 3 --data", "freshet rm 3 --data --yes"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = rm_run,
};

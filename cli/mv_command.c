/* SPDX-License-Identifier: MIT */
/* freshet mv: put a torrent's data into another folder. */
#include <stdlib.h>

#include "cli/daemon_deed.h"
#include "cli/message.h"
#include "core/base/limits.h"
#include "host/root_path.h"

static const struct command_option options[] = {
    {"no-data", 0, NULL, "move nothing: the data are there already", .repeatable = false},
    DAEMON_DEED_OPTIONS,
    {0},
};

static int mv_run(struct command_call *call)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    struct daemon_client *client;
    json_t *rows = NULL;
    size_t last = command_operand_count(call) - 1;
    enum freshet_error error = root_path_resolve(command_operand(call, last), folder);

    if (error) {
        message_error_code(command_operand(call, last), error);
        return EXIT_CODE_DISK;
    }
    enum exit_code code = daemon_client_new(call, &client);
    if (code)
        return code;
    code = daemon_client_named(client, call, 1, &rows);
    if (!code)
        code =
            daemon_client_call(client, "torrent_set_location",
                               json_pack("{s:o, s:s, s:b}", "ids", daemon_client_ids(rows),
                                         "location", folder, "move", !command_has(call, "no-data")),
                               NULL);
    if (!code)
        daemon_deed_tell(
            call, "mv", rows,
            json_pack("{s:s, s:b}", "folder", folder, "moves_data", !command_has(call, "no-data")));
    json_decref(rows);
    daemon_client_free(client);
    return code;
}

extern const struct command mv_command;
const struct command mv_command = {
    .name = "mv",
    .summary = "put torrents' data into another folder",
    .operands = "ID... DIR",
    .description =
        "Moves the data of torrents of the daemon into a folder. Nothing there is "
        "overwritten; when there is no room, or on any error, the data stay where they "
        "were. Across file systems they are copied, compared and only then deleted.\n"
        "\n"
        "--json has \"folder\" and \"moves_data\" beside the rest. It is printed when the "
        "wish is kept; 'freshet info' says when the data have arrived.",
    .options = options,
    .examples = {"freshet mv 3 /srv/films", "freshet mv 3 /mnt/new --no-data"},
    .operands_min = 2,
    .operands_max = OPERANDS_ANY,
    .run = mv_run,
};

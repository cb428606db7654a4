/* SPDX-License-Identifier: MIT */
/* freshet mv: put a torrent's data into another folder. */
#include <stdlib.h>

#include "cli/daemon_deed.h"
#include "cli/message.h"
#include "core/base/limits.h"
#include "host/root_path.h"

static const struct command_option options[] = {
    {"no-data", 0, NULL, "move nothing: the data are there already", .repeatable = false,
     .line_only = true},
    DAEMON_DEED_OPTIONS,
    {0},
};

static int mv_run(struct command_call *call)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    size_t last = command_operand_count(call) - 1;
    enum freshet_error error = root_path_resolve(command_operand(call, last), folder);
    bool moves_data = !command_has(call, "no-data");

    if (error) {
        message_error_code(command_operand(call, last), error);
        return EXIT_CODE_DISK;
    }
    return daemon_deed_run(
        call, &(struct daemon_deed){
                  .done = "mv",
                  .method = "torrent_set_location",
                  .spared = 1,
                  .params = json_pack("{s:s, s:b}", "location", folder, "move", moves_data),
                  .more = json_pack("{s:s, s:b}", "folder", folder, "moves_data", moves_data)});
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

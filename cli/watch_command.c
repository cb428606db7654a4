/* SPDX-License-Identifier: MIT */
/* freshet watch: folders from which the daemon takes torrents; each verb has a file of its own. */
#include "cli/command.h"

extern const struct command watch_add_command, watch_ls_command, watch_rm_command;

static const struct command *const verbs[] = {&watch_add_command, &watch_ls_command,
                                              &watch_rm_command, NULL};

extern const struct command watch_command;
const struct command watch_command = {
    .name = "watch",
    .summary = "folders from which the daemon takes torrents",
    .operands = "VERB [OPTION]... [OPERAND]...",
    .description =
        "A .torrent that is put into a watched folder is added once it has stood still for two "
        "seconds; so is the link in a .magnet file. A file that is neither is left alone and told "
        "of once in the log. Folders on other machines are looked at every ten seconds.\n"
        "\n"
        "Each folder has its own options, and the daemon keeps them.",
    .examples = {"freshet watch add ~/Torrents --after rename",
                 "freshet watch add /srv/drop -o /srv/iso --label iso --stopped",
                 "freshet watch ls"},
    .verbs = verbs,
};

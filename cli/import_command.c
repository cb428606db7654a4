/* SPDX-License-Identifier: MIT */
/* freshet import: torrents of other programs; each verb has a file of its own. */
#include "cli/command.h"

extern const struct command import_transmission_command, import_qbittorrent_command;

static const struct command *const verbs[] = {&import_transmission_command,
                                              &import_qbittorrent_command, NULL};

extern const struct command import_command;
const struct command import_command = {
    .name = "import",
    .summary = "take over the torrents of another program",
    .operands = "VERB [OPTION]... [FOLDER]",
    .description =
        "Reads what another program keeps of its torrents, shows it, and gives it to the running "
        "daemon: first a table of what there is and what of it cannot be kept, then, after a "
        "question, one torrent after another. Nothing of the other program's is changed, and no "
        "data are moved or copied: they stay where they are, and freshet hashes them before it "
        "says that they are there. Stop the other program first, so that not both write into the "
        "same files.\n"
        "\n"
        "With --dry-run it only shows. Where nobody can be asked, --yes is wanted. What the daemon "
        "has "
        "already is left as it is, so the same command may be run again.\n"
        "\n"
        "A torrent whose files lie in a way that freshet's cannot lie is not taken over, since it "
        "would be downloaded anew; the table says so.",
    .examples = {"freshet import transmission --dry-run", "freshet import qbittorrent"},
    .verbs = verbs,
};

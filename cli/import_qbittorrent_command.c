/* SPDX-License-Identifier: MIT */
/* freshet import qbittorrent */
#include "cli/import_run.h"

static const char *const places[] = {
    "XDG_DATA_HOME:/qBittorrent/BT_backup",
    "HOME:/.local/share/qBittorrent/BT_backup",
    "HOME:/.local/share/data/qBittorrent/BT_backup",
    "XDG_DATA_HOME:/qBittorrent",
    "HOME:/.local/share/qBittorrent",
    NULL,
};

static const struct import_program program = {"qBittorrent", places, import_folder_qbittorrent};

static int run(struct command_call *call)
{
    return import_run(call, &program);
}

static const struct command_option options[] = {IMPORT_OPTIONS, {0}};

extern const struct command import_qbittorrent_command;
const struct command import_qbittorrent_command = {
    .name = "import qbittorrent",
    .summary = "take over the torrents of qBittorrent",
    .operands = "[FOLDER]",
    .description =
        "FOLDER is BT_backup, or qBittorrent's profile folder; by default that of the user. The "
        "files *.fastresume and *.torrent in it are read; or, where qBittorrent keeps them in a "
        "database instead, torrents.db beside it.\n"
        "\n"
        "Folders, category and tags (as labels), files wanted and their priority, names that were "
        "changed, trackers, limits and goals, whether it is paused, dates and what was sent and "
        "received are kept. See 'freshet help import' for the rest.",
    .options = options,
    .examples = {"freshet import qbittorrent --dry-run",
                 "freshet import qbittorrent ~/.local/share/qBittorrent/BT_backup --yes",
                 "freshet import qbittorrent -n --json"},
    .operands_max = 1,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
/* freshet import transmission */
#include "cli/import_run.h"

static const char *const places[] = {
    "TRANSMISSION_HOME:",
    "XDG_CONFIG_HOME:/transmission",
    "HOME:/.config/transmission",
    "XDG_CONFIG_HOME:/transmission-daemon",
    "HOME:/.config/transmission-daemon",
    "/var/lib/transmission-daemon/.config/transmission-daemon",
    NULL,
};

static const struct import_program program = {"Transmission", places, import_folder_transmission};

static int run(struct command_call *call)
{
    return import_run(call, &program);
}

static const struct command_option options[] = {IMPORT_OPTIONS, {0}};

extern const struct command import_transmission_command;
const struct command import_transmission_command = {
    .name = "import transmission",
    .summary = "take over the torrents of Transmission",
    .operands = "[FOLDER]",
    .description =
        "FOLDER is Transmission's configuration folder, which has resume/ and torrents/ in it; by "
        "default the one of the desktop's program, then those of transmission-daemon. Versions 3 "
        "and 4 are read.\n"
        "\n"
        "Folders, labels, files wanted and their priority, names that were changed, trackers, "
        "limits and goals, whether it is paused, dates and what was sent and received are kept. "
        "See 'freshet help import' for the rest.",
    .options = options,
    .examples = {"freshet import transmission --dry-run",
                 "freshet import transmission ~/.config/transmission --yes",
                 "freshet import transmission -n --json"},
    .operands_max = 1,
    .run = run,
};

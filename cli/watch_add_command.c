/* SPDX-License-Identifier: MIT */
/* freshet watch add: one more folder, or other options for one. */
#include "cli/intake_rules.h"
#include "cli/message.h"
#include "host/root_path.h"

static const struct command_option options[] = {
    INTAKE_RULES_OPTIONS,
    {"after", 0, "keep|rename|delete",
     "what happens to a file once its torrent is kept: nothing, .added behind its name, or it goes",
     .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static int watch_add_run(struct command_call *call)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    const char *after = command_value(call, "after");

    if (command_operand(call, 0)[0] == '\0')
        return command_usage_error("the name of the folder is empty");
    enum freshet_error error = root_path_resolve(command_operand(call, 0), folder);

    if (error) {
        message_error_code(command_operand(call, 0), error);
        return EXIT_CODE_DISK;
    }
    json_t *rule = json_object();
    enum exit_code code = intake_rules_describe(call, rule);
    json_object_set_new(rule, "path", json_string(folder));
    if (after)
        json_object_set_new(rule, "after", json_string(after));
    if (code) {
        json_decref(rule);
        return code;
    }
    return intake_rules_add(call, "/watch", rule);
}

extern const struct command watch_add_command;
const struct command watch_add_command = {
    .name = "watch add",
    .summary = "take torrents from a folder",
    .operands = "FOLDER",
    .description = "Prints the number by which 'watch rm' calls it. A folder that is watched "
                   "already gets these options instead of those that it had. What lies in it now "
                   "is taken as well. It need not be there yet. Without --after a file is kept, or "
                   "deleted where Transmission's trash-original-torrent-files is set.\n"
                   "\n"
                   "Files that are kept are remembered and not taken again, not even after their "
                   "torrent was removed, until they change.",
    .options = options,
    .examples = {"freshet watch add ~/Torrents",
                 "freshet watch add /srv/drop -o /srv/iso --label iso --after delete"},
    .operands_min = 1,
    .operands_max = 1,
    .run = watch_add_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet folders: where the daemon puts what it downloads. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/message.h"
#include "cli/terminal.h"
#include "core/base/limits.h"
#include "host/root_path.h"

static const struct command_option options[] = {
    {"complete", 0, "DIR", "what is added without a folder of its own goes here",
     .repeatable = false, .line_only = true},
    {"incomplete", 0, "DIR", "until it is complete it lies here; '': where it goes in the end",
     .repeatable = false, .line_only = true},
    {"part-suffix", 0, "on|off",
     "call a file '.part' until it is complete; reaches a torrent when it is next started",
     .repeatable = false, .line_only = true},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

static enum exit_code set_folder(const struct command_call *call, const char *option,
                                 const char *key, json_t *params)
{
    const char *text = command_value(call, option);
    char folder[LIMIT_PATH_LENGTH + 1];

    if (!text)
        return EXIT_CODE_OK;
    enum freshet_error error = root_path_resolve(text, folder);
    if (error) {
        message_error_code(text, error);
        return EXIT_CODE_DISK;
    }
    json_object_set_new(params, key, json_string(folder));
    return EXIT_CODE_OK;
}

static enum exit_code read_options(const struct command_call *call, json_t *params)
{
    const char *incomplete = command_value(call, "incomplete");
    const char *suffix = command_value(call, "part-suffix");
    enum exit_code code = set_folder(call, "complete", "download_dir", params);

    if (!code && incomplete && incomplete[0])
        code = set_folder(call, "incomplete", "incomplete_dir", params);
    if (incomplete)
        json_object_set_new(params, "incomplete_dir_enabled", json_boolean(incomplete[0]));
    if (suffix)
        json_object_set_new(params, "rename_partial_files",
                            json_boolean(strcmp(suffix, "on") == 0));
    return code;
}

static void print(const json_t *settings)
{
    char text[2 * LIMIT_PATH_LENGTH];
    const char *incomplete = daemon_client_text(settings, "incomplete_dir");
    bool is_apart = json_is_true(json_object_get(settings, "incomplete_dir_enabled"));
    bool has_suffix = json_is_true(json_object_get(settings, "rename_partial_files"));

    printf("%-12s %s\n", "complete",
           terminal_safe_text(daemon_client_text(settings, "download_dir"), text, sizeof text));
    printf("%-12s %s\n", "incomplete",
           is_apart && incomplete[0] ? terminal_safe_text(incomplete, text, sizeof text)
                                     : "where it goes in the end");
    printf("%-12s %s\n", "part suffix", has_suffix ? "on" : "off");
}

static int folders_run(struct command_call *call)
{
    static const char *const keys[] = {"download_dir", "incomplete_dir", "incomplete_dir_enabled",
                                       "rename_partial_files"};
    struct daemon_client *client = NULL;
    json_t *params = json_object(), *fields = json_array(), *settings = NULL;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        json_array_append_new(fields, json_string(keys[i]));
    enum exit_code code = read_options(call, params);
    if (!code)
        code = daemon_client_new(call, &client);
    if (!code && json_object_size(params))
        code = daemon_client_call(client, "session_set", json_incref(params), NULL);
    if (!code)
        code = daemon_client_call(client, "session_get", json_pack("{s:O}", "fields", fields),
                                  &settings);
    if (!code && command_has(call, "json"))
        daemon_client_print(json_incref(settings));
    else if (!code)
        print(settings);
    json_decref(settings);
    json_decref(fields);
    json_decref(params);
    daemon_client_free(client);
    return code;
}

extern const struct command folders_command;
const struct command folders_command = {
    .name = "folders",
    .summary = "where the daemon puts what it downloads",
    .operands = "",
    .description =
        "Changes what is given, and shows it all. What is added from then on lies in the folder "
        "for what is incomplete and moves when it is complete; what is there already stays where "
        "it is ('freshet mv' moves it). A daemon that is started with --download-dir puts "
        "complete ones there again.",
    .options = options,
    .examples = {"freshet folders", "freshet folders --incomplete ~/half --part-suffix on",
                 "freshet folders --incomplete ''"},
    .run = folders_run,
};

/* SPDX-License-Identifier: MIT */
/* freshet add: give torrents to the daemon. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_client.h"
#include "cli/daemon_start.h"
#include "cli/file_choice.h"
#include "cli/terminal.h"
#include "cli/torrent_source.h"
#include "cli/web_page.h"
#include "core/base/memory.h"

static const struct command_option options[] = {
    {"output", 'o', "DIR", "put the files there; default the daemon's download folder",
     .repeatable = false},
    {"select", 's', "LIST", "only these files, numbers as 'freshet show --files' has them",
     .repeatable = false},
    {"only", 0, "GLOB", "only files whose path or name matches", .repeatable = true},
    {"choose", 0, NULL,
     "download nothing yet: find out what is in it and stop there, for files to be chosen",
     .repeatable = false},
    {"stopped", 0, NULL, "do not start it yet", .repeatable = false},
    {"label", 0, "LABEL", "give it this label", .repeatable = true},
    {"start-daemon", 0, NULL, "start a daemon if none runs", .repeatable = false},
    {"web", 0, NULL, "open the daemon's page afterwards; then nothing need be added",
     .repeatable = false},
    DAEMON_CLIENT_OPTIONS,
    {0},
};

/* The files that are not wanted, by their places in the torrent. */
static enum exit_code choose_files(const struct command_call *call, const struct metainfo *metainfo,
                                   json_t *params)
{
    uint8_t *priorities;
    enum exit_code code = file_choice_priorities(call, metainfo, &priorities);

    if (code || !priorities)
        return code;
    json_t *unwanted = json_array();
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++)
        if (priorities[i] == 0)
            json_array_append_new(unwanted, json_integer(i));
    json_object_set_new(params, "files_unwanted", unwanted);
    memory_free(priorities);
    return EXIT_CODE_OK;
}

static enum exit_code describe(const struct command_call *call, const char *operand, json_t *params)
{
    struct torrent_source source = {0};
    struct magnet *magnet = NULL;
    enum exit_code code =
        torrent_source_load(operand, command_value(call, "state"), &source, &magnet);

    if (code)
        return code;
    if (magnet) {
        struct buffer link = {0};
        magnet_format(magnet, &link);
        json_object_set_new(params, "filename", json_stringn((const char *)link.data, link.length));
        buffer_deinit(&link);
        if (command_has(call, "select") || command_has(call, "only"))
            code = command_usage_error("files of a magnet link can be chosen when it is known what "
                                       "it holds: use --choose, then 'freshet files'");
    } else {
        json_object_set_new(params, "metainfo", daemon_client_base64(buffer_bytes(&source.bytes)));
        code = choose_files(call, source.metainfo, params);
    }
    magnet_free(magnet);
    torrent_source_deinit(&source);
    return code;
}

static enum exit_code add_options(const struct command_call *call, json_t *params)
{
    enum exit_code code = daemon_client_put_folder(call, params, "download_dir");

    if (code)
        return code;
    if (command_has(call, "stopped"))
        json_object_set_new(params, "paused", json_true());
    if (command_value_count(call, "label"))
        json_object_set_new(params, "labels", daemon_client_values(call, "label"));
    return EXIT_CODE_OK;
}

static void tell(const struct command_call *call, json_t *result)
{
    const json_t *added = json_object_get(result, "torrent_added"),
                 *known = json_object_get(result, "torrent_duplicate");
    const json_t *row = added ? added : known;
    char name[256];

    if (command_has(call, "json")) {
        daemon_client_print(json_incref(result));
        return;
    }
    printf("%.0f  %s%s\n", daemon_client_number(row, "id"),
           terminal_safe_text(daemon_client_text(row, "name"), name, sizeof name),
           added ? "" : " (was there already)");
}

/* What Transmission's methods do not have: its metadata come, and then it stops. The answer in the
 * shape of theirs. */
static enum exit_code add_to_choose(struct daemon_client *client, json_t *params,
                                    json_t **ret_result)
{
    static const char *const keys[][2] = {{"filename", "magnet"},
                                          {"metainfo", "torrent"},
                                          {"download_dir", "folder"},
                                          {"labels", "labels"}};
    json_t *body = json_pack("{s:b}", "choose_files", 1), *answer;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(params, keys[i][0]))
            json_object_set(body, keys[i][1], json_object_get(params, keys[i][0]));
    json_decref(params);
    enum exit_code code = daemon_client_api(client, "POST", "/torrents", body, &answer);
    if (code)
        return code;
    const json_t *torrent = json_object_get(answer, "torrent");
    *ret_result = json_pack(
        "{s:{s:O, s:O, s:O}}",
        json_is_true(json_object_get(answer, "added")) ? "torrent_added" : "torrent_duplicate",
        "id", json_object_get(torrent, "id"), "name", json_object_get(torrent, "name"),
        "hash_string", json_object_get(torrent, "hash"));
    json_decref(answer);
    return EXIT_CODE_OK;
}

static enum exit_code add_one(struct daemon_client *client, const struct command_call *call,
                              const char *operand)
{
    json_t *params = json_object(), *result;
    enum exit_code code = add_options(call, params);

    if (!code)
        code = describe(call, operand, params);
    if (code) {
        json_decref(params);
        return code;
    }
    code = command_has(call, "choose") ? add_to_choose(client, params, &result)
                                       : daemon_client_call(client, "torrent_add", params, &result);
    if (code)
        return code;
    tell(call, result);
    json_decref(result);
    return EXIT_CODE_OK;
}

static enum exit_code show_page(struct daemon_client *client)
{
    json_t *where;
    enum exit_code code = web_page_find(client, &where);

    if (code)
        return code;
    web_page_show(where, false);
    json_decref(where);
    return EXIT_CODE_OK;
}

static int add_run(struct command_call *call)
{
    struct daemon_client *client;
    size_t count = command_operand_count(call);
    enum exit_code code, worst = EXIT_CODE_OK;

    if (count == 0 && !command_has(call, "web"))
        return command_usage_error("what is to be added?");
    if (command_has(call, "choose") &&
        (command_has(call, "select") || command_has(call, "only") || command_has(call, "stopped")))
        return command_usage_error(
            "--choose leaves the files to be chosen later: it goes with none "
            "of --select, --only and --stopped");
    code = daemon_client_new(call, &client);
    if (code)
        return code;
    if (command_has(call, "start-daemon"))
        code = daemon_start_if_absent(call, client);
    for (size_t i = 0; i < count && !code; i++) {
        enum exit_code one = add_one(client, call, command_operand(call, i));
        worst = worst ? worst : one;
    }
    if (!code)
        daemon_client_note_trouble(client);
    if (!code && command_has(call, "web"))
        code = show_page(client);
    daemon_client_free(client);
    return worst ? worst : code;
}

extern const struct command add_command;
const struct command add_command = {
    .name = "add",
    .summary = "give torrents to the daemon",
    .operands = "FILE|URL|MAGNET|INFOHASH...",
    .description =
        "The daemon downloads and seeds them and keeps them over restarts. A FILE is "
        "read here, - is standard input. Prints the number by which other commands call "
        "the torrent. What is there already is told, and is no error.\n"
        "\n"
        "With --choose only what is in the torrent is fetched, from peers if it is a magnet link; "
        "then it stops. 'freshet files ID' lists the files and chooses among them, 'freshet start "
        "ID' downloads those that are wanted.\n"
        "\n"
        "Desktops open torrents and magnet links with 'freshet add --start-daemon --web' "
        "(freshet.desktop).",
    .options = options,
    .examples = {"freshet add debian.torrent", "freshet add 'magnet:?xt=urn:btih:...' -o /srv/isos",
                 "freshet add album.torrent --only '*.flac' --label music"},
    .operands_max = OPERANDS_ANY,
    .run = add_run,
};

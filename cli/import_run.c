/* SPDX-License-Identifier: MIT */
#include "cli/import_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/import_show.h"
#include "cli/message.h"
#include "cli/terminal.h"

#define PATH_SIZE (LIMIT_PATH_LENGTH + 300)

/* ---- where ---- */

static bool make_place(const char *place, char ret_path[PATH_SIZE])
{
    const char *colon = strchr(place, ':');
    char variable[64];

    if (place[0] == '/')
        return (size_t)snprintf(ret_path, PATH_SIZE, "%s", place) < PATH_SIZE;
    snprintf(variable, sizeof variable, "%.*s", (int)(colon - place), place);
    const char *value = getenv(variable);
    return value && value[0] == '/' &&
           (size_t)snprintf(ret_path, PATH_SIZE, "%s%s", value, colon + 1) < PATH_SIZE;
}

static enum exit_code find_folder(const struct command_call *call,
                                  const struct import_program *program, char ret_path[PATH_SIZE])
{
    struct stat status;

    if (command_operand_count(call)) {
        if ((size_t)snprintf(ret_path, PATH_SIZE, "%.4095s", command_operand(call, 0)) < PATH_SIZE)
            return EXIT_CODE_OK;
        return command_usage_error("the folder's name is too long");
    }
    for (size_t i = 0; program->places[i]; i++)
        if (make_place(program->places[i], ret_path) && stat(ret_path, &status) == 0 &&
            S_ISDIR(status.st_mode))
            return EXIT_CODE_OK;
    return command_usage_error("no folder of %s is where it usually is: name it", program->name);
}

/* ---- giving one to the daemon ---- */

static void put_files(json_t *params, const char *key, const struct import_entry *entry,
                      uint32_t count, uint8_t priority)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < count; i++)
        if (entry->takeover->priorities[i] == priority)
            json_array_append_new(list, json_integer(i));
    if (json_array_size(list))
        json_object_set(params, key, list);
    json_decref(list);
}

/* In kilobytes, as the RPC counts; never 0 by rounding. */
static json_t *rate_json(uint64_t rate)
{
    return json_integer((json_int_t)(rate && rate < 1000 ? 1 : rate / 1000));
}

static void put_wishes(json_t *params, const struct catalog_wishes *wishes)
{
    json_object_set_new(params, "upload_limit", rate_json(wishes->upload_limit));
    json_object_set_new(params, "upload_limited", json_boolean(wishes->upload_limited));
    json_object_set_new(params, "download_limit", rate_json(wishes->download_limit));
    json_object_set_new(params, "download_limited", json_boolean(wishes->download_limited));
    json_object_set_new(params, "honors_session_limits",
                        json_boolean(wishes->honors_session_limits));
    json_object_set_new(params, "seed_ratio_mode", json_integer(wishes->ratio_mode));
    json_object_set_new(params, "seed_ratio_limit", json_real(wishes->ratio));
    json_object_set_new(params, "seed_idle_mode", json_integer(wishes->idle_mode));
    json_object_set_new(params, "seed_idle_limit", json_integer(wishes->idle_minutes));
    json_object_set_new(params, "bandwidth_priority", json_integer(wishes->bandwidth_priority));
    json_object_set_new(params, "sequential_download", json_boolean(wishes->sequential));
    if (wishes->peers_max)
        json_object_set_new(params, "peer_limit", json_integer(wishes->peers_max));
}

static json_t *past_json(const struct takeover *takeover)
{
    const struct catalog_past *past = &takeover->past;
    json_t *renamed = json_array();

    for (uint32_t i = 0; i < takeover->renamed_count; i++)
        json_array_append_new(
            renamed, json_pack("[s, s]", takeover->renamed_paths[i], takeover->renamed_names[i]));
    json_t *json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "added_date",
        (json_int_t)past->added_s, "done_date", (json_int_t)past->done_s, "activity_date",
        (json_int_t)past->active_s, "uploaded", (json_int_t)past->uploaded, "downloaded",
        (json_int_t)past->downloaded, "corrupt", (json_int_t)past->corrupt, "seconds_downloading",
        (json_int_t)past->seconds_downloading, "seconds_seeding", (json_int_t)past->seconds_seeding,
        "super_seed", (int)takeover->wishes.super_seed, "renamed", renamed);
    if (takeover->wishes.seed_time_s >= 0)
        json_object_set_new(json, "seed_minutes", json_integer(takeover->wishes.seed_time_s / 60));
    if (takeover->folder_done)
        json_object_set_new(json, "folder_done", json_string(takeover->folder_done));
    return json;
}

/* Everything that torrent_add takes; it stays stopped until the rest is told. */
static enum exit_code describe(const struct import_entry *entry, json_t *params)
{
    const struct takeover *takeover = entry->takeover;
    struct buffer bytes = {0};
    json_t *labels = json_array();

    for (uint32_t i = 0; i < takeover->label_count; i++)
        json_array_append_new(labels, json_string(takeover->labels[i]));
    json_object_set_new(params, "labels", labels);
    json_object_set_new(params, "paused", json_true());
    json_object_set_new(params, "download_dir", json_string(takeover->folder));
    json_object_set_new(params, "past", past_json(takeover));
    put_wishes(params, &takeover->wishes);
    if (takeover->magnet) {
        json_object_set_new(params, "filename", json_string(takeover->magnet));
        return EXIT_CODE_OK;
    }
    enum freshet_error error = import_folder_torrent(entry, &bytes);
    if (error)
        message_error_code(entry->torrent_path ? entry->torrent_path : entry->name, error);
    else
        json_object_set_new(params, "metainfo", daemon_client_base64(buffer_bytes(&bytes)));
    buffer_deinit(&bytes);
    if (!error && takeover->priorities) {
        put_files(params, "files_unwanted", entry, takeover->priority_count,
                  CATALOG_PRIORITY_UNWANTED);
        put_files(params, "priority_low", entry, takeover->priority_count, CATALOG_PRIORITY_LOW);
        put_files(params, "priority_high", entry, takeover->priority_count, CATALOG_PRIORITY_HIGH);
    }
    return exit_code_from_error(error);
}

/* As the RPC has it: a URL a line, an empty line between tiers. */
static enum exit_code set_trackers(struct daemon_client *client, const struct takeover *takeover,
                                   json_t *ids)
{
    struct buffer text = {0};

    for (uint32_t i = 0; i < takeover->tracker_count; i++) {
        if (i > 0 && takeover->tiers[i] != takeover->tiers[i - 1])
            buffer_append_text(&text, "\n");
        buffer_append_text(&text, takeover->trackers[i]);
        buffer_append_text(&text, "\n");
    }
    json_t *params = json_pack("{s:O, s:o}", "ids", ids, "tracker_list",
                               json_stringn((const char *)text.data, text.length));
    buffer_deinit(&text);
    return daemon_client_call(client, "torrent_set", params, NULL);
}

/* What is stopped is checked too: else nobody would know what is there. */
static enum exit_code set_going(struct daemon_client *client, const struct import_entry *entry,
                                json_t *ids)
{
    const struct takeover *takeover = entry->takeover;
    const char *method = takeover->forced ? "torrent_start_now" : "torrent_start";

    if (takeover->stopped && takeover->magnet)
        return EXIT_CODE_OK;
    return daemon_client_call(client, takeover->stopped ? "torrent_verify" : method,
                              json_pack("{s:O}", "ids", ids), NULL);
}

static enum exit_code give(struct daemon_client *client, const struct import_entry *entry,
                           json_t *report)
{
    json_t *params = json_object(), *result = NULL;
    enum exit_code code = describe(entry, params);

    if (code) {
        json_decref(params);
        return code;
    }
    code = daemon_client_call(client, "torrent_add", params, &result);
    if (code)
        return code;
    const json_t *row = json_object_get(result, "torrent_added");
    json_object_set_new(report, "result", json_string(row ? "added" : "exists"));
    if (row) {
        json_t *ids = json_pack("[O]", json_object_get(row, "id"));
        json_object_set(report, "id", json_array_get(ids, 0));
        if (entry->trackers_differ)
            code = set_trackers(client, entry->takeover, ids);
        enum exit_code going = set_going(client, entry, ids);
        code = code ? code : going;
        json_decref(ids);
    }
    json_decref(result);
    return code;
}

/* ---- all of them ---- */

static enum exit_code confirm(const struct command_call *call, const struct import_program *program,
                              size_t count)
{
    char answer[16];

    if (command_has(call, "yes"))
        return EXIT_CODE_OK;
    if (!terminal_is_interactive(STDIN_FILENO))
        return command_usage_error("say --yes where nobody can be asked, or --dry-run");
    fprintf(stderr, "Is %s stopped? Take over %zu torrent%s? [y/N] ", program->name, count,
            count == 1 ? "" : "s");
    if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
        return EXIT_CODE_OK;
    message_error("nothing was taken over");
    return EXIT_CODE_REFUSED;
}

static enum exit_code give_all(const struct command_call *call, const struct import_list *list,
                               json_t *reports)
{
    struct daemon_client *client;
    size_t added = 0, known = 0, failed = 0;
    enum exit_code worst = daemon_client_new(call, &client);

    if (worst)
        return worst;
    for (size_t i = 0; i < list->count; i++) {
        json_t *report = json_array_get(reports, i);
        if (list->entries[i].takeover->refusal[0])
            continue;
        enum exit_code code = give(client, &list->entries[i], report);
        bool was_known = strcmp(daemon_client_text(report, "result"), "exists") == 0;
        known += was_known;
        added += !code && !was_known;
        failed += code != EXIT_CODE_OK;
        if (code) {
            json_object_set_new(report, "error", json_string(daemon_client_words(client)));
            message_error("%.80s was not taken over, or not all of it", list->entries[i].name);
        }
        worst = worst ? worst : code;
        if (code == EXIT_CODE_NETWORK)
            break; /* there is no daemon */
    }
    daemon_client_free(client);
    if (!command_has(call, "json"))
        printf("%zu taken over, %zu there already, %zu failed\n", added, known, failed);
    return worst;
}

static json_t *describe_all(const struct import_list *list)
{
    json_t *reports = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(reports, import_show_json(&list->entries[i]));
    return reports;
}

int import_run(const struct command_call *call, const struct import_program *program)
{
    struct import_list list = {0};
    char folder[PATH_SIZE];
    bool is_json = command_has(call, "json");
    enum exit_code code = find_folder(call, program, folder);

    if (!code)
        code = program->read(folder, &list);
    if (!code && list.count == 0 && !is_json)
        code = command_usage_error("nothing of %s's torrents is in %.200s", program->name, folder);
    if (code) {
        import_folder_deinit(&list);
        return code;
    }
    if (!is_json)
        import_show_table(&list);
    fflush(stdout);
    json_t *reports = describe_all(&list);
    if (!command_has(call, "dry-run") && import_show_count(&list)) {
        code = confirm(call, program, import_show_count(&list));
        if (!code)
            code = give_all(call, &list, reports);
    }
    if (is_json)
        daemon_client_print(reports);
    else
        json_decref(reports);
    import_folder_deinit(&list);
    return code;
}

/* SPDX-License-Identifier: MIT */
/* freshet set: what a person may set of a torrent of the daemon. */
#include <stdio.h>
#include <string.h>

#include "cli/daemon_deed.h"
#include "core/base/limits.h"

#define UPLOAD_SLOTS_MAX 1000u

static const struct command_option options[] = {
    {"down-limit", 'l', "RATE", "receive at most so much a second; 0: no limit of its own",
     .repeatable = false, .line_only = true},
    {"up-limit", 'u', "RATE", "send at most so much a second; 0: no limit of its own",
     .repeatable = false, .line_only = true},
    {"label", 0, "LABEL", "give it these labels instead of those it has; '' takes all away",
     .repeatable = true, .line_only = true},
    {"seed-ratio", 0, "RATIO", "stop seeding at this ratio; 'all': as the session, 'never'",
     .repeatable = false, .line_only = true},
    {"seed-idle", 0, "TIME", "stop seeding after that long without a taker; 'all', 'never'",
     .repeatable = false, .line_only = true},
    {"priority", 0, "low|normal|high", "its share of the speed", .repeatable = false,
     .line_only = true},
    {"sequential", 0, "on|off", "download the pieces in order", .repeatable = false,
     .line_only = true},
    {"super-seeding", 0, "on|off", "as a seed show each peer few pieces, so that they spread them",
     .repeatable = false, .line_only = true},
    {"peers-max", 0, "N", "connections at most", .repeatable = false, .line_only = true},
    {"upload-slots", 0, "N", "peers that are sent to at once; 0: as all torrents",
     .repeatable = false, .line_only = true},
    {"transport", 0, "any|tcp|utp", "how it is connected with its peers; any: as all torrents",
     .repeatable = false, .line_only = true},
    {"queue", 0, "N", "its place in the queue, from 1", .repeatable = false, .line_only = true},
    {"tracker-add", 0, "URL", "one more tracker, in a tier of its own", .repeatable = true,
     .line_only = true},
    {"tracker-remove", 0, "URL", "no longer this tracker", .repeatable = true, .line_only = true},
    {"name", 0, "NAME", "call it so, and its file or folder on the disk", .repeatable = false,
     .line_only = true},
    DAEMON_DEED_OPTIONS,
    {0},
};

static const char *const fields[] = {"tracker_list", NULL};

/* The same of each torrent. */
struct set_wishes {
    json_t *params, *body; /* of torrent_set; of our own API */
};

static bool set_limit(const struct command_call *call, const char *option, const char *key,
                      const char *limited_key, json_t *params)
{
    uint64_t rate = 0;

    if (!command_has(call, option))
        return true;
    if (!command_rate(call, option, &rate))
        return false;
    json_object_set_new(params, limited_key, json_boolean(rate > 0));
    if (rate > 0)
        json_object_set_new(params, key, json_integer((json_int_t)((rate + 999) / 1000)));
    return true;
}

/* "all": the session's goal holds, "never": none does. Is it one of the words? */
static bool set_mode(const char *value, const char *mode_key, json_t *params)
{
    bool all = strcmp(value, "all") == 0, never = strcmp(value, "never") == 0;

    json_object_set_new(params, mode_key, json_integer(all ? 0 : never ? 2 : 1));
    return all || never;
}

static bool set_goals(const struct command_call *call, json_t *params)
{
    uint32_t ratio = 0;
    int64_t idle_ns = 0;

    if (command_has(call, "seed-ratio") &&
        !set_mode(command_value(call, "seed-ratio"), "seed_ratio_mode", params)) {
        if (!command_ratio(call, "seed-ratio", &ratio))
            return false;
        json_object_set_new(params, "seed_ratio_limit", json_real(ratio / 1000.0));
    }
    if (command_has(call, "seed-idle") &&
        !set_mode(command_value(call, "seed-idle"), "seed_idle_mode", params)) {
        if (!command_duration(call, "seed-idle", &idle_ns))
            return false;
        json_object_set_new(params, "seed_idle_limit",
                            json_integer((idle_ns + 60 * SECOND_NS - 1) / (60 * SECOND_NS)));
    }
    return true;
}

static bool set_numbers(const struct command_call *call, json_t *params)
{
    uint64_t peers = 0, queue = 0;

    if (!command_number(call, "peers-max", LIMIT_PEERS_PER_TORRENT, &peers) ||
        !command_number(call, "queue", UINT32_MAX, &queue))
        return false;
    if (command_has(call, "peers-max"))
        json_object_set_new(params, "peer_limit", json_integer((json_int_t)peers));
    if (command_has(call, "queue"))
        json_object_set_new(params, "queue_position",
                            json_integer(queue ? (json_int_t)queue - 1 : 0));
    return true;
}

static void set_words(const struct command_call *call, json_t *params)
{
    const char *priority = command_value(call, "priority"),
               *sequential = command_value(call, "sequential");

    if (priority)
        json_object_set_new(params, "bandwidth_priority",
                            json_integer(strcmp(priority, "low") == 0    ? -1
                                         : strcmp(priority, "high") == 0 ? 1
                                                                         : 0));
    if (sequential)
        json_object_set_new(params, "sequential_download",
                            json_boolean(strcmp(sequential, "on") == 0));
    if (command_has(call, "label")) {
        json_t *labels = json_array();
        for (size_t i = 0; i < command_value_count(call, "label"); i++)
            if (command_value_at(call, "label", i)[0])
                json_array_append_new(labels, json_string(command_value_at(call, "label", i)));
        json_object_set_new(params, "labels", labels);
    }
}

/* Is a line of the list to go? */
static bool is_removed(const struct command_call *call, const char *line, size_t length)
{
    for (size_t i = 0; i < command_value_count(call, "tracker-remove"); i++) {
        const char *url = command_value_at(call, "tracker-remove", i);
        if (strlen(url) == length && memcmp(url, line, length) == 0)
            return true;
    }
    return false;
}

/* The row's trackers (a URL a line, an empty line between tiers) without those that go and with
 * those that come. */
static json_t *tracker_list(const struct command_call *call, const json_t *row)
{
    struct buffer list = {0};
    const char *at = daemon_client_text(row, "tracker_list");

    while (*at) {
        size_t length = strcspn(at, "\n");
        if (!is_removed(call, at, length))
            buffer_append(&list, at, length + (at[length] == '\n'));
        at += length + (at[length] == '\n');
    }
    for (size_t i = 0; i < command_value_count(call, "tracker-add"); i++) {
        buffer_append_text(&list, "\n\n");
        buffer_append_text(&list, command_value_at(call, "tracker-add", i));
    }
    json_t *text = json_stringn((const char *)list.data, list.length);
    buffer_deinit(&list);
    return text ? text : json_string("");
}

/* What Transmission's methods do not have; an empty object when none of it is given. */
static bool set_own(const struct command_call *call, json_t *body)
{
    const char *super_seeding = command_value(call, "super-seeding");
    uint64_t slots = 0;

    if (!command_number(call, "upload-slots", UPLOAD_SLOTS_MAX, &slots))
        return false;
    if (command_has(call, "upload-slots"))
        json_object_set_new(body, "upload_slots", json_integer((json_int_t)slots));
    if (super_seeding)
        json_object_set_new(body, "super_seed", json_boolean(strcmp(super_seeding, "on") == 0));
    if (command_has(call, "transport"))
        json_object_set_new(body, "transport", json_string(command_value(call, "transport")));
    return true;
}

static enum exit_code patch(struct daemon_client *client, const json_t *id, const json_t *body)
{
    char path[64];

    snprintf(path, sizeof path, "/torrents/%lld", (long long)json_integer_value(id));
    return daemon_client_api(client, "PATCH", path, json_copy((json_t *)(uintptr_t)body), NULL);
}

static enum exit_code set_one(struct daemon_client *client, const struct command_call *call,
                              json_t *row, const struct set_wishes *wishes)
{
    json_t *own = json_copy(wishes->params), *id = json_object_get(row, "id");
    enum exit_code code = EXIT_CODE_OK;

    json_object_set_new(own, "ids", json_pack("[O]", id));
    if (command_has(call, "tracker-add") || command_has(call, "tracker-remove"))
        json_object_set_new(own, "tracker_list", tracker_list(call, row));
    if (json_object_size(own) > 1)
        code = daemon_client_call(client, "torrent_set", own, NULL);
    else
        json_decref(own);
    if (!code && json_object_size(wishes->body))
        code = patch(client, id, wishes->body);
    if (!code && command_has(call, "name"))
        code = daemon_client_call(client, "torrent_rename_path",
                                  json_pack("{s:[O], s:s, s:s}", "ids", id, "path",
                                            daemon_client_text(row, "name"), "name",
                                            command_value(call, "name")),
                                  NULL);
    if (!code && command_has(call, "name"))
        json_object_set_new(row, "name", json_string(command_value(call, "name")));
    return code;
}

static int set_run(struct command_call *call)
{
    struct daemon_client *client = NULL;
    struct set_wishes wishes = {json_object(), json_object()};
    json_t *rows = NULL, *row;
    size_t index;
    enum exit_code code = EXIT_CODE_USAGE;

    if (set_limit(call, "down-limit", "download_limit", "download_limited", wishes.params) &&
        set_limit(call, "up-limit", "upload_limit", "upload_limited", wishes.params) &&
        set_goals(call, wishes.params) && set_numbers(call, wishes.params) &&
        set_own(call, wishes.body))
        code = daemon_client_new(call, &client);
    set_words(call, wishes.params);
    if (!code)
        code = daemon_client_rows(client, call, fields, &rows);
    if (!code)
        json_array_foreach(rows, index, row) code =
            code ? code : set_one(client, call, row, &wishes);
    if (!code)
        daemon_deed_tell(call, "set", rows, NULL);
    json_decref(rows);
    json_decref(wishes.params);
    json_decref(wishes.body);
    daemon_client_free(client);
    return code;
}

extern const struct command set_command;
const struct command set_command = {
    .name = "set",
    .summary = "limits, labels, goals and trackers of a torrent of the daemon",
    .operands = "ID...",
    .description = "Changes what is given and leaves the rest. 'freshet files' has the priorities "
                   "of files, 'freshet limit' the limits of all.",
    .options = options,
    .examples = {"freshet set 3 -u 500K --seed-ratio 2", "freshet set debian --label linux",
                 "freshet set 3 --tracker-add http://tracker.example/announce"},
    .operands_min = 1,
    .operands_max = OPERANDS_ANY,
    .run = set_run,
};

/* SPDX-License-Identifier: MIT */
#include "services/api/api_change.h"

#include "services/api/api_fields.h"
#include "services/api/api_labels.h"
#include "services/api/api_torrent.h"

#include "core/base/memory.h"
#include "core/tracker/tracker_url.h"

#include <inttypes.h>
#include <string.h>

#define LABELS_MAX     32u
#define LABEL_LENGTH   128u
#define EDITS_MAX      1024u /* labels to add or to take off; as long as any torrent has them */
#define EDIT_LENGTH    255u
#define PRIORITIES_MAX 1024u
#define TIERS_MAX      256u

struct change;

struct change_action {
    const char *name;
    void (*prepare)(struct api_call *call, struct change *change);
    void (*apply)(struct api_call *call, struct change *change, struct api_turn *turn,
                  const struct catalog_torrent *torrent);
};

struct change {
    const struct change_action *action;
    torrent_id *ids;
    uint32_t count, missing;
    bool *is_missing;
    bool flag; /* force, move the data, delete the data */
    const char *folder, *path, *name;
    struct service_content content; /* of the torrent that is renamed, in this step */
    enum catalog_queue_move queue_move;
    bool has_labels, has_trackers, has_queue;
    const char *const *labels, *const *added, *const *removed;
    uint32_t label_count, added_count, removed_count;
    struct api_labels *tally; /* of those asked about */
    const json_t *priorities;
    const char **urls;
    uint32_t *tiers;
    uint32_t url_count;
    uint32_t queue;
};

static void fail_error(struct api_call *call, enum freshet_error error, const char *what)
{
    unsigned status = error == FRESHET_ERROR_EXISTS || error == FRESHET_ERROR_BUSY ? 409 : 400;
    api_fail(call, status, "%s: %s", what, error_text(error));
}

/* ---- start, stop, recheck, reannounce, remove ---- */

static void prepare_start(struct api_call *call, struct change *change)
{
    change->flag = api_body_bool(call, "force", false);
}

static void apply_start(struct api_call *call, struct change *change, struct api_turn *turn,
                        const struct catalog_torrent *torrent)
{
    (void)call;
    catalog_start(turn->world->catalog, torrent->id, change->flag, turn->world->now);
}

static void apply_stop(struct api_call *call, struct change *change, struct api_turn *turn,
                       const struct catalog_torrent *torrent)
{
    (void)call, (void)change;
    catalog_stop(turn->world->catalog, torrent->id, turn->world->now);
}

static void apply_recheck(struct api_call *call, struct change *change, struct api_turn *turn,
                          const struct catalog_torrent *torrent)
{
    (void)call, (void)change;
    catalog_recheck(turn->world->catalog, torrent->id, turn->world->now);
}

static void apply_reannounce(struct api_call *call, struct change *change, struct api_turn *turn,
                             const struct catalog_torrent *torrent)
{
    (void)call, (void)change;
    catalog_reannounce(turn->world->catalog, torrent->id, turn->world->now);
}

static void prepare_remove(struct api_call *call, struct change *change)
{
    change->flag =
        api_body_bool(call, "data", false) || api_parameter_number(call, "data", 0, 1) == 1;
}

static void apply_remove(struct api_call *call, struct change *change, struct api_turn *turn,
                         const struct catalog_torrent *torrent)
{
    (void)call;
    catalog_remove(turn->world->catalog, torrent->id, change->flag, turn->world->now);
}

/* ---- move, rename, queue ---- */

static void prepare_move(struct api_call *call, struct change *change)
{
    change->folder = api_body_text(call, "folder", LIMIT_PATH_LENGTH);
    change->flag = api_body_bool(call, "move_data", true);
    if (!change->folder)
        api_fail(call, 400, "folder: where to");
}

static void apply_move(struct api_call *call, struct change *change, struct api_turn *turn,
                       const struct catalog_torrent *torrent)
{
    struct catalog *catalog = turn->world->catalog;
    if (!api_folder_allowed(call, catalog, "folder", change->folder))
        return;
    enum freshet_error error =
        catalog_relocate(catalog, torrent->id, change->folder, change->flag, turn->world->now);
    if (error)
        fail_error(call, error, "folder");
}

static void prepare_rename(struct api_call *call, struct change *change)
{
    change->path = api_body_text(call, "path", LIMIT_PATH_LENGTH);
    change->name = api_body_text(call, "name", LIMIT_PATH_ELEMENT);
    if (!change->path || !change->name)
        api_fail(call, 400, "path and name: what gets which name");
}

/* The content is at hand (has_content): a path that is not there would only be found out when the
 * torrent has been closed for it. */
static void apply_rename(struct api_call *call, struct change *change, struct api_turn *turn,
                         const struct catalog_torrent *torrent)
{
    const struct metainfo *metainfo = change->content.metainfo;
    enum freshet_error error =
        metainfo ? metainfo_rename_judge(metainfo, change->path, change->name) : FRESHET_OK;
    if (error == FRESHET_ERROR_NOT_FOUND) {
        api_fail(call, 404, "path: is not in the torrent");
        return;
    }
    if (!error)
        error = catalog_rename(turn->world->catalog, torrent->id, change->path, change->name,
                               turn->world->now);
    if (error)
        fail_error(call, error, "name");
}

/* false: it has to be read first. */
static bool has_content(struct api_call *call, struct change *change, struct api_turn *turn)
{
    if (change->action->apply != apply_rename || call->at > 0)
        return true;
    if (api_torrent_content(call, turn, &change->content) == SERVICE_JOB)
        return false;
    call->waiting = false;
    return true;
}

static void prepare_queue(struct api_call *call, struct change *change)
{
    static const char *const moves[] = {
        [QUEUE_TOP] = "top", [QUEUE_UP] = "up", [QUEUE_DOWN] = "down", [QUEUE_BOTTOM] = "bottom"};
    const char *move = api_body_text(call, "move", 8);
    for (unsigned i = 0; i < sizeof moves / sizeof *moves && move; i++)
        if (strcmp(move, moves[i]) == 0) {
            change->queue_move = (enum catalog_queue_move)i;
            return;
        }
    api_fail(call, 400, "move: top, up, down or bottom");
}

/* ---- labels: what they have ---- */

static void prepare_tally(struct api_call *call, struct change *change)
{
    change->tally = call_arena_take(&call->arena, sizeof *change->tally);
    memset(change->tally, 0, sizeof *change->tally);
}

static void apply_tally(struct api_call *call, struct change *change, struct api_turn *turn,
                        const struct catalog_torrent *torrent)
{
    (void)turn;
    for (uint32_t i = 0; i < torrent->label_count; i++)
        api_labels_add(change->tally, &call->arena, torrent->labels[i]);
}

/* ---- set ---- */

static void prepare_priorities(struct api_call *call, struct change *change)
{
    change->priorities = api_body_array(call, "priorities", PRIORITIES_MAX);
    for (size_t i = 0; i < json_array_size(change->priorities); i++) {
        const json_t *entry = json_array_get(change->priorities, i);
        const json_t *files = json_object_get(entry, "files");
        const json_t *priority = json_object_get(entry, "priority");
        bool fits = json_is_integer(priority) && json_integer_value(priority) >= 0 &&
                    json_integer_value(priority) <= (json_int_t)LIMIT_FILE_PRIORITY &&
                    (!files || (json_is_array(files) && json_array_size(files) <= LIMIT_FILES_MAX));
        for (size_t j = 0; j < json_array_size(files) && fits; j++) {
            const json_t *file = json_array_get(files, j);
            fits = json_is_integer(file) && json_integer_value(file) >= 0 &&
                   json_integer_value(file) < (json_int_t)LIMIT_FILES_MAX;
        }
        if (!fits)
            api_fail(call, 400, "priorities: {\"files\": [0, 1], \"priority\": 0 to 7}");
    }
}

static void prepare_trackers(struct api_call *call, struct change *change)
{
    const json_t *tiers = api_body_array(call, "trackers", TIERS_MAX);
    if (!tiers)
        return;
    change->has_trackers = true;
    change->urls = call_arena_take(&call->arena, LIMIT_TRACKERS_MAX * sizeof *change->urls);
    change->tiers = call_arena_take(&call->arena, LIMIT_TRACKERS_MAX * sizeof *change->tiers);
    for (size_t i = 0; i < json_array_size(tiers); i++) {
        const json_t *tier = json_array_get(tiers, i);
        bool fits =
            json_is_array(tier) && json_array_size(tier) <= LIMIT_TRACKERS_MAX - change->url_count;
        for (size_t j = 0; j < json_array_size(tier) && fits; j++) {
            const json_t *url = json_array_get(tier, j);
            fits = json_is_string(url) && json_string_length(url) <= LIMIT_URL_LENGTH;
            if (!fits)
                break;
            if (!tracker_url_is_good(json_string_value(url))) {
                api_fail(call, 400, "trackers: %.120s is no tracker", json_string_value(url));
                return;
            }
            change->urls[change->url_count] = json_string_value(url);
            change->tiers[change->url_count++] = (uint32_t)i;
        }
        if (!fits) {
            api_fail(call, 400, "trackers: lists of URLs, a list a tier");
            return;
        }
    }
}

static bool is_known(const char *name)
{
    static const char *const names[] = {"ids",        "labels",   "add_labels", "remove_labels",
                                        "priorities", "trackers", "queue"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return api_fields_have(api_fields_wishes, name);
}

static void prepare_labels(struct api_call *call, struct change *change)
{
    change->labels = api_body_texts(call, "labels", LABELS_MAX, LABEL_LENGTH, &change->label_count);
    change->has_labels = change->labels != NULL;
    change->added =
        api_body_texts(call, "add_labels", EDITS_MAX, EDIT_LENGTH, &change->added_count);
    change->removed =
        api_body_texts(call, "remove_labels", EDITS_MAX, EDIT_LENGTH, &change->removed_count);
    if (change->has_labels && (change->added || change->removed))
        api_fail(call, 400, "labels: all of them, or add_labels and remove_labels");
    for (uint32_t i = 0; i < change->label_count; i++)
        if (!*change->labels[i])
            api_fail(call, 400, "labels: an empty one");
    for (uint32_t i = 0; i < change->added_count; i++)
        if (!*change->added[i])
            api_fail(call, 400, "add_labels: an empty one");
}

static void prepare_set(struct api_call *call, struct change *change)
{
    const char *name;
    json_t *value;
    json_object_foreach(call->body, name, value) if (!is_known(name))
        api_fail(call, 400, "%.80s: is nothing that can be set", name);
    prepare_labels(call, change);
    prepare_priorities(call, change);
    prepare_trackers(call, change);
    const json_t *queue = json_object_get(call->body, "queue");
    change->has_queue = queue != NULL;
    if (queue && (!json_is_integer(queue) || json_integer_value(queue) < 0 ||
                  json_integer_value(queue) > (json_int_t)LIMIT_TORRENTS))
        api_fail(call, 400, "queue: a position, 0 is the first");
    change->queue = (uint32_t)json_integer_value(queue);
    struct catalog_wishes trial = {0};
    api_fields_read(api_fields_wishes, call, call->body, NULL, &trial);
}

static void apply_priorities(struct api_call *call, struct change *change, struct api_turn *turn,
                             const struct catalog_torrent *torrent)
{
    uint32_t count = torrent->file_count;
    if (torrent->metadata_missing || count == 0) {
        api_fail(call, 409, "priorities: its files are not known yet");
        return;
    }
    uint8_t *priorities = memory_new(count);
    memset(priorities, CATALOG_PRIORITY_NORMAL, count);
    if (torrent->priorities)
        memcpy(priorities, torrent->priorities, count);
    for (size_t i = 0; i < json_array_size(change->priorities); i++) {
        const json_t *entry = json_array_get(change->priorities, i);
        const json_t *files = json_object_get(entry, "files");
        uint8_t priority = (uint8_t)json_integer_value(json_object_get(entry, "priority"));
        if (!files)
            memset(priorities, priority, count);
        for (size_t j = 0; j < json_array_size(files); j++) {
            json_int_t file = json_integer_value(json_array_get(files, j));
            if (file < (json_int_t)count)
                priorities[file] = priority;
            else
                api_fail(call, 400, "priorities: there is no file %" PRId64, (int64_t)file);
        }
    }
    if (!api_failed(call)) {
        enum freshet_error error =
            catalog_set_priorities(turn->world->catalog, torrent->id, priorities, turn->world->now);
        if (error)
            fail_error(call, error, "priorities");
    }
    memory_free(priorities);
}

static bool is_among(const char *text, char *const *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(texts[i], text) == 0)
            return true;
    return false;
}

/* Its own labels go before they are set: they are copied. One that gets and loses nothing stays
   as it is, and is told to nobody. */
static void edit_labels(struct change *change, struct api_turn *turn,
                        const struct catalog_torrent *torrent)
{
    char **texts = memory_new_array(torrent->label_count + change->added_count + 1, sizeof *texts);
    uint32_t count = 0;
    for (uint32_t i = 0; i < torrent->label_count; i++) {
        const char *label = torrent->labels[i];
        if (!is_among(label, (char *const *)change->removed, change->removed_count))
            texts[count++] = memory_copy_text(label);
    }
    bool is_changed = count < torrent->label_count;
    for (uint32_t i = 0; i < change->added_count; i++) {
        const char *label = change->added[i];
        if (is_among(label, texts, count))
            continue;
        texts[count++] = memory_copy_text(label);
        is_changed = true;
    }
    if (is_changed)
        catalog_set_labels(turn->world->catalog, torrent->id, (const char *const *)texts, count,
                           turn->world->now);
    for (uint32_t i = 0; i < count; i++)
        memory_free(texts[i]);
    memory_free(texts);
}

static void apply_set(struct api_call *call, struct change *change, struct api_turn *turn,
                      const struct catalog_torrent *torrent)
{
    struct catalog *catalog = turn->world->catalog;
    int64_t now = turn->world->now;
    torrent_id id = torrent->id;
    if (change->priorities)
        apply_priorities(call, change, turn, torrent);
    if (change->has_trackers && !api_failed(call)) {
        enum freshet_error error =
            catalog_set_trackers(catalog, id, change->urls, change->tiers, change->url_count, now);
        if (error)
            fail_error(call, error, "trackers");
    }
    if (api_failed(call))
        return;
    struct catalog_wishes wishes = torrent->wishes;
    api_fields_read(api_fields_wishes, call, call->body, NULL, &wishes);
    if (memcmp(&wishes, &torrent->wishes, sizeof wishes) != 0)
        catalog_set_wishes(catalog, id, &wishes, now);
    if (change->has_labels)
        catalog_set_labels(catalog, id, change->labels, change->label_count, now);
    else if (change->added || change->removed)
        edit_labels(change, turn, torrent);
    if (change->has_queue)
        catalog_queue_set(catalog, id, change->queue, now);
}

/* ---- all of them ---- */

static const struct change_action actions[] = {
    {"start", prepare_start, apply_start},    {"stop", NULL, apply_stop},
    {"recheck", NULL, apply_recheck},         {"reannounce", NULL, apply_reannounce},
    {"remove", prepare_remove, apply_remove}, {"move", prepare_move, apply_move},
    {"rename", prepare_rename, apply_rename}, {"queue", prepare_queue, NULL},
    {"set", prepare_set, apply_set},          {"labels", prepare_tally, apply_tally},
};

static void read_ids(struct api_call *call, struct change *change)
{
    if (call->id) {
        change->ids = call_arena_take(&call->arena, sizeof *change->ids);
        change->ids[0] = call->id;
        change->count = 1;
        return;
    }
    const json_t *list = api_body_array(call, "ids", LIMIT_TORRENTS);
    if (!list) {
        api_fail(call, 400, "ids: a list of torrents' numbers");
        return;
    }
    change->ids = call_arena_take(&call->arena, (json_array_size(list) + 1) * sizeof *change->ids);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_array_get(list, i);
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < 1 || id > (json_int_t)UINT32_MAX) {
            api_fail(call, 400, "ids: a list of torrents' numbers");
            return;
        }
        change->ids[change->count++] = (torrent_id)id;
    }
}

void api_change_prepare(struct api_call *call)
{
    struct change *change = call->state = call_arena_take(&call->arena, sizeof *change);
    *change = (struct change){0};
    for (unsigned i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(actions[i].name, call->route->action) == 0)
            change->action = &actions[i];
    read_ids(call, change);
    change->is_missing = call_arena_take(&call->arena, change->count + 1);
    memset(change->is_missing, 0, change->count + 1);
    if (change->action->prepare)
        change->action->prepare(call, change);
}

enum service_step api_change_step(struct api_call *call, struct api_turn *turn)
{
    struct change *change = call->state;
    struct catalog *catalog = turn->world->catalog;
    if (!has_content(call, change, turn))
        return SERVICE_JOB;
    while (call->at < change->count && !api_failed(call)) {
        uint32_t at = call->at++;
        const struct catalog_torrent *torrent = catalog_find(catalog, change->ids[at]);
        change->is_missing[at] = !torrent;
        change->missing += !torrent;
        if (torrent && change->action->apply)
            change->action->apply(call, change, turn, torrent);
        if (call->at % 16 == 0 && api_late(turn))
            return SERVICE_AGAIN;
    }
    if (call->id && change->missing)
        api_fail(call, 404, "there is no torrent %" PRIu32, call->id);
    if (api_failed(call) || change->tally)
        return SERVICE_DONE;
    if (!change->action->apply && !call->waiting)
        catalog_queue_move(catalog, change->ids, change->count, change->queue_move,
                           turn->world->now);
    return api_saved(call, turn);
}

void api_change_write(struct api_call *call, struct json_writer *json)
{
    const struct change *change = call->state;
    if (change->tally)
        api_labels_write(change->tally, json);
    json_writer_put_u64(json, change->tally ? "counted" : "changed",
                        change->count - change->missing);
    json_writer_key(json, "missing");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < change->count; i++)
        if (change->is_missing[i])
            json_writer_u64(json, change->ids[i]);
    json_writer_close(json, ']');
}

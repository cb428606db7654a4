/* SPDX-License-Identifier: MIT */
/*
 * What is done to the files of a torrent that is closed: moved, renamed, deleted, on a worker
 * (payload_move.h). Each may be cut short at any instant and is begun again from the row after the
 * next start.
 */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "core/storage/storage.h"
#include "host/clock.h"
#include "host/daemon_content.h"
#include "host/payload_move.h"
#include "host/root_path.h"

#include <stdio.h>
#include <string.h>

struct daemon_deed {
    struct list_node node;
    struct work work;
    struct daemon_service *daemon;
    enum catalog_action_type type;
    torrent_id id;
    struct daemon_content_source source;
    char *move_to, *path, *name;
    uint8_t *made;
    uint32_t made_count;
    bool has_data; /* as last known */
    struct payload_task task;
    char part_name[STORAGE_PART_NAME_SIZE];
    enum freshet_error error;
    char text[PAYLOAD_TEXT_SIZE];
};

static void deed_fail(struct daemon_deed *deed, enum freshet_error error, const char *text)
{
    deed->error = error;
    snprintf(deed->text, sizeof deed->text, "%s", text && text[0] ? text : error_text(error));
}

static bool deed_task(struct daemon_deed *deed, enum payload_operation operation)
{
    deed->task.operation = operation;
    payload_move_run(&deed->task);
    if (deed->task.error)
        deed_fail(deed, deed->task.error, deed->task.text);
    return !deed->task.error;
}

/* Files, then the record, then what is left behind: payload_move.h says why. */
static void deed_move(struct daemon_deed *deed)
{
    struct payload_task *task = &deed->task;
    struct state_store *state = session_state(deed->daemon->session);
    uint32_t count = task->file_count + 1;

    task->reserve = state_store_reserve(state);
    task->ret_before = memory_new_array(count, sizeof *task->ret_before);
    task->ret_after = memory_new_array(count, sizeof *task->ret_after);
    if (deed_task(deed, PAYLOAD_MOVE)) {
        struct state_relocation relocation = {.from = task->root,
                                              .to = task->target,
                                              .before = task->ret_before,
                                              .after = task->ret_after,
                                              .file_count = task->file_count};
        memcpy(relocation.info_hash, deed->source.key, sizeof deed->source.key);
        enum freshet_error error = FRESHET_OK;
        if (strcmp(task->root, task->target) != 0)
            error = state_store_relocate(state, &relocation);
        if (error && error != FRESHET_ERROR_NOT_FOUND)
            deed_fail(deed, error, NULL);
        else
            deed_task(deed, PAYLOAD_CLEAR);
    }
    memory_free(task->ret_before);
    memory_free(task->ret_after);
}

/* The names as they are, and as they are to be; the row remembers it when this is done. */
static void deed_rename(struct daemon_deed *deed)
{
    struct state_store *state = session_state(deed->daemon->session);
    char reason[METAINFO_REASON_SIZE];
    struct metainfo *metainfo = NULL;
    enum freshet_error error = daemon_content_load(state, &deed->source, &metainfo, reason);

    if (!error)
        error = metainfo_rename(metainfo, deed->path, deed->name);
    if (error) {
        deed_fail(deed, error, NULL);
        metainfo_free(metainfo);
        return;
    }
    const char **paths = daemon_content_paths(metainfo);
    deed->task.target_paths = paths;
    deed->task.target = deed->task.root;
    deed_move(deed);
    memory_free(paths);
    metainfo_free(metainfo);
}

static void deed_delete(struct daemon_deed *deed)
{
    if (deed->made_count == deed->task.file_count)
        deed->task.made = deed->made;
    deed_task(deed, PAYLOAD_DELETE);
    /* Nothing was ever written there, or nothing that is recorded: such a folder would be made anew
     * by the next start, so one that is not there is not a drive that was pulled. */
    if (deed->error == FRESHET_ERROR_ABSENT && (!deed->made || !deed->has_data))
        deed->error = FRESHET_OK;
}

static void deed_run(struct work *work)
{
    struct daemon_deed *deed = LIST_ELEMENT(work, struct daemon_deed, work);
    struct state_store *state = session_state(deed->daemon->session);
    char reason[METAINFO_REASON_SIZE], root[LIMIT_PATH_LENGTH + 1], target[LIMIT_PATH_LENGTH + 1];
    struct metainfo *metainfo = NULL;
    enum freshet_error error = daemon_content_load(state, &deed->source, &metainfo, reason);

    if (error) {
        deed_fail(deed, error, reason);
        return;
    }
    error = root_path_resolve(deed->source.folder, root);
    if (!error && deed->move_to)
        error = root_path_resolve(deed->move_to, target);
    if (error) {
        deed_fail(deed, error, NULL);
        metainfo_free(metainfo);
        return;
    }
    const char **paths = daemon_content_paths(metainfo);
    storage_part_name(metainfo, deed->part_name);
    deed->task.root = root;
    deed->task.target = target;
    deed->task.paths = paths;
    deed->task.file_count = metainfo->geometry.file_count;
    deed->task.part_name = deed->part_name;
    if (deed->type == CATALOG_MOVE)
        deed_move(deed);
    else if (deed->type == CATALOG_RENAME)
        deed_rename(deed);
    else
        deed_delete(deed);
    memory_free(paths);
    metainfo_free(metainfo);
}

static void deed_done(struct work *work)
{
    struct daemon_deed *deed = LIST_ELEMENT(work, struct daemon_deed, work);
    struct daemon_service *daemon = deed->daemon;
    int64_t now = clock_now();

    /* One that was cut short is begun again at the next start: the row still says so. */
    if (!work->cancelled && deed->error != FRESHET_ERROR_CANCELLED) {
        if (deed->type == CATALOG_DELETE)
            catalog_on_deleted(daemon->catalog, deed->id, deed->error, deed->text, now);
        else
            catalog_on_moved(daemon->catalog, deed->id, deed->error, deed->text, now);
    }
    daemon_known_forget(daemon, deed->id);
    list_remove(&daemon->deeds, &deed->node);
    daemon_content_source_deinit(&deed->source);
    memory_free(deed->move_to);
    memory_free(deed->path);
    memory_free(deed->name);
    memory_free(deed->made);
    memory_free(deed);
    daemon_service_wake(daemon);
}

void daemon_deeds_start(struct daemon_service *daemon, const struct catalog_action *action)
{
    const struct catalog_torrent *torrent = action->torrent;
    struct daemon_deed *deed = memory_new(sizeof *deed);

    deed->daemon = daemon;
    deed->type = action->type;
    deed->id = torrent->id;
    daemon_content_source_init(&deed->source, torrent);
    if (action->type == CATALOG_MOVE)
        deed->move_to = memory_copy_text(torrent->move_to);
    if (action->type == CATALOG_RENAME) {
        deed->path = memory_copy_text(action->path);
        deed->name = memory_copy_text(action->name);
    }
    if (torrent->made) {
        deed->made = memory_copy(torrent->made, torrent->file_count);
        deed->made_count = torrent->file_count;
    }
    deed->has_data = torrent->verified_bytes > 0;
    deed->work.run = deed_run;
    deed->work.done = deed_done;
    list_append(&daemon->deeds, &deed->node);
    worker_pool_submit(daemon->deed_workers, &deed->work);
}

void daemon_deeds_cancel(struct daemon_service *daemon)
{
    for (struct list_node *node = list_first(&daemon->deeds); node;
         node = list_next(&daemon->deeds, node))
        payload_move_cancel(&LIST_ELEMENT(node, struct daemon_deed, node)->task);
}

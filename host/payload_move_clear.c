/* SPDX-License-Identifier: MIT */
#include "host/payload_move_state.h"

#include "host/beneath.h"

#include <string.h>

/* The folders that lead to the path, innermost first, as far as they are empty. */
static void payload_remove_folders(struct payload_work *work, const char *path)
{
    char folder[LIMIT_PATH_LENGTH + 1];

    beneath_folder_of(path, folder);
    while (strcmp(folder, ".") != 0) {
        char parent[LIMIT_PATH_LENGTH + 1];
        payload_move_step(work->task);
        enum freshet_error error = beneath_remove(work->root, folder, true);
        if (error && error != FRESHET_ERROR_NOT_FOUND)
            return;
        beneath_folder_of(folder, parent);
        memcpy(folder, parent, sizeof folder);
    }
}

static enum freshet_error payload_clear_one(struct payload_work *work, uint32_t entry)
{
    struct payload_task *task = work->task;
    const char *from = payload_move_path(task, entry), *to = payload_move_target_path(task, entry);
    struct stat source, target;
    enum freshet_error error = payload_move_look(work->root, from, &source);

    if (!error)
        error = payload_move_look(work->target, to, &target);
    if (error)
        return payload_move_say(task, error, task->root, from, NULL);
    if (source.st_mode == 0 || (payload_move_same_folder(work) && strcmp(from, to) == 0))
        return FRESHET_OK;
    if ((source.st_mode & S_IFMT) != (target.st_mode & S_IFMT) || source.st_size != target.st_size)
        return payload_move_say(task, FRESHET_ERROR_CONFLICT, task->root, from,
                                "it is not what was moved, and stays");
    payload_move_step(task);
    return payload_move_say(task, beneath_remove(work->root, from, false), task->root, from, NULL);
}

enum freshet_error payload_move_clear(struct payload_work *work)
{
    struct payload_task *task = work->task;
    enum freshet_error error = FRESHET_OK;
    const char *last = NULL;

    if (work->target < 0)
        return payload_move_say(task, FRESHET_ERROR_ABSENT, task->target, "", NULL);
    for (uint32_t i = 0; i < payload_move_entries(task); i++) {
        if (!payload_move_path(task, i) || !payload_move_target_path(task, i))
            continue;
        enum freshet_error one = payload_clear_one(work, i);
        error = error ? error : one;
    }
    for (uint32_t i = 0; i < task->file_count; i++) {
        const char *path = payload_move_path(task, i);
        if (!path || !payload_move_target_path(task, i) || payload_move_same_parent(last, path))
            continue;
        payload_remove_folders(work, path);
        last = path;
    }
    return error;
}

static enum freshet_error payload_delete_one(struct payload_work *work, const char *path)
{
    struct stat stat;
    enum freshet_error error = payload_move_look(work->root, path, &stat);

    if (!error && stat.st_mode != 0) {
        payload_move_step(work->task);
        error = beneath_remove(work->root, path, false);
        if (error == FRESHET_ERROR_NOT_FOUND)
            error = FRESHET_OK;
    }
    return payload_move_say(work->task, error, work->task->root, path, NULL);
}

enum freshet_error payload_move_delete(struct payload_work *work)
{
    struct payload_task *task = work->task;
    enum freshet_error error = payload_delete_one(work, task->part_name);
    const char *last = NULL;

    for (uint32_t i = 0; i < task->file_count; i++) {
        const char *path = payload_move_path(task, i);
        char moving[LIMIT_PATH_LENGTH + 1];
        if (!path || !task->made || !task->made[i])
            continue;
        if (atomic_load(&task->cancelled))
            return FRESHET_ERROR_CANCELLED;
        enum freshet_error one = payload_delete_one(work, path);
        if (!payload_move_same_parent(last, path)) {
            payload_move_moving_path(work, path, moving);
            enum freshet_error other = payload_delete_one(work, moving);
            one = one ? one : other;
        }
        error = error ? error : one;
        last = path;
    }
    last = NULL;
    for (uint32_t i = 0; i < task->file_count; i++) {
        const char *path = payload_move_path(task, i);
        if (!path || !task->made || !task->made[i] || payload_move_same_parent(last, path))
            continue;
        payload_remove_folders(work, path);
        last = path;
    }
    return error;
}

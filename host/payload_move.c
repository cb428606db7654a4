/* SPDX-License-Identifier: MIT */
#include "host/payload_move_state.h"

#include "core/base/memory.h"
#include "host/beneath.h"
#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint32_t payload_move_entries(const struct payload_task *task)
{
    return task->file_count + 1;
}

const char *payload_move_path(const struct payload_task *task, uint32_t entry)
{
    return entry == task->file_count ? task->part_name : task->paths[entry];
}

const char *payload_move_target_path(const struct payload_task *task, uint32_t entry)
{
    if (entry == task->file_count || !task->target_paths)
        return payload_move_path(task, entry);
    return task->target_paths[entry];
}

void payload_move_step(struct payload_task *task)
{
    if (task->on_step)
        task->on_step(task);
}

enum freshet_error payload_move_say(struct payload_task *task, enum freshet_error error,
                                    const char *folder, const char *path, const char *words)
{
    if (error && task->text[0] == '\0')
        snprintf(task->text, sizeof task->text, "%.120s/%.120s: %.60s", folder, path,
                 words ? words : error_text(error));
    return error;
}

enum freshet_error payload_move_open_root(const char *path, int *ret_fd)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? FRESHET_ERROR_ABSENT : posix_error_of_file(errno);
    *ret_fd = fd;
    return FRESHET_OK;
}

enum freshet_error payload_move_look(int root, const char *path, struct stat *ret_stat)
{
    memset(ret_stat, 0, sizeof *ret_stat);
    if (root < 0)
        return FRESHET_OK;
    enum freshet_error error = beneath_look(root, path, ret_stat);
    if (error == FRESHET_ERROR_NOT_FOUND)
        return FRESHET_OK;
    if (!error && !S_ISREG(ret_stat->st_mode) && !S_ISLNK(ret_stat->st_mode))
        error = FRESHET_ERROR_REFUSED;
    return error;
}

bool payload_move_same_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Two ways to one folder: then a file and its target are one, and the source must not go. */
bool payload_move_same_folder(const struct payload_work *work)
{
    struct stat root, target;
    return work->target >= 0 && fstat(work->root, &root) == 0 &&
           fstat(work->target, &target) == 0 && payload_move_same_inode(&root, &target);
}

bool payload_move_same_parent(const char *a, const char *b)
{
    const char *slash_a = a ? strrchr(a, '/') : NULL, *slash_b = strrchr(b, '/');
    size_t length_a = slash_a ? (size_t)(slash_a - a) : 0;
    size_t length_b = slash_b ? (size_t)(slash_b - b) : 0;
    return a && length_a == length_b && memcmp(a, b, length_a) == 0;
}

void payload_move_moving_path(const struct payload_work *work, const char *to,
                              char ret_path[LIMIT_PATH_LENGTH + 1])
{
    char folder[LIMIT_PATH_LENGTH + 1];

    beneath_folder_of(to, folder);
    if (strcmp(folder, ".") == 0)
        snprintf(ret_path, LIMIT_PATH_LENGTH + 1, "%s", work->moving);
    else if (strlen(folder) + strlen(work->moving) + 1 > LIMIT_PATH_LENGTH)
        ret_path[0] = '\0'; /* no file can have so long a name: opening it fails */
    else
        snprintf(ret_path, LIMIT_PATH_LENGTH + 1, "%.*s/%s", (int)strlen(folder), folder,
                 work->moving);
}

/* ---- probe ---- */

static enum freshet_error payload_probe(struct payload_work *work)
{
    struct payload_task *task = work->task;

    for (uint32_t i = 0; i < payload_move_entries(task); i++) {
        const char *path = payload_move_path(task, i);
        struct stat stat = {0};
        task->ret_existing[i] = 0;
        if (!path || work->root < 0)
            continue;
        enum freshet_error error = beneath_look(work->root, path, &stat);
        if (error && error != FRESHET_ERROR_NOT_FOUND)
            return payload_move_say(task, error, task->root, path, NULL);
        task->ret_existing[i] = !error;
    }
    return FRESHET_OK;
}

/* ---- tasks ---- */

static enum freshet_error payload_open(struct payload_work *work)
{
    struct payload_task *task = work->task;
    enum freshet_error error = payload_move_open_root(task->root, &work->root);

    if (error == FRESHET_ERROR_ABSENT && task->operation == PAYLOAD_PROBE)
        return FRESHET_OK;
    if (error)
        return payload_move_say(task, error, task->root, "", NULL);
    if (task->operation != PAYLOAD_MOVE && task->operation != PAYLOAD_CLEAR)
        return FRESHET_OK;
    error = payload_move_open_root(task->target, &work->target);
    return error == FRESHET_ERROR_ABSENT ? FRESHET_OK
                                         : payload_move_say(task, error, task->target, "", NULL);
}

static void payload_close(struct payload_work *work)
{
    if (work->target >= 0 && work->target != work->root)
        close(work->target);
    if (work->root >= 0)
        close(work->root);
    for (size_t i = 0; i < work->made_count; i++)
        memory_free(work->made[i]);
    memory_free(work->made);
    memory_free(work->deeds);
}

void payload_move_run(struct payload_task *task)
{
    struct payload_work work = {.task = task, .root = -1, .target = -1};

    task->text[0] = '\0';
    snprintf(work.moving, sizeof work.moving, "%.50s.moving", task->part_name);
    work.deeds = memory_new(payload_move_entries(task));
    task->error = payload_open(&work);
    if (!task->error) {
        struct payload_names *names = payload_move_names_settle(&work);
        switch (task->operation) {
        case PAYLOAD_PROBE: task->error = payload_probe(&work); break;
        case PAYLOAD_MOVE: task->error = payload_move_files(&work); break;
        case PAYLOAD_CLEAR: task->error = payload_move_clear(&work); break;
        case PAYLOAD_DELETE: task->error = payload_move_delete(&work); break;
        }
        payload_move_names_restore(task, names);
    }
    payload_close(&work);
}

static void payload_work_run(struct work *work)
{
    payload_move_run(LIST_ELEMENT(work, struct payload_task, work));
}

static void payload_work_done(struct work *work)
{
    struct payload_task *task = LIST_ELEMENT(work, struct payload_task, work);

    if (work->cancelled)
        task->error = FRESHET_ERROR_CANCELLED;
    task->done(task);
}

void payload_move_submit(struct payload_task *task, struct worker_pool *pool)
{
    task->work = (struct work){.run = payload_work_run, .done = payload_work_done};
    worker_pool_submit(pool, &task->work);
}

void payload_move_cancel(struct payload_task *task)
{
    atomic_store(&task->cancelled, true);
}

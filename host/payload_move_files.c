/* SPDX-License-Identifier: MIT */
/* First everything is looked at, then files move one by one; what fails is taken back. */
#include "host/payload_move_state.h"

#include "core/base/memory.h"
#include "host/beneath.h"
#include "host/payload_copy.h"
#include "host/posix_error.h"
#include "host/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static enum freshet_error payload_links_equal(const struct payload_work *work, const char *from,
                                              const char *to, bool *ret_equal)
{
    char texts[2][LIMIT_PATH_LENGTH + 1];
    const char *paths[2] = {from, to};
    int roots[2] = {work->root, work->target}, fd;
    ssize_t lengths[2];

    for (size_t i = 0; i < 2; i++) {
        enum freshet_error error = beneath_open(roots[i], paths[i], O_PATH, 0, &fd);
        if (error)
            return error;
        lengths[i] = readlinkat(fd, "", texts[i], sizeof texts[i]);
        close(fd);
        if (lengths[i] < 0)
            return FRESHET_ERROR_IO;
    }
    *ret_equal = lengths[0] == lengths[1] && memcmp(texts[0], texts[1], (size_t)lengths[0]) == 0;
    return FRESHET_OK;
}

static enum freshet_error payload_files_equal(const struct payload_work *work, const char *from,
                                              const char *to, bool *ret_equal)
{
    struct payload_copy copy = {.cancelled = &work->task->cancelled};
    enum freshet_error error = beneath_open(work->root, from, O_RDONLY, 0, &copy.from);

    if (error)
        return error;
    error = beneath_open(work->target, to, O_RDONLY, 0, &copy.to);
    if (!error) {
        error = payload_copy_compare(&copy, ret_equal);
        close(copy.to);
    }
    close(copy.from);
    return error;
}

/* What is to be done with one entry; nothing is touched. */
static enum freshet_error payload_survey_one(struct payload_work *work, uint32_t entry,
                                             bool *ret_found)
{
    struct payload_task *task = work->task;
    const char *from = payload_move_path(task, entry), *to = payload_move_target_path(task, entry);
    struct stat source, target;
    bool equal = false;
    enum freshet_error error = payload_move_look(work->root, from, &source);

    if (error)
        return payload_move_say(task, error, task->root, from, NULL);
    error = payload_move_look(work->target, to, &target);
    if (error)
        return payload_move_say(task, error, task->target, to, NULL);
    *ret_found |= source.st_mode != 0 || target.st_mode != 0;
    if (S_ISREG(source.st_mode))
        task->ret_before[entry] = beneath_stat_of(&source);
    if (source.st_mode == 0 || (work->root == work->target && strcmp(from, to) == 0))
        return FRESHET_OK;
    if (target.st_mode == 0) {
        work->deeds[entry] = PAYLOAD_TO_MOVE;
        if (S_ISREG(source.st_mode))
            atomic_fetch_add(&task->bytes_total, (uint64_t)source.st_size);
        return FRESHET_OK;
    }
    if (payload_move_same_inode(&source, &target))
        equal = true;
    else if (S_ISREG(source.st_mode) && S_ISREG(target.st_mode))
        error = payload_files_equal(work, from, to, &equal);
    else if (S_ISLNK(source.st_mode) && S_ISLNK(target.st_mode))
        error = payload_links_equal(work, from, to, &equal);
    if (error)
        return payload_move_say(task, error, task->target, to, NULL);
    if (!equal)
        return payload_move_say(task, FRESHET_ERROR_EXISTS, task->target, to,
                                "there is another file of that name");
    work->deeds[entry] = PAYLOAD_THERE;
    return FRESHET_OK;
}

static enum freshet_error payload_check_space(const struct payload_work *work)
{
    struct payload_task *task = work->task;
    struct stat root, target;
    struct statvfs space;

    if (fstat(work->root, &root) != 0 || fstat(work->target, &target) != 0 ||
        root.st_dev == target.st_dev) {
        atomic_store(&task->bytes_total, 0);
        return FRESHET_OK;
    }
    uint64_t needed = 0;
    for (uint32_t i = 0; i < payload_move_entries(task); i++) {
        struct stat stat;
        if (work->deeds[i] == PAYLOAD_TO_MOVE &&
            payload_move_look(work->root, payload_move_path(task, i), &stat) == FRESHET_OK)
            needed += (uint64_t)stat.st_blocks * 512;
    }
    if (fstatvfs(work->target, &space) == 0 &&
        needed > (uint64_t)space.f_bavail * (uint64_t)space.f_frsize)
        return payload_move_say(task, FRESHET_ERROR_NO_SPACE, task->target, "", NULL);
    return FRESHET_OK;
}

static enum freshet_error payload_survey(struct payload_work *work)
{
    struct payload_task *task = work->task;
    bool found = false;
    struct stat root;

    if (payload_move_same_folder(work) && !task->target_paths)
        return payload_move_say(task, FRESHET_ERROR_USAGE, task->target, "", "it is there already");
    if (payload_move_same_folder(work)) {
        close(work->target);
        work->target = work->root;
    }
    for (uint32_t i = 0; i < payload_move_entries(task); i++) {
        if (!payload_move_path(task, i) || !payload_move_target_path(task, i))
            continue;
        enum freshet_error error = payload_survey_one(work, i, &found);
        if (error)
            return error;
    }
    bool is_stranger = task->expected.device != 0 && fstat(work->root, &root) == 0 &&
                       root.st_dev != task->expected.device;
    if (!found && is_stranger)
        return payload_move_say(task, FRESHET_ERROR_ABSENT, task->root, "", NULL);
    return FRESHET_OK;
}

/* ---- moving ---- */

static void payload_on_folder(void *context, const char *folder, const char *parent)
{
    struct payload_work *work = context;
    int fd;

    if (work->made_count == work->made_capacity) {
        work->made_capacity = work->made_capacity ? work->made_capacity * 2 : 16;
        work->made = memory_resize_array(work->made, work->made_capacity, sizeof *work->made);
    }
    work->made[work->made_count++] = memory_copy(folder, strlen(folder) + 1);
    if (beneath_open(work->target, parent, O_RDONLY | O_DIRECTORY, 0, &fd) == FRESHET_OK) {
        fsync(fd);
        close(fd);
    }
}

static enum freshet_error payload_copy_file(struct payload_work *work, const char *from,
                                            const char *moving)
{
    struct payload_task *task = work->task;
    struct payload_copy copy = {
        .cancelled = &task->cancelled, .bytes_done = &task->bytes_done, .reserve = task->reserve};
    enum freshet_error error = beneath_open(work->root, from, O_RDONLY | O_NONBLOCK, 0, &copy.from);

    if (error)
        return error;
    payload_move_step(task);
    error = beneath_open(work->target, moving, O_RDWR | O_CREAT | O_EXCL, 0600, &copy.to);
    if (!error) {
        payload_move_step(task);
        error = payload_copy_run(&copy);
        close(copy.to);
    }
    close(copy.from);
    return error;
}

static enum freshet_error payload_copy_link(struct payload_work *work, const char *from,
                                            const char *moving)
{
    char text[LIMIT_PATH_LENGTH + 1];
    int fd;
    enum freshet_error error = beneath_open(work->root, from, O_PATH, 0, &fd);

    if (error)
        return error;
    ssize_t length = readlinkat(fd, "", text, sizeof text - 1);
    close(fd);
    if (length < 0)
        return FRESHET_ERROR_IO;
    text[length] = '\0';
    payload_move_step(work->task);
    return beneath_symlink(work->target, moving, text);
}

/* What the copy's facts will stand for is what was found at first. */
static enum freshet_error payload_still_the_same(const struct payload_work *work, uint32_t entry)
{
    const struct file_stat *before = &work->task->ret_before[entry];
    struct stat stat;
    enum freshet_error error =
        payload_move_look(work->root, payload_move_path(work->task, entry), &stat);

    if (error || !before->exists)
        return error;
    struct file_stat now = beneath_stat_of(&stat);
    return now.size == before->size && now.mtime_ns == before->mtime_ns ? FRESHET_OK
                                                                        : FRESHET_ERROR_BUSY;
}

static enum freshet_error payload_copy_entry(struct payload_work *work, uint32_t entry)
{
    struct payload_task *task = work->task;
    const char *from = payload_move_path(task, entry), *to = payload_move_target_path(task, entry);
    char moving[LIMIT_PATH_LENGTH + 1];
    struct stat source;
    bool crosses;

    payload_move_moving_path(work, to, moving);
    enum freshet_error error = payload_move_look(work->root, from, &source);
    if (error)
        return error;
    payload_move_step(task);
    error = beneath_remove(work->target, moving, false); /* of a task that was killed */
    if (error && error != FRESHET_ERROR_NOT_FOUND)
        return error;
    error = S_ISLNK(source.st_mode) ? payload_copy_link(work, from, moving)
                                    : payload_copy_file(work, from, moving);
    if (!error)
        error = payload_still_the_same(work, entry);
    if (!error) {
        payload_move_step(task);
        error = beneath_rename(&(struct beneath_place){work->target, moving},
                               &(struct beneath_place){work->target, to}, &crosses);
    }
    if (error) {
        payload_move_step(task);
        beneath_remove(work->target, moving, false);
        return error;
    }
    work->deeds[entry] = PAYLOAD_COPIED;
    return FRESHET_OK;
}

static enum freshet_error payload_move_entry(struct payload_work *work, uint32_t entry)
{
    struct payload_task *task = work->task;
    const char *from = payload_move_path(task, entry), *to = payload_move_target_path(task, entry);
    bool crosses = false;

    payload_move_step(task);
    enum freshet_error error = beneath_make_folders(work->target, to, payload_on_folder, work);
    if (!error) {
        payload_move_step(task);
        error = beneath_rename(&(struct beneath_place){work->root, from},
                               &(struct beneath_place){work->target, to}, &crosses);
        if (!error)
            work->deeds[entry] = PAYLOAD_RENAMED;
    }
    if (crosses)
        error = payload_copy_entry(work, entry);
    return payload_move_say(task, error, task->target, to, NULL);
}

static enum freshet_error payload_sync_folder(int root, const char *path)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    int fd;

    beneath_folder_of(path, folder);
    enum freshet_error error = beneath_open(root, folder, O_RDONLY | O_DIRECTORY, 0, &fd);
    if (error)
        return error;
    if (fsync(fd) != 0 && errno != EINVAL)
        error = posix_error_of_file(errno);
    close(fd);
    return error;
}

/* The names that are new, and those that are gone. Neighbours mostly lie in one folder. */
static enum freshet_error payload_sync(struct payload_work *work)
{
    struct payload_task *task = work->task;
    const char *last_to = NULL, *last_from = NULL;
    enum freshet_error error = FRESHET_OK;

    for (uint32_t i = 0; i < payload_move_entries(task) && !error; i++) {
        const char *from = payload_move_path(task, i), *to = payload_move_target_path(task, i);
        if (work->deeds[i] < PAYLOAD_THERE)
            continue;
        if (!payload_move_same_parent(last_to, to))
            error = payload_move_say(task, payload_sync_folder(work->target, to), task->target, to,
                                     NULL);
        if (!error && work->deeds[i] == PAYLOAD_RENAMED &&
            !payload_move_same_parent(last_from, from)) {
            error = payload_move_say(task, payload_sync_folder(work->root, from), task->root, from,
                                     NULL);
            last_from = from;
        }
        last_to = to;
    }
    return error;
}

/* What this task did is undone, last first. What can't be undone stays where it is, whole. */
static void payload_take_back(struct payload_work *work)
{
    struct payload_task *task = work->task;
    bool crosses;

    for (uint32_t i = payload_move_entries(task); i-- > 0;) {
        const char *from = payload_move_path(task, i), *to = payload_move_target_path(task, i);
        if (work->deeds[i] != PAYLOAD_COPIED && work->deeds[i] != PAYLOAD_RENAMED)
            continue;
        payload_move_step(task);
        if (work->deeds[i] == PAYLOAD_COPIED)
            beneath_remove(work->target, to, false);
        else
            beneath_rename(&(struct beneath_place){work->target, to},
                           &(struct beneath_place){work->root, from}, &crosses);
    }
    for (size_t i = work->made_count; i-- > 0;) {
        payload_move_step(task);
        beneath_remove(work->target, work->made[i], true);
    }
}

static enum freshet_error payload_tell_after(struct payload_work *work)
{
    struct payload_task *task = work->task;

    for (uint32_t i = 0; i < payload_move_entries(task); i++) {
        const char *to = payload_move_target_path(task, i);
        struct stat stat;
        if (!to || !payload_move_path(task, i))
            continue;
        enum freshet_error error = payload_move_look(work->target, to, &stat);
        if (error)
            return payload_move_say(task, error, task->target, to, NULL);
        if (S_ISREG(stat.st_mode))
            task->ret_after[i] = beneath_stat_of(&stat);
    }
    return FRESHET_OK;
}

enum freshet_error payload_move_files(struct payload_work *work)
{
    struct payload_task *task = work->task;
    enum freshet_error error = payload_survey(work);

    if (error)
        return error;
    if (work->target < 0) {
        payload_move_step(task);
        error = root_path_make(task->target);
        if (!error)
            error = payload_move_open_root(task->target, &work->target);
        if (error)
            return payload_move_say(task, error, task->target, "", NULL);
    }
    error = payload_check_space(work);
    for (uint32_t i = 0; i < payload_move_entries(task) && !error; i++) {
        if (work->deeds[i] != PAYLOAD_TO_MOVE)
            continue;
        error =
            atomic_load(&task->cancelled) ? FRESHET_ERROR_CANCELLED : payload_move_entry(work, i);
    }
    if (!error)
        error = payload_sync(work);
    if (!error)
        error = payload_tell_after(work);
    if (error && error != FRESHET_ERROR_CANCELLED)
        payload_take_back(work);
    return error;
}

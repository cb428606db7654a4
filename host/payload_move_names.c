/* SPDX-License-Identifier: MIT */
/*
 * Under which names the files of a task lie: their own, or with ".part" (part_suffix.h). A move
 * keeps the name that it finds. Begun again after a kill it finds a file in either place, and so
 * the same name.
 */
#include "host/payload_move_state.h"

#include "core/base/memory.h"
#include "host/beneath.h"
#include "host/part_suffix.h"

#include <string.h>

struct payload_names {
    const char **paths, **targets; /* of the task, with what was changed */
    const char *const *own_paths, *const *own_targets;
    char **texts; /* that were made */
    uint32_t text_count;
};

static bool lies_there(int root, const char *path)
{
    struct stat stat;

    return root >= 0 && path && beneath_look(root, path, &stat) == FRESHET_OK;
}

static bool has_parts_of_its_own(const struct payload_task *task)
{
    for (uint32_t i = 0; i < task->file_count; i++)
        if (task->paths[i] && part_suffix_is_on(task->paths[i]))
            return true;
    return false;
}

static const char *keep_text(struct payload_names *names, const char *text)
{
    char *copy = memory_copy(text, strlen(text) + 1);

    names->texts[names->text_count++] = copy;
    return copy;
}

/* One that lies nowhere under its own name, but somewhere with ".part". */
static void settle_one(struct payload_work *work, struct payload_names *names, uint32_t entry)
{
    const char *from = work->task->paths[entry];
    const char *to = payload_move_target_path(work->task, entry);
    char from_part[LIMIT_PATH_LENGTH + 1], to_part[LIMIT_PATH_LENGTH + 1];

    if (!from || !to || lies_there(work->root, from) || lies_there(work->target, to) ||
        !part_suffix_path(from, from_part) || !part_suffix_path(to, to_part) ||
        (!lies_there(work->root, from_part) && !lies_there(work->target, to_part)))
        return;
    names->paths[entry] = keep_text(names, from_part);
    if (names->targets)
        names->targets[entry] = keep_text(names, to_part);
}

struct payload_names *payload_move_names_settle(struct payload_work *work)
{
    struct payload_task *task = work->task;
    uint32_t count = task->file_count;
    struct payload_names *names;

    if (has_parts_of_its_own(task))
        return NULL;
    names = memory_new(sizeof *names);
    names->own_paths = task->paths;
    names->own_targets = task->target_paths;
    names->paths = memory_new_array(count, sizeof *names->paths);
    names->texts = memory_new_array(2 * (size_t)count, sizeof *names->texts);
    if (count > 0)
        memcpy(names->paths, task->paths, count * sizeof *names->paths);
    if (task->target_paths) {
        names->targets = memory_new_array(count, sizeof *names->targets);
        if (count > 0)
            memcpy(names->targets, task->target_paths, count * sizeof *names->targets);
    }
    for (uint32_t i = 0; i < count; i++)
        settle_one(work, names, i);
    task->paths = names->paths;
    if (names->targets)
        task->target_paths = names->targets;
    return names;
}

void payload_move_names_restore(struct payload_task *task, struct payload_names *names)
{
    if (!names)
        return;
    task->paths = names->own_paths;
    task->target_paths = names->own_targets;
    for (uint32_t i = 0; i < names->text_count; i++)
        memory_free(names->texts[i]);
    memory_free(names->texts);
    memory_free(names->paths);
    memory_free(names->targets);
    memory_free(names);
}

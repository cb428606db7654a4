/* SPDX-License-Identifier: MIT */
/*
 * The inside of a task, shared by the payload_move*.c files and by nobody else.
 *   payload_move.c        tasks begin and end; what all share; the probe
 *   payload_move_files.c  a move: what it finds, what it does, what it takes back
 *   payload_move_names.c  under which names the files lie
 *   payload_move_clear.c  what goes: sources of copies, files that freshet made, empty folders
 */
#ifndef FRESHET_HOST_PAYLOAD_MOVE_STATE_H
#define FRESHET_HOST_PAYLOAD_MOVE_STATE_H

#include "host/payload_move.h"

#include <sys/stat.h>

enum payload_deed {
    PAYLOAD_NOTHING, /* it is not at the source, or is the same file */
    PAYLOAD_TO_MOVE,
    PAYLOAD_THERE, /* an equal one is at the target: only the source is to go */
    PAYLOAD_RENAMED,
    PAYLOAD_COPIED,
};

/* A task at work. */
struct payload_work {
    struct payload_task *task;
    int root, target; /* -1: not open */
    uint8_t *deeds;   /* an entry each, the part store last */
    char moving[64];  /* the name of a copy that is not finished */
    char **made;      /* folders that this task made below the target, in order */
    size_t made_count, made_capacity;
};

/* payload_move.c */
uint32_t payload_move_entries(const struct payload_task *task);
/* NULL: it is not on the disk. */
const char *payload_move_path(const struct payload_task *task, uint32_t entry);
const char *payload_move_target_path(const struct payload_task *task, uint32_t entry);
void payload_move_step(struct payload_task *task);
/* Keeps the first thing that went wrong, in words; returns the error. words NULL: the error's. */
enum freshet_error payload_move_say(struct payload_task *task, enum freshet_error error,
                                    const char *folder, const char *path, const char *words);
/* Looks for a file or link. Nothing there: mode 0. Anything else under its name is refused. */
enum freshet_error payload_move_look(int root, const char *path, struct stat *ret_stat);
enum freshet_error payload_move_open_root(const char *path, int *ret_fd);
bool payload_move_same_inode(const struct stat *a, const struct stat *b);
/* Root and target are one folder. */
bool payload_move_same_folder(const struct payload_work *work);
/* Do two paths end in one folder? `a` may be NULL: no. */
bool payload_move_same_parent(const char *a, const char *b);
/* The path of a copy under way: in the folder of its target, so that its last step is a rename. */
void payload_move_moving_path(const struct payload_work *work, const char *to,
                              char ret_path[LIMIT_PATH_LENGTH + 1]);

/* payload_move_names.c: from here on the task's paths are those that are there; and its own again.
 * NULL: they are the same. */
struct payload_names;
struct payload_names *payload_move_names_settle(struct payload_work *work);
void payload_move_names_restore(struct payload_task *task, struct payload_names *names);

/* payload_move_files.c, payload_move_clear.c: the operations. */
enum freshet_error payload_move_files(struct payload_work *work);
enum freshet_error payload_move_clear(struct payload_work *work);
enum freshet_error payload_move_delete(struct payload_work *work);

#endif

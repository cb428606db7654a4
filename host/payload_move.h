/* SPDX-License-Identifier: MIT */
/*
 * What is done to a torrent's files while no engine has them open: move, rename, delete, look
 * whether they are there. One task at a time on a worker; blocking; everything below the roots by
 * openat2 as in beneath.h, so that no symlink is followed.
 *
 * A move, with kill -9 possible at every instant:
 *
 *     PAYLOAD_MOVE           every file is whole below `target` afterwards; those on the same file
 *                            system have been renamed, of the others the source is still there too
 *     state_store_relocate   the record speaks of the new root (the caller)
 *     PAYLOAD_CLEAR          the sources of copies go, and folders that are empty then
 *     the caller's own row   (catalog_on_moved)
 *
 * The whole sequence may be begun again from its start at any time, also when all of it has been
 * done: at each instant each file is whole in one of the two places, and what is done is not done
 * again. A copy is written under a name of its own (the part store's, with ".moving"), synced, read
 * back and compared, and only then gets its name, which never replaces a file.
 *
 * Nothing is overwritten: a file that lies at the target already and is not the same, byte by byte,
 * makes a move end in EXISTS before anything has been touched. A move that fails (no space, an
 * unreadable file) takes back what this task did: copies are removed, renamed files go back. A move
 * that is cancelled leaves what is done, for a later one in either direction.
 *
 * The incomplete folder is such a move at completion. A file that lies there under its ".part" name
 * (part_suffix.h) is moved, probed and deleted under that one; the names are the same before and
 * after.
 */
#ifndef FRESHET_HOST_PAYLOAD_MOVE_H
#define FRESHET_HOST_PAYLOAD_MOVE_H

#include "core/door/door.h"
#include "host/state_reserve.h"
#include "host/storage_files.h"
#include "host/worker_pool.h"

#include <stdatomic.h>

enum payload_operation {
    PAYLOAD_PROBE,  /* root, paths -> existing */
    PAYLOAD_MOVE,   /* root, paths to target, target_paths -> before, after */
    PAYLOAD_CLEAR,  /* the same task after a move: what is left below root */
    PAYLOAD_DELETE, /* root, paths: those of `made`, the part store, what a move was copying, and
                       folders that they leave empty. Of a move under way: at both roots */
};

#define PAYLOAD_TEXT_SIZE 320

/* Everything that is pointed at belongs to the caller and stays until the end. */
struct payload_task {
    enum payload_operation operation;
    const char *root;                /* absolute, of root_path_resolve; missing: see below */
    const char *const *paths;        /* file_count of them; NULL: not on the disk (padding) */
    uint32_t file_count;             /* the part store is entry file_count of what follows */
    const char *part_name;           /* storage_part_name */
    const char *target;              /* MOVE, CLEAR: made when it is not there; may be the root */
    const char *const *target_paths; /* the same shape as paths; NULL: the same paths */
    struct root_identity expected; /* as recorded; device 0: not known. Another device, and none of
                                      the files: the root is ABSENT */
    struct state_reserve *reserve; /* MOVE: whose room copies leave; NULL: of nobody */
    const uint8_t *made;           /* DELETE: 1: freshet made it. NULL: delete no file */

    /* What came of it. */
    uint8_t *ret_existing;        /* PROBE: file_count + 1 */
    struct file_stat *ret_before; /* MOVE: file_count + 1 each, zeros where there is no file. */
    struct file_stat *ret_after;
    enum freshet_error error; /* ABSENT: the root is not there. PROBE finds nothing then, and that
                                 is no error */
    char text[PAYLOAD_TEXT_SIZE]; /* what failed and where; "" */

    /* For whoever watches, while it runs. */
    _Atomic uint64_t bytes_done, bytes_total; /* of copies; comparing is not counted */

    void (*done)(struct payload_task *task); /* on the loop's thread */
    void *context;

    /* Tests: called before each change of the disk; may end the process. */
    void (*on_step)(struct payload_task *task);

    /* Private. */
    struct work work;
    atomic_bool cancelled;
};

/* Blocks until it is done; `done` is not called. */
void payload_move_run(struct payload_task *task);
/* On one of the pool's threads. */
void payload_move_submit(struct payload_task *task, struct worker_pool *pool);
/* Any thread. It ends soon, in CANCELLED when it was not done; `done` still comes. */
void payload_move_cancel(struct payload_task *task);

#endif

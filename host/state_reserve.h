/* SPDX-License-Identifier: MIT */
/*
 * Room that is kept for the state, so that on a full disk what frees it (a removal, a stop) can
 * still be written: the file `reserve` beside state.db, really allocated. Where the state finds no
 * room the file becomes shorter by a piece and the state tries again; while it is shorter than it
 * should be, payload of that file system waits as on a full disk, and the first room that there is
 * again makes it whole. Its length says all of this, so that it holds for every process with this
 * state, and after a crash. Safe between threads.
 */
#ifndef FRESHET_HOST_STATE_RESERVE_H
#define FRESHET_HOST_STATE_RESERVE_H

#include "core/base/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct state_reserve {
    pthread_rwlock_t lock; /* shared: by who writes payload; alone: by who changes the file */
    atomic_bool is_giving; /* or who writes payload would never let the giver in */
    atomic_bool is_wanted;
    int fd;                /* -1: there is none */
    uint64_t size, device; /* when whole; of the file system */
    char folder[LIMIT_PATH_LENGTH + 1];
};

/* Finds the one that is there. None is made before state_reserve_want. */
void state_reserve_init(struct state_reserve *reserve, const char *folder);
void state_reserve_deinit(struct state_reserve *reserve);

/* From now on there is to be one, as soon as there is room. */
void state_reserve_want(struct state_reserve *reserve);
/* If it is wanted and not whole: makes it so where there is room for it twice over. */
void state_reserve_mend(struct state_reserve *reserve);
/* One piece less. false: nothing is left of it. */
bool state_reserve_give(struct state_reserve *reserve);

/* Around what writes payload on a file system. false: that room is the state's; no leave. */
bool state_reserve_enter(struct state_reserve *reserve, uint64_t device);
void state_reserve_leave(struct state_reserve *reserve);

#endif

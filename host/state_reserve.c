/* SPDX-License-Identifier: MIT */
#include "host/state_reserve.h"

#include "core/base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PATH_SIZE (LIMIT_PATH_LENGTH + 16)

static void path_of(const struct state_reserve *reserve, char ret_path[PATH_SIZE])
{
    snprintf(ret_path, PATH_SIZE, "%s/reserve", reserve->folder);
}

static void open_file(struct state_reserve *reserve, int flags)
{
    char path[PATH_SIZE];

    path_of(reserve, path);
    reserve->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

void state_reserve_init(struct state_reserve *reserve, const char *folder)
{
    struct statvfs space;
    struct stat facts;

    memset(reserve, 0, sizeof *reserve);
    CHECK(pthread_rwlock_init(&reserve->lock, NULL) == 0);
    snprintf(reserve->folder, sizeof reserve->folder, "%s", folder);
    reserve->fd = -1;
    if (stat(folder, &facts) != 0 || statvfs(folder, &space) != 0)
        return;
    uint64_t share = (uint64_t)space.f_blocks * space.f_frsize / LIMIT_STATE_RESERVE_SHARE;
    reserve->device = facts.st_dev;
    reserve->size = share < LIMIT_STATE_RESERVE ? share : LIMIT_STATE_RESERVE;
    open_file(reserve, 0);
}

void state_reserve_deinit(struct state_reserve *reserve)
{
    if (reserve->fd >= 0)
        close(reserve->fd);
    pthread_rwlock_destroy(&reserve->lock);
}

/* Its length; false: there is none. Somebody may have deleted it, which is no sign that it was
 * needed. */
static bool find_length(const struct state_reserve *reserve, uint64_t *ret_length)
{
    struct stat facts;

    if (reserve->fd < 0 || fstat(reserve->fd, &facts) != 0 || facts.st_nlink == 0)
        return false;
    *ret_length = (uint64_t)facts.st_size;
    return true;
}

/* Some of it was given. */
static bool is_short(const struct state_reserve *reserve)
{
    uint64_t length;

    return find_length(reserve, &length) && length < reserve->size;
}

/* Whole, it is to leave as much to everybody else, or it would be given and taken by turns. */
static bool is_to_mend(const struct state_reserve *reserve)
{
    struct statvfs space;
    uint64_t length = 0;

    if (!atomic_load(&reserve->is_wanted) || reserve->size == 0 ||
        (find_length(reserve, &length) && length >= reserve->size) ||
        statvfs(reserve->folder, &space) != 0)
        return false;
    return (uint64_t)space.f_bavail * space.f_frsize >= reserve->size - length + reserve->size;
}

static void drop_file(struct state_reserve *reserve)
{
    if (reserve->fd >= 0)
        close(reserve->fd);
    reserve->fd = -1;
}

/* false: this is no matter of room; here there can be none. The file's lock is held. */
static bool fill(struct state_reserve *reserve, uint64_t length)
{
    int number = posix_fallocate(reserve->fd, (off_t)length, (off_t)(reserve->size - length));

    if (number == 0)
        return true;
    bool may_come = number == ENOSPC || number == EDQUOT || number == EINTR;
    return ftruncate(reserve->fd, (off_t)length) == 0 && may_come;
}

static void mend(struct state_reserve *reserve)
{
    char path[PATH_SIZE];
    uint64_t length = 0;

    bool is_new = !find_length(reserve, &length);
    if (is_new) {
        drop_file(reserve);
        open_file(reserve, O_CREAT);
    }
    if (reserve->fd < 0)
        return;
    flock(reserve->fd, LOCK_EX); /* file systems without such locks do without */
    bool is_possible = true;
    if (find_length(reserve, &length) && length < reserve->size)
        is_possible = fill(reserve, length);
    flock(reserve->fd, LOCK_UN);
    if (is_new && is_short(reserve)) {
        /* Nothing was given: it is not one that payload would have to wait for. */
        path_of(reserve, path);
        unlink(path);
        drop_file(reserve);
    }
    if (!is_possible) {
        atomic_store(&reserve->is_wanted, false);
        drop_file(reserve);
    }
}

void state_reserve_mend(struct state_reserve *reserve)
{
    pthread_rwlock_rdlock(&reserve->lock);
    bool is_needed = is_to_mend(reserve);
    pthread_rwlock_unlock(&reserve->lock);
    if (!is_needed)
        return;
    pthread_rwlock_wrlock(&reserve->lock);
    if (is_to_mend(reserve))
        mend(reserve);
    pthread_rwlock_unlock(&reserve->lock);
}

void state_reserve_want(struct state_reserve *reserve)
{
    atomic_store(&reserve->is_wanted, true);
    state_reserve_mend(reserve);
}

/* A sync, since some file systems free blocks only with their journal. */
static bool give_piece(struct state_reserve *reserve)
{
    uint64_t length;

    if (!find_length(reserve, &length) || length == 0)
        return false;
    length = length > LIMIT_STATE_RESERVE_PIECE ? length - LIMIT_STATE_RESERVE_PIECE : 0;
    if (ftruncate(reserve->fd, (off_t)length) != 0)
        return false;
    fsync(reserve->fd);
    return true;
}

bool state_reserve_give(struct state_reserve *reserve)
{
    bool given = false;

    /* What is being written has seen a whole one, and would take this. */
    atomic_store(&reserve->is_giving, true);
    pthread_rwlock_wrlock(&reserve->lock);
    if (reserve->fd < 0)
        open_file(reserve, 0); /* another process may have made one */
    if (reserve->fd >= 0) {
        flock(reserve->fd, LOCK_EX);
        given = give_piece(reserve);
        flock(reserve->fd, LOCK_UN);
    }
    pthread_rwlock_unlock(&reserve->lock);
    atomic_store(&reserve->is_giving, false);
    return given;
}

bool state_reserve_enter(struct state_reserve *reserve, uint64_t device)
{
    if (device != reserve->device) {
        pthread_rwlock_rdlock(&reserve->lock);
        return true;
    }
    if (atomic_load(&reserve->is_giving))
        return false;
    state_reserve_mend(reserve);
    pthread_rwlock_rdlock(&reserve->lock);
    if (!is_short(reserve) || !atomic_load(&reserve->is_wanted))
        return true;
    pthread_rwlock_unlock(&reserve->lock);
    return false;
}

void state_reserve_leave(struct state_reserve *reserve)
{
    pthread_rwlock_unlock(&reserve->lock);
}

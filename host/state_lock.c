/* SPDX-License-Identifier: MIT */
#include "host/state_lock.h"

#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static pid_t state_lock_holder(int fd)
{
    char text[32] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);

    return got > 0 ? (pid_t)strtol(text, NULL, 10) : 0;
}

static enum freshet_error state_lock_write(int fd)
{
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    /* In this order one that was written before needs no room. */
    if (pwrite(fd, text, (size_t)length, 0) != length || ftruncate(fd, length) != 0)
        return posix_error_of_file(errno);
    return FRESHET_OK;
}

enum freshet_error state_lock_take(const char *path, int *ret_lock, pid_t *ret_pid)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return posix_error_of_file(errno);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        enum freshet_error error =
            errno == EWOULDBLOCK ? FRESHET_ERROR_BUSY : posix_error_of_file(errno);
        *ret_pid = state_lock_holder(fd);
        close(fd);
        return error;
    }
    enum freshet_error error = state_lock_write(fd);
    if (error) {
        close(fd);
        return error;
    }
    *ret_lock = fd;
    return FRESHET_OK;
}

void state_lock_release(int lock)
{
    if (lock >= 0)
        close(lock); /* the file stays: removing it would race with who waits for it */
}

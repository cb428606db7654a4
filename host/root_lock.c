/* SPDX-License-Identifier: MIT */
#include "host/root_lock.h"

#include <fcntl.h>
#include <unistd.h>

/* A byte for each process id there can be, in one of 2^40 spans: offsets stay below 2^62. */
#define PID_BITS  22
#define SPAN_BITS 40

static off_t span_of(const uint8_t info_hash[32])
{
    uint64_t number = 0;

    for (int i = 0; i < SPAN_BITS / 8; i++)
        number = number << 8 | info_hash[i];
    return (off_t)(number << PID_BITS);
}

/* Who has a lock in [from, from + length)? 0: nobody. */
static pid_t holder(int root, off_t from, off_t length, off_t span)
{
    /* A length of 0 would mean up to the end of all offsets. */
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = length};

    if (length <= 0 || fcntl(root, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK)
        return 0;
    return (pid_t)(lock.l_start - span);
}

/* Any process but this one, which sees to its own torrents itself. */
static pid_t other_holder(int root, const uint8_t info_hash[32])
{
    off_t span = span_of(info_hash), own = span + getpid();
    pid_t before = holder(root, span, own - span, span);

    return before ? before : holder(root, own + 1, span + (1 << PID_BITS) - own - 1, span);
}

enum freshet_error root_lock_take(int root, const uint8_t info_hash[32], pid_t *ret_pid)
{
    struct flock lock = {.l_type = F_RDLCK,
                         .l_whence = SEEK_SET,
                         .l_start = span_of(info_hash) + getpid(),
                         .l_len = 1};

    if (fcntl(root, F_OFD_SETLK, &lock) != 0)
        return FRESHET_OK;
    pid_t pid = other_holder(root, info_hash);
    if (pid == 0)
        return FRESHET_OK;
    lock.l_type = F_UNLCK;
    fcntl(root, F_OFD_SETLK, &lock);
    *ret_pid = pid;
    return FRESHET_ERROR_BUSY;
}

enum freshet_error root_lock_look(const char *root, const uint8_t info_hash[32], pid_t *ret_pid)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return FRESHET_OK;
    pid_t pid = other_holder(fd, info_hash);
    close(fd);
    if (pid == 0)
        return FRESHET_OK;
    *ret_pid = pid;
    return FRESHET_ERROR_BUSY;
}

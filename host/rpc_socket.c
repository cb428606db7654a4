/* SPDX-License-Identifier: MIT */
#include "host/rpc_socket.h"

#include "host/posix_error.h"
#include "host/socket_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG    128
#define INHERITED_FIRST   3
#define INHERITED_AT_MOST 16

void rpc_socket_default_path(const char *state_folder, char ret_path[LIMIT_PATH_LENGTH + 1])
{
    const char *run = getenv("XDG_RUNTIME_DIR");

    if (!run || run[0] != '/' || strlen(run) + 16 > LIMIT_PATH_LENGTH)
        run = state_folder;
    snprintf(ret_path, LIMIT_PATH_LENGTH + 1, "%.4000s/freshet.sock", run);
}

/* Does somebody answer there? BUSY and who, or what is wrong; OK: nobody does. */
static enum freshet_error rpc_socket_probe(const struct sockaddr_un *local, pid_t *ret_pid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    enum freshet_error error = FRESHET_OK;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *ret_pid = 0;
    if (fd < 0)
        return posix_error_of_socket(errno);
    if (connect(fd, (const struct sockaddr *)local, sizeof *local) == 0) {
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
            *ret_pid = peer.pid;
        error = FRESHET_ERROR_BUSY;
    } else if (errno == EAGAIN) { /* somebody listens, but has many to serve */
        error = FRESHET_ERROR_BUSY;
    } else if (errno != ENOENT && errno != ECONNREFUSED) {
        error = posix_error_of_file(errno);
    }
    close(fd);
    return error;
}

enum freshet_error rpc_socket_listen_local(const char *path, int *ret_descriptor, pid_t *ret_pid)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct stat stat_of;

    if (strlen(path) >= sizeof local.sun_path)
        return FRESHET_ERROR_LIMIT;
    strcpy(local.sun_path, path);
    enum freshet_error error = rpc_socket_probe(&local, ret_pid);
    if (error)
        return error;
    if (lstat(path, &stat_of) == 0) {
        if (!S_ISSOCK(stat_of.st_mode)) /* never a file of somebody's */
            return FRESHET_ERROR_EXISTS;
        unlink(path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return posix_error_of_socket(errno);
    /* The name comes with these rights from the first moment. */
    mode_t before = umask(0177);
    int bound = bind(fd, (struct sockaddr *)&local, sizeof local);
    int number = errno;
    umask(before);
    if (bound != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        close(fd);
        return posix_error_of_file(bound != 0 ? number : errno);
    }
    *ret_descriptor = fd;
    return FRESHET_OK;
}

enum freshet_error rpc_socket_listen(const struct address *address, int *ret_descriptor)
{
    struct sockaddr_storage local;
    socklen_t length = socket_address_to(address, false, &local);
    int on = 1;
    int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return posix_error_of_socket(errno);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&local, length) == 0 && listen(fd, LISTEN_BACKLOG) == 0) {
        *ret_descriptor = fd;
        return FRESHET_OK;
    }
    int number = errno;
    close(fd);
    return posix_error_of_socket(number);
}

/* Of a listening stream socket, else AF_UNSPEC. */
static int family_of_listener(int fd)
{
    int value = 0;
    struct sockaddr_storage local;
    socklen_t length = sizeof value;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) != 0 || !value)
        return AF_UNSPEC;
    length = sizeof value;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) != 0 || value != SOCK_STREAM)
        return AF_UNSPEC;
    length = sizeof local;
    return getsockname(fd, (struct sockaddr *)&local, &length) == 0 ? local.ss_family : AF_UNSPEC;
}

void rpc_socket_inherit(int *ret_local, int *ret_tcp)
{
    const char *pid = getenv("LISTEN_PID"), *count_text = getenv("LISTEN_FDS");
    long count = 0;

    *ret_local = *ret_tcp = -1;
    if (pid && count_text && strtol(pid, NULL, 10) == (long)getpid())
        count = strtol(count_text, NULL, 10);
    for (int fd = INHERITED_FIRST; fd < INHERITED_FIRST + count && count <= INHERITED_AT_MOST;
         fd++) {
        int family = family_of_listener(fd);
        int *ret_fd = family == AF_UNIX ? ret_local : ret_tcp;
        if (family == AF_UNSPEC || *ret_fd >= 0)
            continue;
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        *ret_fd = fd;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

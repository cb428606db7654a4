/* SPDX-License-Identifier: MIT */
#include "host/root_path.h"

#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Is an element of the path "." or ".."? */
static bool path_has_dots(const char *path)
{
    while (*path) {
        size_t length = strcspn(path, "/");
        if ((length == 1 && path[0] == '.') || (length == 2 && path[0] == '.' && path[1] == '.'))
            return true;
        path += length;
        path += strspn(path, "/");
    }
    return false;
}

enum freshet_error root_path_resolve(const char *path, char ret_root[LIMIT_PATH_LENGTH + 1])
{
    char existing[LIMIT_PATH_LENGTH + 1];
    size_t length = strlen(path);

    if (length == 0)
        return FRESHET_ERROR_USAGE;
    if (length > LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    memcpy(existing, path, length + 1);
    size_t kept = length; /* of `path`, how much is resolved; the rest does not exist */
    char *resolved;
    while ((resolved = realpath(kept ? existing : ".", NULL)) == NULL) {
        if (errno != ENOENT || kept == 0)
            return posix_error_of_file(errno);
        while (kept > 0 && existing[kept - 1] == '/')
            kept--;
        while (kept > 0 && existing[kept - 1] != '/')
            kept--;
        existing[kept] = '\0';
    }
    const char *rest = path + kept;
    rest += strspn(rest, "/");
    if (path_has_dots(rest)) {
        free(resolved);
        return FRESHET_ERROR_USAGE;
    }
    int written = snprintf(ret_root, LIMIT_PATH_LENGTH + 1, "%s%s%s", resolved,
                           *rest && strcmp(resolved, "/") != 0 ? "/" : "", rest);
    free(resolved);
    if (written < 0 || written > (int)LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    while (written > 1 && ret_root[written - 1] == '/')
        ret_root[--written] = '\0';
    return FRESHET_OK;
}

enum freshet_error root_path_make(const char *root)
{
    char path[LIMIT_PATH_LENGTH + 1];
    size_t length = strlen(root);

    if (length == 0 || length > LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    memcpy(path, root, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char end = path[i];
        path[i] = '\0';
        if (mkdir(path, 0777) == 0) {
            char *slash = strrchr(path, '/');
            if (slash && slash != path)
                *slash = '\0';
            int parent = open(slash ? (slash == path ? "/" : path) : ".",
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (parent >= 0) {
                fsync(parent);
                close(parent);
            }
            if (slash && slash != path)
                *slash = '/';
        } else if (errno != EEXIST && errno != EISDIR) {
            return posix_error_of_file(errno);
        }
        path[i] = end;
    }
    return FRESHET_OK;
}

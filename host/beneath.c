/* SPDX-License-Identifier: MIT */
#include "host/beneath.h"

#include "host/posix_error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum freshet_error beneath_open(int root, const char *path, int flags, unsigned mode, int *ret_fd)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
        .mode = (flags & O_CREAT) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    /* EAGAIN: a rename elsewhere raced with the walk; the kernel asks to try again. */
    int tries = 0;
    do
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || (errno == EAGAIN && ++tries < 32)));
    if (fd < 0)
        return posix_error_of_file(errno);
    *ret_fd = (int)fd;
    return FRESHET_OK;
}

void beneath_folder_of(const char *path, char ret_folder[LIMIT_PATH_LENGTH + 1])
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;

    if (length == 0 || length > LIMIT_PATH_LENGTH) {
        strcpy(ret_folder, ".");
        return;
    }
    memcpy(ret_folder, path, length);
    ret_folder[length] = '\0';
}

/* Opens the folder of `path` and finds the last element of it. */
static enum freshet_error beneath_open_folder(int root, const char *path, int *ret_folder,
                                              const char **ret_name)
{
    char folder[LIMIT_PATH_LENGTH + 1];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (strlen(path) > LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || path[0] == '/')
        return FRESHET_ERROR_REFUSED;
    beneath_folder_of(path, folder);
    *ret_name = name;
    enum freshet_error error = beneath_open(root, folder, O_RDONLY | O_DIRECTORY, 0, ret_folder);
    /* A symlink or a file stands where the folder should be. */
    return error && errno == ENOTDIR ? FRESHET_ERROR_REFUSED : error;
}

/* One step of beneath_make_folders: `folder` is a path whose parent exists. */
static enum freshet_error beneath_make_folder(int root, const char *folder, bool *ret_made)
{
    const char *name;
    int parent;
    enum freshet_error error = beneath_open_folder(root, folder, &parent, &name);

    if (error)
        return error;
    *ret_made = mkdirat(parent, name, 0777) == 0;
    if (!*ret_made && errno != EEXIST)
        error = posix_error_of_file(errno);
    close(parent);
    return error;
}

enum freshet_error beneath_make_folders(int root, const char *path,
                                        void (*made)(void *context, const char *folder,
                                                     const char *parent),
                                        void *context)
{
    char folder[LIMIT_PATH_LENGTH + 1], parent[LIMIT_PATH_LENGTH + 1];
    int fd;

    if (strlen(path) > LIMIT_PATH_LENGTH)
        return FRESHET_ERROR_LIMIT;
    beneath_folder_of(path, folder);
    if (beneath_open(root, folder, O_PATH | O_DIRECTORY, 0, &fd) == FRESHET_OK) {
        close(fd);
        return FRESHET_OK;
    }
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        bool is_new = false;
        memcpy(folder, path, length);
        folder[length] = '\0';
        enum freshet_error error = beneath_make_folder(root, folder, &is_new);
        if (error)
            return error;
        if (is_new && made) {
            beneath_folder_of(folder, parent);
            made(context, folder, parent);
        }
    }
    return FRESHET_OK;
}

enum freshet_error beneath_look(int root, const char *path, struct stat *ret_stat)
{
    int fd;
    enum freshet_error error = beneath_open(root, path, O_PATH, 0, &fd);

    if (error)
        return error;
    int failed = fstat(fd, ret_stat) ? errno : 0;
    close(fd);
    return posix_error_of_file(failed);
}

struct file_stat beneath_stat_of(const struct stat *stat)
{
    return (struct file_stat){
        .exists = true,
        .size = (uint64_t)stat->st_size,
        /* A time beyond 2262 wraps: it is only compared with itself. */
        .mtime_ns = (int64_t)((uint64_t)stat->st_mtim.tv_sec * (uint64_t)SECOND_NS +
                              (uint64_t)stat->st_mtim.tv_nsec),
        .inode = stat->st_ino,
    };
}

enum freshet_error beneath_stat(int root, const char *path, struct file_stat *ret_stat)
{
    struct stat stat;
    enum freshet_error error = beneath_look(root, path, &stat);

    if (error == FRESHET_ERROR_NOT_FOUND) {
        *ret_stat = (struct file_stat){0};
        return FRESHET_OK;
    }
    if (error)
        return error;
    if (S_ISLNK(stat.st_mode))
        return FRESHET_ERROR_REFUSED;
    *ret_stat = beneath_stat_of(&stat);
    return FRESHET_OK;
}

enum freshet_error beneath_rename(const struct beneath_place *from, const struct beneath_place *to,
                                  bool *ret_crosses)
{
    const char *from_name, *to_name;
    int from_folder, to_folder;
    enum freshet_error error =
        beneath_open_folder(from->root, from->path, &from_folder, &from_name);

    *ret_crosses = false;
    if (error)
        return error;
    error = beneath_open_folder(to->root, to->path, &to_folder, &to_name);
    if (!error) {
        if (renameat2(from_folder, from_name, to_folder, to_name, RENAME_NOREPLACE) != 0) {
            *ret_crosses = errno == EXDEV;
            error = posix_error_of_file(errno);
        }
        close(to_folder);
    }
    close(from_folder);
    return error;
}

enum freshet_error beneath_remove(int root, const char *path, bool folder)
{
    const char *name;
    int parent;
    enum freshet_error error = beneath_open_folder(root, path, &parent, &name);

    if (error)
        return error;
    if (unlinkat(parent, name, folder ? AT_REMOVEDIR : 0) != 0)
        error = posix_error_of_file(errno);
    close(parent);
    return error;
}

enum freshet_error beneath_symlink(int root, const char *path, const char *target)
{
    const char *name;
    int parent;
    enum freshet_error error = beneath_open_folder(root, path, &parent, &name);

    if (error)
        return error;
    if (symlinkat(target, parent, name) != 0)
        error = posix_error_of_file(errno);
    close(parent);
    return error;
}

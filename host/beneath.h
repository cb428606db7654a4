/* SPDX-License-Identifier: MIT */
/*
 * Files and folders below a root, opened by openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS:
 * whatever a torrent's names or a planted symlink say, nothing outside of the root is ever touched.
 * Such a path is refused (FRESHET_ERROR_REFUSED). Paths are relative, '/' between elements.
 */
#ifndef FRESHET_HOST_BENEATH_H
#define FRESHET_HOST_BENEATH_H

#include "core/base/error.h"
#include "core/door/door.h"

#include <sys/stat.h>

/* Opens `path` below `root`; `flags` as of open(2), O_CLOEXEC and O_NOFOLLOW are added. */
enum freshet_error beneath_open(int root, const char *path, int flags, unsigned mode, int *ret_fd);
/* Makes the folders that lead to `path` (not `path` itself). `made` is called with each new folder
 * and the folder that it is in ("." for the root); may be NULL. */
enum freshet_error beneath_make_folders(int root, const char *path,
                                        void (*made)(void *context, const char *folder,
                                                     const char *parent),
                                        void *context);
/* A path that does not exist is no error; one that is a symlink is refused. */
enum freshet_error beneath_stat(int root, const char *path, struct file_stat *ret_stat);
/* As lstat(2): a last element that is a symlink is told as such. NOT_FOUND: there is nothing. */
enum freshet_error beneath_look(int root, const char *path, struct stat *ret_stat);
/* Takes `from` to `to`, which may be below another root, and never replaces anything (EXISTS).
 * *ret_crosses (false unless said): they are on two file systems, nothing was done (REFUSED). */
struct beneath_place {
    int root;
    const char *path;
};
enum freshet_error beneath_rename(const struct beneath_place *from, const struct beneath_place *to,
                                  bool *ret_crosses);
/* Removes a file, or an empty folder. */
enum freshet_error beneath_remove(int root, const char *path, bool folder);
/* What file_stat says of a file of which the system says that. */
struct file_stat beneath_stat_of(const struct stat *stat);
/* Makes a symlink with that target text; the folders must exist. */
enum freshet_error beneath_symlink(int root, const char *path, const char *target);
/* The folder part of a path: "." when it has none. */
void beneath_folder_of(const char *path, char ret_folder[LIMIT_PATH_LENGTH + 1]);

#endif

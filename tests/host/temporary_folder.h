/* SPDX-License-Identifier: MIT */
/* A folder of its own for each test, removed at the end; and small files in it. */
#ifndef FRESHET_TESTS_TEMPORARY_FOLDER_H
#define FRESHET_TESTS_TEMPORARY_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY_PATH 512

static inline char *temporary_folder_make(void)
{
    const char *base = getenv("TMPDIR");
    char path[TEMPORARY_PATH];

    snprintf(path, sizeof path, "%s/freshet-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path))
        abort();
    return strdup(path);
}

static inline int temporary_folder_drop_one(const char *path, const struct stat *stat, int type,
                                            struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

static inline void temporary_folder_drop(char *folder)
{
    nftw(folder, temporary_folder_drop_one, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static inline const char *temporary_path(const char *folder, const char *name,
                                         char path[TEMPORARY_PATH])
{
    if (snprintf(path, TEMPORARY_PATH, "%s/%s", folder, name) >= TEMPORARY_PATH)
        abort();
    return path;
}

static inline void temporary_write(const char *folder, const char *name, const void *bytes,
                                   size_t length)
{
    char path[TEMPORARY_PATH];
    int fd = open(temporary_path(folder, name, path), O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
        abort();
    close(fd);
}

/* -1 when there is no such file. */
static inline long temporary_read(const char *folder, const char *name, void *bytes, size_t size)
{
    char path[TEMPORARY_PATH];
    int fd = open(temporary_path(folder, name, path), O_RDONLY);

    if (fd < 0)
        return -1;
    long got = (long)read(fd, bytes, size);
    close(fd);
    return got;
}

#endif

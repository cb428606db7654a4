/* SPDX-License-Identifier: MIT */
#include "cli/folder_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/message.h"
#include "core/base/memory.h"

/* Folders still to be listed, as paths below the root; "" is the root itself. */
struct folder_queue {
    char **paths;
    size_t count, capacity;
};

static void push_folder(struct folder_queue *queue, char *path)
{
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity ? 2 * queue->capacity : 16;
        queue->paths = memory_resize_array(queue->paths, queue->capacity, sizeof queue->paths[0]);
    }
    queue->paths[queue->count++] = path;
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder);
    char *path = memory_new(length + strlen(name) + 2);
    memcpy(path, folder, length);
    if (length)
        path[length++] = '/';
    strcpy(path + length, name);
    return path;
}

static bool is_excluded(const struct folder_walk_options *options, const char *path,
                        const char *name)
{
    for (size_t i = 0; i < options->exclude_count; i++)
        if (fnmatch(options->excludes[i], name, 0) == 0 ||
            fnmatch(options->excludes[i], path, FNM_PATHNAME) == 0)
            return true;
    return false;
}

static struct torrent_builder_file *add_file(struct folder_walk *walk, char *path)
{
    if (walk->count == walk->capacity) {
        walk->capacity = walk->capacity ? 2 * walk->capacity : 64;
        walk->files = memory_resize_array(walk->files, walk->capacity, sizeof walk->files[0]);
    }
    struct torrent_builder_file *file = &walk->files[walk->count++];
    *file = (struct torrent_builder_file){.path = path};
    return file;
}

/* The path below the root that a symlink's text leads to from the folder of the link, without "."
 * and ".."; NULL when it leads out. The caller frees it. */
static char *resolve_target(const char *link_path, const char *target)
{
    if (target[0] == '/' || target[0] == '\0')
        return NULL;
    const char *slash = strrchr(link_path, '/');
    size_t length = slash ? (size_t)(slash - link_path) : 0;
    char *path = memory_new(length + strlen(target) + 2);
    memcpy(path, link_path, length);
    while (*target) {
        size_t element = strcspn(target, "/");
        bool up = element == 2 && memcmp(target, "..", 2) == 0;
        if (up && length == 0) {
            memory_free(path);
            return NULL;
        }
        if (up) {
            while (length > 0 && path[--length] != '/')
                ;
        } else if (element > 1 || (element == 1 && target[0] != '.')) {
            if (length)
                path[length++] = '/';
            memcpy(path + length, target, element);
            length += element;
        }
        target += element + (target[element] == '/');
    }
    path[length] = '\0';
    return path;
}

static int compare_files(const void *a, const void *b)
{
    const struct torrent_builder_file *left = a;
    const struct torrent_builder_file *right = b;
    return strcmp(left->path, right->path);
}

static bool is_walked(const struct folder_walk *walk, const char *path)
{
    struct torrent_builder_file wanted = {.path = path};
    const struct torrent_builder_file *found =
        bsearch(&wanted, walk->files, walk->count, sizeof wanted, compare_files);
    return found && found->symlink == NULL;
}

/* Takes the symlinks that lead to a file of the walk, notes and drops the others. */
static void settle_symlinks(struct folder_walk *walk)
{
    bool *dropped = memory_new_array(walk->count, sizeof dropped[0]);
    for (uint32_t i = 0; i < walk->count; i++)
        dropped[i] = walk->files[i].symlink && !is_walked(walk, walk->files[i].symlink);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < walk->count; i++) {
        struct torrent_builder_file file = walk->files[i];
        if (!dropped[i]) {
            walk->files[kept++] = file;
            continue;
        }
        message_note("%s: left out, a symlink to no file inside", file.path);
        memory_free((char *)file.path);
        memory_free((char *)file.symlink);
    }
    walk->count = kept;
    memory_free(dropped);
}

static void take_symlink(struct folder_walk *walk, int folder, const char *name, char *path,
                         const struct folder_walk_options *options)
{
    char target[PATH_MAX + 1];
    ssize_t length = options->keep_symlinks ? readlinkat(folder, name, target, PATH_MAX) : -1;
    char *inside = NULL;
    if (length > 0) {
        target[length] = '\0';
        inside = resolve_target(path, target);
    }
    if (inside == NULL) {
        message_note("%s: left out, a symlink%s", path,
                     options->keep_symlinks ? " to no file inside" : "");
        memory_free(path);
        return;
    }
    add_file(walk, path)->symlink = inside;
}

/* Owns `path` from here on. */
static enum exit_code take_entry(struct folder_walk *walk, struct folder_queue *queue, int folder,
                                 const char *name, char *path,
                                 const struct folder_walk_options *options)
{
    struct stat stat;
    if (is_excluded(options, path, name)) {
        memory_free(path);
        return EXIT_CODE_OK;
    }
    if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) {
        message_error("%s: %s", path, strerror(errno));
        memory_free(path);
        return EXIT_CODE_DISK;
    }
    if (S_ISDIR(stat.st_mode)) {
        push_folder(queue, path);
    } else if (S_ISLNK(stat.st_mode)) {
        take_symlink(walk, folder, name, path, options);
    } else if (S_ISREG(stat.st_mode)) {
        struct torrent_builder_file *file = add_file(walk, path);
        file->length = (uint64_t)stat.st_size;
        file->executable = stat.st_mode & S_IXUSR;
        walk->total_length += file->length;
    } else {
        message_note("%s: left out, not a file", path);
        memory_free(path);
    }
    if (walk->count > LIMIT_FILES_MAX / 2) {
        message_error("more than %u files", LIMIT_FILES_MAX / 2);
        return EXIT_CODE_REFUSED;
    }
    return EXIT_CODE_OK;
}

static enum exit_code list_folder(struct folder_walk *walk, struct folder_queue *queue, int root,
                                  const char *folder, const struct folder_walk_options *options)
{
    const char *shown = *folder ? folder : ".";
    int fd = openat(root, shown, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        message_error("%s: %s", shown, strerror(errno));
        if (fd >= 0)
            close(fd);
        return EXIT_CODE_DISK;
    }
    enum exit_code code = EXIT_CODE_OK;
    errno = 0;
    for (struct dirent *entry; code == EXIT_CODE_OK && (entry = readdir(stream)); errno = 0)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = take_entry(walk, queue, fd, entry->d_name, join(folder, entry->d_name), options);
    if (code == EXIT_CODE_OK && errno) {
        message_error("%s: %s", shown, strerror(errno));
        code = EXIT_CODE_DISK;
    }
    closedir(stream);
    return code;
}

enum exit_code folder_walk_run(struct folder_walk *walk, int root,
                               const struct folder_walk_options *options)
{
    struct folder_queue queue = {0};
    enum exit_code code = EXIT_CODE_OK;
    *walk = (struct folder_walk){0};
    push_folder(&queue, join("", ""));
    while (queue.count) {
        char *folder = queue.paths[--queue.count];
        if (code == EXIT_CODE_OK)
            code = list_folder(walk, &queue, root, folder, options);
        memory_free(folder);
    }
    memory_free(queue.paths);
    if (code == EXIT_CODE_OK && walk->count) {
        qsort(walk->files, walk->count, sizeof walk->files[0], compare_files);
        settle_symlinks(walk);
    }
    return code;
}

void folder_walk_deinit(struct folder_walk *walk)
{
    for (uint32_t i = 0; i < walk->count; i++) {
        memory_free((char *)walk->files[i].path);
        memory_free((char *)walk->files[i].symlink);
    }
    memory_free(walk->files);
    *walk = (struct folder_walk){0};
}

/* SPDX-License-Identifier: MIT */
#include "host/storage_files_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/beneath.h"
#include "host/posix_error.h"
#include "host/root_lock.h"
#include "host/root_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void folder_list_add(char ***list, size_t *count, size_t *capacity, const char *folder)
{
    if (*count > 0 && strcmp((*list)[*count - 1], folder) == 0)
        return;
    if (*count == *capacity) {
        *capacity = *capacity ? *capacity * 2 : 16;
        *list = memory_resize_array(*list, *capacity, sizeof **list);
    }
    (*list)[(*count)++] = memory_copy(folder, strlen(folder) + 1);
}

void storage_files_note_name(struct storage_files *files, const char *folder)
{
    pthread_mutex_lock(&files->lock);
    folder_list_add(&files->folders, &files->folder_count, &files->folder_capacity, folder);
    pthread_mutex_unlock(&files->lock);
}

static void storage_files_on_folder(void *context, const char *folder, const char *parent)
{
    struct storage_files *files = context;

    storage_files_note_name(files, parent);
    pthread_mutex_lock(&files->lock);
    folder_list_add(&files->made, &files->made_count, &files->made_capacity, folder);
    pthread_mutex_unlock(&files->lock);
}

static enum freshet_error storage_files_open_root(const struct storage_layout *layout, int *ret_fd)
{
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = open(layout->root, flags);

    if (fd < 0 && errno == ENOENT) {
        if (!layout->create_root || layout->read_only)
            return FRESHET_ERROR_ABSENT;
        enum freshet_error error = root_path_make(layout->root);
        if (error)
            return error;
        fd = open(layout->root, flags);
    }
    if (fd < 0)
        return posix_error_of_file(errno);
    *ret_fd = fd;
    return FRESHET_OK;
}

/* A file that somebody removed or replaced: what we hold open is no longer what the name says, so
 * reads and writes through it would go to a file that nobody else can see. */
static void storage_files_note_inode(struct storage_files *files, uint32_t slot,
                                     const struct file_stat *stat)
{
    uint64_t inode = stat->exists ? stat->inode : 0;

    if (files->inodes[slot] && files->inodes[slot] != inode)
        descriptor_forget(&files->descriptors, slot);
    files->inodes[slot] = inode;
}

void storage_files_identify(const struct storage_files *files, struct root_identity *ret_identity)
{
    struct stat stat;

    *ret_identity = (struct root_identity){0};
    if (fstat(files->root, &stat) == 0)
        *ret_identity = (struct root_identity){stat.st_dev, stat.st_ino};
}

/* Is what we hold open no longer what the path leads to? Then its disk was unmounted (lazily, since
 * we hold it), or somebody moved the folder away. */
static bool storage_files_root_is_gone(const struct storage_files *files)
{
    struct root_identity held;
    struct stat there;

    storage_files_identify(files, &held);
    if (stat(files->layout->root, &there) != 0)
        return errno == ENOENT || errno == ENOTDIR;
    return held.device != there.st_dev || held.inode != there.st_ino;
}

enum freshet_error storage_files_stat(struct storage_files *files, struct file_stat *ret_stats,
                                      uint32_t *ret_file)
{
    const struct storage_layout *layout = files->layout;

    *ret_file = UINT32_MAX;
    if (storage_files_root_is_gone(files))
        return FRESHET_ERROR_ABSENT;
    for (uint32_t i = 0; i < layout->file_count; i++) {
        ret_stats[i] = (struct file_stat){0};
        if (layout->files[i].padding || layout->files[i].symlink)
            continue;
        enum freshet_error error = storage_files_stat_file(files, i, &ret_stats[i]);
        if (error) {
            *ret_file = i;
            return error;
        }
        storage_files_note_inode(files, i, &ret_stats[i]);
    }
    *ret_file = FILE_PART_STORE;
    enum freshet_error error =
        beneath_stat(files->root, layout->part_name, &ret_stats[layout->file_count]);
    if (!error)
        storage_files_note_inode(files, layout->file_count, &ret_stats[layout->file_count]);
    return error;
}

/* Is this folder a stranger: on another disk than the recorded one, and without any of our files?
 */
static bool storage_files_is_stranger(struct storage_files *files,
                                      const struct root_identity *expected,
                                      const struct file_stat *stats)
{
    struct stat stat;

    if (files->layout->create_root || expected->device == 0 || fstat(files->root, &stat) != 0)
        return false;
    if (stat.st_dev == expected->device)
        return false;
    for (uint32_t i = 0; i <= files->layout->file_count; i++)
        if (stats[i].exists)
            return false;
    return true;
}

enum freshet_error storage_files_open(const struct storage_layout *layout,
                                      const struct root_identity *expected,
                                      struct descriptor_cache *cache, struct file_stat *ret_stats,
                                      uint32_t *ret_file, struct storage_files **ret_files)
{
    int root = -1;
    pid_t other;
    enum freshet_error error = storage_files_open_root(layout, &root);

    if (error)
        return error;
    if (layout->info_hash && root_lock_take(root, layout->info_hash, &other) != FRESHET_OK) {
        close(root);
        return FRESHET_ERROR_BUSY;
    }
    struct storage_files *files = memory_new(sizeof *files);
    files->layout = layout;
    files->root = root;
    files->created = memory_new((size_t)layout->file_count + 1);
    files->suffixed = memory_new((size_t)layout->file_count + 1);
    files->may_suffix = storage_files_may_suffix(layout);
    files->inodes = memory_new_array((size_t)layout->file_count + 1, sizeof *files->inodes);
    atomic_init(&files->users, 1);
    CHECK(pthread_mutex_init(&files->lock, NULL) == 0);
    zero_piece_init(&files->zero_piece);
    descriptor_set_init(&files->descriptors, cache, layout->file_count + 1);
    error = storage_files_stat(files, ret_stats, ret_file);
    if (!error && storage_files_is_stranger(files, expected, ret_stats))
        error = FRESHET_ERROR_ABSENT;
    if (error) {
        storage_files_free(files);
        return error;
    }
    *ret_files = files;
    return FRESHET_OK;
}

struct storage_files *storage_files_share(struct storage_files *files)
{
    atomic_fetch_add(&files->users, 1);
    return files;
}

static void folder_list_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memory_free(list[i]);
    memory_free(list);
}

void storage_files_free(struct storage_files *files)
{
    if (!files || atomic_fetch_sub(&files->users, 1) != 1)
        return;
    descriptor_set_deinit(&files->descriptors);
    folder_list_free(files->folders, files->folder_count);
    folder_list_free(files->made, files->made_count);
    memory_free(files->created);
    memory_free(files->suffixed);
    memory_free(files->inodes);
    pthread_mutex_destroy(&files->lock);
    zero_piece_deinit(&files->zero_piece);
    close(files->root);
    memory_free(files);
}

/* Makes the file that is not there, with the folders above it. */
static enum freshet_error storage_files_create(struct storage_files *files, file_index file,
                                               int *ret_fd)
{
    struct file_name name;

    if (!storage_files_wants_suffix(files, file) || !storage_files_name(files, file, true, &name))
        storage_files_name(files, file, false, &name);
    const char *path = name.path;
    bool executable = file != FILE_PART_STORE && files->layout->files[file].executable;
    char folder[LIMIT_PATH_LENGTH + 1];
    enum freshet_error error =
        beneath_make_folders(files->root, path, storage_files_on_folder, files);

    if (error)
        return error;
    error = beneath_open(files->root, path, O_RDWR | O_CREAT | O_EXCL, executable ? 0777 : 0666,
                         ret_fd);
    if (error == FRESHET_ERROR_EXISTS)
        return beneath_open(files->root, path, O_RDWR, 0, ret_fd);
    if (error)
        return error;
    storage_files_set_suffixed(files, storage_files_slot(files, file), name.is_suffixed);
    beneath_folder_of(path, folder);
    storage_files_note_name(files, folder);
    pthread_mutex_lock(&files->lock);
    files->created[storage_files_slot(files, file)] = 1;
    pthread_mutex_unlock(&files->lock);
    return FRESHET_OK;
}

enum freshet_error storage_files_hold(struct storage_files *files, file_index file, bool writable,
                                      struct descriptor **ret_descriptor)
{
    uint32_t slot = storage_files_slot(files, file);
    struct descriptor *descriptor = descriptor_hold(&files->descriptors, slot, writable);
    struct stat stat;
    int fd;

    if (!descriptor) {
        if (writable && files->layout->read_only)
            return FRESHET_ERROR_PERMISSION;
        /* O_NONBLOCK: a fifo under a payload's name must not hold a worker for ever. */
        enum freshet_error error =
            storage_files_open_file(files, file, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK, &fd);
        if (error == FRESHET_ERROR_NOT_FOUND && writable)
            error = storage_files_create(files, file, &fd);
        if (error)
            return error;
        if (fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
            close(fd);
            return FRESHET_ERROR_REFUSED;
        }
        descriptor = descriptor_add(&files->descriptors, slot, fd, writable);
    }
    *ret_descriptor = descriptor;
    return FRESHET_OK;
}

struct zero_piece *storage_files_zero_piece(struct storage_files *files)
{
    return &files->zero_piece;
}

/* Gives an open file its length and, if so wished, its space. */
static enum freshet_error storage_files_size(int fd, uint64_t length, enum allocation allocation,
                                             bool *ret_changed)
{
    struct stat stat;

    if (fstat(fd, &stat) != 0)
        return posix_error_of_file(errno);
    if (allocation == ALLOCATION_FULL && length > 0 && (uint64_t)stat.st_blocks * 512 < length) {
        *ret_changed = true;
        if (fallocate(fd, 0, 0, (off_t)length) != 0 && errno != EOPNOTSUPP)
            return posix_error_of_file(errno);
    }
    if ((uint64_t)stat.st_size != length) {
        *ret_changed = true;
        if (ftruncate(fd, (off_t)length) != 0)
            return posix_error_of_file(errno);
    }
    return FRESHET_OK;
}

static enum freshet_error storage_files_prepare_file(struct storage_files *files, file_index file)
{
    struct descriptor *descriptor;
    bool changed = false;
    enum freshet_error error = storage_files_hold(files, file, true, &descriptor);

    if (error)
        return error;
    error = storage_files_size(descriptor->fd, files->layout->files[file].length,
                               files->layout->allocation, &changed);
    descriptor_release(descriptor, changed);
    return error;
}

static enum freshet_error storage_files_prepare_symlink(struct storage_files *files,
                                                        file_index file)
{
    const struct storage_file *wish = &files->layout->files[file];
    enum freshet_error error =
        beneath_make_folders(files->root, wish->path, storage_files_on_folder, files);

    if (!error)
        error = beneath_symlink(files->root, wish->path, wish->symlink);
    return error == FRESHET_ERROR_EXISTS ? FRESHET_OK : error;
}

enum freshet_error storage_files_prepare(struct storage_files *files, uint32_t *ret_file)
{
    const struct storage_layout *layout = files->layout;

    if (layout->read_only)
        return FRESHET_OK;
    for (uint32_t i = 0; i < layout->file_count; i++) {
        const struct storage_file *file = &layout->files[i];
        enum freshet_error error = FRESHET_OK;
        if (file->padding || !file->wanted)
            continue;
        if (!file->symlink)
            error = storage_files_prepare_file(files, i);
        else if (layout->make_symlinks)
            error = storage_files_prepare_symlink(files, i);
        if (error) {
            *ret_file = i;
            return error;
        }
    }
    return FRESHET_OK;
}

static int storage_files_compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* fsync of each folder that has a new name in it. */
enum freshet_error storage_files_sync_folders(struct storage_files *files)
{
    enum freshet_error error = FRESHET_OK;

    pthread_mutex_lock(&files->lock);
    char **folders = files->folders;
    size_t count = files->folder_count;
    files->folders = NULL;
    files->folder_count = files->folder_capacity = 0;
    pthread_mutex_unlock(&files->lock);
    if (count > 0)
        qsort(folders, count, sizeof *folders, storage_files_compare_names);
    for (size_t i = 0; i < count; i++) {
        int fd;
        if (i > 0 && strcmp(folders[i], folders[i - 1]) == 0)
            continue;
        enum freshet_error one =
            beneath_open(files->root, folders[i], O_RDONLY | O_DIRECTORY, 0, &fd);
        if (!one) {
            if (fsync(fd) != 0)
                one = posix_error_of_file(errno);
            close(fd);
        }
        /* A folder that somebody removed meanwhile has nothing left to be synced. */
        if (one && one != FRESHET_ERROR_NOT_FOUND) {
            error = one;
            storage_files_note_name(files, folders[i]);
        }
    }
    folder_list_free(folders, count);
    return error;
}

enum freshet_error storage_files_sync(struct storage_files *files, bool all, uint32_t *ret_file)
{
    /* One call for all that an earlier process may have left in the page cache, names included. */
    enum freshet_error whole =
        all && syncfs(files->root) != 0 ? posix_error_of_file(errno) : FRESHET_OK;
    enum freshet_error error = descriptor_set_sync(&files->descriptors, files->root, ret_file);
    enum freshet_error folders = storage_files_sync_folders(files);

    if (*ret_file == files->layout->file_count)
        *ret_file = FILE_PART_STORE;
    if (error)
        return error;
    return folders ? folders : whole;
}

enum freshet_error storage_files_drop_parts(struct storage_files *files)
{
    char folder[LIMIT_PATH_LENGTH + 1];

    descriptor_forget(&files->descriptors, files->layout->file_count);
    enum freshet_error error = beneath_remove(files->root, files->layout->part_name, false);
    if (error == FRESHET_ERROR_NOT_FOUND)
        return FRESHET_OK;
    beneath_folder_of(files->layout->part_name, folder);
    storage_files_note_name(files, folder);
    return error;
}

enum freshet_error storage_files_delete(struct storage_files *files, uint32_t *ret_file)
{
    enum freshet_error error = FRESHET_OK;
    uint32_t count = files->layout->file_count;

    pthread_mutex_lock(&files->lock);
    for (uint32_t slot = 0; slot <= count; slot++) {
        file_index file = slot == count ? FILE_PART_STORE : slot;
        if (!files->created[slot])
            continue;
        struct file_name name;
        descriptor_forget(&files->descriptors, slot);
        storage_files_name(files, file, files->suffixed[slot] != 0, &name);
        enum freshet_error one = beneath_remove(files->root, name.path, false);
        if (one && one != FRESHET_ERROR_NOT_FOUND) {
            error = one;
            *ret_file = file;
        }
        files->created[slot] = 0;
    }
    /* Innermost last made, first removed; one that is not empty holds others' files and stays. */
    for (size_t i = files->made_count; i-- > 0;)
        beneath_remove(files->root, files->made[i], true);
    pthread_mutex_unlock(&files->lock);
    return error;
}

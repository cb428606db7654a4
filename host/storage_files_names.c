/* SPDX-License-Identifier: MIT */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/beneath.h"
#include "host/part_suffix.h"
#include "host/posix_error.h"
#include "host/storage_files_state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

uint32_t storage_files_slot(const struct storage_files *files, file_index file)
{
    if (file == FILE_PART_STORE)
        return files->layout->file_count;
    CHECK(file < files->layout->file_count);
    return file;
}

/* false: the file cannot have that name. */
bool storage_files_name(const struct storage_files *files, file_index file, bool suffixed,
                        struct file_name *ret_name)
{
    ret_name->path =
        file == FILE_PART_STORE ? files->layout->part_name : files->layout->files[file].path;
    ret_name->is_suffixed = suffixed;
    if (!suffixed)
        return true;
    if (!files->may_suffix || file == FILE_PART_STORE ||
        !part_suffix_path(ret_name->path, ret_name->text))
        return false;
    ret_name->path = ret_name->text;
    return true;
}

static bool storage_files_is_suffixed(struct storage_files *files, uint32_t slot)
{
    pthread_mutex_lock(&files->lock);
    bool suffixed = files->suffixed[slot] != 0;
    pthread_mutex_unlock(&files->lock);
    return suffixed;
}

void storage_files_set_suffixed(struct storage_files *files, uint32_t slot, bool suffixed)
{
    pthread_mutex_lock(&files->lock);
    if (suffixed != (files->suffixed[slot] != 0))
        files->suffixed_count += suffixed ? 1 : UINT32_MAX;
    files->suffixed[slot] = suffixed;
    pthread_mutex_unlock(&files->lock);
}

bool storage_files_may_suffix(const struct storage_layout *layout)
{
    for (uint32_t i = 0; i < layout->file_count; i++)
        if (!layout->files[i].padding && part_suffix_is_on(layout->files[i].path))
            return false;
    return true;
}

/* Under its own name, else with ".part". */
enum freshet_error storage_files_stat_file(struct storage_files *files, file_index file,
                                           struct file_stat *ret_stat)
{
    struct file_name name;
    bool found = false;

    for (int suffixed = 0; suffixed < 2 && !found; suffixed++) {
        if (!storage_files_name(files, file, suffixed, &name))
            break;
        enum freshet_error error = beneath_stat(files->root, name.path, ret_stat);
        if (error)
            return error;
        found = ret_stat->exists;
    }
    storage_files_set_suffixed(files, file, found && name.is_suffixed);
    return FRESHET_OK;
}

/* An empty file is complete when it is made. */
bool storage_files_wants_suffix(const struct storage_files *files, file_index file)
{
    return files->layout->part_suffix && file != FILE_PART_STORE &&
           files->layout->files[file].length > 0;
}

/* By the name under which it lay there last, then the other, then the first again: it may get its
 * own name at any moment. */
enum freshet_error storage_files_open_file(struct storage_files *files, file_index file, int flags,
                                           int *ret_fd)
{
    uint32_t slot = storage_files_slot(files, file);
    bool first = storage_files_is_suffixed(files, slot);
    enum freshet_error error = FRESHET_ERROR_NOT_FOUND;

    for (int turn = 0; turn < 3 && error == FRESHET_ERROR_NOT_FOUND; turn++) {
        struct file_name name;
        bool suffixed = turn == 1 ? !first : first;
        if (!storage_files_name(files, file, suffixed, &name))
            continue;
        error = beneath_open(files->root, name.path, flags, 0, ret_fd);
        if (!error)
            storage_files_set_suffixed(files, slot, suffixed);
    }
    return error;
}

/* ---- names of complete files ---- */

const struct storage_layout *storage_files_layout(const struct storage_files *files)
{
    return files->layout;
}

bool storage_files_has_suffixes(struct storage_files *files)
{
    pthread_mutex_lock(&files->lock);
    bool has = files->suffixed_count > 0;
    pthread_mutex_unlock(&files->lock);
    return has;
}

static enum freshet_error storage_files_drop_suffix(struct storage_files *files, uint32_t file)
{
    struct file_name from, to;
    char folder[LIMIT_PATH_LENGTH + 1];
    bool crosses;
    int fd;

    storage_files_name(files, file, false, &to);
    if (!storage_files_name(files, file, true, &from))
        return FRESHET_OK;
    enum freshet_error error = beneath_open(files->root, from.path, O_RDONLY | O_NONBLOCK, 0, &fd);
    if (error)
        return error == FRESHET_ERROR_NOT_FOUND ? FRESHET_OK : error;
    if (fdatasync(fd) != 0)
        error = posix_error_of_file(errno);
    close(fd);
    if (!error)
        error = beneath_rename(&(struct beneath_place){files->root, from.path},
                               &(struct beneath_place){files->root, to.path}, &crosses);
    if (error)
        return error;
    storage_files_set_suffixed(files, file, false);
    beneath_folder_of(to.path, folder);
    storage_files_note_name(files, folder);
    return FRESHET_OK;
}

enum freshet_error storage_files_drop_suffixes(struct storage_files *files, const uint8_t *complete)
{
    enum freshet_error error = FRESHET_OK;
    bool any = false;

    for (uint32_t i = 0; i < files->layout->file_count; i++) {
        if (!complete[i] || !storage_files_is_suffixed(files, i))
            continue;
        enum freshet_error one = storage_files_drop_suffix(files, i);
        any = true;
        error = error ? error : one;
    }
    enum freshet_error folders = any ? storage_files_sync_folders(files) : FRESHET_OK;
    return error ? error : folders;
}

static bool has_piece(struct bytes pieces, piece_index piece)
{
    return piece / 8 < pieces.length && (pieces.data[piece / 8] & (0x80u >> piece % 8));
}

enum freshet_error storage_files_drop_recorded(struct storage_files *files, struct bytes pieces)
{
    uint8_t *complete;

    if (!storage_files_has_suffixes(files))
        return FRESHET_OK;
    complete = memory_new(files->layout->file_count);
    for (uint32_t i = 0; i < files->layout->file_count; i++) {
        const struct storage_file *file = &files->layout->files[i];
        complete[i] = storage_files_is_suffixed(files, i);
        for (piece_index piece = file->piece_first; piece < file->piece_end && complete[i]; piece++)
            complete[i] = has_piece(pieces, piece);
    }
    enum freshet_error error = storage_files_drop_suffixes(files, complete);
    memory_free(complete);
    return error;
}

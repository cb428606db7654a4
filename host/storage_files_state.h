/* SPDX-License-Identifier: MIT */
/*
 * The inside of a storage's files, shared by the storage_files*.c files and by nobody else.
 *   storage_files.c        the root, opening, making, syncing, removing
 *   storage_files_names.c  under which name a file lies there: its own, or with ".part"
 */
#ifndef FRESHET_HOST_STORAGE_FILES_STATE_H
#define FRESHET_HOST_STORAGE_FILES_STATE_H

#include "host/storage_files.h"

#include <pthread.h>
#include <stdatomic.h>

struct storage_files {
    const struct storage_layout *layout;
    int root;
    atomic_uint users;
    struct descriptor_set descriptors; /* slot file_count is the part store */
    uint64_t *inodes;                  /* a slot: when last asked for, 0: not there */
    struct zero_piece zero_piece;
    bool may_suffix;      /* no file's own name ends like a part's */
    pthread_mutex_t lock; /* of what follows */
    uint8_t *suffixed;    /* one byte a slot: lies there under its name with ".part" */
    uint32_t suffixed_count;
    uint8_t *created; /* one byte a slot: this run made the file */
    char **folders;   /* that got new names since the last sync */
    size_t folder_count, folder_capacity;
    char **made; /* folders that this run made, in order */
    size_t made_count, made_capacity;
};

/* A file's name: its own, or with ".part". */
struct file_name {
    const char *path;
    bool is_suffixed;
    char text[LIMIT_PATH_LENGTH + 1];
};

/* storage_files.c: a folder that has a new name; fsync of all such. */
void storage_files_note_name(struct storage_files *files, const char *folder);
enum freshet_error storage_files_sync_folders(struct storage_files *files);

/* storage_files_names.c */
uint32_t storage_files_slot(const struct storage_files *files, file_index file);
/* false: the file cannot have that name. */
bool storage_files_name(const struct storage_files *files, file_index file, bool suffixed,
                        struct file_name *ret_name);
void storage_files_set_suffixed(struct storage_files *files, uint32_t slot, bool suffixed);
bool storage_files_may_suffix(const struct storage_layout *layout);
/* Is a file that is made now to have the suffix? An empty one is complete at once. */
bool storage_files_wants_suffix(const struct storage_files *files, file_index file);
enum freshet_error storage_files_stat_file(struct storage_files *files, file_index file,
                                           struct file_stat *ret_stat);
enum freshet_error storage_files_open_file(struct storage_files *files, file_index file, int flags,
                                           int *ret_fd);

#endif

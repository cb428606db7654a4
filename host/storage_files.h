/* SPDX-License-Identifier: MIT */
/*
 * The files of one storage below its root: opening, making, reading, writing, syncing, removing.
 * Calls block and are made by workers (and by the sender, for a descriptor that is open already).
 * Safe between threads. A file is named by its file_index; FILE_PART_STORE is the part store.
 */
#ifndef FRESHET_HOST_STORAGE_FILES_H
#define FRESHET_HOST_STORAGE_FILES_H

#include "host/descriptor.h"
#include "host/zero_piece.h"

#include "core/door/door.h"

#include <sys/types.h>
#include <sys/uio.h>

struct storage_files;

/* Where a root was when its progress was recorded. A mount point that lost its disk is on another
 * device, and empty; device 0: not known. */
struct root_identity {
    uint64_t device;
    uint64_t inode;
};

/* Opens (or makes) the root and asks for the state of each file. FRESHET_ERROR_ABSENT: the root is
 * not there, or it is not the one expected and none of the torrent's files is in it. The layout is
 * borrowed. */
enum freshet_error storage_files_open(const struct storage_layout *layout,
                                      const struct root_identity *expected,
                                      struct descriptor_cache *cache, struct file_stat *ret_stats,
                                      uint32_t *ret_file, struct storage_files **ret_files);
/* Counts users, since jobs and senders overlap with DISK_CLOSE; free gives one back. */
struct storage_files *storage_files_share(struct storage_files *files);
void storage_files_free(struct storage_files *files);

void storage_files_identify(const struct storage_files *files, struct root_identity *ret_identity);
/* FRESHET_ERROR_ABSENT: the root's path leads elsewhere now. */
enum freshet_error storage_files_stat(struct storage_files *files, struct file_stat *ret_stats,
                                      uint32_t *ret_file);
enum freshet_error storage_files_prepare(struct storage_files *files, uint32_t *ret_file);
/* all: files that this run has not written too. */
enum freshet_error storage_files_sync(struct storage_files *files, bool all, uint32_t *ret_file);
enum freshet_error storage_files_drop_parts(struct storage_files *files);
enum freshet_error storage_files_delete(struct storage_files *files, uint32_t *ret_file);

/* Files that lie there under their ".part" names (part_suffix.h) while a layout wants that or has
 * wanted it. `complete`, file_count entries: those get their own names, each durable before and
 * after. Another file that has the name by then is left alone, and so is the part. */
bool storage_files_has_suffixes(struct storage_files *files);
enum freshet_error storage_files_drop_suffixes(struct storage_files *files,
                                               const uint8_t *complete);
/* The same of the files all of whose pieces are in a recorded field (wire form). */
enum freshet_error storage_files_drop_recorded(struct storage_files *files, struct bytes pieces);
const struct storage_layout *storage_files_layout(const struct storage_files *files);

/* Holds a file's descriptor until descriptor_release. With `writable` a missing file is made. */
enum freshet_error storage_files_hold(struct storage_files *files, file_index file, bool writable,
                                      struct descriptor **ret_descriptor);

/* What is known of pieces of zeros; the same as long as the files. */
struct zero_piece *storage_files_zero_piece(struct storage_files *files);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The bytes of an extent (core/door/door.h) between block pool and files, and their digests. Calls
 * block; workers make them. A short write goes on or is an error, never a hole of zeros.
 */
#ifndef FRESHET_HOST_EXTENT_IO_H
#define FRESHET_HOST_EXTENT_IO_H

#include "host/block_memory.h"
#include "host/storage_files.h"

/* Each: *ret_file is set where a file was the reason. */
enum freshet_error extent_io_write(struct storage_files *files, const struct block_memory *pool,
                                   const struct extent *extent, uint32_t *ret_file);
enum freshet_error extent_io_read(struct storage_files *files, const struct block_memory *pool,
                                  const struct extent *extent, uint32_t *ret_file);
/* As DISK_HASH of the door. `files` may be NULL when all bytes lie in blocks. */
enum freshet_error extent_io_hash(struct storage_files *files, const struct block_memory *pool,
                                  const struct disk_job *job, uint32_t *ret_file);
/* Copies the extent's one range to another. */
enum freshet_error extent_io_copy(struct storage_files *files, const struct file_range *from,
                                  const struct file_range *to, uint32_t *ret_file);

/* A stretch of an open file that is held (descriptor_release ends it); NULL: zeros. */
struct held_range {
    struct descriptor *descriptor;
    uint64_t offset;
    uint32_t length;
};
/* Brings the bytes of ranges together in `to`, one file open at a time. */
enum freshet_error extent_io_gather(struct storage_files *files, const struct file_range *ranges,
                                    uint32_t range_count, uint8_t *to);
/* Reads them only to have them in the page cache. */
enum freshet_error extent_io_warm(const struct held_range *ranges, uint32_t range_count);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * One process a torrent and root, whatever states the processes keep: a lock on the root folder's
 * own descriptor, so that nothing is left in the folder and the lock ends with the process.
 *
 * Many torrents share a root, and flock takes a folder whole; so it is a record lock. Those of
 * folders can be shared ones only (they cannot be opened for writing), hence the rule: take a
 * shared lock, then look whether another process has one in the same span. Two that come at once
 * may both see one another and both give way; never do both stay. The info-hash chooses the span,
 * the process id the byte in it, which is how the other one is known by name. The locks are those
 * of the open file description: others would end when any descriptor of the folder is closed.
 */
#ifndef FRESHET_HOST_ROOT_LOCK_H
#define FRESHET_HOST_ROOT_LOCK_H

#include "core/base/error.h"

#include <stdint.h>
#include <sys/types.h>

/* `root`: a descriptor of the folder, open for reading; the lock lasts until it is closed.
 * FRESHET_ERROR_BUSY: *ret_pid has it. File systems without such locks let everybody in. */
enum freshet_error root_lock_take(int root, const uint8_t info_hash[32], pid_t *ret_pid);
/* Only looks; a folder that is not there is free. */
enum freshet_error root_lock_look(const char *root, const uint8_t info_hash[32], pid_t *ret_pid);

#endif

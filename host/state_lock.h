/* SPDX-License-Identifier: MIT */
/* A lock file that names its holder; it ends with the process, however that ends. */
#ifndef FRESHET_HOST_STATE_LOCK_H
#define FRESHET_HOST_STATE_LOCK_H

#include "core/base/error.h"

#include <sys/types.h>

/* FRESHET_ERROR_BUSY: *ret_pid holds it (0 when that cannot be told). */
enum freshet_error state_lock_take(const char *path, int *ret_lock, pid_t *ret_pid);
void state_lock_release(int lock);

#endif

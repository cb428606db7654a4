/* SPDX-License-Identifier: MIT */
/* One name for one folder, however a person wrote it: records and locks are keyed by it. */
#ifndef FRESHET_HOST_ROOT_PATH_H
#define FRESHET_HOST_ROOT_PATH_H

#include "core/base/error.h"
#include "core/base/limits.h"

/* Absolute, without symlinks and dots as far as the path exists; what does not exist yet is kept as
 * written (dots in it are FRESHET_ERROR_USAGE). */
enum freshet_error root_path_resolve(const char *path, char ret_root[LIMIT_PATH_LENGTH + 1]);
/* Makes the folder and those above it, each name synced: whoever loses power right after the first
 * barrier still finds it. */
enum freshet_error root_path_make(const char *root);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The names of files that are not complete: ".part" behind the name. A file is looked for under
 * both names, whatever the settings say now, since they may have been others when it was made. A
 * torrent that has files of such names itself goes without: "a.part" would be two files.
 */
#ifndef FRESHET_HOST_PART_SUFFIX_H
#define FRESHET_HOST_PART_SUFFIX_H

#include "core/base/limits.h"

#include <stdbool.h>

#define PART_SUFFIX ".part"

/* Does the path end like one? */
bool part_suffix_is_on(const char *path);
/* The path with it; false: no file can have so long a name. */
bool part_suffix_path(const char *path, char ret_path[LIMIT_PATH_LENGTH + 1]);

#endif

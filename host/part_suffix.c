/* SPDX-License-Identifier: MIT */
#include "host/part_suffix.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool part_suffix_is_on(const char *path)
{
    size_t length = strlen(path), tail = sizeof PART_SUFFIX - 1;

    return length >= tail && strcasecmp(path + length - tail, PART_SUFFIX) == 0;
}

bool part_suffix_path(const char *path, char ret_path[LIMIT_PATH_LENGTH + 1])
{
    const char *slash = strrchr(path, '/');
    size_t length = strlen(path), name = slash ? strlen(slash + 1) : length;
    size_t tail = sizeof PART_SUFFIX - 1;

    if (length + tail > LIMIT_PATH_LENGTH || name + tail > LIMIT_PATH_ELEMENT)
        return false;
    snprintf(ret_path, LIMIT_PATH_LENGTH + 1, "%s" PART_SUFFIX, path);
    return true;
}

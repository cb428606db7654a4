/* SPDX-License-Identifier: MIT */
#include "cli/file_choice.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "cli/message.h"
#include "cli/units.h"
#include "core/base/memory.h"

#define PRIORITY_NORMAL 4

/* The path without the torrent's own folder in front. */
static const char *inner_path(const struct metainfo *metainfo, const char *path)
{
    const char *slash = metainfo->single_file ? NULL : strchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool matches_glob(const struct command_call *call, const struct metainfo *metainfo,
                         const char *path)
{
    const char *slash = strrchr(path, '/');

    for (size_t i = 0; i < command_value_count(call, "only"); i++) {
        const char *glob = command_value_at(call, "only", i);
        if (fnmatch(glob, path, 0) == 0 || fnmatch(glob, inner_path(metainfo, path), 0) == 0 ||
            (slash && fnmatch(glob, slash + 1, 0) == 0))
            return true;
    }
    return false;
}

enum exit_code file_choice_priorities(const struct command_call *call,
                                      const struct metainfo *metainfo, uint8_t **ret_priorities)
{
    const char *numbers = command_value(call, "select");
    bool by_glob = command_value_count(call, "only") > 0;
    struct units_range *ranges = NULL;
    size_t range_count = 0, chosen = 0;
    uint32_t number = 0;

    *ret_priorities = NULL;
    if (!numbers && !by_glob)
        return EXIT_CODE_OK;
    if (numbers && !units_parse_ranges(numbers, &ranges, &range_count))
        return (enum exit_code)command_usage_error("-s '%.60s' is no list of numbers (1,3-5)",
                                                   numbers);
    uint8_t *priorities = memory_new(metainfo->geometry.file_count);
    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        const struct metainfo_file *file = &metainfo->files[i];
        if (file->padding)
            continue;
        number++;
        bool wanted = (numbers && units_ranges_have(ranges, range_count, number)) ||
                      (by_glob && matches_glob(call, metainfo, file->path));
        priorities[i] = wanted ? PRIORITY_NORMAL : 0;
        chosen += wanted;
    }
    free(ranges);
    if (chosen == 0) {
        memory_free(priorities);
        message_error("no file of the torrent was chosen (--list shows them)");
        return EXIT_CODE_USAGE;
    }
    *ret_priorities = priorities;
    return EXIT_CODE_OK;
}

enum exit_code file_choice_of_magnet(const struct magnet *magnet, const struct metainfo *metainfo,
                                     uint8_t **ret_priorities)
{
    uint8_t *priorities = memory_new(metainfo->geometry.file_count);
    size_t chosen = 0;

    for (uint32_t i = 0; i < metainfo->geometry.file_count; i++) {
        bool wanted = !metainfo->files[i].padding && magnet_selects(magnet, i);
        priorities[i] = wanted ? PRIORITY_NORMAL : 0;
        chosen += wanted;
    }
    if (chosen == 0) {
        memory_free(priorities);
        message_error("the link selects no file of its torrent (-s chooses others)");
        return EXIT_CODE_BAD_INPUT;
    }
    *ret_priorities = priorities;
    return EXIT_CODE_OK;
}

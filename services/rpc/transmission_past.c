/* SPDX-License-Identifier: MIT */
/*
 * What torrent-add is told of a torrent that another program had before (`freshet import`). No
 * field of Transmission's: "past", an object of
 *
 *     added_date, done_date, activity_date         unix seconds
 *     uploaded, downloaded, corrupt                bytes
 *     seconds_downloading, seconds_seeding
 *     seed_minutes, super_seed                     wishes that no field of Transmission's has
 *     folder_done                                  where it goes when it is complete
 *     renamed                                      [["album/a.bin", "b.bin"], ...]: names that
 * files have on the disk, one renaming after another
 */
#include "services/rpc/transmission_state.h"

#include <string.h>

#define SECONDS_MAX INT64_C(100000000000)

static int64_t whole(const json_t *past, const char *key, int64_t most)
{
    const json_t *value = json_object_get(past, key);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    return number < 0 ? 0 : number > most ? most : number;
}

static uint64_t sum(const json_t *past, const char *key)
{
    return (uint64_t)whole(past, key, INT64_MAX / 2);
}

static void read_wishes(const json_t *past, struct catalog_wishes *wishes)
{
    const json_t *minutes = json_object_get(past, "seed_minutes");
    if (json_is_integer(minutes) && json_integer_value(minutes) >= 0)
        wishes->seed_time_s = 60 * whole(past, "seed_minutes", SECONDS_MAX / 60);
    if (json_is_true(json_object_get(past, "super_seed")))
        wishes->super_seed = true;
}

static bool read_renamings(struct transmission_request *request, const json_t *list,
                           struct catalog_past *past)
{
    size_t count = json_array_size(list);
    const char **paths = call_arena_take(&request->arena, (count + 1) * sizeof *paths);
    const char **names = call_arena_take(&request->arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++) {
        const json_t *pair = json_array_get(list, i);
        paths[i] = json_string_value(json_array_get(pair, 0));
        names[i] = json_string_value(json_array_get(pair, 1));
        if (!paths[i] || !names[i] || strlen(paths[i]) > LIMIT_PATH_LENGTH) {
            transmission_rpc_fail(request, FAULT_ARGUMENTS, "past.renamed: pairs of path and name");
            return false;
        }
    }
    past->renamed_paths = paths;
    past->renamed_names = names;
    past->renamed_count = (uint32_t)count;
    return true;
}

bool transmission_past_read(struct transmission_request *request, struct catalog_past *ret_past,
                            struct catalog_wishes *wishes)
{
    const json_t *past = transmission_arguments_find(request, "past");
    if (!past)
        return false;
    if (!request->is_local || !json_is_object(past)) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS,
                              request->is_local ? "past: is no object"
                                                : "past: is taken of this machine's users only");
        return false;
    }
    *ret_past = (struct catalog_past){
        .added_s = whole(past, "added_date", SECONDS_MAX),
        .done_s = whole(past, "done_date", SECONDS_MAX),
        .active_s = whole(past, "activity_date", SECONDS_MAX),
        .uploaded = sum(past, "uploaded"),
        .downloaded = sum(past, "downloaded"),
        .corrupt = sum(past, "corrupt"),
        .seconds_downloading = (uint64_t)whole(past, "seconds_downloading", SECONDS_MAX),
        .seconds_seeding = (uint64_t)whole(past, "seconds_seeding", SECONDS_MAX),
        .folder_done = json_string_value(json_object_get(past, "folder_done")),
    };
    if (ret_past->folder_done && strlen(ret_past->folder_done) > LIMIT_PATH_LENGTH) {
        transmission_rpc_fail(request, FAULT_PATH, "past.folder_done: is too long");
        return false;
    }
    read_wishes(past, wishes);
    return read_renamings(request, json_object_get(past, "renamed"), ret_past);
}

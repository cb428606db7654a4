/* SPDX-License-Identifier: MIT */
/* torrent-set: whatever a person may change of torrents, one torrent after another. What makes no
 * sense for one stops there, and the answer says why. */
#include "core/base/memory.h"
#include "services/rpc/transmission_trackers.h"

#include <string.h>

struct transmission_set {
    const char **labels;
    uint32_t label_count;
    bool has_labels;
    bool is_location_checked;
    bool content_asked; /* of the torrent that is being changed */
    struct transmission_trackers trackers;
};

void transmission_set_prepare(struct transmission_request *request)
{
    struct transmission_set *set = memory_new(sizeof *set);
    request->work = set;
    transmission_ids_prepare(request);
    set->has_labels = transmission_arguments_labels(request, &set->labels, &set->label_count);
}

void transmission_set_release(struct transmission_request *request)
{
    memory_free(request->work);
}

static void set_wishes(struct transmission_request *request, struct service_world *world,
                       const struct catalog_torrent *row)
{
    struct catalog_wishes wishes = row->wishes;
    if (transmission_arguments_wishes(request, &wishes))
        catalog_set_wishes(world->catalog, row->id, &wishes, world->now);
}

static bool asks_for_files(const struct transmission_request *request)
{
    static const char *const keys[] = {"files_wanted", "files_unwanted", "priority_high",
                                       "priority_low", "priority_normal"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_is_array(transmission_arguments_find(request, keys[i])))
            return true;
    return false;
}

static void set_files(struct transmission_request *request, struct service_world *world,
                      const struct catalog_torrent *row)
{
    if (!asks_for_files(request))
        return;
    uint8_t *priorities = memory_new(row->file_count);
    if (row->priorities)
        memcpy(priorities, row->priorities, row->file_count);
    else
        memset(priorities, CATALOG_PRIORITY_NORMAL, row->file_count);
    if (transmission_arguments_priorities(request, priorities, row->file_count)) {
        enum freshet_error error =
            catalog_set_priorities(world->catalog, row->id, priorities, world->now);
        if (error)
            transmission_rpc_fail_error(
                request, error, "files can't be chosen",
                row->metadata_missing ? "which files it has is not known yet" : NULL);
    }
    memory_free(priorities);
}

static void set_location(struct transmission_request *request, struct service_world *world,
                         torrent_id id)
{
    struct transmission_set *set = request->work;
    const char *folder = transmission_arguments_text(request, "location");
    if (!folder)
        return;
    if (!set->is_location_checked &&
        !transmission_folder_allowed(request, catalog_settings(world->catalog), folder))
        return;
    set->is_location_checked = true;
    enum freshet_error error = catalog_relocate(world->catalog, id, folder, true, world->now);
    if (error)
        transmission_rpc_fail_error(request, error, "the torrent can't be moved there", NULL);
}

static bool is_default(const struct catalog_settings *settings, const struct metainfo *metainfo,
                       struct bytes url)
{
    bool found = false;
    for (uint32_t i = 0; metainfo && i < metainfo->tracker_count; i++)
        if (bytes_equal(metainfo->trackers[i], url))
            return false;
    for (uint32_t i = 0; i < settings->default_tracker_count && !found; i++) {
        const char *text = settings->default_trackers[i];
        found = bytes_equal((struct bytes){(const uint8_t *)text, strlen(text)}, url);
    }
    return found;
}

/* Of one that runs. Those that all torrents have come last in torrent-get, and are not its own. */
static void list_running(struct transmission_request *request, const struct service_world *world,
                         const struct catalog_torrent *row, const struct metainfo *metainfo,
                         struct transmission_trackers *trackers)
{
    struct tracker_status *known = memory_new_array(LIMIT_TRACKERS_MAX, sizeof known[0]);
    uint32_t count = engine_torrent_trackers(world->engine, row->id, known, LIMIT_TRACKERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (is_default(catalog_settings(world->catalog), metainfo, known[i].url))
            continue;
        trackers->urls[trackers->count] = call_arena_bytes(&request->arena, known[i].url);
        trackers->tiers[trackers->count++] = known[i].tier;
    }
    memory_free(known);
}

/* The list that the torrent has now, as torrent-get tells it. */
static void list_trackers(struct transmission_request *request, const struct service_world *world,
                          const struct catalog_torrent *row, const struct metainfo *metainfo,
                          struct transmission_trackers *trackers)
{
    struct magnet *magnet = NULL;
    char reason[METAINFO_REASON_SIZE];
    struct torrent_status status;
    trackers->count = 0;
    if (row->open && !row->closing && engine_torrent_status(world->engine, row->id, &status)) {
        list_running(request, world, row, metainfo, trackers);
        return;
    }
    for (uint32_t i = 0; metainfo && i < metainfo->tracker_count; i++) {
        trackers->urls[i] = call_arena_bytes(&request->arena, metainfo->trackers[i]);
        trackers->tiers[i] = metainfo->tracker_tiers[i];
        trackers->count++;
    }
    if (!metainfo && row->magnet &&
        magnet_parse((struct bytes){(const uint8_t *)row->magnet, strlen(row->magnet)}, &magnet,
                     reason) == FRESHET_OK) {
        for (uint32_t i = 0; i < magnet->tracker_count; i++) {
            trackers->urls[i] = call_arena_text(&request->arena, magnet->trackers[i]);
            trackers->tiers[i] = i;
            trackers->count++;
        }
        magnet_free(magnet);
    }
}

/* false: its content has to be read first. */
static bool set_trackers(struct transmission_request *request, struct service_world *world,
                         const struct catalog_torrent *row)
{
    struct transmission_set *set = request->work;
    struct service_content content = {0};
    set->trackers.count = 0;
    if (transmission_trackers_builds_on_old(request)) {
        bool is_known = row->metadata_missing || world->content(world->context, row->id, &content);
        if (!is_known && !set->content_asked)
            return false;
        if (!is_known) {
            transmission_rpc_fail(request, FAULT_SYSTEM, "the torrent's trackers can't be read");
            return true;
        }
        list_trackers(request, world, row, content.metainfo, &set->trackers);
    }
    transmission_trackers_apply(request, &set->trackers);
    if (request->fault)
        return true;
    enum freshet_error error =
        catalog_set_trackers(world->catalog, row->id, set->trackers.urls, set->trackers.tiers,
                             set->trackers.count, world->now);
    if (error)
        transmission_rpc_fail_error(request, error, "the trackers can't be changed", NULL);
    return true;
}

/* What may fail comes before what may not, so that less is done by halves. */
static bool set_one(struct transmission_request *request, struct service_world *world,
                    const struct catalog_torrent *row)
{
    struct transmission_set *set = request->work;
    torrent_id id = row->id;
    uint32_t position;
    if (transmission_trackers_asked(request) && !set_trackers(request, world, row))
        return false;
    if (request->fault == FAULT_NONE)
        set_files(request, world, row);
    if (request->fault == FAULT_NONE)
        set_location(request, world, id);
    if (request->fault)
        return true;
    const char *group = transmission_arguments_text(request, "group");
    enum freshet_error error = group ? catalog_set_group(world->catalog, id, group, world->now) : 0;
    if (error) {
        transmission_rpc_fail_error(request, error, "it can't be put into that group", NULL);
        return true;
    }
    set_wishes(request, world, row);
    if (set->has_labels)
        catalog_set_labels(world->catalog, id, set->labels, set->label_count, world->now);
    if (transmission_arguments_u32(request, "queue_position", UINT32_MAX, &position))
        catalog_queue_set(world->catalog, id, position, world->now);
    return true;
}

enum service_step transmission_set_step(struct transmission_request *request,
                                        struct service_world *world,
                                        struct transmission_slice *slice, struct service_job *job)
{
    struct transmission_set *set = request->work;
    if (!transmission_ids_choose(request, world, slice))
        return SERVICE_AGAIN;
    while (request->at < request->ids.count && request->fault == FAULT_NONE) {
        torrent_id id = request->ids.list[request->at];
        const struct catalog_torrent *row = transmission_ids_find(world, id);
        if (row && !set_one(request, world, row)) {
            set->content_asked = true;
            return transmission_rpc_job(job, JOB_CONTENT, id, NULL);
        }
        set->content_asked = false;
        request->at++;
        if (request->at < request->ids.count && slice->clock() >= slice->until_ns)
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

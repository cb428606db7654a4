/* SPDX-License-Identifier: MIT */
/* What is done to torrents: start, stop, verify, reannounce, remove, move, rename, queue. */
#include "services/rpc/transmission_state.h"

#include <string.h>

enum { STAGE_NEW, STAGE_CHOSEN, STAGE_ASKED };

typedef void (*torrent_act)(struct transmission_request *request, struct service_world *world,
                            torrent_id id);

/* true: request->ids are the torrents that are meant. false: *ret_step is what comes of it. */
static bool choose(struct transmission_request *request, struct service_world *world,
                   struct transmission_slice *slice, enum service_step *ret_step)
{
    if (request->stage == STAGE_NEW) {
        transmission_ids_prepare(request);
        request->stage = STAGE_CHOSEN;
    }
    *ret_step = request->fault ? SERVICE_DONE : SERVICE_AGAIN;
    return !request->fault && transmission_ids_choose(request, world, slice);
}

/* One act after another, as long as there is time; a torrent that has gone meanwhile is done. */
static enum service_step each(struct transmission_request *request, struct service_world *world,
                              struct transmission_slice *slice, torrent_act act)
{
    enum service_step step;
    if (!choose(request, world, slice, &step))
        return step;
    while (request->at < request->ids.count && request->fault == FAULT_NONE) {
        torrent_id id = request->ids.list[request->at++];
        if (transmission_ids_find(world, id))
            act(request, world, id);
        if (request->at < request->ids.count && transmission_rpc_is_over(slice))
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

static void start(struct transmission_request *request, struct service_world *world, torrent_id id)
{
    (void)request;
    catalog_start(world->catalog, id, false, world->now);
}

static void start_now(struct transmission_request *request, struct service_world *world,
                      torrent_id id)
{
    (void)request;
    catalog_start(world->catalog, id, true, world->now);
}

static void stop(struct transmission_request *request, struct service_world *world, torrent_id id)
{
    (void)request;
    catalog_stop(world->catalog, id, world->now);
}

static void verify(struct transmission_request *request, struct service_world *world, torrent_id id)
{
    (void)request;
    catalog_recheck(world->catalog, id, world->now);
}

static void reannounce(struct transmission_request *request, struct service_world *world,
                       torrent_id id)
{
    (void)request;
    catalog_reannounce(world->catalog, id, world->now);
}

static void remove_one(struct transmission_request *request, struct service_world *world,
                       torrent_id id)
{
    bool delete_data = false;
    transmission_arguments_bool(request, "delete_local_data", &delete_data);
    catalog_remove(world->catalog, id, delete_data, world->now);
}

static void locate(struct transmission_request *request, struct service_world *world, torrent_id id)
{
    const char *folder = transmission_arguments_text(request, "location");
    bool move = false;
    transmission_arguments_bool(request, "move", &move);
    enum freshet_error error = catalog_relocate(world->catalog, id, folder, move, world->now);
    if (error)
        transmission_rpc_fail_error(request, error, "the torrent can't be moved there", NULL);
}

enum service_step transmission_torrents_start(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job)
{
    (void)job;
    return each(request, world, slice, start);
}

enum service_step transmission_torrents_start_now(struct transmission_request *request,
                                                  struct service_world *world,
                                                  struct transmission_slice *slice,
                                                  struct service_job *job)
{
    (void)job;
    return each(request, world, slice, start_now);
}

enum service_step transmission_torrents_stop(struct transmission_request *request,
                                             struct service_world *world,
                                             struct transmission_slice *slice,
                                             struct service_job *job)
{
    (void)job;
    return each(request, world, slice, stop);
}

enum service_step transmission_torrents_verify(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job)
{
    (void)job;
    return each(request, world, slice, verify);
}

enum service_step transmission_torrents_reannounce(struct transmission_request *request,
                                                   struct service_world *world,
                                                   struct transmission_slice *slice,
                                                   struct service_job *job)
{
    (void)job;
    return each(request, world, slice, reannounce);
}

enum service_step transmission_torrents_remove(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job)
{
    (void)job;
    return each(request, world, slice, remove_one);
}

enum service_step transmission_torrents_locate(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job)
{
    (void)job;
    const char *folder = transmission_arguments_text(request, "location");
    if (!folder)
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "no location");
    else if (request->stage == STAGE_NEW)
        transmission_folder_allowed(request, catalog_settings(world->catalog), folder);
    return request->fault ? SERVICE_DONE : each(request, world, slice, locate);
}

static void answer_rename(struct transmission_request *request, torrent_id id, const char *path,
                          const char *name)
{
    struct json_writer writer;
    json_writer_init(&writer, &request->result);
    json_writer_open(&writer, '{');
    json_writer_put_u64(&writer, "id", id);
    json_writer_put_text(&writer, "name", name);
    json_writer_put_text(&writer, "path", path);
    json_writer_close(&writer, '}');
}

/* A path that is not there would only be found out when the torrent has been closed for it. */
static void rename_one(struct transmission_request *request, struct service_world *world,
                       const struct metainfo *metainfo, torrent_id id)
{
    const char *path = transmission_arguments_text(request, "path");
    const char *name = transmission_arguments_text(request, "name");
    enum freshet_error error = metainfo ? metainfo_rename_judge(metainfo, path, name) : FRESHET_OK;
    if (!error)
        error = catalog_rename(world->catalog, id, path, name, world->now);
    if (error)
        transmission_rpc_fail_error(request, error, "the path can't be renamed",
                                    error == FRESHET_ERROR_NOT_FOUND ? "it is not in the torrent"
                                                                     : NULL);
    else
        answer_rename(request, id, path, name);
}

enum service_step transmission_torrents_rename(struct transmission_request *request,
                                               struct service_world *world,
                                               struct transmission_slice *slice,
                                               struct service_job *job)
{
    struct service_content content = {0};
    enum service_step step;
    if (!transmission_arguments_text(request, "path") ||
        !transmission_arguments_text(request, "name")) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "path and name are needed");
        return SERVICE_DONE;
    }
    if (!choose(request, world, slice, &step))
        return step;
    const struct catalog_torrent *row =
        request->ids.count == 1 ? transmission_ids_find(world, request->ids.list[0]) : NULL;
    if (!row) {
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "a path of one torrent only is renamed");
        return SERVICE_DONE;
    }
    if (!row->metadata_missing && !world->content(world->context, row->id, &content)) {
        if (request->stage == STAGE_ASKED) {
            transmission_rpc_fail_error(request, job->error, "what is in it can't be read",
                                        job->error_text);
            return SERVICE_DONE;
        }
        request->stage = STAGE_ASKED;
        return transmission_rpc_job(job, JOB_CONTENT, row->id, NULL);
    }
    rename_one(request, world, content.metainfo, row->id);
    return SERVICE_DONE;
}

/* The torrents of a move are moved together: their order among themselves stays. */
enum service_step transmission_torrents_queue(struct transmission_request *request,
                                              struct service_world *world,
                                              struct transmission_slice *slice,
                                              struct service_job *job)
{
    static const struct {
        const char *name;
        enum catalog_queue_move move;
    } moves[] = {{"queue_move_top", QUEUE_TOP},
                 {"queue_move_up", QUEUE_UP},
                 {"queue_move_down", QUEUE_DOWN},
                 {"queue_move_bottom", QUEUE_BOTTOM}};
    enum service_step step;
    (void)job;
    if (!choose(request, world, slice, &step))
        return step;
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++)
        if (strcmp(request->method->new_name, moves[i].name) == 0)
            catalog_queue_move(world->catalog, request->ids.list, request->ids.count, moves[i].move,
                               world->now);
    return SERVICE_DONE;
}

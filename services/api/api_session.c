/* SPDX-License-Identifier: MIT */
#include "services/api/api_session.h"

#include "core/base/memory.h"
#include "services/api/api_fields.h"
#include "services/api/api_row.h"

/* ---- settings: GET, or PATCH with a body ---- */

struct settings {
    struct catalog_settings copy;
};

void api_session_settings_prepare(struct api_call *call)
{
    call->state = memory_new(sizeof(struct settings));
    const char *name;
    json_t *value;
    json_object_foreach(call->body, name, value) if (!api_fields_have(api_fields_settings, name))
        api_fail(call, 400, "%.80s: there is no such setting", name);
}

enum service_step api_session_settings_step(struct api_call *call, struct api_turn *turn)
{
    struct settings *settings = call->state;
    struct catalog *catalog = turn->world->catalog;
    if (call->stage == 0) {
        call->stage = 1;
        struct catalog_settings told = service_settings(turn->world);
        catalog_settings_copy(call->route->changes ? catalog_settings(catalog) : &told,
                              &settings->copy);
        if (!call->is_control)
            catalog_settings_hide_urls(&settings->copy);
        if (!call->route->changes)
            return SERVICE_DONE;
        api_fields_read(api_fields_settings, call, call->body, catalog, &settings->copy);
        if (api_failed(call))
            return SERVICE_DONE;
        catalog_set_settings(catalog, &settings->copy, turn->world->now);
    }
    return api_saved(call, turn);
}

void api_session_settings_write(struct api_call *call, struct json_writer *json)
{
    const struct settings *settings = call->state;
    api_fields_write(api_fields_settings, &settings->copy, json);
}

void api_session_settings_end(struct api_call *call)
{
    struct settings *settings = call->state;
    if (settings)
        catalog_settings_deinit(&settings->copy);
    memory_free(settings);
}

/* ---- statistics ---- */

struct stats {
    const char *version, *state_trouble;
    uint32_t torrents, blocklist_rules;
    uint64_t uploaded, downloaded, seconds, sessions, files_added;
    uint64_t uploaded_run, downloaded_run, seconds_run, files_added_run;
    uint64_t rate_down, rate_up, peers;
};

enum service_step api_session_stats_step(struct api_call *call, struct api_turn *turn)
{
    const struct service_world *world = turn->world;
    struct stats *stats = call->state;
    if (!stats) {
        stats = call->state = call_arena_take(&call->arena, sizeof *stats);
        *stats = (struct stats){
            .version = call_arena_text(&call->arena, world->version),
            .state_trouble = call_arena_text(&call->arena, world->state_trouble),
            .torrents = catalog_count(world->catalog),
            .blocklist_rules = world->blocklist_rules,
            .uploaded = world->bytes_up_all,
            .downloaded = world->bytes_down_all,
            .seconds = world->seconds_active,
            .sessions = world->sessions,
            .files_added = world->files_added,
            .uploaded_run = world->bytes_up_run,
            .downloaded_run = world->bytes_down_run,
            .seconds_run = world->seconds_run,
            .files_added_run = world->files_added_run,
        };
    }
    /* Rows that come or go meanwhile may be missed or counted twice: these are rates. */
    while (call->at < catalog_count(world->catalog)) {
        const struct catalog_torrent *torrent = catalog_at(world->catalog, call->at++);
        if (torrent->open) {
            stats->rate_down += torrent->status.download_rate;
            stats->rate_up += torrent->status.upload_rate;
            stats->peers += torrent->status.peers;
        }
        if (call->at % 64 == 0 && api_late(turn))
            return SERVICE_AGAIN;
    }
    return SERVICE_DONE;
}

void api_session_stats_write(struct api_call *call, struct json_writer *json)
{
    const struct stats *stats = call->state;
    json_writer_put_text(json, "version", stats->version);
    json_writer_put_u64(json, "torrents", stats->torrents);
    json_writer_put_u64(json, "peers", stats->peers);
    json_writer_put_u64(json, "rate_down", stats->rate_down);
    json_writer_put_u64(json, "rate_up", stats->rate_up);
    json_writer_put_u64(json, "uploaded", stats->uploaded);
    json_writer_put_u64(json, "downloaded", stats->downloaded);
    json_writer_put_u64(json, "seconds", stats->seconds);
    json_writer_put_u64(json, "sessions", stats->sessions);
    json_writer_put_u64(json, "files_added", stats->files_added);
    json_writer_put_u64(json, "uploaded_run", stats->uploaded_run);
    json_writer_put_u64(json, "downloaded_run", stats->downloaded_run);
    json_writer_put_u64(json, "seconds_run", stats->seconds_run);
    json_writer_put_u64(json, "files_added_run", stats->files_added_run);
    json_writer_put_u64(json, "blocklist_rules", stats->blocklist_rules);
    api_write_text_or_null(json, "state_trouble", stats->state_trouble);
}

/* ---- the list of blocked addresses ---- */

enum service_step api_session_blocklist_step(struct api_call *call, struct api_turn *turn)
{
    const char *url = catalog_settings(turn->world->catalog)->blocklist_url;
    if (call->waiting) {
        call->waiting = false;
        uint64_t *rules = call->state = call_arena_take(&call->arena, sizeof *rules);
        *rules = turn->job->ret_number;
        if (turn->job->error)
            api_fail(call, 502, "%s", turn->job->error_text);
        return SERVICE_DONE;
    }
    if (!url || !url[0]) {
        api_fail(call, 409, "the settings have no blocklist_url");
        return SERVICE_DONE;
    }
    call->waiting = true;
    *turn->job =
        (struct service_job){.type = JOB_BLOCKLIST, .text = call_arena_text(&call->arena, url)};
    return SERVICE_JOB;
}

void api_session_blocklist_write(struct api_call *call, struct json_writer *json)
{
    const uint64_t *rules = call->state;
    json_writer_put_u64(json, "rules", *rules);
}

/* ---- room on the disk ---- */

struct space {
    const char *folder;
    uint64_t free, total;
};

void api_session_space_prepare(struct api_call *call)
{
    struct space *space = call->state = call_arena_take(&call->arena, sizeof *space);
    *space = (struct space){.folder = api_parameter(call, "folder")};
}

enum service_step api_session_space_step(struct api_call *call, struct api_turn *turn)
{
    struct space *space = call->state;
    if (call->waiting) {
        call->waiting = false;
        if (turn->job->error)
            api_fail(call, 404, "%s", turn->job->error_text);
        space->free = turn->job->ret_free;
        space->total = turn->job->ret_total;
        return SERVICE_DONE;
    }
    const struct catalog_settings *settings = catalog_settings(turn->world->catalog);
    if (!space->folder || !*space->folder)
        space->folder = call_arena_text(&call->arena, settings->download_folder);
    if (!space->folder)
        api_fail(call, 409, "the settings have no download_folder");
    else
        api_folder_allowed(call, turn->world->catalog, "folder", space->folder);
    if (api_failed(call))
        return SERVICE_DONE;
    call->waiting = true;
    *turn->job = (struct service_job){.type = JOB_FREE_SPACE, .text = space->folder};
    return SERVICE_JOB;
}

void api_session_space_write(struct api_call *call, struct json_writer *json)
{
    const struct space *space = call->state;
    json_writer_put_text(json, "folder", space->folder);
    json_writer_put_u64(json, "free", space->free);
    json_writer_put_u64(json, "total", space->total);
}

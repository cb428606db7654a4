/* SPDX-License-Identifier: MIT */
#include "services/api/api.h"

#include "core/base/memory.h"
#include "services/api/api_add.h"
#include "services/api/api_change.h"
#include "services/api/api_dht.h"
#include "services/api/api_intake.h"
#include "services/api/api_log.h"
#include "services/api/api_pipeline.h"
#include "services/api/api_query.h"
#include "services/api/api_session.h"
#include "services/api/api_torrent.h"

#include <string.h>

#define QUERY(method, pattern, streams, action)                                                    \
    {                                                                                              \
        method, pattern, false, streams, action, api_query_prepare, api_query_step,                \
            api_query_write, api_query_end                                                         \
    }
#define ONE(pattern, prepare, name, end)                                                           \
    {                                                                                              \
        "GET", "/torrents/{id}" pattern, false, false, "", prepare, name##_step, name##_write, end \
    }
#define CHANGE(method, pattern, action)                                                            \
    {                                                                                              \
        method, pattern, true, false, action, api_change_prepare, api_change_step,                 \
            api_change_write, NULL                                                                 \
    }
/* Of one by its number, and of many by a list. */
#define ACTION(name)                                                                               \
    CHANGE("POST", "/torrents/{id}/" name, name), CHANGE("POST", "/torrents/" name, name)

static const struct api_route routes[] = {
    QUERY("GET", "/torrents", false, "list"),
    QUERY("GET", "/delta", false, "delta"),
    QUERY("GET", "/events", true, "delta"),
    {"POST", "/torrents", true, false, "", api_add_prepare, api_add_step, api_add_write,
     api_add_end},
    {"POST", "/inspect", true, false, "", api_add_prepare, api_add_inspect_step,
     api_add_inspect_write, api_add_end},
    ONE("", NULL, api_torrent, NULL),
    ONE("/files", api_torrent_files_prepare, api_torrent_files, api_torrent_files_end),
    ONE("/peers", NULL, api_torrent_peers, NULL),
    ONE("/trackers", NULL, api_torrent_trackers, NULL),
    ONE("/pieces", NULL, api_torrent_pieces, NULL),
    ONE("/pipeline", NULL, api_pipeline_torrent, NULL),
    CHANGE("PATCH", "/torrents/{id}", "set"),
    CHANGE("PATCH", "/torrents", "set"),
    CHANGE("DELETE", "/torrents/{id}", "remove"),
    CHANGE("POST", "/torrents/remove", "remove"),
    CHANGE("POST", "/torrents/labels", "labels"),
    ACTION("start"),
    ACTION("stop"),
    ACTION("recheck"),
    ACTION("reannounce"),
    ACTION("move"),
    CHANGE("POST", "/torrents/{id}/rename", "rename"),
    ACTION("queue"),
    {"GET", "/settings", false, false, "", api_session_settings_prepare, api_session_settings_step,
     api_session_settings_write, api_session_settings_end},
    {"PATCH", "/settings", true, false, "", api_session_settings_prepare, api_session_settings_step,
     api_session_settings_write, api_session_settings_end},
    {"GET", "/stats", false, false, "", NULL, api_session_stats_step, api_session_stats_write,
     NULL},
    {"POST", "/blocklist", true, false, "", NULL, api_session_blocklist_step,
     api_session_blocklist_write, NULL},
    {"GET", "/free-space", false, false, "", api_session_space_prepare, api_session_space_step,
     api_session_space_write, NULL},
    {"GET", "/watch", false, false, "watch", NULL, api_intake_list_step, api_intake_list_write,
     NULL},
    {"POST", "/watch", true, false, "watch", api_intake_add_prepare, api_intake_add_step,
     api_intake_add_write, api_intake_add_end},
    {"DELETE", "/watch/{id}", true, false, "watch", NULL, api_intake_remove_step,
     api_intake_remove_write, NULL},
    {"GET", "/feeds", false, false, "feeds", NULL, api_intake_list_step, api_intake_list_write,
     NULL},
    {"POST", "/feeds", true, false, "feeds", api_intake_add_prepare, api_intake_add_step,
     api_intake_add_write, api_intake_add_end},
    {"GET", "/feeds/{id}", false, false, "feeds", NULL, api_intake_items_step,
     api_intake_items_write, NULL},
    {"DELETE", "/feeds/{id}", true, false, "feeds", NULL, api_intake_remove_step,
     api_intake_remove_write, NULL},
    {"GET", "/dht", false, false, "", NULL, api_dht_step, api_dht_write, NULL},
    {"GET", "/pipeline", false, false, "", NULL, api_pipeline_step, api_pipeline_write, NULL},
    {"GET", "/log", false, false, "", api_log_prepare, api_log_step, api_log_write, NULL},
};
#define ROUTE_COUNT (sizeof routes / sizeof *routes)

bool api_route_name(uint32_t index, const char **ret_method, const char **ret_pattern)
{
    if (index >= ROUTE_COUNT)
        return false;
    *ret_method = routes[index].method;
    *ret_pattern = routes[index].pattern;
    return true;
}

/* A number from 1, without leading zeros; 0: it is none. Leaves *text behind it. */
static torrent_id take_id(const char **text)
{
    uint64_t id = 0;
    const char *at = *text;
    while (*at >= '0' && *at <= '9' && (id > 0 || *at != '0') && id <= UINT32_MAX)
        id = id * 10 + (uint64_t)(*at++ - '0');
    *text = at;
    return id <= UINT32_MAX ? (torrent_id)id : 0;
}

static bool path_fits(const char *pattern, const char *path, torrent_id *ret_id)
{
    torrent_id id = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '{') {
            id = take_id(&path);
            if (id == 0)
                return false;
            pattern = strchr(pattern, '}');
        } else if (*pattern != *path++) {
            return false;
        }
    }
    if (*path)
        return false;
    *ret_id = id;
    return true;
}

static void find_route(struct api_call *call, const struct service_request *request)
{
    bool is_path = false;
    for (unsigned i = 0; i < ROUTE_COUNT; i++) {
        torrent_id id;
        if (!path_fits(routes[i].pattern, request->path, &id))
            continue;
        is_path = true;
        if (strcmp(routes[i].method, request->method) == 0) {
            call->route = &routes[i];
            call->id = id;
            return;
        }
    }
    if (is_path)
        api_fail(call, 405, "%.16s is not for this path", request->method);
    else
        api_fail(call, 404, "there is no such path");
}

static void read_body(struct api_call *call, const struct service_request *request)
{
    if (request->body.length == 0)
        return;
    json_error_t error;
    call->body = json_loadb((const char *)request->body.data, request->body.length,
                            JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(call->body))
        api_fail(call, 400, "the body is no JSON object: %.100s", call->body ? "" : error.text);
}

static void *begin(const struct service_request *request)
{
    struct api_call *call = memory_new(sizeof *call);
    call->status = 200;
    call->is_local = request->is_local;
    call->is_control = request->access == ACCESS_CONTROL;
    call->query =
        (struct bytes){call_arena_copy(&call->arena, request->query.data, request->query.length),
                       request->query.length};
    if (request->access == ACCESS_NONE)
        api_fail(call, 401, "a token is wanted");
    else
        find_route(call, request);
    if (call->route && call->route->changes && request->access != ACCESS_CONTROL)
        api_fail(call, 403, "this token may read only");
    if (!api_failed(call))
        read_body(call, request);
    if (!api_failed(call) && call->route->prepare)
        call->route->prepare(call);
    return call;
}

static enum service_step step(void *context, struct service_world *world, int64_t until_ns,
                              int64_t (*clock)(void), struct service_job *job)
{
    struct api_call *call = context;
    struct api_turn turn = {world, until_ns, clock, job};
    if (api_failed(call))
        return SERVICE_DONE;
    return call->route->step(call, &turn);
}

static void write_answer(void *context, struct service_reply *ret_reply)
{
    struct api_call *call = context;
    struct json_writer json;
    struct buffer body = {0};
    json_writer_init(&json, &body);
    ret_reply->content_type = "application/json";
    if (!api_failed(call) && call->route->streams) {
        ret_reply->content_type = "text/event-stream";
        ret_reply->stream = true;
        call->route->write(call, &json);
        call->parts = true;
    } else {
        json_writer_open(&json, '{');
        if (api_failed(call))
            json_writer_put_text(&json, "error", call->error);
        else
            call->route->write(call, &json);
        json_writer_close(&json, '}');
    }
    ret_reply->status = call->status;
    ret_reply->body = body;
}

static void end(void *context)
{
    struct api_call *call = context;
    if (call->route && call->route->end)
        call->route->end(call);
    json_decref(call->body);
    call_arena_deinit(&call->arena);
    memory_free(call);
}

const struct service api_service = {
    .prefix = "/api/v1",
    .begin = begin,
    .step = step,
    .write = write_answer,
    .end = end,
};

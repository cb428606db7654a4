/* SPDX-License-Identifier: MIT */
#include "services/rpc/transmission_rpc.h"

#include "core/base/memory.h"
#include "services/rpc/transmission_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct transmission_call {
    json_t *root; /* NULL: no JSON, or no POST */
    struct transmission_request *requests;
    uint32_t count, at;
    bool is_batch;
    unsigned status;   /* of an answer that is none of the RPC: 404, 405; else 0 */
    bool is_rpc2_text; /* no JSON, but meant as JSON-RPC */
    char text[TRANSMISSION_TEXT];
};

static const struct transmission_method METHODS[] = {
    {"torrent-get", "torrent_get", true, false, transmission_get_prepare, transmission_get_step,
     transmission_get_write, transmission_get_release},
    {"session-get", "session_get", true, false, NULL, transmission_session_get, NULL, NULL},
    {"session-stats", "session_stats", true, false, NULL, transmission_stats_step, NULL,
     transmission_stats_release},
    {"free-space", "free_space", true, false, NULL, transmission_host_free_space, NULL, NULL},
    {"port-test", "port_test", true, false, NULL, transmission_host_port_test, NULL, NULL},
    {"group-get", "group_get", true, false, NULL, transmission_groups_get, NULL, NULL},
    {"torrent-start", "torrent_start", false, true, NULL, transmission_torrents_start, NULL, NULL},
    {"torrent-start-now", "torrent_start_now", false, true, NULL, transmission_torrents_start_now,
     NULL, NULL},
    {"torrent-stop", "torrent_stop", false, true, NULL, transmission_torrents_stop, NULL, NULL},
    {"torrent-verify", "torrent_verify", false, true, NULL, transmission_torrents_verify, NULL,
     NULL},
    {"torrent-reannounce", "torrent_reannounce", false, false, NULL,
     transmission_torrents_reannounce, NULL, NULL},
    {"torrent-set", "torrent_set", false, true, transmission_set_prepare, transmission_set_step,
     NULL, transmission_set_release},
    {"torrent-add", "torrent_add", false, true, transmission_add_prepare, transmission_add_step,
     NULL, transmission_add_release},
    {"torrent-remove", "torrent_remove", false, true, NULL, transmission_torrents_remove, NULL,
     NULL},
    {"torrent-set-location", "torrent_set_location", false, true, NULL,
     transmission_torrents_locate, NULL, NULL},
    {"torrent-rename-path", "torrent_rename_path", false, true, NULL, transmission_torrents_rename,
     NULL, NULL},
    {"session-set", "session_set", false, true, NULL, transmission_session_set, NULL, NULL},
    {"session-close", "session_close", false, false, NULL, transmission_host_close, NULL, NULL},
    {"blocklist-update", "blocklist_update", false, false, NULL, transmission_host_blocklist, NULL,
     NULL},
    {"queue-move-top", "queue_move_top", false, true, NULL, transmission_torrents_queue, NULL,
     NULL},
    {"queue-move-up", "queue_move_up", false, true, NULL, transmission_torrents_queue, NULL, NULL},
    {"queue-move-down", "queue_move_down", false, true, NULL, transmission_torrents_queue, NULL,
     NULL},
    {"queue-move-bottom", "queue_move_bottom", false, true, NULL, transmission_torrents_queue, NULL,
     NULL},
    {"group-set", "group_set", false, true, NULL, transmission_groups_set, NULL, NULL},
};

/* ---- faults ---- */

void transmission_rpc_fail(struct transmission_request *request, enum transmission_fault fault,
                           const char *format, ...)
{
    va_list arguments;
    if (request->fault)
        return;
    request->fault = fault;
    va_start(arguments, format);
    vsnprintf(request->text, sizeof request->text, format, arguments);
    va_end(arguments);
}

void transmission_rpc_fail_error(struct transmission_request *request, enum freshet_error error,
                                 const char *what, const char *text)
{
    transmission_rpc_fail(request, FAULT_SYSTEM, "%s: %.150s", what,
                          text && text[0] ? text : error_text(error));
}

static const char *fault_message(enum transmission_fault fault)
{
    switch (fault) {
    case FAULT_SYNTAX: return "Parse error";
    case FAULT_REQUEST: return "Invalid Request";
    case FAULT_METHOD: return "Method not found";
    case FAULT_ARGUMENTS: return "Invalid params";
    case FAULT_ACCESS: return "Permission denied";
    case FAULT_TRACKER_LIST: return "Invalid tracker list";
    case FAULT_PATH: return "Folder not allowed";
    case FAULT_UNRECOGNIZED: return "unrecognized info";
    case FAULT_FILE_INDEX: return "file index out of range";
    case FAULT_HTTP: return "HTTP error from backend service";
    case FAULT_CORRUPT: return "invalid or corrupt torrent";
    case FAULT_SYSTEM:
    case FAULT_NONE: break;
    }
    return "system error";
}

/* ---- begin ---- */

/* jansson follows brackets by recursion and has a value for each comma: both are counted first. */
static bool is_bounded(struct bytes body)
{
    uint32_t depth = 0, values = 0;
    bool in_text = false;
    for (size_t i = 0; i < body.length; i++) {
        uint8_t character = body.data[i];
        if (in_text) {
            i += character == '\\';
            in_text = character != '"';
            continue;
        }
        in_text = character == '"';
        depth += character == '[' || character == '{';
        depth -= depth > 0 && (character == ']' || character == '}');
        values += character == ',' || character == '[' || character == '{';
        if (depth > TRANSMISSION_DEPTH_MAX || values > TRANSMISSION_VALUES_MAX)
            return false;
    }
    return true;
}

static const struct transmission_method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
        if (strcmp(METHODS[i].old_name, name) == 0 || strcmp(METHODS[i].new_name, name) == 0)
            return &METHODS[i];
    return NULL;
}

static bool is_id(const json_t *id)
{
    return json_is_string(id) || json_is_number(id) || json_is_null(id);
}

/* The envelope of JSON-RPC 2.0. */
static json_t *open_rpc2(struct transmission_request *request, json_t *message)
{
    json_t *id = json_object_get(message, "id");
    const char *version = json_string_value(json_object_get(message, "jsonrpc"));
    request->is_rpc2 = true;
    request->mark = is_id(id) ? id : NULL;
    if (!version || strcmp(version, "2.0") != 0 || (id && !is_id(id)) ||
        !json_is_string(json_object_get(message, "method")))
        transmission_rpc_fail(request, FAULT_REQUEST, "this is no request of JSON-RPC 2.0");
    else
        request->is_notification = id == NULL;
    return json_object_get(message, "params");
}

static json_t *open_old(struct transmission_request *request, json_t *message)
{
    json_t *tag = json_object_get(message, "tag");
    request->mark = json_is_number(tag) || json_is_string(tag) ? tag : NULL;
    if (!json_is_string(json_object_get(message, "method")))
        transmission_rpc_fail(request, FAULT_REQUEST, "no method name");
    return json_object_get(message, "arguments");
}

static void open_request(struct transmission_request *request, json_t *message,
                         const struct service_request *http, bool is_batch)
{
    request->is_local = http->is_local;
    request->is_control = http->access == ACCESS_CONTROL;
    request->arguments = NULL;
    if (!json_is_object(message)) {
        request->is_rpc2 = is_batch;
        transmission_rpc_fail(request, FAULT_REQUEST, "a request is an object");
        return;
    }
    bool is_rpc2 = is_batch || json_object_get(message, "jsonrpc");
    json_t *arguments = is_rpc2 ? open_rpc2(request, message) : open_old(request, message);
    if (request->fault)
        return;
    const char *name = json_string_value(json_object_get(message, "method"));
    const struct transmission_method *method = find_method(name);
    if (!method)
        transmission_rpc_fail(request, FAULT_METHOD, "method name not recognized: %.100s", name);
    else if (arguments && !json_is_null(arguments) && !json_is_object(arguments))
        transmission_rpc_fail(request, FAULT_ARGUMENTS, "%s must be an object",
                              is_rpc2 ? "params" : "arguments");
    else if (http->access != ACCESS_CONTROL && (http->access != ACCESS_READ || !method->reads))
        transmission_rpc_fail(request, FAULT_ACCESS, "this token may not call %.60s", name);
    if (request->fault)
        return;
    request->method = method;
    request->arguments = transmission_arguments_canonical(arguments);
    if (method->prepare)
        method->prepare(request);
}

static void open_body(struct transmission_call *call, const struct service_request *http)
{
    json_error_t error = {0};
    if (is_bounded(http->body))
        call->root = json_loadb((const char *)http->body.data, http->body.length, 0, &error);
    else
        snprintf(error.text, sizeof error.text, "nested too deep, or too many values");
    if (!call->root) {
        struct buffer text = {0};
        buffer_append(&text, http->body.data, http->body.length);
        buffer_append_u8(&text, 0);
        call->is_rpc2_text = strstr((const char *)text.data, "\"jsonrpc\"") != NULL;
        buffer_deinit(&text);
        snprintf(call->text, sizeof call->text, "the request is no JSON: %.160s", error.text);
        return;
    }
    size_t count = json_is_array(call->root) ? json_array_size(call->root) : 1;
    call->is_batch = json_is_array(call->root) && count > 0 && count <= TRANSMISSION_BATCH_MAX;
    call->count = call->is_batch ? (uint32_t)count : 1;
    call->requests = memory_new_array(call->count, sizeof call->requests[0]);
    if (json_is_array(call->root) && !call->is_batch) {
        call->requests[0].is_rpc2 = true;
        transmission_rpc_fail(&call->requests[0], FAULT_REQUEST, "a batch has 1 to %u requests",
                              TRANSMISSION_BATCH_MAX);
        return;
    }
    for (uint32_t i = 0; i < call->count; i++)
        open_request(&call->requests[i],
                     call->is_batch ? json_array_get(call->root, i) : call->root, http,
                     call->is_batch);
}

static void *begin(const struct service_request *request)
{
    struct transmission_call *call = memory_new(sizeof *call);
    if (request->path[0] && strcmp(request->path, "/") != 0)
        call->status = 404;
    else if (strcmp(request->method, "POST") != 0)
        call->status = 405;
    else
        open_body(call, request);
    return call;
}

/* ---- step ---- */

bool transmission_rpc_is_over(struct transmission_slice *slice)
{
    return ++slice->count % 32 == 0 && slice->clock() >= slice->until_ns;
}

enum service_step transmission_rpc_job(struct service_job *job, enum service_job_type type,
                                       torrent_id id, const char *text)
{
    service_job_deinit(job);
    *job = (struct service_job){.type = type, .id = id, .text = text};
    return SERVICE_JOB;
}

/* A wish is answered when a power cut can't undo it any more; one that failed may have done a part
 * of what it was to do, which is saved as well. */
static enum service_step save(struct transmission_request *request, struct service_world *world,
                              struct service_job *job)
{
    uint64_t change = catalog_change(world->catalog);
    if (!request->method->promises || catalog_saved(world->catalog) >= change)
        return SERVICE_DONE;
    request->saving = true;
    transmission_rpc_job(job, JOB_SAVED, 0, NULL);
    job->change = change;
    return SERVICE_JOB;
}

static enum service_step step_request(struct transmission_request *request,
                                      struct service_world *world, struct transmission_slice *slice,
                                      struct service_job *job)
{
    if (!request->method || (request->fault && !request->saving))
        return SERVICE_DONE;
    if (request->saving) {
        if (job->error)
            transmission_rpc_fail_error(request, job->error, "the change can't be saved",
                                        job->error_text);
        return SERVICE_DONE;
    }
    enum service_step step = request->method->step(request, world, slice, job);
    return step == SERVICE_DONE ? save(request, world, job) : step;
}

static enum service_step step(void *call_, struct service_world *world, int64_t until_ns,
                              int64_t (*clock)(void), struct service_job *job)
{
    struct transmission_call *call = call_;
    struct transmission_slice slice = {.until_ns = until_ns, .clock = clock};
    for (; call->at < call->count; call->at++) {
        enum service_step answer = step_request(&call->requests[call->at], world, &slice, job);
        if (answer != SERVICE_DONE)
            return answer;
        if (call->at + 1 < call->count && clock() >= until_ns) {
            call->at++;
            return SERVICE_AGAIN;
        }
    }
    return SERVICE_DONE;
}

/* ---- write ---- */

static void write_mark(struct json_writer *writer, json_t *mark)
{
    char *text = mark ? json_dumps(mark, JSON_ENCODE_ANY) : NULL;
    const char *value = text ? text : "null";
    json_writer_raw(writer, (struct bytes){(const uint8_t *)value, strlen(value)});
    free(text);
}

static void write_result(struct json_writer *writer, struct transmission_request *request)
{
    if (request->result.length && request->fault == FAULT_NONE) {
        json_writer_raw(writer, buffer_bytes(&request->result));
        return;
    }
    json_writer_open(writer, '{');
    if (request->fault == FAULT_NONE && request->method->write)
        request->method->write(request, writer);
    json_writer_close(writer, '}');
}

static void write_error(struct json_writer *writer, enum transmission_fault fault, const char *text)
{
    json_writer_key(writer, "error");
    json_writer_open(writer, '{');
    json_writer_put_i64(writer, "code", fault);
    json_writer_put_text(writer, "message", fault_message(fault));
    json_writer_key(writer, "data");
    json_writer_open(writer, '{');
    json_writer_put_text(writer, "error_string", text);
    json_writer_close(writer, '}');
    json_writer_close(writer, '}');
}

static void write_rpc2(struct json_writer *writer, struct transmission_request *request)
{
    json_writer_open(writer, '{');
    json_writer_put_text(writer, "jsonrpc", "2.0");
    if (request->fault) {
        write_error(writer, request->fault, request->text);
    } else {
        json_writer_key(writer, "result");
        write_result(writer, request);
    }
    json_writer_key(writer, "id");
    write_mark(writer, request->mark);
    json_writer_close(writer, '}');
}

static void write_old(struct json_writer *writer, struct transmission_request *request)
{
    json_writer_open(writer, '{');
    json_writer_key(writer, "arguments");
    write_result(writer, request);
    json_writer_put_text(writer, "result", request->fault ? request->text : "success");
    if (request->mark) {
        json_writer_key(writer, "tag");
        write_mark(writer, request->mark);
    }
    json_writer_close(writer, '}');
}

static void write_no_json(struct json_writer *writer, const struct transmission_call *call)
{
    json_writer_open(writer, '{');
    if (call->is_rpc2_text) {
        json_writer_put_text(writer, "jsonrpc", "2.0");
        write_error(writer, FAULT_SYNTAX, call->text);
        json_writer_key(writer, "id");
        json_writer_raw(writer, BYTES_LITERAL("null"));
    } else {
        json_writer_key(writer, "arguments");
        json_writer_open(writer, '{');
        json_writer_close(writer, '}');
        json_writer_put_text(writer, "result", call->text);
    }
    json_writer_close(writer, '}');
}

static void write_requests(struct json_writer *writer, struct transmission_call *call)
{
    for (uint32_t i = 0; i < call->count; i++) {
        struct transmission_request *request = &call->requests[i];
        if (request->is_notification)
            continue;
        if (request->is_rpc2)
            write_rpc2(writer, request);
        else
            write_old(writer, request);
    }
}

static bool is_silent(const struct transmission_call *call)
{
    for (uint32_t i = 0; i < call->count; i++)
        if (!call->requests[i].is_notification)
            return false;
    return call->count > 0;
}

static void write(void *call_, struct service_reply *ret_reply)
{
    struct transmission_call *call = call_;
    struct json_writer writer;
    json_writer_init(&writer, &ret_reply->body);
    ret_reply->status = call->status ? call->status : is_silent(call) ? 204 : 200;
    ret_reply->content_type = "application/json; charset=UTF-8";
    if (call->status) {
        json_writer_open(&writer, '{');
        json_writer_put_text(&writer, "result",
                             call->status == 404 ? "there is nothing here"
                                                 : "requests are sent by POST");
        json_writer_close(&writer, '}');
        return;
    }
    if (ret_reply->status == 204)
        return;
    if (!call->root) {
        write_no_json(&writer, call);
    } else if (call->is_batch) {
        json_writer_open(&writer, '[');
        write_requests(&writer, call);
        json_writer_close(&writer, ']');
    } else {
        write_requests(&writer, call);
    }
}

/* ---- end ---- */

static void end(void *call_)
{
    struct transmission_call *call = call_;
    if (!call)
        return;
    for (uint32_t i = 0; i < call->count; i++) {
        struct transmission_request *request = &call->requests[i];
        if (request->method && request->method->release)
            request->method->release(request);
        memory_free(request->ids.list);
        call_arena_deinit(&request->arena);
        buffer_deinit(&request->result);
        json_decref(request->arguments);
    }
    memory_free(call->requests);
    json_decref(call->root);
    memory_free(call);
}

const struct service transmission_service = {
    .prefix = "/transmission/rpc", .begin = begin, .step = step, .write = write, .end = end};

/* SPDX-License-Identifier: MIT */
/*
 * GET and HEAD /stream/ID/FILE: a file of a torrent, whole or one range of it, while it comes. The
 * connection sleeps until the next bytes are verified and read, so that there are never holes; a
 * reader that goes away meanwhile is noticed by a look at its socket.
 */
#include "host/rpc_server_state.h"

#include "core/base/memory.h"
#include "services/stream/stream_key.h"
#include "services/stream/stream_range.h"
#include "services/stream/stream_type.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "/stream/"
#define KEY    "key="
#define PART   ((size_t)64 * KIB)
#define POLICY                                                                                     \
    "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; sandbox"
#define TEXT_MAX 128
#define PAUSE_S  1800u /* that a player may read nothing; then it asks anew */

struct rpc_file_reply {
    struct rpc_file file;
    struct rpc_reader *reader;
    uint64_t first, count; /* of the file: what is answered */
    const uint8_t *bytes;  /* read and not sent yet */
    size_t length;
    bool is_reading, has_ended;
};

/* Digits up to a slash or the end; false: none, or too many. */
static bool read_number(const char **at, uint32_t *ret_number)
{
    uint64_t number = 0;
    const char *text = *at;

    for (; *text >= '0' && *text <= '9' && number <= UINT32_MAX; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    bool is_number = text != *at && number <= UINT32_MAX;
    *at = text;
    *ret_number = (uint32_t)number;
    return is_number;
}

static bool read_path(const char *path, uint32_t *ret_id, uint32_t *ret_file)
{
    if (strncmp(path, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    path += sizeof PREFIX - 1;
    return read_number(&path, ret_id) && *path++ == '/' && read_number(&path, ret_file) &&
           *path == '\0';
}

bool rpc_server_files_is_path(const char *path)
{
    uint32_t id, file;

    return read_path(path, &id, &file);
}

bool rpc_server_files_is_open_to(struct rpc_request *request)
{
    const struct service_world *world = request->server->options.world;
    struct bytes query = request->request.query;
    char key[STREAM_KEY_SIZE];
    uint32_t id, file;

    if (!read_path(request->path, &id, &file) || !world->stream_secret ||
        query.length != sizeof KEY - 1 + STREAM_KEY_SIZE - 1 ||
        memcmp(query.data, KEY, sizeof KEY - 1) != 0)
        return false;
    const struct catalog_torrent *torrent = catalog_find(world->catalog, id);
    memcpy(key, query.data + sizeof KEY - 1, STREAM_KEY_SIZE - 1);
    key[STREAM_KEY_SIZE - 1] = '\0';
    return torrent && stream_key_is_good(world->stream_secret, torrent->key, key);
}

/* ---- bytes on their way ---- */

static void stop_waiting(struct rpc_request *request)
{
    if (list_contains(&request->node))
        list_remove(&request->server->file_waits, &request->node);
}

static void on_read(void *context, const uint8_t *bytes, size_t length)
{
    struct rpc_request *request = context;
    struct rpc_file_reply *reply = request->file;

    reply->is_reading = false;
    reply->has_ended = length == 0;
    reply->bytes = bytes;
    reply->length = length;
    if (!request->is_suspended)
        return;
    stop_waiting(request);
    rpc_server_resume(request, RPC_REPLY);
}

static void read_next(struct rpc_request *request, uint64_t position)
{
    struct rpc_server *server = request->server;
    struct rpc_file_reply *reply = request->file;

    if (!reply->is_reading) {
        reply->is_reading = true;
        server->options.files->read(reply->reader, reply->first + position, reply->count - position,
                                    on_read, request);
    }
    rpc_server_suspend(request);
    list_append(&server->file_waits, &request->node);
    rpc_server_look(server);
}

static ssize_t read_part(void *context, uint64_t position, char *ret_bytes, size_t most)
{
    struct rpc_request *request = context;
    struct rpc_file_reply *reply = request->file;

    if (request->server->is_closing || request->stage == RPC_DROPPED || reply->has_ended)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (reply->length == 0) {
        read_next(request, position);
        return 0;
    }
    size_t share = rpc_server_share_of_turn(request->server);
    size_t count = reply->length < most ? reply->length : most;
    count = count < share ? count : share;
    memcpy(ret_bytes, reply->bytes, count);
    reply->bytes += count;
    reply->length -= count;
    return (ssize_t)count;
}

/* The library does not look at the socket of one that sleeps. */
static bool is_gone(const struct rpc_request *request)
{
    struct pollfd look = {.fd = request->connection->descriptor, .events = POLLRDHUP};

    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

void rpc_server_files_look(struct rpc_server *server)
{
    struct list_node *next;

    for (struct list_node *node = list_first(&server->file_waits); node; node = next) {
        struct rpc_request *request = LIST_ELEMENT(node, struct rpc_request, node);
        next = list_next(&server->file_waits, node);
        if (!is_gone(request))
            continue;
        stop_waiting(request);
        rpc_server_resume(request, RPC_DROPPED);
    }
}

void rpc_server_files_end(struct rpc_request *request)
{
    struct rpc_file_reply *reply = request->file;

    if (!reply)
        return;
    stop_waiting(request);
    if (reply->reader)
        request->server->options.files->close(reply->reader);
    memory_free(reply);
    request->file = NULL;
}

/* ---- the answer ---- */

static const char *header_of(struct rpc_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->http, MHD_HEADER_KIND, name);
}

static enum MHD_Result refuse(struct rpc_request *request, unsigned status, const char *text)
{
    if (!text) {
        request->refusal = status;
        return rpc_server_refuse(request);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; charset=utf-8");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        MHD_add_response_header(response, "Retry-After", "1");
    enum MHD_Result result = MHD_queue_response(request->http, status, response);
    MHD_destroy_response(response);
    return result;
}

static void add_headers(const struct rpc_file *file, struct MHD_Response *response)
{
    struct buffer disposition = {0};

    stream_type_disposition(file->name, &disposition);
    buffer_append(&disposition, "", 1);
    MHD_add_response_header(response, "Content-Type", stream_type_of(file->name));
    MHD_add_response_header(response, "Content-Disposition", (const char *)disposition.data);
    MHD_add_response_header(response, "Accept-Ranges", "bytes");
    MHD_add_response_header(response, "ETag", file->tag);
    MHD_add_response_header(response, "Cache-Control", "private, no-cache");
    MHD_add_response_header(response, "Content-Security-Policy", POLICY);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    buffer_deinit(&disposition);
}

static void add_content_range(const struct rpc_file_reply *reply, struct MHD_Response *response,
                              unsigned status)
{
    char text[TEXT_MAX];

    if (status == MHD_HTTP_PARTIAL_CONTENT)
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, reply->first,
                 reply->first + reply->count - 1, reply->file.length);
    else
        snprintf(text, sizeof text, "bytes */%" PRIu64, reply->file.length);
    if (status != MHD_HTTP_OK)
        MHD_add_response_header(response, "Content-Range", text);
}

/* Only with the tag that we gave is a range of what the client has; else it gets all. */
static unsigned choose_range(struct rpc_request *request)
{
    struct rpc_file_reply *reply = request->file;
    const char *range = header_of(request, "Range"), *tag = header_of(request, "If-Range");

    if (tag && strcmp(tag, reply->file.tag) != 0)
        range = NULL;
    switch (stream_range_parse(range, reply->file.length, &reply->first, &reply->count)) {
    case STREAM_PART: return MHD_HTTP_PARTIAL_CONTENT;
    case STREAM_BEYOND: return MHD_HTTP_RANGE_NOT_SATISFIABLE;
    case STREAM_WHOLE: break;
    }
    return MHD_HTTP_OK;
}

static struct MHD_Response *make_response(struct rpc_request *request)
{
    struct rpc_file_reply *reply = request->file;

    if (reply->count == 0)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (reply->reader)
        MHD_set_connection_option(request->http, MHD_CONNECTION_OPTION_TIMEOUT, PAUSE_S);
    return MHD_create_response_from_callback(reply->count, PART, read_part, request, NULL);
}

static enum MHD_Result answer(struct rpc_request *request, unsigned status)
{
    struct MHD_Response *response = make_response(request);

    if (!response)
        return MHD_NO;
    add_headers(&request->file->file, response);
    add_content_range(request->file, response, status);
    enum MHD_Result result = MHD_queue_response(request->http, status, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result rpc_server_files_reply(struct rpc_request *request)
{
    const struct rpc_files *files = request->server->options.files;
    const char *text = NULL;
    uint32_t id, file;

    if (request->stage == RPC_DROPPED)
        return refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
    if (!files || !read_path(request->path, &id, &file))
        return refuse(request, MHD_HTTP_NOT_FOUND, NULL);
    struct rpc_file_reply *reply = request->file = memory_new(sizeof *reply);
    unsigned refusal = files->open(files->context, id, file, &reply->file, NULL, &text);
    if (refusal)
        return refuse(request, refusal, text);
    unsigned status = choose_range(request);
    /* Of a HEAD the library sends no body, and asks for none. */
    if (reply->count > 0 && strcmp(request->method, "HEAD") != 0)
        refusal = files->open(files->context, id, file, &reply->file, &reply->reader, &text);
    return refusal ? refuse(request, refusal, text) : answer(request, status);
}

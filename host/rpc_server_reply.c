/* SPDX-License-Identifier: MIT */
/* Answers on their way out: whole ones, parts of streams, files of the page, refusals. */
#include "host/rpc_server_state.h"

#include "core/base/memory.h"

#include <stdio.h>
#include <string.h>

/* What goes out in one turn of the loop, whoever reads how fast: a reader that keeps up would else
 * have a whole list copied to it in a single call to the kernel. */
#define REPLY_A_TURN   ((size_t)256 * KIB)
#define REPLY_PART     ((size_t)64 * KIB)
#define REPLY_PART_MIN ((size_t)4 * KIB)
#define STREAM_PART    ((size_t)16 * KIB)

static void add_headers(struct rpc_request *request, struct MHD_Response *response,
                        const char *type)
{
    MHD_add_response_header(response, "Content-Type", type);
    MHD_add_response_header(response, "Content-Security-Policy", web_assets_policy());
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "X-Frame-Options", "DENY");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    /* No Cross-Origin-Opener-Policy: a browser begins another process for it, which a person waits
     * for before anything is seen. Who opened the page can do no more than with any other: it has
     * no frames, listens to no messages, and the token leaves its address. */
    MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
    MHD_add_response_header(response, "Cache-Control", request->asset ? "no-cache" : "no-store");
    if (request->service && strcmp(request->service->prefix, "/transmission/rpc") == 0 &&
        request->request.access != ACCESS_NONE)
        MHD_add_response_header(response, RPC_SESSION_HEADER, request->server->session_id);
}

static enum MHD_Result queue(struct rpc_request *request, unsigned status,
                             struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(request->http, status, response);
    MHD_destroy_response(response);
    return result;
}

static const char *refusal_text(unsigned status)
{
    switch (status) {
    case MHD_HTTP_BAD_REQUEST: return "the request names no host\n";
    case MHD_HTTP_UNAUTHORIZED: return "a token is needed: `freshet web` shows it\n";
    case MHD_HTTP_FORBIDDEN: return "not allowed from there or in this way\n";
    case MHD_HTTP_NOT_FOUND: return "there is nothing of that name\n";
    case MHD_HTTP_METHOD_NOT_ALLOWED: return "not with this method\n";
    case MHD_HTTP_CONFLICT: return "send the session id that this answer's header carries\n";
    case MHD_HTTP_CONTENT_TOO_LARGE: return "the request is too large\n";
    case MHD_HTTP_MISDIRECTED_REQUEST:
        return "this name is not allowed (freshet daemon --rpc-allow HOST)\n";
    case MHD_HTTP_TOO_MANY_REQUESTS: return "too many wrong tokens came from there; wait\n";
    default: return "not now\n";
    }
}

/* The API's errors are JSON, whoever says them; the texts hold nothing that needs an escape. */
static struct MHD_Response *make_refusal(struct rpc_request *request)
{
    const char *text = refusal_text(request->refusal);
    bool is_json = request->service && strcmp(request->service->prefix, "/api/v1") == 0;
    char json[128];
    size_t length = strlen(text);

    if (is_json) {
        snprintf(json, sizeof json, "{\"error\":\"%.*s\"}", (int)length - 1, text);
        text = json;
        length = strlen(json);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response)
        add_headers(request, response, is_json ? "application/json" : "text/plain; charset=utf-8");
    return response;
}

enum MHD_Result rpc_server_refuse(struct rpc_request *request)
{
    char seconds[16];
    struct MHD_Response *response = make_refusal(request);

    if (!response)
        return MHD_NO;
    if (request->refusal == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, "WWW-Authenticate",
                                request->asks_login ? "Basic realm=\"freshet\", charset=\"UTF-8\""
                                                    : "Bearer realm=\"freshet\"");
    if (request->retry_after_s) {
        snprintf(seconds, sizeof seconds, "%u", request->retry_after_s);
        MHD_add_response_header(response, "Retry-After", seconds);
    }
    return queue(request, request->refusal, response);
}

static enum MHD_Result reply_asset(struct rpc_request *request)
{
    const struct web_asset *asset = request->asset;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        asset->bytes.length, (void *)(uintptr_t)asset->bytes.data, MHD_RESPMEM_PERSISTENT);

    if (!response)
        return MHD_NO;
    add_headers(request, response, asset->type);
    return queue(request, MHD_HTTP_OK, response);
}

/* The library asks for one part of each answer that can be sent in a turn: as many as in the last.
 */
size_t rpc_server_share_of_turn(struct rpc_server *server)
{
    uint32_t parts = ++server->parts > server->parts_before ? server->parts : server->parts_before;
    size_t share = REPLY_A_TURN / parts;

    return share < REPLY_PART_MIN ? REPLY_PART_MIN : share;
}

static ssize_t read_part(void *context, uint64_t position, char *ret_bytes, size_t most)
{
    struct rpc_request *request = context;
    size_t left = request->reply.body.length - request->sent;

    (void)position;
    /* Who would sleep now would never be woken, and the library does not end with sleepers. */
    if (left == 0 && (!request->reply.stream || request->server->is_closing))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0) {
        rpc_server_stream_wait(request);
        return 0;
    }
    size_t share = rpc_server_share_of_turn(request->server);
    size_t count = left < most ? left : most;
    if (count > share)
        count = share;
    memcpy(ret_bytes, request->reply.body.data + request->sent, count);
    request->sent += count;
    return (ssize_t)count;
}

static struct MHD_Response *make_reply(struct rpc_request *request)
{
    struct service_reply *reply = &request->reply;

    if (reply->stream) {
        request->is_stream = true;
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_PART, read_part, request,
                                                 NULL);
    }
    if (reply->body.length > REPLY_PART) {
        request->is_long = true;
        return MHD_create_response_from_callback(reply->body.length, REPLY_PART, read_part, request,
                                                 NULL);
    }
    struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback(
        reply->body.length, reply->body.data, memory_free);
    if (response)
        reply->body = (struct buffer){0};
    return response;
}

enum MHD_Result rpc_server_reply(struct rpc_request *request)
{
    struct service_reply *reply = &request->reply;

    if (request->asset)
        return reply_asset(request);
    if (request->stage == RPC_DROPPED) {
        request->refusal = MHD_HTTP_SERVICE_UNAVAILABLE;
        return rpc_server_refuse(request);
    }
    struct MHD_Response *response = make_reply(request);
    if (!response)
        return MHD_NO;
    add_headers(request, response,
                reply->content_type ? reply->content_type : "application/octet-stream");
    return queue(request, reply->status ? reply->status : MHD_HTTP_OK, response);
}

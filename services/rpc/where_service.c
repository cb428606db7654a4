/* SPDX-License-Identifier: MIT */
#include "services/rpc/where_service.h"

#include "core/base/memory.h"
#include "services/rpc/json_writer.h"

#include <string.h>

struct where_call {
    bool is_allowed;
    char page[ADDRESS_TEXT_SIZE], token[128], version[32];
};

static void *where_begin(const struct service_request *request)
{
    struct where_call *call = memory_new(sizeof *call);

    call->is_allowed = request->is_local && strcmp(request->method, "GET") == 0;
    return call;
}

static void copy(char *to, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    length = length < size ? length : size - 1;
    memcpy(to, text ? text : "", length);
    to[length] = '\0';
}

static enum service_step where_step(void *context, struct service_world *world, int64_t until_ns,
                                    int64_t (*clock)(void), struct service_job *job)
{
    struct where_call *call = context;

    (void)until_ns;
    (void)clock;
    (void)job;
    copy(call->page, sizeof call->page, world->page);
    copy(call->token, sizeof call->token, world->token);
    copy(call->version, sizeof call->version, world->version);
    return SERVICE_DONE;
}

static void where_write(void *context, struct service_reply *ret_reply)
{
    const struct where_call *call = context;
    struct json_writer writer;

    ret_reply->status = call->is_allowed ? 200 : 403;
    ret_reply->content_type = "application/json";
    json_writer_init(&writer, &ret_reply->body);
    json_writer_open(&writer, '{');
    if (call->is_allowed) {
        json_writer_put_text(&writer, "rpc", call->page);
        json_writer_put_text(&writer, "token", call->token);
        json_writer_put_text(&writer, "version", call->version);
    }
    json_writer_close(&writer, '}');
}

static void where_end(void *context)
{
    struct where_call *call = context;

    memset(call->token, 0, sizeof call->token);
    memory_free(call);
}

const struct service where_service = {
    .prefix = "/local",
    .begin = where_begin,
    .step = where_step,
    .write = where_write,
    .end = where_end,
};

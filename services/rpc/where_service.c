/* SPDX-License-Identifier: MIT */
#include "services/rpc/where_service.h"

#include "core/base/memory.h"
#include "services/rpc/json_writer.h"

#include <string.h>

struct where_call {
    bool is_allowed;
    char page[ADDRESS_TEXT_SIZE], token[128], version[32], listen[ADDRESS_TEXT_SIZE], route[16];
    char state[LIMIT_PATH_LENGTH + 1];
    char mapping_state[16], mapping_method[16], mapping_external[ADDRESS_TEXT_SIZE];
    char mapping_text[256], blocklist_trouble[256], state_trouble[512];
    struct buffer roots; /* a list, in JSON */
    int64_t pid;
    bool has_dht[2]; /* IPv4, IPv6 */
    struct dht_node_stats dht[2];
};

static const enum address_family families[2] = {ADDRESS_IPV4, ADDRESS_IPV6};

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

static void list_roots(struct where_call *call, const struct catalog_settings *settings)
{
    struct json_writer writer;

    json_writer_init(&writer, &call->roots);
    json_writer_open(&writer, '[');
    for (uint32_t i = 0; i < settings->root_count; i++)
        json_writer_text(&writer, settings->roots[i]);
    json_writer_close(&writer, ']');
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
    copy(call->route, sizeof call->route, world->route);
    copy(call->state, sizeof call->state, world->state_folder);
    copy(call->mapping_state, sizeof call->mapping_state, world->mapping_state);
    copy(call->mapping_method, sizeof call->mapping_method, world->mapping_method);
    copy(call->mapping_text, sizeof call->mapping_text, world->mapping_text);
    copy(call->blocklist_trouble, sizeof call->blocklist_trouble, world->blocklist_trouble);
    copy(call->state_trouble, sizeof call->state_trouble, world->state_trouble);
    if (world->mapping_external.family != ADDRESS_NONE)
        address_to_text(&world->mapping_external, call->mapping_external);
    if (world->catalog)
        list_roots(call, catalog_settings(world->catalog));
    call->pid = world->pid;
    if (world->listen.family != ADDRESS_NONE)
        address_to_text(&world->listen, call->listen);
    for (int i = 0; i < 2 && world->engine; i++)
        call->has_dht[i] = engine_dht_stats(world->engine, families[i], &call->dht[i]);
    return SERVICE_DONE;
}

static void write_dht(const struct where_call *call, struct json_writer *writer)
{
    json_writer_key(writer, "dht");
    json_writer_open(writer, '[');
    for (int i = 0; i < 2; i++) {
        if (!call->has_dht[i])
            continue;
        json_writer_open(writer, '{');
        json_writer_put_u64(writer, "family", families[i]);
        json_writer_put_u64(writer, "nodes", call->dht[i].nodes);
        json_writer_put_u64(writer, "good_nodes", call->dht[i].good_nodes);
        json_writer_put_u64(writer, "queries_out", call->dht[i].queries_out);
        json_writer_put_u64(writer, "replies_in", call->dht[i].replies_in);
        json_writer_put_u64(writer, "queries_in", call->dht[i].queries_in);
        json_writer_close(writer, '}');
    }
    json_writer_close(writer, ']');
}

static void write_mapping(const struct where_call *call, struct json_writer *writer)
{
    json_writer_key(writer, "port_mapping");
    json_writer_open(writer, '{');
    json_writer_put_text(writer, "state", call->mapping_state);
    json_writer_put_text(writer, "method", call->mapping_method);
    json_writer_put_text(writer, "external", call->mapping_external);
    json_writer_put_text(writer, "text", call->mapping_text);
    json_writer_close(writer, '}');
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
        json_writer_put_text(&writer, "listen", call->listen);
        json_writer_put_text(&writer, "route", call->route);
        json_writer_put_text(&writer, "state", call->state);
        json_writer_put_u64(&writer, "pid", (uint64_t)call->pid);
        json_writer_put_text(&writer, "blocklist_trouble", call->blocklist_trouble);
        json_writer_put_text(&writer, "state_trouble", call->state_trouble);
        if (call->roots.length) {
            json_writer_key(&writer, "roots");
            json_writer_raw(&writer, buffer_bytes(&call->roots));
        }
        write_mapping(call, &writer);
        write_dht(call, &writer);
    }
    json_writer_close(&writer, '}');
}

static void where_end(void *context)
{
    struct where_call *call = context;

    memset(call->token, 0, sizeof call->token);
    buffer_deinit(&call->roots);
    memory_free(call);
}

const struct service where_service = {
    .prefix = "/local",
    .begin = where_begin,
    .step = where_step,
    .write = where_write,
    .end = where_end,
};

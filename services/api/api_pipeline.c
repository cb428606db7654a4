/* SPDX-License-Identifier: MIT */
#include "services/api/api_pipeline.h"

struct loads {
    struct service_load hashing, writing;
};

enum service_step api_pipeline_step(struct api_call *call, struct api_turn *turn)
{
    struct loads *loads = call->state = call_arena_take(&call->arena, sizeof *loads);

    *loads = (struct loads){turn->world->hashing, turn->world->writing};
    return SERVICE_DONE;
}

static void write_load(struct json_writer *json, const char *name, const struct service_load *load)
{
    uint32_t running = load->jobs < load->threads ? load->jobs : load->threads;

    json_writer_key(json, name);
    json_writer_open(json, '{');
    json_writer_put_u64(json, "waiting", load->jobs - running);
    json_writer_put_u64(json, "running", running);
    json_writer_put_u64(json, "threads", load->threads);
    json_writer_put_u64(json, "rate", load->rate);
    json_writer_put_u64(json, "bytes", load->bytes);
    json_writer_close(json, '}');
}

void api_pipeline_write(struct api_call *call, struct json_writer *json)
{
    const struct loads *loads = call->state;

    write_load(json, "hashing", &loads->hashing);
    write_load(json, "writing", &loads->writing);
}

struct pieces {
    struct torrent_pipeline pipeline;
    uint64_t total_bytes;
};

enum service_step api_pipeline_torrent_step(struct api_call *call, struct api_turn *turn)
{
    const struct catalog_torrent *torrent = api_row_of_path(call, turn);
    if (!torrent)
        return SERVICE_DONE;
    struct pieces *pieces = call->state = call_arena_take(&call->arena, sizeof *pieces);

    *pieces = (struct pieces){0};
    pieces->total_bytes = torrent->status.total_bytes;
    pieces->pipeline.total = torrent->piece_count;
    if (torrent->open)
        engine_torrent_pipeline(turn->world->engine, call->id, &pieces->pipeline);
    return SERVICE_DONE;
}

void api_pipeline_torrent_write(struct api_call *call, struct json_writer *json)
{
    const struct pieces *pieces = call->state;
    const struct torrent_pipeline *pipeline = &pieces->pipeline;

    json_writer_put_u64(json, "fetching", pipeline->fetching);
    json_writer_put_u64(json, "hashing", pipeline->hashing);
    json_writer_put_u64(json, "waiting", pipeline->waiting);
    json_writer_put_u64(json, "writing", pipeline->writing);
    json_writer_put_u64(json, "verified", pipeline->verified);
    json_writer_put_u64(json, "durable", pipeline->durable);
    json_writer_put_u64(json, "pieces", pipeline->total);
    json_writer_put_u64(json, "checking", pipeline->checking);
    json_writer_put_u64(json, "checked", pipeline->checked_bytes);
    json_writer_put_u64(json, "total", pieces->total_bytes);
}

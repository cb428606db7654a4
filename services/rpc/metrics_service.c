/* SPDX-License-Identifier: MIT */
#include "services/rpc/metrics_service.h"

#include "core/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PHASES           (CATALOG_REMOVING + 1)
#define ROWS_BEFORE_LOOK 64u

static const char *const phase_words[PHASES] = {"stopped",       "wait_check",  "checking",
                                                "wait_download", "downloading", "wait_seed",
                                                "seeding",       "moving",      "removing"};

struct metrics_call {
    unsigned status;
    uint32_t next; /* row; torrents that go meanwhile may make one be counted twice or not at all */
    uint64_t torrents[PHASES];
    uint64_t peers, upload_rate, download_rate, troubled;
    uint64_t up_run, down_run, up_all, down_all, seconds_run;
    uint64_t revision;
    struct service_turns turns;
    char version[32];
};

static void *metrics_begin(const struct service_request *request)
{
    struct metrics_call *call = memory_new(sizeof *call);

    call->status = 200;
    if (strcmp(request->method, "GET") != 0)
        call->status = 405;
    if (request->path[0] != '\0' && strcmp(request->path, "/") != 0)
        call->status = 404;
    return call;
}

static void count_row(struct metrics_call *call, const struct catalog_torrent *torrent)
{
    call->torrents[torrent->phase]++;
    call->troubled += torrent->trouble == TROUBLE_LOCAL;
    if (!torrent->open)
        return;
    call->peers += torrent->status.peers;
    call->upload_rate += torrent->status.upload_rate;
    call->download_rate += torrent->status.download_rate;
}

static enum service_step metrics_step(void *context, struct service_world *world, int64_t until_ns,
                                      int64_t (*clock)(void), struct service_job *job)
{
    struct metrics_call *call = context;
    uint32_t count = catalog_count(world->catalog);

    (void)job;
    for (; call->next < count; call->next++) {
        if (call->next % ROWS_BEFORE_LOOK == ROWS_BEFORE_LOOK - 1 && clock() >= until_ns) {
            count_row(call, catalog_at(world->catalog, call->next++));
            return SERVICE_AGAIN;
        }
        count_row(call, catalog_at(world->catalog, call->next));
    }
    call->up_run = world->bytes_up_run;
    call->down_run = world->bytes_down_run;
    call->up_all = world->bytes_up_all;
    call->down_all = world->bytes_down_all;
    call->seconds_run = world->seconds_run;
    call->revision = catalog_revision(world->catalog);
    if (world->turns)
        call->turns = *world->turns;
    snprintf(call->version, sizeof call->version, "%s", world->version);
    return SERVICE_DONE;
}

static void put_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    char text[256];

    snprintf(text, sizeof text, "# HELP freshet_%s %s\n# TYPE freshet_%s %s\n", name, help, name,
             type);
    buffer_append_text(out, text);
}

static void put_value(struct buffer *out, const char *name, const char *labels, uint64_t value)
{
    char text[256];

    snprintf(text, sizeof text, "freshet_%s%s %" PRIu64 "\n", name, labels, value);
    buffer_append_text(out, text);
}

static void put(struct buffer *out, const char *name, const char *type, const char *help,
                uint64_t value)
{
    put_head(out, name, type, help);
    put_value(out, name, "", value);
}

static void put_turns(struct buffer *out, const struct service_turns *turns)
{
    char text[128];
    uint64_t below = 0;

    put_head(out, "loop_turn_seconds", "histogram",
             "How long turns of the loop took, without waiting.");
    for (unsigned i = 0; i + 1 < SERVICE_TURN_BUCKETS; i++) {
        below += turns->buckets[i];
        snprintf(text, sizeof text, "{le=\"%g\"}", (double)service_turn_edge_us(i) / 1e6);
        put_value(out, "loop_turn_seconds_bucket", text, below);
    }
    put_value(out, "loop_turn_seconds_bucket", "{le=\"+Inf\"}", turns->count);
    snprintf(text, sizeof text, "freshet_loop_turn_seconds_sum %.9f\n",
             (double)turns->sum_ns / 1e9);
    buffer_append_text(out, text);
    put_value(out, "loop_turn_seconds_count", "", turns->count);
    put_head(out, "loop_turn_longest_seconds", "gauge", "The longest turn of the loop.");
    snprintf(text, sizeof text, "freshet_loop_turn_longest_seconds %.9f\n",
             (double)turns->max_ns / 1e9);
    buffer_append_text(out, text);
}

static void metrics_write(void *context, struct service_reply *ret_reply)
{
    const struct metrics_call *call = context;
    struct buffer *out = &ret_reply->body;
    char text[128];

    ret_reply->status = call->status;
    ret_reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    if (call->status != 200)
        return;
    put_head(out, "build_info", "gauge", "The version that runs.");
    snprintf(text, sizeof text, "{version=\"%s\"}", call->version);
    put_value(out, "build_info", text, 1);
    put_head(out, "torrents", "gauge", "Torrents by what they are doing.");
    for (int i = 0; i < PHASES; i++) {
        snprintf(text, sizeof text, "{phase=\"%s\"}", phase_words[i]);
        put_value(out, "torrents", text, call->torrents[i]);
    }
    put(out, "torrents_troubled", "gauge", "Torrents that an error on this machine stops.",
        call->troubled);
    put(out, "peers", "gauge", "Connected peers.", call->peers);
    put(out, "upload_bytes_per_second", "gauge", "Payload sent now.", call->upload_rate);
    put(out, "download_bytes_per_second", "gauge", "Payload received now.", call->download_rate);
    put(out, "uploaded_bytes_total", "counter", "Payload sent in this run.", call->up_run);
    put(out, "downloaded_bytes_total", "counter", "Payload received in this run.", call->down_run);
    put(out, "uploaded_bytes_ever", "gauge", "Payload sent in all runs.", call->up_all);
    put(out, "downloaded_bytes_ever", "gauge", "Payload received in all runs.", call->down_all);
    put(out, "uptime_seconds", "gauge", "How long this run has lasted.", call->seconds_run);
    put(out, "revision", "gauge", "Changes that anybody could see.", call->revision);
    put_turns(out, &call->turns);
}

static void metrics_end(void *call)
{
    memory_free(call);
}

const struct service metrics_service = {"/metrics", metrics_begin, metrics_step, metrics_write,
                                        metrics_end};

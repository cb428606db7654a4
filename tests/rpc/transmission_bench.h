/* SPDX-License-Identifier: MIT */
/*
 * Transmission's RPC on a bench: a real catalog, a real engine that runs one torrent (number 1, a
 * seed whose peers are the test), and a host that does each job at once. A call is stepped with no
 * time at all, so that every slice ends as early as it may.
 */
#ifndef FRESHET_TESTS_TRANSMISSION_BENCH_H
#define FRESHET_TESTS_TRANSMISSION_BENCH_H

#include "services/rpc/base64.h"
#include "services/rpc/transmission_rpc.h"
#include "tests/engine/lone_engine.h"

#include <jansson.h>

#define BENCH_WALL     INT64_C(1700000000)
#define BENCH_CONTENTS 512

struct bench {
    struct catalog *catalog;
    struct lone_engine *lone;
    struct service_world world;
    /* By torrent id: what the host has kept of it. */
    struct metainfo *contents[BENCH_CONTENTS];
    struct bitfield pieces[BENCH_CONTENTS];
    bool has_pieces[BENCH_CONTENTS];
    bool at_hand[BENCH_CONTENTS]; /* false: a job has to bring it first */
    uint32_t content_jobs, save_jobs, deletions, shutdowns, steps;
    char job_text[256];            /* of the last job that had one */
    struct bytes file;             /* what URLs and files hold */
    enum freshet_error failure;    /* of every job but JOB_SAVED */
    bool removes_while_stepping;   /* torrent 2 goes between two steps */
    const struct service *service; /* Transmission's, unless a test says otherwise */
    struct bytes query;
    enum service_access access;
    bool is_local;
    unsigned status; /* of the last answer */
    struct buffer body;
};

static inline bool bench_content(void *context, torrent_id id, struct service_content *ret_content)
{
    struct bench *bench = context;
    if (id >= BENCH_CONTENTS || !bench->contents[id] || !bench->at_hand[id])
        return false;
    ret_content->metainfo = bench->contents[id];
    ret_content->pieces = bench->has_pieces[id] ? &bench->pieces[id] : NULL;
    return true;
}

static inline void bench_keep(struct bench *bench, torrent_id id, struct bytes torrent)
{
    char reason[METAINFO_REASON_SIZE];
    if (id >= BENCH_CONTENTS)
        return; /* crowds of torrents, whose content nobody asks for */
    metainfo_free(bench->contents[id]);
    bench->contents[id] = NULL;
    if (metainfo_parse(torrent, &bench->contents[id], reason) != FRESHET_OK)
        abort();
}

/* What the catalog wants done is done: saved, opened, closed, moved, deleted. */
static inline void bench_run(struct bench *bench)
{
    struct catalog *catalog = bench->catalog;
    int64_t now = bench->world.now;
    struct catalog_action action;
    while (catalog_output(catalog, now, &action)) {
        switch (action.type) {
        case CATALOG_SAVE:
            if (action.torrent_file.length)
                bench_keep(bench, action.id, action.torrent_file);
            catalog_on_saved(catalog, action.change);
            break;
        case CATALOG_TRACKERS:
        case CATALOG_SAVE_SETTINGS:
        case CATALOG_FORGET: catalog_on_saved(catalog, action.change); break;
        case CATALOG_OPEN:
        case CATALOG_OPEN_MAGNET:
            catalog_on_opened(catalog, action.id, FRESHET_OK, NULL, now);
            break;
        case CATALOG_CLOSE:
            catalog_on_notice(
                catalog,
                &(struct notice){.type = NOTICE_REMOVED, .torrent = action.id, .file = UINT32_MAX},
                now);
            break;
        case CATALOG_MOVE:
        case CATALOG_RENAME: catalog_on_moved(catalog, action.id, FRESHET_OK, NULL, now); break;
        case CATALOG_DELETE: catalog_on_deleted(catalog, action.id, FRESHET_OK, NULL, now); break;
        default: break;
        }
    }
    catalog_check(catalog);
}

/* A .torrent of two files (40,000 and 10,000 bytes, 32 KiB pieces) in a folder of the name. */
static inline void bench_torrent(const char *name, struct buffer *out)
{
    buffer_append_text(out, "d8:announce31:http://tracker.example/announce7:comment5:a \"b\"13:"
                            "creation datei1600000000e4:infod5:filesld6:lengthi40000e4:pathl1:aee"
                            "d6:lengthi10000e4:pathl5:b.mkveee4:name");
    buffer_append_i64(out, (int64_t)strlen(name));
    buffer_append_u8(out, ':');
    buffer_append_text(out, name);
    buffer_append_text(out, "12:piece lengthi32768e6:pieces40:"
                            "0123456789012345678901234567890123456789e8:url-list"
                            "16:http://ws.test/1e");
}

static inline torrent_id bench_add_named(struct bench *bench, const char *name, bool stopped)
{
    struct buffer torrent = {0};
    struct catalog_add add = {.stopped = stopped};
    const struct catalog_torrent *row = NULL;
    char reason[METAINFO_REASON_SIZE], text[256];
    bench_torrent(name, &torrent);
    if (metainfo_parse(buffer_bytes(&torrent), &add.metainfo, reason) != FRESHET_OK)
        abort();
    add.torrent = buffer_bytes(&torrent);
    if (catalog_add(bench->catalog, &add, bench->world.now, text, &row) != FRESHET_OK)
        abort();
    buffer_deinit(&torrent);
    bench_run(bench);
    return row->id;
}

/* The engine's torrent, number 1 in the catalog as well. */
static inline void bench_add_running(struct bench *bench)
{
    struct catalog_add add = {.metainfo = lone_metainfo(bench->lone, NULL)};
    const struct catalog_torrent *row = NULL;
    char text[256];
    if (catalog_add(bench->catalog, &add, bench->world.now, text, &row) != FRESHET_OK ||
        row->id != 1)
        abort();
    bench_run(bench);
    catalog_on_notice(bench->catalog,
                      &(struct notice){.type = NOTICE_READY, .torrent = 1, .file = UINT32_MAX},
                      bench->world.now);
    catalog_on_notice(bench->catalog,
                      &(struct notice){.type = NOTICE_COMPLETE, .torrent = 1, .file = UINT32_MAX},
                      bench->world.now);
    while (catalog_sample(bench->catalog, bench->lone->engine, 64, bench->world.now))
        ;
    bench_run(bench);
}

/* Upon an engine that outlives it. */
static inline struct bench *bench_new_upon(struct lone_engine *lone)
{
    struct bench *bench = memory_new(sizeof *bench);
    struct catalog_settings settings;
    catalog_settings_defaults(&settings);
    settings.download_folder = memory_copy("/data", 6);
    bench->lone = lone;
    bench->catalog = catalog_new(&(struct catalog_options){
        .now = bench->lone->now, .wall_s = BENCH_WALL, .settings = &settings, .next_id = 1});
    catalog_settings_deinit(&settings);
    catalog_restored(bench->catalog, bench->lone->now);
    bench->world = (struct service_world){.catalog = bench->catalog,
                                          .engine = bench->lone->engine,
                                          .now = bench->lone->now,
                                          .wall_s = BENCH_WALL,
                                          .version = "0.1.0",
                                          .session_id_number = 0xabcdef,
                                          .bytes_up_all = 1000,
                                          .bytes_up_run = 10,
                                          .sessions = 3,
                                          .content = bench_content,
                                          .context = bench};
    bench->service = &transmission_service;
    bench->access = ACCESS_CONTROL;
    memset(bench->at_hand, true, sizeof bench->at_hand);
    bench_add_running(bench);
    return bench;
}

static inline struct bench *bench_new(void)
{
    return bench_new_upon(lone_new(true, NULL));
}

static inline void bench_free_all_but_engine(struct bench *bench)
{
    catalog_check(bench->catalog);
    catalog_free(bench->catalog);
    for (uint32_t i = 0; i < BENCH_CONTENTS; i++) {
        metainfo_free(bench->contents[i]);
        if (bench->has_pieces[i])
            bitfield_deinit(&bench->pieces[i]);
    }
    buffer_deinit(&bench->body);
    memory_free(bench);
}

static inline void bench_free(struct bench *bench)
{
    struct lone_engine *lone = bench->lone;
    bench_free_all_but_engine(bench);
    lone_free(lone);
}

/* No time is left, whenever it is asked. */
static inline int64_t bench_clock(void)
{
    return 1;
}

static inline void bench_job(struct bench *bench, struct service_job *job)
{
    if (job->text)
        snprintf(bench->job_text, sizeof bench->job_text, "%s", job->text);
    job->error = job->type == JOB_SAVED ? FRESHET_OK : bench->failure;
    if (job->error)
        snprintf(job->error_text, sizeof job->error_text, "the job's words");
    switch (job->type) {
    case JOB_FETCH_URL:
    case JOB_READ_FILE:
        buffer_append(&job->ret_bytes, bench->file.data, bench->file.length);
        if (!job->error)
            metainfo_parse(buffer_bytes(&job->ret_bytes), &job->ret_metainfo, job->error_text);
        break;
    case JOB_DELETE_FILE: bench->deletions++; break;
    case JOB_FREE_SPACE:
        job->ret_free = 5000;
        job->ret_total = 9000;
        break;
    case JOB_CONTENT:
        bench->content_jobs++;
        bench->at_hand[job->id] = bench->failure == FRESHET_OK;
        break;
    case JOB_BLOCKLIST: job->ret_number = 77; break;
    case JOB_SAVED:
        bench->save_jobs++;
        bench_run(bench);
        if (catalog_saved(bench->catalog) < job->change)
            abort();
        break;
    case JOB_SHUTDOWN: bench->shutdowns++; break;
    case JOB_NONE: abort();
    }
}

/* One HTTP request; the answer's body is in bench->body. */
static inline void bench_send(struct bench *bench, const char *method, const char *path,
                              struct bytes body)
{
    struct service_request request = {.method = method,
                                      .path = path,
                                      .query = bench->query,
                                      .body = body,
                                      .access = bench->access,
                                      .is_local = bench->is_local};
    struct service_job job = {0};
    struct service_reply reply = {0};
    void *call = bench->service->begin(&request);
    enum service_step step;
    while ((step = bench->service->step(call, &bench->world, 0, bench_clock, &job)) !=
           SERVICE_DONE) {
        if (++bench->steps > 1000000)
            abort();
        if (step == SERVICE_JOB)
            bench_job(bench, &job);
        if (bench->removes_while_stepping)
            catalog_remove(bench->catalog, 2, false, bench->world.now);
    }
    service_job_deinit(&job);
    bench_run(bench);
    bench->service->write(call, &reply);
    bench->service->end(call);
    buffer_deinit(&bench->body);
    buffer_append_u8(&reply.body, '\0'); /* tests look for words in it */
    reply.body.length--;
    bench->body = reply.body;
    bench->status = reply.status;
}

/* The answer to a body, which the caller releases; NULL: there is none. */
static inline json_t *bench_call(struct bench *bench, const char *body)
{
    json_error_t error;
    bench_send(bench, "POST", "", (struct bytes){(const uint8_t *)body, strlen(body)});
    if (bench->body.length == 0)
        return NULL;
    json_t *answer = json_loadb((const char *)bench->body.data, bench->body.length,
                                JSON_REJECT_DUPLICATES, &error);
    if (!answer) {
        fprintf(stderr, "%s: %.*s\n", error.text, (int)bench->body.length, bench->body.data);
        abort();
    }
    return answer;
}

/* The same with ' for ", as C has it otherwise in bulk. */
static inline json_t *bench_ask(struct bench *bench, const char *body)
{
    char *text = memory_copy(body, strlen(body) + 1);
    for (char *at = text; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    json_t *answer = bench_call(bench, text);
    memory_free(text);
    return answer;
}

/* A request that is answered with success, and nothing else is of interest. */
static inline void bench_do(struct bench *bench, const char *body)
{
    json_t *answer = bench_ask(bench, body);
    const char *result = json_string_value(json_object_get(answer, "result"));
    if (!result || strcmp(result, "success") != 0) {
        fprintf(stderr, "%s\n-> %.*s\n", body, (int)bench->body.length, bench->body.data);
        abort();
    }
    json_decref(answer);
}

/* A value far inside: "arguments.torrents.0.name". */
static inline json_t *bench_at(json_t *value, const char *path)
{
    while (*path && value) {
        char key[64];
        size_t length = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)length, path);
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(key))
                                     : json_object_get(value, key);
        path += length + (path[length] == '.');
    }
    return value;
}

static inline const char *bench_text(json_t *value, const char *path)
{
    const char *text = json_string_value(bench_at(value, path));
    return text ? text : "(no text)";
}

static inline int64_t bench_integer(json_t *value, const char *path)
{
    json_t *found = bench_at(value, path);
    return json_is_integer(found) ? json_integer_value(found) : INT64_MIN;
}

#endif

/* SPDX-License-Identifier: MIT */
/* A call's way through its service: worker, slices on the loop's thread, jobs, worker. */
#include "host/rpc_server_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"

#include <string.h>

#define SLICE_NS       MILLISECOND_NS
#define STREAM_LOOK_MS 100
#define STREAM_GAP_NS  (SECOND_NS / 2)
#define STREAM_IDLE_NS (SERVICE_STREAM_IDLE_S * SECOND_NS)

static void on_slice(uv_idle_t *idle)
{
    rpc_server_slice(idle->data);
}

static void on_stream_look(uv_timer_t *timer)
{
    rpc_server_step_streams(timer->data);
}

void rpc_server_suspend(struct rpc_request *request)
{
    CHECK(!request->is_suspended);
    request->is_suspended = true;
    MHD_suspend_connection(request->http);
}

void rpc_server_resume(struct rpc_request *request, enum rpc_stage stage)
{
    request->stage = stage;
    CHECK(request->is_suspended);
    request->is_suspended = false;
    MHD_resume_connection(request->http);
    rpc_server_wake(request->server);
}

static void queue_step(struct rpc_request *request)
{
    struct rpc_server *server = request->server;

    request->stage = RPC_STEP;
    list_append(&server->steps, &request->node);
    if (!server->is_slicing)
        uv_idle_start(&server->slice, on_slice);
    server->is_slicing = true;
}

/* ---- on workers ---- */

static void begin_run(struct work *work)
{
    struct rpc_request *request = LIST_ELEMENT(work, struct rpc_request, work);

    request->call = request->service->begin(&request->request);
}

static void begin_done(struct work *work)
{
    struct rpc_request *request = LIST_ELEMENT(work, struct rpc_request, work);

    if (work->cancelled || request->server->is_closing)
        request->stage = RPC_DROPPED;
    else
        queue_step(request);
}

void rpc_server_call_begin(struct rpc_request *request)
{
    rpc_server_suspend(request);
    request->stage = RPC_BEGIN;
    request->request.body = buffer_bytes(&request->body);
    request->work.run = begin_run;
    request->work.done = begin_done;
    worker_pool_submit(request->server->workers, &request->work);
}

static void write_run(struct work *work)
{
    struct rpc_request *request = LIST_ELEMENT(work, struct rpc_request, work);

    request->service->write(request->call, &request->reply);
}

static void write_done(struct work *work)
{
    struct rpc_request *request = LIST_ELEMENT(work, struct rpc_request, work);

    if (work->cancelled || request->server->is_closing) {
        request->stage = RPC_DROPPED;
        return;
    }
    request->sent = 0;
    rpc_server_resume(request, RPC_REPLY);
}

static void write_reply(struct rpc_request *request)
{
    buffer_deinit(&request->reply.body);
    memset(&request->reply, 0, sizeof request->reply);
    request->stage = RPC_WRITE;
    request->work.run = write_run;
    request->work.done = write_done;
    worker_pool_submit(request->is_sliced ? request->server->list_workers
                                          : request->server->workers,
                       &request->work);
    request->is_sliced = false;
}

/* ---- on the loop's thread ---- */

void rpc_server_look(struct rpc_server *server)
{
    if (!uv_is_active((uv_handle_t *)&server->stream))
        uv_timer_start(&server->stream, on_stream_look, STREAM_LOOK_MS, STREAM_LOOK_MS);
}

static void wait_for_news(struct rpc_request *request)
{
    struct rpc_server *server = request->server;

    request->stage = RPC_WAIT;
    list_append(&server->waits, &request->node);
    rpc_server_look(server);
}

static void perform(struct rpc_request *request)
{
    struct rpc_server *server = request->server;

    request->stage = RPC_JOB;
    request->job.job.error = FRESHET_OK;
    request->job.job.error_text[0] = '\0';
    server->options.perform(server->options.context, &request->job);
}

static void step(struct rpc_request *request, int64_t until)
{
    struct rpc_server *server = request->server;
    struct service_world *world = server->options.world;
    uint64_t revision = catalog_revision(world->catalog);
    enum service_step answer =
        request->service->step(request->call, world, until, clock_now, &request->job.job);

    switch (answer) {
    case SERVICE_AGAIN:
        request->is_sliced = true;
        queue_step(request);
        break;
    case SERVICE_JOB: perform(request); break;
    case SERVICE_DONE:
        request->revision = revision;
        request->stepped_ns = clock_now();
        write_reply(request);
        break;
    case SERVICE_WAIT:
        CHECK(request->is_stream);
        request->revision = revision;
        request->stepped_ns = clock_now();
        wait_for_news(request);
        break;
    }
}

/* One slice of a turn; between two of them the engine has its own. */
void rpc_server_slice(struct rpc_server *server)
{
    int64_t until = clock_now() + SLICE_NS;

    server->options.refresh(server->options.context);
    while (!list_is_empty(&server->steps) && clock_now() < until) {
        struct rpc_request *request =
            LIST_ELEMENT(list_first(&server->steps), struct rpc_request, node);
        list_remove(&server->steps, &request->node);
        step(request, until);
    }
    server->options.after(server->options.context);
    if (list_is_empty(&server->steps)) {
        uv_idle_stop(&server->slice);
        server->is_slicing = false;
    }
}

void rpc_server_job_done(struct rpc_job *job)
{
    struct rpc_request *request = LIST_ELEMENT(job, struct rpc_request, job);

    CHECK(request->stage == RPC_JOB);
    if (request->server->is_closing)
        request->stage = RPC_DROPPED;
    else
        queue_step(request);
}

void rpc_server_stream_wait(struct rpc_request *request)
{
    rpc_server_suspend(request);
    wait_for_news(request);
}

void rpc_server_step_streams(struct rpc_server *server)
{
    uint64_t revision = catalog_revision(server->options.world->catalog);
    int64_t now = clock_now();
    struct list_node *next;

    for (struct list_node *node = list_first(&server->waits); node; node = next) {
        struct rpc_request *request = LIST_ELEMENT(node, struct rpc_request, node);
        int64_t quiet = now - request->stepped_ns;
        next = list_next(&server->waits, node);
        if (quiet < STREAM_IDLE_NS && (quiet < STREAM_GAP_NS || revision == request->revision))
            continue;
        list_remove(&server->waits, node);
        queue_step(request);
    }
    rpc_server_files_look(server);
    if (list_is_empty(&server->waits) && list_is_empty(&server->file_waits))
        uv_timer_stop(&server->stream);
}

/* A long body lies where the worker that wrote it has its memory, and that one may be at the next
 * with the lock of it in its hands. */
struct body_end {
    struct work work;
    struct buffer body;
};

static void body_end_run(struct work *work)
{
    buffer_deinit(&LIST_ELEMENT(work, struct body_end, work)->body);
}

static void body_end_done(struct work *work)
{
    struct body_end *end = LIST_ELEMENT(work, struct body_end, work);

    buffer_deinit(&end->body);
    memory_free(end);
}

static void free_on_worker(struct rpc_request *request)
{
    struct body_end *end = memory_new(sizeof *end);

    *end = (struct body_end){.work = {.run = body_end_run, .done = body_end_done},
                             .body = request->reply.body};
    request->reply.body = (struct buffer){0};
    worker_pool_submit(request->server->list_workers, &end->work);
}

void rpc_server_call_end(struct rpc_request *request)
{
    CHECK(!request->is_suspended);
    rpc_server_files_end(request);
    if (request->call)
        request->service->end(request->call);
    if (request->is_long && !request->server->is_closing)
        free_on_worker(request);
    else
        buffer_deinit(&request->reply.body);
    service_job_deinit(&request->job.job);
}

/* Nothing runs any more: whatever sleeps is woken to be told that there is no answer. */
void rpc_server_drop_all(struct rpc_server *server)
{
    for (struct list_node *node = list_first(&server->requests); node;
         node = list_next(&server->requests, node)) {
        struct rpc_request *request = LIST_ELEMENT(node, struct rpc_request, awake);
        if (list_contains(&request->node))
            list_remove(request->is_file             ? &server->file_waits
                        : request->stage == RPC_WAIT ? &server->waits
                                                     : &server->steps,
                        &request->node);
        if (!request->is_suspended)
            continue;
        buffer_clear(&request->reply.body);
        request->sent = 0;
        request->reply.stream = false;
        rpc_server_resume(request, RPC_DROPPED);
    }
}

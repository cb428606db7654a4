/* SPDX-License-Identifier: MIT */
/*
 * Saves, one transaction for all that came while the last one was written: a hundred torrents that
 * are added at once wait for a few syncs, not for a hundred. What cannot be written (a full disk)
 * is tried again, and nothing that rests on it is promised.
 */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"

#include <string.h>

#define RETRY_MS        1000
#define FINAL_TRIES_MAX 3

struct batch {
    struct catalog_store_save *saves;
    uint32_t count, capacity;
};

struct daemon_saves {
    struct daemon_service *daemon;
    struct batch gathered, written;
    struct work work;
    bool is_writing, is_waiting;    /* to try again */
    enum freshet_error error, told; /* of the last try; what the log says of it */
};

struct daemon_saves *daemon_saves_new(struct daemon_service *daemon)
{
    struct daemon_saves *saves = memory_new(sizeof *saves);

    saves->daemon = daemon;
    return saves;
}

static void batch_clear(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        catalog_store_save_deinit(&batch->saves[i]);
    batch->count = 0;
}

static void batch_deinit(struct batch *batch)
{
    batch_clear(batch);
    memory_free(batch->saves);
}

void daemon_saves_free(struct daemon_saves *saves)
{
    if (!saves)
        return;
    batch_deinit(&saves->gathered);
    batch_deinit(&saves->written);
    memory_free(saves);
}

void daemon_saves_add(struct daemon_service *daemon, const struct catalog_action *action)
{
    struct batch *batch = &daemon->saves->gathered;

    daemon_copy_on_save(daemon, action); /* asks who is new to the totals */
    daemon_totals_on_save(daemon, action);
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity ? 2 * batch->capacity : 16;
        batch->saves = memory_resize_array(batch->saves, batch->capacity, sizeof *batch->saves);
    }
    memset(&batch->saves[batch->count], 0, sizeof *batch->saves);
    if (catalog_store_save_copy(daemon->catalog, action, &batch->saves[batch->count]))
        batch->count++;
    if (action->type == CATALOG_TRACKERS || action->type == CATALOG_FORGET)
        daemon_known_forget(daemon, action->id);
}

static void saves_run(struct work *work)
{
    struct daemon_saves *saves = LIST_ELEMENT(work, struct daemon_saves, work);

    saves->error = catalog_store_commit(session_state(saves->daemon->session), saves->written.saves,
                                        saves->written.count);
}

static void saves_start(struct daemon_saves *saves);

static void on_retry(uv_timer_t *timer)
{
    struct daemon_service *daemon = timer->data;

    daemon->saves->is_waiting = false;
    daemon_service_wake(daemon);
}

/* Everything that was written is told by the change of the last one. */
static void saves_told(struct daemon_saves *saves)
{
    uint64_t change = saves->written.saves[saves->written.count - 1].change;

    batch_clear(&saves->written);
    catalog_on_saved(saves->daemon->catalog, change);
    daemon_jobs_on_saved(saves->daemon);
    daemon_service_wake(saves->daemon);
}

static void saves_done(struct work *work)
{
    struct daemon_saves *saves = LIST_ELEMENT(work, struct daemon_saves, work);

    saves->is_writing = false;
    if (!work->cancelled && !saves->error) {
        if (saves->told)
            daemon_log("info", "state-written", NULL);
        saves->told = FRESHET_OK;
        saves_told(saves);
        return;
    }
    if (work->cancelled)
        return;
    if (saves->error != saves->told) /* and not each second anew */
        daemon_log("error", "state-not-written", "error", error_text(saves->error), NULL);
    saves->told = saves->error;
    saves->is_waiting = true;
    uv_timer_start(&saves->daemon->retry, on_retry, RETRY_MS, 0);
}

static void saves_start(struct daemon_saves *saves)
{
    saves->is_writing = true;
    saves->work.run = saves_run;
    saves->work.done = saves_done;
    worker_pool_submit(saves->daemon->state_worker, &saves->work);
}

static void saves_swap(struct daemon_saves *saves)
{
    struct batch batch = saves->gathered;

    saves->gathered = saves->written;
    saves->written = batch;
}

void daemon_saves_flush(struct daemon_service *daemon)
{
    struct daemon_saves *saves = daemon->saves;

    if (saves->is_writing || saves->is_waiting)
        return;
    if (saves->written.count == 0)
        saves_swap(saves);
    if (saves->written.count > 0)
        saves_start(saves);
}

/* The loop stands: whatever the worker still writes is waited for, the rest is written here. */
void daemon_saves_finish(struct daemon_service *daemon)
{
    struct daemon_saves *saves = daemon->saves;
    struct catalog_action action;
    uv_loop_t *loop = session_loop(daemon->session);

    while (catalog_output(daemon->catalog, clock_now(), &action))
        if (action.type == CATALOG_SAVE || action.type == CATALOG_SAVE_SETTINGS ||
            action.type == CATALOG_FORGET || action.type == CATALOG_TRACKERS)
            daemon_saves_add(daemon, &action);
    while (saves->is_writing) /* one transaction, bounded by the store's own time-outs */
        uv_run(loop, UV_RUN_ONCE);
    for (int tries = 0; tries < FINAL_TRIES_MAX; tries++) {
        if (saves->written.count == 0)
            saves_swap(saves);
        if (saves->written.count == 0)
            return;
        saves_run(&saves->work);
        if (!saves->error)
            batch_clear(&saves->written);
    }
    if (saves->written.count > 0)
        daemon_log("error", "state-not-written", "error", error_text(saves->error), NULL);
}

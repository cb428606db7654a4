/* SPDX-License-Identifier: MIT */
/*
 * The good copy of the state, which is used when the state is found damaged. It is made
 *   - seconds after torrents came or went
 *   - minutes after anything else was wished or became true of one; not for mere counters
 *   - once a day, and at each orderly end
 * but never so often that copying is what the disk does: each one is followed by a rest. At the end
 * one that is under way is given up, since another follows.
 */
#include "host/daemon_service_state.h"

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"

#include <stdio.h>
#include <sys/stat.h>

#define COPY_SOON_NS       (5 * SECOND_NS)
#define COPY_LATER_NS      (300 * SECOND_NS)
#define COPY_REST_NS       (30 * SECOND_NS)
#define COPY_REST_LARGE_NS (600 * SECOND_NS)
#define COPY_REST_SHARE    100 /* the rest after one that took long is so many times as long */
#define COPY_LARGE_BYTES   (32 * MIB)
#define COPY_LOOK_S        3600u
#define COPY_FIRST_LOOK_S  60u

struct daemon_copy {
    struct daemon_service *daemon;
    struct work work;
    bool is_running;
    atomic_bool is_cancelled;
    bool is_wanted;  /* the one that is running: even if there is one of the last day */
    int64_t due_ns;  /* INT64_MAX: nothing has changed */
    uint64_t change; /* that is to be durable before */
    int64_t rest_until_ns;
    enum freshet_error error, told; /* of the last one; what the log says of it */
    int64_t took_ns, bytes;
    char text[STATE_TEXT_SIZE];
};

struct daemon_copy *daemon_copy_new(struct daemon_service *daemon)
{
    struct daemon_copy *copy = memory_new(sizeof *copy);

    copy->daemon = daemon;
    copy->due_ns = INT64_MAX;
    return copy;
}

void daemon_copy_free(struct daemon_copy *copy)
{
    memory_free(copy);
}

void daemon_copy_on_save(struct daemon_service *daemon, const struct catalog_action *action)
{
    struct daemon_copy *copy = daemon->copy;
    bool comes = action->type == CATALOG_SAVE && action->torrent->id > daemon->newest;
    int64_t due = clock_now();

    if (action->type == CATALOG_SAVE && action->only_counted)
        return;
    due += comes || action->type == CATALOG_FORGET ? COPY_SOON_NS : COPY_LATER_NS;
    copy->due_ns = due < copy->due_ns ? due : copy->due_ns;
    copy->change = action->change;
}

static void copy_run(struct work *work)
{
    struct daemon_copy *copy = LIST_ELEMENT(work, struct daemon_copy, work);
    struct state_store *state = session_state(copy->daemon->session);
    char path[LIMIT_PATH_LENGTH + 32];
    int64_t begun = clock_now();
    struct stat facts;

    copy->error = FRESHET_OK;
    if (copy->is_wanted || state_store_copy_is_due(state, clock_wall() / SECOND_NS))
        copy->error = state_store_keep_copy(state, &copy->is_cancelled, copy->text);
    copy->took_ns = clock_now() - begun;
    snprintf(path, sizeof path, "%s/state.db", copy->daemon->folder);
    copy->bytes = stat(path, &facts) == 0 ? (int64_t)facts.st_size : 0;
}

static void copy_done(struct work *work)
{
    struct daemon_copy *copy = LIST_ELEMENT(work, struct daemon_copy, work);
    int64_t now = clock_now();
    int64_t rest = copy->bytes > COPY_LARGE_BYTES ? COPY_REST_LARGE_NS : COPY_REST_NS;

    copy->is_running = false;
    if (work->cancelled || copy->error == FRESHET_ERROR_CANCELLED)
        return;
    if (rest < copy->took_ns * COPY_REST_SHARE)
        rest = copy->took_ns * COPY_REST_SHARE;
    copy->rest_until_ns = now + rest;
    if (copy->error && copy->error != copy->told) /* and not each time anew */
        daemon_log("warning", "state-not-copied", "text", copy->text, NULL);
    copy->told = copy->error;
    if (copy->error && copy->due_ns > now + COPY_LATER_NS)
        copy->due_ns = now + COPY_LATER_NS;
}

static void start(struct daemon_copy *copy, bool is_wanted)
{
    copy->is_running = true;
    copy->is_wanted = is_wanted;
    copy->work.run = copy_run;
    copy->work.done = copy_done;
    worker_pool_submit(copy->daemon->copy_worker, &copy->work);
}

void daemon_copy_second(struct daemon_service *daemon)
{
    struct daemon_copy *copy = daemon->copy;
    int64_t now = clock_now();

    if (copy->is_running || daemon->is_stopping)
        return;
    if (copy->due_ns <= now && copy->rest_until_ns <= now &&
        catalog_saved(daemon->catalog) >= copy->change) {
        copy->due_ns = INT64_MAX; /* what changes from here on is for the next one */
        start(copy, true);
    } else if (daemon->seconds % COPY_LOOK_S == COPY_FIRST_LOOK_S) {
        start(copy, false);
    }
}

void daemon_copy_finish(struct daemon_service *daemon)
{
    struct daemon_copy *copy = daemon->copy;
    char text[STATE_TEXT_SIZE];

    /* Both would write one file, and what is being copied is older. */
    atomic_store(&copy->is_cancelled, true);
    while (copy->is_running)
        uv_run(session_loop(daemon->session), UV_RUN_ONCE);
    if (state_store_keep_copy(session_state(daemon->session), NULL, text))
        daemon_log("warning", "state-not-copied", "text", text, NULL);
}

/* SPDX-License-Identifier: MIT */
/* The good copy of the state, which is used when the state is found damaged: made once a day and at
 * each orderly end. */
#include "host/daemon_service_state.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/daemon_log.h"

struct copy_work {
    struct work work;
    struct state_store *state;
    enum freshet_error error;
    char text[STATE_TEXT_SIZE];
};

static void copy_run(struct work *work)
{
    struct copy_work *copy = LIST_ELEMENT(work, struct copy_work, work);

    if (state_store_copy_is_due(copy->state, clock_wall() / SECOND_NS))
        copy->error = state_store_keep_copy(copy->state, copy->text);
}

static void copy_done(struct work *work)
{
    struct copy_work *copy = LIST_ELEMENT(work, struct copy_work, work);

    if (copy->error)
        daemon_log("warning", "state-not-copied", "text", copy->text, NULL);
    memory_free(copy);
}

void daemon_copy_if_due(struct daemon_service *daemon)
{
    struct copy_work *copy = memory_new(sizeof *copy);

    copy->state = session_state(daemon->session);
    copy->work.run = copy_run;
    copy->work.done = copy_done;
    worker_pool_submit(daemon->state_worker, &copy->work);
}

void daemon_copy_now(struct daemon_service *daemon)
{
    char text[STATE_TEXT_SIZE];

    if (state_store_keep_copy(session_state(daemon->session), text))
        daemon_log("warning", "state-not-copied", "text", text, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * The host's jobs of a tracker client: HTTP fetches and name look-ups. A job lives from the moment
 * it is wanted until its event comes, whatever becomes of who wanted it, because the host reads its
 * texts until then (core/door/door.h). Used by tracker_inquiry.c.
 */
#ifndef FRESHET_TRACKER_TRACKER_JOB_H
#define FRESHET_TRACKER_TRACKER_JOB_H

#include "core/base/list.h"
#include "core/door/door.h"

struct tracker_request;

struct tracker_job {
    struct list_node node;
    job_id id;
    struct tracker_request *request; /* who waits for a fetch; NULL: a look-up */
    bool is_abandoned;               /* nobody waits for it any more */
    bool is_pulled;
    bool is_cancelled; /* ACTION_CANCEL was pulled */
    struct fetch_job fetch;
    struct resolve_job resolve;
    struct buffer text; /* the URL or the host name, with a NUL at its end */
};

/* Takes the text. The caller fills `fetch` or `resolve` but for their id and text. */
struct tracker_job *tracker_job_add(struct list *jobs, job_id id, struct buffer *text);
struct tracker_job *tracker_job_find(const struct list *jobs, job_id id);
void tracker_job_drop(struct list *jobs, struct tracker_job *job);
/* Nobody waits any more: what the host has is cancelled, what it has not is dropped. */
void tracker_job_abandon_all(struct list *jobs);
/* ACTION_FETCH, ACTION_RESOLVE or ACTION_CANCEL, the oldest job first. */
bool tracker_job_output(const struct list *jobs, struct action *ret_action);

#endif

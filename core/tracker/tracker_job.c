/* SPDX-License-Identifier: MIT */
#include "core/tracker/tracker_job.h"

#include "core/base/memory.h"

#define JOB_OF(node) LIST_ELEMENT(node, struct tracker_job, node)

struct tracker_job *tracker_job_add(struct list *jobs, job_id id, struct buffer *text)
{
    struct tracker_job *job = memory_new(sizeof *job);
    buffer_append_u8(text, '\0');
    job->id = id;
    job->text = *text;
    *text = (struct buffer){0};
    list_append(jobs, &job->node);
    return job;
}

struct tracker_job *tracker_job_find(const struct list *jobs, job_id id)
{
    for (struct list_node *node = list_first(jobs); node; node = list_next(jobs, node))
        if (JOB_OF(node)->id == id)
            return JOB_OF(node);
    return NULL;
}

void tracker_job_drop(struct list *jobs, struct tracker_job *job)
{
    list_remove(jobs, &job->node);
    buffer_deinit(&job->text);
    memory_free(job);
}

void tracker_job_abandon_all(struct list *jobs)
{
    struct list_node *node = list_first(jobs);
    while (node) {
        struct tracker_job *job = JOB_OF(node);
        node = list_next(jobs, node);
        job->is_abandoned = true;
        job->request = NULL;
        if (!job->is_pulled)
            tracker_job_drop(jobs, job);
    }
}

static bool output(struct tracker_job *job, struct action *ret_action)
{
    if (!job->is_pulled) {
        job->is_pulled = true;
        *ret_action = (struct action){.type = job->request ? ACTION_FETCH : ACTION_RESOLVE};
        if (job->request)
            ret_action->fetch = &job->fetch;
        else
            ret_action->resolve = &job->resolve;
        return true;
    }
    if (job->is_abandoned && !job->is_cancelled) {
        job->is_cancelled = true;
        *ret_action = (struct action){.type = ACTION_CANCEL, .job = job->id};
        return true;
    }
    return false;
}

bool tracker_job_output(const struct list *jobs, struct action *ret_action)
{
    for (struct list_node *node = list_first(jobs); node; node = list_next(jobs, node))
        if (output(JOB_OF(node), ret_action))
            return true;
    return false;
}

/* SPDX-License-Identifier: MIT */
#include "host/port_mapping.h"

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/port_schedule.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#define FINISH_MS 4000 /* a router in the same house answers in milliseconds */

/* One thread's errand. Who comes last frees it: the thread when it was abandoned, else the loop. */
struct errand {
    pthread_mutex_t lock;
    struct port_mapping *owner; /* NULL: abandoned */
    bool is_done;
    struct port_request request;
    struct port_answer answer;
};

struct port_mapping {
    uv_timer_t timer; /* the schedule's deadline */
    uv_timer_t end;   /* of the wait for the last errand */
    uv_async_t wake;
    unsigned handles;
    struct port_schedule schedule;
    struct errand *errand; /* that runs */
    struct port_mapping_status status;
    bool is_finishing;
    void (*changed)(void *context);
    void (*finished)(void *context);
    void *context;
};

static void step(struct port_mapping *mapping);

/* ---- the thread ---- */

static void errand_free(struct errand *errand)
{
    pthread_mutex_destroy(&errand->lock);
    memory_free(errand);
}

static void *errand_run(void *context)
{
    struct errand *errand = context;

    port_request_perform(&errand->request, &errand->answer);
    pthread_mutex_lock(&errand->lock);
    bool is_abandoned = errand->owner == NULL;
    errand->is_done = true;
    if (!is_abandoned)
        uv_async_send(&errand->owner->wake);
    pthread_mutex_unlock(&errand->lock);
    if (is_abandoned)
        errand_free(errand);
    return NULL;
}

/* Signals belong to the loop's thread. false: the machine has no thread for us. */
static bool start_thread(struct errand *errand)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread, &attributes, errand_run, errand);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return !failed;
}

static void abandon(struct port_mapping *mapping)
{
    struct errand *errand = mapping->errand;

    if (!errand)
        return;
    mapping->errand = NULL;
    pthread_mutex_lock(&errand->lock);
    errand->owner = NULL;
    bool is_done = errand->is_done;
    pthread_mutex_unlock(&errand->lock);
    if (is_done)
        errand_free(errand);
}

/* ---- what came of it ---- */

static void set_status(struct port_mapping *mapping, const struct port_mapping_status *status)
{
    struct port_mapping_status before = mapping->status;

    mapping->status = *status;
    if (before.state != status->state || before.method != status->method ||
        before.external_port != status->external_port ||
        !address_equal(&before.external, &status->external) ||
        strcmp(before.text, status->text) != 0)
        mapping->changed(mapping->context);
}

static void tell(struct port_mapping *mapping, const struct port_answer *answer)
{
    struct port_mapping_status status = {.state = PORT_MAPPING_FAILED};

    if (answer->ok) {
        status.state = PORT_MAPPING_HELD;
        status.method = answer->lease.method;
        status.external_port = answer->lease.external_port;
        status.external = answer->lease.external;
    } else {
        memcpy(status.text, answer->text, sizeof status.text);
    }
    set_status(mapping, &status);
}

static void on_wake(uv_async_t *wake)
{
    struct port_mapping *mapping = wake->data;
    struct errand *errand = mapping->errand;
    struct port_answer answer;

    if (!errand)
        return;
    pthread_mutex_lock(&errand->lock);
    bool is_done = errand->is_done;
    pthread_mutex_unlock(&errand->lock);
    if (!is_done)
        return;
    answer = errand->answer;
    bool is_news =
        !errand->request.lets_go && mapping->schedule.is_wanted && !mapping->schedule.is_outdated;
    errand_free(errand);
    mapping->errand = NULL;
    port_schedule_done(&mapping->schedule, &answer, clock_now());
    if (is_news)
        tell(mapping, &answer);
    step(mapping);
}

/* ---- the loop's side ---- */

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

static void finish_if_settled(struct port_mapping *mapping, bool is_late)
{
    void (*finished)(void *context) = mapping->finished;

    if (!finished || (!is_late && !port_schedule_is_settled(&mapping->schedule)))
        return;
    mapping->finished = NULL;
    uv_timer_stop(&mapping->timer);
    uv_timer_stop(&mapping->end);
    finished(mapping->context);
}

static void on_end(uv_timer_t *timer)
{
    finish_if_settled(timer->data, true);
}

static void start(struct port_mapping *mapping, const struct port_request *request)
{
    struct errand *errand = memory_new(sizeof *errand);

    CHECK(pthread_mutex_init(&errand->lock, NULL) == 0);
    errand->owner = mapping;
    errand->request = *request;
    mapping->errand = errand;
    if (start_thread(errand))
        return;
    errand->is_done = true;
    strcpy(errand->answer.text, "no thread to ask with");
    uv_async_send(&mapping->wake);
}

/* Begins what is due, and sleeps until the next is. */
static void step(struct port_mapping *mapping)
{
    struct port_request request;
    int64_t now = clock_now();

    if (port_schedule_next(&mapping->schedule, now, &request))
        start(mapping, &request);
    int64_t deadline = port_schedule_deadline(&mapping->schedule);
    if (deadline == INT64_MAX) {
        uv_timer_stop(&mapping->timer);
    } else {
        int64_t wait_ms = deadline <= now ? 0 : (deadline - now) / MILLISECOND_NS + 1;
        uv_timer_start(&mapping->timer, on_timer, (uint64_t)wait_ms, 0);
    }
    finish_if_settled(mapping, false);
}

struct port_mapping *port_mapping_new(uv_loop_t *loop, void (*changed)(void *context),
                                      void *context)
{
    struct port_mapping *mapping = memory_new(sizeof *mapping);

    port_schedule_init(&mapping->schedule);
    mapping->changed = changed;
    mapping->context = context;
    CHECK(uv_timer_init(loop, &mapping->timer) == 0);
    CHECK(uv_timer_init(loop, &mapping->end) == 0);
    CHECK(uv_async_init(loop, &mapping->wake, on_wake) == 0);
    mapping->timer.data = mapping->end.data = mapping->wake.data = mapping;
    mapping->handles = 3;
    uv_unref((uv_handle_t *)&mapping->wake);
    return mapping;
}

/* The errand itself begins in a turn of the loop: several wishes of one turn are one. */
static void wake_up(struct port_mapping *mapping)
{
    uv_timer_start(&mapping->timer, on_timer, 0, 0);
}

void port_mapping_want(struct port_mapping *mapping, bool is_wanted, const struct address *listen)
{
    struct port_schedule *schedule = &mapping->schedule;
    bool is_news = !schedule->is_wanted || !address_equal(&schedule->listen, listen);

    if (mapping->is_finishing)
        return;
    port_schedule_want(schedule, is_wanted, listen, clock_now());
    if (!schedule->is_wanted)
        set_status(mapping, &(struct port_mapping_status){.state = PORT_MAPPING_OFF});
    else if (is_news)
        set_status(mapping, &(struct port_mapping_status){.state = PORT_MAPPING_ASKING});
    wake_up(mapping);
}

void port_mapping_network_changed(struct port_mapping *mapping)
{
    port_schedule_network_changed(&mapping->schedule, clock_now());
    wake_up(mapping);
}

struct port_mapping_status port_mapping_status(const struct port_mapping *mapping)
{
    return mapping->status;
}

void port_mapping_finish(struct port_mapping *mapping, void (*finished)(void *context))
{
    struct address none = {0};

    mapping->is_finishing = true;
    mapping->finished = finished;
    port_schedule_want(&mapping->schedule, false, &none, clock_now());
    uv_timer_start(&mapping->end, on_end, FINISH_MS, 0);
    wake_up(mapping);
}

static void on_close(uv_handle_t *handle)
{
    struct port_mapping *mapping = handle->data;

    if (--mapping->handles == 0)
        memory_free(mapping);
}

void port_mapping_close(struct port_mapping *mapping)
{
    if (!mapping)
        return;
    abandon(mapping);
    uv_close((uv_handle_t *)&mapping->timer, on_close);
    uv_close((uv_handle_t *)&mapping->end, on_close);
    uv_close((uv_handle_t *)&mapping->wake, on_close);
}

/* SPDX-License-Identifier: MIT */
#include "host/resolver.h"

#include "core/base/list.h"
#include "core/base/memory.h"
#include "host/address_rules.h"
#include "host/socket_address.h"

#include <netdb.h>
#include <stdio.h>

struct resolver {
    uv_loop_t *loop;
    void (*done)(void *context, struct event *event);
    void *context;
    struct list active;
    bool freed;
    bool refuses_names;
};

struct resolving {
    uv_getaddrinfo_t request;
    struct list_node node;
    struct resolver *resolver;
    job_id job;
    uint16_t port;
};

struct resolver *resolver_new(uv_loop_t *loop, void (*done)(void *context, struct event *event),
                              void *context)
{
    struct resolver *resolver = memory_new(sizeof *resolver);

    *resolver = (struct resolver){.loop = loop, .done = done, .context = context};
    list_init(&resolver->active);
    return resolver;
}

static void resolver_add_address(struct event *event, const struct sockaddr *from, uint16_t port)
{
    struct address_request request = {.purpose = ADDRESS_FOR_DATAGRAM};
    struct address address;

    if (event->result.resolved.count == RESOLVE_ADDRESSES_MAX ||
        !socket_address_from(from, &address))
        return;
    address.port = port;
    if (!address_rules_allow(&request, &address)) {
        event->error = FRESHET_ERROR_REFUSED;
        return;
    }
    for (uint32_t i = 0; i < event->result.resolved.count; i++)
        if (address_equal(&event->result.resolved.addresses[i], &address))
            return;
    event->result.resolved.addresses[event->result.resolved.count++] = address;
}

static void resolver_on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *answer)
{
    struct resolving *resolving = request->data;
    struct resolver *resolver = resolving->resolver;
    struct event event = {.type = EVENT_JOB_DONE, .job = resolving->job};

    for (struct addrinfo *one = answer; status == 0 && one; one = one->ai_next)
        resolver_add_address(&event, one->ai_addr, resolving->port);
    uv_freeaddrinfo(answer);
    if (event.result.resolved.count > 0)
        event.error = FRESHET_OK;
    else if (event.error == FRESHET_OK)
        event.error = status == UV_ECANCELED ? FRESHET_ERROR_CANCELLED : FRESHET_ERROR_RESOLVE;
    list_remove(&resolver->active, &resolving->node);
    memory_free(resolving);
    if (!resolver->freed)
        resolver->done(resolver->context, &event);
    else if (list_is_empty(&resolver->active))
        memory_free(resolver);
}

void resolver_refuse_names(struct resolver *resolver)
{
    resolver->refuses_names = true;
}

static void resolver_fail(struct resolver *resolver, const struct resolve_job *job,
                          enum freshet_error error)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id, .error = error};

    resolver->done(resolver->context, &event);
}

void resolver_start(struct resolver *resolver, const struct resolve_job *job)
{
    bool is_number = address_from_text(job->host, true, &(struct address){0});
    if (resolver->refuses_names && !is_number) {
        resolver_fail(resolver, job, FRESHET_ERROR_REFUSED);
        return;
    }
    struct resolving *resolving = memory_new(sizeof *resolving);
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    char service[8];

    resolving->resolver = resolver;
    resolving->job = job->id;
    resolving->port = job->port;
    resolving->request.data = resolving;
    /* A number needs no configured address of its family to be one: that is a matter of names. */
    if (is_number)
        hints.ai_flags = AI_NUMERICHOST;
    snprintf(service, sizeof service, "%u", job->port);
    list_append(&resolver->active, &resolving->node);
    int failed = uv_getaddrinfo(resolver->loop, &resolving->request, resolver_on_answer, job->host,
                                service, &hints);
    if (failed) {
        list_remove(&resolver->active, &resolving->node);
        memory_free(resolving);
        resolver_fail(resolver, job, FRESHET_ERROR_RESOLVE);
    }
}

void resolver_cancel(struct resolver *resolver, job_id job)
{
    for (struct list_node *node = list_first(&resolver->active); node;
         node = list_next(&resolver->active, node)) {
        struct resolving *resolving = LIST_ELEMENT(node, struct resolving, node);
        if (resolving->job == job)
            uv_cancel((uv_req_t *)&resolving->request);
    }
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    resolver->freed = true;
    for (struct list_node *node = list_first(&resolver->active); node;
         node = list_next(&resolver->active, node))
        uv_cancel((uv_req_t *)&LIST_ELEMENT(node, struct resolving, node)->request);
    if (list_is_empty(&resolver->active))
        memory_free(resolver);
}

/* SPDX-License-Identifier: MIT */
#include "host/dht_service.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/datagram_socket.h"
#include "host/dht_record.h"
#include "host/ed25519.h"
#include "host/entropy.h"
#include "host/resolver.h"
#include "host/worker_pool.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define FAMILIES      2u
#define PORT_TRIES    32
#define SAVE_FIRST_MS 60000u /* a crash soon after the start should not lose everything */
#define SAVE_MS       300000u
/* Who knows so many that answer need not wait until all who are near are known. */
#define NODES_ENOUGH 16u

/* The jobs of the two nodes are numbered apart. */
#define FIRST_JOB (UINT64_C(1) << 62)

static const int signal_numbers[] = {SIGINT, SIGTERM};
#define SIGNAL_COUNT (sizeof signal_numbers / sizeof *signal_numbers)

struct dht_member {
    struct dht_service *service;
    enum address_family family;
    struct dht_node *node; /* NULL: that family is not there */
    struct datagram_socket *socket;
    struct address address;
    bool had_record;
    bool is_ready; /* and was told so */
};

struct dht_saving {
    struct work work;
    struct dht_service *service;
    struct buffer records[FAMILIES];
};

struct dht_service {
    uv_loop_t loop;
    uv_timer_t timer; /* when a node wants to tick */
    uv_timer_t save_timer;
    uv_timer_t tick_timer;
    uv_signal_t signals[SIGNAL_COUNT];
    struct dht_service_options options;
    struct dht_member members[FAMILIES]; /* IPv4, IPv6 */
    struct resolver *resolver;
    struct worker_pool *worker; /* writes records */
    bool has_names;
    bool is_saving;
    bool is_pushing;
    bool is_stopped;
    int64_t armed_ns; /* when the timer fires */
};

static void set_timer(struct dht_service *service);

/* --- What the nodes want done, and what they have to tell --- */

/* `event`: the datagram that is being answered, or NULL. Its sender is answered from the address
 * that it asked: no other would be believed. */
static void do_action(struct dht_member *member, const struct event *event,
                      const struct action *action)
{
    if (action->type == ACTION_RESOLVE)
        resolver_start(member->service->resolver, action->resolve);
    else if (event && address_equal(&event->remote, &action->remote))
        datagram_socket_reply(member->socket, event, action->bytes);
    else
        datagram_socket_send(member->socket, &action->remote, action->bytes);
}

static bool do_actions(struct dht_member *member, const struct event *event)
{
    struct action action;
    bool any = false;

    for (; dht_node_output(member->node, clock_now(), &action); any = true)
        do_action(member, event, &action);
    return any;
}

static bool tell_results(struct dht_member *member)
{
    struct dht_service *service = member->service;
    struct dht_result result;
    bool any = false;

    for (; !service->is_stopped && dht_node_result(member->node, &result); any = true)
        if (service->options.on_result)
            service->options.on_result(service->options.context, member->node, &result);
    return any;
}

static bool tell_ready(struct dht_member *member)
{
    struct dht_service *service = member->service;
    struct dht_node_stats stats;

    if (member->is_ready || service->is_stopped)
        return false;
    dht_node_stats(member->node, clock_now(), &stats);
    if (stats.good_nodes == 0 || (stats.lookups > 0 && stats.good_nodes < NODES_ENOUGH))
        return false;
    member->is_ready = true;
    if (service->options.on_ready)
        service->options.on_ready(service->options.context, member->node);
    return true;
}

static void push(struct dht_service *service, const struct event *event)
{
    bool any = true;

    if (service->is_pushing) /* a callback's command: the loop below is still to see it */
        return;
    service->is_pushing = true;
    while (any) {
        any = false;
        for (uint32_t i = 0; i < FAMILIES; i++) {
            struct dht_member *member = &service->members[i];
            if (!member->node)
                continue;
            any |= do_actions(member, event);
            any |= tell_results(member);
            any |= tell_ready(member);
        }
    }
    service->is_pushing = false;
    set_timer(service);
}

void dht_service_push(struct dht_service *service)
{
    push(service, NULL);
}

/* --- What happens --- */

static void on_timer(uv_timer_t *timer)
{
    struct dht_service *service = timer->data;

    service->armed_ns = INT64_MAX;
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (service->members[i].node)
            dht_node_tick(service->members[i].node, clock_now());
    push(service, NULL);
}

/* A timer that fires too early does no harm and is cheaper than one that is set anew with every
 * datagram. */
static void set_timer(struct dht_service *service)
{
    int64_t deadline = INT64_MAX;

    for (uint32_t i = 0; i < FAMILIES; i++) {
        const struct dht_node *node = service->members[i].node;
        if (node && dht_node_deadline(node) < deadline)
            deadline = dht_node_deadline(node);
    }
    if (deadline >= service->armed_ns)
        return;
    int64_t wait_ms = (deadline - clock_now()) / MILLISECOND_NS + 1;
    service->armed_ns = deadline;
    uv_update_time(&service->loop);
    uv_timer_start(&service->timer, on_timer, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
}

static void on_datagram(void *context, struct event *event)
{
    struct dht_member *member = context;

    dht_node_input(member->node, clock_now(), event);
    push(member->service, event);
}

static void on_resolved(void *context, struct event *event)
{
    struct dht_service *service = context;

    for (uint32_t i = 0; i < FAMILIES; i++)
        if (service->members[i].node &&
            dht_node_input(service->members[i].node, clock_now(), event))
            break;
    push(service, NULL);
}

static void on_tick(uv_timer_t *timer)
{
    struct dht_service *service = timer->data;

    service->options.on_tick(service->options.context);
    push(service, NULL);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct dht_service *service = handle->data;

    service->options.on_signal(service->options.context, signal_number);
}

/* --- Records --- */

/* An empty record is none: a node that has heard nobody yet must not wipe out what it began with.
 * A passing node leaves alone what another has kept. */
static bool make_record(const struct dht_member *member, struct buffer *ret_record)
{
    const struct dht_service *service = member->service;
    struct dht_node_stats stats;

    if (!member->node || !service->options.state || service->options.without_record ||
        (service->options.is_passing && member->had_record))
        return false;
    dht_node_stats(member->node, clock_now(), &stats);
    if (stats.good_nodes == 0 && (service->options.is_passing || member->had_record))
        return false;
    dht_node_save(member->node, ret_record);
    return true;
}

static void make_records(struct dht_service *service, struct buffer records[FAMILIES])
{
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (!make_record(&service->members[i], &records[i]))
            buffer_clear(&records[i]);
}

/* Blocks. What cannot be kept is lost for good only when nobody writes it again. */
static void put_records(struct dht_service *service, struct buffer records[FAMILIES])
{
    for (uint32_t i = 0; i < FAMILIES; i++) {
        if (records[i].length > 0)
            (void)dht_record_save(service->options.state, service->members[i].family,
                                  buffer_bytes(&records[i]));
        buffer_deinit(&records[i]);
    }
}

static void run_saving(struct work *work)
{
    struct dht_saving *saving = LIST_ELEMENT(&work->node, struct dht_saving, work.node);

    put_records(saving->service, saving->records);
}

static void end_saving(struct work *work)
{
    struct dht_saving *saving = LIST_ELEMENT(&work->node, struct dht_saving, work.node);

    saving->service->is_saving = false;
    for (uint32_t i = 0; i < FAMILIES; i++)
        buffer_deinit(&saving->records[i]);
    memory_free(saving);
}

static void on_save(uv_timer_t *timer)
{
    struct dht_service *service = timer->data;

    if (service->is_saving)
        return;
    struct dht_saving *saving = memory_new(sizeof *saving);
    saving->service = service;
    saving->work = (struct work){.run = run_saving, .done = end_saving};
    make_records(service, saving->records);
    service->is_saving = true;
    worker_pool_submit(service->worker, &saving->work);
}

static void load_record(struct dht_member *member)
{
    const struct dht_service_options *options = &member->service->options;
    struct buffer record = {0};

    if (options->without_record || !options->state ||
        dht_record_load(options->state, member->family, &record) != FRESHET_OK)
        return;
    /* A record that makes no sense is as good as none: the names lead in again. */
    enum freshet_error error =
        options->is_passing ? dht_node_load_nodes(member->node, buffer_bytes(&record), clock_now())
                            : dht_node_load(member->node, buffer_bytes(&record), clock_now());
    member->had_record = error == FRESHET_OK;
    buffer_deinit(&record);
}

/* --- Life --- */

static void make_node(struct dht_member *member)
{
    const struct dht_service_options *options = &member->service->options;
    bool is_ipv4 = member->family == ADDRESS_IPV4;
    struct dht_node_options node = {.family = member->family,
                                    .is_read_only = options->is_read_only,
                                    .verifier = ed25519_verifier(),
                                    .first_job = is_ipv4 ? FIRST_JOB : 2 * FIRST_JOB};

    entropy_fill(&node.seed, sizeof node.seed);
    entropy_fill(node.secret, sizeof node.secret);
    member->node = dht_node_new(&node);
    load_record(member);
    for (uint32_t i = 0; options->names && i < options->names->count; i++)
        (void)dht_node_add_name(member->node, options->names->names[i].host,
                                options->names->names[i].port);
}

static enum freshet_error open_member(struct dht_service *service, const struct address *address)
{
    struct dht_member *member = &service->members[address->family == ADDRESS_IPV4 ? 0 : 1];
    enum freshet_error error =
        datagram_socket_open(&service->loop, address, true, on_datagram, member, &member->socket);

    if (error == FRESHET_OK)
        member->address = datagram_socket_address(member->socket);
    return error;
}

static void close_sockets(struct dht_service *service)
{
    for (uint32_t i = 0; i < FAMILIES; i++) {
        datagram_socket_close(service->members[i].socket);
        service->members[i].socket = NULL;
        service->members[i].address = (struct address){.family = ADDRESS_NONE};
    }
}

/* Both families on one port; a machine without IPv6 has IPv4 alone. */
static enum freshet_error open_everywhere(struct dht_service *service, uint16_t port)
{
    struct address address = {.family = ADDRESS_IPV4, .port = port};
    enum freshet_error error = open_member(service, &address);

    if (error)
        return error;
    address = (struct address){.family = ADDRESS_IPV6, .port = service->members[0].address.port};
    error = open_member(service, &address);
    if (error != FRESHET_ERROR_BUSY)
        return FRESHET_OK;
    close_sockets(service);
    return error;
}

static enum freshet_error open_sockets(struct dht_service *service)
{
    const struct dht_service_options *options = &service->options;
    enum freshet_error error = FRESHET_ERROR_BUSY;

    if (options->listen.family != ADDRESS_NONE)
        return open_member(service, &options->listen);
    for (int i = 0; i < PORT_TRIES && error == FRESHET_ERROR_BUSY; i++) {
        uint32_t port = options->port ? options->port + (uint32_t)i : 0;
        if (port <= UINT16_MAX)
            error = open_everywhere(service, (uint16_t)port);
    }
    return error;
}

static void make_loop(struct dht_service *service)
{
    CHECK(uv_loop_init(&service->loop) == 0);
    uv_timer_t *timers[] = {&service->timer, &service->save_timer, &service->tick_timer};
    for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
        CHECK(uv_timer_init(&service->loop, timers[i]) == 0);
        timers[i]->data = service;
    }
    for (size_t i = 0; service->options.on_signal && i < SIGNAL_COUNT; i++) {
        CHECK(uv_signal_init(&service->loop, &service->signals[i]) == 0);
        service->signals[i].data = service;
        uv_signal_start(&service->signals[i], on_signal, signal_numbers[i]);
    }
    service->resolver = resolver_new(&service->loop, on_resolved, service);
    service->worker = worker_pool_new(&service->loop, 1, WORKER_TRANSFER);
}

static void start(struct dht_service *service)
{
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (service->members[i].socket)
            make_node(&service->members[i]);
    if (service->members[0].node && service->members[1].node)
        dht_node_set_sibling(service->members[0].node, service->members[1].node);
    if (service->options.state && !service->options.is_passing)
        uv_timer_start(&service->save_timer, on_save, SAVE_FIRST_MS, SAVE_MS);
    if (service->options.tick_ms && service->options.on_tick)
        uv_timer_start(&service->tick_timer, on_tick, service->options.tick_ms,
                       service->options.tick_ms);
    set_timer(service);
}

enum freshet_error dht_service_new(const struct dht_service_options *options,
                                   char ret_text[DHT_SERVICE_TEXT_SIZE],
                                   struct dht_service **ret_service)
{
    struct dht_service *service = memory_new(sizeof *service);
    char text[ADDRESS_TEXT_SIZE] = "any address";

    service->options = *options;
    service->has_names = options->names && options->names->count > 0;
    service->armed_ns = INT64_MAX;
    for (uint32_t i = 0; i < FAMILIES; i++) {
        service->members[i].service = service;
        service->members[i].family = i == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    }
    make_loop(service);
    ret_text[0] = '\0';
    enum freshet_error error = open_sockets(service);
    if (error) {
        if (options->listen.family != ADDRESS_NONE)
            address_to_text(&options->listen, text);
        snprintf(ret_text, DHT_SERVICE_TEXT_SIZE, "cannot listen on %s: %s", text,
                 error_text(error));
        dht_service_free(service);
        return error;
    }
    start(service);
    *ret_service = service;
    return FRESHET_OK;
}

void dht_service_free(struct dht_service *service)
{
    struct buffer records[FAMILIES] = {{0}};

    if (!service)
        return;
    service->is_stopped = true;
    worker_pool_free(service->worker);
    make_records(service, records);
    put_records(service, records);
    close_sockets(service);
    resolver_free(service->resolver);
    for (size_t i = 0; service->options.on_signal && i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&service->signals[i], NULL);
    uv_close((uv_handle_t *)&service->timer, NULL);
    uv_close((uv_handle_t *)&service->save_timer, NULL);
    uv_close((uv_handle_t *)&service->tick_timer, NULL);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&service->loop) == 0);
    for (uint32_t i = 0; i < FAMILIES; i++)
        dht_node_free(service->members[i].node);
    memory_free(service);
}

uv_loop_t *dht_service_loop(struct dht_service *service)
{
    return &service->loop;
}

struct dht_node *dht_service_node(struct dht_service *service, enum address_family family)
{
    return service->members[family == ADDRESS_IPV4 ? 0 : 1].node;
}

struct address dht_service_address(const struct dht_service *service, enum address_family family)
{
    return service->members[family == ADDRESS_IPV4 ? 0 : 1].address;
}

bool dht_service_has_beginning(const struct dht_service *service)
{
    struct dht_node_stats stats;

    if (service->has_names)
        return true;
    for (uint32_t i = 0; i < FAMILIES; i++) {
        if (!service->members[i].node)
            continue;
        dht_node_stats(service->members[i].node, clock_now(), &stats);
        if (stats.nodes > 0)
            return true;
    }
    return false;
}

void dht_service_run(struct dht_service *service)
{
    while (!service->is_stopped)
        uv_run(&service->loop, UV_RUN_ONCE);
}

void dht_service_stop(struct dht_service *service)
{
    service->is_stopped = true;
    uv_stop(&service->loop);
}

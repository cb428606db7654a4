/* SPDX-License-Identifier: MIT */
#include "host/tracker_service.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/datagram_socket.h"
#include "host/descriptor_limit.h"
#include "host/entropy.h"
#include "host/tracker_http_server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const int signal_numbers[] = {SIGINT, SIGTERM, SIGHUP};
/* Each HTTP socket holds at most 2,000 connections (tracker_http_server.c). */
#define DESCRIPTORS_WANTED 8192u
#define SIGNAL_COUNT       (sizeof signal_numbers / sizeof *signal_numbers)

struct tracker_socket {
    struct tracker_service *service;
    struct tracker_service_socket bound;
    struct tracker_http_server *http;
    struct datagram_socket *udp;
};

struct tracker_service {
    uv_loop_t loop;
    uv_timer_t timer; /* when the next silent peer is to be forgotten */
    uv_signal_t signals[SIGNAL_COUNT];
    struct tracker_server *server;
    struct tracker_socket sockets[TRACKER_SERVICE_SOCKETS_MAX];
    uint32_t socket_count;
    void (*on_signal)(void *context, int signal_number);
    void *context;
};

static void set_timer(void *context);

static void on_timer(uv_timer_t *timer)
{
    struct tracker_service *service = timer->data;
    tracker_server_tick(service->server, clock_now());
    set_timer(service);
}

/* The first peer to expire can only expire later than it was to: a running timer is left alone. */
static void set_timer(void *context)
{
    struct tracker_service *service = context;
    int64_t deadline = tracker_server_deadline(service->server);
    if (deadline == INT64_MAX || uv_is_active((uv_handle_t *)&service->timer))
        return;
    int64_t wait_ms = (deadline - clock_now()) / MILLISECOND_NS + 1;
    uv_timer_start(&service->timer, on_timer, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
}

static void on_datagram(void *context, struct event *event)
{
    struct tracker_socket *socket = context;
    struct tracker_service *service = socket->service;
    uint8_t reply[LIMIT_TRACKER_DATAGRAM];
    size_t length =
        tracker_server_datagram(service->server, clock_now(), &event->remote, event->bytes, reply);
    if (length > 0)
        datagram_socket_reply(socket->udp, event, (struct bytes){reply, length});
    set_timer(service);
}

static enum freshet_error open_socket(struct tracker_service *service,
                                      const struct tracker_service_socket *wanted)
{
    struct tracker_socket *socket = &service->sockets[service->socket_count];
    enum freshet_error error;
    *socket = (struct tracker_socket){.service = service, .bound = *wanted};
    if (wanted->transport == TRACKER_TRANSPORT_HTTP) {
        error = tracker_http_server_open(&service->loop, &wanted->address, service->server,
                                         set_timer, service, &socket->http);
        if (error == FRESHET_OK)
            socket->bound.address = tracker_http_server_address(socket->http);
    } else {
        error = datagram_socket_open(&service->loop, &wanted->address, true, on_datagram, socket,
                                     &socket->udp);
        if (error == FRESHET_OK)
            socket->bound.address = datagram_socket_address(socket->udp);
    }
    service->socket_count += error == FRESHET_OK;
    return error;
}

static enum freshet_error open_sockets(struct tracker_service *service,
                                       const struct tracker_service_options *options,
                                       char text[TRACKER_SERVICE_TEXT_SIZE])
{
    for (uint32_t i = 0; i < options->socket_count; i++) {
        const struct tracker_service_socket *wanted = &options->sockets[i];
        enum freshet_error error = open_socket(service, wanted);
        if (error == FRESHET_OK || wanted->is_optional)
            continue;
        char address[ADDRESS_TEXT_SIZE];
        address_to_text(&wanted->address, address);
        snprintf(text, TRACKER_SERVICE_TEXT_SIZE, "cannot listen on %s (%s): %s", address,
                 wanted->transport == TRACKER_TRANSPORT_HTTP ? "HTTP" : "UDP", error_text(error));
        return error;
    }
    return FRESHET_OK;
}

static struct tracker_server *new_server(const struct tracker_service_options *options)
{
    struct tracker_server_options server = {
        .interval_s = options->interval_s,
        .proxies = options->proxies,
        .proxy_count = options->proxy_count,
    };
    entropy_fill(&server.seed, sizeof server.seed);
    entropy_fill(server.secret, sizeof server.secret);
    return tracker_server_new(&server);
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct tracker_service *service = handle->data;
    service->on_signal(service->context, signal_number);
}

enum freshet_error tracker_service_new(const struct tracker_service_options *options,
                                       char ret_text[TRACKER_SERVICE_TEXT_SIZE],
                                       struct tracker_service **ret_service)
{
    CHECK(options->socket_count <= TRACKER_SERVICE_SOCKETS_MAX);
    struct tracker_service *service = memory_new(sizeof *service);
    CHECK(uv_loop_init(&service->loop) == 0);
    CHECK(uv_timer_init(&service->loop, &service->timer) == 0);
    service->timer.data = service;
    service->on_signal = options->on_signal;
    service->context = options->context;
    service->server = new_server(options);
    (void)descriptor_limit_raise(DESCRIPTORS_WANTED);
    for (size_t i = 0; options->on_signal && i < SIGNAL_COUNT; i++) {
        CHECK(uv_signal_init(&service->loop, &service->signals[i]) == 0);
        service->signals[i].data = service;
        uv_signal_start(&service->signals[i], on_signal, signal_numbers[i]);
    }
    ret_text[0] = '\0';
    enum freshet_error error = open_sockets(service, options, ret_text);
    if (error == FRESHET_OK && service->socket_count == 0)
        error = FRESHET_ERROR_CONNECTION;
    if (error != FRESHET_OK) {
        tracker_service_free(service);
        return error;
    }
    *ret_service = service;
    return FRESHET_OK;
}

void tracker_service_free(struct tracker_service *service)
{
    if (service == NULL)
        return;
    for (uint32_t i = 0; i < service->socket_count; i++) {
        tracker_http_server_close(service->sockets[i].http);
        datagram_socket_close(service->sockets[i].udp);
    }
    for (size_t i = 0; service->on_signal && i < SIGNAL_COUNT; i++)
        uv_close((uv_handle_t *)&service->signals[i], NULL);
    uv_close((uv_handle_t *)&service->timer, NULL);
    uv_run(&service->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&service->loop) == 0);
    tracker_server_free(service->server);
    memory_free(service);
}

struct tracker_server *tracker_service_server(struct tracker_service *service)
{
    return service->server;
}

uv_loop_t *tracker_service_loop(struct tracker_service *service)
{
    return &service->loop;
}

bool tracker_service_socket_at(const struct tracker_service *service, uint32_t index,
                               struct tracker_service_socket *ret_socket)
{
    if (index >= service->socket_count)
        return false;
    *ret_socket = service->sockets[index].bound;
    return true;
}

void tracker_service_run(struct tracker_service *service)
{
    uv_run(&service->loop, UV_RUN_DEFAULT);
}

void tracker_service_stop(struct tracker_service *service)
{
    uv_stop(&service->loop);
}

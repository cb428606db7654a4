/* SPDX-License-Identifier: MIT */
/*
 * A tracker on the real machine: a loop with HTTP and UDP sockets around one tracker server
 * (core/tracker), until somebody stops it. Used by `freshet tracker` and by tests.
 */
#ifndef FRESHET_HOST_TRACKER_SERVICE_H
#define FRESHET_HOST_TRACKER_SERVICE_H

#include "core/tracker/tracker_server.h"

#include <uv.h>

#define TRACKER_SERVICE_SOCKETS_MAX 16u
#define TRACKER_SERVICE_TEXT_SIZE   160

enum tracker_transport { TRACKER_TRANSPORT_HTTP, TRACKER_TRANSPORT_UDP };

struct tracker_service_socket {
    enum tracker_transport transport;
    struct address address; /* port 0: any that is free */
    bool is_optional;       /* where the machine cannot (no IPv6), it is left out */
};

struct tracker_service_options {
    const struct tracker_service_socket *sockets;
    uint32_t socket_count; /* at most TRACKER_SERVICE_SOCKETS_MAX */
    uint32_t interval_s;   /* 0: the default */
    const struct address *proxies;
    uint32_t proxy_count;
    /* NULL: the signal does what it does by default. */
    void (*on_signal)(void *context, int signal_number); /* SIGINT, SIGTERM, SIGHUP */
    void *context;
};

struct tracker_service;

/* Binds everything; ret_text tells what could not be done. */
enum freshet_error tracker_service_new(const struct tracker_service_options *options,
                                       char ret_text[TRACKER_SERVICE_TEXT_SIZE],
                                       struct tracker_service **ret_service);
void tracker_service_free(struct tracker_service *service);
struct tracker_server *tracker_service_server(struct tracker_service *service);
uv_loop_t *tracker_service_loop(struct tracker_service *service);
/* What is listened on, in the order of the options; false past the end. */
bool tracker_service_socket_at(const struct tracker_service *service, uint32_t index,
                               struct tracker_service_socket *ret_socket);
/* Until tracker_service_stop, which may be called from on_signal. */
void tracker_service_run(struct tracker_service *service);
void tracker_service_stop(struct tracker_service *service);

#endif

/* SPDX-License-Identifier: MIT */
#include "host/tracker_http_server.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/posix_error.h"
#include "host/socket_address.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_BACKLOG   1024
#define CONNECTIONS_MAX  2000u
#define CONNECTIONS_A_IP 256u
#define IDLE_S           15u
#define CONNECTION_MEMORY                                                                          \
    ((size_t)16 * KIB) /* a request of LIMIT_TRACKER_QUERY and its headers                         \
                        */

struct tracker_http_server {
    struct MHD_Daemon *daemon;
    struct tracker_server *tracker;
    struct tracker_server_answer answer;
    struct address bound;
    uv_poll_t poll;
    uv_timer_t timer;
    void (*after)(void *context);
    void *context;
    int handles_open;
};

/* A request between the line that names it and its end. */
struct tracker_http_request {
    char *target;
    bool seen; /* the handler was called once */
};

/* The raw line comes only here, before the library decodes it: an info-hash holds any byte. */
static void *note_target(void *context, const char *target, struct MHD_Connection *connection)
{
    (void)context;
    (void)connection;
    struct tracker_http_request *request = memory_new(sizeof *request);
    request->target = memory_copy(target, strlen(target) + 1);
    return request;
}

static void forget_request(void *context, struct MHD_Connection *connection, void **state,
                           enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    struct tracker_http_request *request = *state;
    if (request)
        memory_free(request->target);
    memory_free(request);
    *state = NULL;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, struct bytes body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.length, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result serve(struct tracker_http_server *server, struct MHD_Connection *connection,
                             const char *method, const char *target)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct address from;
    if (info == NULL || !socket_address_from(info->client_addr, &from))
        return MHD_NO;
    if (strcmp(method, "GET") != 0)
        return reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED, BYTES_LITERAL("only GET\n"));
    tracker_server_http(server->tracker, clock_now(), &from,
                        (struct bytes){(const uint8_t *)target, strlen(target)}, &server->answer);
    enum MHD_Result result =
        reply(connection, server->answer.status, buffer_bytes(&server->answer.body));
    server->after(server->context);
    return result;
}

/* The library calls once when the headers are there and once at the end of the request. A response
 * queued in the first call would make it close every connection. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct tracker_http_server *server = context;
    struct tracker_http_request *request = *state;
    (void)url;
    (void)version;
    (void)upload;
    if (request == NULL)
        return MHD_NO;
    if (!request->seen) {
        request->seen = true;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0; /* a body that nobody asked for is read and dropped */
        return MHD_YES;
    }
    return serve(server, connection, method, request->target);
}

static void run(struct tracker_http_server *server);

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void run(struct tracker_http_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    MHD_run(server->daemon);
    if (MHD_get_timeout(server->daemon, &timeout_ms) == MHD_YES)
        uv_timer_start(&server->timer, on_timer, timeout_ms, 0);
    else
        uv_timer_stop(&server->timer);
}

static int bind_listener(const struct address *address)
{
    struct sockaddr_storage local;
    socklen_t length = socket_address_to(address, false, &local);
    int on = 1;
    int fd = socket(local.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (local.ss_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&local, length) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int number = errno;
    close(fd);
    return -number;
}

static struct MHD_Daemon *start_daemon(struct tracker_http_server *server, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | (server->bound.family == ADDRESS_IPV6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL,
        handle, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, note_target,
        server, MHD_OPTION_NOTIFY_COMPLETED, forget_request, server, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_A_IP,
        MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_END);
}

enum freshet_error tracker_http_server_open(uv_loop_t *loop, const struct address *address,
                                            struct tracker_server *tracker,
                                            void (*after)(void *context), void *context,
                                            struct tracker_http_server **ret_server)
{
    int fd = bind_listener(address);
    if (fd < 0)
        return posix_error_of_socket(-fd);
    struct tracker_http_server *server = memory_new(sizeof *server);
    server->tracker = tracker;
    server->after = after;
    server->context = context;
    server->bound = *address;
    (void)socket_address_of_local(fd, &server->bound);
    server->daemon = start_daemon(server, fd);
    if (server->daemon == NULL) {
        close(fd);
        memory_free(server);
        return FRESHET_ERROR_IO;
    }
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    CHECK(info != NULL);
    CHECK(uv_poll_init(loop, &server->poll, info->epoll_fd) == 0);
    CHECK(uv_timer_init(loop, &server->timer) == 0);
    server->handles_open = 2;
    server->poll.data = server;
    server->timer.data = server;
    uv_poll_start(&server->poll, UV_READABLE, on_poll);
    *ret_server = server;
    return FRESHET_OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct tracker_http_server *server = handle->data;
    if (--server->handles_open == 0)
        memory_free(server);
}

void tracker_http_server_close(struct tracker_http_server *server)
{
    if (server == NULL)
        return;
    uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon);
    buffer_deinit(&server->answer.body);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
}

struct address tracker_http_server_address(const struct tracker_http_server *server)
{
    return server->bound;
}

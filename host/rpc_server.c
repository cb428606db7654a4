/* SPDX-License-Identifier: MIT */
/*
 * Listening, and the way of a request into the library and out of it.
 *
 * Connections are accepted here and handed to the library, so that one daemon serves both sockets
 * and strangers can be counted: beyond RPC_STRANGERS_MAX of them new ones wait in the kernel's
 * queue, and those that have been idle for a while are closed to let them in.
 */
#include "host/rpc_server.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "host/clock.h"
#include "host/rpc_server_state.h"
#include "host/socket_address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STRANGER_IDLE_S   10u
#define STRANGER_TIME_NS  (2 * SECOND_NS)
#define KNOWN_IDLE_S      120u
#define CROWD_LOOK_MS     250
#define ACCEPTS_A_TURN    16
#define CONNECTION_MEMORY ((size_t)32 * KIB)
#define HEADERS_ONLY_BODY                                                                          \
    ((uint64_t)RPC_BODY_MAX) /* of a refused request, read to keep the line                        \
                              */

/* ---- a request ---- */

/* The raw line comes only here, before the library decodes it. */
static void *note_target(void *context, const char *target, struct MHD_Connection *http)
{
    struct rpc_server *server = context;
    struct rpc_request *request = memory_new(sizeof *request);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    request->server = server;
    request->http = http;
    request->connection = info ? info->socket_context : NULL;
    request->target = memory_copy(target, strlen(target) + 1);
    list_append(&server->requests, &request->awake);
    return request;
}

static void forget_request(void *context, struct MHD_Connection *http, void **state,
                           enum MHD_RequestTerminationCode code)
{
    struct rpc_server *server = context;
    struct rpc_request *request = *state;

    (void)http;
    (void)code;
    if (!request)
        return;
    rpc_server_call_end(request);
    list_remove(&server->requests, &request->awake);
    buffer_deinit(&request->body);
    memory_free(request->target);
    memory_free(request->method);
    memory_free(request->path);
    memory_free(request);
    *state = NULL;
    server->options.after(server->options.context);
}

/* How long the body is to be; UINT64_MAX: not told. */
static uint64_t announced_length(struct rpc_request *request)
{
    const char *length =
        MHD_lookup_connection_value(request->http, MHD_HEADER_KIND, "Content-Length");

    return length ? strtoull(length, NULL, 10) : UINT64_MAX;
}

/* A response in the first call makes the library close the connection without reading the body:
 * right for one that is too large, wrong for all others. */
static enum MHD_Result on_headers(struct rpc_request *request, const char *url, const char *method)
{
    const char *query = strchr(request->target, '?');

    if (!request->connection)
        return MHD_NO;
    request->method = memory_copy(method, strlen(method) + 1);
    request->path = memory_copy(url, strlen(url) + 1);
    request->request.method = request->method;
    request->request.path = request->path;
    if (query)
        request->request.query = (struct bytes){(const uint8_t *)query + 1, strlen(query + 1)};
    rpc_server_judge(request);
    uint64_t length = announced_length(request);
    if (length == UINT64_MAX)
        return MHD_YES;
    if (!request->refusal && length > RPC_BODY_LARGE_MAX)
        request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    if (!request->refusal && length > RPC_BODY_MAX && request->request.access != ACCESS_CONTROL)
        request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    return request->refusal && length > HEADERS_ONLY_BODY ? rpc_server_refuse(request) : MHD_YES;
}

/* Has the beginning of a JSON object this key, whatever comes behind it? */
static bool has_key(struct bytes text, const char *quoted)
{
    size_t length = strlen(quoted);

    while (text.length >= length) {
        const uint8_t *at = memmem(text.data, text.length, quoted, length);
        if (!at)
            return false;
        text.length -= (size_t)(at - text.data) + length;
        text.data = at + length;
        size_t blanks = 0;
        while (blanks < text.length && strchr(" \t\r\n", text.data[blanks]) && text.data[blanks])
            blanks++;
        if (blanks < text.length && text.data[blanks] == ':')
            return true;
    }
    return false;
}

/* The calls that bring a torrent, and the key that does, which has to come within the first of it:
 * until then a body is as small as all others. */
static bool may_grow(struct rpc_request *request)
{
    static const struct {
        const char *prefix, *path, *quoted;
    } growing[] = {
        {"/transmission/rpc", "", "\"metainfo\""},
        {"/transmission/rpc", "/", "\"metainfo\""},
        {"/api/v1", "/torrents", "\"torrent\""},
        {"/api/v1", "/inspect", "\"torrent\""},
    };

    if (request->request.access != ACCESS_CONTROL || strcmp(request->method, "POST") != 0)
        return false;
    if (request->body.length > RPC_BODY_MAX)
        return true; /* it was asked before */
    for (size_t i = 0; i < sizeof growing / sizeof *growing; i++)
        if (strcmp(request->service->prefix, growing[i].prefix) == 0 &&
            strcmp(request->request.path, growing[i].path) == 0)
            return has_key(buffer_bytes(&request->body), growing[i].quoted);
    return false;
}

static enum MHD_Result on_body(struct rpc_request *request, const char *bytes, size_t length)
{
    size_t size = request->body.length + length;

    if (!request->refusal && !request->service)
        request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    if (!request->refusal &&
        (size > RPC_BODY_LARGE_MAX || (size > RPC_BODY_MAX && !may_grow(request)))) {
        request->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
        buffer_deinit(&request->body);
    }
    if (!request->refusal) {
        buffer_append(&request->body, bytes, length);
        return MHD_YES;
    }
    request->dropped += length;
    return request->dropped > RPC_BODY_LARGE_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *http, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **state)
{
    struct rpc_request *request = *state;

    (void)context;
    (void)http;
    (void)version;
    if (!request)
        return MHD_NO;
    if (!request->is_seen) {
        request->is_seen = true;
        return on_headers(request, url, method);
    }
    if (*upload_size > 0) {
        size_t length = *upload_size;
        *upload_size = 0;
        return on_body(request, upload, length);
    }
    if (request->refusal)
        return rpc_server_refuse(request);
    if (request->server->is_closing)
        request->stage = RPC_DROPPED;
    if (request->is_file)
        return rpc_server_files_reply(request);
    if (request->asset || request->stage != RPC_COLLECT)
        return rpc_server_reply(request);
    rpc_server_call_begin(request);
    return MHD_YES;
}

/* ---- connections ---- */

static void accept_more(struct rpc_server *server);

static void on_crowd(uv_timer_t *timer)
{
    struct rpc_server *server = timer->data;
    int64_t now = clock_now();

    if (server->strangers < RPC_STRANGERS_MAX) {
        uv_timer_stop(&server->crowd);
        return;
    }
    for (struct list_node *node = list_first(&server->connections); node;
         node = list_next(&server->connections, node)) {
        struct rpc_connection *connection = LIST_ELEMENT(node, struct rpc_connection, node);
        if (connection->is_trusted || connection->is_reader ||
            now - connection->since_ns < STRANGER_TIME_NS)
            continue;
        shutdown(connection->descriptor, SHUT_RDWR); /* the library sees its end, and closes it */
        return;
    }
}

void rpc_server_count_strangers(struct rpc_server *server)
{
    uint32_t strangers = 0, readers = 0;

    for (struct list_node *node = list_first(&server->connections); node;
         node = list_next(&server->connections, node)) {
        const struct rpc_connection *connection = LIST_ELEMENT(node, struct rpc_connection, node);
        strangers += !connection->is_trusted && !connection->is_reader;
        readers += !connection->is_trusted && connection->is_reader;
    }
    server->readers = readers;
    bool was_full = server->strangers >= RPC_STRANGERS_MAX;
    server->strangers = strangers;
    if (was_full && strangers < RPC_STRANGERS_MAX && !server->is_closing)
        accept_more(server);
}

static struct rpc_connection *find_connection(struct rpc_server *server, int descriptor)
{
    for (struct list_node *node = list_first(&server->connections); node;
         node = list_next(&server->connections, node)) {
        struct rpc_connection *connection = LIST_ELEMENT(node, struct rpc_connection, node);
        if (connection->descriptor == descriptor)
            return connection;
    }
    return NULL;
}

static void drop_connection(struct rpc_server *server, struct rpc_connection *connection)
{
    list_remove(&server->connections, &connection->node);
    memory_free(connection);
    rpc_server_count_strangers(server);
}

static void on_connection(void *context, struct MHD_Connection *http, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct rpc_server *server = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct rpc_connection *connection = info ? find_connection(server, info->connect_fd) : NULL;
        *socket_context = connection;
        if (connection && connection->is_trusted)
            MHD_set_connection_option(http, MHD_CONNECTION_OPTION_TIMEOUT, KNOWN_IDLE_S);
    } else if (*socket_context) {
        drop_connection(server, *socket_context);
        *socket_context = NULL;
    }
}

static bool is_our_user(int descriptor)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

static void take_connection(struct rpc_server *server, int descriptor, bool is_local,
                            const struct sockaddr_storage *from, socklen_t length)
{
    struct rpc_connection *connection = memory_new(sizeof *connection);

    connection->descriptor = descriptor;
    connection->is_local = connection->is_trusted = is_local;
    connection->is_ours = is_local && is_our_user(descriptor);
    connection->since_ns = clock_now();
    int yes = 1; /* who waits for long is not looked at otherwise */
    (void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    if (!is_local)
        (void)socket_address_from((const struct sockaddr *)from, &connection->from);
    list_append(&server->connections, &connection->node);
    if (!MHD_add_connection(server->daemon, descriptor, (const struct sockaddr *)from, length)) {
        list_remove(&server->connections, &connection->node);
        memory_free(connection);
    }
    rpc_server_count_strangers(server);
}

/* false: nobody is waiting there, or nobody more is let in for now. */
static bool accept_one(struct rpc_server *server, int listener, bool is_local)
{
    struct sockaddr_storage from;
    socklen_t length = sizeof from;

    if (listener < 0 || server->connections.length >= RPC_KNOWN_MAX ||
        (!is_local && server->strangers >= RPC_STRANGERS_MAX))
        return false;
    memset(&from, 0, sizeof from);
    int fd = accept4(listener, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return errno == ECONNABORTED || errno == EINTR;
    take_connection(server, fd, is_local, &from, length);
    return true;
}

static void on_listener(uv_poll_t *poll, int status, int events);

/* Looks at a listener only while somebody may come in, lest the loop spins. */
static void watch_listeners(struct rpc_server *server)
{
    bool has_room = server->connections.length < RPC_KNOWN_MAX;

    if (server->options.local_descriptor >= 0) {
        if (has_room)
            uv_poll_start(&server->local_poll, UV_READABLE, on_listener);
        else
            uv_poll_stop(&server->local_poll);
    }
    if (server->options.tcp_descriptor >= 0) {
        if (has_room && server->strangers < RPC_STRANGERS_MAX)
            uv_poll_start(&server->tcp_poll, UV_READABLE, on_listener);
        else
            uv_poll_stop(&server->tcp_poll);
    }
    if (server->strangers >= RPC_STRANGERS_MAX && !uv_is_active((uv_handle_t *)&server->crowd))
        uv_timer_start(&server->crowd, on_crowd, CROWD_LOOK_MS, CROWD_LOOK_MS);
}

static void accept_more(struct rpc_server *server)
{
    watch_listeners(server);
    rpc_server_wake(server);
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct rpc_server *server = poll->data;
    bool is_local = poll == &server->local_poll;
    int listener = is_local ? server->options.local_descriptor : server->options.tcp_descriptor;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(server, listener, is_local); i++)
        continue;
    accept_more(server);
}

/* ---- the library on the loop ---- */

static void run(struct rpc_server *server);

/* Once a turn: what else calls for it waits for the next, which comes at once. */
static void on_timer(uv_timer_t *timer)
{
    rpc_server_wake(timer->data);
}

static void on_again(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    run(idle->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct rpc_server *server = poll->data;

    (void)status;
    (void)events;
    if (!uv_is_active((uv_handle_t *)&server->again))
        run(server);
}

static void run(struct rpc_server *server)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;

    uv_timer_stop(&server->timer);
    server->parts_before = server->parts;
    server->parts = 0;
    MHD_run(server->daemon);
    watch_listeners(server);
    if (MHD_get_timeout(server->daemon, &timeout_ms) != MHD_YES)
        return;
    if (timeout_ms == 0)
        rpc_server_wake(server);
    else
        uv_timer_start(&server->timer, on_timer, timeout_ms, 0);
}

/* In the next turn: a timer of 0 that is set anew by its own callback would never let others in. */
void rpc_server_wake(struct rpc_server *server)
{
    if (!server->is_closing)
        uv_idle_start(&server->again, on_again);
}

static struct MHD_Daemon *start_daemon(struct rpc_server *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle,
        server, MHD_OPTION_URI_LOG_CALLBACK, note_target, server, MHD_OPTION_NOTIFY_COMPLETED,
        forget_request, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_CONNECTION_LIMIT, RPC_KNOWN_MAX + 16, MHD_OPTION_CONNECTION_TIMEOUT,
        STRANGER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_END);
}

static void start_handles(struct rpc_server *server)
{
    uv_loop_t *loop = server->options.loop;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    CHECK(info != NULL);
    CHECK(uv_poll_init(loop, &server->poll, info->epoll_fd) == 0);
    CHECK(uv_timer_init(loop, &server->timer) == 0);
    CHECK(uv_timer_init(loop, &server->stream) == 0);
    CHECK(uv_timer_init(loop, &server->crowd) == 0);
    CHECK(uv_idle_init(loop, &server->slice) == 0);
    CHECK(uv_idle_init(loop, &server->again) == 0);
    server->poll.data = server->timer.data = server->stream.data = server->crowd.data =
        server->slice.data = server->again.data = server;
    server->handles_open = 6;
    uv_poll_start(&server->poll, UV_READABLE, on_poll);
    if (server->options.local_descriptor >= 0) {
        CHECK(uv_poll_init(loop, &server->local_poll, server->options.local_descriptor) == 0);
        server->local_poll.data = server;
        server->handles_open++;
    }
    if (server->options.tcp_descriptor >= 0) {
        CHECK(uv_poll_init(loop, &server->tcp_poll, server->options.tcp_descriptor) == 0);
        server->tcp_poll.data = server;
        server->handles_open++;
        (void)socket_address_of_local(server->options.tcp_descriptor, &server->bound);
    }
    watch_listeners(server);
}

enum freshet_error rpc_server_new(const struct rpc_server_options *options,
                                  struct rpc_server **ret_server)
{
    struct rpc_server *server = memory_new(sizeof *server);

    server->options = *options;
    list_init(&server->connections);
    list_init(&server->requests);
    list_init(&server->steps);
    list_init(&server->waits);
    list_init(&server->file_waits);
    rpc_server_auth_init(server);
    server->daemon = start_daemon(server);
    if (!server->daemon) {
        memory_free(server);
        return FRESHET_ERROR_IO;
    }
    server->workers = worker_pool_new(options->loop, 2, WORKER_MODEST);
    server->list_workers =
        worker_pool_new(options->loop, uv_available_parallelism() > 2 ? 2 : 1, WORKER_LAST);
    start_handles(server);
    *ret_server = server;
    return FRESHET_OK;
}

bool rpc_server_is_busy(const struct rpc_server *server)
{
    for (struct list_node *node = list_first(&server->requests); node;
         node = list_next(&server->requests, node)) {
        const struct rpc_request *request = LIST_ELEMENT(node, struct rpc_request, awake);
        if (!request->is_stream && !request->is_file && request->is_seen)
            return true;
    }
    return false;
}

struct address rpc_server_address(const struct rpc_server *server)
{
    return server->bound;
}

uint64_t rpc_server_session_number(const struct rpc_server *server)
{
    return server->session_number;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct rpc_server *server = handle->data;

    if (--server->handles_open == 0)
        memory_free(server);
}

static void close_listener(uv_poll_t *poll, int descriptor)
{
    if (descriptor < 0)
        return;
    uv_poll_stop(poll);
    close(descriptor);
    uv_close((uv_handle_t *)poll, on_handle_closed);
}

void rpc_server_close(struct rpc_server *server)
{
    if (!server)
        return;
    server->is_closing = true;
    worker_pool_free(server->workers);
    worker_pool_free(server->list_workers);
    uv_idle_stop(&server->slice);
    rpc_server_drop_all(server);
    MHD_run(server->daemon);
    uv_poll_stop(&server->poll);
    MHD_stop_daemon(server->daemon);
    close_listener(&server->local_poll, server->options.local_descriptor);
    close_listener(&server->tcp_poll, server->options.tcp_descriptor);
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->stream, on_handle_closed);
    uv_close((uv_handle_t *)&server->crowd, on_handle_closed);
    uv_close((uv_handle_t *)&server->slice, on_handle_closed);
    uv_close((uv_handle_t *)&server->again, on_handle_closed);
}

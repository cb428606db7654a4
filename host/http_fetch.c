/* SPDX-License-Identifier: MIT */
#include "host/http_fetch.h"

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/memory.h"
#include "host/address_rules.h"
#include "host/http_body.h"
#include "host/socket_address.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 15000L
#define KEPT_S_MAX         100L /* a connection without requests */

struct http_fetch {
    uv_loop_t *loop;
    CURLM *multi;
    uv_timer_t *timer;
    struct list active;      /* struct transfer */
    struct transfer *ending; /* whose `done` is being called */
    const struct block_memory *pool;
    void (*done)(void *context, struct event *event);
    void *context;
    bool freed;
    const struct network_route *route;
    struct address source;  /* where requests come from; family ADDRESS_NONE: the system chooses */
    uint64_t anew_until_ms; /* on the loop's clock: until then no kept connection is used */
};

/* One job on its way, through all its redirects. */
struct transfer {
    struct list_node node;
    struct http_fetch *fetch;
    CURL *easy;
    struct http_body body;
    char *url; /* of this hop */
    struct address_request request;
    bool refused; /* by our rules */
    bool cancelled;
    unsigned redirects;
    int64_t timeout_ms;
    struct fetch_job job;
    char range[48];
    struct http_validators known;
    struct curl_slist *headers; /* of this hop */
    bool is_unchanged;
};

/* libcurl's socket on the loop. */
struct fetch_socket {
    uv_poll_t poll;
    struct http_fetch *fetch;
    curl_socket_t fd;
};

static void http_fetch_collect(struct http_fetch *fetch);

static void http_fetch_act(struct http_fetch *fetch, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(fetch->multi, fd, events, &running);
    http_fetch_collect(fetch);
}

static void fetch_on_poll(uv_poll_t *poll, int status, int events)
{
    struct fetch_socket *socket = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    http_fetch_act(socket->fetch, socket->fd, what);
}

static void fetch_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

static int fetch_on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
    struct http_fetch *fetch = context;
    struct fetch_socket *socket = known;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (socket) {
            uv_poll_stop(&socket->poll);
            uv_close((uv_handle_t *)&socket->poll, fetch_on_closed);
            curl_multi_assign(fetch->multi, fd, NULL);
        }
        return 0;
    }
    if (!socket) {
        socket = memory_new(sizeof *socket);
        socket->fetch = fetch;
        socket->fd = fd;
        if (uv_poll_init(fetch->loop, &socket->poll, fd) != 0) {
            memory_free(socket);
            return -1;
        }
        socket->poll.data = socket;
        curl_multi_assign(fetch->multi, fd, socket);
    }
    uv_poll_start(&socket->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) |
                      (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  fetch_on_poll);
    return 0;
}

static void fetch_on_timer(uv_timer_t *timer)
{
    http_fetch_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int fetch_on_timeout(CURLM *multi, long timeout_ms, void *context)
{
    struct http_fetch *fetch = context;

    (void)multi;
    if (fetch->freed)
        return 0;
    if (timeout_ms < 0)
        uv_timer_stop(fetch->timer);
    else /* never at once: libcurl must not be called from its own callback */
        uv_timer_start(fetch->timer, fetch_on_timer, timeout_ms ? (uint64_t)timeout_ms : 1, 0);
    return 0;
}

struct http_fetch *http_fetch_new(uv_loop_t *loop, const struct block_memory *pool,
                                  void (*done)(void *context, struct event *event), void *context)
{
    struct http_fetch *fetch = memory_new(sizeof *fetch);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    *fetch = (struct http_fetch){.loop = loop, .pool = pool, .done = done, .context = context};
    list_init(&fetch->active);
    fetch->timer = memory_new(sizeof *fetch->timer);
    CHECK(uv_timer_init(loop, fetch->timer) == 0);
    fetch->timer->data = fetch;
    fetch->multi = curl_multi_init();
    CHECK(fetch->multi != NULL);
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, fetch_on_socket);
    curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, fetch_on_timeout);
    curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
    curl_multi_setopt(fetch->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 8L);
    curl_multi_setopt(fetch->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, 64L);
    return fetch;
}

/* Through a proxy the only address that we see is the proxy's; of the other end we know at most the
 * number that stands in the URL, and "localhost". */
static bool transfer_may_use_proxied(const struct transfer *transfer)
{
    struct address address;
    CURLU *url = curl_url();
    char *host = NULL;
    bool ok = url && curl_url_set(url, CURLUPART_URL, transfer->url, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;

    if (ok) {
        size_t length = strlen(host);
        bool is_ours = length >= 9 && strcasecmp(host + length - 9, "localhost") == 0;
        if (host[0] == '[' && host[length - 1] == ']')
            host[length - 1] = '\0';
        if (address_from_text(is_ours ? "127.0.0.1" : host + (host[0] == '['), true, &address))
            ok = address_rules_allow(&transfer->request, &address);
    }
    curl_free(host);
    curl_url_cleanup(url);
    return ok;
}

static bool transfer_may_use(const struct transfer *transfer, const struct address *address)
{
    const struct network_route *route = transfer->fetch->route;

    if (network_route_has_proxy(route))
        return address_equal(address, &route->proxy) && transfer_may_use_proxied(transfer);
    return address_rules_allow(&transfer->request, address);
}

/* The address that is about to be connected to is the one that is judged: a name that resolves
 * differently a second time gains nothing. */
static curl_socket_t fetch_on_open(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *transfer = context;
    struct address address;

    const struct network_route *route = transfer->fetch->route;

    (void)purpose;
    if (!socket_address_from(&to->addr, &address) || !transfer_may_use(transfer, &address)) {
        transfer->refused = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    if (fd >= 0 && network_route_tie(route, fd, true) != 0) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    if (fd >= 0 && !network_route_has_interface(route))
        socket_address_bind_like(fd, &transfer->fetch->source, &address);
    return fd;
}

/* Those that are kept now are too old for any use when the time is over. */
void http_fetch_network_changed(struct http_fetch *fetch)
{
    fetch->anew_until_ms = uv_now(fetch->loop) + 1000u * (uint64_t)(KEPT_S_MAX + 1);
}

void http_fetch_set_route(struct http_fetch *fetch, const struct network_route *route)
{
    fetch->route = route;
}

void http_fetch_set_source(struct http_fetch *fetch, const struct address *source)
{
    fetch->source = *source;
}

/* A connection that another request opened is judged for this one too. */
static int fetch_on_request(void *context, char *remote_ip, char *local_ip, int remote_port,
                            int local_port)
{
    struct transfer *transfer = context;
    struct address address;

    (void)local_ip;
    (void)local_port;
    if (address_from_text(remote_ip, true, &address)) {
        address.port = (uint16_t)remote_port;
        if (transfer_may_use(transfer, &address))
            return CURL_PREREQFUNC_OK;
    }
    transfer->refused = true;
    return CURL_PREREQFUNC_ABORT;
}

/* The variables by which OpenSSL is told whom to trust; libcurl sets its own default instead. */
static void transfer_set_trust(CURL *easy)
{
    const char *file = getenv("SSL_CERT_FILE"), *folder = getenv("SSL_CERT_DIR");

    if (file && *file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (folder && *folder)
        curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
}

/* A person's proxy or none; never one of the environment's, nor its exceptions. */
static void transfer_set_proxy(const struct transfer *transfer)
{
    const struct network_route *route = transfer->fetch->route;
    char address[ADDRESS_TEXT_SIZE], url[ADDRESS_TEXT_SIZE + 16];

    curl_easy_setopt(transfer->easy, CURLOPT_NOPROXY, "");
    if (!network_route_has_proxy(route)) {
        curl_easy_setopt(transfer->easy, CURLOPT_PROXY, "");
        return;
    }
    address_to_text(&route->proxy, address);
    snprintf(url, sizeof url, "socks5h://%s", address);
    curl_easy_setopt(transfer->easy, CURLOPT_PROXY, url);
    curl_easy_setopt(transfer->easy, CURLOPT_SOCKS5_AUTH, (long)CURLAUTH_BASIC);
    if (route->login.user[0] == '\0')
        return;
    curl_easy_setopt(transfer->easy, CURLOPT_PROXYUSERNAME, route->login.user);
    curl_easy_setopt(transfer->easy, CURLOPT_PROXYPASSWORD, route->login.password);
}

static void transfer_add_header(struct transfer *transfer, const char *name, const char *value)
{
    char line[HTTP_VALIDATORS_ETAG_SIZE + 32];

    if (!value[0])
        return;
    snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *more = curl_slist_append(transfer->headers, line);
    CHECK(more != NULL);
    transfer->headers = more;
}

static void transfer_set_known(struct transfer *transfer)
{
    const struct http_validators *known = &transfer->known;

    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    if (!known->url || strcmp(known->url, transfer->url) != 0)
        return;
    transfer_add_header(transfer, "If-None-Match", known->etag);
    transfer_add_header(transfer, "If-Modified-Since", known->modified);
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void transfer_set_options(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct fetch_job *job = &transfer->job;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    transfer_set_proxy(transfer);
    transfer_set_trust(easy);
    transfer_set_known(transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEPT_S_MAX);
    if (uv_now(transfer->fetch->loop) < transfer->fetch->anew_until_ms)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "freshet");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, fetch_on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, fetch_on_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_body_on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer->body);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_body_on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer->body);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
    if (job->family && !network_route_has_proxy(transfer->fetch->route))
        curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
                         job->family == 4 ? (long)CURL_IPRESOLVE_V4 : (long)CURL_IPRESOLVE_V6);
    if (job->range_length > 0)
        curl_easy_setopt(easy, CURLOPT_RANGE, transfer->range);
    else
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
}

static void transfer_free(struct transfer *transfer)
{
    if (transfer->easy) {
        curl_multi_remove_handle(transfer->fetch->multi, transfer->easy);
        curl_easy_cleanup(transfer->easy);
    }
    list_remove(&transfer->fetch->active, &transfer->node);
    http_body_deinit(&transfer->body);
    http_validators_deinit(&transfer->known);
    curl_slist_free_all(transfer->headers);
    memory_free(transfer->url);
    memory_free(transfer);
}

static void transfer_start_hop(struct transfer *transfer)
{
    http_body_begin(&transfer->body, &transfer->job, transfer->fetch->pool);
    transfer->refused = false;
    transfer->request.url = transfer->url;
    transfer->easy = curl_easy_init();
    CHECK(transfer->easy != NULL);
    transfer_set_options(transfer);
    curl_multi_add_handle(transfer->fetch->multi, transfer->easy);
}

static void http_fetch_start_as(struct http_fetch *fetch, const struct fetch_job *job,
                                enum address_purpose purpose, const struct http_validators *known)
{
    struct transfer *transfer = memory_new(sizeof *transfer);

    transfer->fetch = fetch;
    transfer->job = *job;
    transfer->job.url = NULL;
    transfer->request.purpose = purpose;
    transfer->timeout_ms = job->timeout_ns / MILLISECOND_NS;
    if (transfer->timeout_ms <= 0)
        transfer->timeout_ms = 1;
    transfer->url = memory_copy(job->url, strlen(job->url) + 1);
    if (known && known->url) {
        transfer->known = *known;
        transfer->known.url = memory_copy(known->url, strlen(known->url) + 1);
    }
    if (job->range_length > 0)
        snprintf(transfer->range, sizeof transfer->range, "%llu-%llu",
                 (unsigned long long)job->range_start,
                 (unsigned long long)(job->range_start + job->range_length - 1));
    list_append(&fetch->active, &transfer->node);
    transfer_start_hop(transfer);
}

void http_fetch_start(struct http_fetch *fetch, const struct fetch_job *job)
{
    http_fetch_start_as(fetch, job, job->is_tracker ? ADDRESS_FOR_TRACKER : ADDRESS_FOR_WEB_SEED,
                        NULL);
}

void http_fetch_start_for_person(struct http_fetch *fetch, const struct fetch_job *job,
                                 const struct http_validators *known)
{
    http_fetch_start_as(fetch, job, ADDRESS_FOR_PERSON, known);
}

void http_fetch_cancel(struct http_fetch *fetch, job_id job)
{
    for (struct list_node *node = list_first(&fetch->active); node;
         node = list_next(&fetch->active, node)) {
        struct transfer *transfer = LIST_ELEMENT(node, struct transfer, node);
        if (transfer->job.id != job || transfer->cancelled)
            continue;
        /* Told from the loop, as every end is. */
        transfer->cancelled = true;
        uv_timer_start(fetch->timer, fetch_on_timer, 1, 0);
        return;
    }
}

static enum freshet_error transfer_error(const struct transfer *transfer, CURLcode code,
                                         long status)
{
    if (transfer->refused)
        return FRESHET_ERROR_REFUSED;
    if (transfer->body.error)
        return transfer->body.error;
    if (transfer->body.is_enough)
        return http_body_judge(&transfer->body, status);
    switch (code) {
    case CURLE_OK: break;
    case CURLE_OPERATION_TIMEDOUT: return FRESHET_ERROR_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST: return FRESHET_ERROR_RESOLVE;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return FRESHET_ERROR_UNSUPPORTED;
    case CURLE_OUT_OF_MEMORY: return FRESHET_ERROR_MEMORY;
    case CURLE_PARTIAL_FILE: return FRESHET_ERROR_TRUNCATED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE: return FRESHET_ERROR_CERTIFICATE;
    default: return FRESHET_ERROR_CONNECTION;
    }
    if (status < 200 || status >= 300)
        return FRESHET_ERROR_HTTP;
    return http_body_judge(&transfer->body, status);
}

/* Goes on to where a redirect points. false: it may not, or there is none. */
static bool transfer_redirect(struct transfer *transfer, long status, bool *ret_refused)
{
    char *location = NULL, *ip = NULL;
    struct address address;

    *ret_refused = false;
    if (status < 300 || status >= 400 || status == 304)
        return false;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &location);
    if (!location)
        return false;
    if (transfer->redirects == HTTP_FETCH_REDIRECTS_MAX || strlen(location) > LIMIT_URL_LENGTH) {
        *ret_refused = true;
        return false;
    }
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &ip);
    /* What lies behind a proxy may be public, so nothing leads from there into what is not. */
    if (network_route_has_proxy(transfer->fetch->route) || !ip ||
        !address_from_text(ip, true, &address) || address_rules_is_public(&address))
        transfer->request.from_public = true;
    transfer->redirects++;
    char *url = memory_copy(location, strlen(location) + 1);
    curl_multi_remove_handle(transfer->fetch->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    memory_free(transfer->url);
    transfer->url = url;
    transfer_start_hop(transfer);
    return true;
}

static void transfer_end(struct transfer *transfer, enum freshet_error error, long status)
{
    struct http_fetch *fetch = transfer->fetch;
    struct event event = {.type = EVENT_JOB_DONE, .job = transfer->job.id, .error = error};
    curl_off_t retry_after = 0;

    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
    event.result.fetched.body = buffer_bytes(&transfer->body.bytes);
    event.result.fetched.received = transfer->body.placed;
    event.result.fetched.status = (int32_t)status;
    event.result.fetched.retry_after_s = retry_after > 0 ? (int64_t)retry_after : 0;
    transfer->is_unchanged = error == FRESHET_ERROR_HTTP && status == 304 && transfer->headers;
    fetch->ending = transfer;
    fetch->done(fetch->context, &event);
    fetch->ending = NULL;
    transfer_free(transfer);
}

void http_fetch_take_body(struct http_fetch *fetch, struct buffer *ret_body)
{
    CHECK(fetch->ending != NULL);
    *ret_body = fetch->ending->body.bytes;
    fetch->ending->body.bytes = (struct buffer){0};
}

void http_fetch_take_validators(struct http_fetch *fetch, struct http_validators *ret_validators)
{
    struct transfer *transfer = fetch->ending;

    CHECK(transfer != NULL);
    *ret_validators = transfer->body.validators;
    transfer->body.validators = (struct http_validators){0};
    if (!http_validators_are_empty(ret_validators))
        ret_validators->url = memory_copy(transfer->url, strlen(transfer->url) + 1);
}

bool http_fetch_is_unchanged(const struct http_fetch *fetch)
{
    CHECK(fetch->ending != NULL);
    return fetch->ending->is_unchanged;
}

static void transfer_finished(struct transfer *transfer, CURLcode code)
{
    long status = 0;
    bool refused = false;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && transfer_redirect(transfer, status, &refused))
        return;
    transfer_end(transfer, refused ? FRESHET_ERROR_REFUSED : transfer_error(transfer, code, status),
                 status);
}

static void http_fetch_collect(struct http_fetch *fetch)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(fetch->multi, &left)) != NULL) {
        struct transfer *transfer;
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        transfer_finished(transfer, message->data.result);
    }
    for (struct list_node *node = list_first(&fetch->active), *next; node; node = next) {
        struct transfer *transfer = LIST_ELEMENT(node, struct transfer, node);
        next = list_next(&fetch->active, node);
        if (transfer->cancelled)
            transfer_end(transfer, FRESHET_ERROR_CANCELLED, 0);
    }
}

static void fetch_on_timer_closed(uv_handle_t *handle)
{
    memory_free(handle);
}

void http_fetch_free(struct http_fetch *fetch)
{
    if (!fetch)
        return;
    fetch->freed = true;
    while (!list_is_empty(&fetch->active))
        transfer_free(LIST_ELEMENT(list_first(&fetch->active), struct transfer, node));
    curl_multi_cleanup(fetch->multi);
    uv_timer_stop(fetch->timer);
    uv_close((uv_handle_t *)fetch->timer, fetch_on_timer_closed);
    memory_free(fetch);
}

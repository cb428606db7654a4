/* SPDX-License-Identifier: MIT */
/*
 * Who may speak.
 *
 * A generated token has 192 bits and is compared whenever it is shown. What a person chose can be
 * guessed: an address that showed wrong ones waits, twice as long each time, and until then nothing
 * it shows is looked at. Without that difference anybody on the machine could lock its owner out.
 */
#include "host/rpc_server_state.h"

#include "core/base/memory.h"
#include "core/crypto/sha256.h"
#include "host/clock.h"
#include "host/entropy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SECRET_MAX      512u
#define FAILURES_FREE   3u
#define BACKOFF_MOST_S  64u
#define FAILURE_LIFE_NS (15 * 60 * SECOND_NS)

static void digest_of(const char *secret, uint8_t ret_digest[32])
{
    sha256_of(secret, strlen(secret), ret_digest);
}

void rpc_server_auth_init(struct rpc_server *server)
{
    const struct rpc_server_options *options = &server->options;

    digest_of(options->control_token, server->control_digest);
    digest_of(options->read_token, server->read_digest);
    server->has_login = options->login != NULL;
    if (server->has_login)
        digest_of(options->login, server->login_digest);
    entropy_fill(&server->session_number, sizeof server->session_number);
    snprintf(server->session_id, sizeof server->session_id, "%016llx",
             (unsigned long long)server->session_number);
}

/* Takes as long whatever differs. */
static bool is_same(const uint8_t a[32], const uint8_t b[32])
{
    unsigned difference = 0;

    for (int i = 0; i < 32; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* false: no base64, too long, or a NUL in it. */
static bool base64_decode(const char *text, char ret_text[SECRET_MAX])
{
    uint32_t bits = 0;
    int count = 0;
    size_t length = 0;

    for (; *text && *text != '='; text++) {
        int value = base64_value(*text);
        if (value < 0 || length + 1 >= SECRET_MAX)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        char byte = (char)(bits >> count & 0xff);
        if (byte == '\0')
            return false;
        ret_text[length++] = byte;
    }
    ret_text[length] = '\0';
    return true;
}

/* ---- addresses that guessed ---- */

/* A network of IPv6 is one guesser: whoever has one address has 2^64. */
static struct address guesser_of(const struct address *from)
{
    struct address guesser = *from;

    guesser.port = 0;
    if (guesser.family == ADDRESS_IPV6)
        memset(guesser.ip + 8, 0, 8);
    return guesser;
}

static struct rpc_failure *failure_find(struct rpc_server *server, const struct address *guesser,
                                        int64_t now)
{
    for (unsigned i = 0; i < RPC_FAILURES; i++) {
        struct rpc_failure *failure = &server->failures[i];
        if (failure->count && now - failure->last_ns < FAILURE_LIFE_NS &&
            address_same_ip(&failure->from, guesser))
            return failure;
    }
    return NULL;
}

static void failure_note(struct rpc_server *server, const struct address *from, int64_t now)
{
    struct address guesser = guesser_of(from);
    struct rpc_failure *failure = failure_find(server, &guesser, now);

    if (!failure) {
        failure = &server->failures[0];
        for (unsigned i = 1; i < RPC_FAILURES; i++)
            if (server->failures[i].last_ns < failure->last_ns)
                failure = &server->failures[i];
        *failure = (struct rpc_failure){.from = guesser};
    }
    failure->count++;
    failure->last_ns = now;
    if (failure->count >= FAILURES_FREE) {
        unsigned power = failure->count - FAILURES_FREE;
        int64_t wait_s = power < 6 ? INT64_C(1) << power : BACKOFF_MOST_S;
        failure->until_ns = now + wait_s * SECOND_NS;
    }
}

/* How long the address has still to wait. */
static unsigned failure_wait_s(struct rpc_server *server, const struct address *from, int64_t now)
{
    struct address guesser = guesser_of(from);
    struct rpc_failure *failure = failure_find(server, &guesser, now);

    if (!failure || failure->until_ns <= now)
        return 0;
    return (unsigned)((failure->until_ns - now + SECOND_NS - 1) / SECOND_NS);
}

/* ---- what is shown ---- */

/* The secret in an Authorization header: `ret_secret` a token, or the password of Basic;
 * `ret_login` "user:password" or "". */
static bool read_secret(const char *header, char ret_secret[SECRET_MAX], char ret_login[SECRET_MAX])
{
    ret_login[0] = '\0';
    if (strncasecmp(header, "Bearer ", 7) == 0) {
        snprintf(ret_secret, SECRET_MAX, "%s", header + 7 + strspn(header + 7, " "));
        return true;
    }
    if (strncasecmp(header, "Basic ", 6) != 0 ||
        !base64_decode(header + 6 + strspn(header + 6, " "), ret_login))
        return false;
    const char *colon = strchr(ret_login, ':');
    if (!colon)
        return false;
    snprintf(ret_secret, SECRET_MAX, "%s", colon + 1);
    return true;
}

static enum service_access access_of(const struct rpc_server *server, const char *header,
                                     bool may_guess)
{
    char secret[SECRET_MAX], login[SECRET_MAX];
    uint8_t secret_digest[32], login_digest[32];

    if (!read_secret(header, secret, login))
        return ACCESS_NONE;
    digest_of(secret, secret_digest);
    digest_of(login, login_digest);
    bool is_control = is_same(secret_digest, server->control_digest);
    bool is_read = is_same(secret_digest, server->read_digest);
    bool is_login = server->has_login && login[0] && is_same(login_digest, server->login_digest);
    is_control = is_control && (may_guess || !server->options.token_is_chosen);
    is_read = is_read && (may_guess || !server->options.read_token_is_chosen);
    if (is_control || (is_login && may_guess))
        return ACCESS_CONTROL;
    return is_read ? ACCESS_READ : ACCESS_NONE;
}

/* ---- where it claims to come from ---- */

/* The name or address before a port; 0: it is malformed. */
static size_t host_length(const char *host)
{
    size_t length =
        host[0] == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL) : strcspn(host, ":");
    const char *port = host + length;

    if (*port && (port[0] != ':' || strspn(port + 1, "0123456789") == 0 ||
                  port[1 + strspn(port + 1, "0123456789")]))
        return 0;
    return length;
}

/* Is the name (with or without a port) one of ours? */
static bool is_own_name(const struct rpc_server *server, const char *host)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "[::1]"};
    size_t length = host_length(host);

    if (length == 0)
        return false;
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        if (strlen(always[i]) == length && strncasecmp(host, always[i], length) == 0)
            return true;
    for (size_t i = 0; i < server->options.host_count; i++)
        if (strlen(server->options.hosts[i]) == length &&
            strncasecmp(host, server->options.hosts[i], length) == 0)
            return true;
    return false;
}

/* 192.0.2.1 or [2001:db8::1], with or without a port. */
static bool is_literal(const char *host)
{
    size_t length = host_length(host);
    bool is_ipv6 = host[0] == '[';
    char text[INET6_ADDRSTRLEN];
    uint8_t ip[16];

    if (is_ipv6 && (length < 2 || host[length - 1] != ']'))
        return false;
    if (is_ipv6)
        length -= 2;
    if (length == 0 || length >= sizeof text)
        return false;
    memcpy(text, host + is_ipv6, length);
    text[length] = '\0';
    return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, ip) == 1;
}

/* Who would drive us through a name that he points at us cannot do so with an address: a browser
 * that asked for an address shows it, and a page has it as its origin only if we sent the page. */
static bool is_own_host(const struct rpc_server *server, const char *host)
{
    return is_own_name(server, host) || is_literal(host);
}

/* An address is an origin of ours only where it is the one that was asked, port and all: every
 * other is somebody's. */
static bool is_own_origin(const struct rpc_server *server, const char *origin, const char *host)
{
    const char *from = strncmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncmp(origin, "https://", 8) == 0 ? origin + 8
                                                             : NULL;

    if (!from)
        return false;
    return is_own_name(server, from) || (is_literal(from) && strcasecmp(from, host) == 0);
}

static const char *header_of(struct rpc_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->http, MHD_HEADER_KIND, name);
}

static unsigned judge_source(struct rpc_request *request)
{
    const char *host = header_of(request, "Host"), *origin = header_of(request, "Origin");
    const char *site = header_of(request, "Sec-Fetch-Site");

    if (request->connection->is_local)
        return 0;
    if (!host)
        return MHD_HTTP_BAD_REQUEST;
    if (!is_own_host(request->server, host))
        return MHD_HTTP_MISDIRECTED_REQUEST;
    if (origin && !is_own_origin(request->server, origin, host))
        return MHD_HTTP_FORBIDDEN;
    if (site && strcmp(site, "cross-site") == 0 && (request->service || request->is_file))
        return MHD_HTTP_FORBIDDEN;
    return 0;
}

/* The key of a link opens a torrent's files, and no more than so many connections. */
static unsigned judge_reader(struct rpc_request *request)
{
    struct rpc_server *server = request->server;
    struct rpc_connection *connection = request->connection;

    if (!connection->is_trusted && !connection->is_reader && server->readers >= RPC_READERS_MAX)
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    request->request.access = ACCESS_CONTROL; /* over these bytes */
    connection->is_reader = true;
    rpc_server_count_strangers(server);
    return 0;
}

static unsigned judge_secret(struct rpc_request *request)
{
    struct rpc_server *server = request->server;
    struct rpc_connection *connection = request->connection;
    const char *header = header_of(request, "Authorization");
    int64_t now = clock_now();

    if (connection->is_local) {
        request->request.access = ACCESS_CONTROL;
        request->request.is_local = connection->is_ours;
        return 0;
    }
    unsigned wait_s = failure_wait_s(server, &connection->from, now);
    if (request->is_file && rpc_server_files_is_open_to(request))
        return judge_reader(request);
    if (header)
        request->request.access = access_of(server, header, wait_s == 0);
    if (request->request.access != ACCESS_NONE) {
        connection->is_trusted = true;
        rpc_server_count_strangers(server);
        return 0;
    }
    if (wait_s > 0) {
        request->retry_after_s = wait_s;
        return MHD_HTTP_TOO_MANY_REQUESTS;
    }
    if (header)
        failure_note(server, &connection->from, now);
    /* A page of ours asks for the token itself. */
    request->asks_login = header_of(request, "X-Requested-With") == NULL;
    return MHD_HTTP_UNAUTHORIZED;
}

static bool is_question(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* The proof that no form and no foreign page made the request. */
static unsigned judge_intent(struct rpc_request *request)
{
    const char *session = header_of(request, RPC_SESSION_HEADER);

    if (request->connection->is_local)
        return 0;
    if (strcmp(request->service->prefix, "/transmission/rpc") == 0)
        return session && strcmp(session, request->server->session_id) == 0 ? 0 : MHD_HTTP_CONFLICT;
    if (is_question(request->method))
        return 0;
    if (request->request.access != ACCESS_CONTROL)
        return MHD_HTTP_FORBIDDEN;
    return header_of(request, "X-Requested-With") ? 0 : MHD_HTTP_FORBIDDEN;
}

/* ---- what it is about ---- */

static void find_service(struct rpc_request *request)
{
    const struct rpc_server_options *options = &request->server->options;
    size_t longest = 0;

    for (size_t i = 0; i < options->service_count; i++) {
        const struct service *service = options->services[i];
        size_t length = strlen(service->prefix);
        if (length < longest || strncmp(request->path, service->prefix, length) != 0 ||
            (request->path[length] != '\0' && request->path[length] != '/'))
            continue;
        longest = length;
        request->service = service;
        request->request.path = request->path + length;
    }
}

/* What may be read with the token that only reads is names and numbers, not what they stand for. */
static void judge_file(struct rpc_request *request)
{
    request->refusal = judge_secret(request);
    if (!request->refusal && request->request.access != ACCESS_CONTROL)
        request->refusal = MHD_HTTP_FORBIDDEN;
    if (!request->refusal && !is_question(request->method))
        request->refusal = MHD_HTTP_METHOD_NOT_ALLOWED;
}

void rpc_server_judge(struct rpc_request *request)
{
    find_service(request);
    request->is_file = !request->service && rpc_server_files_is_path(request->path);
    request->refusal = judge_source(request);
    if (request->refusal)
        return;
    if (request->is_file) {
        judge_file(request);
        return;
    }
    if (request->service) {
        request->refusal = judge_secret(request);
        if (!request->refusal)
            request->refusal = judge_intent(request);
        return;
    }
    request->asset = web_assets_find(request->path);
    if (!request->asset)
        request->refusal = MHD_HTTP_NOT_FOUND;
    else if (!is_question(request->method))
        request->refusal = MHD_HTTP_METHOD_NOT_ALLOWED;
}

/* SPDX-License-Identifier: MIT */
/* The RPC's HTTP side with a service made for the test, over real sockets on loopback. */
#include "host/rpc_server.h"

#include "core/base/memory.h"
#include "host/clock.h"
#include "host/rpc_socket.h"
#include "host/socket_address.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define TOKEN      "a-token-of-the-test-0123456789"
#define READ_TOKEN "a-token-that-may-look-only-012"
#define GOOD       "Host: localhost\r\nAuthorization: Bearer " TOKEN "\r\n"
#define INTENT     "X-Requested-With: test\r\n"

/* ---- a service whose path says what it does ---- */

struct call {
    char path[64];
    size_t body_length;
    enum service_access access;
    bool is_local;
    int steps, parts;
    bool had_job;
    uint64_t answer;
};

static int calls_open;
static pthread_mutex_t count_lock = PTHREAD_MUTEX_INITIALIZER;

static void count_calls(int by)
{
    pthread_mutex_lock(&count_lock);
    calls_open += by;
    pthread_mutex_unlock(&count_lock);
}

static void *begin(const struct service_request *request)
{
    struct call *call = memory_new(sizeof *call);

    snprintf(call->path, sizeof call->path, "%s", request->path);
    call->body_length = request->body.length;
    call->access = request->access;
    call->is_local = request->is_local;
    count_calls(1);
    return call;
}

static enum service_step step(void *context, struct service_world *world, int64_t until_ns,
                              int64_t (*clock)(void), struct service_job *job)
{
    struct call *call = context;

    call->steps++;
    if (strcmp(call->path, "/slow") == 0 && call->steps < 50) {
        while (clock() < until_ns)
            continue;
        return SERVICE_AGAIN;
    }
    if (strcmp(call->path, "/job") == 0 && !call->had_job) {
        call->had_job = true;
        *job = (struct service_job){.type = JOB_FREE_SPACE, .text = "/"};
        return SERVICE_JOB;
    }
    if (call->had_job)
        call->answer = job->ret_free;
    if (strcmp(call->path, "/stream") == 0) {
        uint64_t revision = catalog_revision(world->catalog);
        if (call->parts > 0 && revision == call->answer)
            return SERVICE_WAIT;
        call->answer = revision;
    }
    return SERVICE_DONE;
}

#define LONG_BODY ((size_t)16 << 20)

static uint8_t long_byte(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 16));
}

static void write_long(struct service_reply *ret_reply)
{
    uint8_t *body = memory_new(LONG_BODY);

    for (size_t i = 0; i < LONG_BODY; i++)
        body[i] = long_byte(i);
    ret_reply->status = 200;
    buffer_append(&ret_reply->body, body, LONG_BODY);
    memory_free(body);
}

static void write_reply(void *context, struct service_reply *ret_reply)
{
    struct call *call = context;
    char text[160];

    call->parts++;
    if (strcmp(call->path, "/long") == 0) {
        write_long(ret_reply);
        return;
    }
    snprintf(text, sizeof text, "path=%s body=%zu access=%d local=%d steps=%d answer=%llu\n",
             call->path, call->body_length, call->access, call->is_local, call->steps,
             (unsigned long long)call->answer);
    ret_reply->status = 200;
    ret_reply->content_type = "text/plain";
    buffer_append_text(&ret_reply->body, text);
    ret_reply->stream = strcmp(call->path, "/stream") == 0 && call->parts < 3;
}

static void end(void *context)
{
    memory_free(context);
    count_calls(-1);
}

static const struct service test_service = {"/test", begin, step, write_reply, end};
static const struct service transmission_like = {"/transmission/rpc", begin, step, write_reply,
                                                 end};
static const struct service api_like = {"/api/v1", begin, step, write_reply, end};
static const struct service *const services[] = {&test_service, &transmission_like, &api_like};

/* ---- a server, and a thread that is its client ---- */

struct fixture {
    uv_loop_t loop;
    uv_async_t over;
    struct rpc_server *server;
    struct service_world world;
    struct address address;
    struct rpc_job *jobs[64]; /* not done before the next turn */
    uv_idle_t performer;
    int job_count;
    void (*client)(struct fixture *fixture);
    uv_async_t grow;
    int grown;
    bool token_is_chosen;
    uv_prepare_t turn;
    size_t turns; /* of the loop */
};

static void on_turn(uv_prepare_t *prepare)
{
    struct fixture *fixture = prepare->data;

    fixture->turns++;
}

static void refresh(void *context)
{
    struct fixture *fixture = context;

    fixture->world.now = clock_now();
}

static void after(void *context)
{
    (void)context;
}

static void on_perform(uv_idle_t *idle)
{
    struct fixture *fixture = idle->data;

    uv_idle_stop(idle);
    for (int i = 0; i < fixture->job_count; i++) {
        fixture->jobs[i]->job.ret_free = 4711;
        rpc_server_job_done(fixture->jobs[i]);
    }
    fixture->job_count = 0;
}

static void perform(void *context, struct rpc_job *job)
{
    struct fixture *fixture = context;

    fixture->jobs[fixture->job_count++] = job;
    uv_idle_start(&fixture->performer, on_perform);
}

static void *run_client(void *context)
{
    struct fixture *fixture = context;

    fixture->client(fixture);
    uv_async_send(&fixture->over);
    return NULL;
}

static void on_over(uv_async_t *async)
{
    uv_stop(async->loop);
}

/* A row more: streams have something to say. */
static void on_grow(uv_async_t *async)
{
    struct fixture *fixture = async->data;
    char link[80], text[256];
    const struct catalog_torrent *torrent;
    struct catalog_add add = {.magnet = link, .folder = "/tmp", .stopped = true};

    snprintf(link, sizeof link, "magnet:?xt=urn:btih:%040d", ++fixture->grown);
    assert_int_equal(catalog_add(fixture->world.catalog, &add, clock_now(), text, &torrent), 0);
}

static void serve(struct fixture *fixture, void (*client)(struct fixture *))
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct address any = address_ipv4(loopback, 0);
    struct catalog_options catalog = {.now = clock_now(), .wall_s = 1};
    struct rpc_server_options options = {.loop = &fixture->loop,
                                         .services = services,
                                         .service_count = 3,
                                         .local_descriptor = -1,
                                         .control_token = TOKEN,
                                         .read_token = READ_TOKEN,
                                         .token_is_chosen = fixture->token_is_chosen,
                                         .login = "user:password",
                                         .world = &fixture->world,
                                         .refresh = refresh,
                                         .after = after,
                                         .perform = perform,
                                         .context = fixture};
    pthread_t thread;

    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    uv_async_init(&fixture->loop, &fixture->over, on_over);
    uv_async_init(&fixture->loop, &fixture->grow, on_grow);
    uv_idle_init(&fixture->loop, &fixture->performer);
    uv_prepare_init(&fixture->loop, &fixture->turn);
    fixture->turn.data = fixture;
    uv_prepare_start(&fixture->turn, on_turn);
    fixture->grow.data = fixture->performer.data = fixture;
    fixture->world.catalog = catalog_new(&catalog);
    assert_int_equal(rpc_socket_listen(&any, &options.tcp_descriptor), 0);
    assert_int_equal(rpc_server_new(&options, &fixture->server), 0);
    fixture->address = rpc_server_address(fixture->server);
    fixture->client = client;
    pthread_create(&thread, NULL, run_client, fixture);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    on_perform(&fixture->performer);
    rpc_server_close(fixture->server);
    uv_close((uv_handle_t *)&fixture->over, NULL);
    uv_close((uv_handle_t *)&fixture->grow, NULL);
    uv_close((uv_handle_t *)&fixture->performer, NULL);
    uv_close((uv_handle_t *)&fixture->turn, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    catalog_free(fixture->world.catalog);
    assert_int_equal(calls_open, 0);
}

/* ---- what the client does ---- */

static int connect_to(struct fixture *fixture)
{
    struct sockaddr_storage to;
    socklen_t length = socket_address_to(&fixture->address, false, &to);
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, length), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads until the text is there, or the other side ends; what was read stays in `ret_text`. */
static bool hear(int fd, const char *wanted, char ret_text[8192])
{
    size_t length = 0;

    ret_text[0] = '\0';
    while (length + 1 < 8192) {
        ssize_t got = recv(fd, ret_text + length, 8191 - length, 0);
        if (got <= 0)
            return wanted == NULL;
        length += (size_t)got;
        ret_text[length] = '\0';
        if (wanted && strstr(ret_text, wanted))
            return true;
    }
    return false;
}

static void ask_for(struct fixture *fixture, const char *request, const char *headers,
                    const char *wanted)
{
    char text[8192], line[2048];
    int fd = connect_to(fixture);

    snprintf(line, sizeof line, "%s HTTP/1.1\r\n%sConnection: close\r\n\r\n", request, headers);
    say(fd, line);
    if (!hear(fd, wanted, text))
        fail_msg("%s: no '%s' in: %s", request, wanted, text);
    close(fd);
}

static void ask_many_ways(struct fixture *fixture)
{
    ask_for(fixture, "GET /test/a", GOOD, "path=/a body=0 access=2 local=0 steps=1");
    ask_for(fixture, "GET /test/slow", GOOD, "steps=50");
    ask_for(fixture, "GET /test/job", GOOD, "answer=4711");
    ask_for(fixture, "POST /test/b", GOOD INTENT "Content-Length: 0\r\n",
            "path=/b body=0 access=2");
    ask_for(fixture, "GET /test/c", "Host: localhost\r\nAuthorization: Bearer " READ_TOKEN "\r\n",
            "access=1");
    ask_for(fixture, "GET /test/d",
            "Host: localhost\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA==\r\n", "access=2");
    ask_for(fixture, "GET /", "Host: [::1]:9091\r\n", "frame-ancestors 'none'");
    ask_for(fixture, "GET /testing", GOOD, "404 ");
}

static void a_call_goes_its_way(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, ask_many_ways);
}

#define AT(host)           "Host: " host "\r\nAuthorization: Bearer " TOKEN "\r\n"
#define FROM(origin, host) AT(host) "Origin: " origin "\r\n"

static void ask_by_address(struct fixture *fixture)
{
    ask_for(fixture, "GET /test/a", AT("192.168.1.5"), " 200 ");
    ask_for(fixture, "GET /test/a", AT("192.168.1.5:9091"), " 200 ");
    ask_for(fixture, "GET /test/a", AT("[2001:db8::5]"), " 200 ");
    ask_for(fixture, "GET /test/a", AT("[fe80::5]:80"), " 200 ");
    ask_for(fixture, "GET /", "Host: 192.168.1.5:9091\r\n", " 200 ");
    ask_for(fixture, "GET /test/a", FROM("http://192.168.1.5:9091", "192.168.1.5:9091"), " 200 ");
    ask_for(fixture, "GET /test/a", FROM("https://[2001:DB8::5]", "[2001:db8::5]"), " 200 ");
    /* what only looks like an address is a name */
    ask_for(fixture, "GET /test/a", AT("192.168.1.5.example"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("192.168.1"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("0x7f.0.0.1"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("3232235781"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("192.168.1.5:evil"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("[evil.example]"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("[2001:db8::5"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("[192.168.1.5]"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("2001:db8::5"), " 421 ");
    ask_for(fixture, "GET /test/a", AT("[]"), " 421 ");
    /* a page of another address, or of another server on this one, is not ours */
    ask_for(fixture, "GET /test/a", FROM("http://192.168.1.6", "192.168.1.5"), " 403 ");
    ask_for(fixture, "GET /test/a", FROM("http://192.168.1.5:80", "192.168.1.5:9091"), " 403 ");
    ask_for(fixture, "GET /test/a", FROM("http://192.168.1.5", "localhost"), " 403 ");
    ask_for(fixture, "GET /test/a", FROM("http://evil.example", "192.168.1.5"), " 403 ");
}

static void an_address_is_no_name_of_somebody_else(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, ask_by_address);
}

static void ask_what_is_refused(struct fixture *fixture)
{
    ask_for(fixture, "GET /test/a", "Host: evil.example\r\nAuthorization: Bearer " TOKEN "\r\n",
            " 421 ");
    ask_for(fixture, "GET /test/a", "Host: localhost.evil.example\r\n", " 421 ");
    ask_for(fixture, "GET /test/a", "Host: localhost:x\r\n", " 421 ");
    ask_for(fixture, "GET /", "Host: evil.example\r\n", " 421 ");
    ask_for(fixture, "GET /test/a", GOOD "Origin: http://evil.example\r\n", " 403 ");
    ask_for(fixture, "GET /test/a", GOOD "Origin: null\r\n", " 403 ");
    ask_for(fixture, "GET /test/a", GOOD "Sec-Fetch-Site: cross-site\r\n", " 403 ");
    ask_for(fixture, "GET /test/a", GOOD "Origin: http://localhost:9091\r\n", " 200 ");
    ask_for(fixture, "GET /test/a", "Host: localhost\r\n", "WWW-Authenticate: Basic");
    ask_for(fixture, "GET /test/a", "Host: localhost\r\n" INTENT, "WWW-Authenticate: Bearer");
    ask_for(fixture, "POST /test/a", GOOD "Content-Length: 0\r\n", " 403 ");
    ask_for(fixture, "POST /test/a",
            "Host: localhost\r\nAuthorization: Bearer " READ_TOKEN "\r\n" INTENT
            "Content-Length: 0\r\n",
            " 403 ");
    ask_for(fixture, "POST /test/a", GOOD INTENT "Content-Length: 4000000000\r\n", " 413 ");
    ask_for(fixture, "GET /transmission/rpc", GOOD, " 409 ");
    ask_for(fixture, "GET /transmission/rpc", GOOD, "X-Transmission-Session-Id: ");
}

static void who_may_not_speak_is_told_so(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, ask_what_is_refused);
}

#define WRONG "Host: localhost\r\nAuthorization: Bearer not-the-token-but-long\r\n"

static void guess(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++)
        ask_for(fixture, "GET /test/a", WRONG, " 401 ");
    ask_for(fixture, "GET /test/a", WRONG, " 429 ");
    ask_for(fixture, "GET /test/a", WRONG, "Retry-After: ");
    /* What a person chose waits; what was generated cannot be guessed, and does not. */
    ask_for(fixture, "GET /test/a",
            "Host: localhost\r\nAuthorization: Basic dXNlcjpwYXNzd29yZA==\r\n", " 429 ");
    ask_for(fixture, "GET /test/a", GOOD, fixture->token_is_chosen ? " 429 " : " 200 ");
}

static void who_guesses_waits(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, guess);
}

static void a_token_that_a_person_chose_waits_too(void **state)
{
    struct fixture fixture = {.token_is_chosen = true};

    (void)state;
    serve(&fixture, guess);
}

static void listen_to_stream(struct fixture *fixture)
{
    char text[8192];
    int fd = connect_to(fixture), left = connect_to(fixture);

    say(fd, "GET /test/stream HTTP/1.1\r\n" GOOD "\r\n");
    assert_true(hear(fd, "answer=0", text));
    say(left, "GET /test/stream HTTP/1.1\r\n" GOOD "\r\n");
    assert_true(hear(left, "answer=0", text));
    close(left); /* one client goes in the middle */
    uv_async_send(&fixture->grow);
    assert_true(hear(fd, "answer=1", text));
    uv_async_send(&fixture->grow);
    assert_true(hear(fd, "0\r\n\r\n", text)); /* the third part is the last */
    assert_non_null(strstr(text, "answer=2"));
    close(fd);
}

static void a_stream_speaks_when_rows_change(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, listen_to_stream);
}

static void read_long(int fd)
{
    static uint8_t bytes[1 << 16];
    char text[8192];
    size_t length = 0, at = 0;

    while (length < 4 || memcmp(text + length - 4, "\r\n\r\n", 4) != 0) {
        assert_true(length + 1 < sizeof text);
        assert_int_equal(recv(fd, text + length++, 1, 0), 1);
    }
    text[length] = '\0';
    assert_non_null(strstr(text, "Content-Length: 16777216\r\n"));
    while (at < LONG_BODY) {
        ssize_t got = recv(fd, bytes, sizeof bytes, 0);
        assert_true(got > 0);
        for (ssize_t i = 0; i < got; i++, at++)
            if (bytes[i] != long_byte(at))
                fail_msg("the byte %zu is another", at);
    }
    assert_int_equal(recv(fd, bytes, 1, 0), 0);
}

static void ask_long(int fd)
{
    say(fd, "GET /test/long HTTP/1.1\r\n" GOOD "Connection: close\r\n\r\n");
}

static void take_one_long(struct fixture *fixture)
{
    int fd = connect_to(fixture);

    ask_long(fd);
    read_long(fd);
    close(fd);
}

/* However fast it is read. */
static void a_long_answer_takes_many_turns(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, take_one_long);
    assert_true(fixture.turns >= LONG_BODY / (128 * 1024));
}

static void take_many_long(struct fixture *fixture)
{
    int fd[6];
    char text[64];

    for (int i = 0; i < 6; i++)
        ask_long(fd[i] = connect_to(fixture));
    assert_true(recv(fd[5], text, sizeof text, 0) > 0);
    close(fd[5]); /* in the middle of it */
    ask_for(fixture, "GET /test/a", GOOD, "path=/a");
    for (int i = 0; i < 5; i++) {
        read_long(fd[i]);
        close(fd[i]);
    }
}

static void long_answers_go_side_by_side(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, take_many_long);
}

/* The server ends while calls are in all their stages. */
static void leave_all_open(struct fixture *fixture)
{
    static const char *const paths[] = {"/test/stream", "/test/slow", "/test/job", "/test/long",
                                        "/test/a"};
    char line[512], text[8192];
    int streams[2] = {connect_to(fixture), connect_to(fixture)};

    for (int i = 0; i < 2; i++) {
        say(streams[i], "GET /test/stream HTTP/1.1\r\n" GOOD "\r\n");
        assert_true(hear(streams[i], "answer=0", text));
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(line, sizeof line, "GET %s HTTP/1.1\r\n" GOOD "\r\n", paths[i]);
        say(connect_to(fixture), line);
    }
    say(connect_to(fixture),
        "POST /test/a HTTP/1.1\r\n" GOOD INTENT "Content-Length: 100\r\n\r\nx");
}

static void it_ends_while_calls_are_under_way(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct fixture fixture = {0};
        serve(&fixture, leave_all_open);
    }
}

/* Twelve say nothing; whoever comes then is served after the first have been sent away. */
static void crowd_it(struct fixture *fixture)
{
    int idle[12];

    for (int i = 0; i < 12; i++)
        idle[i] = connect_to(fixture);
    ask_for(fixture, "GET /test/a", GOOD, " 200 ");
    for (int i = 0; i < 12; i++)
        close(idle[i]);
}

static void idle_strangers_make_room(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, crowd_it);
}

/* A body of n bytes that begins `with`. */
static void send_body(struct fixture *fixture, const char *request, const char *headers,
                      size_t length, const char *with, const char *wanted)
{
    char *body = memory_new(length + 1), head[512], text[8192];
    int fd = connect_to(fixture);

    memset(body, ' ', length);
    memcpy(body, with, strlen(with));
    snprintf(head, sizeof head, "%s HTTP/1.1\r\n%sContent-Length: %zu\r\n\r\n", request, headers,
             length);
    say(fd, head);
    for (size_t sent = 0; sent < length;) {
        ssize_t got = send(fd, body + sent, length - sent, MSG_NOSIGNAL);
        if (got <= 0)
            break;
        sent += (size_t)got;
    }
    if (!hear(fd, wanted, text))
        fail_msg("%s: no '%s' in: %s", request, wanted, text);
    close(fd);
    memory_free(body);
}

#define POST(path, length, with, wanted)                                                           \
    send_body(fixture, "POST " path, GOOD INTENT, length, with, wanted)

static void post_bodies(struct fixture *fixture)
{
    POST("/test/body", 1 << 20, "{}", "body=1048576 ");
    POST("/test/body", (1 << 20) + 1, "{}", " 413 ");
    POST("/api/v1/torrents", 3 << 20, "{\"stopped\": true, \"torrent\" :", "body=3145728 ");
    POST("/api/v1/inspect", 3 << 20, "{\"torrent\":", "body=3145728 ");
}

static void post_other_large_bodies(struct fixture *fixture)
{
    POST("/test/body", 3 << 20, "{\"torrent\":", " 413 ");
    POST("/test/body", 3 << 20, "{\"metainfo\":", " 413 ");
    POST("/api/v1/torrents", 3 << 20, "{\"metainfo\":", " 413 ");
    POST("/api/v1/torrents", 3 << 20, "{\"magnet\": \"torrent\",", " 413 ");
    POST("/api/v1/torrents/", 3 << 20, "{\"torrent\":", " 413 ");
    POST("/api/v1/feeds", 3 << 20, "{\"torrent\":", " 413 ");
    send_body(fixture, "PATCH /api/v1/torrents", GOOD INTENT, 3 << 20, "{\"torrent\":", " 413 ");
    ask_for(fixture, "POST /api/v1/inspect",
            "Host: localhost\r\nAuthorization: Bearer " READ_TOKEN "\r\n" INTENT
            "Content-Length: 3145728\r\n",
            " 403 ");
}

static void only_torrents_may_be_large(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, post_bodies);
}

static void what_brings_no_torrent_is_small(void **state)
{
    struct fixture fixture = {0};

    (void)state;
    serve(&fixture, post_other_large_bodies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_goes_its_way),
        cmocka_unit_test(who_may_not_speak_is_told_so),
        cmocka_unit_test(an_address_is_no_name_of_somebody_else),
        cmocka_unit_test(who_guesses_waits),
        cmocka_unit_test(a_token_that_a_person_chose_waits_too),
        cmocka_unit_test(a_stream_speaks_when_rows_change),
        cmocka_unit_test(a_long_answer_takes_many_turns),
        cmocka_unit_test(long_answers_go_side_by_side),
        cmocka_unit_test(it_ends_while_calls_are_under_way),
        cmocka_unit_test(idle_strangers_make_room),
        cmocka_unit_test(only_torrents_may_be_large),
        cmocka_unit_test(what_brings_no_torrent_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

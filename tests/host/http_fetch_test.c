/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/http_fetch.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* gzip of 100,000 zeros. */
static const uint8_t bomb[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00,
    0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x0d, 0x0f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0, 0x86, 0x01, 0x00};

static uint8_t file[100000];

/* A server on loopback, and a fetcher beside it. */
struct fixture {
    struct MHD_Daemon *daemon;
    uint16_t port;
    int hops; /* of /announce-loop */
    uv_loop_t loop;
    struct block_memory memory;
    struct http_fetch *fetch;
    struct event event;
    uint8_t body[200000];
    int told;
    struct http_validators known; /* of the last answer; taken when there was one */
    bool is_unchanged;
};

static struct MHD_Response *text_response(const char *text)
{
    return MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                           MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
                              struct MHD_Response *response)
{
    enum MHD_Result result = MHD_queue_response(connection, status, response);

    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_redirect(struct MHD_Connection *connection, const char *location)
{
    struct MHD_Response *response = text_response("elsewhere");

    MHD_add_response_header(response, "Location", location);
    return answer(connection, 302, response);
}

static enum MHD_Result answer_range(struct MHD_Connection *connection, bool wrong)
{
    const char *range = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Range");
    unsigned long first = 0, last = sizeof file - 1;
    char text[80];

    if (!range || sscanf(range, "bytes=%lu-%lu", &first, &last) != 2)
        return answer(connection, 400, text_response("no range"));
    struct MHD_Response *response =
        MHD_create_response_from_buffer(last - first + 1, file + first, MHD_RESPMEM_PERSISTENT);
    snprintf(text, sizeof text, "bytes %lu-%lu/%zu", first + wrong, last + wrong, sizeof file);
    MHD_add_response_header(response, "Content-Range", text);
    return answer(connection, 206, response);
}

/* One version of a document. What it is asked with stands in the body of a full answer. */
static enum MHD_Result answer_version(struct MHD_Connection *connection)
{
    const char *match = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-None-Match");
    const char *since =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "If-Modified-Since");
    char text[400];

    if (match && strcmp(match, "\"v1\"") == 0 && since)
        return answer(connection, 304, text_response(""));
    snprintf(text, sizeof text, "%s %s", match ? match : "-", since ? since : "-");
    struct MHD_Response *response = text_response(text);
    MHD_add_response_header(response, "etag", "\"v1\"");
    MHD_add_response_header(response, "last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    return answer(connection, 200, response);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    struct fixture *fixture = context;
    static int second;

    (void)method;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (!*state) {
        *state = &second;
        return MHD_YES;
    }
    if (strcmp(url, "/announce") == 0)
        return answer(connection, 200, text_response("d8:intervali60ee"));
    if (strcmp(url, "/announce-bomb") == 0) {
        struct MHD_Response *response = MHD_create_response_from_buffer(
            sizeof bomb, (void *)(uintptr_t)bomb, MHD_RESPMEM_PERSISTENT);
        MHD_add_response_header(response, "Content-Encoding", "gzip");
        return answer(connection, 200, response);
    }
    if (strcmp(url, "/announce-hop") == 0)
        return answer_redirect(connection, "/announce");
    if (strcmp(url, "/announce-loop") == 0) {
        fixture->hops++;
        return answer_redirect(connection, "/announce-loop");
    }
    if (strcmp(url, "/announce-aside") == 0)
        return answer_redirect(connection, "/admin?reboot=1");
    if (strcmp(url, "/announce-file") == 0)
        return answer_redirect(connection, "file:///etc/passwd");
    if (strcmp(url, "/announce-busy") == 0) {
        struct MHD_Response *response = text_response("later");
        MHD_add_response_header(response, "Retry-After", "77");
        return answer(connection, 503, response);
    }
    if (strcmp(url, "/version") == 0)
        return answer_version(connection);
    if (strcmp(url, "/to-version") == 0)
        return answer_redirect(connection, "/version");
    if (strcmp(url, "/unchanged") == 0)
        return answer(connection, 304, text_response(""));
    if (strcmp(url, "/file") == 0)
        return answer_range(connection, false);
    if (strcmp(url, "/wrong") == 0)
        return answer_range(connection, true);
    if (strcmp(url, "/whole") == 0)
        return answer(connection, 200,
                      MHD_create_response_from_buffer(sizeof file, file, MHD_RESPMEM_PERSISTENT));
    return answer(connection, 404, text_response("what?"));
}

static void on_done(void *context, struct event *event)
{
    struct fixture *fixture = context;

    fixture->told++;
    fixture->event = *event;
    if (event->result.fetched.body.length > 0)
        memcpy(fixture->body, event->result.fetched.body.data, event->result.fetched.body.length);
    fixture->is_unchanged = http_fetch_is_unchanged(fixture->fetch);
    if (!event->error) {
        http_validators_deinit(&fixture->known);
        http_fetch_take_validators(fixture->fetch, &fixture->known);
    }
}

static void fixture_init(struct fixture *fixture)
{
    struct sockaddr_in local = {.sin_family = AF_INET};

    memset(fixture, 0, sizeof *fixture);
    for (size_t i = 0; i < sizeof file; i++)
        file[i] = (uint8_t)(i * 17 + i / 300);
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fixture->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request,
                                       fixture, MHD_OPTION_SOCK_ADDR, &local, MHD_OPTION_END);
    assert_non_null(fixture->daemon);
    fixture->port = MHD_get_daemon_info(fixture->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    uv_loop_init(&fixture->loop);
    assert_int_equal(block_memory_init(&fixture->memory, 16), FRESHET_OK);
    fixture->fetch = http_fetch_new(&fixture->loop, &fixture->memory, on_done, fixture);
}

static void fixture_deinit(struct fixture *fixture)
{
    http_fetch_free(fixture->fetch);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    MHD_stop_daemon(fixture->daemon);
    block_memory_deinit(&fixture->memory);
    http_validators_deinit(&fixture->known);
}

static enum freshet_error run_job(struct fixture *fixture, struct fetch_job *job, const char *path)
{
    char url[200];
    int before = fixture->told;

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", fixture->port, path);
    job->id = 9;
    job->url = url;
    if (job->timeout_ns == 0)
        job->timeout_ns = 20 * SECOND_NS;
    http_fetch_start(fixture->fetch, job);
    memset(url, 'x', sizeof url - 1); /* it was copied */
    while (fixture->told == before)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    assert_int_equal(fixture->told, before + 1);
    assert_int_equal(fixture->event.job, 9);
    return fixture->event.error;
}

static enum freshet_error announce(struct fixture *fixture, const char *path)
{
    struct fetch_job job = {.is_tracker = true, .body_max = 1000};

    return run_job(fixture, &job, path);
}

static void http_fetch_brings_a_trackers_answer(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(announce(&fixture, "/announce?info_hash=x"), FRESHET_OK);
    assert_int_equal(fixture.event.result.fetched.status, 200);
    assert_int_equal(fixture.event.result.fetched.body.length, 16);
    assert_memory_equal(fixture.body, "d8:intervali60ee", 16);
    assert_int_equal(announce(&fixture, "/announce-nothing"), FRESHET_ERROR_HTTP);
    assert_int_equal(fixture.event.result.fetched.status, 404);
    assert_int_equal(announce(&fixture, "/announce-busy"), FRESHET_ERROR_HTTP);
    assert_int_equal(fixture.event.result.fetched.retry_after_s, 77);
    fixture_deinit(&fixture);
}

static void http_fetch_holds_the_limit_after_inflation(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(announce(&fixture, "/announce-bomb"), FRESHET_ERROR_LIMIT);
    struct fetch_job job = {.is_tracker = true, .body_max = 100000};
    assert_int_equal(run_job(&fixture, &job, "/announce-bomb"), FRESHET_OK);
    assert_int_equal(fixture.event.result.fetched.body.length, 100000);
    fixture_deinit(&fixture);
}

static void http_fetch_judges_loopback_requests_and_each_redirect(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(announce(&fixture, "/admin"), FRESHET_ERROR_REFUSED);
    assert_int_equal(announce(&fixture, "/announce"), FRESHET_OK);
    /* The connection is there already now; the rule holds for it too. */
    assert_int_equal(announce(&fixture, "/admin"), FRESHET_ERROR_REFUSED);
    assert_int_equal(announce(&fixture, "/announce-hop"), FRESHET_OK);
    assert_int_equal(announce(&fixture, "/announce-aside"), FRESHET_ERROR_REFUSED);
    assert_int_not_equal(announce(&fixture, "/announce-file"), FRESHET_OK);
    assert_int_equal(announce(&fixture, "/announce-loop"), FRESHET_ERROR_REFUSED);
    assert_int_equal(fixture.hops, HTTP_FETCH_REDIRECTS_MAX + 1);
    fixture_deinit(&fixture);
}

static void http_fetch_puts_a_range_into_blocks(void **state)
{
    struct fixture fixture;
    static const block_id blocks[] = {7, 2, 11};
    struct fetch_job job = {.range_start = 12345,
                            .range_length = 40000,
                            .block_offset = 5000,
                            .blocks = blocks,
                            .block_count = 3};

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(run_job(&fixture, &job, "/file"), FRESHET_OK);
    assert_int_equal(fixture.event.result.fetched.received, 40000);
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t at = 5000 + i;
        assert_int_equal(block_memory_at(&fixture.memory, blocks[at / 16384])[at % 16384],
                         file[12345 + i]);
    }
    assert_int_equal(run_job(&fixture, &job, "/wrong"), FRESHET_ERROR_PROTOCOL);
    assert_int_equal(run_job(&fixture, &job, "/whole"), FRESHET_ERROR_HTTP);
    assert_int_equal(run_job(&fixture, &job, "/file?query"), FRESHET_ERROR_REFUSED);
    assert_int_equal(run_job(&fixture, &job, "/nothing"), FRESHET_ERROR_HTTP);
    fixture_deinit(&fixture);
}

static void http_fetch_finds_a_range_in_a_whole_file(void **state)
{
    (void)state;
    struct fixture fixture;
    fixture_init(&fixture);
    block_id blocks[3] = {2, 0, 1};
    struct fetch_job job = {.range_start = 12345,
                            .range_length = 40000,
                            .block_offset = 100,
                            .blocks = blocks,
                            .block_count = 3,
                            .may_skip = true,
                            .body_max = 40000};
    assert_int_equal(run_job(&fixture, &job, "/whole"), FRESHET_OK);
    assert_int_equal(fixture.event.result.fetched.received, 40000);
    assert_int_equal(fixture.event.result.fetched.status, 200);
    for (uint32_t i = 0; i < 40000; i++) {
        uint32_t at = 100 + i;
        const uint8_t *block = block_memory_at(&fixture.memory, blocks[at / LIMIT_BLOCK_SIZE]);
        assert_int_equal(block[at % LIMIT_BLOCK_SIZE], file[12345 + i]);
    }
    /* The front of a file, and no more of it than was asked for. */
    job.range_start = 0;
    job.may_skip = false;
    assert_int_equal(run_job(&fixture, &job, "/whole"), FRESHET_OK);
    assert_int_equal(fixture.event.result.fetched.received, 40000);
    /* It is shorter than we think. */
    job.range_start = sizeof file - 10;
    job.may_skip = true;
    assert_int_equal(run_job(&fixture, &job, "/whole"), FRESHET_ERROR_TRUNCATED);
    assert_int_equal(fixture.event.result.fetched.received, 10);
    fixture_deinit(&fixture);
}

/* Of what is known, as a person's request. */
static enum freshet_error ask(struct fixture *fixture, const char *path)
{
    char url[200];
    int before = fixture->told;
    struct fetch_job job = {.id = 1, .url = url, .body_max = 1000, .timeout_ns = 20 * SECOND_NS};
    struct http_validators known = fixture->known;

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", fixture->port, path);
    http_fetch_start_for_person(fixture->fetch, &job, &known);
    memset(known.etag, 'x', sizeof known.etag - 1); /* it was copied */
    while (fixture->told == before)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    return fixture->event.error;
}

static void http_fetch_asks_for_another_version_than_the_one_known(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_init(&fixture);
    assert_int_equal(ask(&fixture, "/version"), FRESHET_OK);
    assert_memory_equal(fixture.body, "- -", 3);
    assert_false(fixture.is_unchanged);
    assert_string_equal(fixture.known.etag, "\"v1\"");
    assert_string_equal(fixture.known.modified, "Sun, 06 Nov 1994 08:49:37 GMT");
    for (int i = 0; i < 2; i++) {
        const char *path = i ? "/to-version" : "/version";
        assert_int_equal(ask(&fixture, path), FRESHET_ERROR_HTTP);
        assert_int_equal(fixture.event.result.fetched.status, 304);
        assert_true(fixture.is_unchanged);
    }
    /* Of another document it says nothing, and who was not asked so has no such answer. */
    assert_int_equal(ask(&fixture, "/unchanged"), FRESHET_ERROR_HTTP);
    assert_int_equal(fixture.event.result.fetched.status, 304);
    assert_false(fixture.is_unchanged);
    strcpy(fixture.known.etag, "\"v0\"");
    assert_int_equal(ask(&fixture, "/version"), FRESHET_OK);
    assert_memory_equal(fixture.body, "\"v0\" Sun, 06 Nov 1994 08:49:37 GMT", 34);
    /* What an answer before a redirect said is not the document's. */
    assert_int_equal(announce(&fixture, "/announce-hop"), FRESHET_OK);
    assert_null(fixture.known.url);
    fixture_deinit(&fixture);
}

static void http_fetch_gives_up_and_can_be_cancelled(void **state)
{
    struct fixture fixture;
    char url[100];

    (void)state;
    fixture_init(&fixture);
    /* A server that accepts and says nothing. */
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in local = {.sin_family = AF_INET};
    socklen_t length = sizeof local;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(silent, (struct sockaddr *)&local, sizeof local), 0);
    assert_int_equal(listen(silent, 5), 0);
    getsockname(silent, (struct sockaddr *)&local, &length);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/announce", ntohs(local.sin_port));
    struct fetch_job job = {.id = 3,
                            .url = url,
                            .is_tracker = true,
                            .body_max = 10,
                            .timeout_ns = 100 * MILLISECOND_NS};
    http_fetch_start(fixture.fetch, &job);
    while (fixture.told == 0)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.event.error, FRESHET_ERROR_TIMEOUT);
    job.timeout_ns = 100 * SECOND_NS;
    job.id = 4;
    http_fetch_start(fixture.fetch, &job);
    http_fetch_cancel(fixture.fetch, 4);
    while (fixture.told == 1)
        uv_run(&fixture.loop, UV_RUN_ONCE);
    assert_int_equal(fixture.event.error, FRESHET_ERROR_CANCELLED);
    assert_int_equal(fixture.event.job, 4);
    job.id = 5;
    http_fetch_start(fixture.fetch, &job); /* is under way when everything ends */
    fixture_deinit(&fixture);
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_fetch_brings_a_trackers_answer),
        cmocka_unit_test(http_fetch_holds_the_limit_after_inflation),
        cmocka_unit_test(http_fetch_judges_loopback_requests_and_each_redirect),
        cmocka_unit_test(http_fetch_puts_a_range_into_blocks),
        cmocka_unit_test(http_fetch_finds_a_range_in_a_whole_file),
        cmocka_unit_test(http_fetch_asks_for_another_version_than_the_one_known),
        cmocka_unit_test(http_fetch_gives_up_and_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

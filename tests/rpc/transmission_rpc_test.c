/* SPDX-License-Identifier: MIT */
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int64_t error_of(struct bench *bench, const char *body)
{
    json_t *answer = bench_ask(bench, body);
    assert_string_equal(bench_text(answer, "jsonrpc"), "2.0");
    assert_null(bench_at(answer, "result"));
    assert_non_null(json_string_value(bench_at(answer, "error.message")));
    assert_non_null(json_string_value(bench_at(answer, "error.data.error_string")));
    int64_t code = bench_integer(answer, "error.code");
    json_decref(answer);
    return code;
}

static bool succeeds(struct bench *bench, const char *body)
{
    json_t *answer = bench_ask(bench, body);
    bool is_success = strcmp(bench_text(answer, "result"), "success") == 0;
    assert_true(is_success || strcmp(bench_text(answer, "result"), "(no text)") != 0);
    assert_int_equal(bench->status, 200);
    json_decref(answer);
    return is_success;
}

static void transmission_rpc_answers_faults_of_the_old_dialect_as_text(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'no-such','tag':3}");
    assert_int_equal(bench->status, 200);
    assert_non_null(strstr(bench_text(answer, "result"), "no-such"));
    assert_int_equal(json_object_size(bench_at(answer, "arguments")), 0);
    assert_int_equal(bench_integer(answer, "tag"), 3);
    json_decref(answer);
    assert_false(succeeds(bench, "{}"));
    assert_false(succeeds(bench, "3"));
    assert_false(succeeds(bench, "{"));
    assert_false(succeeds(bench, ""));
    assert_false(succeeds(bench, "{'method':7}"));
    assert_false(succeeds(bench, "{'method':'session-get','arguments':[]}"));
    assert_true(succeeds(bench, "{'method':'session-get','arguments':null}"));
    answer = bench_ask(bench, "{'method':'session-stats','tag':{}}");
    assert_null(bench_at(answer, "tag"));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_rpc_answers_faults_of_json_rpc_with_codes(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    assert_int_equal(error_of(bench, "{'jsonrpc':'2.0','method':"), -32700);
    assert_int_equal(error_of(bench, "[]"), -32600);
    assert_int_equal(error_of(bench, "{'jsonrpc':'1.0','id':1,'method':'session_get'}"), -32600);
    assert_int_equal(error_of(bench, "{'jsonrpc':'2.0','id':{},'method':'session_get'}"), -32600);
    assert_int_equal(error_of(bench, "{'jsonrpc':'2.0','id':1}"), -32600);
    assert_int_equal(error_of(bench, "{'jsonrpc':'2.0','id':1,'method':'no_such'}"), -32601);
    assert_int_equal(
        error_of(bench, "{'jsonrpc':'2.0','id':1,'method':'session_get','params':[1]}"), -32602);
    assert_int_equal(
        error_of(bench, "{'jsonrpc':'2.0','id':1,'method':'free_space','params':{'path':'x'}}"), 3);
    assert_int_equal(bench->status, 200);
    bench_free(bench);
}

static void transmission_rpc_echoes_ids_of_every_kind(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'jsonrpc':'2.0','id':'a\\u20ac','method':'group_get'}");
    assert_string_equal(bench_text(answer, "id"), "a\xe2\x82\xac");
    json_decref(answer);
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':null,'method':'group_get'}");
    assert_true(json_is_null(bench_at(answer, "id")));
    assert_non_null(bench_at(answer, "result"));
    json_decref(answer);
    bench_free(bench);
}

static void transmission_rpc_answers_a_batch_and_not_its_notifications(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "[{'jsonrpc':'2.0','id':1,'method':'group_get'},"
                                      "{'jsonrpc':'2.0','method':'torrent_stop'},"
                                      "{'jsonrpc':'2.0','method':'no_such'},7,"
                                      "{'jsonrpc':'2.0','id':2,'method':'session_stats'}]");
    assert_int_equal(json_array_size(answer), 3);
    assert_int_equal(bench_integer(answer, "0.id"), 1);
    assert_int_equal(bench_integer(answer, "1.error.code"), -32600);
    assert_int_equal(bench_integer(answer, "2.result.paused_torrent_count"), 1);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_rpc_says_nothing_to_a_notification(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    assert_null(bench_ask(bench, "{'jsonrpc':'2.0','method':'torrent_stop','params':{'ids':[1]}}"));
    assert_int_equal(bench->status, 204);
    assert_int_equal(catalog_find(bench->catalog, 1)->phase, CATALOG_STOPPED);
    assert_null(bench_ask(bench, "[{'jsonrpc':'2.0','method':'no_such'}]"));
    assert_int_equal(bench->status, 204);
    bench_free(bench);
}

static void transmission_rpc_bounds_depth_values_and_batches(void **state)
{
    struct bench *bench = bench_new();
    struct buffer body = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        buffer_append_u8(&body, '[');
    bench_send(bench, "POST", "", buffer_bytes(&body));
    assert_int_equal(bench->status, 200);
    assert_non_null(strstr((const char *)bench->body.data, "nested"));
    buffer_clear(&body);
    buffer_append_u8(&body, '[');
    for (int i = 0; i < 101; i++)
        buffer_append_text(&body, i ? ",1" : "1");
    buffer_append_text(&body, "]");
    buffer_append_u8(&body, 0);
    assert_int_equal(error_of(bench, (const char *)body.data), -32600);
    buffer_deinit(&body);
    /* Brackets and quotes within texts count for nothing. */
    assert_true(
        succeeds(bench, "{'method':'session-stats','x':'[[[[[[[[[[[[[[[[[[[[\\\\\\u0022['}"));
    bench_free(bench);
}

static void transmission_rpc_takes_posts_to_its_path_only(void **state)
{
    struct bench *bench = bench_new();
    struct bytes body = BYTES_LITERAL("{\"method\":\"group-get\"}");
    (void)state;
    bench_send(bench, "GET", "", body);
    assert_int_equal(bench->status, 405);
    bench_send(bench, "POST", "/upload", body);
    assert_int_equal(bench->status, 404);
    bench_send(bench, "POST", "/", body);
    assert_int_equal(bench->status, 200);
    bench_free(bench);
}

static void transmission_rpc_lets_a_reader_only_read(void **state)
{
    static const char *const read[] = {"torrent-get", "session-get", "session-stats",
                                       "group-get",   "port-test",   "free-space"};
    static const char *const control[] = {
        "torrent-start",       "torrent-start-now",  "torrent-stop",
        "torrent-verify",      "torrent-reannounce", "torrent-set",
        "torrent-add",         "torrent-remove",     "torrent-set-location",
        "torrent-rename-path", "session-set",        "session-close",
        "blocklist-update",    "queue-move-top",     "queue-move-up",
        "queue-move-down",     "queue-move-bottom",  "group-set"};
    struct bench *bench = bench_new();
    char body[256];
    (void)state;
    bench->access = ACCESS_READ;
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        snprintf(body, sizeof body, "{'method':'%s','arguments':{'fields':['id'],'path':'/data'}}",
                 read[i]);
        assert_true(succeeds(bench, body));
    }
    for (size_t i = 0; i < sizeof control / sizeof control[0]; i++) {
        snprintf(body, sizeof body, "{'method':'%s','arguments':{'ids':[1],'path':'/data'}}",
                 control[i]);
        assert_false(succeeds(bench, body));
        assert_non_null(strstr((const char *)bench->body.data, "token"));
    }
    assert_int_equal(catalog_find(bench->catalog, 1)->phase, CATALOG_SEEDING);
    assert_int_equal(bench->shutdowns, 0);
    assert_int_equal(error_of(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent_remove'}"), -32001);
    bench->access = ACCESS_NONE;
    assert_false(succeeds(bench, "{'method':'session-get'}"));
    bench_free(bench);
}

static void transmission_rpc_takes_either_name_in_either_dialect(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    assert_true(succeeds(bench, "{'method':'session_stats'}"));
    assert_true(succeeds(bench, "{'method':'torrent_set','arguments':{'ids':[1],"
                                "'peerLimit':30,'downloadLimited':true}}"));
    assert_int_equal(catalog_find(bench->catalog, 1)->wishes.peers_max, 30);
    assert_true(catalog_find(bench->catalog, 1)->wishes.download_limited);
    json_t *answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent-set',"
                                      "'params':{'ids':[1],'peer-limit':31}}");
    assert_non_null(bench_at(answer, "result"));
    assert_int_equal(catalog_find(bench->catalog, 1)->wishes.peers_max, 31);
    json_decref(answer);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_rpc_answers_faults_of_the_old_dialect_as_text),
        cmocka_unit_test(transmission_rpc_answers_faults_of_json_rpc_with_codes),
        cmocka_unit_test(transmission_rpc_echoes_ids_of_every_kind),
        cmocka_unit_test(transmission_rpc_answers_a_batch_and_not_its_notifications),
        cmocka_unit_test(transmission_rpc_says_nothing_to_a_notification),
        cmocka_unit_test(transmission_rpc_bounds_depth_values_and_batches),
        cmocka_unit_test(transmission_rpc_takes_posts_to_its_path_only),
        cmocka_unit_test(transmission_rpc_lets_a_reader_only_read),
        cmocka_unit_test(transmission_rpc_takes_either_name_in_either_dialect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

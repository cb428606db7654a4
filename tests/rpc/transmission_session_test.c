/* SPDX-License-Identifier: MIT */
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct catalog_settings *settings(struct bench *bench)
{
    return catalog_settings(bench->catalog);
}

static bool is_refused(struct bench *bench, const char *body)
{
    json_t *answer = bench_ask(bench, body);
    bool refused = strcmp(bench_text(answer, "result"), "success") != 0;
    json_decref(answer);
    return refused;
}

static void transmission_session_get_tells_all_settings(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'session-get'}");
    json_t *found = bench_at(answer, "arguments");
    assert_string_equal(bench_text(found, "download-dir"), "/data");
    assert_int_equal(bench_integer(found, "download-dir-free-space"), 5000);
    assert_string_equal(bench->job_text, "/data");
    assert_int_equal(bench_integer(found, "rpc-version"), 17);
    assert_int_equal(bench_integer(found, "rpc-version-minimum"), 14);
    assert_string_equal(bench_text(found, "rpc-version-semver"), "5.3.0");
    assert_string_equal(bench_text(found, "version"), "4.0.0 (freshet 0.1.0)");
    assert_string_equal(bench_text(found, "session-id"), "0000000000abcdef");
    assert_string_equal(bench_text(found, "encryption"), "tolerated");
    assert_int_equal(bench_integer(found, "units.speed-bytes"), 1000);
    assert_int_equal(bench_integer(found, "units.memory-bytes"), 1024);
    assert_string_equal(bench_text(found, "units.size-units.1"), "kB");
    assert_int_equal(bench_integer(found, "alt-speed-time-day"), 127);
    assert_int_equal(bench_integer(found, "seedRatioLimit"), 2);
    assert_true(json_is_true(bench_at(found, "start-added-torrents")));
    assert_true(json_is_false(bench_at(found, "script-torrent-done-enabled")));
    json_decref(answer);
    bench->failure = FRESHET_ERROR_ABSENT;
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'session_get'}");
    found = bench_at(answer, "result");
    assert_int_equal(bench_integer(found, "download_dir_free_space"), -1);
    assert_string_equal(bench_text(found, "rpc_version_semver"), "6.0.0");
    assert_string_equal(bench_text(found, "encryption"), "allowed");
    assert_string_equal(bench_text(found, "units.speed_units.0"), "B/s");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_session_get_tells_what_is_asked_for(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'session-get','arguments':{'fields':"
                                      "['version','nonsense','peer_port','version',3]}}");
    assert_int_equal(json_object_size(bench_at(answer, "arguments")), 2);
    assert_int_equal(bench_integer(answer, "arguments.peer_port"), 51413);
    assert_string_equal(bench->job_text, "");
    json_decref(answer);
    bench_free(bench);
}

static void transmission_session_set_changes_settings(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench->save_jobs = 0;
    bench_do(bench,
             "{'method':'session-set','arguments':{'speed-limit-down':200,"
             "'speed-limit-down-enabled':true,'speed-limit-up':30,'alt-speed-down':5,"
             "'alt-speed-time-begin':60,'alt-speed-time-end':5000,'alt-speed-time-day':62,"
             "'alt-speed-time-enabled':true,'seedRatioLimit':1.25,'seedRatioLimited':true,"
             "'idle-seeding-limit':15,'idle-seeding-limit-enabled':true,'encryption':'preferred',"
             "'download-queue-size':2,'peer-limit-global':99,'peer-port':7000,'dht-enabled':false,"
             "'incomplete-dir':'/data/part','incomplete-dir-enabled':true,"
             "'rename-partial-files':true,'blocklist-url':'https://b.test/l','nonsense':{},"
             "'default-trackers':'http://a.test/x\\n\\nudp://b.test:9'}}");
    assert_int_equal(bench->save_jobs, 1);
    assert_int_equal(settings(bench)->download_limit, 200000);
    assert_true(settings(bench)->download_limited);
    assert_int_equal(settings(bench)->upload_limit, 30000);
    assert_int_equal(settings(bench)->alt_download_limit, 5000);
    assert_int_equal(settings(bench)->schedule.begin_minute, 60);
    assert_int_equal(settings(bench)->schedule.end_minute, 1439);
    assert_int_equal(settings(bench)->schedule.days, 62);
    assert_true(settings(bench)->schedule.enabled);
    assert_true(settings(bench)->ratio == 1.25);
    assert_int_equal(settings(bench)->idle_minutes, 15);
    assert_int_equal(settings(bench)->encryption, ENCRYPTION_PREFER);
    assert_int_equal(settings(bench)->download_queue, 2);
    assert_int_equal(settings(bench)->peers_max, 99);
    assert_int_equal(settings(bench)->peer_port, 7000);
    assert_false(settings(bench)->dht);
    assert_string_equal(settings(bench)->incomplete_folder, "/data/part");
    assert_true(settings(bench)->part_suffix);
    assert_int_equal(settings(bench)->default_tracker_count, 2);
    assert_string_equal(settings(bench)->default_trackers[1], "udp://b.test:9");
    assert_string_equal(settings(bench)->download_folder, "/data");
    json_t *answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'session_set','params':"
                                      "{'seed_ratio_limited':false,'pex_enabled':false}}");
    assert_non_null(bench_at(answer, "result"));
    json_decref(answer);
    assert_false(settings(bench)->ratio_limited);
    assert_false(settings(bench)->pex);
    answer = bench_ask(bench, "{'method':'session-get','arguments':{'fields':"
                              "['default-trackers','speed-limit-down']}}");
    assert_string_equal(bench_text(answer, "arguments.default-trackers"),
                        "http://a.test/x\n\nudp://b.test:9");
    assert_int_equal(bench_integer(answer, "arguments.speed-limit-down"), 200);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_session_set_refuses_by_word_and_changes_nothing(void **state)
{
    static const char *const bodies[] = {
        "{'method':'session-set','arguments':{'dht-enabled':false,'download-dir':'/etc'}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'download-dir':'/data/../x'}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'download-dir':''}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'incomplete-dir':'/tmp'}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'encryption':'sometimes'}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'blocklist-url':'file:///x'}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'peer-port':0}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'peer-port':70000}}",
        "{'method':'session-set','arguments':{'dht-enabled':false,'default-trackers':'x'}}",
    };
    struct bench *bench = bench_new();
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_true(is_refused(bench, bodies[i]));
        assert_true(settings(bench)->dht);
    }
    bench_do(bench, "{'method':'session-set','arguments':{'script-torrent-done-enabled':true,"
                    "'script-torrent-done-filename':'/bin/sh','download-dir':'/data'}}");
    bench_free(bench);
}

static void transmission_session_set_keeps_to_the_roots(void **state)
{
    struct bench *bench = bench_new();
    struct catalog_settings changed;
    char *roots[] = {"/srv/a/", "/mnt"};
    (void)state;
    catalog_settings_copy(settings(bench), &changed);
    char **none = changed.roots;
    uint32_t count = changed.root_count;
    changed.roots = roots;
    changed.root_count = 2;
    catalog_set_settings(bench->catalog, &changed, bench->world.now);
    changed.roots = none;
    changed.root_count = count;
    catalog_settings_deinit(&changed);
    bench_run(bench);
    bench_do(bench, "{'method':'session-set','arguments':{'download-dir':'/srv/a'}}");
    bench_do(bench, "{'method':'session-set','arguments':{'download-dir':'//mnt/x/y'}}");
    assert_true(is_refused(bench, "{'method':'session-set','arguments':{'download-dir':'/srv'}}"));
    assert_true(is_refused(bench, "{'method':'session-set','arguments':{'download-dir':'/data'}}"));
    assert_true(
        is_refused(bench, "{'method':'session-set','arguments':{'download-dir':'/srv/ab'}}"));
    assert_true(
        is_refused(bench, "{'method':'session-set','arguments':{'download-dir':'/srv/a//..//b'}}"));
    /* It has left /srv/a, and may go back there. */
    bench_do(bench, "{'method':'session-set','arguments':{'download-dir':'/srv//a/films/'}}");
    bench_do(bench, "{'method':'session-set','arguments':{'download-dir':'/srv/a'}}");
    assert_true(is_refused(bench, "{'method':'session-set','arguments':{'download-dir':'//'}}"));
    bench_free(bench);
}

static void transmission_session_stats_count_and_add_up(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench_add_named(bench, "two", true);
    json_t *answer = bench_ask(bench, "{'method':'session-stats'}");
    assert_int_equal(bench_integer(answer, "arguments.torrentCount"), 2);
    assert_int_equal(bench_integer(answer, "arguments.activeTorrentCount"), 1);
    assert_int_equal(bench_integer(answer, "arguments.pausedTorrentCount"), 1);
    assert_int_equal(bench_integer(answer, "arguments.cumulative-stats.uploadedBytes"), 1000);
    assert_int_equal(bench_integer(answer, "arguments.cumulative-stats.sessionCount"), 3);
    assert_int_equal(bench_integer(answer, "arguments.current-stats.uploadedBytes"), 10);
    json_decref(answer);
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'session_stats'}");
    assert_int_equal(bench_integer(answer, "result.current_stats.session_count"), 1);
    json_decref(answer);
    bench_free(bench);
}

static void transmission_groups_are_made_changed_and_told(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'group-get'}");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.group")), 0);
    json_decref(answer);
    bench_do(bench, "{'method':'group-set','arguments':{'name':'a b','speed-limit-down':7,"
                    "'speed-limit-down-enabled':true,'honorsSessionLimits':false}}");
    bench_do(bench, "{'method':'group-set','arguments':{'name':'c'}}");
    bench_do(bench, "{'method':'group-set','arguments':{'name':'a b','speed-limit-up':9}}");
    answer = bench_ask(bench, "{'method':'group-get'}");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.group")), 2);
    assert_string_equal(bench_text(answer, "arguments.group.0.name"), "a b");
    assert_int_equal(bench_integer(answer, "arguments.group.0.speed-limit-down"), 7);
    assert_int_equal(bench_integer(answer, "arguments.group.0.speed-limit-up"), 9);
    assert_true(json_is_true(bench_at(answer, "arguments.group.0.speed-limit-down-enabled")));
    assert_true(json_is_false(bench_at(answer, "arguments.group.0.speed-limit-up-enabled")));
    assert_true(json_is_false(bench_at(answer, "arguments.group.0.honorsSessionLimits")));
    assert_true(json_is_true(bench_at(answer, "arguments.group.1.honorsSessionLimits")));
    json_decref(answer);
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'group_get','params':"
                              "{'group':['c','d']}}");
    assert_int_equal(json_array_size(bench_at(answer, "result.group")), 1);
    assert_string_equal(bench_text(answer, "result.group.0.name"), "c");
    assert_int_equal(bench_integer(answer, "result.group.0.speed_limit_down"), 0);
    json_decref(answer);
    assert_true(is_refused(bench, "{'method':'group-set'}"));
    assert_true(is_refused(bench, "{'method':'group-set','arguments':{'name':''}}"));
    bench_free(bench);
}

static void transmission_session_tells_what_the_command_line_switched_off(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench->world.off.dht = bench->world.off.lsd = true;
    json_t *answer = bench_ask(bench, "{'method':'session-get'}");
    assert_true(json_is_false(bench_at(answer, "arguments.dht-enabled")));
    assert_true(json_is_false(bench_at(answer, "arguments.lpd-enabled")));
    assert_true(json_is_true(bench_at(answer, "arguments.pex-enabled")));
    json_decref(answer);
    /* The wish stays what it was. */
    assert_true(catalog_settings(bench->catalog)->dht);
    bench_free(bench);
}

static void transmission_host_measures_tests_and_ends(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'free-space','arguments':{'path':'/data'}}");
    assert_int_equal(bench_integer(answer, "arguments.size-bytes"), 5000);
    assert_int_equal(bench_integer(answer, "arguments.total_size"), 9000);
    assert_string_equal(bench_text(answer, "arguments.path"), "/data");
    json_decref(answer);
    for (size_t i = 0; i < 4; i++) {
        static const char *const elsewhere[] = {"data", "/", "/database", "/data/../etc"};
        char body[128];
        snprintf(body, sizeof body, "{'method':'free-space','arguments':{'path':'%s'}}",
                 elsewhere[i]);
        assert_true(is_refused(bench, body));
    }
    bench->is_local = true;
    bench_do(bench, "{'method':'free-space','arguments':{'path':'/'}}");
    bench->is_local = false;
    assert_true(is_refused(bench, "{'method':'blocklist-update'}"));
    bench_do(bench, "{'method':'session-set','arguments':{'blocklist-url':'http://b.test/'}}");
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'blocklist_update'}");
    assert_int_equal(bench_integer(answer, "result.blocklist_size"), 77);
    assert_string_equal(bench->job_text, "http://b.test/");
    json_decref(answer);
    bench_do(bench, "{'method':'session-close'}");
    assert_int_equal(bench->shutdowns, 1);
    bench->failure = FRESHET_ERROR_TIMEOUT;
    assert_true(is_refused(bench, "{'method':'blocklist-update'}"));
    assert_true(is_refused(bench, "{'method':'free-space','arguments':{'path':'/data'}}"));
    assert_non_null(strstr((const char *)bench->body.data, "the job's words"));
    bench_free(bench);
}

#define PORT_TEST(family) "{'method':'port-test','arguments':{'ip_protocol':'" family "'}}"

/* 0 and 1 as it is told, 2: that it cannot be known. */
static int port_is_open(struct bench *bench, const char *body, const char *family)
{
    json_t *answer = bench_ask(bench, body);
    bool is_known = strcmp(bench_text(answer, "result"), "success") == 0;
    int is_open = is_known ? json_is_true(bench_at(answer, "arguments.port-is-open")) : 2;
    if (family)
        assert_string_equal(bench_text(answer, "arguments.ip_protocol"), family);
    json_decref(answer);
    return is_open;
}

static void transmission_session_says_of_the_port_what_can_be_known(void **state)
{
    static const uint8_t any[16] = {0}, loopback[4] = {127, 0, 0, 1}, outside[4] = {9, 9, 9, 9},
                         home[4] = {10, 0, 0, 1};
    struct bench *bench = bench_new();
    struct service_world *world = &bench->world;
    (void)state;
    /* Nothing listens; or to this machine only; or not by this protocol. */
    assert_int_equal(port_is_open(bench, "{'method':'port-test'}", NULL), 0);
    world->listen = address_ipv4(loopback, 51413);
    assert_int_equal(port_is_open(bench, "{'method':'port-test'}", NULL), 0);
    world->listen = address_ipv4(any, 51413);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv6"), "ipv6"), 0);
    /* That it listens says nothing of the world. */
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv4"), NULL), 2);
    assert_int_equal(port_is_open(bench, "{'method':'port-test'}", NULL), 2);
    assert_non_null(strstr((const char *)bench->body.data, "nobody has come from the internet"));
    /* A router that forwards says it, unless another stands before it. */
    world->mapping_state = "held";
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv4"), NULL), 2);
    world->mapping_external = address_ipv4(home, 51413);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv4"), NULL), 2);
    world->mapping_external = address_ipv4(outside, 51413);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv4"), "ipv4"), 1);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv6"), "ipv6"), 0);
    /* Who came through it, too. */
    world->listen = address_ipv6(any, 51413);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv6"), NULL), 2);
    world->mapping_state = "failed";
    world->reached.ipv6 = true;
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv6"), "ipv6"), 1);
    assert_int_equal(port_is_open(bench, PORT_TEST("ipv4"), NULL), 2);
    assert_int_equal(port_is_open(bench, "{'method':'port-test'}", "ipv6"), 1);
    assert_true(is_refused(bench, PORT_TEST("ipx")));
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_session_get_tells_all_settings),
        cmocka_unit_test(transmission_session_get_tells_what_is_asked_for),
        cmocka_unit_test(transmission_session_set_changes_settings),
        cmocka_unit_test(transmission_session_set_refuses_by_word_and_changes_nothing),
        cmocka_unit_test(transmission_session_set_keeps_to_the_roots),
        cmocka_unit_test(transmission_session_stats_count_and_add_up),
        cmocka_unit_test(transmission_groups_are_made_changed_and_told),
        cmocka_unit_test(transmission_session_tells_what_the_command_line_switched_off),
        cmocka_unit_test(transmission_host_measures_tests_and_ends),
        cmocka_unit_test(transmission_session_says_of_the_port_what_can_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

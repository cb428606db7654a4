/* SPDX-License-Identifier: MIT */
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct catalog_torrent *row(struct bench *bench, torrent_id id)
{
    return catalog_find(bench->catalog, id);
}

/* The words of a refusal in the old dialect; the code that JSON-RPC has for the same. */
static void refused(struct bench *bench, const char *method, const char *arguments, int64_t code)
{
    char body[1024], new_name[64];
    snprintf(body, sizeof body, "{'method':'%s','arguments':%s}", method, arguments);
    json_t *answer = bench_ask(bench, body);
    assert_string_not_equal(bench_text(answer, "result"), "success");
    assert_int_equal(json_object_size(bench_at(answer, "arguments")), 0);
    json_decref(answer);
    snprintf(new_name, sizeof new_name, "%s", method);
    for (char *at = new_name; *at; at++)
        *at = *at == '-' ? '_' : *at;
    snprintf(body, sizeof body, "{'jsonrpc':'2.0','id':1,'method':'%s','params':%s}", new_name,
             arguments);
    answer = bench_ask(bench, body);
    assert_int_equal(bench_integer(answer, "error.code"), code);
    json_decref(answer);
}

static struct bench *with_torrents(int count)
{
    struct bench *bench = bench_new();
    for (int i = 2; i <= count; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        bench_add_named(bench, name, true);
    }
    return bench;
}

static void transmission_torrents_start_and_stop(void **state)
{
    struct bench *bench = with_torrents(3);
    (void)state;
    bench_do(bench, "{'method':'torrent-start','arguments':{'ids':[2]}}");
    assert_true(row(bench, 2)->wanted_running);
    assert_false(row(bench, 3)->wanted_running);
    assert_false(row(bench, 2)->force_start);
    bench_do(bench, "{'method':'torrent-start-now','arguments':{'ids':3}}");
    assert_true(row(bench, 3)->force_start);
    bench_do(bench, "{'method':'torrent-stop'}");
    for (torrent_id id = 1; id <= 3; id++)
        assert_false(row(bench, id)->wanted_running);
    json_t *answer = bench_ask(
        bench, "{'jsonrpc':'2.0','id':5,'method':'torrent_start','params':{'ids':[1,2,3]}}");
    assert_int_equal(json_object_size(bench_at(answer, "result")), 0);
    json_decref(answer);
    assert_true(row(bench, 1)->wanted_running);
    assert_true(row(bench, 3)->wanted_running);
    bench_free(bench);
}

static void transmission_torrents_promise_after_the_save(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench->save_jobs = 0;
    bench_do(bench, "{'method':'torrent-start','arguments':{'ids':[2]}}");
    assert_int_equal(bench->save_jobs, 1);
    bench_do(bench, "{'method':'torrent-get','arguments':{'fields':['id']}}");
    assert_int_equal(bench->save_jobs, 1);
    bench_free(bench);
}

static void transmission_torrents_verify_and_reannounce(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench_do(bench, "{'method':'torrent-verify','arguments':{'ids':[2]}}");
    assert_true(row(bench, 2)->phase == CATALOG_CHECKING ||
                row(bench, 2)->phase == CATALOG_WAIT_CHECK);
    bench_do(bench, "{'method':'torrent-reannounce','arguments':{'ids':'recently-active'}}");
    bench_free(bench);
}

static void transmission_torrents_remove_with_and_without_data(void **state)
{
    struct bench *bench = with_torrents(3);
    (void)state;
    bench_do(bench, "{'method':'torrent-remove','arguments':{'ids':[2]}}");
    assert_null(row(bench, 2));
    json_t *answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent_remove',"
                                      "'params':{'ids':[3],'delete_local_data':true}}");
    assert_non_null(bench_at(answer, "result"));
    json_decref(answer);
    assert_null(row(bench, 3));
    bench_do(bench, "{'method':'torrent-remove','arguments':{'ids':[]}}");
    assert_non_null(row(bench, 1));
    bench_free(bench);
}

static void transmission_torrents_move_below_the_roots_only(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench_do(bench, "{'method':'torrent-set-location','arguments':"
                    "{'ids':[2],'location':'/data/films/','move':true}}");
    assert_string_equal(row(bench, 2)->folder, "/data/films/");
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'/etc','move':true}", 3);
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'/database'}", 3);
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'/data/../etc'}", 3);
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'data'}", 3);
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'/data/a\\nb'}", 3);
    refused(bench, "torrent-set-location", "{'ids':[2]}", -32602);
    refused(bench, "torrent-set", "{'ids':[2],'location':'/etc'}", 3);
    assert_string_equal(row(bench, 2)->folder, "/data/films/");
    bench->is_local = true;
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'location':'/srv/x'}}");
    assert_string_equal(row(bench, 2)->folder, "/srv/x");
    refused(bench, "torrent-set-location", "{'ids':[2],'location':'/data/../etc'}", 3);
    bench_free(bench);
}

static void transmission_torrents_rename_one_path(void **state)
{
    struct bench *bench = with_torrents(3);
    (void)state;
    json_t *answer = bench_ask(bench, "{'method':'torrent-rename-path','arguments':"
                                      "{'ids':[2],'path':'t2','name':'other'}}");
    assert_string_equal(bench_text(answer, "result"), "success");
    assert_string_equal(bench_text(answer, "arguments.name"), "other");
    assert_string_equal(bench_text(answer, "arguments.path"), "t2");
    assert_int_equal(bench_integer(answer, "arguments.id"), 2);
    json_decref(answer);
    refused(bench, "torrent-rename-path", "{'ids':[2,3],'path':'t2','name':'o'}", -32602);
    refused(bench, "torrent-rename-path", "{'ids':[9],'path':'t2','name':'o'}", -32602);
    refused(bench, "torrent-rename-path", "{'ids':[3],'path':'t3','name':'a/b'}", 5);
    refused(bench, "torrent-rename-path", "{'ids':[3],'path':'t3'}", -32602);
    /* What is not there is refused at once, also where the content has to be read for it. */
    bench->at_hand[3] = false;
    refused(bench, "torrent-rename-path", "{'ids':[3],'path':'t3/none','name':'o'}", 5);
    refused(bench, "torrent-rename-path", "{'ids':[3],'path':'t3/a','name':'b.mkv'}", 5);
    assert_null(row(bench, 3)->rename_name);
    assert_int_equal(row(bench, 3)->renamed_count, 0);
    bench->failure = FRESHET_ERROR_IO;
    bench->at_hand[3] = false;
    refused(bench, "torrent-rename-path", "{'ids':[3],'path':'t3/a','name':'c'}", 5);
    bench->failure = FRESHET_OK;
    bench_free(bench);
}

static void transmission_torrents_move_in_the_queue(void **state)
{
    struct bench *bench = with_torrents(4);
    (void)state;
    bench_do(bench, "{'method':'queue-move-top','arguments':{'ids':[3]}}");
    assert_int_equal(row(bench, 3)->queue_position, 0);
    bench_do(bench, "{'method':'queue-move-down','arguments':{'ids':[3]}}");
    assert_int_equal(row(bench, 3)->queue_position, 1);
    bench_do(bench, "{'method':'queue-move-up','arguments':{'ids':[3]}}");
    assert_int_equal(row(bench, 3)->queue_position, 0);
    bench_do(bench, "{'method':'queue-move-bottom','arguments':{'ids':[3]}}");
    assert_int_equal(row(bench, 3)->queue_position, 3);
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[3],'queuePosition':1}}");
    assert_int_equal(row(bench, 3)->queue_position, 1);
    bench_free(bench);
}

static void transmission_set_changes_wishes_in_both_dialects(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'downloadLimit':100,"
                    "'downloadLimited':true,'uploadLimit':50,'uploadLimited':1,"
                    "'honorsSessionLimits':false,'bandwidthPriority':1,'peer-limit':20,"
                    "'seedRatioLimit':1.5,'seedRatioMode':1,'seedIdleLimit':10,'seedIdleMode':2,"
                    "'sequential_download':true,'group':'g','nonsense':[1],"
                    "'labels':['a','b','a']}}");
    const struct catalog_wishes *wishes = &row(bench, 2)->wishes;
    assert_int_equal(wishes->download_limit, 100000);
    assert_int_equal(wishes->upload_limit, 50000);
    assert_true(wishes->download_limited && wishes->upload_limited && wishes->sequential);
    assert_false(wishes->honors_session_limits);
    assert_int_equal(wishes->bandwidth_priority, 1);
    assert_string_equal(row(bench, 2)->bandwidth_group, "g");
    assert_int_equal(wishes->peers_max, 20);
    assert_true(wishes->ratio == 1.5);
    assert_int_equal(wishes->ratio_mode, GOAL_OWN);
    assert_int_equal(wishes->idle_mode, GOAL_UNLIMITED);
    assert_int_equal(wishes->idle_minutes, 10);
    assert_int_equal(row(bench, 2)->label_count, 2);
    json_t *answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent_set','params':"
                                      "{'ids':[2],'seed_ratio_mode':0,'labels':[]}}");
    assert_non_null(bench_at(answer, "result"));
    json_decref(answer);
    assert_int_equal(row(bench, 2)->wishes.ratio_mode, GOAL_GLOBAL);
    assert_int_equal(row(bench, 2)->label_count, 0);
    refused(bench, "torrent-set", "{'ids':[2],'labels':['a,b']}", -32602);
    refused(bench, "torrent-set", "{'ids':[2],'labels':['']}", -32602);
    char many[1024] = "{'ids':[2],'labels':['l0'";
    for (int i = 1; i < 80; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), ",'l%d'", i);
    strcat(many, "]}");
    refused(bench, "torrent-set", many, -32602);
    assert_int_equal(row(bench, 2)->label_count, 0);
    bench_free(bench);
}

static void transmission_set_chooses_files(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'files-unwanted':[0],"
                    "'priority-high':[1]}}");
    assert_int_equal(row(bench, 2)->priorities[0], CATALOG_PRIORITY_UNWANTED);
    assert_int_equal(row(bench, 2)->priorities[1], CATALOG_PRIORITY_HIGH);
    /* To rank what is not wanted is no wish to have it. */
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'priority-low':[0]}}");
    assert_int_equal(row(bench, 2)->priorities[0], CATALOG_PRIORITY_UNWANTED);
    /* An empty list means all; what is wanted keeps its rank. */
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'files-wanted':[]}}");
    assert_int_equal(row(bench, 2)->priorities[0], CATALOG_PRIORITY_NORMAL);
    assert_int_equal(row(bench, 2)->priorities[1], CATALOG_PRIORITY_HIGH);
    refused(bench, "torrent-set", "{'ids':[2],'files-unwanted':[2]}", 6);
    refused(bench, "torrent-set", "{'ids':[2],'files-unwanted':[-1]}", 6);
    refused(bench, "torrent-set", "{'ids':[2],'priority-high':['1']}", 6);
    assert_true(!row(bench, 2)->priorities || row(bench, 2)->priorities[0] != 0);
    bench_free(bench);
}

/* What the catalog was told, by a link's row, which has it in its link. */
static void transmission_set_changes_trackers(void **state)
{
    struct bench *bench = with_torrents(1);
    (void)state;
    bench_do(bench, "{'method':'torrent-add','arguments':{'filename':'magnet:?xt=urn:btih:"
                    "0123456789abcdef0123456789abcdef01234567&tr=udp%3a//one.test%3a1'}}");
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'trackerAdd':"
                    "['http://two.test/announce','udp://one.test:1']}}");
    json_t *answer =
        bench_ask(bench, "{'method':'torrent-get','arguments':{'ids':[2],'fields':['trackers']}}");
    assert_int_equal(json_array_size(bench_at(answer, "arguments.torrents.0.trackers")), 2);
    json_decref(answer);
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'trackerReplace':"
                    "[1,'http://three.test/announce'],'trackerRemove':[0]}}");
    assert_non_null(strstr(row(bench, 2)->magnet, "three.test"));
    assert_null(strstr(row(bench, 2)->magnet, "one.test"));
    assert_null(strstr(row(bench, 2)->magnet, "two.test"));
    answer = bench_ask(bench, "{'jsonrpc':'2.0','id':1,'method':'torrent_set','params':{'ids':[2],"
                              "'tracker_list':'http://a.test/x\\n\\n\\nudp://b.test:2\\r\\n'}}");
    assert_non_null(bench_at(answer, "result"));
    json_decref(answer);
    assert_non_null(strstr(row(bench, 2)->magnet, "b.test"));
    assert_null(strstr(row(bench, 2)->magnet, "three.test"));
    refused(bench, "torrent-set", "{'ids':[2],'trackerAdd':['ftp://x.test/']}", 2);
    refused(bench, "torrent-set", "{'ids':[2],'trackerAdd':['http://a b/']}", 2);
    refused(bench, "torrent-set", "{'ids':[2],'trackerRemove':[5]}", -32602);
    bench_free(bench);
}

static void transmission_set_reads_the_trackers_of_a_resting_torrent(void **state)
{
    struct bench *bench = with_torrents(2);
    (void)state;
    bench->at_hand[2] = false;
    bench_do(bench, "{'method':'torrent-set','arguments':{'ids':[2],'trackerRemove':[0]}}");
    assert_int_equal(bench->content_jobs, 1);
    bench->at_hand[2] = false;
    bench->failure = FRESHET_ERROR_IO;
    refused(bench, "torrent-set", "{'ids':[2],'trackerRemove':[0]}", 5);
    bench_free(bench);
}

/* ---- torrent-add ---- */

static void add_torrent(struct bench *bench, const char *name, const char *more, char body[4096])
{
    struct buffer torrent = {0}, text = {0};
    bench_torrent(name, &torrent);
    base64_encode(buffer_bytes(&torrent), &text);
    snprintf(body, 4096, "{'method':'torrent-add','arguments':{'metainfo':'%.*s'%s}}",
             (int)text.length, text.data, more);
    buffer_deinit(&torrent);
    buffer_deinit(&text);
    (void)bench;
}

static void transmission_add_takes_a_torrent_and_tells_duplicates(void **state)
{
    struct bench *bench = with_torrents(1);
    char body[4096];
    (void)state;
    add_torrent(bench, "new",
                ",'paused':true,'download-dir':'/data/tv','labels':['x'],'peer-limit':9,"
                "'files-unwanted':[1],'priority-low':[0],'bandwidthPriority':-1",
                body);
    json_t *answer = bench_ask(bench, body);
    assert_string_equal(bench_text(answer, "result"), "success");
    assert_int_equal(bench_integer(answer, "arguments.torrent-added.id"), 2);
    assert_string_equal(bench_text(answer, "arguments.torrent-added.name"), "new");
    assert_string_equal(bench_text(answer, "arguments.torrent-added.hashString"),
                        row(bench, 2)->hash);
    json_decref(answer);
    assert_false(row(bench, 2)->wanted_running);
    assert_string_equal(row(bench, 2)->folder, "/data/tv");
    assert_string_equal(row(bench, 2)->labels[0], "x");
    assert_int_equal(row(bench, 2)->wishes.peers_max, 9);
    assert_int_equal(row(bench, 2)->wishes.bandwidth_priority, -1);
    assert_int_equal(row(bench, 2)->priorities[0], CATALOG_PRIORITY_LOW);
    assert_int_equal(row(bench, 2)->priorities[1], CATALOG_PRIORITY_UNWANTED);
    answer = bench_ask(bench, body);
    assert_string_equal(bench_text(answer, "result"), "success");
    assert_int_equal(bench_integer(answer, "arguments.torrent-duplicate.id"), 2);
    assert_null(bench_at(answer, "arguments.torrent-added"));
    json_decref(answer);
    assert_int_equal(catalog_count(bench->catalog), 2);
    bench_free(bench);
}

static void transmission_add_takes_links_of_every_kind(void **state)
{
    static const char *const links[] = {
        "magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567",
        "magnet:?xt=urn:btih:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "magnet:?xt=urn:btmh:1220"
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "fedcba9876543210fedcba9876543210fedcba98",
    };
    struct bench *bench = with_torrents(1);
    char body[512];
    (void)state;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        snprintf(body, sizeof body,
                 "{'jsonrpc':'2.0','id':1,'method':'torrent_add','params':{'filename':'%s',"
                 "'paused':true}}",
                 links[i]);
        json_t *answer = bench_ask(bench, body);
        assert_int_equal(bench_integer(answer, "result.torrent_added.id"), i + 2);
        json_decref(answer);
        assert_true(row(bench, (torrent_id)i + 2)->metadata_missing);
    }
    refused(bench, "torrent-add", "{'filename':'magnet:?dn=x'}", 4);
    bench_free(bench);
}

static void transmission_add_fetches_urls(void **state)
{
    struct bench *bench = with_torrents(1);
    struct buffer torrent = {0};
    (void)state;
    bench_torrent("fetched", &torrent);
    bench->file = buffer_bytes(&torrent);
    json_t *answer = bench_ask(
        bench, "{'method':'torrent-add','arguments':{'filename':'HTTP://x.test/a.torrent'}}");
    assert_string_equal(bench_text(answer, "arguments.torrent-added.name"), "fetched");
    assert_string_equal(bench->job_text, "HTTP://x.test/a.torrent");
    json_decref(answer);
    bench->file = BYTES_LITERAL("<html>");
    refused(bench, "torrent-add", "{'filename':'http://x.test/b.torrent'}", 9);
    bench->failure = FRESHET_ERROR_HTTP;
    refused(bench, "torrent-add", "{'filename':'http://x.test/b.torrent'}", 5);
    assert_non_null(strstr((const char *)bench->body.data, "the job's words"));
    buffer_deinit(&torrent);
    bench_free(bench);
}

static void transmission_add_reads_files_for_local_users_only(void **state)
{
    struct bench *bench = with_torrents(1);
    struct buffer torrent = {0};
    (void)state;
    bench_torrent("read", &torrent);
    bench->file = buffer_bytes(&torrent);
    refused(bench, "torrent-add", "{'filename':'/etc/passwd'}", -32602);
    assert_string_equal(bench->job_text, "");
    bench->is_local = true;
    bench_do(bench, "{'method':'torrent-add','arguments':{'filename':'/tmp/a.torrent'}}");
    assert_string_equal(row(bench, 2)->name, "read");
    refused(bench, "torrent-add", "{'filename':'a.torrent'}", 4);
    refused(bench, "torrent-add", "{'filename':'file:///tmp/a.torrent'}", 4);
    /* The file goes when that is wanted, the torrent was new, and it is saved. */
    bench_do(bench, "{'method':'session-set','arguments':{'trash-original-torrent-files':true}}");
    bench_do(bench, "{'method':'torrent-add','arguments':{'filename':'/tmp/a.torrent'}}");
    assert_int_equal(bench->deletions, 0);
    buffer_clear(&torrent);
    bench_torrent("another", &torrent);
    bench->file = buffer_bytes(&torrent);
    uint32_t saves = bench->save_jobs;
    bench_do(bench, "{'method':'torrent-add','arguments':{'filename':'/tmp/b.torrent'}}");
    assert_int_equal(bench->deletions, 1);
    assert_true(bench->save_jobs > saves);
    assert_string_equal(bench->job_text, "/tmp/b.torrent");
    bench_do(bench, "{'method':'torrent-add','arguments':{'filename':'http://x.test/c.torrent'}}");
    assert_int_equal(bench->deletions, 1);
    buffer_deinit(&torrent);
    bench_free(bench);
}

static void transmission_add_refuses_what_it_may_not_or_can_not(void **state)
{
    struct bench *bench = with_torrents(1);
    char body[4096];
    (void)state;
    refused(bench, "torrent-add", "{}", -32602);
    refused(bench, "torrent-add", "{'metainfo':'*'}", 9);
    refused(bench, "torrent-add", "{'metainfo':'Zm9v'}", 9);
    add_torrent(bench, "x", ",'download-dir':'/etc'", body);
    json_t *answer = bench_ask(bench, body);
    assert_string_not_equal(bench_text(answer, "result"), "success");
    json_decref(answer);
    add_torrent(bench, "x", ",'files-unwanted':[7]", body);
    answer = bench_ask(bench, body);
    assert_non_null(strstr(bench_text(answer, "result"), "file index"));
    json_decref(answer);
    assert_int_equal(catalog_count(bench->catalog), 1);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_torrents_start_and_stop),
        cmocka_unit_test(transmission_torrents_promise_after_the_save),
        cmocka_unit_test(transmission_torrents_verify_and_reannounce),
        cmocka_unit_test(transmission_torrents_remove_with_and_without_data),
        cmocka_unit_test(transmission_torrents_move_below_the_roots_only),
        cmocka_unit_test(transmission_torrents_rename_one_path),
        cmocka_unit_test(transmission_torrents_move_in_the_queue),
        cmocka_unit_test(transmission_set_changes_wishes_in_both_dialects),
        cmocka_unit_test(transmission_set_chooses_files),
        cmocka_unit_test(transmission_set_changes_trackers),
        cmocka_unit_test(transmission_set_reads_the_trackers_of_a_resting_torrent),
        cmocka_unit_test(transmission_add_takes_a_torrent_and_tells_duplicates),
        cmocka_unit_test(transmission_add_takes_links_of_every_kind),
        cmocka_unit_test(transmission_add_fetches_urls),
        cmocka_unit_test(transmission_add_reads_files_for_local_users_only),
        cmocka_unit_test(transmission_add_refuses_what_it_may_not_or_can_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

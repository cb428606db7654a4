/* SPDX-License-Identifier: MIT */
/* torrent-add of a torrent that another program had before. */
#include "tests/rpc/transmission_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static json_t *add(struct bench *bench, const char *name, const char *past)
{
    struct buffer torrent = {0}, text = {0};
    char body[4096];
    bench_torrent(name, &torrent);
    base64_encode(buffer_bytes(&torrent), &text);
    snprintf(body, sizeof body,
             "{'method':'torrent-add','arguments':{'metainfo':'%.*s','paused':true,"
             "'download-dir':'/data/there','past':%s}}",
             (int)text.length, text.data, past);
    buffer_deinit(&torrent);
    buffer_deinit(&text);
    return bench_ask(bench, body);
}

static void transmission_past_goes_into_the_row(void **state)
{
    struct bench *bench = bench_new();
    struct catalog_settings settings;
    (void)state;
    bench->is_local = true;
    /* Where its data are they are, whatever is done with new ones. */
    catalog_settings_copy(catalog_settings(bench->catalog), &settings);
    memory_free(settings.incomplete_folder);
    settings.incomplete_folder = memory_copy("/incomplete", 12);
    settings.incomplete_enabled = true;
    catalog_set_settings(bench->catalog, &settings, bench->world.now);
    catalog_settings_deinit(&settings);
    uint32_t before = catalog_count(bench->catalog);
    json_t *answer =
        add(bench, "old",
            "{'added_date':5,'done_date':6,'activity_date':7,'uploaded':8,'downloaded':9,"
            "'corrupt':10,'seconds_downloading':11,'seconds_seeding':12,'seed_minutes':2,"
            "'super_seed':true,'folder_done':'/done','renamed':[['old','new'],['new/a','c']]}");
    assert_string_equal(bench_text(answer, "result"), "success");
    assert_string_equal(bench_text(answer, "arguments.torrent-added.name"), "new");
    const struct catalog_torrent *row = catalog_at(bench->catalog, before);
    json_decref(answer);
    assert_string_equal(row->folder, "/data/there");
    assert_string_equal(row->folder_done, "/done");
    assert_int_equal(row->added_s, 5);
    assert_int_equal(row->done_s, 6);
    assert_int_equal(row->active_s, 7);
    assert_int_equal(row->uploaded, 8);
    assert_int_equal(row->downloaded, 9);
    assert_int_equal(row->corrupt, 10);
    assert_int_equal(row->seconds_downloading, 11);
    assert_int_equal(row->seconds_seeding, 12);
    assert_int_equal(row->wishes.seed_time_s, 120);
    assert_true(row->wishes.super_seed && row->wishes.honors_session_limits);
    assert_int_equal(row->renamed_count, 2);
    assert_string_equal(row->renamed_paths[1], "new/a");
    assert_string_equal(row->renamed_names[1], "c");
    bench_free(bench);
}

static void transmission_past_is_bounded(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench->is_local = true;
    uint32_t before = catalog_count(bench->catalog);
    json_t *answer = add(bench, "old",
                         "{'added_date':99999999999999,'uploaded':-5,'downloaded':'x',"
                         "'seed_minutes':-1,'renamed':[]}");
    assert_string_equal(bench_text(answer, "result"), "success");
    json_decref(answer);
    const struct catalog_torrent *row = catalog_at(bench->catalog, before);
    /* Nothing was added in the future. */
    assert_true(row->added_s <= bench->world.wall_s + 1);
    assert_int_equal(row->uploaded, 0);
    assert_int_equal(row->downloaded, 0);
    assert_int_equal(row->wishes.seed_time_s, -1);
    assert_null(row->folder_done);
    bench_free(bench);
}

static void transmission_past_is_refused_in_words(void **state)
{
    struct bench *bench = bench_new();
    (void)state;
    bench->is_local = true;
    uint32_t before = catalog_count(bench->catalog);
    static const char *const wrong[] = {
        "5",
        "{'renamed':[['absent','x']]}",
        "{'renamed':[['old']]}",
        "{'renamed':[['old','../x']]}",
        "{'renamed':[['old/a','b.mkv']]}",
        "{'folder_done':'x'}",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *answer = add(bench, "old", wrong[i]);
        assert_string_not_equal(bench_text(answer, "result"), "success");
        json_decref(answer);
    }
    /* From elsewhere nothing of it is believed. */
    bench->is_local = false;
    json_t *answer = add(bench, "old", "{'uploaded':1}");
    assert_non_null(strstr(bench_text(answer, "result"), "this machine"));
    json_decref(answer);
    assert_int_equal(catalog_count(bench->catalog), before);
    bench_free(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transmission_past_goes_into_the_row),
        cmocka_unit_test(transmission_past_is_bounded),
        cmocka_unit_test(transmission_past_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

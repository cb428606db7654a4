/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/catalog_store.h"
#include "tests/catalog/catalog_bench.h"
#include "tests/host/temporary_folder.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

static struct state_store *open_store(const char *folder)
{
    char text[STATE_TEXT_SIZE];
    struct state_store *store = NULL;

    assert_int_equal(state_store_open(folder, text, &store), FRESHET_OK);
    assert_string_equal(text, "");
    return store;
}

static char *text(const char *value)
{
    return memory_copy(value, strlen(value) + 1);
}

static char **texts(const char *first, const char *second)
{
    char **list = memory_new_array(2, sizeof *list);

    list[0] = text(first);
    list[1] = text(second);
    return list;
}

/* Something in every field. */
static struct catalog_torrent full_row(torrent_id id)
{
    struct catalog_torrent row = {.id = id,
                                  .has_v1 = true,
                                  .has_v2 = true,
                                  .is_private = true,
                                  .name = text("na\"me ü"),
                                  .folder = text("/data/x"),
                                  .folder_done = text("/done"),
                                  .move_to = text("/to"),
                                  .rename_path = text("a/b"),
                                  .rename_name = text("c"),
                                  .renamed_paths = texts("one", "two/three"),
                                  .renamed_names = texts("four", "five"),
                                  .renamed_count = 2,
                                  .choose_files = true,
                                  .wanted_running = true,
                                  .force_start = true,
                                  .wants_check = true,
                                  .removing = true,
                                  .remove_data = true,
                                  .finished = true,
                                  .queue_order = -5,
                                  .labels = texts("films", "new ones"),
                                  .label_count = 2,
                                  .file_count = 3,
                                  .piece_count = 7,
                                  .piece_length = 32768,
                                  .priorities = memory_copy("\0\4\7", 3),
                                  .made = memory_copy("\1\0\1", 3),
                                  .added_s = 1,
                                  .done_s = 2,
                                  .started_s = 3,
                                  .edited_s = 4,
                                  .active_s = 5,
                                  .uploaded = 1ull << 62,
                                  .downloaded = 6,
                                  .corrupt = 7,
                                  .seconds_downloading = 8,
                                  .seconds_seeding = 9,
                                  .total_bytes = 10,
                                  .wanted_bytes = 11,
                                  .verified_bytes = 12,
                                  .complete = true,
                                  .trouble = TROUBLE_LOCAL,
                                  .trouble_text = text("disk on fire")};

    row.wishes = (struct catalog_wishes){.upload_limit = 1,
                                         .download_limit = 2,
                                         .upload_limited = true,
                                         .download_limited = true,
                                         .honors_session_limits = true,
                                         .sequential = true,
                                         .super_seed = true,
                                         .bandwidth_priority = -1,
                                         .peers_max = 3,
                                         .upload_slots = 4,
                                         .transport = TRANSPORT_UTP,
                                         .ratio_mode = GOAL_OWN,
                                         .idle_mode = GOAL_UNLIMITED,
                                         .ratio = 1.25,
                                         .idle_minutes = 5,
                                         .seed_time_s = -1};
    memset(row.v1, 0x11, 20);
    memset(row.v2, 0x22, 32);
    memset(row.key, 0x22, 32);
    row.v1[0] = row.v2[0] = row.key[0] = (uint8_t)id;
    return row;
}

static void assert_rows_equal(const struct catalog_torrent *a, const struct catalog_torrent *b)
{
    assert_int_equal(a->id, b->id);
    assert_memory_equal(a->v1, b->v1, 20);
    assert_memory_equal(a->v2, b->v2, 32);
    assert_true(a->has_v1 == b->has_v1 && a->has_v2 == b->has_v2 && a->is_private == b->is_private);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->folder, b->folder);
    assert_string_equal(a->folder_done, b->folder_done);
    assert_string_equal(a->move_to, b->move_to);
    assert_string_equal(a->rename_path, b->rename_path);
    assert_string_equal(a->rename_name, b->rename_name);
    assert_int_equal(a->renamed_count, b->renamed_count);
    for (uint32_t i = 0; i < a->renamed_count; i++) {
        assert_string_equal(a->renamed_paths[i], b->renamed_paths[i]);
        assert_string_equal(a->renamed_names[i], b->renamed_names[i]);
    }
    assert_true(a->choose_files == b->choose_files && a->wanted_running == b->wanted_running);
    assert_true(a->force_start == b->force_start && a->wants_check == b->wants_check);
    assert_true(a->removing == b->removing && a->remove_data == b->remove_data);
    assert_true(a->finished == b->finished && a->complete == b->complete);
    assert_int_equal(a->queue_order, b->queue_order);
    assert_int_equal(a->label_count, b->label_count);
    for (uint32_t i = 0; i < a->label_count; i++)
        assert_string_equal(a->labels[i], b->labels[i]);
    assert_int_equal(a->file_count, b->file_count);
    assert_int_equal(a->piece_count, b->piece_count);
    assert_int_equal(a->piece_length, b->piece_length);
    assert_memory_equal(a->priorities, b->priorities, a->file_count);
    assert_memory_equal(a->made, b->made, a->file_count);
    assert_true(a->added_s == b->added_s && a->done_s == b->done_s);
    assert_true(a->started_s == b->started_s && a->edited_s == b->edited_s);
    assert_true(a->active_s == b->active_s && a->uploaded == b->uploaded);
    assert_true(a->downloaded == b->downloaded && a->corrupt == b->corrupt);
    assert_true(a->seconds_downloading == b->seconds_downloading);
    assert_true(a->seconds_seeding == b->seconds_seeding && a->total_bytes == b->total_bytes);
    assert_true(a->wanted_bytes == b->wanted_bytes && a->verified_bytes == b->verified_bytes);
    assert_int_equal(a->trouble, b->trouble);
    assert_string_equal(a->trouble_text, b->trouble_text);
    assert_true(a->wishes.upload_limit == b->wishes.upload_limit);
    assert_true(a->wishes.download_limit == b->wishes.download_limit);
    assert_true(a->wishes.upload_limited == b->wishes.upload_limited);
    assert_true(a->wishes.download_limited == b->wishes.download_limited);
    assert_true(a->wishes.honors_session_limits == b->wishes.honors_session_limits);
    assert_true(a->wishes.sequential == b->wishes.sequential);
    assert_true(a->wishes.super_seed == b->wishes.super_seed);
    assert_int_equal(a->wishes.bandwidth_priority, b->wishes.bandwidth_priority);
    assert_int_equal(a->wishes.peers_max, b->wishes.peers_max);
    assert_int_equal(a->wishes.upload_slots, b->wishes.upload_slots);
    assert_int_equal(a->wishes.transport, b->wishes.transport);
    assert_int_equal(a->wishes.ratio_mode, b->wishes.ratio_mode);
    assert_int_equal(a->wishes.idle_mode, b->wishes.idle_mode);
    assert_true(a->wishes.ratio == b->wishes.ratio);
    assert_int_equal(a->wishes.idle_minutes, b->wishes.idle_minutes);
    assert_int_equal(a->wishes.seed_time_s, b->wishes.seed_time_s);
}

static void commit_one(struct state_store *store, struct catalog_store_save *save)
{
    assert_int_equal(catalog_store_commit(store, save, 1), FRESHET_OK);
    catalog_store_save_deinit(save);
}

static void put_row(struct state_store *store, torrent_id id)
{
    struct catalog_store_save save = {.type = CATALOG_SAVE, .torrent = full_row(id)};

    buffer_append_text(&save.torrent_file, "d4:infodee");
    commit_one(store, &save);
}

static void load(struct state_store *store, struct catalog_store_content *ret_content)
{
    assert_int_equal(catalog_store_load(store, ret_content), FRESHET_OK);
}

static void catalog_store_keeps_every_field_of_a_row(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct catalog_torrent expected = full_row(3);
    struct buffer torrent = {0};

    (void)state;
    put_row(store, 3);
    put_row(store, 3);
    state_store_close(store);
    store = open_store(folder);
    load(store, &content);
    assert_int_equal(content.row_count, 1);
    assert_false(content.has_settings);
    assert_int_equal(content.next_id, 4);
    assert_rows_equal(&content.rows[0], &expected);
    assert_int_equal(state_store_get_torrent(store, expected.key, &torrent), FRESHET_OK);
    assert_true(bytes_is(buffer_bytes(&torrent), "d4:infodee"));
    buffer_deinit(&torrent);
    catalog_store_content_deinit(&content);
    catalog_torrent_deinit(&expected);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_keeps_what_is_absent_absent(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct catalog_store_save save = {
        .type = CATALOG_SAVE,
        .torrent = {.id = 1, .has_v1 = true, .name = text("n"), .folder = text("/")}};

    (void)state;
    save.torrent.magnet = text("magnet:?xt=...");
    commit_one(store, &save);
    load(store, &content);
    assert_int_equal(content.row_count, 1);
    const struct catalog_torrent *row = content.rows;
    assert_true(row->has_v1 && !row->has_v2 && row->metadata_missing);
    assert_null(row->folder_done);
    assert_null(row->move_to);
    assert_null(row->priorities);
    assert_null(row->made);
    assert_null(row->labels);
    assert_null(row->trouble_text);
    assert_int_equal(row->label_count, 0);
    assert_int_equal(row->renamed_count, 0);
    catalog_store_content_deinit(&content);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_forgets_a_row_its_torrent_and_its_record_but_not_its_number(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct catalog_store_save save = {.type = CATALOG_FORGET, .torrent = full_row(8)};
    struct file_stat stats[1] = {{0}};
    struct resume_record record = {
        .root = "/data/x", .pieces = BYTES_LITERAL("\xf0"), .stats = stats};
    struct resume_record elsewhere = record;
    struct state_record taken;
    struct buffer torrent = {0};
    uint8_t key[32];

    (void)state;
    put_row(store, 8);
    memcpy(key, save.torrent.key, 32);
    memcpy(record.info_hash, key, 32);
    memcpy(elsewhere.info_hash, key, 32);
    elsewhere.root = "/of/another/program";
    assert_int_equal(state_store_persist(store, &record), FRESHET_OK);
    assert_int_equal(state_store_persist(store, &elsewhere), FRESHET_OK);
    commit_one(store, &save);
    load(store, &content);
    assert_int_equal(content.row_count, 0);
    assert_int_equal(content.next_id, 9);
    catalog_store_content_deinit(&content);
    assert_int_equal(state_store_take(store, key, "/data/x", &taken), FRESHET_ERROR_NOT_FOUND);
    assert_int_equal(state_store_take(store, key, "/of/another/program", &taken), FRESHET_OK);
    state_store_record_deinit(&taken);
    assert_int_equal(state_store_get_torrent(store, key, &torrent), FRESHET_ERROR_NOT_FOUND);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_keeps_the_torrent_of_one_that_was_added_again(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_save saves[2] = {{.type = CATALOG_SAVE, .torrent = full_row(5)},
                                          {.type = CATALOG_FORGET, .torrent = full_row(4)}};
    struct buffer torrent = {0};

    (void)state;
    put_row(store, 4);
    memcpy(saves[0].torrent.key, saves[1].torrent.key, 32);
    buffer_append_text(&saves[0].torrent_file, "d4:infodee");
    assert_int_equal(catalog_store_commit(store, saves, 2), FRESHET_OK);
    assert_int_equal(state_store_get_torrent(store, saves[0].torrent.key, &torrent), FRESHET_OK);
    buffer_deinit(&torrent);
    catalog_store_save_deinit(&saves[0]);
    catalog_store_save_deinit(&saves[1]);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_keeps_settings(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct catalog_store_save save = {.type = CATALOG_SAVE_SETTINGS};

    (void)state;
    catalog_settings_defaults(&save.settings);
    save.settings.download_folder = text("/data");
    save.settings.part_suffix = true;
    save.settings.start_added = false;
    save.settings.alt_upload_limit = 77;
    save.settings.schedule = (struct catalog_schedule){true, 10, 20, 65};
    save.settings.ratio = 0.5;
    save.settings.peer_port = 65535;
    save.settings.default_trackers = texts("http://a/announce", "http://b/announce\nx");
    save.settings.default_tracker_count = 2;
    save.settings.feeds = texts("{\"a\":1}", "{\"b\":\"\\n\"}");
    save.settings.feed_count = 2;
    commit_one(store, &save);
    load(store, &content);
    assert_true(content.has_settings);
    assert_string_equal(content.settings.download_folder, "/data");
    assert_null(content.settings.incomplete_folder);
    assert_true(content.settings.part_suffix);
    assert_false(content.settings.start_added);
    assert_int_equal(content.settings.alt_upload_limit, 77);
    assert_true(content.settings.schedule.enabled);
    assert_int_equal(content.settings.schedule.begin_minute, 10);
    assert_int_equal(content.settings.schedule.end_minute, 20);
    assert_int_equal(content.settings.schedule.days, 65);
    assert_true(content.settings.ratio == 0.5);
    assert_int_equal(content.settings.peer_port, 65535);
    assert_int_equal(content.settings.default_tracker_count, 2);
    assert_string_equal(content.settings.default_trackers[1], "http://b/announce\nx");
    assert_int_equal(content.settings.root_count, 0);
    assert_int_equal(content.settings.watch_folder_count, 0);
    assert_int_equal(content.settings.feed_count, 2);
    assert_string_equal(content.settings.feeds[1], "{\"b\":\"\\n\"}");
    catalog_store_content_deinit(&content);
    /* Fewer than before. */
    catalog_settings_defaults(&save.settings);
    save.type = CATALOG_SAVE_SETTINGS;
    commit_one(store, &save);
    load(store, &content);
    assert_int_equal(content.settings.root_count, 0);
    assert_null(content.settings.download_folder);
    catalog_store_content_deinit(&content);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static struct metainfo *stored_metainfo(struct state_store *store, const uint8_t key[32])
{
    struct buffer torrent = {0};
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE];

    assert_int_equal(state_store_get_torrent(store, key, &torrent), FRESHET_OK);
    assert_int_equal(metainfo_parse(buffer_bytes(&torrent), &metainfo, reason), FRESHET_OK);
    buffer_deinit(&torrent);
    return metainfo;
}

/* What comes out of the catalog goes into the state. */
static void pump(struct bench *bench, struct state_store *store)
{
    struct catalog_action action;
    struct catalog_store_save save;

    while (catalog_output(bench->catalog, bench->now, &action)) {
        if (!catalog_store_save_copy(bench->catalog, &action, &save))
            continue;
        commit_one(store, &save);
        catalog_on_saved(bench->catalog, action.change);
    }
}

static void catalog_store_sets_and_adds_trackers_in_the_torrent(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct bench bench;
    const struct catalog_torrent *row = NULL;
    struct catalog_add add = {.metainfo = bench_metainfo(1, false)};
    char why[256];

    (void)state;
    bench_begin(&bench);
    assert_int_equal(catalog_add(bench.catalog, &add, bench.now, why, &row), FRESHET_OK);
    const char *urls[] = {"http://one.example/announce", "udp://two.example:80"};
    catalog_set_trackers(bench.catalog, row->id, urls, (uint32_t[]){0, 1}, 2, bench.now);
    pump(&bench, store);
    struct metainfo *metainfo = stored_metainfo(store, row->key);
    assert_int_equal(metainfo->tracker_count, 2);
    assert_true(bytes_is(metainfo->trackers[1], urls[1]));
    assert_int_equal(metainfo->tracker_tiers[1], 1);
    assert_memory_equal(metainfo->info_hash_v1, row->v1, 20);
    metainfo_free(metainfo);
    /* The same torrent once more: its tracker joins in a tier below. */
    add.metainfo = bench_metainfo(1, false);
    assert_int_equal(catalog_add(bench.catalog, &add, bench.now, why, &row), FRESHET_ERROR_EXISTS);
    metainfo_free(add.metainfo);
    pump(&bench, store);
    metainfo = stored_metainfo(store, row->key);
    assert_int_equal(metainfo->tracker_count, 3);
    assert_true(bytes_is(metainfo->trackers[2], "http://tracker.example/announce"));
    assert_int_equal(metainfo->tracker_tiers[2], 2);
    metainfo_free(metainfo);
    assert_int_equal(catalog_saved(bench.catalog), catalog_change(bench.catalog));
    bench_end(&bench);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_commits_all_or_nothing(void **state)
{
    char *folder = temporary_folder_make();
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct catalog_store_save saves[2] = {{.type = CATALOG_SAVE, .torrent = full_row(1)},
                                          {.type = CATALOG_SAVE, .torrent = full_row(2)}};

    (void)state;
    memory_free(saves[1].torrent.name);
    saves[1].torrent.name = NULL; /* NOT NULL in the table */
    assert_int_not_equal(catalog_store_commit(store, saves, 2), FRESHET_OK);
    load(store, &content);
    assert_int_equal(content.row_count, 0);
    catalog_store_content_deinit(&content);
    /* And the store is not stuck in a transaction. */
    assert_int_equal(catalog_store_commit(store, saves, 1), FRESHET_OK);
    load(store, &content);
    assert_int_equal(content.row_count, 1);
    catalog_store_content_deinit(&content);
    catalog_store_save_deinit(&saves[0]);
    catalog_store_save_deinit(&saves[1]);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_has_what_was_committed_after_a_kill(void **state)
{
    char *folder = temporary_folder_make(), byte;
    struct catalog_store_content content;
    int ready[2], status;

    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct state_store *store = open_store(folder);
        put_row(store, 1);
        if (write(ready[1], "r", 1) != 1)
            _exit(1);
        for (torrent_id id = 2;; id++)
            put_row(store, id);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    usleep(50000);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    struct state_store *store = open_store(folder);
    load(store, &content);
    assert_true(content.row_count >= 1);
    for (uint32_t i = 0; i < content.row_count; i++) {
        struct catalog_torrent expected = full_row(i + 1);
        assert_rows_equal(&content.rows[i], &expected);
        catalog_torrent_deinit(&expected);
    }
    catalog_store_content_deinit(&content);
    state_store_close(store);
    temporary_folder_drop(folder);
}

static void catalog_store_reads_what_somebody_edited_without_falling(void **state)
{
    char *folder = temporary_folder_make(), path[TEMPORARY_PATH];
    struct state_store *store = open_store(folder);
    struct catalog_store_content content;
    struct bench bench;
    sqlite3 *database;

    (void)state;
    put_row(store, 1);
    put_row(store, 2);
    state_store_close(store);
    assert_int_equal(sqlite3_open(temporary_path(folder, "state.db", path), &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(database,
                     "UPDATE catalog SET priorities=x'01', made='text', ratio_mode=77, trouble=9,"
                     " labels='', renamed='odd', v1=x'00', queue_order=9223372036854775807,"
                     " file_count=-1 WHERE id=1;"
                     "UPDATE catalog SET queue_order=9223372036854775807, magnet=NULL WHERE id=2;"
                     "INSERT INTO settings VALUES('unknown', 0, 'x'), (x'00', 1, NULL);",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(database);
    store = open_store(folder);
    load(store, &content);
    assert_int_equal(content.row_count, 2);
    assert_null(content.rows[0].priorities);
    assert_int_equal(content.rows[0].wishes.ratio_mode, GOAL_GLOBAL);
    assert_int_equal(content.rows[0].trouble, TROUBLE_NONE);
    assert_int_equal(content.rows[0].renamed_count, 0);
    assert_false(content.rows[0].has_v1);
    bench_begin_with(&bench, NULL);
    for (uint32_t i = 0; i < content.row_count; i++)
        catalog_restore(bench.catalog, &content.rows[i]);
    catalog_restored(bench.catalog, bench.now);
    bench_run(&bench);
    bench_end(&bench);
    catalog_store_content_deinit(&content);
    state_store_close(store);
    temporary_folder_drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_store_keeps_every_field_of_a_row),
        cmocka_unit_test(catalog_store_keeps_what_is_absent_absent),
        cmocka_unit_test(catalog_store_forgets_a_row_its_torrent_and_its_record_but_not_its_number),
        cmocka_unit_test(catalog_store_keeps_the_torrent_of_one_that_was_added_again),
        cmocka_unit_test(catalog_store_keeps_settings),
        cmocka_unit_test(catalog_store_sets_and_adds_trackers_in_the_torrent),
        cmocka_unit_test(catalog_store_commits_all_or_nothing),
        cmocka_unit_test(catalog_store_has_what_was_committed_after_a_kill),
        cmocka_unit_test(catalog_store_reads_what_somebody_edited_without_falling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

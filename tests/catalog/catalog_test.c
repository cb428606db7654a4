/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/catalog/catalog_bench.h"

#define MAGNET                                                                                     \
    "magnet:?xt=urn:btih:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&dn=linked&tr=http://t.example/"  \
    "announce"

/* A link to the torrent of that number. */
static char *magnet_to(unsigned number, const char *more)
{
    struct metainfo *metainfo = bench_metainfo(number, false);
    struct buffer link = {0};

    magnet_format_metainfo(metainfo, &link);
    buffer_append_text(&link, more);
    buffer_append_u8(&link, 0);
    metainfo_free(metainfo);
    return (char *)link.data;
}

static torrent_id add_magnet(struct bench *bench, const char *link, bool choose_files)
{
    const struct catalog_torrent *torrent = NULL;
    struct catalog_add add = {.magnet = link, .choose_files = choose_files};
    char text[256];

    assert_int_equal(catalog_add(bench->catalog, &add, bench->now, text, &torrent), FRESHET_OK);
    bench_run(bench);
    return torrent->id;
}

static void give_metadata(struct bench *bench, torrent_id id, unsigned number)
{
    struct metainfo *metainfo = bench_metainfo(number, false);

    catalog_on_metadata(bench->catalog, id, metainfo, bench->now);
    metainfo_free(metainfo);
    bench_run(bench);
}

static void catalog_finds_a_torrent_by_number_and_hash(void **state)
{
    struct bench bench;
    struct metainfo *metainfo = bench_metainfo(1, false);

    (void)state;
    bench_begin(&bench);
    torrent_id id = bench_add(&bench, 1);
    const struct catalog_torrent *row = bench_row(&bench, id);
    assert_int_equal(id, 1);
    assert_ptr_equal(catalog_at(bench.catalog, 0), row);
    assert_null(catalog_at(bench.catalog, 1));
    assert_ptr_equal(catalog_find_hash(bench.catalog, (struct bytes){metainfo->info_hash_v1, 20}),
                     row);
    assert_ptr_equal(
        catalog_find_hash(bench.catalog, (struct bytes){(const uint8_t *)row->hash, 40}), row);
    assert_null(catalog_find_hash(bench.catalog, BYTES_LITERAL("01234567890123456789")));
    assert_null(catalog_find_hash(bench.catalog, BYTES_LITERAL("short")));
    assert_string_equal(row->name, "torrent-00000001");
    assert_string_equal(row->folder, "/data");
    assert_int_equal(row->total_bytes, 50000);
    assert_int_equal(row->wanted_bytes, 50000);
    assert_int_equal(row->file_count, 2);
    assert_int_equal(row->added_s, BENCH_WALL);
    assert_true(bench.torrent_file_length > 100);
    metainfo_free(metainfo);
    bench_end(&bench);
}

static void catalog_adds_a_torrent_once_and_joins_its_trackers(void **state)
{
    struct bench bench;
    const struct catalog_torrent *torrent = NULL;
    struct catalog_add add = {.metainfo = bench_metainfo(1, false)};
    char text[256];

    (void)state;
    bench_begin(&bench);
    torrent_id id = bench_add(&bench, 1);
    bench_clear(&bench);
    assert_int_equal(catalog_add(bench.catalog, &add, bench.now, text, &torrent),
                     FRESHET_ERROR_EXISTS);
    assert_int_equal(torrent->id, id);
    assert_true(text[0] != '\0');
    bench_run(&bench);
    assert_int_equal(catalog_count(bench.catalog), 1);
    assert_int_equal(bench.url_count, 1);
    assert_true(bench.add_trackers);
    metainfo_free(add.metainfo); /* not taken */
    bench_end(&bench);
}

static void catalog_says_why_it_adds_nothing(void **state)
{
    struct bench bench;
    const struct catalog_torrent *torrent = NULL;
    char text[256];

    (void)state;
    bench_begin(&bench);
    assert_int_equal(catalog_add(bench.catalog, &(struct catalog_add){.magnet = "magnet:?dn=x"},
                                 bench.now, text, &torrent),
                     FRESHET_ERROR_MISSING);
    assert_true(text[0] != '\0');
    assert_int_equal(
        catalog_add(bench.catalog,
                    &(struct catalog_add){.magnet = MAGNET, .folder = "relative/folder"}, bench.now,
                    text, &torrent),
        FRESHET_ERROR_USAGE);
    assert_non_null(strstr(text, "absolute"));
    assert_int_equal(
        catalog_add(bench.catalog, &(struct catalog_add){0}, bench.now, text, &torrent),
        FRESHET_ERROR_USAGE);
    assert_int_equal(catalog_count(bench.catalog), 0);
    assert_int_equal(catalog_change(bench.catalog), 0);
    bench_end(&bench);
}

static void catalog_saves_before_it_acts_and_tells_when_it_is_durable(void **state)
{
    struct bench bench;
    struct catalog_action action;

    (void)state;
    bench_begin(&bench);
    bench_run(&bench);
    bench.holds_saves = true;
    struct catalog_add add = {.metainfo = bench_metainfo(1, false)};
    const struct catalog_torrent *torrent = NULL;
    char text[256];
    assert_int_equal(catalog_add(bench.catalog, &add, bench.now, text, &torrent), FRESHET_OK);
    uint64_t change = catalog_change(bench.catalog);
    assert_true(change > 0);
    assert_true(catalog_output(bench.catalog, bench.now, &action));
    assert_int_equal(action.type, CATALOG_SAVE);
    assert_int_equal(action.change, change);
    assert_true(action.torrent_file.length > 0);
    assert_true(catalog_output(bench.catalog, bench.now, &action));
    assert_int_equal(action.type, CATALOG_OPEN);
    assert_true(catalog_saved(bench.catalog) < change);
    catalog_on_saved(bench.catalog, change);
    assert_int_equal(catalog_saved(bench.catalog), change);
    bench_end(&bench);
}

static void catalog_a_number_of_a_save_never_promises_what_has_not_come_out(void **state)
{
    struct bench bench;
    struct catalog_action action;
    const char *label[] = {"x"};

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2);
    uint64_t before = catalog_change(bench.catalog);
    catalog_set_labels(bench.catalog, a, label, 1, bench.now); /* before + 1 */
    catalog_set_labels(bench.catalog, b, label, 1, bench.now); /* before + 2 */
    catalog_set_labels(bench.catalog, a, NULL, 0, bench.now);  /* before + 3, in the row already */
    assert_true(catalog_output(bench.catalog, bench.now, &action));
    assert_int_equal(action.id, a);
    assert_int_equal(action.change, before + 1);
    assert_true(catalog_output(bench.catalog, bench.now, &action));
    assert_int_equal(action.id, b);
    assert_int_equal(action.change, before + 3);
    assert_false(catalog_output(bench.catalog, bench.now, &action));
    bench_end(&bench);
}

static void catalog_removes_after_close_and_save_and_deletes_only_what_is_asked(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2);
    bench_clear(&bench);
    bench.holds_saves = true;
    bench.holds_closes = true;
    bench.holds_deeds = true;
    catalog_remove(bench.catalog, a, true, bench.now);
    bench_run(&bench);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_REMOVING);
    assert_int_equal(bench.counts[CATALOG_CLOSE], 1);
    bench_tell(&bench, a, NOTICE_REMOVED);
    bench_run(&bench);
    /* Not before the wish is durable: a power cut would bring back a row without its data. */
    assert_int_equal(bench.counts[CATALOG_DELETE], 0);
    catalog_on_saved(bench.catalog, bench.held_change);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_DELETE], 1);
    assert_int_equal(bench.counts[CATALOG_FORGET], 0);
    uint64_t then = catalog_revision(bench.catalog);
    catalog_on_deleted(bench.catalog, a, FRESHET_OK, NULL, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_FORGET], 1);
    assert_null(catalog_find(bench.catalog, a));
    torrent_id gone[4];
    assert_int_equal(catalog_removed_since(bench.catalog, then, gone, 4), 1);
    assert_int_equal(gone[0], a);
    bench.holds_saves = bench.holds_closes = bench.holds_deeds = false;
    catalog_on_saved(bench.catalog, catalog_change(bench.catalog));
    catalog_remove(bench.catalog, b, false, bench.now);
    bench_run(&bench);
    assert_null(catalog_find(bench.catalog, b));
    assert_int_equal(bench.counts[CATALOG_DELETE], 1);
    assert_int_equal(bench.counts[CATALOG_FORGET], 2);
    /* The number is not used again, the hash may be. */
    assert_int_equal(bench_add(&bench, 1), 3);
    bench_end(&bench);
}

static void catalog_keeps_a_torrent_whose_data_could_not_be_deleted(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    bench.delete_error = FRESHET_ERROR_PERMISSION;
    catalog_remove(bench.catalog, a, true, bench.now);
    bench_run(&bench);
    const struct catalog_torrent *row = bench_row(&bench, a);
    assert_int_equal(row->phase, CATALOG_STOPPED);
    assert_int_equal(row->trouble, TROUBLE_LOCAL);
    assert_non_null(strstr(row->trouble_text, "permission denied"));
    bench.delete_error = FRESHET_OK;
    catalog_remove(bench.catalog, a, true, bench.now);
    bench_run(&bench);
    assert_null(catalog_find(bench.catalog, a));
    bench_end(&bench);
}

/* A row as it was saved, given to a new catalog. */
static void restore_one(struct bench *bench, struct catalog_torrent row)
{
    struct catalog_settings settings = bench_settings();

    bench_begin_with(bench, &settings);
    catalog_settings_deinit(&settings);
    row.id = 7;
    row.has_v1 = true;
    row.v1[0] = 9;
    row.name = memory_copy("n", 2);
    row.folder = memory_copy("/data", 6);
    catalog_restore(bench->catalog, &row);
    catalog_restored(bench->catalog, bench->now);
    bench_run(bench);
}

static void catalog_takes_up_a_removal_after_a_restart(void **state)
{
    struct bench bench;

    (void)state;
    restore_one(&bench, (struct catalog_torrent){
                            .removing = true, .remove_data = true, .wanted_running = true});
    assert_int_equal(bench.counts[CATALOG_DELETE], 1);
    assert_int_equal(bench.counts[CATALOG_FORGET], 1);
    assert_int_equal(bench.counts[CATALOG_OPEN], 0);
    assert_int_equal(catalog_count(bench.catalog), 0);
    bench_end(&bench);
}

static void catalog_takes_up_a_move_after_a_restart(void **state)
{
    struct bench bench;

    (void)state;
    restore_one(&bench, (struct catalog_torrent){.move_to = memory_copy("/else", 6),
                                                 .wanted_running = true});
    assert_int_equal(bench.order[0], CATALOG_COMMAND);
    assert_int_equal(bench.order[1], CATALOG_MOVE);
    assert_int_equal(bench.order[2], CATALOG_OPEN);
    assert_string_equal(bench_row(&bench, 7)->folder, "/else");
    assert_null(bench_row(&bench, 7)->move_to);
    assert_string_equal(bench.options_root, "/else");
    bench_end(&bench);
}

static void catalog_moves_first_what_was_moved_and_removed(void **state)
{
    struct bench bench;

    (void)state;
    restore_one(&bench, (struct catalog_torrent){.move_to = memory_copy("/else", 6),
                                                 .removing = true,
                                                 .remove_data = true});
    assert_int_equal(bench.order[1], CATALOG_MOVE);
    assert_int_equal(bench.order[2], CATALOG_DELETE);
    assert_int_equal(catalog_count(bench.catalog), 0);
    bench_end(&bench);
}

static void catalog_takes_up_a_check_and_a_renaming_after_a_restart(void **state)
{
    struct bench bench;

    (void)state;
    restore_one(&bench, (struct catalog_torrent){.wants_check = true,
                                                 .rename_path = memory_copy("n", 2),
                                                 .rename_name = memory_copy("m", 2)});
    assert_int_equal(bench.order[1], CATALOG_RENAME);
    assert_string_equal(bench_row(&bench, 7)->name, "m");
    assert_int_equal(bench_row(&bench, 7)->renamed_count, 1);
    assert_int_equal(bench_row(&bench, 7)->phase, CATALOG_CHECKING);
    assert_true(bench.forget_record);
    bench_end(&bench);
}

static void catalog_moves_data_and_goes_on(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    bench_clear(&bench);
    assert_int_equal(catalog_relocate(bench.catalog, a, "relative", true, bench.now),
                     FRESHET_ERROR_USAGE);
    assert_int_equal(catalog_relocate(bench.catalog, 99, "/else", true, bench.now),
                     FRESHET_ERROR_NOT_FOUND);
    bench.holds_deeds = true;
    assert_int_equal(catalog_relocate(bench.catalog, a, "/else", true, bench.now), FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_MOVING);
    assert_int_equal(catalog_relocate(bench.catalog, a, "/other", true, bench.now),
                     FRESHET_ERROR_BUSY);
    assert_int_equal(bench.order[0], CATALOG_CLOSE);
    assert_int_equal(bench.order[1], CATALOG_MOVE);
    catalog_on_moved(bench.catalog, a, FRESHET_OK, NULL, bench.now);
    bench_run(&bench);
    assert_string_equal(bench_row(&bench, a)->folder, "/else");
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    assert_int_equal(bench.order[2], CATALOG_OPEN);
    assert_false(bench.forget_record);
    bench_end(&bench);
}

static void catalog_a_failed_move_leaves_it_where_it_was_and_says_so(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    bench.move_error = FRESHET_ERROR_NO_SPACE;
    catalog_relocate(bench.catalog, a, "/full", true, bench.now);
    bench_run(&bench);
    const struct catalog_torrent *row = bench_row(&bench, a);
    assert_string_equal(row->folder, "/data");
    assert_null(row->move_to);
    assert_int_equal(row->phase, CATALOG_SEEDING);
    assert_non_null(strstr(row->trouble_text, "/full"));
    assert_non_null(strstr(row->trouble_text, "no space"));
    /* That it runs again is no answer to it. */
    bench_ready(&bench, a, 50000);
    assert_non_null(strstr(row->trouble_text, "/full"));
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    assert_null(row->trouble_text);
    bench_end(&bench);
}

static void catalog_looks_for_data_elsewhere_and_forgets_who_made_it(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    catalog_on_found(bench.catalog, a, (const uint8_t[]){0, 1}, 2);
    assert_int_equal(bench_row(&bench, a)->made[0], 1);
    assert_int_equal(bench_row(&bench, a)->made[1], 0);
    /* What was found first stays. */
    catalog_on_found(bench.catalog, a, (const uint8_t[]){1, 1}, 2);
    assert_int_equal(bench_row(&bench, a)->made[0], 1);
    bench_clear(&bench);
    catalog_relocate(bench.catalog, a, "/else", false, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_MOVE], 0);
    assert_null(bench_row(&bench, a)->made);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_CHECKING);
    assert_string_equal(bench.options_root, "/else");
    assert_true(bench.forget_record);
    bench_end(&bench);
}

static void use_half(struct bench *bench)
{
    struct catalog_settings settings;

    catalog_settings_copy(catalog_settings(bench->catalog), &settings);
    settings.incomplete_enabled = true;
    settings.incomplete_folder = memory_copy("/half", 6);
    catalog_set_settings(bench->catalog, &settings, bench->now);
    catalog_settings_deinit(&settings);
}

static void catalog_downloads_among_the_incomplete_and_moves_when_done(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    use_half(&bench);
    torrent_id a = bench_add(&bench, 1);
    assert_string_equal(bench_row(&bench, a)->folder, "/half");
    assert_string_equal(bench_row(&bench, a)->folder_done, "/data");
    /* A wish about the place is one about the end. */
    catalog_relocate(bench.catalog, a, "/films", true, bench.now);
    bench_run(&bench);
    assert_string_equal(bench_row(&bench, a)->folder, "/half");
    bench_ready(&bench, a, 100);
    bench_clear(&bench);
    bench_tell(&bench, a, NOTICE_COMPLETE);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_MOVE], 1);
    assert_string_equal(bench_row(&bench, a)->folder, "/films");
    assert_null(bench_row(&bench, a)->folder_done);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    assert_int_equal(bench_row(&bench, a)->done_s, BENCH_WALL);
    bench_end(&bench);
}

static void catalog_leaves_what_was_found_complete_where_it_is(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    use_half(&bench);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2);
    catalog_on_found_done(bench.catalog, a, "/data");
    catalog_on_found(bench.catalog, a, (const uint8_t[]){1, 0}, 2);
    assert_string_equal(bench_row(&bench, a)->folder, "/data");
    assert_null(bench_row(&bench, a)->folder_done);
    /* Told to go elsewhere while it was looked for: there it goes in the end. */
    catalog_relocate(bench.catalog, b, "/films", true, bench.now);
    catalog_on_found_done(bench.catalog, b, "/data");
    assert_string_equal(bench_row(&bench, b)->folder, "/data");
    assert_string_equal(bench_row(&bench, b)->folder_done, "/films");
    /* Only the first time: then it is known what is whose. */
    catalog_on_found(bench.catalog, b, (const uint8_t[]){1, 0}, 2);
    catalog_on_found_done(bench.catalog, b, "/films");
    assert_string_equal(bench_row(&bench, b)->folder, "/data");
    bench_ready(&bench, a, 100);
    bench_clear(&bench);
    bench_tell(&bench, a, NOTICE_COMPLETE);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_MOVE], 0);
    bench_end(&bench);
}

static void catalog_a_link_becomes_a_torrent_under_its_number(void **state)
{
    struct bench bench;
    char *link = magnet_to(5, "&so=1");

    (void)state;
    bench_begin(&bench);
    torrent_id a = add_magnet(&bench, link, false);
    assert_int_equal(bench.order[bench.order_count - 1], CATALOG_OPEN_MAGNET);
    assert_true(bench_row(&bench, a)->metadata_missing);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_DOWNLOADING);
    bench_clear(&bench);
    give_metadata(&bench, a, 5);
    assert_false(bench_row(&bench, a)->metadata_missing);
    assert_null(bench_row(&bench, a)->magnet);
    assert_true(bench.torrent_file_length > 100);
    assert_int_equal(bench.order[0], CATALOG_OPEN);
    assert_int_equal(bench.counts[CATALOG_CLOSE], 0);
    assert_true(bench_row(&bench, a)->open);
    /* BEP 53: the second file only. */
    assert_int_equal(bench_row(&bench, a)->priorities[0], CATALOG_PRIORITY_UNWANTED);
    assert_int_equal(bench_row(&bench, a)->priorities[1], CATALOG_PRIORITY_NORMAL);
    assert_int_equal(bench_row(&bench, a)->wanted_bytes, 10000);
    memory_free(link);
    bench_end(&bench);
}

static void catalog_a_link_stops_for_its_files_to_be_chosen(void **state)
{
    struct bench bench;
    char *link = magnet_to(5, "");

    (void)state;
    bench_begin(&bench);
    torrent_id a = add_magnet(&bench, link, true);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_DOWNLOADING);
    assert_int_equal(catalog_set_priorities(bench.catalog, a, (const uint8_t[]){0, 4}, bench.now),
                     FRESHET_ERROR_MISSING);
    bench_clear(&bench);
    give_metadata(&bench, a, 5);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    assert_false(bench_row(&bench, a)->open);
    assert_true(bench_row(&bench, a)->choose_files);
    assert_int_equal(bench.counts[CATALOG_OPEN], 0);
    assert_int_equal(catalog_set_priorities(bench.catalog, a, (const uint8_t[]){0, 4}, bench.now),
                     FRESHET_OK);
    catalog_start(bench.catalog, a, false, bench.now);
    assert_false(bench_row(&bench, a)->choose_files);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_OPEN], 1);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_DOWNLOADING);
    memory_free(link);
    bench_end(&bench);
}

static void catalog_a_link_that_is_removed_while_it_becomes_a_torrent_is_closed(void **state)
{
    struct bench bench;
    char *link = magnet_to(5, "");
    struct metainfo *metainfo = bench_metainfo(5, false);

    (void)state;
    bench_begin(&bench);
    torrent_id a = add_magnet(&bench, link, false);
    bench_clear(&bench);
    catalog_on_metadata(bench.catalog, a, metainfo, bench.now);
    catalog_remove(bench.catalog, a, true, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_CLOSE], 1);
    assert_int_equal(bench.counts[CATALOG_OPEN], 0);
    assert_int_equal(catalog_count(bench.catalog), 0);
    metainfo_free(metainfo);
    memory_free(link);
    bench_end(&bench);
}

static void catalog_a_torrent_that_is_stopped_while_it_opens_is_closed_then(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    bench.holds_opens = true;
    torrent_id a = bench_add(&bench, 1);
    assert_true(bench_row(&bench, a)->opening);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_CLOSE], 0);
    catalog_on_opened(bench.catalog, a, FRESHET_OK, NULL, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_CLOSE], 1);
    assert_false(bench_row(&bench, a)->open);
    bench_end(&bench);
}

static void catalog_a_start_while_it_closes_opens_it_again(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    bench.holds_closes = true;
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_true(bench_row(&bench, a)->closing);
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    bench_clear(&bench);
    bench_tell(&bench, a, NOTICE_REMOVED);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_OPEN], 1);
    assert_true(bench_row(&bench, a)->open);
    bench_end(&bench);
}

static void catalog_says_what_could_not_be_opened_and_tries_again_when_started(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    bench.open_error = FRESHET_ERROR_BUSY;
    torrent_id a = bench_add(&bench, 1);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    assert_string_equal(bench_row(&bench, a)->trouble_text, "in use by another process");
    assert_true(bench_row(&bench, a)->wanted_running);
    bench.open_error = FRESHET_OK;
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_DOWNLOADING);
    assert_null(bench_row(&bench, a)->trouble_text);
    bench_end(&bench);
}

static void tell_tracker(struct bench *bench, torrent_id id, enum notice_type type,
                         const char *text)
{
    catalog_on_notice(
        bench->catalog,
        &(struct notice){.type = type,
                         .torrent = id,
                         .error = FRESHET_ERROR_REFUSED,
                         .url = BYTES_LITERAL("http://u:pass@t.example:80/secret/announce"),
                         .text = {(const uint8_t *)text, strlen(text)}},
        bench->now);
    bench_run(bench);
}

static void catalog_keeps_troubles_in_words(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    const struct catalog_torrent *row = bench_row(&bench, a);
    /* A tracker's words, without what may be a person's key. */
    tell_tracker(&bench, a, NOTICE_TRACKER_ERROR, "unregistered torrent");
    assert_int_equal(row->trouble, TROUBLE_TRACKER);
    assert_string_equal(row->trouble_text, "t.example:80: unregistered torrent");
    assert_int_equal(row->phase, CATALOG_DOWNLOADING);
    tell_tracker(&bench, a, NOTICE_TRACKER_OK, "");
    assert_int_equal(row->trouble, TROUBLE_NONE);
    bench_tell(&bench, a, NOTICE_DISK_FULL);
    assert_int_equal(row->trouble, TROUBLE_LOCAL);
    assert_non_null(strstr(row->trouble_text, "no space"));
    tell_tracker(&bench, a, NOTICE_TRACKER_ERROR, "not now");
    assert_int_equal(row->trouble, TROUBLE_LOCAL);
    assert_int_equal(row->phase, CATALOG_DOWNLOADING);
    bench_tell(&bench, a, NOTICE_DISK_RESUMED);
    assert_int_equal(row->trouble, TROUBLE_NONE);
    bench_tell(&bench, a, NOTICE_STORAGE_ABSENT);
    assert_non_null(strstr(row->trouble_text, "/data"));
    bench_tell(&bench, a, NOTICE_READY);
    assert_int_equal(row->trouble, TROUBLE_NONE);
    catalog_on_notice(
        bench.catalog,
        &(struct notice){.type = NOTICE_ERROR, .torrent = a, .error = FRESHET_ERROR_IO}, bench.now);
    bench_run(&bench);
    assert_int_equal(row->phase, CATALOG_STOPPED);
    assert_false(row->open);
    assert_string_equal(row->trouble_text, error_text(FRESHET_ERROR_IO));
    bench_end(&bench);
}

static void catalog_saves_counters_once_a_minute_and_adds_them_up_over_openings(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(100);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    bench_ready(&bench, a, 100);
    bench_pass(&bench, 60);
    bench_clear(&bench);
    for (int i = 0; i < 120; i++) {
        status.downloaded += 10;
        status.uploaded += 1;
        status.wasted += 3;
        status.corrupt += 2;
        bench_pass(&bench, 1);
        bench_sample(&bench, a, &status);
    }
    assert_in_range(bench.row_saves, 1, 2);
    assert_int_equal(bench.counted, bench.row_saves);
    assert_int_equal(bench_row(&bench, a)->downloaded, 1200);
    assert_int_equal(bench_row(&bench, a)->uploaded, 120);
    assert_int_equal(bench_row(&bench, a)->corrupt, 240);
    assert_int_equal(bench_row(&bench, a)->seconds_downloading, 180);
    /* The engine begins at 0 again when it is opened again. */
    bench_clear(&bench);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_true(bench.row_saves > 0);
    assert_int_equal(bench.counted, 0);
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    status = bench_status(100);
    status.downloaded = 7;
    bench_tell(&bench, a, NOTICE_READY);
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->downloaded, 1207);
    /* The end of the program saves what there is. */
    bench_clear(&bench);
    catalog_shutdown(bench.catalog, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.row_saves, 1);
    bench_tell(&bench, a, NOTICE_REMOVED);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_OPEN], 0);
    bench_end(&bench);
}

static void catalog_a_quiet_seed_is_no_news_and_seldom_saved(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    bench_pass(&bench, 700);
    bench_clear(&bench);
    uint64_t revision = catalog_revision(bench.catalog);
    for (int i = 0; i < 600; i++) {
        bench_pass(&bench, 1);
        bench_sample(&bench, a, &status);
    }
    assert_int_equal(catalog_revision(bench.catalog), revision);
    assert_in_range(bench.row_saves, 1, 2);
    assert_true(bench_row(&bench, a)->seconds_seeding >= 600);
    bench_end(&bench);
}

static void catalog_tells_what_changed_and_what_went_since(void **state)
{
    struct bench bench;
    torrent_id gone[2];

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2);
    uint64_t then = catalog_revision(bench.catalog);
    catalog_set_labels(bench.catalog, b, (const char *[]){"one", "two", "one", "", "bad\n"}, 5,
                       bench.now);
    assert_int_equal(bench_row(&bench, b)->label_count, 2);
    assert_true(bench_row(&bench, a)->revision <= then);
    assert_true(bench_row(&bench, b)->revision > then);
    assert_int_equal(catalog_removed_since(bench.catalog, then, gone, 2), 0);
    assert_int_equal(catalog_removed_since(bench.catalog, then + 1000000, gone, 2), UINT32_MAX);
    catalog_remove(bench.catalog, a, false, bench.now);
    catalog_remove(bench.catalog, b, false, bench.now);
    bench_run(&bench);
    assert_int_equal(catalog_removed_since(bench.catalog, then, gone, 1), UINT32_MAX);
    assert_int_equal(catalog_removed_since(bench.catalog, then, gone, 2), 2);
    assert_int_equal(gone[0], a);
    assert_int_equal(gone[1], b);
    for (unsigned i = 0; i <= CATALOG_REMOVED_KEPT; i++)
        catalog_remove(bench.catalog, bench_add(&bench, 3), false, bench.now), bench_run(&bench);
    assert_int_equal(catalog_removed_since(bench.catalog, then, gone, UINT32_MAX - 1), UINT32_MAX);
    bench_end(&bench);
}

static void catalog_renames_and_remembers_the_last_name(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    assert_int_equal(catalog_rename(bench.catalog, a, "torrent-00000001", "a/b", bench.now),
                     FRESHET_ERROR_USAGE);
    assert_int_equal(catalog_rename(bench.catalog, a, "torrent-00000001", "..", bench.now),
                     FRESHET_ERROR_USAGE);
    assert_int_equal(catalog_rename(bench.catalog, a, "torrent-00000001", "", bench.now),
                     FRESHET_ERROR_USAGE);
    assert_int_equal(catalog_rename(bench.catalog, a, "torrent-00000001", "first", bench.now),
                     FRESHET_OK);
    bench_run(&bench);
    assert_string_equal(bench.path, "torrent-00000001");
    assert_string_equal(bench.name, "first");
    assert_string_equal(bench_row(&bench, a)->name, "first");
    assert_int_equal(catalog_rename(bench.catalog, a, "first", "second", bench.now), FRESHET_OK);
    bench_run(&bench);
    const struct catalog_torrent *row = bench_row(&bench, a);
    assert_int_equal(row->renamed_count, 1);
    assert_string_equal(row->renamed_paths[0], "torrent-00000001");
    assert_string_equal(row->renamed_names[0], "second");
    assert_int_equal(catalog_rename(bench.catalog, a, "second/a", "c", bench.now), FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(row->renamed_count, 2);
    assert_string_equal(row->name, "second");
    assert_int_equal(row->phase, CATALOG_DOWNLOADING);
    bench.move_error = FRESHET_ERROR_EXISTS;
    assert_int_equal(catalog_rename(bench.catalog, a, "second", "third", bench.now), FRESHET_OK);
    bench_run(&bench);
    assert_string_equal(row->name, "second");
    assert_int_equal(row->renamed_count, 2);
    assert_non_null(strstr(row->trouble_text, "third"));
    bench_end(&bench);
}

static void catalog_replaces_trackers_of_torrents_and_links(void **state)
{
    struct bench bench;
    const char *urls[] = {"http://one.example/announce", "udp://two.example:80"};

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1), b = add_magnet(&bench, MAGNET, false);
    bench_clear(&bench);
    assert_int_equal(catalog_set_trackers(bench.catalog, a, urls, (uint32_t[]){0, 1}, 2, bench.now),
                     FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(bench.url_count, 2);
    assert_string_equal(bench.urls[1], urls[1]);
    assert_false(bench.add_trackers);
    assert_int_equal(catalog_saved(bench.catalog), catalog_change(bench.catalog));
    assert_int_equal(bench.counts[CATALOG_TELL_TRACKERS], 1); /* it is open */
    assert_int_equal(
        catalog_set_trackers(bench.catalog, a, (const char *[]){"no url"}, NULL, 1, bench.now),
        FRESHET_ERROR_SYNTAX);
    catalog_set_trackers(bench.catalog, b, urls, (uint32_t[]){0, 1}, 2, bench.now);
    bench_run(&bench);
    assert_non_null(strstr(bench_row(&bench, b)->magnet, "one.example"));
    assert_null(strstr(bench_row(&bench, b)->magnet, "t.example"));
    assert_int_equal(bench.counts[CATALOG_TELL_TRACKERS], 2);
    bench_end(&bench);
}

static void catalog_tells_trackers_when_an_opening_ends(void **state)
{
    struct bench bench;
    const char *urls[] = {"http://one.example/announce"};

    (void)state;
    bench_begin(&bench);
    bench.holds_opens = true;
    torrent_id a = bench_add(&bench, 1);
    catalog_set_trackers(bench.catalog, a, urls, (uint32_t[]){0}, 1, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_TRACKERS], 1);
    assert_int_equal(bench.counts[CATALOG_TELL_TRACKERS], 0);
    catalog_on_opened(bench.catalog, a, FRESHET_OK, NULL, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_TELL_TRACKERS], 1);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    catalog_set_trackers(bench.catalog, a, urls, (uint32_t[]){0}, 1, bench.now);
    bench_run(&bench);
    assert_int_equal(bench.counts[CATALOG_TRACKERS], 2);
    assert_int_equal(bench.counts[CATALOG_TELL_TRACKERS], 1); /* it will be opened with them */
    bench_end(&bench);
}

static void catalog_wants_a_file_again_and_is_a_download(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a =
        bench_add_with(&bench, 1, (struct catalog_add){.priorities = (const uint8_t[]){4, 0}});
    assert_int_equal(bench_row(&bench, a)->wanted_bytes, 40000);
    bench_tell(&bench, a, NOTICE_COMPLETE);
    bench_run(&bench);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    assert_int_equal(catalog_set_priorities(bench.catalog, a, (const uint8_t[]){4, 9}, bench.now),
                     FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_DOWNLOADING);
    assert_int_equal(bench.command.type, COMMAND_SET_PRIORITIES);
    assert_int_equal(bench_row(&bench, a)->priorities[1], LIMIT_FILE_PRIORITY);
    bench_end(&bench);
}

static void catalog_counts_the_last_bytes_before_it_closes(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    bench_ready(&bench, a, 10000);
    status.downloaded = 50000;
    status.uploaded = 7;
    catalog_sample_last(bench.catalog, a, &status, bench.now);
    catalog_sample_last(bench.catalog, a, &status, bench.now);
    assert_int_equal(bench_row(&bench, a)->downloaded, 50000);
    assert_int_equal(bench_row(&bench, a)->uploaded, 7);
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    catalog_sample_last(bench.catalog, a, &status, bench.now); /* closed: nothing to count */
    catalog_sample_last(bench.catalog, 99, &status, bench.now);
    assert_int_equal(bench_row(&bench, a)->downloaded, 50000);
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_finds_a_torrent_by_number_and_hash),
        cmocka_unit_test(catalog_adds_a_torrent_once_and_joins_its_trackers),
        cmocka_unit_test(catalog_says_why_it_adds_nothing),
        cmocka_unit_test(catalog_saves_before_it_acts_and_tells_when_it_is_durable),
        cmocka_unit_test(catalog_a_number_of_a_save_never_promises_what_has_not_come_out),
        cmocka_unit_test(catalog_removes_after_close_and_save_and_deletes_only_what_is_asked),
        cmocka_unit_test(catalog_keeps_a_torrent_whose_data_could_not_be_deleted),
        cmocka_unit_test(catalog_takes_up_a_removal_after_a_restart),
        cmocka_unit_test(catalog_takes_up_a_move_after_a_restart),
        cmocka_unit_test(catalog_moves_first_what_was_moved_and_removed),
        cmocka_unit_test(catalog_takes_up_a_check_and_a_renaming_after_a_restart),
        cmocka_unit_test(catalog_moves_data_and_goes_on),
        cmocka_unit_test(catalog_a_failed_move_leaves_it_where_it_was_and_says_so),
        cmocka_unit_test(catalog_looks_for_data_elsewhere_and_forgets_who_made_it),
        cmocka_unit_test(catalog_downloads_among_the_incomplete_and_moves_when_done),
        cmocka_unit_test(catalog_leaves_what_was_found_complete_where_it_is),
        cmocka_unit_test(catalog_a_link_becomes_a_torrent_under_its_number),
        cmocka_unit_test(catalog_a_link_stops_for_its_files_to_be_chosen),
        cmocka_unit_test(catalog_a_link_that_is_removed_while_it_becomes_a_torrent_is_closed),
        cmocka_unit_test(catalog_a_torrent_that_is_stopped_while_it_opens_is_closed_then),
        cmocka_unit_test(catalog_a_start_while_it_closes_opens_it_again),
        cmocka_unit_test(catalog_says_what_could_not_be_opened_and_tries_again_when_started),
        cmocka_unit_test(catalog_keeps_troubles_in_words),
        cmocka_unit_test(catalog_saves_counters_once_a_minute_and_adds_them_up_over_openings),
        cmocka_unit_test(catalog_a_quiet_seed_is_no_news_and_seldom_saved),
        cmocka_unit_test(catalog_tells_what_changed_and_what_went_since),
        cmocka_unit_test(catalog_renames_and_remembers_the_last_name),
        cmocka_unit_test(catalog_replaces_trackers_of_torrents_and_links),
        cmocka_unit_test(catalog_tells_trackers_when_an_opening_ends),
        cmocka_unit_test(catalog_counts_the_last_bytes_before_it_closes),
        cmocka_unit_test(catalog_wants_a_file_again_and_is_a_download),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

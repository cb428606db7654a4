/* SPDX-License-Identifier: MIT */
/* Goals of seeds, limits by the hour, and why a torrent is not faster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/catalog/catalog_groups.h"
#include "tests/catalog/catalog_bench.h"

/* Minutes of a week that begins on Sunday. */
#define MONDAY(hour, minute)  (1440 + (hour)*60 + (minute))
#define TUESDAY(hour, minute) (2880 + (hour)*60 + (minute))

static void set(struct bench *bench, void (*change)(struct catalog_settings *settings))
{
    struct catalog_settings settings;

    catalog_settings_copy(catalog_settings(bench->catalog), &settings);
    change(&settings);
    catalog_set_settings(bench->catalog, &settings, bench->now);
    catalog_settings_deinit(&settings);
    bench_run(bench);
}

static void limit_ratio(struct catalog_settings *settings)
{
    settings->ratio_limited = true;
    settings->ratio = 1.5;
}

static void limit_idle(struct catalog_settings *settings)
{
    settings->idle_limited = true;
    settings->idle_minutes = 10;
}

static void change_wishes(struct bench *bench, torrent_id id, const struct catalog_wishes *wishes)
{
    catalog_set_wishes(bench->catalog, id, wishes, bench->now);
    bench_run(bench);
}

static void catalog_goals_stop_a_seed_at_its_ratio(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    set(&bench, limit_ratio);
    torrent_id a = bench_add_seed(&bench, 1);
    status.uploaded = 74999;
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    status.uploaded = 75000;
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    assert_true(bench_row(&bench, a)->finished);
    assert_false(bench_row(&bench, a)->wanted_running);
    /* Started again it goes on beyond. */
    catalog_start(bench.catalog, a, false, bench.now);
    bench_run(&bench);
    bench_ready(&bench, a, 50000);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    assert_int_equal(bench_row(&bench, a)->wishes.ratio_mode, GOAL_UNLIMITED);
    bench_end(&bench);
}

/* Most of it was found on the disk: what was downloaded is next to nothing, and says nothing. */
static void catalog_goals_and_the_ratio_that_is_shown_are_one(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);
    uint64_t left = 0;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    assert_false(catalog_ratio_left(bench.catalog, bench_row(&bench, a), &left));
    set(&bench, limit_ratio);
    status.downloaded = 2500;
    status.uploaded = 5000;
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    assert_true(catalog_ratio(bench_row(&bench, a)) == 0.1);
    assert_true(catalog_ratio_left(bench.catalog, bench_row(&bench, a), &left));
    assert_int_equal(left, 70000);
    status.uploaded = 75000;
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    assert_true(catalog_ratio(bench_row(&bench, a)) == 1.5);
    assert_true(catalog_ratio_left(bench.catalog, bench_row(&bench, a), &left));
    assert_int_equal(left, 0);
    bench_end(&bench);
}

static void catalog_goals_of_any_size_do_not_overflow(void **state)
{
    static const struct {
        uint64_t wanted, uploaded;
        double ratio;
        uint64_t left;
    } rows[] = {
        {3, 0, 0.001, 1},
        {1001, 1, 1.999, 2000},
        {UINT64_MAX, 5, 0, 0},
        {UINT64_MAX, 5, 1, UINT64_MAX - 5},
        {UINT64_MAX, 5, 1e6, UINT64_MAX - 5},
        {UINT64_C(1) << 60, UINT64_MAX, 15.999, 0},
    };
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    struct catalog_torrent torrent = {.wishes.ratio_mode = GOAL_OWN, .uploaded = 1};
    uint64_t left = 7;
    assert_false(catalog_ratio_left(bench.catalog, &torrent, &left));
    assert_true(catalog_ratio(&torrent) == CATALOG_RATIO_ENDLESS);
    torrent.uploaded = 0;
    assert_true(catalog_ratio(&torrent) == CATALOG_RATIO_NONE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        torrent.wanted_bytes = rows[i].wanted;
        torrent.uploaded = rows[i].uploaded;
        torrent.wishes.ratio = rows[i].ratio;
        assert_true(catalog_ratio_left(bench.catalog, &torrent, &left));
        assert_true(left == rows[i].left);
    }
    bench_end(&bench);
}

static void catalog_goals_of_its_own_come_before_those_of_all(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    set(&bench, limit_ratio);
    torrent_id own = bench_add_seed(&bench, 1), none = bench_add_seed(&bench, 2);
    struct catalog_wishes wishes = bench_row(&bench, own)->wishes;
    wishes.ratio_mode = GOAL_OWN;
    wishes.ratio = 3;
    change_wishes(&bench, own, &wishes);
    wishes.ratio_mode = GOAL_UNLIMITED;
    change_wishes(&bench, none, &wishes);
    status.uploaded = 149999;
    bench_sample(&bench, own, &status);
    bench_sample(&bench, none, &status);
    assert_int_equal(bench_row(&bench, own)->phase, CATALOG_SEEDING);
    status.uploaded = 150000;
    bench_sample(&bench, own, &status);
    bench_sample(&bench, none, &status);
    assert_int_equal(bench_row(&bench, own)->phase, CATALOG_STOPPED);
    assert_int_equal(bench_row(&bench, none)->phase, CATALOG_SEEDING);
    bench_end(&bench);
}

static void catalog_goals_stop_an_idle_seed_and_not_a_download(void **state)
{
    struct bench bench;
    struct torrent_status seed = bench_status(50000), part = bench_status(100);

    (void)state;
    bench_begin(&bench);
    set(&bench, limit_idle);
    torrent_id a = bench_add_seed(&bench, 1), b = bench_add(&bench, 2);
    bench_ready(&bench, b, 100);
    bench_pass(&bench, 5 * 60);
    seed.uploaded = 1;
    bench_sample(&bench, a, &seed);
    bench_pass(&bench, 9 * 60);
    bench_sample(&bench, a, &seed);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    bench_pass(&bench, 60);
    bench_sample(&bench, a, &seed);
    bench_sample(&bench, b, &part);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    assert_int_equal(bench_row(&bench, b)->phase, CATALOG_DOWNLOADING);
    bench_end(&bench);
}

static void catalog_goals_stop_a_seed_after_its_time(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    struct catalog_wishes wishes = bench_row(&bench, a)->wishes;
    wishes.seed_time_s = 100;
    change_wishes(&bench, a, &wishes);
    bench_pass(&bench, 99);
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_SEEDING);
    bench_pass(&bench, 1);
    bench_sample(&bench, a, &status);
    assert_int_equal(bench_row(&bench, a)->phase, CATALOG_STOPPED);
    bench_end(&bench);
}

static void schedule_nights(struct catalog_settings *settings)
{
    settings->alt_upload_limit = 1000;
    settings->alt_download_limit = 0;
    settings->schedule = (struct catalog_schedule){
        .enabled = true, .begin_minute = 22 * 60, .end_minute = 6 * 60, .days = 1u << 1};
}

static void catalog_schedule_keeps_to_its_hours_over_midnight(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    bench_run(&bench);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(12, 0), bench.now);
    set(&bench, schedule_nights);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    assert_int_equal(bench.session.upload_limit, 0);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(21, 59), bench.now);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(22, 0), bench.now);
    bench_run(&bench);
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    assert_int_equal(bench.session.upload_limit, 1000);
    /* Nothing at all is asked for as the least that the engine knows; 0 is no limit there. */
    assert_int_equal(bench.session.download_limit, 1);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(5, 59), bench.now);
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(6, 0), bench.now);
    bench_run(&bench);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    assert_int_equal(bench.session.upload_limit, 0);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(22, 0), bench.now);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    bench_end(&bench);
}

static void turn_off(struct catalog_settings *settings)
{
    settings->alt_enabled = false;
}

static void catalog_schedule_leaves_a_switch_by_hand_until_the_next_edge(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(23, 0), bench.now);
    set(&bench, schedule_nights);
    /* Within its hours it holds at once. */
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    set(&bench, turn_off);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(23, 1), bench.now);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(7, 0), bench.now);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(22, 0), bench.now);
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    bench_end(&bench);
}

static void catalog_schedule_acts_on_an_edge_that_passed_while_nothing_ran(void **state)
{
    struct bench bench;
    struct catalog_settings settings = bench_settings();

    (void)state;
    schedule_nights(&settings);
    settings.alt_enabled = true;
    bench_begin_with(&bench, &settings);
    catalog_settings_deinit(&settings);
    catalog_restored(bench.catalog, bench.now);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(12, 0), bench.now);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    bench_end(&bench);
}

static void whole_monday(struct catalog_settings *settings)
{
    settings->schedule = (struct catalog_schedule){
        .enabled = true, .begin_minute = 60, .end_minute = 60, .days = 1u << 1};
}

static void catalog_schedule_that_ends_when_it_begins_is_a_day(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(0, 59), bench.now);
    set(&bench, whole_monday);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, MONDAY(1, 0), bench.now);
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(0, 59), bench.now);
    assert_true(catalog_settings(bench.catalog)->alt_enabled);
    catalog_on_clock(bench.catalog, BENCH_WALL, TUESDAY(1, 0), bench.now);
    assert_false(catalog_settings(bench.catalog)->alt_enabled);
    bench_end(&bench);
}

static void catalog_limits_of_a_torrent_reach_the_engine(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    struct catalog_wishes wishes = bench_row(&bench, a)->wishes;
    wishes.upload_limited = true;
    wishes.upload_limit = 5000;
    wishes.sequential = true;
    wishes.bandwidth_priority = 5;
    wishes.transport = TRANSPORT_UTP;
    change_wishes(&bench, a, &wishes);
    assert_int_equal(bench.command.type, COMMAND_SET_LIMITS);
    assert_int_equal(bench.command.upload_limit, 5000);
    assert_int_equal(bench.command.download_limit, 0);
    assert_int_equal(bench.counts[CATALOG_OPTIONS], 1);
    assert_true(bench.options.sequential);
    assert_int_equal(bench.options.transport, TRANSPORT_UTP);
    assert_int_equal(bench_row(&bench, a)->wishes.bandwidth_priority, 1);
    assert_int_equal(catalog_saved(bench.catalog), catalog_change(bench.catalog));
    bench_end(&bench);
}

static void make_groups(struct catalog_settings *settings)
{
    assert_true(catalog_groups_put(settings, &(struct catalog_group){.name = "first"}));
    assert_true(catalog_groups_put(settings, &(struct catalog_group){.name = "second one",
                                                                     .upload_limited = true,
                                                                     .upload_limit = 7000,
                                                                     .download_limit = 9}));
}

static void catalog_groups_come_before_the_torrents_in_them(void **state)
{
    struct bench bench;

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    assert_int_equal(catalog_set_group(bench.catalog, a, "second one", bench.now), FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(bench.options.share.group, 0); /* nobody made it yet */
    set(&bench, make_groups);
    assert_int_equal(bench.options.share.group, 2);
    assert_int_equal(bench.session.type, COMMAND_SET_GROUP);
    assert_int_equal(bench.session.group.number, 2);
    assert_int_equal(bench.session.group.upload_limit, 7000);
    assert_int_equal(bench.session.group.download_limit, 0);
    assert_true(bench.session.group.is_alone);
    struct catalog_wishes wishes = bench_row(&bench, a)->wishes;
    wishes.honors_session_limits = false;
    wishes.bandwidth_priority = -1;
    change_wishes(&bench, a, &wishes);
    assert_true(bench.options.share.is_alone);
    assert_int_equal(bench.options.share.priority, -1);
    assert_int_equal(catalog_set_group(bench.catalog, a, "", bench.now), FRESHET_OK);
    bench_run(&bench);
    assert_int_equal(bench.options.share.group, 0);
    assert_int_equal(catalog_set_group(bench.catalog, a, "a\nb", bench.now), FRESHET_ERROR_USAGE);
    bench_end(&bench);
}

static void catalog_groups_are_texts_and_back(void **state)
{
    struct catalog_group group = {.name = "x  y ",
                                  .upload_limit = UINT64_C(1) << 40,
                                  .download_limited = true,
                                  .honors_session_limits = true};
    struct catalog_group read;

    (void)state;
    for (int i = 0; i < 8; i++) {
        group.upload_limited = i & 1;
        group.download_limited = i & 2;
        group.honors_session_limits = i & 4;
        char *text = catalog_groups_write(&group);
        catalog_groups_read(text, &read);
        assert_string_equal(read.name, group.name);
        assert_int_equal(read.upload_limit, group.upload_limit);
        assert_int_equal(read.upload_limited, group.upload_limited);
        assert_int_equal(read.download_limited, group.download_limited);
        assert_int_equal(read.honors_session_limits, group.honors_session_limits);
        memory_free(text);
    }
    for (size_t i = 0; i < 5; i++) {
        static const char *const odd[] = {"", " ", "x", "1", "1 2"};
        catalog_groups_read(odd[i], &read);
        assert_true(read.honors_session_limits);
        assert_false(read.upload_limited || read.download_limited);
    }
}

/* ---- why ---- */

static void assert_why(struct bench *bench, torrent_id id, const char *part)
{
    char text[256] = "unset";

    catalog_why(bench->catalog, bench_row(bench, id), text);
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, part);
}

/* Is it told where only trouble is told, too? */
static bool is_held(struct bench *bench, torrent_id id)
{
    char text[256] = "unset", why[256];

    bool held = catalog_why_held(bench->catalog, bench_row(bench, id), text);
    catalog_why(bench->catalog, bench_row(bench, id), why);
    assert_string_equal(text, held ? why : "");
    return held;
}

static void one_download(struct catalog_settings *settings)
{
    settings->download_queue = 1;
}

static void limit_download(struct catalog_settings *settings)
{
    settings->download_limited = true;
    settings->download_limit = 20000;
}

static void catalog_why_names_what_holds_a_download(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(100);

    (void)state;
    bench_begin(&bench);
    set(&bench, one_download);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2);
    assert_why(&bench, b, "queue at 2: 1 of at most 1 downloads");
    assert_true(is_held(&bench, b));
    assert_why(&bench, a, "being opened");
    assert_false(is_held(&bench, a));
    bench_ready(&bench, a, 100);
    assert_why(&bench, a, "nobody is known who has it");
    assert_true(is_held(&bench, a));
    catalog_set_shut(bench.catalog, "a bad list");
    assert_why(&bench, a, "no peer is let in: a bad list");
    catalog_set_shut(bench.catalog, NULL);
    assert_why(&bench, a, "nobody is known who has it");
    status.known_by_source[0] = 3;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "none of 3 known peers can be reached");
    status.lacks = TRANSPORT_UTP;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "it is to use uTP alone, and the daemon uses none");
    status.lacks = TRANSPORT_TCP;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "it is to use TCP alone, and the daemon uses none");
    status.lacks = TRANSPORT_ANY;
    status.peers = 4;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "none has everything");
    status.seeds_known = 2;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "all of 4 connected peers choke us");
    assert_true(is_held(&bench, a));
    status.download_rate = 19500;
    set(&bench, limit_download);
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "limit of all torrents: 20.0 kB/s");
    assert_true(is_held(&bench, a));
    struct catalog_wishes wishes = bench_row(&bench, a)->wishes;
    wishes.download_limited = true;
    change_wishes(&bench, a, &wishes);
    assert_why(&bench, a, "its own limit: 0.0 kB/s");
    bench_tell(&bench, a, NOTICE_DISK_FULL);
    assert_why(&bench, a, "no space");
    assert_false(is_held(&bench, a));
    catalog_stop(bench.catalog, b, bench.now);
    bench_run(&bench);
    assert_why(&bench, b, "stopped");
    assert_false(is_held(&bench, b));
    catalog_stop(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_why(&bench, a, "no space");
    bench_end(&bench);
}

static void group_that_shares(struct catalog_settings *settings)
{
    settings->download_limited = true;
    settings->download_limit = 40000;
    assert_true(
        catalog_groups_put(settings, &(struct catalog_group){.name = "films",
                                                             .download_limited = true,
                                                             .download_limit = 30000,
                                                             .honors_session_limits = true}));
}

static void group_beside_all(struct catalog_settings *settings)
{
    assert_true(catalog_groups_put(settings, &(struct catalog_group){.name = "films",
                                                                     .download_limited = true,
                                                                     .download_limit = 90000}));
}

static void catalog_why_knows_the_limit_of_a_group(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(100);

    (void)state;
    bench_begin(&bench);
    set(&bench, group_that_shares);
    torrent_id a = bench_add(&bench, 1), b = bench_add(&bench, 2), c = bench_add(&bench, 3);
    status.peers = status.peers_uploading = 4;
    status.download_rate = 14500;
    torrent_id all[] = {a, b, c};
    for (int round = 1; round < 3; round++) /* the second one knows what the first one sent */
        for (size_t i = 0; i < 3; i++) {
            if (round == 1)
                bench_ready(&bench, all[i], 100);
            if (round == 1 && all[i] != c)
                assert_int_equal(catalog_set_group(bench.catalog, all[i], "films", bench.now), 0);
            status.downloaded = (uint64_t)round * 100;
            bench_sample(&bench, all[i], &status);
        }
    assert_why(&bench, a, "held by the limit of its group films: 30.0 kB/s");
    assert_why(&bench, b, "held by the limit of its group films: 30.0 kB/s");
    assert_why(&bench, c, "held by the limit of all torrents: 40.0 kB/s");
    /* One alone takes half of what its group may have. */
    assert_int_equal(catalog_set_group(bench.catalog, b, "", bench.now), 0);
    bench_sample(&bench, b, &status);
    assert_why(&bench, a, "held by the limit of all torrents: 40.0 kB/s");
    /* A group beside those of all is held by neither, and takes nothing from the others. */
    set(&bench, group_beside_all);
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "all of 4 connected peers send");
    assert_false(is_held(&bench, a));
    assert_why(&bench, c, "all of 4 connected peers send");
    catalog_stop(bench.catalog, b, bench.now);
    bench_run(&bench);
    bench_end(&bench);
}

static void catalog_why_tells_moving_from_standing(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(100);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add(&bench, 1);
    bench_ready(&bench, a, 100);
    status.peers = 4;
    status.peers_uploading = 1;
    status.download_rate = 900;
    status.downloaded = 100;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "1 of 4 connected peers send");
    status.peers_uploading = 4;
    status.downloaded = 200;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "all of 4 connected peers send");
    /* The rate is a mean, and says for a while that something comes. */
    bench.now += 6 * SECOND_NS;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "none has everything");
    catalog_rows_find(bench.catalog, a)->nobody_has = true;
    assert_why(&bench, a, "nobody of 4 connected peers has what is missing");
    bench_end(&bench);
}

static void catalog_why_knows_seeds_moves_and_checks(void **state)
{
    struct bench bench;
    struct torrent_status status = bench_status(50000);

    (void)state;
    bench_begin(&bench);
    torrent_id a = bench_add_seed(&bench, 1);
    assert_why(&bench, a, "nobody is known who wants it");
    status.peers = 2;
    bench_sample(&bench, a, &status);
    assert_why(&bench, a, "none asks");
    bench.holds_deeds = true;
    catalog_relocate(bench.catalog, a, "/else", true, bench.now);
    bench_run(&bench);
    assert_why(&bench, a, "on the way to /else");
    catalog_on_moved(bench.catalog, a, FRESHET_OK, NULL, bench.now);
    catalog_recheck(bench.catalog, a, bench.now);
    bench_run(&bench);
    assert_why(&bench, a, "checked");
    catalog_remove(bench.catalog, a, true, bench.now);
    bench_run(&bench);
    assert_why(&bench, a, "being removed");
    bench_end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_goals_stop_a_seed_at_its_ratio),
        cmocka_unit_test(catalog_goals_and_the_ratio_that_is_shown_are_one),
        cmocka_unit_test(catalog_goals_of_any_size_do_not_overflow),
        cmocka_unit_test(catalog_goals_of_its_own_come_before_those_of_all),
        cmocka_unit_test(catalog_goals_stop_an_idle_seed_and_not_a_download),
        cmocka_unit_test(catalog_goals_stop_a_seed_after_its_time),
        cmocka_unit_test(catalog_schedule_keeps_to_its_hours_over_midnight),
        cmocka_unit_test(catalog_schedule_leaves_a_switch_by_hand_until_the_next_edge),
        cmocka_unit_test(catalog_schedule_acts_on_an_edge_that_passed_while_nothing_ran),
        cmocka_unit_test(catalog_schedule_that_ends_when_it_begins_is_a_day),
        cmocka_unit_test(catalog_limits_of_a_torrent_reach_the_engine),
        cmocka_unit_test(catalog_groups_come_before_the_torrents_in_them),
        cmocka_unit_test(catalog_groups_are_texts_and_back),
        cmocka_unit_test(catalog_why_names_what_holds_a_download),
        cmocka_unit_test(catalog_why_knows_the_limit_of_a_group),
        cmocka_unit_test(catalog_why_tells_moving_from_standing),
        cmocka_unit_test(catalog_why_knows_seeds_moves_and_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

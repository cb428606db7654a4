/* SPDX-License-Identifier: MIT */
/*
 * Ten thousand random wishes and facts against a model, with crashes. The "disk" keeps copies of
 * what came out as saves, in their order; a commit makes a random number of them durable and tells
 * the catalog so. A crash drops the catalog and what is not durable, and builds a new one from the
 * rest; then whatever had been acknowledged (its change number was told as saved) must be there.
 *
 * The model keeps, of each torrent, the wishes with the number of the change that made them. After
 * a crash the row must agree with the newest acknowledged wish of each kind, or with a later one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "host/catalog_store.h"
#include "tests/catalog/catalog_bench.h"

#define STEPS   10000
#define NUMBERS 60   /* torrents that may be there */
#define LINE    4096 /* saves that have come out and are not durable */
#define HISTORY 64   /* of one wish of one torrent since the last crash */

enum wish_kind { WISH_RUNNING, WISH_LABEL, WISH_LIMIT, WISH_PRIORITY, WISH_REMOVED, WISH_KINDS };

struct wish {
    uint64_t change;
    uint32_t value;
};

struct modelled {
    torrent_id id;  /* 0: never added, or gone */
    uint64_t added; /* change */
    struct wish history[WISH_KINDS][HISTORY];
    uint32_t count[WISH_KINDS];
    bool engine_has;
    bool opening, closing, busy;
    enum catalog_action_type deed;
};

struct world {
    struct rng rng;
    struct catalog *catalog;
    int64_t now;
    struct modelled torrents[NUMBERS];
    /* Durable rows, in no order, and what is to become durable. */
    struct catalog_torrent *rows[NUMBERS * 4];
    uint32_t row_count;
    struct catalog_settings settings;
    torrent_id next_id;
    struct catalog_store_save *line[LINE];
    uint32_t line_length;
    uint32_t crashes, checked_wishes, commits, removals, moves;
};

static uint32_t below(struct world *world, uint32_t bound)
{
    return rng_below(&world->rng, bound);
}

static struct modelled *by_id(struct world *world, torrent_id id)
{
    for (uint32_t i = 0; i < NUMBERS; i++)
        if (world->torrents[i].id == id)
            return &world->torrents[i];
    return NULL;
}

static void note(struct world *world, struct modelled *torrent, enum wish_kind kind, uint32_t value)
{
    struct wish *history = torrent->history[kind];

    if (torrent->count[kind] == HISTORY) {
        /* Older than this one are acknowledged or not: keep the newest half. */
        memmove(history, history + HISTORY / 2, HISTORY / 2 * sizeof *history);
        torrent->count[kind] = HISTORY / 2;
    }
    history[torrent->count[kind]++] = (struct wish){catalog_change(world->catalog), value};
}

/* ---- the disk ---- */

static void put_row(struct world *world, struct catalog_store_save *save)
{
    uint32_t i = 0;

    while (i < world->row_count && world->rows[i]->id != save->torrent.id)
        i++;
    if (save->type == CATALOG_FORGET) {
        if (i == world->row_count)
            return;
        catalog_torrent_deinit(world->rows[i]);
        memory_free(world->rows[i]);
        world->rows[i] = world->rows[--world->row_count];
        return;
    }
    if (i == world->row_count) {
        assert_true(world->row_count < NUMBERS * 4);
        world->rows[world->row_count++] = memory_new(sizeof(struct catalog_torrent));
    } else {
        catalog_torrent_deinit(world->rows[i]);
    }
    *world->rows[i] = save->torrent;
    memset(&save->torrent, 0, sizeof save->torrent);
    if (world->rows[i]->id >= world->next_id)
        world->next_id = world->rows[i]->id + 1;
}

/* Makes the first `count` saves of the line durable. */
static void commit(struct world *world, uint32_t count)
{
    uint64_t change = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct catalog_store_save *save = world->line[i];
        change = save->change;
        if (save->type == CATALOG_SAVE || save->type == CATALOG_FORGET) {
            put_row(world, save);
        } else if (save->type == CATALOG_SAVE_SETTINGS) {
            catalog_settings_deinit(&world->settings);
            world->settings = save->settings;
            memset(&save->settings, 0, sizeof save->settings);
        }
        catalog_store_save_deinit(save);
        memory_free(save);
    }
    memmove(world->line, world->line + count, (world->line_length - count) * sizeof *world->line);
    world->line_length -= count;
    if (count) {
        world->commits++;
        catalog_on_saved(world->catalog, change);
    }
}

static void take(struct world *world, const struct catalog_action *action)
{
    struct catalog_store_save save;
    struct modelled *torrent = by_id(world, action->id);

    if (catalog_store_save_copy(world->catalog, action, &save)) {
        if (world->line_length == LINE)
            commit(world, LINE);
        world->line[world->line_length] = memory_copy(&save, sizeof save);
        world->line_length++;
        return;
    }
    switch (action->type) {
    case CATALOG_OPEN:
    case CATALOG_OPEN_MAGNET:
        assert_non_null(torrent);
        assert_false(torrent->engine_has);
        assert_false(torrent->opening);
        torrent->opening = true;
        break;
    case CATALOG_CLOSE:
        assert_true(torrent->engine_has);
        assert_false(torrent->closing);
        torrent->closing = true;
        break;
    case CATALOG_MOVE:
    case CATALOG_RENAME:
    case CATALOG_DELETE:
        assert_false(torrent->engine_has);
        assert_false(torrent->opening);
        assert_false(torrent->busy);
        torrent->busy = true;
        torrent->deed = action->type;
        break;
    case CATALOG_COMMAND:
        if (action->command.torrent) {
            assert_true(torrent->engine_has);
            assert_false(torrent->closing);
        }
        break;
    case CATALOG_OPTIONS: assert_true(torrent->engine_has); break;
    default: fail();
    }
}

static void pull(struct world *world, uint32_t max)
{
    struct catalog_action action;

    while (max-- > 0 && catalog_output(world->catalog, world->now, &action))
        take(world, &action);
}

/* ---- crash ---- */

static uint32_t value_of(const struct catalog_torrent *row, enum wish_kind kind)
{
    switch (kind) {
    case WISH_RUNNING: return row->wanted_running;
    case WISH_LABEL: return row->label_count ? (uint32_t)atoi(row->labels[0]) : 0;
    case WISH_LIMIT: return (uint32_t)row->wishes.upload_limit;
    case WISH_PRIORITY: return row->priorities ? row->priorities[1] : CATALOG_PRIORITY_NORMAL;
    case WISH_REMOVED: return row->removing;
    case WISH_KINDS: break;
    }
    return 0;
}

/* The newest acknowledged value holds, or one that was wished later. */
static void check_wish(struct world *world, const struct catalog_torrent *row,
                       const struct modelled *torrent, enum wish_kind kind, uint64_t saved)
{
    const struct wish *history = torrent->history[kind];
    uint32_t first = 0;
    bool found = false;

    for (uint32_t i = 0; i < torrent->count[kind]; i++)
        if (history[i].change <= saved)
            first = i;
    if (torrent->count[kind] == 0)
        return;
    if (history[first].change > saved)
        return; /* none of these had been acknowledged */
    for (uint32_t i = first; i < torrent->count[kind]; i++)
        found = found || history[i].value == value_of(row, kind);
    world->checked_wishes++;
    assert_true(found);
}

static bool wish_is_saved(const struct modelled *torrent, enum wish_kind kind, uint64_t saved)
{
    for (uint32_t i = 0; i < torrent->count[kind]; i++)
        if (torrent->history[kind][i].change <= saved)
            return true;
    return false;
}

static void learn_again(struct world *world, struct modelled *torrent)
{
    const struct catalog_torrent *row = catalog_find(world->catalog, torrent->id);

    memset(torrent->count, 0, sizeof torrent->count);
    torrent->engine_has = torrent->opening = torrent->closing = torrent->busy = false;
    torrent->added = 0;
    if (row == NULL) {
        torrent->id = 0;
        return;
    }
    for (enum wish_kind kind = 0; kind < WISH_KINDS; kind++)
        if (kind != WISH_REMOVED || row->removing)
            torrent->history[kind][torrent->count[kind]++] = (struct wish){0, value_of(row, kind)};
}

static void give_rows(struct world *world)
{
    /* Any order will do. */
    rng_shuffle(&world->rng, world->rows, world->row_count, sizeof *world->rows);
    for (uint32_t i = 0; i < world->row_count; i++) {
        struct catalog_store_save copy;
        struct catalog_action action = {.type = CATALOG_SAVE, .torrent = world->rows[i]};
        assert_true(catalog_store_save_copy(world->catalog, &action, &copy));
        catalog_restore(world->catalog, &copy.torrent);
        catalog_store_save_deinit(&copy);
    }
}

static void crash(struct world *world)
{
    uint64_t saved = catalog_saved(world->catalog);

    world->crashes++;
    for (uint32_t i = 0; i < world->line_length; i++) {
        catalog_store_save_deinit(world->line[i]);
        memory_free(world->line[i]);
    }
    world->line_length = 0;
    catalog_free(world->catalog);
    world->catalog = catalog_new(&(struct catalog_options){.now = world->now,
                                                           .wall_s = BENCH_WALL,
                                                           .settings = &world->settings,
                                                           .next_id = world->next_id});
    give_rows(world);
    catalog_restored(world->catalog, world->now);
    catalog_check(world->catalog);
    for (uint32_t i = 0; i < NUMBERS; i++) {
        struct modelled *torrent = &world->torrents[i];
        const struct catalog_torrent *row =
            torrent->id ? catalog_find(world->catalog, torrent->id) : NULL;
        if (torrent->id == 0)
            continue;
        /* Added and acknowledged: there, unless its removal was wished. */
        if (torrent->added <= saved && row == NULL)
            assert_true(torrent->count[WISH_REMOVED] > 0);
        /* Removed and acknowledged: on its way out, or gone. */
        if (row && wish_is_saved(torrent, WISH_REMOVED, saved))
            assert_true(row->removing);
        for (enum wish_kind kind = 0; row && kind < WISH_REMOVED; kind++)
            check_wish(world, row, torrent, kind, saved);
        learn_again(world, torrent);
    }
}

/* ---- wishes ---- */

static void add_one(struct world *world, struct modelled *torrent)
{
    uint32_t number = (uint32_t)(torrent - world->torrents) + 1;
    const struct catalog_torrent *row = NULL;
    struct catalog_add add = {.metainfo = bench_metainfo(number, false),
                              .stopped = below(world, 3) == 0};
    char text[256];

    enum freshet_error error = catalog_add(world->catalog, &add, world->now, text, &row);
    assert_int_equal(error, FRESHET_OK);
    memset(torrent, 0, sizeof *torrent);
    torrent->id = row->id;
    torrent->added = catalog_change(world->catalog);
    note(world, torrent, WISH_RUNNING, row->wanted_running);
    note(world, torrent, WISH_LABEL, 0);
    note(world, torrent, WISH_LIMIT, 0);
    note(world, torrent, WISH_PRIORITY, CATALOG_PRIORITY_NORMAL);
}

static void set_label(struct world *world, struct modelled *torrent)
{
    uint32_t value = 1 + below(world, 1000);
    char label[16];

    snprintf(label, sizeof label, "%u", value);
    catalog_set_labels(world->catalog, torrent->id, (const char *[]){label}, 1, world->now);
    note(world, torrent, WISH_LABEL, value);
}

static void set_limit(struct world *world, struct modelled *torrent)
{
    struct catalog_wishes wishes = catalog_find(world->catalog, torrent->id)->wishes;

    wishes.upload_limit = 1 + below(world, 1000);
    wishes.upload_limited = true;
    catalog_set_wishes(world->catalog, torrent->id, &wishes, world->now);
    note(world, torrent, WISH_LIMIT, (uint32_t)wishes.upload_limit);
}

static void move_in_queue(struct world *world, struct modelled *torrent)
{
    torrent_id ids[4] = {torrent->id};

    for (uint32_t i = 1; i < 4; i++)
        ids[i] = world->torrents[below(world, NUMBERS)].id;
    if (below(world, 2))
        catalog_queue_move(world->catalog, ids, 1 + below(world, 4),
                           (enum catalog_queue_move)below(world, 4), world->now);
    else
        catalog_queue_set(world->catalog, torrent->id, below(world, NUMBERS), world->now);
}

static void change_settings(struct world *world)
{
    struct catalog_settings settings;

    catalog_settings_copy(catalog_settings(world->catalog), &settings);
    settings.download_queue = below(world, 8);
    settings.download_queue_enabled = below(world, 4) != 0;
    settings.seed_queue = below(world, 8);
    settings.seed_queue_enabled = below(world, 2);
    settings.queue_stalled_enabled = below(world, 2);
    settings.queue_stalled_minutes = below(world, 3);
    settings.ratio_limited = false;
    settings.incomplete_enabled = below(world, 2);
    memory_free(settings.incomplete_folder);
    settings.incomplete_folder = memory_copy("/half", 6);
    catalog_set_settings(world->catalog, &settings, world->now);
    catalog_settings_deinit(&settings);
}

static void wish(struct world *world, struct modelled *torrent)
{
    struct catalog *catalog = world->catalog;
    torrent_id id = torrent->id;
    char folder[16];

    /* Who is going does not take wishes. */
    if (catalog_find(catalog, id)->removing)
        return;
    switch (below(world, 11)) {
    case 0:
    case 1:
        catalog_start(catalog, id, below(world, 4) == 0, world->now);
        note(world, torrent, WISH_RUNNING, true);
        break;
    case 2:
        catalog_stop(catalog, id, world->now);
        note(world, torrent, WISH_RUNNING, false);
        break;
    case 3: set_label(world, torrent); break;
    case 4: set_limit(world, torrent); break;
    case 5: {
        uint8_t priorities[2] = {4, (uint8_t)below(world, 8)};
        assert_int_equal(catalog_set_priorities(catalog, id, priorities, world->now), FRESHET_OK);
        note(world, torrent, WISH_PRIORITY, priorities[1]);
        break;
    }
    case 6: move_in_queue(world, torrent); break;
    case 7: catalog_recheck(catalog, id, world->now); break;
    case 8:
        snprintf(folder, sizeof folder, "/place-%u", below(world, 4));
        world->moves +=
            catalog_relocate(catalog, id, folder, below(world, 3) != 0, world->now) == FRESHET_OK;
        break;
    case 9:
        if (below(world, 3))
            break;
        catalog_remove(catalog, id, below(world, 2), world->now);
        note(world, torrent, WISH_REMOVED, true);
        world->removals++;
        break;
    default: catalog_rename(catalog, id, "a", below(world, 2) ? "b" : "c", world->now); break;
    }
}

/* ---- facts ---- */

static void tell(struct world *world, torrent_id id, enum notice_type type)
{
    catalog_on_notice(world->catalog,
                      &(struct notice){.type = type,
                                       .torrent = id,
                                       .error = FRESHET_ERROR_IO,
                                       .file = UINT32_MAX,
                                       .url = BYTES_LITERAL("http://t.example/x")},
                      world->now);
}

static void end_deed(struct world *world, struct modelled *torrent, enum freshet_error error)
{
    torrent->busy = false;
    if (torrent->deed == CATALOG_DELETE)
        catalog_on_deleted(world->catalog, torrent->id, FRESHET_OK, NULL, world->now);
    else
        catalog_on_moved(world->catalog, torrent->id, error, NULL, world->now);
}

static void fact(struct world *world, struct modelled *torrent)
{
    static const enum notice_type notices[] = {
        NOTICE_CHECKING,      NOTICE_READY,          NOTICE_COMPLETE,       NOTICE_DISK_FULL,
        NOTICE_DISK_RESUMED,  NOTICE_STORAGE_ABSENT, NOTICE_PERSIST_FAILED, NOTICE_TRACKER_OK,
        NOTICE_TRACKER_ERROR, NOTICE_READY,          NOTICE_READY};
    torrent_id id = torrent->id;
    enum freshet_error error = below(world, 5) ? FRESHET_OK : FRESHET_ERROR_NO_SPACE;

    if (torrent->busy) {
        end_deed(world, torrent, error);
    } else if (torrent->opening) {
        torrent->opening = false;
        torrent->engine_has = error == FRESHET_OK;
        catalog_on_opened(world->catalog, id, error, NULL, world->now);
    } else if (torrent->closing) {
        torrent->closing = torrent->engine_has = false;
        tell(world, id, NOTICE_REMOVED);
    } else if (torrent->engine_has && below(world, 30) == 0) {
        tell(world, id, NOTICE_ERROR);
    } else if (torrent->engine_has && below(world, 2)) {
        tell(world, id, notices[below(world, sizeof notices / sizeof *notices)]);
    } else if (torrent->engine_has) {
        struct torrent_status status = bench_status(below(world, 3) ? 50000 : below(world, 50000));
        status.downloaded = below(world, 100000);
        catalog_sample_take(world->catalog, catalog_rows_find(world->catalog, id), &status,
                            world->now);
    }
    /* It may be gone with that. */
    if (catalog_find(world->catalog, id) == NULL)
        torrent->count[WISH_REMOVED] += torrent->count[WISH_REMOVED] == 0;
}

static void step(struct world *world)
{
    struct modelled *torrent = &world->torrents[below(world, NUMBERS)];
    bool there = torrent->id && catalog_find(world->catalog, torrent->id);
    uint32_t what = below(world, 100);

    world->now += below(world, 20) * SECOND_NS;
    if (!there && torrent->id && torrent->count[WISH_REMOVED]) {
        /* Forgotten in this run; the model waits until that is durable before it adds it anew, or
         * a crash would bring back two. */
        if (world->line_length == 0)
            torrent->id = 0;
    } else if (!there) {
        add_one(world, torrent);
    } else if (what < 45) {
        wish(world, torrent);
    } else if (what < 85) {
        fact(world, torrent);
    }
    if (what == 99)
        change_settings(world);
    if (what < 60)
        pull(world, below(world, 6));
    if (what % 7 == 0)
        commit(world, world->line_length ? below(world, world->line_length + 1) : 0);
    catalog_tick(world->catalog, world->now);
    catalog_check(world->catalog);
    if (below(world, 200) == 0)
        crash(world);
}

static void begin(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof *world);
    rng_init(&world->rng, seed);
    world->settings = bench_settings();
    world->next_id = 1;
    world->now = 1000 * SECOND_NS;
    world->catalog = catalog_new(&(struct catalog_options){
        .now = world->now, .wall_s = BENCH_WALL, .settings = &world->settings, .next_id = 1});
    catalog_restored(world->catalog, world->now);
}

static void end(struct world *world)
{
    commit(world, world->line_length);
    catalog_free(world->catalog);
    for (uint32_t i = 0; i < world->row_count; i++) {
        catalog_torrent_deinit(world->rows[i]);
        memory_free(world->rows[i]);
    }
    catalog_settings_deinit(&world->settings);
}

/* Left alone, everything comes to rest: no deed is stuck, nobody is half open. */
static void settle(struct world *world)
{
    bool busy = true;

    for (uint32_t turn = 0; turn < 1000 && busy; turn++) {
        pull(world, UINT32_MAX);
        commit(world, world->line_length);
        busy = world->line_length > 0;
        for (uint32_t i = 0; i < NUMBERS; i++) {
            struct modelled *torrent = &world->torrents[i];
            if (torrent->id == 0 || !(torrent->busy || torrent->opening || torrent->closing))
                continue;
            busy = true;
            fact(world, torrent);
        }
    }
    assert_false(busy);
    catalog_check(world->catalog);
    for (uint32_t i = 0; i < catalog_count(world->catalog); i++) {
        const struct catalog_torrent *row = catalog_at(world->catalog, i);
        assert_false(row->removing);
        assert_null(row->move_to);
        assert_null(row->rename_name);
        assert_int_equal(row->open, row->phase == CATALOG_CHECKING ||
                                        row->phase == CATALOG_DOWNLOADING ||
                                        row->phase == CATALOG_SEEDING);
    }
    assert_int_equal(catalog_saved(world->catalog), catalog_change(world->catalog));
}

static void catalog_loses_no_acknowledged_wish_in_random_crashes(void **state)
{
    static struct world world;

    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        begin(&world, seed);
        for (uint32_t i = 0; i < STEPS; i++)
            step(&world);
        settle(&world);
        /* The run did what it is for. */
        assert_true(world.crashes >= 20);
        assert_true(world.checked_wishes >= 500);
        assert_true(world.removals >= 20);
        assert_true(world.moves >= 50);
        end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalog_loses_no_acknowledged_wish_in_random_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

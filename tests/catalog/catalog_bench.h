/* SPDX-License-Identifier: MIT */
/*
 * A catalog on a bench: the test is the host and the engine. bench_run takes what comes out and
 * does it at once (saves become durable, openings succeed, removals are told) unless a field says
 * otherwise, and counts all of it.
 */
#ifndef FRESHET_TESTS_CATALOG_BENCH_H
#define FRESHET_TESTS_CATALOG_BENCH_H

#include "core/base/memory.h"
#include "services/catalog/catalog_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BENCH_WALL 1700000000

struct bench {
    struct catalog *catalog;
    int64_t now;
    bool holds_saves;  /* they come out, and are not durable yet */
    bool holds_opens;  /* the host has not opened it yet */
    bool holds_closes; /* the engine is still closing */
    bool holds_deeds;  /* moves, renamings and deletions take a while */
    enum freshet_error open_error, move_error, delete_error;
    uint64_t held_change;
    torrent_id held_open, held_close, held_deed;
    uint32_t counts[CATALOG_OPTIONS + 1];
    enum catalog_action_type order[64]; /* of what came out last, without saves */
    torrent_id order_ids[64];
    uint32_t order_count;
    uint32_t row_saves; /* CATALOG_SAVE only */
    uint32_t counted;   /* of them: only_counted */
    struct torrent_options options;
    char options_root[256];
    bool forget_record;
    struct engine_command command; /* the last one of a torrent */
    struct engine_command session; /* the last SET_LIMITS of all */
    char path[256], name[256];     /* of the last renaming */
    char urls[8][128];
    uint32_t url_count;
    bool add_trackers;
    size_t torrent_file_length; /* of the last that was to be kept */
};

static inline void bench_begin_with(struct bench *bench, const struct catalog_settings *settings)
{
    memset(bench, 0, sizeof *bench);
    bench->now = 1000 * SECOND_NS;
    bench->catalog = catalog_new(&(struct catalog_options){
        .now = bench->now, .wall_s = BENCH_WALL, .settings = settings, .next_id = 1});
}

static inline struct catalog_settings bench_settings(void)
{
    struct catalog_settings settings;

    catalog_settings_defaults(&settings);
    settings.download_folder = memory_copy("/data", 6);
    return settings;
}

static inline void bench_begin(struct bench *bench)
{
    struct catalog_settings settings = bench_settings();

    bench_begin_with(bench, &settings);
    catalog_settings_deinit(&settings);
    catalog_restored(bench->catalog, bench->now);
}

static inline void bench_end(struct bench *bench)
{
    catalog_check(bench->catalog);
    catalog_free(bench->catalog);
}

static inline void bench_tell(struct bench *bench, torrent_id id, enum notice_type type)
{
    catalog_on_notice(bench->catalog,
                      &(struct notice){.type = type, .torrent = id, .file = UINT32_MAX},
                      bench->now);
}

static inline void bench_note(struct bench *bench, const struct catalog_action *action)
{
    if (bench->order_count == 64) {
        memmove(bench->order, bench->order + 1, 63 * sizeof *bench->order);
        memmove(bench->order_ids, bench->order_ids + 1, 63 * sizeof *bench->order_ids);
        bench->order_count--;
    }
    bench->order[bench->order_count] = action->type;
    bench->order_ids[bench->order_count++] = action->id;
}

static inline void bench_do(struct bench *bench, const struct catalog_action *action)
{
    switch (action->type) {
    case CATALOG_OPEN:
    case CATALOG_OPEN_MAGNET:
        bench->options = action->options;
        snprintf(bench->options_root, sizeof bench->options_root, "%s", action->options.root);
        bench->forget_record = action->forget_record;
        bench->held_open = action->id;
        if (!bench->holds_opens)
            catalog_on_opened(bench->catalog, action->id, bench->open_error, NULL, bench->now);
        break;
    case CATALOG_CLOSE:
        bench->held_close = action->id;
        if (!bench->holds_closes)
            bench_tell(bench, action->id, NOTICE_REMOVED);
        break;
    case CATALOG_COMMAND:
        *(action->command.torrent ? &bench->command : &bench->session) = action->command;
        break;
    case CATALOG_TELL_TRACKERS:
        assert_true(action->url_count > 0 && action->urls[0][0] != '\0');
        break;
    case CATALOG_OPTIONS: bench->options = action->options; break;
    case CATALOG_RENAME:
        snprintf(bench->path, sizeof bench->path, "%s", action->path);
        snprintf(bench->name, sizeof bench->name, "%s", action->name);
        /* fall through */
    case CATALOG_MOVE:
        bench->held_deed = action->id;
        if (!bench->holds_deeds)
            catalog_on_moved(bench->catalog, action->id, bench->move_error, NULL, bench->now);
        break;
    case CATALOG_DELETE:
        bench->held_deed = action->id;
        if (!bench->holds_deeds)
            catalog_on_deleted(bench->catalog, action->id, bench->delete_error, NULL, bench->now);
        break;
    default: break;
    }
}

static inline void bench_save(struct bench *bench, const struct catalog_action *action)
{
    if (action->type == CATALOG_SAVE) {
        bench->row_saves++;
        bench->counted += action->only_counted;
        if (action->torrent_file.length)
            bench->torrent_file_length = action->torrent_file.length;
    }
    if (action->type == CATALOG_TRACKERS) {
        bench->url_count = action->url_count < 8 ? action->url_count : 8;
        bench->add_trackers = action->add_trackers;
        for (uint32_t i = 0; i < bench->url_count; i++)
            snprintf(bench->urls[i], sizeof bench->urls[i], "%s", action->urls[i]);
    }
    bench->held_change = action->change;
    if (!bench->holds_saves)
        catalog_on_saved(bench->catalog, action->change);
}

static inline bool bench_is_save(const struct catalog_action *action)
{
    return action->type == CATALOG_SAVE || action->type == CATALOG_SAVE_SETTINGS ||
           action->type == CATALOG_FORGET || action->type == CATALOG_TRACKERS;
}

static inline void bench_run(struct bench *bench)
{
    struct catalog_action action;

    while (catalog_output(bench->catalog, bench->now, &action)) {
        bench->counts[action.type]++;
        if (bench_is_save(&action)) {
            bench_save(bench, &action);
        } else {
            bench_note(bench, &action);
            bench_do(bench, &action);
        }
    }
    catalog_check(bench->catalog);
}

/* Forgets what was counted. */
static inline void bench_clear(struct bench *bench)
{
    memset(bench->counts, 0, sizeof bench->counts);
    bench->order_count = bench->row_saves = bench->counted = 0;
    bench->url_count = 0;
    memset(&bench->command, 0, sizeof bench->command);
}

static inline void bench_pass(struct bench *bench, int64_t seconds)
{
    bench->now += seconds * SECOND_NS;
    while (catalog_deadline(bench->catalog) <= bench->now)
        catalog_tick(bench->catalog, bench->now);
    bench_run(bench);
}

/* v1 torrents, told apart by `number`: two files of 40,000 and 10,000 bytes. */
static inline struct metainfo *bench_metainfo(unsigned number, bool is_private)
{
    static const char tracker[] = "http://tracker.example/announce";
    struct buffer torrent = {0};
    struct metainfo *metainfo = NULL;
    char reason[METAINFO_REASON_SIZE], name[32];

    snprintf(name, sizeof name, "torrent-%08u", number);
    buffer_append_text(&torrent, "d8:announce31:");
    buffer_append_text(&torrent, tracker);
    buffer_append_text(&torrent, "4:infod5:filesld6:lengthi40000e4:pathl1:aee"
                                 "d6:lengthi10000e4:pathl1:beee4:name16:");
    buffer_append_text(&torrent, name);
    buffer_append_text(&torrent, "12:piece lengthi32768e6:pieces40:"
                                 "0123456789012345678901234567890123456789");
    buffer_append_text(&torrent, is_private ? "7:privatei1eee" : "ee");
    if (metainfo_parse(buffer_bytes(&torrent), &metainfo, reason) != FRESHET_OK) {
        fprintf(stderr, "%s\n", reason);
        abort();
    }
    buffer_deinit(&torrent);
    return metainfo;
}

static inline torrent_id bench_add_with(struct bench *bench, unsigned number,
                                        struct catalog_add add)
{
    const struct catalog_torrent *torrent = NULL;
    char text[256];

    add.metainfo = bench_metainfo(number, false);
    if (catalog_add(bench->catalog, &add, bench->now, text, &torrent) != FRESHET_OK) {
        fprintf(stderr, "%s\n", text);
        abort();
    }
    bench_run(bench);
    return torrent->id;
}

static inline torrent_id bench_add(struct bench *bench, unsigned number)
{
    return bench_add_with(bench, number, (struct catalog_add){0});
}

static inline const struct catalog_torrent *bench_row(struct bench *bench, torrent_id id)
{
    const struct catalog_torrent *torrent = catalog_find(bench->catalog, id);
    if (!torrent)
        abort();
    return torrent;
}

/* A sample of a torrent with so many of its 50,000 bytes. */
static inline struct torrent_status bench_status(uint64_t verified)
{
    return (struct torrent_status){.phase = verified == 50000 ? PHASE_SEEDING : PHASE_DOWNLOADING,
                                   .wanted_bytes = 50000,
                                   .total_bytes = 50000,
                                   .verified_bytes = verified,
                                   .durable_bytes = verified,
                                   .complete = verified == 50000};
}

static inline void bench_sample(struct bench *bench, torrent_id id,
                                const struct torrent_status *status)
{
    struct catalog_row *row = catalog_rows_find(bench->catalog, id);

    if (row->torrent.open)
        catalog_sample_take(bench->catalog, row, status, bench->now);
    bench_run(bench);
}

/* Opened, checked, and with so many bytes. */
static inline void bench_ready(struct bench *bench, torrent_id id, uint64_t verified)
{
    struct torrent_status status = bench_status(verified);

    bench_tell(bench, id, NOTICE_READY);
    bench_sample(bench, id, &status);
}

/* An added torrent that is a seed. */
static inline torrent_id bench_add_seed(struct bench *bench, unsigned number)
{
    torrent_id id = bench_add(bench, number);

    bench_ready(bench, id, 50000);
    return id;
}

#endif

/* SPDX-License-Identifier: MIT */
/*
 * What the files of the catalog share. Only services/catalog/catalog*.c and its tests include it.
 *
 * A row goes through catalog_queue_settle after whatever may change what it should be doing: that
 * one function says in which queue it is, whether it has a place there, and whether the engine
 * should have it. Everything else only sets facts and wishes.
 */
#ifndef FRESHET_CATALOG_CATALOG_STATE_H
#define FRESHET_CATALOG_CATALOG_STATE_H

#include "core/base/heap.h"
#include "core/base/list.h"
#include "core/base/map.h"
#include "services/catalog/catalog.h"
#include "services/catalog/catalog_groups.h"

#define CATALOG_CHECKS_MAX     2u    /* torrents that are hashed anew at a time */
#define CATALOG_OPENING_MAX    16u   /* handed to the host to be opened, without an answer yet */
#define CATALOG_REMOVED_KEPT   4096u /* ids that a delta can still tell of */
#define CATALOG_TEXT_MAX       1023u /* bytes of a trouble in words */
#define CATALOG_LABEL_LENGTH   255u
#define CATALOG_RENAMINGS_MAX  1000u
#define CATALOG_COUNTERS_NS    (60 * SECOND_NS)  /* traffic is saved at most so often, */
#define CATALOG_SECONDS_NS     (600 * SECOND_NS) /* and so often where only time went by */
#define CATALOG_TICK_ROWS      256u              /* rows whose counters one tick puts to be saved */
#define CATALOG_CHECK_WAIT     30u               /* samples until a check counts as over */
#define CATALOG_NOTHING_NS     (5 * SECOND_NS)   /* without payload: nothing comes */
#define CATALOG_REACH_EVERY    8u                /* samples: who has what is asked so often */
#define CATALOG_HOLES_NS       SECOND_NS
#define CATALOG_QUEUE_GAP      (INT64_C(1) << 32)
#define CATALOG_MINUTES_WEEK   (7u * 1440u)
#define CATALOG_MINUTE_UNKNOWN UINT32_MAX

enum catalog_queue { QUEUE_NONE, QUEUE_CHECK, QUEUE_DOWNLOAD, QUEUE_SEED, QUEUE_COUNT };

/* What is to come out of catalog_output as a save, oldest first. */
struct catalog_save {
    struct list_node node;
    uint64_t first_change; /* the first one that has not come out */
};

/* Commands that an open torrent still has to get. */
enum {
    COMMAND_BIT_LIMITS = 1,
    COMMAND_BIT_PRIORITIES = 2,
    COMMAND_BIT_ANNOUNCE = 4,
    COMMAND_BIT_RESUME = 8,
    COMMAND_BIT_OPTIONS = 16,
    COMMAND_BIT_TRACKERS = 32, /* urls stay until they are told */
};

/* Bytes a second. */
struct catalog_rates {
    uint64_t up, down;
};

struct catalog_row {
    struct catalog_torrent torrent; /* first: what the world sees of it */
    struct catalog_save save;
    bool gone; /* taken out of everything but the list of saves: CATALOG_FORGET */

    enum catalog_queue queue;
    bool has_place; /* in its queue: it may run */
    bool counted;   /* among its queue's active ones: neither forced nor stalled */
    bool stalled;
    struct heap_node waiting; /* by queue_order, while it has no place */
    uint32_t place;           /* index in catalog->queue_rows */

    struct list_node in_work;    /* something to come out may be there */
    struct list_node in_to_open; /* to be opened when others are */
    struct list_node in_gated;   /* waits for `gate` to be durable */
    struct list_node in_open;    /* in the engine: is sampled */
    uint64_t gate;
    unsigned commands;   /* COMMAND_BIT_* */
    bool busy;           /* a move, renaming or deletion is in the host's hands */
    bool deleted;        /* its data are */
    bool halted;         /* a local trouble stopped it, until somebody starts it again */
    bool words_stay;     /* of a move that failed: until somebody starts or moves it */
    bool opened_paused;  /* for a check, without being allowed to run */
    bool check_begun;    /* opened with forget_record */
    bool reopen;         /* the engine has it as a link, and is to get it as a torrent */
    bool ready;          /* the engine said so since it was opened */
    uint32_t check_wait; /* samples since then */
    int64_t received_ns; /* when payload came last, in this run of it */
    uint32_t looks;      /* samples in which nothing came, since then */
    bool nobody_has;     /* of who is connected, as it was looked at last */

    struct buffer torrent_file; /* to be kept with the next save */
    char **urls;                /* trackers to be set with it */
    uint32_t *tiers;
    uint32_t url_count;
    bool has_urls, add_urls;

    struct heap_node counters; /* when what was counted is saved */
    bool only_counted;         /* nothing else has changed since it was saved */
    uint64_t sampled_uploaded, sampled_downloaded, sampled_corrupt;
    struct catalog_rates shared, in_group; /* its part of the catalog's, and of its group's */
    uint32_t group;                        /* the number of that one, or 0 */
    int64_t sampled_ns, part_ns;
};

struct catalog_removed {
    uint64_t revision;
    torrent_id id;
};

struct catalog {
    int64_t wall_s, wall_ns; /* wall clock, and when it was told */
    struct catalog_settings settings;
    char *shut; /* why no peer is let in; NULL: they are */
    torrent_id next_id;

    struct catalog_row **rows; /* by id, ascending */
    uint32_t count, capacity;
    struct map by_id;   /* torrent_id */
    struct map by_hash; /* first 20 bytes of v1, and of v2 */
    /* In the queue's order. A row that has gone leaves NULL for a while: closing costs a walk. */
    struct catalog_row **queue_rows;
    uint32_t queue_count, queue_capacity;
    int64_t holes_ns; /* when its holes are closed; HEAP_NEVER: it has none */
    bool restoring, shut_down;

    uint64_t revision;
    struct catalog_removed removed[CATALOG_REMOVED_KEPT];
    uint64_t removed_count; /* ever */

    uint64_t change, saved;
    struct list saves; /* struct catalog_save */
    struct catalog_save settings_save;

    struct catalog_rates shared;                         /* of all that the limits of all hold */
    struct catalog_rates groups[CATALOG_GROUPS_MAX + 1]; /* of those in each, by its number */
    uint32_t active[QUEUE_COUNT];
    struct heap waiting[QUEUE_COUNT];
    struct list work, to_open, gated, open_rows;
    uint32_t opening;
    uint32_t sample_left;
    struct heap counters;

    bool limits_due;      /* of all: COMMAND_SET_LIMITS is to come out */
    uint32_t groups_told; /* that many of them have come out */
    uint32_t minute_of_week;
    bool was_in_window;

    struct catalog_row *lent; /* its trackers or .torrent lie in the last action */
    struct catalog_row *dead; /* to be freed at the next output */
};

static inline struct catalog_row *catalog_row_of(const struct catalog_torrent *torrent)
{
    return (struct catalog_row *)(void *)(uintptr_t)torrent;
}

/* catalog_rows.c: life of a row, and what a change of it means. */
struct catalog_row *catalog_rows_find(const struct catalog *catalog, torrent_id id);
struct catalog_row *catalog_rows_by_hash(const struct catalog *catalog, const uint8_t *hash,
                                         size_t length);
struct catalog_row *catalog_rows_new(struct catalog *catalog, torrent_id id);
/* Puts it under its hashes; false: one of them is another row's already. */
bool catalog_rows_name(struct catalog *catalog, struct catalog_row *row);
void catalog_rows_insert(struct catalog *catalog, struct catalog_row *row);
/* Takes it out of everything; CATALOG_FORGET comes out, then it is freed. */
void catalog_rows_forget(struct catalog *catalog, struct catalog_row *row, int64_t now);
void catalog_rows_free(struct catalog_row *row);
/* Somebody could see it. */
void catalog_rows_touch(struct catalog *catalog, struct catalog_row *row);
/* It is to be saved. */
void catalog_rows_save(struct catalog *catalog, struct catalog_row *row);
/* Both. */
void catalog_rows_change(struct catalog *catalog, struct catalog_row *row);
void catalog_rows_save_settings(struct catalog *catalog);
/* Saved by itself within that time, with others. */
void catalog_rows_save_later(struct catalog *catalog, struct catalog_row *row, int64_t now,
                             int64_t within_ns);
void catalog_rows_set_text(char **text, const char *value);
void catalog_rows_set_trouble(struct catalog *catalog, struct catalog_row *row,
                              enum catalog_trouble trouble, const char *text, int64_t now);
void catalog_rows_free_urls(struct catalog_row *row);
int64_t catalog_rows_wall(const struct catalog *catalog, int64_t now);
/* Sizes, hashes, names that the metainfo knows. */
void catalog_rows_describe(struct catalog_row *row, const struct metainfo *metainfo);
uint64_t catalog_rows_wanted_bytes(const struct metainfo *metainfo, const uint8_t *priorities);

/* catalog_queue.c */
void catalog_queue_settle(struct catalog *catalog, struct catalog_row *row, int64_t now);
void catalog_queue_append(struct catalog *catalog, struct catalog_row *row);
void catalog_queue_drop(struct catalog *catalog, struct catalog_row *row, int64_t now);
void catalog_queue_close_holes(struct catalog *catalog);
/* Whether it counts follows from forced and stalled. */
void catalog_queue_recount(struct catalog *catalog, struct catalog_row *row, int64_t now);
/* Limits have changed: who is too many waits, who has a place goes on. */
void catalog_queue_refit(struct catalog *catalog, int64_t now);
/* After restoring: order and dense positions. */
void catalog_queue_sort(struct catalog *catalog);
uint32_t catalog_queue_max(const struct catalog *catalog, enum catalog_queue queue);
void catalog_queue_check(const struct catalog *catalog);

/* catalog_past.c: may it be added so? Renames the metainfo on the way. Then, into its row. */
enum freshet_error catalog_past_check(const struct catalog_add *add, char ret_text[256]);
void catalog_past_apply(struct catalog_torrent *torrent, const struct catalog_past *past);

/* catalog_goals.c */
/* Whether a seed has done enough; `ret_text`: what it reached. */
bool catalog_goals_reached(const struct catalog *catalog, const struct catalog_row *row,
                           int64_t now, const char **ret_text);
bool catalog_goals_ratio_reached(const struct catalog *catalog, const struct catalog_row *row);

/* catalog_sample.c */
void catalog_sample_take(struct catalog *catalog, struct catalog_row *row,
                         const struct torrent_status *status, int64_t now);
void catalog_sample_begin(struct catalog_row *row, int64_t now);
/* It is closed. */
void catalog_sample_end(struct catalog *catalog, struct catalog_row *row);

/* catalog_facts.c */
void catalog_facts_complete(struct catalog *catalog, struct catalog_row *row, bool complete,
                            int64_t now);

/* catalog_schedule.c */
void catalog_schedule_apply(struct catalog *catalog);
void catalog_schedule_limits(const struct catalog *catalog, uint64_t *ret_upload,
                             uint64_t *ret_download);

/* catalog_output.c */
void catalog_output_work(struct catalog *catalog, struct catalog_row *row);
void catalog_output_options(const struct catalog *catalog, const struct catalog_row *row,
                            struct torrent_options *ret_options);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Every torrent that a daemon keeps, whether it runs or not: a row each, the settings of all, and
 * the decisions that follow: who runs and who waits (queues), when a seed has done enough, which
 * limit holds at this hour. The rows are written by the catalog alone and read by everybody.
 *
 * A machine: wishes come in as calls, facts as catalog_on_*, what it wants done is pulled with
 * catalog_output. Every change of a row makes a CATALOG_SAVE come out, and gives the change a
 * number (catalog_change); a wish may be called done when catalog_on_saved has told of that number,
 * because only then a power cut cannot undo it.
 *
 * A torrent that is stopped or waits in a queue costs its row: the engine does not know it. It is
 * in the engine ("open") while it runs, is checked, or fetches its metadata.
 */
#ifndef FRESHET_CATALOG_CATALOG_H
#define FRESHET_CATALOG_CATALOG_H

#include "core/engine/engine.h"

struct catalog;

/* ---- rows ---- */

enum catalog_phase {
    CATALOG_STOPPED,
    CATALOG_WAIT_CHECK, /* in the queue to be checked */
    CATALOG_CHECKING,
    CATALOG_WAIT_DOWNLOAD, /* in the queue of downloads */
    CATALOG_DOWNLOADING,   /* metadata too: then `metadata_missing` */
    CATALOG_WAIT_SEED,
    CATALOG_SEEDING,
    CATALOG_MOVING, /* its data are on the way to another folder */
    CATALOG_REMOVING,
};

/* Why it does not go on, or not as it should. TROUBLE_TRACKER runs on. */
enum catalog_trouble {
    TROUBLE_NONE,
    TROUBLE_TRACKER_WARNING,
    TROUBLE_TRACKER,
    TROUBLE_LOCAL, /* disk full, storage absent, unreadable, bad state: `trouble_text` says */
};

enum catalog_goal_mode { GOAL_GLOBAL, GOAL_OWN, GOAL_UNLIMITED };

#define CATALOG_PRIORITY_UNWANTED 0
#define CATALOG_PRIORITY_LOW      1
#define CATALOG_PRIORITY_NORMAL   4 /* as the engine's file priorities: 0..7 */
#define CATALOG_PRIORITY_HIGH     7

/* What a person may set of one torrent. Rates in bytes a second. */
struct catalog_wishes {
    uint64_t upload_limit, download_limit;
    bool upload_limited, download_limited;
    bool honors_session_limits; /* default true */
    bool sequential, super_seed;
    int8_t bandwidth_priority; /* -1, 0, 1 */
    uint32_t peers_max;        /* 0: the session's */
    uint32_t upload_slots;     /* 0: the session's */
    enum transport transport;  /* of its peers' connections */
    enum catalog_goal_mode ratio_mode, idle_mode;
    double ratio;
    uint32_t idle_minutes;
    int64_t seed_time_s; /* -1: no goal */
};

struct catalog_torrent {
    torrent_id id; /* the engine's number and the RPC's; from 1; never used twice in one state */
    bool has_v1, has_v2, is_private;
    uint8_t v1[20], v2[32];
    uint8_t key[32];   /* info-hash as records have it: v2, else v1 and zeros */
    char hash[65];     /* hex by which people call it: v1 when there is one, else v2 */
    char *name;        /* shown; never NULL */
    char *folder;      /* where its data are now (absolute; holds its name) */
    char *folder_done; /* where they go when it is complete; NULL: they stay */
    char *move_to;     /* CATALOG_MOVING: the target; a move under way survives a restart */
    char *rename_path, *rename_name; /* a renaming under way, which survives a restart too */
    /* Renamings that were done, oldest first: metainfo_rename with each gives the metainfo as it is
     * on the disk. Whoever loads the .torrent does that. */
    char **renamed_paths, **renamed_names;
    uint32_t renamed_count;
    char *magnet; /* while metadata_missing: the link; else NULL */
    bool metadata_missing;
    bool choose_files; /* stop when the metadata are there, for files to be chosen; until it is
                          started then */

    bool wanted_running; /* what the person asked for: started or stopped */
    bool force_start;    /* beyond the queues */
    bool wants_check;
    enum catalog_phase phase;
    bool removing, remove_data; /* is going; survives a restart */
    bool finished;              /* it stopped because a goal of seeding was reached */
    int64_t queue_order;        /* what queue_position follows from: with gaps, so that a move in
                                   the queue changes (and saves) only the rows that moved */
    uint32_t queue_position;    /* 0 first; dense over all torrents, but for up to a second
                                   after one has gone */
    char **labels;
    uint32_t label_count;
    char *bandwidth_group; /* NULL: none; one that nobody made holds nothing */
    struct catalog_wishes wishes;
    uint8_t *priorities; /* file_count entries; NULL: all normal. Unknown before the metadata */
    uint8_t *made;       /* file_count entries: 1 when freshet made the file; NULL: not known */
    uint32_t file_count, piece_count, piece_length;

    int64_t added_s, done_s, started_s, edited_s, active_s; /* unix seconds; 0: never */
    uint64_t uploaded, downloaded, corrupt;                 /* payload, all runs */
    uint64_t seconds_downloading, seconds_seeding;
    uint64_t total_bytes, wanted_bytes, verified_bytes; /* as last known */
    bool complete;                                      /* everything wanted is durable */
    enum catalog_trouble trouble;
    char *trouble_text; /* NULL: none */

    /* Of this run, never saved. */
    bool open; /* in the engine */
    bool opening, closing;
    struct torrent_status status; /* of the last catalog_sample; pieces is NULL */
    int64_t idle_since_ns;
    uint64_t revision; /* of the last change that anybody could see; see catalog_revision */
};

/* ---- settings of all ---- */

/* One week's alternative limits: Transmission's alt-speed. */
struct catalog_schedule {
    bool enabled;
    uint32_t begin_minute, end_minute; /* of the day, local time */
    uint8_t days;                      /* bit 0 Sunday .. bit 6 Saturday */
};

struct catalog_settings {
    char *download_folder;
    char *incomplete_folder; /* NULL or "": none; used when incomplete_enabled */
    bool incomplete_enabled;
    bool part_suffix;    /* ".part" while a file is not complete */
    bool start_added;    /* default true */
    bool trash_original; /* delete a .torrent file that was added from a watch folder */
    uint64_t upload_limit, download_limit; /* bytes a second */
    bool upload_limited, download_limited;
    uint64_t alt_upload_limit, alt_download_limit;
    bool alt_enabled; /* now, by hand or by the schedule */
    struct catalog_schedule schedule;
    bool ratio_limited, idle_limited;
    double ratio;
    uint32_t idle_minutes;
    bool download_queue_enabled, seed_queue_enabled; /* true, false */
    uint32_t download_queue, seed_queue;             /* active ones at most: 5, 10 */
    bool queue_stalled_enabled; /* a torrent without traffic for that long does not count */
    uint32_t queue_stalled_minutes;
    uint32_t peers_max, peers_per_torrent;
    uint32_t upload_slots; /* of a torrent that says none; 0: as the upload capacity has it */
    uint16_t peer_port;
    bool pex, dht, lsd, utp, port_mapping;
    uint32_t encryption; /* enum encryption */
    char *blocklist_url;
    bool blocklist_enabled;
    char **default_trackers;
    uint32_t default_tracker_count;
    char **watch_folders; /* rules, a line of JSON each: services/intake/intake_rule.h */
    uint32_t watch_folder_count;
    char **bandwidth_groups; /* see catalog_groups.h */
    uint32_t bandwidth_group_count;
    char **feeds; /* the same */
    uint32_t feed_count;
    char **roots; /* of this run, not kept: folders below which who comes over the network may put
                     downloads, beside the two above; see services/rpc/service_folder.h */
    uint32_t root_count;
};

/* ---- life ---- */

struct catalog_options {
    int64_t now, wall_s;
    const struct catalog_settings *settings; /* copied; NULL: defaults, then download_folder must be
                                                set before the first torrent is added */
    torrent_id next_id;
};

struct catalog *catalog_new(const struct catalog_options *options);
void catalog_free(struct catalog *catalog);
void catalog_settings_defaults(struct catalog_settings *ret_settings);
void catalog_settings_copy(const struct catalog_settings *from, struct catalog_settings *ret_to);
/* Of each URL in a copy only what is no secret (url.h) stays. */
void catalog_settings_hide_urls(struct catalog_settings *settings);
void catalog_settings_deinit(struct catalog_settings *settings);
/* Frees what a row points at: for rows that are not in a catalog. */
void catalog_torrent_deinit(struct catalog_torrent *torrent);

/* A row as the state had it; takes what it points at. Phases begin anew from wanted_running. */
void catalog_restore(struct catalog *catalog, struct catalog_torrent *row);
/* After the last row: queues are put in order, and torrents begin to run. */
void catalog_restored(struct catalog *catalog, int64_t now);
/* The program ends in order: counters are saved, and nothing but saves comes out from here on. Call
 * it before the engine gets COMMAND_SHUTDOWN, else torrents that are removed would be opened anew.
 */
void catalog_shutdown(struct catalog *catalog, int64_t now);

/* ---- wishes ---- */

/* What another program knows of a torrent that it had before. */
struct catalog_past {
    int64_t added_s, done_s, active_s; /* 0: not known; added_s: now */
    uint64_t uploaded, downloaded, corrupt;
    uint64_t seconds_downloading, seconds_seeding;
    const char *folder_done; /* as the row's; NULL: it stays where it is */
    /* Names that its files have on the disk already, as the row's renamed_*. */
    const char *const *renamed_paths, *const *renamed_names;
    uint32_t renamed_count;
};

#define CATALOG_LABELS_MAX 64u /* of a torrent; further ones are dropped */

struct catalog_add {
    struct metainfo *metainfo; /* taken on success; or NULL, then */
    const char *magnet;        /* a link that magnet_parse took */
    struct bytes torrent;      /* the .torrent, to be kept */
    const char *folder;        /* NULL: the settings' */
    bool stopped, choose_files;
    const char *const *labels;
    uint32_t label_count;
    const struct catalog_wishes *wishes; /* NULL: defaults */
    const uint8_t *priorities;           /* file_count entries or NULL */
    const struct catalog_past *past;     /* NULL: it is new. Else its data are in `folder`, whatever
                                            the settings say of incomplete ones */
};

/* FRESHET_ERROR_EXISTS (or what error.h has for it): it is there already, *ret_torrent is it (and
 * trackers it did not know are added). `ret_text` says what is wrong with anything else. */
enum freshet_error catalog_add(struct catalog *catalog, const struct catalog_add *add, int64_t now,
                               char ret_text[256], const struct catalog_torrent **ret_torrent);
void catalog_remove(struct catalog *catalog, torrent_id id, bool delete_data, int64_t now);
void catalog_start(struct catalog *catalog, torrent_id id, bool force, int64_t now);
void catalog_stop(struct catalog *catalog, torrent_id id, int64_t now);
void catalog_recheck(struct catalog *catalog, torrent_id id, int64_t now);
void catalog_reannounce(struct catalog *catalog, torrent_id id, int64_t now);
/* `move`: the data too; else they are looked for there. Absolute folder. */
enum freshet_error catalog_relocate(struct catalog *catalog, torrent_id id, const char *folder,
                                    bool move, int64_t now);
void catalog_set_wishes(struct catalog *catalog, torrent_id id, const struct catalog_wishes *wishes,
                        int64_t now);
void catalog_set_labels(struct catalog *catalog, torrent_id id, const char *const *labels,
                        uint32_t count, int64_t now);
/* NULL or "": none. */
enum freshet_error catalog_set_group(struct catalog *catalog, torrent_id id, const char *name,
                                     int64_t now);
/* file_count entries. */
enum freshet_error catalog_set_priorities(struct catalog *catalog, torrent_id id,
                                          const uint8_t *priorities, int64_t now);
/* tiers[i] is the tier of urls[i]; replaces all. The .torrent that is kept is rewritten. */
enum freshet_error catalog_set_trackers(struct catalog *catalog, torrent_id id,
                                        const char *const *urls, const uint32_t *tiers,
                                        uint32_t count, int64_t now);
/* The shown name, and the top name on the disk. One element; FRESHET_ERROR_* when it is none. */
enum freshet_error catalog_rename(struct catalog *catalog, torrent_id id, const char *path,
                                  const char *name, int64_t now);
enum catalog_queue_move { QUEUE_TOP, QUEUE_UP, QUEUE_DOWN, QUEUE_BOTTOM };
void catalog_queue_move(struct catalog *catalog, const torrent_id *ids, uint32_t count,
                        enum catalog_queue_move move, int64_t now);
void catalog_queue_set(struct catalog *catalog, torrent_id id, uint32_t position, int64_t now);
/* Replaces all settings (copied). */
void catalog_set_settings(struct catalog *catalog, const struct catalog_settings *settings,
                          int64_t now);

/* ---- questions ---- */

const struct catalog_settings *catalog_settings(const struct catalog *catalog);
uint32_t catalog_count(const struct catalog *catalog);
/* In the order in which they were added; index < catalog_count. O(1). */
const struct catalog_torrent *catalog_at(const struct catalog *catalog, uint32_t index);
/* NULL: there is none. O(1). */
const struct catalog_torrent *catalog_find(const struct catalog *catalog, torrent_id id);
const struct catalog_torrent *catalog_find_hash(const struct catalog *catalog, struct bytes hash);
/* Grows by one with each visible change; rows changed since `then` have revision > then. */
uint64_t catalog_revision(const struct catalog *catalog);
/* Ids that were removed after that revision, newest last; at most `max`. UINT32_MAX: more than is
 * remembered, ask for everything. */
uint32_t catalog_removed_since(const struct catalog *catalog, uint64_t then, torrent_id *ret_ids,
                               uint32_t max);
/* In words, why it is not faster; never "" for one that wants to run and does not move at all. */
void catalog_why(const struct catalog *catalog, const struct catalog_torrent *torrent,
                 char ret_text[256]);
/* Does something hold a download that is no trouble of this machine: a queue, a limit, nobody who
 * has it, all who choke us? Then in the same words; else false, and "". */
bool catalog_why_held(const struct catalog *catalog, const struct catalog_torrent *torrent,
                      char ret_text[256]);
/* What was uploaded by the size of what is wanted, over all runs: that is shown, and that a goal is
 * compared with. */
#define CATALOG_RATIO_NONE    (-1.0) /* the size is not known, or nothing is wanted */
#define CATALOG_RATIO_ENDLESS (-2.0) /* and something was uploaded all the same */
double catalog_ratio(const struct catalog_torrent *torrent);
/* Bytes to be uploaded until the ratio is reached that is its goal; false: it has none. */
bool catalog_ratio_left(const struct catalog *catalog, const struct catalog_torrent *torrent,
                        uint64_t *ret_bytes);
/* No peer is let in, for a reason that catalog_why then tells; NULL: they are. Copied. */
void catalog_set_shut(struct catalog *catalog, const char *reason);
/* The number of the latest change that is to be saved. */
uint64_t catalog_change(const struct catalog *catalog);
uint64_t catalog_saved(const struct catalog *catalog);

/* ---- facts ---- */

void catalog_on_saved(struct catalog *catalog, uint64_t change);
/* Of the engine; the catalog does not keep it. */
void catalog_on_notice(struct catalog *catalog, const struct notice *notice, int64_t now);
/* The host did what CATALOG_OPEN asked: the engine has it; or did not, and why. */
void catalog_on_opened(struct catalog *catalog, torrent_id id, enum freshet_error error,
                       const char *text, int64_t now);
/* NOTICE_METADATA was answered: what it is. */
void catalog_on_metadata(struct catalog *catalog, torrent_id id, const struct metainfo *metainfo,
                         int64_t now);
/* A move or deletion has ended. */
void catalog_on_moved(struct catalog *catalog, torrent_id id, enum freshet_error error,
                      const char *text, int64_t now);
void catalog_on_deleted(struct catalog *catalog, torrent_id id, enum freshet_error error,
                        const char *text, int64_t now);
/* Which files were there before the engine first wrote: `made` follows. file_count entries. */
void catalog_on_found(struct catalog *catalog, torrent_id id, const uint8_t *existing,
                      uint32_t count);
/* Before that: some of its files were in `folder`, where it was to go when it is complete, and none
 * where it was to be until then. It stays there from now on. */
void catalog_on_found_done(struct catalog *catalog, torrent_id id, const char *folder);
/* Statuses of up to `max` open torrents from where the last call ended; the host calls it about
 * once a second until it returns false, as its turns allow. */
bool catalog_sample(struct catalog *catalog, const struct engine *engine, uint32_t max,
                    int64_t now);
/* One that is about to be closed: what it sent and received since the last round. */
void catalog_sample_last(struct catalog *catalog, torrent_id id,
                         const struct torrent_status *status, int64_t now);
/* Wall clock and minute of the week, local: for the schedule. */
void catalog_on_clock(struct catalog *catalog, int64_t wall_s, uint32_t minute_of_week,
                      int64_t now);

void catalog_tick(struct catalog *catalog, int64_t now);
int64_t catalog_deadline(const struct catalog *catalog);

/* ---- what it wants done ---- */

enum catalog_action_type {
    CATALOG_ACTION_NONE,
    CATALOG_SAVE,          /* torrent (its row), change; torrent_file when it is to be kept too */
    CATALOG_SAVE_SETTINGS, /* change */
    CATALOG_FORGET,        /* id: the row goes, and its record; change */
    CATALOG_OPEN,          /* torrent: give it to the engine, with options. When it was closed just
                              now the engine may have it still, telling trackers (PHASE_STOPPING):
                              wait until engine_torrent_status says false. After
                              catalog_on_metadata it is there, and goes on under its number */
    CATALOG_OPEN_MAGNET,   /* torrent: by its magnet */
    CATALOG_CLOSE,         /* id: COMMAND_REMOVE_TORRENT */
    CATALOG_COMMAND,       /* command, for the engine as it is */
    CATALOG_MOVE,          /* torrent: closed; its files from folder to move_to; catalog_on_moved */
    CATALOG_RENAME,        /* torrent: closed; path, name; catalog_on_moved */
    CATALOG_DELETE,        /* torrent: closed; the files that it made; catalog_on_deleted */
    CATALOG_TRACKERS,      /* torrent: its .torrent gets these: urls, tiers, count; a save too:
                              change. add_trackers: beside those that it has */
    CATALOG_TELL_TRACKERS, /* torrent is open, and is to go on with those: urls, tiers, count;
                              add_trackers */
    CATALOG_OPTIONS,       /* torrent is open, and is to go on with these options (what of them can
                              change while it runs) */
};

struct catalog_action {
    enum catalog_action_type type;
    torrent_id id;
    const struct catalog_torrent *torrent; /* borrowed until the next call */
    /* Saves only: with this one and all before it durable, every change up to this number is. */
    uint64_t change;
    bool only_counted; /* SAVE: nothing of the row but traffic and time */
    struct bytes torrent_file;
    struct torrent_options options; /* OPEN: all but root's lock and resume, which the host fills */
    bool forget_record;             /* OPEN: hash everything */
    struct engine_command command;
    const char *path, *name;
    const char *const *urls;
    const uint32_t *tiers;
    uint32_t url_count;
    bool add_trackers;
};

/* Saves of one change come before what rests on it; MOVE, RENAME and DELETE come only when
 * catalog_on_saved has told that the wish is durable. false: nothing more. */
bool catalog_output(struct catalog *catalog, int64_t now, struct catalog_action *ret_action);

void catalog_check(const struct catalog *catalog);

#endif

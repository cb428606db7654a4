/* SPDX-License-Identifier: MIT */
/* What a daemon is made of; shared by the daemon_*.c files and by nobody else. */
#ifndef FRESHET_HOST_DAEMON_SERVICE_STATE_H
#define FRESHET_HOST_DAEMON_SERVICE_STATE_H

#include "core/base/list.h"
#include "host/catalog_store.h"
#include "host/daemon_content.h"
#include "host/daemon_service.h"
#include "host/http_fetch.h"
#include "host/network_watch.h"
#include "host/rpc_server.h"
#include "host/session.h"
#include "host/session_torrents.h"
#include "host/turn_meter.h"
#include "host/worker_pool.h"

#define DAEMON_CONTENTS 16u /* torrents whose content is kept at hand for questions */

/* What is in a torrent, for questions about one that is not open. */
struct daemon_known {
    torrent_id id;
    struct metainfo *metainfo;
    struct bitfield pieces;
    bool has_pieces;
    uint64_t used; /* larger: later */
};

/* Counters over all runs. */
struct daemon_totals {
    uint64_t up, down, added, sessions, seconds;
};

struct daemon_service {
    struct daemon_service_options options;
    char folder[LIMIT_PATH_LENGTH + 1]; /* of the state */
    char socket[LIMIT_PATH_LENGTH + 1];
    bool owns_socket; /* not systemd's */
    int lock;
    struct session *session;
    struct catalog *catalog;
    struct rpc_server *rpc;
    struct turn_meter meter;
    struct daemon_readers *readers;
    struct rpc_files files; /* that they are, for the RPC's server */
    uint8_t stream_secret[32];
    struct network_watch *watch;
    struct http_fetch *fetch;                            /* of jobs */
    char page[ADDRESS_TEXT_SIZE], token[RPC_TOKEN_SIZE]; /* what the world says of them */
    struct service_world world;
    struct worker_pool *state_worker;   /* one thread: what it is given is done in order */
    struct worker_pool *deed_workers;   /* files */
    struct worker_pool *intake_workers; /* folders that are watched, feeds */
    struct worker_pool *copy_worker;    /* of the state; saves do not wait for it */
    uv_idle_t wake;                     /* runs the pump in the next turn */
    uv_timer_t deadline;                /* of the catalog */
    uv_timer_t second;
    uv_timer_t retry; /* a save failed */
    struct daemon_ip_filter *ip_filter;
    const struct ip_filter *ip_filter_used; /* that the engine has */
    bool is_sampling, is_stopping, shutdown_asked;
    bool dht_runs;
    struct port_mapping_status mapping; /* as the world was told last */
    char **default_trackers;            /* those that running torrents were told of */
    uint32_t default_tracker_count;
    unsigned seconds;
    struct daemon_saves *saves;
    struct daemon_copy *copy;
    struct list openings, deeds, jobs;
    struct daemon_watch *watch_folders;
    struct daemon_feeds *feeds;
    job_id fetch_next;
    struct daemon_known known[DAEMON_CONTENTS];
    uint64_t known_used;
    uint64_t revisions[60]; /* of the last minute, a second each */
    int64_t born_ns;
    struct daemon_totals before; /* of all earlier runs */
    struct daemon_totals base;   /* what the rows had at the start */
    struct daemon_totals gone;   /* of rows that went in this run; added: in this run */
    torrent_id newest;           /* number of the newest torrent that was seen */
};

/* daemon_service.c: what is to be done is done in the next turn. */
void daemon_service_wake(struct daemon_service *daemon);

/* daemon_restore.c: the catalog as the state has it. */
enum freshet_error daemon_restore(struct daemon_service *daemon, char ret_text[SESSION_TEXT_SIZE]);

/* daemon_world.c */
void daemon_world_make(struct daemon_service *daemon);
void daemon_world_refresh(void *context);

/* daemon_readers.c: who reads files over HTTP. To be closed when the RPC's server is. */
struct daemon_readers;
struct daemon_readers *daemon_readers_new(struct daemon_service *daemon,
                                          struct rpc_files *ret_files);
void daemon_readers_close(struct daemon_readers *readers);

/* daemon_settings.c */
void daemon_settings_apply(struct daemon_service *daemon);

/* daemon_port_mapping.c */
void daemon_port_mapping_changed(void *context, const struct port_mapping_status *status);
/* For the RPC. */
void daemon_port_mapping_refresh(struct daemon_service *daemon);

/* daemon_ip_filter.c */
struct daemon_ip_filter *daemon_ip_filter_new(struct daemon_service *daemon);
void daemon_ip_filter_free(struct daemon_ip_filter *filter);
/* Reads the list that is kept, if there is one. */
void daemon_ip_filter_start(struct daemon_service *daemon);
/* The settings may have changed. */
void daemon_ip_filter_apply(struct daemon_service *daemon);
/* Takes a list that was fetched; `done` comes when it holds and is kept, or with words why not, and
 * then what was is. false: a list is being read already, and this one stays the caller's. */
typedef void daemon_ip_filter_done(void *context, enum freshet_error error, const char *text,
                                   uint32_t rules);
bool daemon_ip_filter_update(struct daemon_service *daemon, struct buffer *list,
                             daemon_ip_filter_done *done, void *context);

/* daemon_watch.c, daemon_feeds.c: what comes by itself. apply: the rules of the settings hold from
 * now on; second: once a second; finish: what was taken is written, at the end. */
struct intake_status;
struct intake_item;
void daemon_watch_apply(struct daemon_service *daemon);
void daemon_watch_second(struct daemon_service *daemon);
bool daemon_watch_status(struct daemon_service *daemon, uint32_t id,
                         struct intake_status *ret_status);
void daemon_watch_finish(struct daemon_service *daemon);
void daemon_watch_free(struct daemon_service *daemon);
void daemon_feeds_apply(struct daemon_service *daemon);
void daemon_feeds_second(struct daemon_service *daemon);
bool daemon_feeds_status(struct daemon_service *daemon, uint32_t id,
                         struct intake_status *ret_status);
/* Items of a feed as it was read last; 0: none, or no such feed. */
uint32_t daemon_feeds_items(struct daemon_service *daemon, uint32_t id,
                            const struct intake_item **ret_items);
void daemon_feeds_finish(struct daemon_service *daemon);
void daemon_feeds_free(struct daemon_service *daemon);

/* daemon_copy.c */
struct daemon_copy *daemon_copy_new(struct daemon_service *daemon);
void daemon_copy_free(struct daemon_copy *copy);
/* A save is on its way out: it may be worth a copy. */
void daemon_copy_on_save(struct daemon_service *daemon, const struct catalog_action *action);
/* Once a second: begins one on a worker, when it is time. */
void daemon_copy_second(struct daemon_service *daemon);
/* At the end; blocks. */
void daemon_copy_finish(struct daemon_service *daemon);

/* daemon_totals.c */
void daemon_totals_load(struct daemon_service *daemon);
/* Of the rows as they are: into the world. */
void daemon_totals_count(struct daemon_service *daemon);
/* Blocks; any thread. */
void daemon_totals_save(struct state_store *state, const struct daemon_totals *totals);
/* Saves on a worker. */
void daemon_totals_keep(struct daemon_service *daemon);
struct daemon_totals daemon_totals_all(const struct daemon_service *daemon);
/* A save is on its way out: a new row, or one that goes. */
void daemon_totals_on_save(struct daemon_service *daemon, const struct catalog_action *action);

/* daemon_saves.c */
struct daemon_saves *daemon_saves_new(struct daemon_service *daemon);
void daemon_saves_free(struct daemon_saves *saves);
void daemon_saves_add(struct daemon_service *daemon, const struct catalog_action *action);
/* Begins to write what has gathered, if nothing is being written. */
void daemon_saves_flush(struct daemon_service *daemon);
/* Blocks until all is written: at the end. */
void daemon_saves_finish(struct daemon_service *daemon);

/* daemon_open.c */
void daemon_open(struct daemon_service *daemon, const struct catalog_action *action);
void daemon_open_magnet(struct daemon_service *daemon, const struct catalog_action *action);
void daemon_open_tune(struct daemon_service *daemon, const struct catalog_action *action);
/* Those that waited, for a save or for the engine to let go of the number; at the end they go. */
void daemon_open_waiting(struct daemon_service *daemon);
void daemon_open_drop(struct daemon_service *daemon);
void daemon_open_metadata(struct daemon_service *daemon, torrent_id id);

/* daemon_trackers.c */
void daemon_trackers_tell(struct daemon_service *daemon, const struct catalog_action *action);
void daemon_trackers_on_opened(struct daemon_service *daemon, torrent_id id);
void daemon_trackers_on_settings(struct daemon_service *daemon);
void daemon_trackers_deinit(struct daemon_service *daemon);

/* daemon_deeds.c */
void daemon_deeds_start(struct daemon_service *daemon, const struct catalog_action *action);
void daemon_deeds_cancel(struct daemon_service *daemon);

/* daemon_jobs.c */
void daemon_jobs_start(void *context, struct rpc_job *job);
/* Jobs that wait for a save that is done now. */
void daemon_jobs_on_saved(struct daemon_service *daemon);
void daemon_jobs_cancel(struct daemon_service *daemon);
void daemon_jobs_on_fetched(void *context, struct event *event);

/* daemon_known.c */
bool daemon_known_find(void *context, torrent_id id, struct service_content *ret_content);
/* Takes metainfo and pieces. */
void daemon_known_put(struct daemon_service *daemon, torrent_id id, struct metainfo *metainfo,
                      struct bitfield *pieces);
void daemon_known_forget(struct daemon_service *daemon, torrent_id id);
void daemon_known_deinit(struct daemon_service *daemon);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The inside of the engine, shared by the engine_*.c files and by nobody else.
 *   engine.c           the verbs: events to whom they concern, actions in turn, deadlines
 *   engine_torrents.c  torrents come and go, commands, shutdown
 *   engine_trackers.c  what trackers are told and what they say
 */
#ifndef FRESHET_ENGINE_ENGINE_STATE_H
#define FRESHET_ENGINE_ENGINE_STATE_H

#include "core/base/heap.h"
#include "core/engine/engine.h"
#include "core/engine/greeting.h"
#include "core/swarm/swarm.h"
#include "core/tracker/announce_pacer.h"
#include "core/tracker/tracker_client.h"

#define ENGINE_NOTICES_MAX   64u
#define ENGINE_NOTICE_TEXT   256u
#define ENGINE_STOP_GRACE_NS (3 * SECOND_NS) /* for trackers to hear `stopped` */
#define ENGINE_LONELY_NS     (60 * SECOND_NS)

struct engine_torrent {
    struct engine *engine;
    torrent_id id;
    struct swarm *swarm;
    struct tracker_client *tracker; /* NULL: it names no tracker */
    bool tracker_started;
    bool removing;
    int64_t stop_ns;   /* while removing: when trackers are given up */
    int64_t lonely_ns; /* when to ask trackers again for want of peers */
    struct heap_node deadline;
    struct list_node in_engine;
    struct list_node in_tracker_ready;
};

/* A notice with its texts, which outlive what they were said of. */
struct engine_notice {
    struct notice notice;
    uint8_t url[ENGINE_NOTICE_TEXT];
    uint8_t text[ENGINE_NOTICE_TEXT];
};

struct engine {
    struct swarm_shared shared;
    struct announce_pacer pacer;
    struct greetings greetings;
    struct list torrents;
    struct map by_id;   /* torrent_id -> struct engine_torrent */
    struct map by_hash; /* 20 bytes on the wire -> struct engine_torrent */
    struct map jobs;    /* job_id -> struct engine_torrent */
    struct heap deadlines;
    struct list tracker_ready;
    conn_id *closes; /* connections that no torrent owns */
    uint32_t closes_count, closes_capacity;
    struct engine_notice notices[ENGINE_NOTICES_MAX];
    uint32_t notices_first, notices_count;
    struct notice notice; /* the one that ACTION_TELL shows */
    struct engine_notice told;
    int64_t now;
    int64_t budget_second; /* for which connect_budget is */
    uint32_t removing;     /* torrents on their way out */
    bool shutting_down, shutdown_told;
};

/* engine.c */
void engine_tell(struct engine *engine, const struct notice *notice);
void engine_close_conn(struct engine *engine, conn_id conn);
/* An address under which others see us (BEP 24, or where we listen); its port does not count. */
void engine_set_self(struct engine *engine, const struct address *self);
/* Sets when the torrent is due next. */
void engine_touch(struct engine_torrent *torrent);

/* engine_torrents.c */
void engine_torrents_command(struct engine *engine, const struct engine_command *command);
struct engine_torrent *engine_torrents_find(const struct engine *engine, torrent_id id);
/* Ends those whose removal is complete, and tells of the end of a shutdown. */
void engine_torrents_reap(struct engine *engine);
void engine_torrents_free(struct engine *engine, struct engine_torrent *torrent);

/* engine_trackers.c */
void engine_trackers_add(struct engine_torrent *torrent);
/* The swarm has news, or its tracker is due. */
void engine_trackers_update(struct engine_torrent *torrent);
void engine_trackers_stop(struct engine_torrent *torrent);
bool engine_trackers_input(struct engine_torrent *torrent, const struct event *event);
void engine_trackers_datagram(struct engine *engine, const struct event *event);
void engine_trackers_tick(struct engine_torrent *torrent);
bool engine_trackers_output(struct engine *engine, struct action *ret_action,
                            struct engine_torrent **ret_torrent);

#endif

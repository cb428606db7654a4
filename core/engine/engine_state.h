/* SPDX-License-Identifier: MIT */
/*
 * The inside of the engine, shared by the engine_*.c files and by nobody else.
 *   engine.c           the verbs: events to whom they concern, actions in turn, deadlines
 *   engine_torrents.c  torrents come and go, commands, shutdown
 *   engine_questions.c what a person may ask
 *   engine_metadata.c  torrents of which only the hash is known yet
 *   engine_mse.c       connections that begin with encryption
 *   engine_trackers.c  what trackers are told and what they say
 *   engine_dht.c       the DHT's nodes, what they are told and what they find
 *   engine_lsd.c       the same for the local network
 */
#ifndef FRESHET_ENGINE_ENGINE_STATE_H
#define FRESHET_ENGINE_ENGINE_STATE_H

#include "core/base/heap.h"
#include "core/engine/engine.h"
#include "core/engine/greeting.h"
#include "core/swarm/metadata_swarm.h"
#include "core/swarm/swarm.h"
#include "core/tracker/announce_pacer.h"
#include "core/tracker/tracker_client.h"
#include "core/wire/mse.h"

#define ENGINE_NOTICES_MAX   64u
#define ENGINE_NOTICE_TEXT   256u
#define ENGINE_STOP_GRACE_NS (3 * SECOND_NS) /* for trackers to hear `stopped` */
#define ENGINE_LONELY_NS     (60 * SECOND_NS)
#define ENGINE_FILTER_NS     MILLISECOND_NS /* between two torrents that try again after a filter */
#define ENGINE_SCRAPE_NS     (900 * SECOND_NS) /* between two scrapes of a torrent */

/* By what others know a torrent. */
struct engine_names {
    bool has_v1, has_v2;
    bool is_private; /* BEP 27; false while nobody knows */
    uint8_t v1[20], v2[32];
};

/* The size of a swarm as a tracker counted it last; hybrids have one for each hash. */
struct engine_counts {
    bool known, downloads_known;
    struct tracker_counts counts;
};

struct engine_dht;
struct local_discovery;

/* It has a swarm, or first, while its metadata is fetched, a metadata_swarm. */
struct engine_torrent {
    struct engine *engine;
    torrent_id id;
    struct engine_names names;
    struct swarm *swarm;
    struct metadata_swarm *metadata;
    struct metainfo *fetched; /* complete, waits for engine_take_metadata */
    bool metadata_paused;
    bool metadata_told;             /* NOTICE_METADATA was given */
    struct tracker_client *tracker; /* NULL: it names no tracker */
    bool tracker_started;
    int64_t scrape_ns; /* before it the tracker is not asked for mere counts */
    struct engine_counts counts[2];
    bool removing;
    bool forsaken_told;                    /* NOTICE_NO_SOURCES */
    int64_t stop_ns;                       /* while removing: when trackers are given up */
    int64_t lonely_ns;                     /* when to ask trackers again for want of peers */
    bool dht_kept;                         /* the DHT's nodes keep it announced */
    bool dht_seed;                         /* ... as a seed */
    int64_t dht_look_ns, dht_look_wait_ns; /* the next look for peers, and the wait after it */
    bool lsd_told;                         /* the local network is told of it */
    struct heap_node deadline;
    struct list_node in_engine;
    struct list_node in_leaving; /* while removing */
    struct list_node in_tracker_ready;
};

/* A notice with its texts, which outlive what they were said of. */
struct engine_notice {
    struct notice notice;
    uint8_t url[ENGINE_NOTICE_TEXT];
    uint8_t text[ENGINE_NOTICE_TEXT];
};

/* Handshakes of message stream encryption under way. */
struct engine_mses {
    struct list all, ready;
    struct map by_conn;
    struct map by_name; /* HASH("req2", hash on the wire) -> struct engine_torrent */
    struct rc4 cipher;  /* the one that an event or action shows */
    struct buffer late; /* the bytes that one shows */
};

struct engine {
    struct swarm_shared shared;
    struct announce_pacer pacer;
    struct greetings greetings;
    struct engine_mses mses;
    struct list torrents;
    struct map by_id;            /* torrent_id -> struct engine_torrent */
    struct map by_hash;          /* 20 bytes on the wire -> struct engine_torrent */
    struct engine_dht *dht;      /* NULL: off */
    struct local_discovery *lsd; /* NULL: off */
    struct map jobs;             /* job_id -> struct engine_torrent */
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
    struct list leaving;   /* torrents on their way out */
    bool shutting_down, shutdown_told;
};

/* engine.c */
void engine_tell(struct engine *engine, const struct notice *notice);
void engine_close_conn(struct engine *engine, conn_id conn);
/* Newcomers that the IP filter has go. */
void engine_filter_greetings(struct engine *engine);
/* Events of the door about a connection. */
void engine_connection_input(struct engine *engine, struct event *event);
/* An address under which others see us (BEP 24, or where we listen); its port does not count. */
void engine_set_self(struct engine *engine, const struct address *self);
/* Sets when the torrent is due next. */
void engine_touch(struct engine_torrent *torrent);

/* engine_torrents.c: the rest asks here, whether there is metadata yet or not. */
void engine_torrents_command(struct engine *engine, const struct engine_command *command);
struct engine_torrent *engine_torrents_find(const struct engine *engine, torrent_id id);
/* Makes the engine's part of a torrent, with a swarm or metadata_swarm to be given to it. */
struct engine_torrent *engine_torrents_new(struct engine *engine, torrent_id id,
                                           const struct engine_names *names);
void engine_torrents_names_of(const struct metainfo *metainfo, struct engine_names *ret_names);
void engine_torrents_name(struct engine_torrent *torrent, const struct engine_names *names);
/* NULL: not known yet. */
const struct metainfo *engine_torrents_metainfo(const struct engine_torrent *torrent);
bool engine_torrents_is_active(const struct engine_torrent *torrent);
bool engine_torrents_is_seed(const struct engine_torrent *torrent);
bool engine_torrents_is_lonely(const struct engine_torrent *torrent);
/* It does nothing until a person says so. */
bool engine_torrents_is_resting(const struct engine_torrent *torrent);
void engine_torrents_add_peers(struct engine_torrent *torrent, const struct address *peers,
                               uint32_t count, enum peer_source source);
/* Tells, once each time, when nobody is left to fetch from. */
void engine_torrents_judge_sources(struct engine_torrent *torrent);
/* It has news for those who find peers for it. */
void engine_torrents_update(struct engine_torrent *torrent);
void engine_torrents_tick(struct engine_torrent *torrent);
/* Ends those whose removal is complete, and tells of the end of a shutdown. */
void engine_torrents_reap(struct engine *engine);
void engine_torrents_free(struct engine *engine, struct engine_torrent *torrent);

/* engine_metadata.c */
void engine_metadata_add(struct engine *engine, const struct engine_command *command);
/* What there was before there was a swarm goes: its peers become the swarm's. */
void engine_metadata_become_swarm(struct engine_torrent *torrent);
bool engine_metadata_output(struct engine *engine, struct action *ret_action);
void engine_metadata_close(struct engine_torrent *torrent);
void engine_metadata_status(const struct engine_torrent *torrent,
                            struct torrent_status *ret_status);

/* engine_mse.c */
void engine_mse_init(struct engine *engine);
void engine_mse_deinit(struct engine *engine);
/* By what else the handshake may ask for a torrent: one of its hashes on the wire. */
void engine_mse_name(struct engine_torrent *torrent, const uint8_t hash[MSE_SKEY_SIZE], bool add);
/* EVENT_CONNECTED: begins with it if the peer is to be dialled so. */
void engine_mse_connected(struct engine *engine, const struct event *event);
/* What this one says is no BitTorrent; false: nor may it be MSE. */
bool engine_mse_greet(struct engine *engine, struct greeting *greeting);
/* The handshake is none of this connection's any more. */
void engine_mse_forget(struct engine *engine, conn_id conn);
/* Events of a connection; false: not its own, or the peer's as well. */
bool engine_mse_input(struct engine *engine, struct event *event);
bool engine_mse_output(struct engine *engine, struct action *ret_action);
/* It is worth asking. */
bool engine_mse_has_output(const struct engine *engine);
/* An action on its way out; true: it is held back. */
bool engine_mse_takes(struct engine *engine, const struct action *action);
void engine_mse_check(const struct engine *engine);

/* engine_trackers.c */
struct engine_trackers {
    const struct bytes *urls;
    const uint32_t *tiers;
    uint32_t count;
};
void engine_trackers_add(struct engine_torrent *torrent, const struct engine_trackers *trackers);
/* Instead of those that it has. */
void engine_trackers_replace(struct engine_torrent *torrent,
                             const struct engine_trackers *trackers);
/* The swarm has news, or its tracker is due. */
void engine_trackers_update(struct engine_torrent *torrent, const struct swarm_facts *facts);
void engine_trackers_stop(struct engine_torrent *torrent);
bool engine_trackers_input(struct engine_torrent *torrent, const struct event *event);
void engine_trackers_datagram(struct engine *engine, const struct event *event);
/* What trackers know of the swarm's size. */
void engine_trackers_status(const struct engine_torrent *torrent,
                            struct torrent_status *ret_status);
/* HEAP_NEVER: nothing to come. */
int64_t engine_trackers_deadline(const struct engine_torrent *torrent);
/* Is something due? Then the torrent is to be updated before it is ticked. */
bool engine_trackers_is_due(const struct engine_torrent *torrent);
void engine_trackers_tick(struct engine_torrent *torrent);
bool engine_trackers_output(struct engine *engine, struct action *ret_action,
                            struct engine_torrent **ret_torrent);

/* engine_dht.c */
struct engine_dht_options;
void engine_dht_start(struct engine *engine, const struct engine_dht_options *options);
void engine_dht_stop(struct engine *engine);
void engine_dht_free(struct engine *engine);
/* The torrent's metadata is known: the nodes that it names are ways in. */
void engine_dht_enter(struct engine_torrent *torrent);
void engine_dht_update(struct engine_torrent *torrent);
void engine_dht_leave(struct engine_torrent *torrent);
/* Announces under the new address, which looks for peers as well. */
void engine_dht_on_network_changed(struct engine_torrent *torrent);
int64_t engine_dht_torrent_deadline(const struct engine_torrent *torrent);
void engine_dht_torrent_tick(struct engine_torrent *torrent);
/* Datagrams and jobs of the nodes; false: not theirs. */
bool engine_dht_input(struct engine *engine, const struct event *event);
void engine_dht_tick(struct engine *engine);
int64_t engine_dht_deadline(const struct engine *engine);
bool engine_dht_output(struct engine *engine, struct action *ret_action);
void engine_dht_check(const struct engine *engine);

/* engine_lsd.c */
void engine_lsd_start(struct engine *engine);
/* At run time. */
void engine_lsd_set(struct engine *engine, bool on);
void engine_lsd_free(struct engine *engine);
void engine_lsd_update(struct engine_torrent *torrent);
/* Before its names change or go. */
void engine_lsd_leave(struct engine_torrent *torrent);
/* EVENT_LISTENING, EVENT_LOCAL_DATAGRAM. */
void engine_lsd_input(struct engine *engine, const struct event *event);
void engine_lsd_tick(struct engine *engine);
int64_t engine_lsd_deadline(const struct engine *engine);
bool engine_lsd_output(struct engine *engine, struct action *ret_action);
void engine_lsd_check(const struct engine *engine);

#endif

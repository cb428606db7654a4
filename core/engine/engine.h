/* SPDX-License-Identifier: MIT */
/*
 * Many torrents behind one door: the machine that a program runs (host/) or a simulation runs by
 * the thousand (sim/). Wishes come in as commands, what a person may want to know goes out as
 * notices; everything else is as core/door/door.h says. Nothing here has a thread, a clock or a
 * socket.
 */
#ifndef FRESHET_ENGINE_ENGINE_H
#define FRESHET_ENGINE_ENGINE_H

#include "core/dht/dht_node.h"
#include "core/door/door.h"
#include "core/ip_filter/ip_filter.h"
#include "core/metainfo/magnet.h"
#include "core/metainfo/metainfo.h"
#include "core/swarm/torrent.h"

struct engine;

enum command_type {
    COMMAND_ADD_TORRENT,    /* torrent, metainfo (the engine takes it), options. A torrent whose
                               metadata was fetched goes on under its number */
    COMMAND_ADD_MAGNET,     /* torrent, magnet, peers, transport (of its peers' connections):
                               fetches the metadata, then NOTICE_METADATA. metainfo (taken) instead
                               of a magnet: it lacks piece layers */
    COMMAND_REMOVE_TORRENT, /* torrent: stops, last barrier, then NOTICE_REMOVED */
    COMMAND_PAUSE,          /* torrent */
    COMMAND_RESUME,         /* torrent */
    COMMAND_ADD_PEERS,      /* torrent, peers, peer_count */
    COMMAND_SET_LIMITS,     /* torrent (0: all), upload_limit, download_limit */
    COMMAND_SET_GROUP, /* group: makes it, or changes it. Torrents stand in it by torrent_share */
    COMMAND_SET_PRIORITIES, /* torrent, file_priorities */
    COMMAND_SET_WINDOWS,    /* torrent, windows, window_count: instead of those before */
    COMMAND_RECHECK,        /* torrent */
    COMMAND_ANNOUNCE,       /* torrent: ask trackers now */
    COMMAND_SET_OPTIONS,    /* torrent, tuning; while metadata are fetched only its transport */
    COMMAND_SET_TRACKERS,   /* torrent, trackers, tracker_tiers (ascending), tracker_count: instead
                               of those that it has. Who goes and knows us is told `stopped`, who is
                               new hears `started`; the others notice nothing */
    COMMAND_SET_SESSION,    /* session: what holds for all torrents */
    COMMAND_NEW_NETWORK,    /* our addresses have changed, or we have slept: trackers, the DHT and
                               whoever is known are asked anew. The host has closed what is dead;
                               `lost`: something was. Then peers hear another peer id of us: under
                               the old one they would take us for the dead connection's twin */
    COMMAND_SET_EXTERNAL, /* external: how a router says that others see us (family ADDRESS_NONE: it
                             does not), and the port where they come, which is announced */
    COMMAND_SET_IP_FILTER, /* ip_filter (borrowed until the next one; NULL: none): whom it has is
                              no peer. O(torrents + connections), whatever the filter's size */
    COMMAND_STOP_DHT,      /* it may be started again */
    COMMAND_START_DHT,     /* dht, see engine_dht.h; after EVENT_LISTENING; once until it is
                              stopped */
    COMMAND_SHUTDOWN,      /* stop everything in order: stopped to trackers (given 3 s), barriers,
                              records; then NOTICE_SHUTDOWN_DONE */
};

struct engine_dht_options;

/* What may be changed at any time; the first values are those of engine_settings. */
struct engine_tuning {
    bool no_pex; /* peers that are connected already have been told of the extension: they are
                    told nothing more and not listened to */
    bool no_lsd;
    bool has_utp; /* as in engine_settings; peers that are connected already keep what they know */
    uint32_t connections_max;   /* 0: LIMIT_CONNECTIONS. Fewer than there are: none is closed */
    uint32_t upload_slots;      /* of a torrent that says none; 0: the default, which adapts */
    uint32_t peers_max;         /* of a torrent that says none; 0: LIMIT_PEERS_PER_TORRENT */
    enum encryption encryption; /* of connections that begin from now on */
};

struct engine_command {
    enum command_type type;
    torrent_id torrent;
    struct metainfo *metainfo;
    const struct magnet *magnet;
    const struct engine_dht_options *dht;
    const struct torrent_options *options;
    const struct address *peers;
    uint32_t peer_count;
    enum transport transport;
    uint64_t upload_limit, download_limit;
    const uint8_t *file_priorities;
    const struct piece_window *windows;
    uint32_t window_count;
    const struct torrent_tuning *tuning;
    const struct engine_tuning *session;
    struct torrent_group group;
    bool lost;
    struct address external;
    const struct ip_filter *ip_filter;
    const struct bytes *trackers;
    const uint32_t *tracker_tiers;
    uint32_t tracker_count;
};

/* now: the monotonic clock at birth. */
struct engine *engine_new(const struct engine_settings *settings, int64_t now);
void engine_free(struct engine *engine);

void engine_input(struct engine *engine, int64_t now, struct event *event);
void engine_tick(struct engine *engine, int64_t now);
int64_t engine_deadline(const struct engine *engine);
bool engine_output(struct engine *engine, int64_t now, struct action *ret_action);

/* Where the next bytes of a connection belong; asked before each read. */
void engine_receive_plan(const struct engine *engine, conn_id conn, struct receive_plan *ret_plan);

/* Questions. false when there is no such torrent. */
bool engine_torrent_status(const struct engine *engine, torrent_id torrent,
                           struct torrent_status *ret_status);
/* Up to `max` peers, in the order in which they came; returns how many. */
uint32_t engine_torrent_peers(const struct engine *engine, torrent_id torrent,
                              struct peer_status *ret_peers, uint32_t max);
/* One tracker of a torrent, for a person. */
#define TRACKER_STATUS_TEXT 160u
struct tracker_status {
    struct bytes url; /* borrowed until the next call into the engine */
    uint32_t tier;
    bool is_announcing;
    bool is_scraping;
    bool is_given_up;     /* it said "never" (BEP 31) */
    bool has_answered;    /* ever, in this run */
    uint32_t failures;    /* in a row */
    int64_t announced_ns; /* when the last announce ended, on the engine's clock; INT64_MIN: none */
    bool announced_ok;    /* how it ended */
    enum freshet_error announce_error;
    char announce_text[TRACKER_STATUS_TEXT]; /* what it said: failure, warning; ours; "" */
    uint32_t announce_peers;                 /* how many it named */
    int64_t next_ns;    /* when it is asked next if its turn comes; INT64_MAX: not by itself */
    int64_t scraped_ns; /* when the last scrape ended; INT64_MIN: none */
    bool scraped_ok;
    int64_t seeders, leechers, downloads; /* as it counted last; -1: it never said */
};
/* Up to `max`, in the order in which they are tried; returns how many. */
uint32_t engine_torrent_trackers(const struct engine *engine, torrent_id torrent,
                                 struct tracker_status *ret_trackers, uint32_t max);
/* Verified bytes of each file; entries beyond the torrent's files are left alone. The same of one
 * that is not open: geometry_file_bytes. O(pieces). */
bool engine_torrent_file_bytes(const struct engine *engine, torrent_id torrent, uint64_t *ret_bytes,
                               uint32_t file_count);
/* How many connected peers have each piece; entries beyond the torrent's pieces are left alone.
 * O(peers * pieces / 8). */
bool engine_torrent_availability(const struct engine *engine, torrent_id torrent,
                                 uint8_t *ret_peers, uint32_t pieces);
/* Pieces on their way, up to `max`; returns how many. O(blocks of them). */
uint32_t engine_torrent_fetches(const struct engine *engine, torrent_id torrent,
                                struct piece_fetch *ret_fetches, uint32_t max);
/* Where a stretch of a piece lies, within one file; false when the piece is not verified (or there
 * is no such torrent, piece or stretch). */
bool engine_torrent_range(const struct engine *engine, torrent_id torrent, piece_index piece,
                          uint32_t begin, uint32_t length, struct file_range *ret_range);
/* O(pieces that came in and are not written); false too while metadata are fetched. */
bool engine_torrent_pipeline(const struct engine *engine, torrent_id torrent,
                             struct torrent_pipeline *ret_pipeline);
/* O(pieces). */
bool engine_torrent_reach(const struct engine *engine, torrent_id torrent,
                          struct torrent_reach *ret_reach);
uint32_t engine_torrent_web_seeds(const struct engine *engine, torrent_id torrent,
                                  struct web_seed_status *ret_seeds, uint32_t max);
const struct metainfo *engine_torrent_metainfo(const struct engine *engine, torrent_id torrent);
/* After NOTICE_METADATA: the metainfo, once; the caller owns it. Trackers and web seeds are those
 * of the magnet link, which the engine knows already, and not in it. NULL: there is none. */
struct metainfo *engine_take_metadata(struct engine *engine, torrent_id torrent);
/* A record of the family's DHT node for the next run; false: there is no such node. */
bool engine_dht_save(const struct engine *engine, enum address_family family, struct buffer *out);
bool engine_dht_stats(const struct engine *engine, enum address_family family,
                      struct dht_node_stats *ret_stats);
/* Up to a full table of 24 buckets. */
bool engine_dht_places(const struct engine *engine, enum address_family family,
                       struct dht_places *ret_places);
/* Walks every invariant; run after each simulated event. */
void engine_check(const struct engine *engine);

#endif

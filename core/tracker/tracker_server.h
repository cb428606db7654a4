/* SPDX-License-Identifier: MIT */
/*
 * A tracker: announces and scrapes in, answers out, over HTTP and UDP alike (BEP 3, 7, 15, 21, 23,
 * 24, 31, 41, 48). Has no sockets: the host hands it parsed HTTP requests and datagrams, and gets
 * the answer from the same call, since a tracker never waits for anything. Time is told by tick.
 *
 * What it guarantees
 * - A source that has not proven that it receives at its address (by a connection id) gets no
 *   more bytes than it sent.
 * - `ip=` counts only from a trusted proxy.
 * - Every refusal says why and when to come back (`retry in`, BEP 31).
 */
#ifndef FRESHET_TRACKER_TRACKER_SERVER_H
#define FRESHET_TRACKER_TRACKER_SERVER_H

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/tracker/tracker_allow_list.h"
#include "core/tracker/tracker_announce.h"
#include "core/tracker/tracker_connection_id.h"

struct tracker_server;

struct tracker_server_options {
    uint64_t seed;                       /* of the choice of peers */
    uint8_t secret[TRACKER_SECRET_SIZE]; /* of the connection ids; from getrandom */
    uint32_t interval_s;                 /* 0: LIMIT_ANNOUNCE_INTERVAL_S */
    const struct address *proxies;       /* whose `ip=` is believed (copied) */
    uint32_t proxy_count;                /* at most LIMIT_TRACKER_PROXIES */
    uint32_t peers_max, swarms_max;      /* 0: as limits.h */
};

struct tracker_server_answer {
    uint32_t status;    /* of HTTP: 200, 404, 414 */
    struct buffer body; /* bencoded for 200, else plain text. Zero it before the first use, deinit
                           it after the last; each answer replaces the one before */
};

struct tracker_server_stats {
    uint64_t announces, scrapes; /* answered */
    uint64_t connects;           /* UDP connection ids given */
    uint64_t refused;            /* answered with an error */
    uint64_t ignored;            /* datagrams that were no request */
    uint32_t peers, torrents;    /* now */
};

struct tracker_server *tracker_server_new(const struct tracker_server_options *options);
void tracker_server_free(struct tracker_server *server);
/* Serve these torrents only; takes the list. Torrents that are not in it expire by themselves.
 * Without this call, the tracker is open. */
void tracker_server_allow(struct tracker_server *server, struct tracker_allow_list *list);

/* One datagram; returns the length of the reply, 0 when there is none. */
size_t tracker_server_datagram(struct tracker_server *server, int64_t now,
                               const struct address *from, struct bytes datagram,
                               uint8_t reply[LIMIT_TRACKER_DATAGRAM]);
/* One GET; `target` is the raw path and query. */
void tracker_server_http(struct tracker_server *server, int64_t now, const struct address *from,
                         struct bytes target, struct tracker_server_answer *ret_answer);

/* Silent peers are forgotten. */
void tracker_server_tick(struct tracker_server *server, int64_t now);
int64_t tracker_server_deadline(const struct tracker_server *server);
void tracker_server_stats(const struct tracker_server *server,
                          struct tracker_server_stats *ret_stats);
void tracker_server_check(const struct tracker_server *server);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The UDP tracker protocol (BEP 15) with its extensions (BEP 41), both directions: requests written
 * by clients and read by servers, replies written by servers and read by clients. Pure codec; the
 * schedule is tracker_client.h, the answers are tracker_server.h.
 *
 *     connect    C: magic(8) 0(4) tid(4)                          S: 0(4) tid(4) connection(8)
 *     announce   C: connection(8) 1(4) tid(4) hash(20) peer(20) downloaded(8) left(8) uploaded(8)
 *                   event(4) ip(4) key(4) numwant(4) port(2) options
 *                S: 1(4) tid(4) interval(4) leechers(4) seeders(4) peers(6 or 18 each)
 *     scrape     C: connection(8) 2(4) tid(4) hash(20)...         S: 2(4) tid(4) (s c l)(12)...
 *     error                                                       S: 3(4) tid(4) text
 */
#ifndef FRESHET_TRACKER_TRACKER_UDP_H
#define FRESHET_TRACKER_TRACKER_UDP_H

#include "core/base/limits.h"
#include "core/tracker/tracker_reply.h"

#define TRACKER_UDP_MAGIC         UINT64_C(0x41727101980)
#define TRACKER_UDP_CONNECT_SIZE  16u
#define TRACKER_UDP_ANNOUNCE_SIZE 98u
#define TRACKER_UDP_REPLY_HEADER  20u   /* of an announce reply, before its peers */
#define TRACKER_UDP_URL_DATA_MAX  1024u /* path and query that we send or read (BEP 41) */

enum tracker_udp_action {
    TRACKER_UDP_CONNECT,
    TRACKER_UDP_ANNOUNCE,
    TRACKER_UDP_SCRAPE,
    TRACKER_UDP_ERROR,
};

/* A request as a server reads it. */
struct tracker_udp_request {
    enum tracker_udp_action action;
    uint64_t connection_id; /* of announce and scrape */
    uint32_t transaction_id;
    struct tracker_announce announce;
    uint8_t url_data[TRACKER_UDP_URL_DATA_MAX]; /* BEP 41, joined; cut at the maximum */
    size_t url_data_length;
    struct bytes hashes; /* of a scrape: whole hashes, at most LIMIT_SCRAPE_HASHES; borrowed */
    bool has_too_many;   /* there were more */
};

/* A reply as a client reads it: the head only; see tracker_udp_parse_announce and _scrape. */
struct tracker_udp_head {
    enum tracker_udp_action action;
    uint32_t transaction_id;
    uint64_t connection_id; /* of connect */
    struct bytes body;      /* behind the transaction id; of an error: the text. Borrowed */
};

/* Client: requests. Each writer must have room; nothing is asserted of outside bytes here. */
void tracker_udp_write_connect(struct writer *writer, uint32_t transaction_id);
/* `path_and_query` goes in BEP 41 options, cut at TRACKER_UDP_URL_DATA_MAX; empty: none. */
void tracker_udp_write_announce(struct writer *writer, uint64_t connection_id,
                                uint32_t transaction_id, const struct tracker_announce *announce,
                                struct bytes path_and_query);
void tracker_udp_write_scrape(struct writer *writer, uint64_t connection_id,
                              uint32_t transaction_id, const uint8_t *hashes, uint32_t hash_count);

/* Client: replies. Longer packets than needed are taken. */
enum freshet_error tracker_udp_parse_head(struct bytes packet, struct tracker_udp_head *ret_head);
/* family: of the tracker's address, which tells whether peers have 6 or 18 bytes. ret_reply is
 * initialised by this call, also when it fails, and is the caller's to deinit. */
enum freshet_error tracker_udp_parse_announce(const struct tracker_udp_head *head,
                                              enum address_family family,
                                              struct tracker_reply *ret_reply);
/* The counts of the index-th hash asked for. */
enum freshet_error tracker_udp_parse_scrape(const struct tracker_udp_head *head, uint32_t index,
                                            struct tracker_counts *ret_counts);

/* Server: requests and replies. */
enum freshet_error tracker_udp_parse_request(struct bytes packet,
                                             struct tracker_udp_request *ret_request);
void tracker_udp_write_connect_reply(struct writer *writer, uint32_t transaction_id,
                                     uint64_t connection_id);
/* Peers of the wrong family are skipped. */
void tracker_udp_write_announce_reply(struct writer *writer, uint32_t transaction_id,
                                      uint32_t interval_s, const struct tracker_counts *counts,
                                      enum address_family family, const struct address *peers,
                                      uint32_t peer_count);
void tracker_udp_write_scrape_reply(struct writer *writer, uint32_t transaction_id,
                                    const struct tracker_counts *counts, uint32_t count);
/* The text is cut to the writer's room. */
void tracker_udp_write_error(struct writer *writer, uint32_t transaction_id, struct bytes text);

#endif

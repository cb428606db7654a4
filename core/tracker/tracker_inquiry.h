/* SPDX-License-Identifier: MIT */
/*
 * Asking one tracker once: an announce of each info-hash over each address family, or a scrape.
 * Holds the jobs and the UDP exchanges (BEP 15) that this takes; which tracker, when and why is
 * tracker_client.c, its only user. One inquiry at a time; jobs of an abandoned one are cancelled,
 * and their events are still taken.
 */
#ifndef FRESHET_TRACKER_TRACKER_INQUIRY_H
#define FRESHET_TRACKER_TRACKER_INQUIRY_H

#include "core/base/list.h"
#include "core/door/door.h"
#include "core/tracker/tracker_job.h"
#include "core/tracker/tracker_list.h"
#include "core/tracker/tracker_reply.h"
#include "core/tracker/tracker_terms.h"
#include "core/tracker/tracker_udp.h"

#define TRACKER_REQUESTS_MAX 4 /* two hashes, two families */
#define TRACKER_PACKET_MAX   (TRACKER_UDP_ANNOUNCE_SIZE + TRACKER_UDP_URL_DATA_MAX + 16)

enum tracker_request_state {
    TRACKER_REQUEST_RESOLVING,  /* UDP: waits for an address */
    TRACKER_REQUEST_FETCHING,   /* HTTP: the job is under way */
    TRACKER_REQUEST_CONNECTING, /* UDP: connect sent, or to be sent */
    TRACKER_REQUEST_ASKING,     /* UDP: announce or scrape sent, or to be sent */
    TRACKER_REQUEST_OK,
    TRACKER_REQUEST_FAILED,
};

struct tracker_request {
    enum tracker_request_state state;
    uint32_t hash_index;
    uint32_t family; /* TRACKER_FAMILY_... */
    bool is_told;    /* tracker_inquiry_take has given it out */
    /* UDP */
    bool has_packet;   /* a datagram is to be sent */
    bool is_id_reused; /* the connection id is an old one: a refusal may mean just that */
    uint32_t transaction_id;
    uint32_t tries;
    int64_t timeout_ns;
    struct address remote;
    /* Outcome */
    enum freshet_error error;
    struct tracker_reply reply;       /* of an announce */
    struct tracker_counts scraped[2]; /* of a scrape, a hash each */
};

struct tracker_inquiry {
    const struct tracker_client_options *options; /* borrowed */
    struct rng *rng;                              /* borrowed */
    struct tracker_entry *entry;                  /* whom; NULL: no inquiry is under way */
    bool is_scrape;
    bool is_hurried; /* stopped: one short try */
    enum tracker_event event;
    struct tracker_client_stats stats;
    struct tracker_request requests[TRACKER_REQUESTS_MAX];
    uint32_t request_count;
    struct list jobs; /* struct tracker_job, also abandoned ones */
    uint8_t packet[TRACKER_PACKET_MAX];
};

void tracker_inquiry_init(struct tracker_inquiry *inquiry,
                          const struct tracker_client_options *options, struct rng *rng);
void tracker_inquiry_deinit(struct tracker_inquiry *inquiry);
void tracker_inquiry_announce(struct tracker_inquiry *inquiry, int64_t now,
                              struct tracker_entry *entry, enum tracker_event event,
                              const struct tracker_client_stats *stats);
void tracker_inquiry_scrape(struct tracker_inquiry *inquiry, int64_t now,
                            struct tracker_entry *entry);
/* Ends it, finished or not. */
void tracker_inquiry_end(struct tracker_inquiry *inquiry);

/* Every request has an outcome. False when none is under way. */
bool tracker_inquiry_is_finished(const struct tracker_inquiry *inquiry);
/* The next request that has got its outcome; NULL when there is none. Borrowed until the end. */
struct tracker_request *tracker_inquiry_take(struct tracker_inquiry *inquiry);
/* Was any request answered well? */
bool tracker_inquiry_is_ok(const struct tracker_inquiry *inquiry);
/* The failure that says most to a person: the tracker's words before ours. */
const struct tracker_request *tracker_inquiry_worst(const struct tracker_inquiry *inquiry);
bool tracker_inquiry_has_jobs(const struct tracker_inquiry *inquiry);

bool tracker_inquiry_input(struct tracker_inquiry *inquiry, int64_t now, const struct event *event);
void tracker_inquiry_tick(struct tracker_inquiry *inquiry, int64_t now);
int64_t tracker_inquiry_deadline(const struct tracker_inquiry *inquiry);
bool tracker_inquiry_output(struct tracker_inquiry *inquiry, int64_t now,
                            struct action *ret_action);
void tracker_inquiry_check(const struct tracker_inquiry *inquiry);

#endif

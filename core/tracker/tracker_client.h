/* SPDX-License-Identifier: MIT */
/*
 * One torrent's talk with its trackers: whom to ask, when, and what to say (BEP 3, 7, 12, 15, 21,
 * 27, 31, 41, 48). A machine with the four verbs of the door; its parent is the engine.
 *
 * Commandments
 * - Tiers in order, each shuffled once; all of a tier before the next; who answers moves to the
 *   front of its tier (BEP 12). One tracker at a time; the next only when one fails.
 * - A tracker hears `started` first, `completed` once and only for a real completion, `stopped` if
 *   it ever heard `started`. A partial seed says `paused` each time (BEP 21).
 * - Each info-hash (hybrids have two) and each address family (BEP 7) is announced.
 * - A tracker that fails waits 10 s, then 2.5 times as long each time, up to an hour; `retry in`
 *   (BEP 31) is obeyed, also "never".
 */
#ifndef FRESHET_TRACKER_TRACKER_CLIENT_H
#define FRESHET_TRACKER_TRACKER_CLIENT_H

#include "core/door/door.h"
#include "core/tracker/tracker_terms.h"

struct tracker_client;

/* Says nothing until tracker_client_event(TRACKER_EVENT_STARTED). */
struct tracker_client *tracker_client_new(const struct tracker_client_options *options);
/* Ask tracker_client_has_jobs first: a job in the host's hands points into the client. */
void tracker_client_free(struct tracker_client *client);
/* It has turned out to be private (BEP 27): peers change with the tracker. */
void tracker_client_set_private(struct tracker_client *client);
bool tracker_client_has_jobs(const struct tracker_client *client);

/* What the next announce will say. Cheap; call it before an event and now and then. */
void tracker_client_set_stats(struct tracker_client *client,
                              const struct tracker_client_stats *stats);
/* STARTED: begin, announce at once. COMPLETED: say so once. PAUSED: from now on a partial seed.
 * NONE: no longer a partial seed. STOPPED: one try at each tracker that knows us, then silence. */
void tracker_client_event(struct tracker_client *client, int64_t now, enum tracker_event event);
/* Other trackers (trackers, tracker_tiers, tracker_count of the options alone) instead of those
 * that it has. Who is in both notices nothing; who goes and knows us is told `stopped`; who is new
 * hears `started` when its turn comes, at once when it comes before the one in use (BEP 12). */
void tracker_client_set_trackers(struct tracker_client *client, int64_t now,
                                 const struct tracker_client_options *options);
/* A person or a swarm without peers asks for more: announces as soon as the tracker's minimum
 * interval (LIMIT_ANNOUNCE_FLOOR_NS when it said none) allows, failed trackers at once. */
void tracker_client_announce_now(struct tracker_client *client, int64_t now);
/* Our address has changed: trackers know a wrong one, or nobody after a long sleep. Announces at
 * once, whatever the interval, but not again so for LIMIT_ANNOUNCE_CHANGED_NS. */
void tracker_client_on_network_changed(struct tracker_client *client, int64_t now);
/* Asks the tracker in use for counts; while stopped, or before the start, the first of all. Gives
 * way to announces: what comes of it is a RESULT_SCRAPE, or nothing. */
void tracker_client_scrape(struct tracker_client *client, int64_t now);
/* No tracker is left that will ever be asked: none is usable, or all said "never" (BEP 31). */
bool tracker_client_is_hopeless(const struct tracker_client *client);
/* Stopped, and everything that was to be said is said or given up. */
bool tracker_client_is_stopped(const struct tracker_client *client);

/* Takes EVENT_JOB_DONE of its FETCH and RESOLVE jobs, and EVENT_DATAGRAM with a reply to one of
 * its requests (by transaction id and address). false: not its own. */
bool tracker_client_input(struct tracker_client *client, int64_t now, const struct event *event);
void tracker_client_tick(struct tracker_client *client, int64_t now);
int64_t tracker_client_deadline(const struct tracker_client *client);
/* ACTION_FETCH, ACTION_RESOLVE, ACTION_SEND_DATAGRAM, ACTION_CANCEL. */
bool tracker_client_output(struct tracker_client *client, int64_t now, struct action *ret_action);
/* What came of it; pull until false. At most LIMIT_TRACKER_RESULTS are kept, the oldest go. */
bool tracker_client_result(struct tracker_client *client, struct tracker_result *ret_result);

/* For a person: the trackers in the order of trying. false when index is past the end. */
struct tracker_client_status {
    struct bytes url;
    uint32_t tier;
    uint32_t failures;              /* in a row */
    bool is_known;                  /* it has answered us */
    bool is_given_up;               /* it said "never" (BEP 31), or its URL is unusable */
    int64_t next_ns;                /* when it may be asked next, on the engine's clock */
    bool has_counts, has_downloads; /* of the counts: complete and incomplete; downloaded */
    struct tracker_counts counts;
    bool is_announcing, is_scraping;
    int64_t announced_ns; /* when the last announce ended; INT64_MIN: none did */
    bool announced_ok;
    enum freshet_error announce_error;
    struct bytes said;  /* in answer to it: its warning, its refusal, our words; borrowed */
    uint32_t peers;     /* that it named */
    int64_t scraped_ns; /* INT64_MIN: never */
    bool scraped_ok;
};
bool tracker_client_status(const struct tracker_client *client, uint32_t index,
                           struct tracker_client_status *ret_status);
void tracker_client_check(const struct tracker_client *client);

#endif

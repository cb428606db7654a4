/* SPDX-License-Identifier: MIT */
/*
 * Between a torrent's swarm and its tracker client: the swarm knows what there is to tell, the
 * client whom and when; peers come back the other way.
 */
#include "core/engine/engine_state.h"

#include "core/base/memory.h"

#include <string.h>

#define NUMWANT 50u

static void wake(struct engine_torrent *torrent)
{
    if (!list_contains(&torrent->in_tracker_ready))
        list_append(&torrent->engine->tracker_ready, &torrent->in_tracker_ready);
}

void engine_trackers_add(struct engine_torrent *torrent, const struct engine_trackers *trackers)
{
    struct engine *engine = torrent->engine;
    const struct engine_names *names = &torrent->names;
    if (trackers->count == 0)
        return;
    /* One draw a statement: the order of two in one is the compiler's choice. */
    uint32_t key = (uint32_t)rng_u64(&engine->shared.rng);
    uint64_t seed = rng_u64(&engine->shared.rng);
    struct tracker_client_options options = {
        .trackers = trackers->urls,
        .tracker_tiers = trackers->tiers,
        .tracker_count = trackers->count,
        .key = key,
        .seed = seed,
        .job_next = &engine->shared.job_next,
        .pacer = &engine->pacer,
        .is_private = names->is_private,
    };
    if (names->has_v1)
        memcpy(options.info_hashes[options.info_hash_count++], names->v1, 20);
    if (names->has_v2)
        memcpy(options.info_hashes[options.info_hash_count++], names->v2, 20);
    memcpy(options.peer_id, engine->shared.settings.peer_id, sizeof options.peer_id);
    torrent->tracker = tracker_client_new(&options);
}

static void set_stats(struct engine_torrent *torrent, const struct swarm_facts *facts)
{
    struct tracker_client_stats stats = {
        .uploaded = facts->uploaded,
        .downloaded = facts->downloaded,
        .left = facts->left,
        .port = torrent->engine->shared.settings.listen_port,
        .numwant = facts->wants_peers || facts->left == 0 ? NUMWANT : 0,
    };
    tracker_client_set_stats(torrent->tracker, &stats);
}

static void tell_events(struct engine_torrent *torrent, const struct swarm_facts *facts)
{
    int64_t now = torrent->engine->now;
    if (facts->active && !torrent->tracker_started) {
        torrent->tracker_started = true;
        tracker_client_event(torrent->tracker, now, TRACKER_EVENT_STARTED);
    }
    if (!torrent->tracker_started)
        return;
    if (facts->just_completed)
        tracker_client_event(torrent->tracker, now, TRACKER_EVENT_COMPLETED);
    if (!facts->active) {
        torrent->tracker_started = false;
        tracker_client_event(torrent->tracker, now, TRACKER_EVENT_STOPPED);
        return;
    }
    tracker_client_event(torrent->tracker, now,
                         facts->partial_seed ? TRACKER_EVENT_PAUSED : TRACKER_EVENT_NONE);
    if (now >= torrent->lonely_ns) {
        torrent->lonely_ns = now + ENGINE_LONELY_NS;
        if (engine_torrents_is_lonely(torrent))
            tracker_client_announce_now(torrent->tracker, now);
    }
}

/* ---- the size of the swarm ---- */

static bool wants_scrape(const struct engine_torrent *torrent)
{
    return !torrent->removing && engine_torrents_is_resting(torrent);
}

static void scrape(struct engine_torrent *torrent)
{
    int64_t now = torrent->engine->now;
    if (now < torrent->scrape_ns)
        return;
    torrent->scrape_ns = now + ENGINE_SCRAPE_NS;
    tracker_client_scrape(torrent->tracker, now);
}

static void take_counts(struct engine_torrent *torrent, const struct tracker_result *result)
{
    struct engine_counts *known = &torrent->counts[result->hash_index];
    uint32_t downloaded =
        result->has_downloaded ? result->counts.downloaded : known->counts.downloaded;
    known->known = true;
    known->downloads_known |= result->has_downloaded;
    known->counts = result->counts;
    known->counts.downloaded = downloaded;
}

/* The two names of a hybrid are one swarm's: who announces both is counted twice, so the larger
 * count is nearer to the truth than the sum. */
void engine_trackers_status(const struct engine_torrent *torrent, struct torrent_status *ret_status)
{
    for (size_t i = 0; i < 2; i++) {
        const struct engine_counts *known = &torrent->counts[i];
        const struct tracker_counts *counts = &known->counts;
        ret_status->swarm_known |= known->known;
        ret_status->swarm_downloads_known |= known->downloads_known;
        if (counts->complete > ret_status->swarm_seeders)
            ret_status->swarm_seeders = counts->complete;
        if (counts->incomplete > ret_status->swarm_leechers)
            ret_status->swarm_leechers = counts->incomplete;
        if (counts->downloaded > ret_status->swarm_downloads)
            ret_status->swarm_downloads = counts->downloaded;
    }
}

static void take_results(struct engine_torrent *torrent)
{
    struct tracker_result result;
    bool lacks_counts = false;
    while (tracker_client_result(torrent->tracker, &result)) {
        struct notice notice = {.torrent = torrent->id,
                                .file = UINT32_MAX,
                                .error = result.error,
                                .url = result.url,
                                .text = result.text};
        switch (result.type) {
        case TRACKER_RESULT_OK:
            notice.type = NOTICE_TRACKER_OK;
            notice.count = result.peer_count;
            if (result.has_counts)
                take_counts(torrent, &result);
            lacks_counts |= !result.has_counts;
            engine_tell(torrent->engine, &notice);
            if (result.external_ip.family != ADDRESS_NONE)
                engine_set_self(torrent->engine, &result.external_ip);
            engine_torrents_add_peers(torrent, result.peers, result.peer_count,
                                      PEER_SOURCE_TRACKER);
            break;
        case TRACKER_RESULT_ERROR:
            notice.type = NOTICE_TRACKER_ERROR;
            engine_tell(torrent->engine, &notice);
            break;
        case TRACKER_RESULT_SWITCHED:
            if (torrent->swarm)
                swarm_drop_peers(torrent->swarm, torrent->engine->now);
            break;
        case TRACKER_RESULT_SCRAPE: take_counts(torrent, &result); break;
        }
    }
    if (lacks_counts && !torrent->removing)
        scrape(torrent);
}

void engine_trackers_update(struct engine_torrent *torrent, const struct swarm_facts *facts)
{
    if (torrent->tracker == NULL)
        return;
    set_stats(torrent, facts);
    tell_events(torrent, facts);
    if (wants_scrape(torrent))
        scrape(torrent);
    wake(torrent);
}

void engine_trackers_stop(struct engine_torrent *torrent)
{
    struct swarm_facts facts = {.left = LIMIT_BLOCK_SIZE};
    if (torrent->tracker == NULL)
        return;
    if (torrent->swarm && torrent->tracker_started)
        swarm_take_facts(torrent->swarm, &facts);
    set_stats(torrent, &facts);
    tracker_client_event(torrent->tracker, torrent->engine->now, TRACKER_EVENT_STOPPED);
    wake(torrent);
}

bool engine_trackers_input(struct engine_torrent *torrent, const struct event *event)
{
    if (torrent->tracker == NULL ||
        !tracker_client_input(torrent->tracker, torrent->engine->now, event))
        return false;
    take_results(torrent);
    wake(torrent);
    return true;
}

void engine_trackers_datagram(struct engine *engine, const struct event *event)
{
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node))
        if (engine_trackers_input(LIST_ELEMENT(node, struct engine_torrent, in_engine), event))
            return;
}

int64_t engine_trackers_deadline(const struct engine_torrent *torrent)
{
    if (torrent->tracker == NULL)
        return HEAP_NEVER;
    int64_t deadline = tracker_client_deadline(torrent->tracker);
    if (torrent->tracker_started && torrent->lonely_ns < deadline &&
        engine_torrents_is_lonely(torrent))
        deadline = torrent->lonely_ns;
    if (torrent->scrape_ns < deadline && wants_scrape(torrent))
        deadline = torrent->scrape_ns;
    return deadline;
}

bool engine_trackers_is_due(const struct engine_torrent *torrent)
{
    int64_t now = torrent->engine->now;
    if (torrent->tracker == NULL)
        return false;
    bool lonely = torrent->lonely_ns <= now && engine_torrents_is_lonely(torrent);
    return lonely || engine_trackers_deadline(torrent) <= now;
}

void engine_trackers_tick(struct engine_torrent *torrent)
{
    tracker_client_tick(torrent->tracker, torrent->engine->now);
    take_results(torrent);
    wake(torrent);
}

bool engine_trackers_output(struct engine *engine, struct action *ret_action,
                            struct engine_torrent **ret_torrent)
{
    struct list_node *node;
    while ((node = list_first(&engine->tracker_ready))) {
        struct engine_torrent *torrent =
            LIST_ELEMENT(node, struct engine_torrent, in_tracker_ready);
        if (tracker_client_output(torrent->tracker, engine->now, ret_action)) {
            *ret_torrent = torrent;
            return true;
        }
        list_remove(&engine->tracker_ready, node);
        engine_touch(torrent);
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* What a person may ask of a torrent, whether it has its metadata yet or not. */
#include "core/engine/engine_state.h"

#include <string.h>

bool engine_torrent_status(const struct engine *engine, torrent_id torrent,
                           struct torrent_status *ret_status)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    if (found && found->swarm)
        swarm_status(found->swarm, engine->now, ret_status);
    else if (found)
        engine_metadata_status(found, ret_status);
    if (found)
        engine_trackers_status(found, ret_status);
    return found != NULL;
}

uint32_t engine_torrent_peers(const struct engine *engine, torrent_id torrent,
                              struct peer_status *ret_peers, uint32_t max)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    if (found == NULL)
        return 0;
    return found->swarm ? swarm_peer_statuses(found->swarm, engine->now, ret_peers, max)
                        : metadata_swarm_peer_statuses(found->metadata, ret_peers, max);
}

const struct metainfo *engine_torrent_metainfo(const struct engine *engine, torrent_id torrent)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    return found ? engine_torrents_metainfo(found) : NULL;
}

/* Only who has a swarm knows of pieces. */
static const struct swarm *swarm_of(const struct engine *engine, torrent_id torrent)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    return found ? found->swarm : NULL;
}

static void describe(const struct tracker_client_status *from, struct tracker_status *ret_status)
{
    *ret_status = (struct tracker_status){
        .url = from->url,
        .tier = from->tier,
        .is_announcing = from->is_announcing,
        .is_scraping = from->is_scraping,
        .is_given_up = from->is_given_up,
        .has_answered = from->is_known,
        .failures = from->failures,
        .announced_ns = from->announced_ns,
        .announced_ok = from->announced_ok,
        .announce_error = from->announce_error,
        .announce_peers = from->peers,
        .next_ns = from->next_ns,
        .scraped_ns = from->scraped_ns,
        .scraped_ok = from->scraped_ok,
        .seeders = from->has_counts ? (int64_t)from->counts.complete : -1,
        .leechers = from->has_counts ? (int64_t)from->counts.incomplete : -1,
        .downloads = from->has_downloads ? (int64_t)from->counts.downloaded : -1,
    };
    size_t length = from->said.length;
    if (length >= sizeof ret_status->announce_text) {
        length = sizeof ret_status->announce_text - 1;
        while (length > 0 && (from->said.data[length] & 0xc0) == 0x80)
            length--; /* no character in halves */
    }
    if (length)
        memcpy(ret_status->announce_text, from->said.data, length);
}

uint32_t engine_torrent_trackers(const struct engine *engine, torrent_id torrent,
                                 struct tracker_status *ret_trackers, uint32_t max)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    struct tracker_client_status status;
    uint32_t count = 0;
    while (found && found->tracker && count < max &&
           tracker_client_status(found->tracker, count, &status))
        describe(&status, &ret_trackers[count++]);
    return count;
}

bool engine_torrent_file_bytes(const struct engine *engine, torrent_id torrent, uint64_t *ret_bytes,
                               uint32_t file_count)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    if (swarm)
        swarm_file_bytes(swarm, ret_bytes, file_count);
    return swarm != NULL;
}

bool engine_torrent_availability(const struct engine *engine, torrent_id torrent,
                                 uint8_t *ret_peers, uint32_t pieces)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    if (swarm)
        swarm_availability(swarm, ret_peers, pieces);
    return swarm != NULL;
}

uint32_t engine_torrent_fetches(const struct engine *engine, torrent_id torrent,
                                struct piece_fetch *ret_fetches, uint32_t max)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    return swarm ? swarm_fetches(swarm, ret_fetches, max) : 0;
}

bool engine_torrent_range(const struct engine *engine, torrent_id torrent, piece_index piece,
                          uint32_t begin, uint32_t length, struct file_range *ret_range)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    return swarm && swarm_range(swarm, piece, begin, length, ret_range);
}

bool engine_torrent_pipeline(const struct engine *engine, torrent_id torrent,
                             struct torrent_pipeline *ret_pipeline)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    if (swarm)
        swarm_pipeline(swarm, ret_pipeline);
    return swarm != NULL;
}

bool engine_torrent_reach(const struct engine *engine, torrent_id torrent,
                          struct torrent_reach *ret_reach)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    if (swarm)
        swarm_reach(swarm, ret_reach);
    return swarm != NULL;
}

uint32_t engine_torrent_web_seeds(const struct engine *engine, torrent_id torrent,
                                  struct web_seed_status *ret_seeds, uint32_t max)
{
    const struct swarm *swarm = swarm_of(engine, torrent);
    return swarm ? swarm_web_seeds(swarm, engine->now, ret_seeds, max) : 0;
}

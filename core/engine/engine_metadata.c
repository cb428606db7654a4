/* SPDX-License-Identifier: MIT */
/*
 * Torrents of which only the hash is known (BEP 9): added by magnet link, they have trackers and
 * the DHT like any other, but a metadata_swarm in place of a swarm. When the metadata is complete a
 * notice says so; whoever runs the engine takes it, lets a person choose files, and adds the
 * torrent under the same number.
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/engine/engine_state.h"

#include <string.h>

static void names_of_magnet(const struct magnet *magnet, struct engine_names *ret_names)
{
    *ret_names = (struct engine_names){.has_v1 = magnet->has_v1, .has_v2 = magnet->has_v2};
    memcpy(ret_names->v1, magnet->info_hash_v1, sizeof ret_names->v1);
    memcpy(ret_names->v2, magnet->info_hash_v2, sizeof ret_names->v2);
}

/* The trackers of a link have no tiers of their own: each is one (BEP 9). */
static void add_trackers(struct engine_torrent *torrent, const struct magnet *magnet)
{
    struct bytes *urls = memory_new_array(magnet->tracker_count + 1, sizeof *urls);
    uint32_t *tiers = memory_new_array(magnet->tracker_count + 1, sizeof *tiers);
    for (uint32_t i = 0; i < magnet->tracker_count; i++) {
        urls[i] = (struct bytes){(const uint8_t *)magnet->trackers[i], strlen(magnet->trackers[i])};
        tiers[i] = i;
    }
    struct engine_trackers trackers = {urls, tiers, magnet->tracker_count};
    engine_trackers_add(torrent, &trackers);
    memory_free(urls);
    memory_free(tiers);
}

void engine_metadata_add(struct engine *engine, const struct engine_command *command)
{
    struct metainfo *metainfo = command->metainfo;
    const struct magnet *magnet = command->magnet;
    struct engine_names names;
    CHECK((metainfo != NULL) != (magnet != NULL));
    if (magnet)
        names_of_magnet(magnet, &names);
    else
        engine_torrents_names_of(metainfo, &names);
    struct engine_torrent *torrent = engine_torrents_new(engine, command->torrent, &names);
    struct metadata_swarm_options options = {
        .info_hash_v1 = names.has_v1 ? names.v1 : NULL,
        .info_hash_v2 = names.has_v2 ? names.v2 : NULL,
        .metainfo = metainfo,
        .peers = command->peers,
        .peer_count = command->peer_count,
        .transport = command->transport,
    };
    if (magnet)
        add_trackers(torrent, magnet);
    else
        engine_trackers_add(torrent,
                            &(struct engine_trackers){metainfo->trackers, metainfo->tracker_tiers,
                                                      metainfo->tracker_count});
    torrent->metadata =
        metadata_swarm_new(&engine->shared, command->torrent, &options, engine->now);
    if (engine->shared.external.family != ADDRESS_NONE)
        metadata_swarm_set_self(torrent->metadata, &engine->shared.external);
    engine_dht_enter(torrent);
    engine_torrents_update(torrent);
    engine_touch(torrent);
}

/* Connections that it lets go of are closed by the engine itself: it may be gone soon. */
static void drain(struct engine_torrent *torrent)
{
    struct action action;
    while (metadata_swarm_output(torrent->metadata, torrent->engine->now, &action))
        if (action.type == ACTION_CLOSE)
            engine_close_conn(torrent->engine, action.conn);
}

/* Is the source one that a private torrent may have peers from (BEP 27)? */
static bool is_allowed(const struct engine_torrent *torrent, enum peer_source source)
{
    return !torrent->names.is_private ||
           (source != PEER_SOURCE_DHT && source != PEER_SOURCE_PEX && source != PEER_SOURCE_LAN);
}

void engine_metadata_become_swarm(struct engine_torrent *torrent)
{
    struct engine_names names;
    struct peer_list_entry *candidates = memory_new_array(LIMIT_PEER_LIST, sizeof *candidates);
    metadata_swarm_pause(torrent->metadata, torrent->engine->now);
    uint32_t ban_count;
    const struct address *bans = metadata_swarm_bans(torrent->metadata, &ban_count);
    for (uint32_t i = 0; i < ban_count; i++)
        swarm_ban(torrent->swarm, &bans[i]);
    uint32_t count = metadata_swarm_candidates(torrent->metadata, candidates, LIMIT_PEER_LIST);
    drain(torrent);
    metadata_swarm_free(torrent->metadata);
    torrent->metadata = NULL;
    metainfo_free(torrent->fetched);
    torrent->fetched = NULL;
    engine_dht_leave(torrent);
    engine_lsd_leave(torrent);
    engine_torrents_names_of(swarm_metainfo(torrent->swarm), &names);
    /* A hybrid that was known by one hash is announced to its trackers under that one until it is
     * added anew: a round of theirs may be under way. The DHT learns both. */
    engine_torrents_name(torrent, &names);
    if (torrent->tracker && names.is_private)
        tracker_client_set_private(torrent->tracker);
    for (uint32_t i = 0; i < count; i++)
        if (is_allowed(torrent, candidates[i].source))
            engine_torrents_add_peers(torrent, &candidates[i].address, 1, candidates[i].source);
    memory_free(candidates);
}

void engine_metadata_close(struct engine_torrent *torrent)
{
    metadata_swarm_pause(torrent->metadata, torrent->engine->now);
    drain(torrent);
    engine_tell(
        torrent->engine,
        &(struct notice){.type = NOTICE_REMOVED, .torrent = torrent->id, .file = UINT32_MAX});
}

static void tell_bans(struct engine_torrent *torrent)
{
    struct notice notice = {.type = NOTICE_PEER_BANNED, .torrent = torrent->id, .file = UINT32_MAX};
    while (metadata_swarm_next_ban(torrent->metadata, &notice.address))
        engine_tell(torrent->engine, &notice);
}

static void look_whether_complete(struct engine_torrent *torrent)
{
    struct notice notice = {.torrent = torrent->id, .file = UINT32_MAX};
    if (torrent->metadata_told || torrent->removing)
        return;
    torrent->fetched = metadata_swarm_take(torrent->metadata, torrent->engine->now);
    notice.error = metadata_swarm_error(torrent->metadata);
    if (torrent->fetched == NULL && notice.error == FRESHET_OK)
        return;
    torrent->metadata_told = true;
    if (torrent->fetched && torrent->fetched->is_private) {
        /* Known from here on (BEP 27), before it is added: the DHT and the LAN hear no more. */
        torrent->names.is_private = true;
        engine_torrents_update(torrent);
    }
    notice.type = torrent->fetched ? NOTICE_METADATA : NOTICE_ERROR;
    const char *reason = metadata_swarm_reason(torrent->metadata);
    notice.text = (struct bytes){(const uint8_t *)reason, strlen(reason)};
    engine_tell(torrent->engine, &notice);
    drain(torrent);
}

bool engine_metadata_output(struct engine *engine, struct action *ret_action)
{
    struct list_node *node;
    while ((node = list_first(&engine->shared.metadata_ready))) {
        struct metadata_swarm *swarm = metadata_swarm_of_ready(node);
        struct engine_torrent *torrent = engine_torrents_find(engine, metadata_swarm_id(swarm));
        if (metadata_swarm_output(swarm, engine->now, ret_action)) {
            if (engine_mse_takes(engine, ret_action))
                continue;
            return true;
        }
        tell_bans(torrent);
        look_whether_complete(torrent);
        if (list_contains(node))
            list_remove(&engine->shared.metadata_ready, node);
        engine_touch(torrent);
    }
    return false;
}

void engine_metadata_status(const struct engine_torrent *torrent, struct torrent_status *ret_status)
{
    struct metadata_status status;
    metadata_swarm_status(torrent->metadata, &status);
    *ret_status = (struct torrent_status){
        .phase = torrent->removing          ? PHASE_STOPPING
                 : torrent->metadata_paused ? PHASE_PAUSED
                                            : PHASE_METADATA,
        .error = metadata_swarm_error(torrent->metadata),
        .peers = status.peers,
        .metadata_bytes = status.bytes,
        .metadata_size = status.size,
        .layers = status.layers,
        .layers_total = status.layers_total,
        .lacks = status.lacks,
    };
}

struct metainfo *engine_take_metadata(struct engine *engine, torrent_id torrent)
{
    struct engine_torrent *found = engine_torrents_find(engine, torrent);
    struct metainfo *metainfo = found ? found->fetched : NULL;
    if (found)
        found->fetched = NULL;
    return metainfo;
}

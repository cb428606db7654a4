/* SPDX-License-Identifier: MIT */
/* Torrents come and go; what a person commands; the end of everything in order. */
#include "core/engine/engine_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

#include <string.h>

struct engine_torrent *engine_torrents_find(const struct engine *engine, torrent_id id)
{
    return map_get(&engine->by_id, &id);
}

/* Peers ask for it by these: v1, and the first 20 bytes of v2. */
static void name_by_hash(struct engine_torrent *torrent, bool add)
{
    struct engine *engine = torrent->engine;
    const struct engine_names *names = &torrent->names;
    const uint8_t *hashes[2] = {names->has_v1 ? names->v1 : NULL, names->has_v2 ? names->v2 : NULL};
    for (size_t i = 0; i < 2; i++) {
        if (hashes[i] == NULL)
            continue;
        struct engine_torrent *named = map_get(&engine->by_hash, hashes[i]);
        if (add ? named != NULL : named != torrent)
            continue;
        engine_mse_name(torrent, hashes[i], add);
        if (add)
            map_put(&engine->by_hash, hashes[i], torrent);
        else
            map_remove(&engine->by_hash, hashes[i]);
    }
}

void engine_torrents_names_of(const struct metainfo *metainfo, struct engine_names *ret_names)
{
    *ret_names = (struct engine_names){
        .has_v1 = metainfo->has_v1, .has_v2 = metainfo->has_v2, .is_private = metainfo->is_private};
    memcpy(ret_names->v1, metainfo->info_hash_v1, sizeof ret_names->v1);
    memcpy(ret_names->v2, metainfo->info_hash_v2, sizeof ret_names->v2);
}

void engine_torrents_name(struct engine_torrent *torrent, const struct engine_names *names)
{
    name_by_hash(torrent, false);
    torrent->names = *names;
    name_by_hash(torrent, true);
}

struct engine_torrent *engine_torrents_new(struct engine *engine, torrent_id id,
                                           const struct engine_names *names)
{
    CHECK(id != 0);
    CHECK(engine_torrents_find(engine, id) == NULL);
    struct engine_torrent *torrent = memory_new(sizeof *torrent);
    torrent->engine = engine;
    torrent->id = id;
    torrent->lonely_ns = engine->now + ENGINE_LONELY_NS;
    list_append(&engine->torrents, &torrent->in_engine);
    engine->shared.torrents++;
    map_put(&engine->by_id, &torrent->id, torrent);
    engine_torrents_name(torrent, names);
    return torrent;
}

/* ---- what the rest of the engine asks, whether there is metadata yet or not ---- */

const struct metainfo *engine_torrents_metainfo(const struct engine_torrent *torrent)
{
    return torrent->swarm ? swarm_metainfo(torrent->swarm) : NULL;
}

bool engine_torrents_is_active(const struct engine_torrent *torrent)
{
    return torrent->swarm ? swarm_is_active(torrent->swarm) : !torrent->metadata_paused;
}

bool engine_torrents_is_seed(const struct engine_torrent *torrent)
{
    return torrent->swarm && swarm_is_seed(torrent->swarm);
}

bool engine_torrents_is_lonely(const struct engine_torrent *torrent)
{
    if (torrent->swarm)
        return swarm_is_lonely(torrent->swarm);
    return !torrent->metadata_paused && !torrent->metadata_told &&
           metadata_swarm_is_lonely(torrent->metadata);
}

bool engine_torrents_is_resting(const struct engine_torrent *torrent)
{
    return torrent->swarm ? swarm_is_resting(torrent->swarm) : torrent->metadata_paused;
}

/* Local discovery and the DHT may find somebody at any time; a private torrent may not ask them. */
static bool is_forsaken(const struct engine_torrent *torrent)
{
    const struct engine *engine = torrent->engine;
    bool may_look = !torrent->names.is_private && (engine->dht || engine->lsd);
    return torrent->swarm && !torrent->removing && !may_look && swarm_is_forsaken(torrent->swarm) &&
           (torrent->tracker == NULL || tracker_client_is_hopeless(torrent->tracker));
}

void engine_torrents_judge_sources(struct engine_torrent *torrent)
{
    bool forsaken = is_forsaken(torrent);
    if (forsaken && !torrent->forsaken_told)
        engine_tell(torrent->engine, &(struct notice){.type = NOTICE_NO_SOURCES,
                                                      .torrent = torrent->id,
                                                      .file = UINT32_MAX});
    torrent->forsaken_told = forsaken;
}

void engine_torrents_add_peers(struct engine_torrent *torrent, const struct address *peers,
                               uint32_t count, enum peer_source source)
{
    int64_t now = torrent->engine->now;
    if (torrent->swarm)
        swarm_add_peers(torrent->swarm, now, peers, count, source);
    else
        metadata_swarm_add_peers(torrent->metadata, now, peers, count, source);
}

/* What is left is not known without metadata; it is not nothing, or we were taken for a seed. */
static void take_facts(struct engine_torrent *torrent, struct swarm_facts *ret_facts)
{
    if (torrent->swarm)
        swarm_take_facts(torrent->swarm, ret_facts);
    else
        *ret_facts = (struct swarm_facts){
            .active = !torrent->metadata_paused, .wants_peers = true, .left = LIMIT_BLOCK_SIZE};
}

void engine_torrents_update(struct engine_torrent *torrent)
{
    struct swarm_facts facts;
    if (torrent->removing)
        return;
    take_facts(torrent, &facts);
    engine_trackers_update(torrent, &facts);
    engine_dht_update(torrent);
    engine_lsd_update(torrent);
}

void engine_torrents_tick(struct engine_torrent *torrent)
{
    if (torrent->swarm)
        swarm_tick(torrent->swarm, torrent->engine->now);
    else
        metadata_swarm_tick(torrent->metadata, torrent->engine->now);
    if (engine_trackers_is_due(torrent)) {
        engine_torrents_update(torrent);
        engine_trackers_tick(torrent);
    }
    engine_dht_torrent_tick(torrent);
    engine_torrents_judge_sources(torrent);
}

/* ---- commands ---- */

static void add(struct engine *engine, const struct engine_command *command)
{
    const struct metainfo *metainfo = command->metainfo;
    struct engine_torrent *torrent = engine_torrents_find(engine, command->torrent);
    struct engine_names names;
    CHECK(torrent == NULL || (torrent->metadata != NULL && !torrent->removing));
    engine_torrents_names_of(metainfo, &names);
    if (torrent == NULL)
        torrent = engine_torrents_new(engine, command->torrent, &names);
    torrent->swarm = swarm_new(&engine->shared, command->torrent, command->metainfo,
                               command->options, engine->now);
    if (engine->shared.external.family != ADDRESS_NONE)
        swarm_set_self(torrent->swarm, &engine->shared.external);
    if (torrent->metadata)
        engine_metadata_become_swarm(torrent);
    else
        engine_trackers_add(torrent,
                            &(struct engine_trackers){metainfo->trackers, metainfo->tracker_tiers,
                                                      metainfo->tracker_count});
    engine_dht_enter(torrent);
    engine_touch(torrent);
}

static void begin_removal(struct engine_torrent *torrent)
{
    if (torrent->removing)
        return;
    engine_trackers_stop(torrent);
    engine_dht_leave(torrent);
    engine_lsd_leave(torrent);
    torrent->removing = true;
    list_append(&torrent->engine->leaving, &torrent->in_leaving);
    torrent->stop_ns = torrent->engine->now + ENGINE_STOP_GRACE_NS;
    name_by_hash(torrent, false);
    if (torrent->swarm)
        swarm_close(torrent->swarm, torrent->engine->now);
    else
        engine_metadata_close(torrent);
    engine_touch(torrent);
}

static void shut_down(struct engine *engine)
{
    engine->shutting_down = true;
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node))
        begin_removal(LIST_ELEMENT(node, struct engine_torrent, in_engine));
}

static void command_metadata(struct engine_torrent *torrent, const struct engine_command *command)
{
    int64_t now = torrent->engine->now;
    if (command->type == COMMAND_PAUSE || command->type == COMMAND_RESUME) {
        torrent->metadata_paused = command->type == COMMAND_PAUSE;
        if (torrent->metadata_paused)
            metadata_swarm_pause(torrent->metadata, now);
        else
            metadata_swarm_resume(torrent->metadata, now);
    } else if (command->type == COMMAND_ADD_PEERS) {
        metadata_swarm_add_peers(torrent->metadata, now, command->peers, command->peer_count,
                                 PEER_SOURCE_USER);
    } else if (command->type == COMMAND_SET_OPTIONS) {
        metadata_swarm_set_transport(torrent->metadata, now, command->tuning->transport);
    }
}

static void command_swarm(struct engine_torrent *torrent, const struct engine_command *command)
{
    int64_t now = torrent->engine->now;
    switch (command->type) {
    case COMMAND_PAUSE: swarm_pause(torrent->swarm, now); break;
    case COMMAND_RESUME: swarm_resume(torrent->swarm, now); break;
    case COMMAND_ADD_PEERS:
        swarm_add_peers(torrent->swarm, now, command->peers, command->peer_count, PEER_SOURCE_USER);
        break;
    case COMMAND_SET_LIMITS:
        swarm_set_limits(torrent->swarm, command->upload_limit, command->download_limit);
        break;
    case COMMAND_SET_PRIORITIES:
        swarm_set_priorities(torrent->swarm, now, command->file_priorities);
        break;
    case COMMAND_SET_WINDOWS:
        swarm_set_windows(torrent->swarm, now, command->windows, command->window_count);
        break;
    case COMMAND_SET_OPTIONS: swarm_tune(torrent->swarm, now, command->tuning); break;
    case COMMAND_RECHECK: swarm_recheck(torrent->swarm, now); break;
    default: break;
    }
}

/* Behind the client's name it is a number. Trackers know us by the first one. */
static void take_new_peer_id(struct engine *engine)
{
    struct swarm_shared *shared = &engine->shared;
    for (uint32_t i = 8; i < sizeof shared->settings.peer_id; i++)
        shared->settings.peer_id[i] = (uint8_t)rng_below(&shared->rng, 256);
}

static void network_changed(struct engine *engine, bool lost)
{
    if (lost)
        take_new_peer_id(engine);
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node)) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        if (torrent->removing)
            continue;
        if (torrent->swarm)
            swarm_on_network_changed(torrent->swarm, engine->now);
        else
            metadata_swarm_on_network_changed(torrent->metadata, engine->now);
        engine_torrents_update(torrent); /* the port may be another one */
        if (torrent->tracker && torrent->tracker_started)
            tracker_client_on_network_changed(torrent->tracker, engine->now);
        engine_dht_on_network_changed(torrent);
        engine_touch(torrent);
    }
}

static void command_torrent(struct engine_torrent *torrent, const struct engine_command *command)
{
    if (command->type == COMMAND_REMOVE_TORRENT)
        begin_removal(torrent);
    else if (torrent->swarm)
        command_swarm(torrent, command);
    else
        command_metadata(torrent, command);
    if (command->type == COMMAND_SET_TRACKERS)
        engine_trackers_replace(torrent,
                                &(struct engine_trackers){command->trackers, command->tracker_tiers,
                                                          command->tracker_count});
    if (command->type == COMMAND_ANNOUNCE && torrent->tracker && torrent->tracker_started)
        tracker_client_announce_now(torrent->tracker, torrent->engine->now);
    engine_torrents_update(torrent);
    engine_touch(torrent);
}

static void tune(struct engine *engine, const struct engine_tuning *tuning)
{
    struct swarm_shared *shared = &engine->shared;
    shared->settings.no_pex = tuning->no_pex;
    shared->settings.has_utp = tuning->has_utp;
    shared->settings.upload_slots = tuning->upload_slots;
    shared->settings.encryption = tuning->encryption;
    shared->peers_max = tuning->peers_max;
    shared->connections_max = tuning->connections_max ? tuning->connections_max : LIMIT_CONNECTIONS;
    engine_lsd_set(engine, !tuning->no_lsd);
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node)) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        if (torrent->swarm)
            swarm_retune(torrent->swarm);
    }
}

/* Candidates of many torrents are not judged in one turn: each has its own moment. */
static void set_ip_filter(struct engine *engine, const struct ip_filter *filter)
{
    int64_t due_ns = engine->now;
    engine->shared.ip_filter = filter;
    engine_filter_greetings(engine);
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node)) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        due_ns += ENGINE_FILTER_NS;
        if (torrent->swarm)
            swarm_set_ip_filter(torrent->swarm, engine->now, due_ns);
        else
            metadata_swarm_set_ip_filter(torrent->metadata, engine->now, due_ns);
        engine_touch(torrent);
    }
}

void engine_torrents_command(struct engine *engine, const struct engine_command *command)
{
    if (command->type == COMMAND_ADD_TORRENT) {
        add(engine, command);
    } else if (command->type == COMMAND_ADD_MAGNET) {
        engine_metadata_add(engine, command);
    } else if (command->type == COMMAND_START_DHT) {
        engine_dht_start(engine, command->dht);
    } else if (command->type == COMMAND_STOP_DHT) {
        engine_dht_stop(engine);
    } else if (command->type == COMMAND_SET_GROUP) {
        swarm_limits_set_group(&engine->shared, &command->group, engine->now);
    } else if (command->type == COMMAND_NEW_NETWORK) {
        network_changed(engine, command->lost);
    } else if (command->type == COMMAND_SET_EXTERNAL) {
        engine->shared.settings.listen_port = command->external.port;
        engine_set_self(engine, &command->external);
    } else if (command->type == COMMAND_SET_SESSION) {
        tune(engine, command->session);
    } else if (command->type == COMMAND_SET_IP_FILTER) {
        set_ip_filter(engine, command->ip_filter);
    } else if (command->type == COMMAND_SHUTDOWN) {
        shut_down(engine);
    } else if (command->type == COMMAND_SET_LIMITS && command->torrent == 0) {
        bandwidth_set_rate(&engine->shared.upload_limit, command->upload_limit, engine->now);
        bandwidth_set_rate(&engine->shared.download_limit, command->download_limit, engine->now);
    } else {
        struct engine_torrent *torrent = engine_torrents_find(engine, command->torrent);
        if (torrent && !torrent->removing)
            command_torrent(torrent, command);
    }
}

static bool is_over(const struct engine_torrent *torrent)
{
    if (!torrent->removing || (torrent->swarm && !swarm_is_closed(torrent->swarm)) ||
        list_contains(&torrent->in_tracker_ready))
        return false;
    return torrent->tracker == NULL || !torrent->tracker_started ||
           tracker_client_is_stopped(torrent->tracker) || torrent->engine->now >= torrent->stop_ns;
}

void engine_torrents_reap(struct engine *engine)
{
    uint32_t waiting = 0;
    struct list_node *node = list_first(&engine->leaving);
    while (node) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_leaving);
        node = list_next(&engine->leaving, node);
        bool over = is_over(torrent);
        waiting += !over;
        /* A job in the host's hands points into the client, so it may have to outlast the rest. */
        if (over && (torrent->tracker == NULL || !tracker_client_has_jobs(torrent->tracker)))
            engine_torrents_free(engine, torrent);
    }
    if (engine->shutting_down && waiting == 0 && !engine->shutdown_told) {
        engine->shutdown_told = true;
        engine_tell(engine, &(struct notice){.type = NOTICE_SHUTDOWN_DONE, .file = UINT32_MAX});
    }
}

void engine_torrents_free(struct engine *engine, struct engine_torrent *torrent)
{
    name_by_hash(torrent, false);
    if (torrent->removing)
        list_remove(&engine->leaving, &torrent->in_leaving);
    engine->shared.torrents--;
    map_remove(&engine->by_id, &torrent->id);
    list_remove(&engine->torrents, &torrent->in_engine);
    heap_remove(&engine->deadlines, &torrent->deadline);
    if (list_contains(&torrent->in_tracker_ready))
        list_remove(&engine->tracker_ready, &torrent->in_tracker_ready);
    tracker_client_free(torrent->tracker);
    swarm_free(torrent->swarm);
    metadata_swarm_free(torrent->metadata);
    metainfo_free(torrent->fetched);
    memory_free(torrent);
}

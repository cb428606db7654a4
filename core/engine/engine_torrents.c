/* SPDX-License-Identifier: MIT */
/* Torrents come and go; what a person commands; the end of everything in order. */
#include "core/engine/engine_state.h"

#include "core/base/check.h"
#include "core/base/memory.h"

struct engine_torrent *engine_torrents_find(const struct engine *engine, torrent_id id)
{
    return map_get(&engine->by_id, &id);
}

/* The names by which peers ask for it: v1, and the first 20 bytes of v2. */
static void name_by_hash(struct engine *engine, struct engine_torrent *torrent, bool add)
{
    const struct metainfo *metainfo = swarm_metainfo(torrent->swarm);
    const uint8_t *hashes[2] = {metainfo->has_v1 ? metainfo->info_hash_v1 : NULL,
                                metainfo->has_v2 ? metainfo->info_hash_v2 : NULL};
    for (size_t i = 0; i < 2; i++) {
        if (hashes[i] == NULL)
            continue;
        struct engine_torrent *named = map_get(&engine->by_hash, hashes[i]);
        if (add && named == NULL)
            map_put(&engine->by_hash, hashes[i], torrent);
        else if (!add && named == torrent)
            map_remove(&engine->by_hash, hashes[i]);
    }
}

static void add(struct engine *engine, const struct engine_command *command)
{
    CHECK(command->torrent != 0);
    CHECK(engine_torrents_find(engine, command->torrent) == NULL);
    struct engine_torrent *torrent = memory_new(sizeof *torrent);
    torrent->engine = engine;
    torrent->id = command->torrent;
    torrent->lonely_ns = engine->now + ENGINE_LONELY_NS;
    torrent->swarm = swarm_new(&engine->shared, command->torrent, command->metainfo,
                               command->options, engine->now);
    if (engine->shared.external.family != ADDRESS_NONE)
        swarm_set_self(torrent->swarm, &engine->shared.external);
    list_append(&engine->torrents, &torrent->in_engine);
    map_put(&engine->by_id, &torrent->id, torrent);
    name_by_hash(engine, torrent, true);
    engine_trackers_add(torrent);
    engine_touch(torrent);
}

static void begin_removal(struct engine_torrent *torrent)
{
    if (torrent->removing)
        return;
    engine_trackers_stop(torrent);
    torrent->removing = true;
    torrent->engine->removing++;
    torrent->stop_ns = torrent->engine->now + ENGINE_STOP_GRACE_NS;
    name_by_hash(torrent->engine, torrent, false);
    swarm_close(torrent->swarm, torrent->engine->now);
    engine_touch(torrent);
}

static void shut_down(struct engine *engine)
{
    engine->shutting_down = true;
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node))
        begin_removal(LIST_ELEMENT(node, struct engine_torrent, in_engine));
}

static void command_torrent(struct engine_torrent *torrent, const struct engine_command *command)
{
    int64_t now = torrent->engine->now;
    switch (command->type) {
    case COMMAND_REMOVE_TORRENT: begin_removal(torrent); break;
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
    case COMMAND_RECHECK: swarm_recheck(torrent->swarm, now); break;
    case COMMAND_ANNOUNCE:
        if (torrent->tracker && torrent->tracker_started)
            tracker_client_announce_now(torrent->tracker, now);
        break;
    case COMMAND_ADD_TORRENT:
    case COMMAND_SHUTDOWN: break;
    }
    engine_trackers_update(torrent);
    engine_touch(torrent);
}

void engine_torrents_command(struct engine *engine, const struct engine_command *command)
{
    if (command->type == COMMAND_ADD_TORRENT) {
        add(engine, command);
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
    if (!torrent->removing || !swarm_is_closed(torrent->swarm) ||
        list_contains(&torrent->in_tracker_ready))
        return false;
    return torrent->tracker == NULL || !torrent->tracker_started ||
           tracker_client_is_stopped(torrent->tracker) || torrent->engine->now >= torrent->stop_ns;
}

void engine_torrents_reap(struct engine *engine)
{
    uint32_t waiting = 0;
    if (engine->removing == 0 && !engine->shutting_down)
        return;
    struct list_node *node = list_first(&engine->torrents);
    while (node) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        node = list_next(&engine->torrents, node);
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
    name_by_hash(engine, torrent, false);
    engine->removing -= torrent->removing;
    map_remove(&engine->by_id, &torrent->id);
    list_remove(&engine->torrents, &torrent->in_engine);
    heap_remove(&engine->deadlines, &torrent->deadline);
    if (list_contains(&torrent->in_tracker_ready))
        list_remove(&engine->tracker_ready, &torrent->in_tracker_ready);
    tracker_client_free(torrent->tracker);
    swarm_free(torrent->swarm);
    memory_free(torrent);
}

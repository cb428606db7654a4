/* SPDX-License-Identifier: MIT */
/*
 * Between torrents and local service discovery (BEP 14): active torrents are told to the LAN, and
 * peers that it tells of come back by info-hash.
 *
 * A private torrent (BEP 27) never comes near: it is neither told nor heard.
 */
#include "core/engine/engine_state.h"
#include "core/lsd/local_discovery.h"

void engine_lsd_start(struct engine *engine)
{
    if (engine->shared.settings.no_lsd)
        return;
    uint64_t seed = rng_u64(&engine->shared.rng);
    engine->lsd = local_discovery_new(seed, engine->shared.settings.listen_port, engine->now);
}

void engine_lsd_free(struct engine *engine)
{
    local_discovery_free(engine->lsd);
    engine->lsd = NULL;
}

/* Of two torrents with one hash only the one that peers are led to by it is told. */
static uint32_t hashes_of(const struct engine_torrent *torrent, const uint8_t *ret_hashes[2])
{
    const struct engine_names *names = &torrent->names;
    const struct map *by_hash = &torrent->engine->by_hash;
    uint32_t count = 0;
    if (names->has_v1 && map_get(by_hash, names->v1) == torrent)
        ret_hashes[count++] = names->v1;
    if (names->has_v2 && map_get(by_hash, names->v2) == torrent)
        ret_hashes[count++] = names->v2;
    return count;
}

void engine_lsd_leave(struct engine_torrent *torrent)
{
    const uint8_t *hashes[2];
    if (!torrent->lsd_told)
        return;
    uint32_t count = hashes_of(torrent, hashes);
    for (uint32_t i = 0; i < count; i++)
        local_discovery_remove(torrent->engine->lsd, hashes[i]);
    torrent->lsd_told = false;
}

void engine_lsd_update(struct engine_torrent *torrent)
{
    const uint8_t *hashes[2];
    bool tell = torrent->engine->lsd && !torrent->names.is_private && !torrent->removing &&
                engine_torrents_is_active(torrent);
    if (!tell)
        engine_lsd_leave(torrent);
    if (!tell || torrent->lsd_told)
        return;
    uint32_t count = hashes_of(torrent, hashes);
    for (uint32_t i = 0; i < count; i++)
        local_discovery_add(torrent->engine->lsd, torrent->engine->now, hashes[i]);
    torrent->lsd_told = true;
}

void engine_lsd_set(struct engine *engine, bool on)
{
    if (on == (engine->lsd != NULL))
        return;
    engine->shared.settings.no_lsd = !on;
    if (on)
        engine_lsd_start(engine);
    for (struct list_node *node = list_first(&engine->torrents); node;
         node = list_next(&engine->torrents, node)) {
        struct engine_torrent *torrent = LIST_ELEMENT(node, struct engine_torrent, in_engine);
        if (on)
            engine_lsd_update(torrent);
        else
            engine_lsd_leave(torrent);
    }
    if (!on)
        engine_lsd_free(engine);
}

void engine_lsd_input(struct engine *engine, const struct event *event)
{
    uint8_t hash[20];
    struct address peer;
    if (engine->lsd == NULL)
        return;
    if (event->type == EVENT_LISTENING) {
        local_discovery_set_port(engine->lsd, event->local.port);
        return;
    }
    local_discovery_input(engine->lsd, engine->now, &event->remote, event->bytes);
    while (local_discovery_result(engine->lsd, hash, &peer)) {
        struct engine_torrent *torrent = map_get(&engine->by_hash, hash);
        if (torrent == NULL || !torrent->lsd_told)
            continue;
        engine_torrents_add_peers(torrent, &peer, 1, PEER_SOURCE_LAN);
        engine_touch(torrent);
    }
}

void engine_lsd_tick(struct engine *engine)
{
    if (engine->lsd)
        local_discovery_tick(engine->lsd, engine->now);
}

int64_t engine_lsd_deadline(const struct engine *engine)
{
    return engine->lsd ? local_discovery_deadline(engine->lsd) : INT64_MAX;
}

bool engine_lsd_output(struct engine *engine, struct action *ret_action)
{
    return engine->lsd && local_discovery_output(engine->lsd, ret_action);
}

void engine_lsd_check(const struct engine *engine)
{
    if (engine->lsd)
        local_discovery_check(engine->lsd);
}

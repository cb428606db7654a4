/* SPDX-License-Identifier: MIT */
#include "core/base/map.h"
#include "core/base/memory.h"
#include "services/rpc/transmission_state.h"

#include <string.h>

/* A walk that the catalog changes under begins anew so often; then it is done in one go. */
#define ATTEMPTS_MAX 3u

void transmission_ids_prepare(struct transmission_request *request)
{
    struct transmission_ids *ids = &request->ids;
    json_t *named = transmission_arguments_find(request, "ids");
    const char *text = json_string_value(named);
    if (!named)
        ids->all = true;
    else if (text && (strcmp(text, "recently-active") == 0 || strcmp(text, "recently_active") == 0))
        ids->recent = true;
    else if (json_is_integer(named) || json_is_array(named) || text)
        ids->named = named;
    else
        transmission_rpc_fail(request, FAULT_ARGUMENTS,
                              "ids is a number, a list of numbers and hashes, or "
                              "\"recently-active\"");
}

const struct catalog_torrent *transmission_ids_find(const struct service_world *world,
                                                    torrent_id id)
{
    const struct catalog_torrent *row = catalog_find(world->catalog, id);
    /* Who has removed a torrent expects not to see it again. */
    return row && row->phase != CATALOG_REMOVING && !row->removing ? row : NULL;
}

static void add(struct transmission_ids *ids, torrent_id id)
{
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity ? ids->capacity * 2 : 64;
        ids->list = memory_resize_array(ids->list, ids->capacity, sizeof ids->list[0]);
    }
    ids->list[ids->count++] = id;
}

static const struct catalog_torrent *find_named(const struct service_world *world, json_t *value)
{
    const struct catalog_torrent *row = NULL;
    if (json_is_integer(value)) {
        int64_t id = json_integer_value(value);
        if (id > 0 && id <= UINT32_MAX)
            row = catalog_find(world->catalog, (torrent_id)id);
    } else if (json_is_string(value)) {
        uint8_t hash[32];
        struct bytes hex = {(const uint8_t *)json_string_value(value), json_string_length(value)};
        if ((hex.length == 40 || hex.length == 64) && bytes_from_hex(hex, hash, hex.length / 2))
            row = catalog_find_hash(world->catalog, (struct bytes){hash, hex.length / 2});
    }
    return row ? transmission_ids_find(world, row->id) : NULL;
}

/* What is named twice is chosen once, and what does not exist is passed over. */
static bool choose_named(struct transmission_ids *ids, struct service_world *world,
                         struct transmission_slice *slice)
{
    if (!json_is_array(ids->named)) {
        const struct catalog_torrent *row = find_named(world, ids->named);
        if (row)
            add(ids, row->id);
        return true;
    }
    size_t count = json_array_size(ids->named);
    while (ids->at < count) {
        const struct catalog_torrent *row = find_named(world, json_array_get(ids->named, ids->at));
        ids->at++;
        if (row)
            add(ids, row->id);
        if (ids->at < count && transmission_rpc_is_over(slice))
            return false;
    }
    struct map seen;
    map_init(&seen, sizeof(torrent_id), 1);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ids->count; i++)
        if (!map_put(&seen, &ids->list[i], ids))
            ids->list[kept++] = ids->list[i];
    ids->count = kept;
    map_deinit(&seen);
    return true;
}

static bool is_chosen(const struct transmission_ids *ids, const struct service_world *world,
                      const struct catalog_torrent *row)
{
    if (row->phase == CATALOG_REMOVING || row->removing)
        return false;
    return ids->all || row->revision > world->revision_minute_ago ||
           world->revision_minute_ago == 0;
}

static bool choose_all(struct transmission_ids *ids, struct service_world *world,
                       struct transmission_slice *slice)
{
    if (ids->at > 0 && ids->revision != catalog_revision(world->catalog)) {
        ids->at = ids->count = 0;
        ids->attempts++;
    }
    ids->revision = catalog_revision(world->catalog);
    uint32_t count = catalog_count(world->catalog);
    for (; ids->at < count; ids->at++) {
        if (ids->at > 0 && ids->attempts < ATTEMPTS_MAX && transmission_rpc_is_over(slice))
            return false;
        const struct catalog_torrent *row = catalog_at(world->catalog, ids->at);
        if (is_chosen(ids, world, row))
            add(ids, row->id);
    }
    return true;
}

bool transmission_ids_choose(struct transmission_request *request, struct service_world *world,
                             struct transmission_slice *slice)
{
    struct transmission_ids *ids = &request->ids;
    if (!ids->chosen)
        ids->chosen = ids->named ? choose_named(ids, world, slice) : choose_all(ids, world, slice);
    return ids->chosen;
}

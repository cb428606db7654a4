/* SPDX-License-Identifier: MIT */
#include "services/api/api_dht.h"

#define FAMILIES     2u
#define PREFIX_BYTES 8u /* of a node's id: enough to place it */

struct dht {
    bool enabled;
    bool there[FAMILIES];
    struct dht_places places[FAMILIES];
};

static const char *const family_names[FAMILIES] = {"ipv4", "ipv6"};
static const char *const state_names[] = {
    [DHT_PLACE_GOOD] = "good",
    [DHT_PLACE_QUESTIONABLE] = "questionable",
    [DHT_PLACE_BAD] = "bad",
};

enum service_step api_dht_step(struct api_call *call, struct api_turn *turn)
{
    static const enum address_family families[FAMILIES] = {ADDRESS_IPV4, ADDRESS_IPV6};
    struct dht *dht = call->state = call_arena_take(&call->arena, sizeof *dht);

    dht->enabled = service_settings(turn->world).dht;
    for (uint32_t i = 0; i < FAMILIES; i++)
        dht->there[i] = engine_dht_places(turn->world->engine, families[i], &dht->places[i]);
    return SERVICE_DONE;
}

static void put_id(struct json_writer *json, const struct dht_id *id, uint32_t bytes)
{
    char text[2 * DHT_ID_SIZE + 1];

    bytes_to_hex(id->bytes, bytes, text);
    json_writer_put_text(json, "id", text);
}

static void write_family(struct json_writer *json, const char *name,
                         const struct dht_places *places)
{
    json_writer_open(json, '{');
    json_writer_put_text(json, "family", name);
    put_id(json, &places->own, DHT_ID_SIZE);
    json_writer_key(json, "nodes");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < places->count; i++) {
        const struct dht_place *place = &places->nodes[i];
        json_writer_open(json, '{');
        put_id(json, &place->id, PREFIX_BYTES);
        json_writer_put_u64(json, "shared", place->shared_bits);
        json_writer_put_text(json, "state", state_names[place->state]);
        json_writer_close(json, '}');
    }
    json_writer_close(json, ']');
    json_writer_close(json, '}');
}

void api_dht_write(struct api_call *call, struct json_writer *json)
{
    const struct dht *dht = call->state;

    json_writer_put_bool(json, "enabled", dht->enabled);
    json_writer_key(json, "families");
    json_writer_open(json, '[');
    for (uint32_t i = 0; i < FAMILIES; i++)
        if (dht->there[i])
            write_family(json, family_names[i], &dht->places[i]);
    json_writer_close(json, ']');
}

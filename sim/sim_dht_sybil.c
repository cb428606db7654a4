/* SPDX-License-Identifier: MIT */
#include "sim/sim_dht_sybil.h"

#include "core/base/memory.h"
#include "core/dht/krpc.h"

#include <stdlib.h>
#include <string.h>

#define KNOCKS     8u /* at a time */
#define KNOCK_NS   (120 * SECOND_NS)
#define NAMED      8u
#define NEIGHBOURS 16u /* looked at on each side of the target */

/* The id nearest to the aim that the address allows: 21 bits follow from it and from three bits of
 * the last byte (BEP 42), the rest is free. */
static struct dht_id aimed_id(const struct sim_dht *world, const struct address *address)
{
    struct dht_id best = {{0}};
    for (uint8_t r = 0; r < 8; r++) {
        struct dht_id id = world->aim;
        uint32_t crc = dht_id_address_crc(address, r);
        id.bytes[0] = (uint8_t)(crc >> 24);
        id.bytes[1] = (uint8_t)(crc >> 16);
        id.bytes[2] = (uint8_t)((crc >> 8 & 0xf8) | (id.bytes[2] & 0x07));
        id.bytes[DHT_ID_SIZE - 1] = (uint8_t)((id.bytes[DHT_ID_SIZE - 1] & 0xf8) | r);
        if (r == 0 || dht_id_compare_distance(&world->aim, &id, &best) < 0)
            best = id;
    }
    return best;
}

static struct dht_id new_id(struct sim_dht *world, const struct address *address)
{
    if (world->options.sybils == SIM_DHT_SYBILS_AIMED)
        return aimed_id(world, address);
    if (world->options.sybils == SIM_DHT_SYBILS_FORGED)
        return dht_id_random_at(&world->aim, 100 + rng_below(&world->rng, 40), &world->rng);
    return dht_id_of_address(address, &world->rng);
}

/* In order of id: those of one prefix stand together. qsort has no argument for the world, so pairs
 * of id and place are sorted. */
struct ranked {
    struct dht_id id;
    uint32_t place;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    int order = memcmp(left->id.bytes, right->id.bytes, DHT_ID_SIZE);
    return order ? order : (left->place > right->place) - (left->place < right->place);
}

void sim_dht_sybil_init(struct sim_dht *world)
{
    struct ranked *ranked = memory_new_array(world->place_count, sizeof *ranked);
    for (uint32_t i = 0; i < world->place_count; i++) {
        struct sim_dht_place *place = &world->places[i];
        if (!place->is_sybil)
            continue;
        place->sybil_id = new_id(world, &place->address);
        ranked[world->sybil_count++] = (struct ranked){place->sybil_id, i};
    }
    qsort(ranked, world->sybil_count, sizeof *ranked, compare_ranked);
    world->sybils = memory_new_array(world->sybil_count + 1, sizeof *world->sybils);
    for (uint32_t i = 0; i < world->sybil_count; i++)
        world->sybils[i] = ranked[i].place;
    memory_free(ranked);
}

static const struct dht_id *id_at(const struct sim_dht *world, uint32_t rank)
{
    return &world->places[world->sybils[rank]].sybil_id;
}

/* The nearest sybils are about where the target would stand among them. */
static size_t write_accomplices(const struct sim_dht *world, const struct dht_id *target,
                                uint8_t *out)
{
    uint32_t low = 0, high = world->sybil_count, chosen[NAMED], count = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (memcmp(id_at(world, middle)->bytes, target->bytes, DHT_ID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t begin = low > NEIGHBOURS ? low - NEIGHBOURS : 0;
    uint32_t end = low + NEIGHBOURS < world->sybil_count ? low + NEIGHBOURS : world->sybil_count;
    for (uint32_t i = begin; i < end; i++) {
        uint32_t at = count;
        while (at > 0 &&
               dht_id_compare_distance(target, id_at(world, i), id_at(world, chosen[at - 1])) < 0)
            at--;
        if (at == NAMED)
            continue;
        uint32_t moved = count < NAMED ? count++ : NAMED - 1;
        memmove(&chosen[at + 1], &chosen[at], (moved - at) * sizeof chosen[0]);
        chosen[at] = i;
    }
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct sim_dht_place *place = &world->places[world->sybils[chosen[i]]];
        struct dht_contact contact = {place->sybil_id, place->address};
        length += dht_id_write_contact(&contact, out + length);
    }
    return length;
}

void sim_dht_sybil_knock(struct sim_dht *world, uint32_t index)
{
    struct sim_dht_place *place = &world->places[index];
    for (uint32_t i = 0; i < KNOCKS && world->honest_alive; i++) {
        struct krpc_message query;
        struct buffer packet = {0};
        uint8_t transaction[2] = {'k', (uint8_t)i};
        uint32_t other = sim_dht_pick(world);
        krpc_init(&query, KRPC_QUERY);
        query.method = KRPC_FIND_NODE;
        query.transaction = (struct bytes){transaction, sizeof transaction};
        query.id = place->sybil_id;
        query.has_target = true;
        query.target = place->sybil_id;
        krpc_write(&query, &packet);
        sim_dht_send(world, index, &world->places[other].address, buffer_bytes(&packet));
        buffer_deinit(&packet);
    }
    heap_set(&world->events, &place->timer, world->now + KNOCK_NS);
}

void sim_dht_sybil_hear(struct sim_dht *world, uint32_t index, uint32_t from, struct bytes packet)
{
    const struct sim_dht_place *place = &world->places[index];
    uint8_t nodes[NAMED * KRPC_CONTACT_SIZE];
    struct krpc_message query, reply;
    struct buffer out = {0};
    if (krpc_parse(packet, &query) != FRESHET_OK || query.kind != KRPC_QUERY)
        return;
    krpc_init(&reply, KRPC_REPLY);
    reply.value_count = 0;
    reply.id = place->sybil_id;
    reply.transaction = query.transaction;
    reply.external = world->places[from].address;
    if (query.has_target && query.method != KRPC_ANNOUNCE_PEER)
        reply.nodes = (struct bytes){nodes, write_accomplices(world, &query.target, nodes)};
    if (query.method == KRPC_GET_PEERS)
        reply.token = BYTES_LITERAL("sybil");
    krpc_write(&reply, &out);
    sim_dht_send(world, index, &world->places[from].address, buffer_bytes(&out));
    buffer_deinit(&out);
}

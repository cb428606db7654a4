/* SPDX-License-Identifier: MIT */
#include "sim/sim_dht.h"

#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/dht/krpc.h"
#include "sim/sim_delay.h"
#include "sim/sim_dht_sybil.h"

#include <stdlib.h>
#include <string.h>

#define PORT         6881u
#define ROUTER_NODES 8u
#define ROUTER_TRIES 8u

struct flight {
    struct heap_node node;
    uint32_t from, to;
    uint32_t length;
    uint8_t bytes[];
};

static void mix(struct sim_dht *world, uint64_t fact)
{
    uint64_t digest = (world->digest ^ fact) * UINT64_C(0x9e3779b97f4a7c15);
    world->digest = digest ^ (digest >> 29);
}

int64_t sim_dht_rtt_ns(const struct sim_dht *world, uint32_t a, uint32_t b)
{
    return sim_delay_rtt_ns(world->options.seed, a, b);
}

uint32_t sim_dht_at(const struct sim_dht *world, const struct address *address)
{
    uintptr_t found = (uintptr_t)map_get(&world->by_ip, address->ip);
    return found && address->port == PORT ? (uint32_t)(found - 1) : UINT32_MAX;
}

/* A public address that nobody has, in any network. */
static struct address new_address(struct sim_dht *world)
{
    for (;;) {
        uint32_t bits = (uint32_t)rng_u64(&world->rng);
        uint8_t ip[4] = {(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8),
                         (uint8_t)bits};
        if (world->options.without_bep42)
            ip[0] = 10;
        struct address address = address_ipv4(ip, PORT);
        if (world->options.without_bep42 && !map_get(&world->by_ip, ip))
            return address;
        if (ip[0] == 0 || ip[3] == 0 || address_is_loopback(&address) ||
            address_is_private(&address) || address_is_multicast(&address) ||
            map_get(&world->by_ip, ip))
            continue;
        return address;
    }
}

static uint32_t add_place(struct sim_dht *world, bool is_sybil, int64_t born_ns)
{
    CHECK(world->place_count < world->place_capacity);
    uint32_t index = world->place_count++;
    struct sim_dht_place *place = &world->places[index];
    *place = (struct sim_dht_place){.address = new_address(world),
                                    .is_sybil = is_sybil,
                                    .born_ns = born_ns,
                                    .leaves_ns = INT64_MAX};
    map_put(&world->by_ip, place->address.ip, (void *)((uintptr_t)index + 1));
    heap_set(&world->events, &place->timer, born_ns);
    return index;
}

/* How long a node stays: exponential, in whole numbers, for no two compilers need agree on log. */
static int64_t session_ns(struct sim_dht *world)
{
    int64_t median = world->options.session_median_ns;
    /* P(T > k medians) = 2^-k: whole medians by tosses. */
    int64_t whole = 0;
    while (whole < 20 && (rng_u64(&world->rng) & 1))
        whole++;
    uint64_t draw = rng_below(&world->rng, 1000000);
    /* The rest is x in [0, 1) with 2 (1 - 2^-x) = draw, found by bisection, in thousandths; 1 -
     * 2^-x is x / 2 + 0.172 x (1 - x), within a thousandth. */
    int64_t low = 0, high = 1000;
    while (high - low > 1) {
        int64_t x = (low + high) / 2;
        int64_t fall = x * 500 + x * (1000 - x) * 172 / 1000; /* of 1e6, at most 500000 */
        if (2 * fall <= (int64_t)draw)
            low = x;
        else
            high = x;
    }
    return whole * median + median / 1000 * low;
}

struct sim_dht *sim_dht_new(const struct sim_dht_options *options)
{
    struct sim_dht *world = memory_new(sizeof *world);
    world->options = *options;
    world->now = SECOND_NS;
    world->digest = UINT64_C(0xcbf29ce484222325);
    rng_init(&world->rng, options->seed);
    heap_init(&world->events);
    map_init(&world->by_ip, 4, options->seed);
    /* Half of those that leave come back as others each median session; room for many hours. */
    world->place_capacity = options->session_median_ns ? options->nodes * 16 : options->nodes;
    world->places = memory_new_array(world->place_capacity, sizeof *world->places);
    rng_fill(&world->rng, world->aim.bytes, DHT_ID_SIZE);
    uint32_t sybils = (uint32_t)((uint64_t)options->nodes * options->sybil_permille / 1000);
    for (uint32_t i = 0; i < options->nodes; i++) {
        int64_t born_ns =
            world->now + options->join_ns / 1000000 * (int64_t)rng_below(&world->rng, 1000000);
        add_place(world, i >= options->nodes - sybils, i == 0 ? world->now : born_ns);
    }
    sim_dht_sybil_init(world);
    return world;
}

/* A packet, rather than a place's timer? Timers lie in the array of places. */
static bool is_flight(const struct sim_dht *world, const struct heap_node *node)
{
    const uint8_t *at = (const uint8_t *)node, *first = (const uint8_t *)world->places;
    return at < first || at >= first + world->place_capacity * sizeof *world->places;
}

void sim_dht_free(struct sim_dht *world)
{
    struct heap_node *node;
    while ((node = heap_pop_due(&world->events, INT64_MAX - 1)))
        if (is_flight(world, node))
            memory_free(HEAP_ELEMENT(node, struct flight, node));
    for (uint32_t i = 0; i < world->place_count; i++)
        dht_node_free(world->places[i].node);
    heap_deinit(&world->events);
    map_deinit(&world->by_ip);
    memory_free(world->places);
    memory_free(world->sybils);
    memory_free(world);
}

void sim_dht_send(struct sim_dht *world, uint32_t from, const struct address *remote,
                  struct bytes bytes)
{
    uint32_t to = sim_dht_at(world, remote);
    world->packets++;
    mix(world, (uint64_t)world->now ^ (uint64_t)from << 40);
    for (size_t i = 0; i + 8 <= bytes.length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes.data + i, 8);
        mix(world, __builtin_bswap64(word));
    }
    if (to == UINT32_MAX)
        return;
    struct flight *flight = memory_new(sizeof *flight + bytes.length);
    flight->from = from;
    flight->to = to;
    flight->length = (uint32_t)bytes.length;
    memcpy(flight->bytes, bytes.data, bytes.length);
    heap_set(&world->events, &flight->node, world->now + sim_dht_rtt_ns(world, from, to) / 2);
}

uint32_t sim_dht_pick(struct sim_dht *world)
{
    CHECK(world->honest_alive > 0);
    for (;;) {
        uint32_t index = rng_below(&world->rng, world->place_count);
        if (world->places[index].is_alive && !world->places[index].is_sybil)
            return index;
    }
}

/* The one name that they all know leads to somebody well connected, else to the first of all: were
 * it anybody, two newcomers could be led to one another, and be a network of their own. */
static uint32_t pick_router(struct sim_dht *world)
{
    for (uint32_t i = 0; i < ROUTER_TRIES; i++) {
        struct dht_node_stats stats;
        uint32_t index = sim_dht_pick(world);
        dht_node_stats(world->places[index].node, world->now, &stats);
        if (stats.good_nodes >= ROUTER_NODES)
            return index;
    }
    return 0;
}

static void resolve(struct sim_dht *world, uint32_t index, const struct resolve_job *job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job->id};
    uint32_t other = pick_router(world);
    if (other != index && world->places[other].is_alive) {
        event.result.resolved.addresses[0] = world->places[other].address;
        event.result.resolved.count = 1;
    }
    dht_node_input(world->places[index].node, world->now, &event);
}

void sim_dht_pump(struct sim_dht *world, uint32_t index)
{
    struct sim_dht_place *place = &world->places[index];
    struct action action;
    struct dht_result result;
    while (dht_node_output(place->node, world->now, &action)) {
        if (action.type == ACTION_RESOLVE)
            resolve(world, index, action.resolve);
        else if (action.type == ACTION_SEND_DATAGRAM)
            sim_dht_send(world, index, &action.remote, action.bytes);
    }
    while (dht_node_result(place->node, &result))
        if (world->on_result)
            world->on_result(world, index, &result);
    int64_t deadline = dht_node_deadline(place->node);
    if (deadline <= world->now)
        deadline = world->now + MILLISECOND_NS;
    if (place->leaves_ns < deadline)
        deadline = place->leaves_ns;
    heap_set(&world->events, &place->timer, deadline);
}

static void give_birth(struct sim_dht *world, uint32_t index)
{
    struct sim_dht_place *place = &world->places[index];
    place->is_alive = true;
    if (place->is_sybil) {
        sim_dht_sybil_knock(world, index);
        return;
    }
    struct dht_node_options options = {
        .family = ADDRESS_IPV4,
        .seed = rng_u64(&world->rng),
        .external = place->address,
        .first_job = 1,
    };
    rng_fill(&world->rng, options.secret, sizeof options.secret);
    place->node = dht_node_new(&options);
    dht_node_add_name(place->node, "router", PORT);
    if (world->options.session_median_ns)
        place->leaves_ns = world->now + session_ns(world);
    world->honest_alive++;
    dht_node_tick(place->node, world->now);
    sim_dht_pump(world, index);
}

void sim_dht_kill(struct sim_dht *world, uint32_t index)
{
    struct sim_dht_place *place = &world->places[index];
    CHECK(place->is_alive);
    place->is_alive = false;
    world->honest_alive -= !place->is_sybil;
    heap_remove(&world->events, &place->timer);
    dht_node_free(place->node);
    place->node = NULL;
}

void sim_dht_kill_share(struct sim_dht *world, uint32_t permille)
{
    uint32_t count = (uint32_t)((uint64_t)world->honest_alive * permille / 1000);
    for (uint32_t i = 0; i < count; i++)
        sim_dht_kill(world, sim_dht_pick(world));
}

static void on_timer(struct sim_dht *world, uint32_t index)
{
    struct sim_dht_place *place = &world->places[index];
    if (!place->is_alive) {
        give_birth(world, index);
    } else if (place->is_sybil) {
        sim_dht_sybil_knock(world, index);
    } else if (world->now >= place->leaves_ns) {
        sim_dht_kill(world, index);
        if (world->place_count < world->place_capacity)
            add_place(world, false, world->now);
    } else {
        dht_node_tick(place->node, world->now);
        sim_dht_pump(world, index);
    }
}

static void deliver(struct sim_dht *world, struct flight *flight)
{
    struct sim_dht_place *place = &world->places[flight->to];
    struct bytes bytes = {flight->bytes, flight->length};
    if (place->is_alive && place->is_sybil) {
        sim_dht_sybil_hear(world, flight->to, flight->from, bytes);
    } else if (place->is_alive) {
        struct event event = {
            .type = EVENT_DATAGRAM, .remote = world->places[flight->from].address, .bytes = bytes};
        dht_node_input(place->node, world->now, &event);
        sim_dht_pump(world, flight->to);
    }
    memory_free(flight);
}

void sim_dht_run(struct sim_dht *world, int64_t until_ns)
{
    struct heap_node *node;
    while ((node = heap_pop_due(&world->events, until_ns))) {
        if (node->when_ns > world->now)
            world->now = node->when_ns;
        if (is_flight(world, node))
            deliver(world, HEAP_ELEMENT(node, struct flight, node));
        else
            on_timer(world,
                     (uint32_t)(HEAP_ELEMENT(node, struct sim_dht_place, timer) - world->places));
    }
    world->now = until_ns;
}

uint32_t sim_dht_dead_permille(const struct sim_dht *world)
{
    uint64_t entries = 0, dead = 0;
    for (uint32_t i = 0; i < world->place_count; i++) {
        struct dht_contact contacts[256];
        if (!world->places[i].node)
            continue;
        uint32_t count = dht_node_contacts(world->places[i].node, contacts, 256);
        for (uint32_t j = 0; j < count; j++) {
            uint32_t at = sim_dht_at(world, &contacts[j].address);
            dead += at == UINT32_MAX || !world->places[at].is_alive;
        }
        entries += count;
    }
    return entries ? (uint32_t)(dead * 1000 / entries) : 0;
}

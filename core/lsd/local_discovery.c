/* SPDX-License-Identifier: MIT */
#include "core/lsd/local_discovery.h"

#include "core/base/check.h"
#include "core/base/heap.h"
#include "core/base/map.h"
#include "core/base/memory.h"
#include "core/base/rng.h"
#include "core/lsd/lsd_packet.h"

#include <string.h>

#define FAMILIES     2u
#define COOKIE_SIZE  8u
#define HASH_SIZE    20u
#define NEW_WAIT_NS  SECOND_NS /* torrents that are added together are told together */
#define TORRENTS_MAX (2 * LIMIT_TORRENTS)

struct lsd_torrent {
    uint8_t hash[HASH_SIZE];
    struct heap_node due;
};

struct lsd_source {
    struct address address; /* without its port */
    uint32_t packets;       /* in this minute */
};

struct lsd_result {
    uint8_t hash[HASH_SIZE];
    struct address peer;
};

struct local_discovery {
    char cookie[2 * COOKIE_SIZE + 1];
    uint16_t port;
    int64_t packet_ns; /* when the next packet may go */
    struct heap due;   /* all torrents, by when they are to be told */
    struct map by_hash;
    struct buffer packets[FAMILIES]; /* that wait to be sent; empty: none */
    struct buffer sent;              /* what the last action points at */
    int64_t minute;                  /* for which the sources are counted */
    uint32_t source_count;
    struct lsd_source sources[LIMIT_LSD_SOURCES];
    uint32_t result_first, result_count; /* a ring */
    struct lsd_result results[LIMIT_LSD_RESULTS];
};

struct local_discovery *local_discovery_new(uint64_t seed, uint16_t port, int64_t now)
{
    struct local_discovery *discovery = memory_new(sizeof *discovery);
    uint8_t cookie[COOKIE_SIZE];
    struct rng rng;
    rng_init(&rng, seed);
    rng_fill(&rng, cookie, sizeof cookie);
    bytes_to_hex(cookie, sizeof cookie, discovery->cookie);
    discovery->port = port;
    discovery->packet_ns = now;
    heap_init(&discovery->due);
    map_init(&discovery->by_hash, HASH_SIZE, rng_u64(&rng));
    return discovery;
}

static void forget(struct local_discovery *discovery, struct lsd_torrent *torrent)
{
    heap_remove(&discovery->due, &torrent->due);
    map_remove(&discovery->by_hash, torrent->hash);
    memory_free(torrent);
}

void local_discovery_free(struct local_discovery *discovery)
{
    if (discovery == NULL)
        return;
    while (discovery->due.length)
        forget(discovery, HEAP_ELEMENT(discovery->due.nodes[0], struct lsd_torrent, due));
    heap_deinit(&discovery->due);
    map_deinit(&discovery->by_hash);
    for (uint32_t i = 0; i < FAMILIES; i++)
        buffer_deinit(&discovery->packets[i]);
    buffer_deinit(&discovery->sent);
    memory_free(discovery);
}

void local_discovery_set_port(struct local_discovery *discovery, uint16_t port)
{
    discovery->port = port;
}

void local_discovery_add(struct local_discovery *discovery, int64_t now,
                         const uint8_t info_hash[20])
{
    if (map_get(&discovery->by_hash, info_hash) || discovery->by_hash.length >= TORRENTS_MAX)
        return;
    struct lsd_torrent *torrent = memory_new(sizeof *torrent);
    memcpy(torrent->hash, info_hash, HASH_SIZE);
    map_put(&discovery->by_hash, torrent->hash, torrent);
    heap_set(&discovery->due, &torrent->due, now + NEW_WAIT_NS);
}

void local_discovery_remove(struct local_discovery *discovery, const uint8_t info_hash[20])
{
    struct lsd_torrent *torrent = map_get(&discovery->by_hash, info_hash);
    if (torrent)
        forget(discovery, torrent);
}

/* ---- hearing ---- */

static bool is_near(const struct address *remote)
{
    bool link_local =
        remote->family == ADDRESS_IPV6 && remote->ip[0] == 0xfe && (remote->ip[1] & 0xc0) == 0x80;
    if (address_is_metadata_service(remote) || link_local)
        return false;
    return address_is_loopback(remote) || address_is_private(remote);
}

/* Counts a packet of the source; false: it, or all of them together, sent too many. */
static bool is_heard(struct local_discovery *discovery, int64_t now, const struct address *remote)
{
    int64_t minute = now / (60 * SECOND_NS);
    if (minute != discovery->minute) {
        discovery->minute = minute;
        discovery->source_count = 0;
    }
    for (uint32_t i = 0; i < discovery->source_count; i++) {
        struct lsd_source *source = &discovery->sources[i];
        if (!address_same_ip(&source->address, remote))
            continue;
        if (source->packets == LIMIT_LSD_PACKETS_SOURCE)
            return false;
        source->packets++;
        return true;
    }
    if (discovery->source_count == LIMIT_LSD_SOURCES)
        return false;
    discovery->sources[discovery->source_count++] =
        (struct lsd_source){.address = *remote, .packets = 1};
    return true;
}

static void add_result(struct local_discovery *discovery, const uint8_t *hash,
                       const struct address *peer)
{
    if (discovery->result_count == LIMIT_LSD_RESULTS)
        return;
    uint32_t at = (discovery->result_first + discovery->result_count++) % LIMIT_LSD_RESULTS;
    memcpy(discovery->results[at].hash, hash, HASH_SIZE);
    discovery->results[at].peer = *peer;
}

void local_discovery_input(struct local_discovery *discovery, int64_t now,
                           const struct address *remote, struct bytes packet)
{
    struct lsd_packet heard;
    struct address peer = *remote;
    if (!is_near(remote) || !is_heard(discovery, now, remote) ||
        lsd_packet_parse(packet, &heard) != FRESHET_OK)
        return;
    if (bytes_is(heard.cookie, discovery->cookie))
        return;
    peer.port = heard.port;
    for (uint32_t i = 0; i < heard.hash_count; i++)
        if (map_get(&discovery->by_hash, heard.hashes[i]))
            add_result(discovery, heard.hashes[i], &peer);
}

bool local_discovery_result(struct local_discovery *discovery, uint8_t ret_info_hash[20],
                            struct address *ret_peer)
{
    if (discovery->result_count == 0)
        return false;
    const struct lsd_result *result = &discovery->results[discovery->result_first];
    memcpy(ret_info_hash, result->hash, HASH_SIZE);
    *ret_peer = result->peer;
    discovery->result_first = (discovery->result_first + 1) % LIMIT_LSD_RESULTS;
    discovery->result_count--;
    return true;
}

/* ---- telling ---- */

/* Those that are due first. Who is told goes behind the others, so that none waits for ever. */
static void choose(struct local_discovery *discovery, int64_t now, struct lsd_packet *packet)
{
    struct lsd_torrent *chosen[LIMIT_LSD_HASHES];
    struct buffer longest = {0};
    struct heap_node *node;
    while (packet->hash_count < LIMIT_LSD_HASHES &&
           (node = heap_pop_due(&discovery->due, now + LIMIT_LSD_PACKET_GAP_NS))) {
        struct lsd_torrent *torrent = HEAP_ELEMENT(node, struct lsd_torrent, due);
        memcpy(packet->hashes[packet->hash_count], torrent->hash, HASH_SIZE);
        chosen[packet->hash_count++] = torrent;
    }
    /* The IPv6 group has the longer name: what fits there fits into both. */
    uint32_t taken = packet->hash_count;
    packet->hash_count = lsd_packet_write(packet, ADDRESS_IPV6, &longest);
    buffer_deinit(&longest);
    for (uint32_t i = 0; i < taken; i++)
        heap_set(&discovery->due, &chosen[i]->due,
                 i < packet->hash_count ? now + LIMIT_LSD_ANNOUNCE_NS : chosen[i]->due.when_ns);
}

void local_discovery_tick(struct local_discovery *discovery, int64_t now)
{
    struct lsd_packet packet = {
        .port = discovery->port,
        .cookie = {(const uint8_t *)discovery->cookie, sizeof discovery->cookie - 1}};
    if (local_discovery_deadline(discovery) > now)
        return;
    choose(discovery, now, &packet);
    discovery->packet_ns = now + LIMIT_LSD_PACKET_GAP_NS;
    for (uint32_t i = 0; i < FAMILIES; i++) {
        buffer_clear(&discovery->packets[i]);
        lsd_packet_write(&packet, i == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6, &discovery->packets[i]);
    }
}

int64_t local_discovery_deadline(const struct local_discovery *discovery)
{
    int64_t due = heap_deadline(&discovery->due);
    if (discovery->port == 0 || due == HEAP_NEVER)
        return INT64_MAX;
    return due > discovery->packet_ns ? due : discovery->packet_ns;
}

bool local_discovery_output(struct local_discovery *discovery, struct action *ret_action)
{
    for (uint32_t i = 0; i < FAMILIES; i++) {
        if (discovery->packets[i].length == 0)
            continue;
        buffer_clear(&discovery->sent);
        struct buffer emptied = discovery->sent;
        discovery->sent = discovery->packets[i];
        discovery->packets[i] = emptied;
        *ret_action = (struct action){
            .type = ACTION_SEND_LOCAL,
            .remote = lsd_packet_group(i == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6),
            .bytes = buffer_bytes(&discovery->sent),
        };
        return true;
    }
    return false;
}

void local_discovery_check(const struct local_discovery *discovery)
{
    CHECK(heap_check(&discovery->due));
    CHECK(discovery->due.length == discovery->by_hash.length);
    CHECK(discovery->by_hash.length <= TORRENTS_MAX);
    CHECK(discovery->source_count <= LIMIT_LSD_SOURCES);
    CHECK(discovery->result_count <= LIMIT_LSD_RESULTS);
    for (uint32_t i = 0; i < FAMILIES; i++)
        CHECK(discovery->packets[i].length <= LIMIT_LSD_PACKET);
}

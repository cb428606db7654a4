/* SPDX-License-Identifier: MIT */
/* planted: core/lsd/lsd_packet.c */
/* finds: stack-buffer-overflow :: WRITE :: in read_hash */
/*
 * A whole local_discovery: packets from anywhere, torrents that come and go, time. A packet that is
 * understood is written and understood again.
 * covers: core/lsd/lsd_packet.c core/lsd/local_discovery.c
 * max_len: 4096
 */
#include "core/base/check.h"
#include "core/base/memory.h"
#include "core/lsd/local_discovery.h"
#include "core/lsd/lsd_packet.h"

#include <string.h>

#define STEPS_MAX  300u
#define CROWDS_MAX 3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct local_discovery *discovery;
    int64_t now, packet_ns;
    struct buffer own; /* the last packet that went out */
    uint32_t steps, crowds;
};

static void hash_of(uint8_t who, uint8_t ret_hash[20])
{
    memset(ret_hash, who & 0x77, 20);
}

/* Near ones, far ones, of both families. */
static struct address address_of(uint8_t who)
{
    static const uint8_t first[] = {10, 127, 192, 8, 169, 224};
    uint8_t ip[16] = {0xfd, who};
    if (who & 0x80)
        return address_ipv6(ip, 6771);
    return address_ipv4((uint8_t[]){first[who % 6], 168, 0, who}, 6771);
}

static void understand_again(struct bytes bytes)
{
    struct lsd_packet packet, again;
    struct buffer out = {0};
    if (lsd_packet_parse(bytes, &packet) != FRESHET_OK)
        return;
    CHECK(packet.port != 0);
    CHECK(packet.hash_count <= LIMIT_LSD_HASHES);
    if (packet.cookie.length > 100)
        packet.cookie.length = 0;
    uint32_t written = lsd_packet_write(&packet, ADDRESS_IPV6, &out);
    CHECK(written <= packet.hash_count);
    CHECK(lsd_packet_parse(buffer_bytes(&out), &again) == FRESHET_OK);
    CHECK(again.port == packet.port);
    CHECK(again.hash_count == written);
    CHECK(memcmp(again.hashes, packet.hashes, (size_t)written * 20) == 0);
    buffer_deinit(&out);
}

static void give(struct run *run, uint8_t who, struct bytes bytes)
{
    struct address remote = address_of(who);
    uint8_t hash[20], *exact = memory_copy(bytes.data, bytes.length);
    struct address peer;
    struct bytes packet = {exact, bytes.length};
    understand_again(packet);
    local_discovery_input(run->discovery, run->now, &remote, packet);
    memory_free(exact);
    while (local_discovery_result(run->discovery, hash, &peer)) {
        CHECK(peer.port != 0);
        CHECK(address_same_ip(&peer, &remote));
    }
}

static void tick(struct run *run, int64_t wait_ns)
{
    struct action action;
    run->now += wait_ns;
    local_discovery_tick(run->discovery, run->now);
    CHECK(local_discovery_deadline(run->discovery) > run->now);
    bool first = true;
    while (local_discovery_output(run->discovery, &action)) {
        CHECK(action.bytes.length <= LIMIT_LSD_PACKET);
        CHECK(!first || run->now - run->packet_ns >= LIMIT_LSD_PACKET_GAP_NS);
        first = false;
        run->packet_ns = run->now;
        buffer_clear(&run->own);
        buffer_append(&run->own, action.bytes.data, action.bytes.length);
    }
}

static void crowd_of_torrents(struct run *run, uint8_t count)
{
    uint8_t hash[20] = {0};
    if (run->crowds++ >= CROWDS_MAX)
        return;
    for (uint8_t i = 0; i < count; i++) {
        hash[0] = i;
        local_discovery_add(run->discovery, run->now, hash);
    }
}

static void crowd_of_sources(struct run *run, uint8_t count)
{
    if (run->crowds++ >= CROWDS_MAX)
        return;
    for (uint32_t i = 0; i < count * 2u; i++) {
        const uint8_t ip[] = {10, 1, (uint8_t)(i >> 8), (uint8_t)i};
        struct address remote = address_ipv4(ip, 1);
        local_discovery_input(run->discovery, run->now, &remote, buffer_bytes(&run->own));
    }
}

static void step(struct run *run, uint8_t what, uint8_t who, struct cursor *cursor)
{
    uint8_t hash[20];
    hash_of(who, hash);
    switch (what % 8) {
    case 0: {
        size_t length = cursor_u16(cursor), left = cursor_left(cursor);
        give(run, who, cursor_bytes(cursor, length < left ? length : left));
        break;
    }
    case 1: local_discovery_add(run->discovery, run->now, hash); break;
    case 2: local_discovery_remove(run->discovery, hash); break;
    case 3: tick(run, who * SECOND_NS); break;
    case 4: local_discovery_set_port(run->discovery, (uint16_t)(who % 4)); break;
    case 5: give(run, who, buffer_bytes(&run->own)); break;
    case 6: crowd_of_torrents(run, who); break;
    default: crowd_of_sources(run, who); break;
    }
    local_discovery_check(run->discovery);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = {.now = 1000 * SECOND_NS};
    struct cursor cursor;
    run.discovery = local_discovery_new(1, 6881, run.now);
    cursor_init(&cursor, (struct bytes){data, size});
    while (cursor_left(&cursor) >= 2 && run.steps++ < STEPS_MAX) {
        uint8_t what = cursor_u8(&cursor), who = cursor_u8(&cursor);
        step(&run, what, who, &cursor);
    }
    local_discovery_free(run.discovery);
    buffer_deinit(&run.own);
    return 0;
}

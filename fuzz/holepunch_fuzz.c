/* SPDX-License-Identifier: MIT */
/* planted: core/swarm/swarm_holepunch.c */
/* finds: internal check failed :: wire_holepunch.c */
/* covers: core/swarm/swarm_holepunch.c core/swarm/peer_list_punch.c */
/* max_len: 512 */
/*
 * Hostile peers among whom one engine passes on who wants to meet whom (BEP 55): they come and go,
 * by TCP and by uTP, with and without a port, name each other by peer exchange, ask, tell and
 * refuse in any order; dials fail. Every invariant is walked after each step.
 */
#include "core/wire/wire_extension.h"
#include "core/wire/wire_holepunch.h"
#include "core/wire/wire_pex.h"
#include "tests/engine/lone_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PEERS 4u
#define PORT  777

/* Few places, so that they meet: peers' own, by both of their ports, neighbours, nobody's, ours. */
static struct address place(uint8_t choice)
{
    struct address address = {.family = ADDRESS_IPV4, .ip = {6, 0, 0, 0}, .port = PORT};
    address.ip[3] = choice & 7;
    if (choice & 8)
        address.port = (uint16_t)(1000 + (choice & 7));
    switch (choice >> 4) {
    case 0: address.port = 0; break;
    case 1: address.ip[0] = 10; break;
    case 2: address.ip[0] = 239; break;
    case 3:
        address = (struct address){.family = ADDRESS_IPV4, .ip = {9, 9, 9, 9}, .port = 9};
        break;
    case 4: address.ip[0] = (uint8_t)(20 + (choice & 15)); break;
    default: break;
    }
    return address;
}

static uint32_t arrive(struct lone_engine *lone, uint8_t how)
{
    bool by_utp = how & 16;
    conn_id conn = (by_utp ? CONN_INBOUND_UTP : CONN_INBOUND) + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {
        .type = EVENT_ACCEPTED, .conn = conn, .remote = place((uint8_t)(0x58 | (how & 7)))};
    if (how & 128)
        event.remote.ip[0] = 10;
    engine_input(lone->engine, lone->now, &event);
    struct wire_handshake handshake = {.fast = true, .extension = true};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, (int)index + 1, 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
    return index;
}

static void tell_extensions(struct lone_engine *lone, uint32_t peer, uint8_t how)
{
    struct buffer out = {0}, payload = {0};
    struct wire_extension_handshake extension;
    wire_extension_handshake_init(&extension);
    extension.port = how & 32 ? PORT : 0;
    extension.named[WIRE_EXTENSION_UT_HOLEPUNCH] = true;
    extension.ids[WIRE_EXTENSION_UT_HOLEPUNCH] = how & 64 ? 0 : 11;
    wire_extension_encode(&payload, &extension);
    wire_message_put_extended(&out, 0, buffer_bytes(&payload));
    buffer_deinit(&payload);
    lone_feed_buffer(lone, peer, &out);
}

static void say(struct lone_engine *lone, uint32_t peer, uint8_t type, uint8_t choice)
{
    struct buffer out = {0};
    struct wire_holepunch message = {
        .type = type, .address = place(choice), .error = type == WIRE_HOLEPUNCH_ERROR};
    wire_holepunch_put(&out, WIRE_EXTENSION_UT_HOLEPUNCH, &message);
    lone_feed_buffer(lone, peer, &out);
}

static void name(struct lone_engine *lone, uint32_t peer, uint8_t choice)
{
    struct wire_pex pex = {.added_count = 1};
    struct buffer out = {0};
    pex.added[0] = (struct wire_pex_contact){place(choice), WIRE_PEX_HOLEPUNCH};
    wire_pex_put(&out, WIRE_EXTENSION_UT_PEX, &pex);
    lone_feed_buffer(lone, peer, &out);
}

static void lose(struct lone_engine *lone, uint32_t peer)
{
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[peer], .error = FRESHET_ERROR_TIMEOUT};
    engine_input(lone->engine, lone->now, &event);
    lone->closed[peer] = true;
    lone_run(lone);
}

static void fail_dials(struct lone_engine *lone)
{
    for (uint32_t i = 0; i < lone->conn_count; i++)
        if (lone->conns[i] < CONN_INBOUND && !lone->closed[i])
            lose(lone, i);
}

/* A peer that is not, or is no more, does nothing. */
static void step(struct lone_engine *lone, uint32_t peers[PEERS], uint8_t what, uint8_t choice)
{
    uint32_t *peer = &peers[what >> 4 & (PEERS - 1)];
    bool is_here = !lone->closed[*peer];
    if ((what & 7) == 0 && !is_here && lone->conn_count < LONE_CONNS / 2) {
        *peer = arrive(lone, choice);
        is_here = true;
    }
    if ((what & 7) == 7)
        lone_wait(lone, choice * SECOND_NS / 4);
    else if ((what & 7) == 6)
        fail_dials(lone);
    if (!is_here || lone->closed[*peer])
        return;
    switch (what & 7) {
    case 0: tell_extensions(lone, *peer, choice); break;
    case 1: say(lone, *peer, WIRE_HOLEPUNCH_RENDEZVOUS, choice); break;
    case 2: say(lone, *peer, WIRE_HOLEPUNCH_CONNECT, choice); break;
    case 3: say(lone, *peer, WIRE_HOLEPUNCH_ERROR, choice); break;
    case 4: name(lone, *peer, choice); break;
    case 5: lose(lone, *peer); break;
    default: break;
    }
}

/* The first bytes say how each of the peers comes, the others what they do. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = true;
    lone_begin(lone, NULL, NULL);
    struct event event = {.type = EVENT_LISTENING, .local = place(0x30)};
    engine_input(lone->engine, lone->now, &event);
    uint32_t peers[PEERS];
    for (uint8_t i = 0; i < PEERS; i++) {
        uint8_t how = (uint8_t)((i < size ? data[i] & 0xf8 : 0) | i);
        peers[i] = arrive(lone, how);
        tell_extensions(lone, peers[i], how);
    }
    for (size_t i = PEERS; i + 1 < size && lone->conn_count + 24 < LONE_CONNS; i += 2)
        step(lone, peers, data[i], data[i + 1]);
    lone_free(lone);
    return 0;
}

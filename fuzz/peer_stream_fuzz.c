/* SPDX-License-Identifier: MIT */
/* planted: core/swarm/swarm_messages.c */
/* finds: internal check failed: index < field->size :: bitfield.c */
/*
 * A hostile peer against a whole engine, in each state of a connection: the first byte says whether
 * the engine seeds (or super-seeds) or downloads, whether the fast extension and the extension
 * protocol are agreed and what honest words open the conversation; what follows are steps: bytes of
 * the peer's own, with or without a message's length put before them, answers to what it was asked,
 * time, a second peer. Every invariant is walked after each step.
 * covers: core/swarm/swarm_messages.c core/swarm/peer.c core/swarm/swarm_pex.c core/swarm/pex.c
 */
#include "tests/engine/lone_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void greet(struct lone_engine *lone, uint32_t peer, uint8_t mode)
{
    struct buffer out = {0};
    bool fast = mode & 2;
    if (mode & 4)
        wire_message_put_bitfield(&out, (struct bytes){(const uint8_t *)"\xf0", 1});
    else if (fast && mode & 8)
        wire_message_put(&out, WIRE_HAVE_ALL);
    if (mode & 16)
        wire_message_put(&out, WIRE_UNCHOKE);
    if (mode & 32)
        wire_message_put(&out, WIRE_INTERESTED);
    lone_feed_buffer(lone, peer, &out);
}

/* Answers the first request that is in what the engine sent, with good or bad bytes. */
static void answer_one(struct lone_engine *lone, uint32_t peer, bool good)
{
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        uint32_t piece = cursor_u32(&fields), begin = cursor_u32(&fields);
        uint32_t length = cursor_u32(&fields);
        struct buffer out = {0};
        wire_message_put_block(&out, WIRE_PIECE, piece, begin, length);
        buffer_append(&out, lone->truth + piece * LONE_PIECE + begin, length);
        if (!good)
            out.data[WIRE_PIECE_HEAD] ^= 1;
        buffer_clear(&lone->sent[peer]);
        lone_feed_buffer(lone, peer, &out);
        return;
    }
}

/* The bytes as one message; most of what is random would never get past its length. */
static void feed_message(struct lone_engine *lone, uint32_t peer, const uint8_t *bytes,
                         size_t length)
{
    struct buffer out = {0};
    for (int shift = 24; shift >= 0; shift -= 8)
        buffer_append_u8(&out, (uint8_t)(length >> shift));
    buffer_append(&out, bytes, length);
    lone_feed_buffer(lone, peer, &out);
}

static void step(struct lone_engine *lone, uint32_t peer, uint8_t what, const uint8_t *bytes,
                 size_t length)
{
    switch (what & 7) {
    case 0: answer_one(lone, peer, true); break;
    case 1: answer_one(lone, peer, false); break;
    case 2: lone_wait(lone, (int64_t)(what >> 3) * SECOND_NS); break;
    case 3: lone_feed(lone, peer, bytes, length); break;
    default: feed_message(lone, peer, bytes, length); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t mode = data[0];
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    options.super_seed = mode & 128;
    struct lone_engine *lone = lone_new(mode & 1, &options);
    uint32_t peer = lone_accept_speaking(lone, 1, mode & 2, mode & 64);
    greet(lone, peer, mode);
    size_t at = 1;
    for (uint32_t steps = 0; at + 2 <= size && steps < 64; steps++) {
        uint8_t what = data[at++];
        size_t length = data[at++];
        length = length < size - at ? length : size - at;
        if (lone->closed[peer]) {
            if (lone->conn_count == LONE_CONNS)
                break;
            peer = lone_accept_speaking(lone, (uint8_t)(1 + lone->conn_count), mode & 2, mode & 64);
            greet(lone, peer, mode);
        }
        step(lone, peer, what, data + at, length);
        if ((what & 7) > 2)
            at += length;
    }
    lone_free(lone);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* planted: core/engine/engine_mse.c */
/* finds: internal check failed: mse->is_dialled :: engine_mse.c */
/* covers: core/engine/engine_mse.c core/engine/greeting.c */
/* max_len: 4096 */
/*
 * Encryption in a whole engine, against an other side that knows how to encrypt: it comes to a
 * seed, or is dialled by a peer that downloads. The first byte says which, what policy the engine
 * has, and whether it may act after each read or only when all of a step is in; what follows are
 * steps: right ones, right ones with words or fields of the input, noise, time, the end of the
 * connection, another connection. Every invariant is walked after each event.
 */
#include "tests/engine/lone_engine.h"
#include "tests/wire/mse_other_side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct lone_engine *lone;
    struct mse_other_side side;
    uint32_t index;    /* of the connection at hand */
    uint32_t answered; /* calls of the engine */
    bool is_dialled, has_met, in_bursts;
};

static const struct address other_address = {
    .family = ADDRESS_IPV4, .ip = {10, 0, 7, 7}, .port = 6881};

static bool is_open(const struct run *run)
{
    return run->index < run->lone->conn_count && !run->lone->closed[run->index];
}

/* The engine's public number, when it has been said. */
static void look(struct run *run)
{
    const struct buffer *sent = &run->lone->sent[run->index];
    if (run->has_met || sent->length < DIFFIE_HELLMAN_SIZE)
        return;
    other_side_take_public(&run->side, sent->data, !run->is_dialled);
    run->has_met = true;
}

/* All of it before the engine may say a word: as lone_feed without its runs. */
static void feed_burst(struct run *run, struct buffer *out)
{
    struct lone_engine *lone = run->lone;
    uint8_t *at = out->data;
    size_t length = out->length;
    if (lone->decrypts[run->index])
        rc4_apply(lone->decrypts[run->index], at, length);
    while (length > 0) {
        struct receive_plan plan;
        struct event event = {
            .type = EVENT_RECEIVED, .conn = lone->conns[run->index], .bytes = {at, length}};
        engine_receive_plan(lone->engine, event.conn, &plan);
        if (plan.length) {
            event.type = EVENT_PAYLOAD;
            event.length = plan.length < length ? plan.length : (uint32_t)length;
            if (plan.block != BLOCK_NONE)
                memcpy(lone->blocks[plan.block] + plan.offset, at, event.length);
        }
        engine_input(lone->engine, lone->now, &event);
        engine_check(lone->engine);
        size_t taken = plan.length ? event.length : event.consumed;
        if (event.decrypt) {
            lone->decrypts[run->index] = memory_copy(event.decrypt, sizeof *event.decrypt);
            rc4_apply(lone->decrypts[run->index], at + taken, length - taken);
        }
        at += taken;
        length -= taken;
    }
    lone_run(lone);
}

static void say(struct run *run, struct buffer *out)
{
    if (is_open(run)) {
        if (run->in_bursts)
            feed_burst(run, out);
        else
            lone_feed(run->lone, run->index, out->data, out->length);
        look(run);
    }
    buffer_deinit(out);
}

/* It comes, or answers the engine's call if there is one. */
static void begin(struct run *run)
{
    struct lone_engine *lone = run->lone;
    struct event event = {.type = EVENT_ACCEPTED, .remote = other_address};
    if (lone->conn_count == LONE_CONNS)
        return;
    run->has_met = false;
    if (run->is_dialled) {
        lone_wait(lone, SECOND_NS);
        if (run->answered == lone->conn_count || lone->closed[run->answered])
            return;
        run->index = run->answered++;
        event.type = EVENT_CONNECTED;
        event.conn = lone->conns[run->index];
    } else {
        event.conn = CONN_INBOUND + lone->conn_count;
        run->index = lone_new_conn(lone, event.conn);
    }
    other_side_init(&run->side, (uint8_t)(run->index + 1), lone->info_hash);
    engine_input(lone->engine, lone->now, &event);
    engine_check(lone->engine);
    if (!run->in_bursts)
        lone_run(lone);
    look(run);
}

static void end(struct run *run)
{
    struct event event = {
        .type = EVENT_CLOSED, .conn = run->lone->conns[run->index], .error = FRESHET_ERROR_CLOSED};
    if (!is_open(run))
        return;
    run->lone->closed[run->index] = true;
    engine_input(run->lone->engine, run->lone->now, &event);
    lone_run(run->lone);
}

/* A handshake, and whatever words behind it. */
static void put_words(const struct run *run, struct bytes bytes, struct buffer *out)
{
    struct wire_handshake handshake = {.fast = true};
    uint8_t said[WIRE_HANDSHAKE_SIZE];
    memcpy(handshake.info_hash, run->lone->info_hash, 20);
    memset(handshake.peer_id, 'x', 20);
    wire_handshake_encode(&handshake, said);
    buffer_append(out, said, sizeof said);
    buffer_append(out, bytes.data, bytes.length);
}

static void put_hidden_words(struct run *run, struct bytes bytes, struct buffer *out)
{
    struct buffer plain = {0};
    put_words(run, bytes, &plain);
    other_side_put_hidden(&run->side, &plain, out);
}

static void step(struct run *run, uint8_t what, struct bytes bytes)
{
    struct buffer out = {0}, plain = {0};
    uint32_t methods = what >> 4 & 3;
    switch (what & 15) {
    case 0: buffer_append(&out, bytes.data, bytes.length); break;
    case 1: other_side_put_public(&run->side, 2 * bytes.length, &out); break;
    case 2: put_words(run, bytes, &out); break;
    case 3:
        put_words(run, bytes, &plain);
        other_side_put_request(&run->side, methods, buffer_bytes(&plain), &out);
        buffer_deinit(&plain);
        break;
    case 4: /* the words after the third step, or after the fourth */
        if (!run->is_dialled)
            other_side_put_request(&run->side, methods, (struct bytes){bytes.data, 0}, &out);
        put_hidden_words(run, bytes, &out);
        break;
    case 5:
        buffer_append(&plain, bytes.data, bytes.length);
        if (plain.length)
            other_side_put_hidden(&run->side, &plain, &out);
        break;
    case 6:
        other_side_put_head(&plain, methods, 2, 2);
        other_side_put_hidden(&run->side, &plain, &out);
        if (what & 64)
            put_hidden_words(run, bytes, &out);
        break;
    case 7: other_side_put_request(&run->side, methods, bytes, &out); break;
    case 8: /* much more than anybody waits with */
        for (uint32_t i = 0; i < MSE_INITIAL_MAX; i++)
            buffer_append_u8(&out, what);
        break;
    case 9: end(run); break;
    case 10: begin(run); break;
    case 11: lone_wait(run->lone, SECOND_NS * (what >> 4)); break;
    default: lone_run(run->lone); break;
    }
    if (out.length)
        say(run, &out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct run run = {.is_dialled = data[0] & 1, .in_bursts = data[0] & 8};
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    options.peers = &other_address;
    options.peer_count = run.is_dialled;
    run.lone = lone_prepare(!run.is_dialled);
    run.lone->encryption = (enum encryption)(data[0] >> 1 & 3);
    lone_begin(run.lone, NULL, &options);
    begin(&run);
    size_t at = 1;
    for (uint32_t steps = 0; at + 2 <= size && steps < 64; steps++) {
        uint8_t what = data[at++];
        size_t length = data[at++];
        length = length < size - at ? length : size - at;
        step(&run, what, (struct bytes){data + at, length});
        at += length;
    }
    lone_run(run.lone);
    lone_free(run.lone);
    return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Safety, then liveness: peers of every kind come, say well-formed things in random order and go,
 * disk jobs and web servers take their time, the disk is full at times, the file changes under our
 * hands, a person pauses, limits and rechecks. Every invariant
 * is walked after each step. Then the noise ends, one honest seed comes, and the torrent must
 * complete; when it is removed, no block of memory may be missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/rng.h"
#include "core/engine/engine_state.h"
#include "core/wire/wire_extension.h"
#include "tests/engine/lone_engine.h"

#define STEPS     1500u
#define PEERS_MAX 200u
#define ASKED_MAX 600u

struct request {
    uint32_t piece, begin, length;
};

struct player {
    uint32_t index; /* of the bench */
    bool fast, extension;
    bool dialled;        /* we connect to it, and it has not answered */
    struct buffer mouth; /* said, not yet fed */
    struct request asked[ASKED_MAX];
    uint32_t asked_count;
};

struct chaos {
    struct lone_engine *lone;
    struct rng rng;
    struct player players[PEERS_MAX];
    uint32_t count;
};

static uint32_t draw(struct chaos *c, uint32_t bound)
{
    return rng_below(&c->rng, bound);
}

/* Notes what the engine has asked of the player. */
static void listen_to_engine(struct chaos *c, struct player *player)
{
    struct buffer *sent = &c->lone->sent[player->index];
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(sent));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        struct cursor fields;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        struct request request = {.piece = cursor_u32(&fields)};
        request.begin = cursor_u32(&fields);
        request.length = cursor_u32(&fields);
        if (player->asked_count < ASKED_MAX)
            player->asked[player->asked_count++] = request;
    }
    buffer_clear(sent);
}

static void come(struct chaos *c)
{
    if (c->count == PEERS_MAX)
        return;
    struct player *player = &c->players[c->count++];
    *player = (struct player){.fast = draw(c, 2), .extension = draw(c, 2)};
    player->index =
        lone_accept_speaking(c->lone, (uint8_t)(1 + draw(c, 250)), player->fast, player->extension);
    uint8_t bits = (uint8_t)(draw(c, 16) << 4);
    uint32_t kind = draw(c, 4);
    if (player->fast && kind == 0)
        wire_message_put(&player->mouth, WIRE_HAVE_ALL);
    else if (player->fast && kind == 1)
        wire_message_put(&player->mouth, WIRE_HAVE_NONE);
    else if (player->fast || kind < 3)
        wire_message_put_bitfield(&player->mouth, (struct bytes){&bits, 1});
}

/* Those that the engine connects to become players. */
static void notice_calls(struct chaos *c)
{
    for (uint32_t i = 0; i < c->lone->conn_count && c->count < PEERS_MAX; i++) {
        uint32_t known = 0;
        while (known < c->count && c->players[known].index != i)
            known++;
        if (c->lone->conns[i] < CONN_INBOUND && known == c->count && !c->lone->closed[i])
            c->players[c->count++] = (struct player){.index = i, .dialled = true};
    }
}

static void pick_up(struct chaos *c, struct player *player)
{
    struct lone_engine *lone = c->lone;
    player->dialled = false;
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[player->index]};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    player->fast = draw(c, 2);
    struct wire_handshake handshake = {.fast = player->fast};
    memcpy(handshake.info_hash, lone->info_hash, 20);
    /* Some are ourselves, or somebody who is here already. */
    memset(handshake.peer_id, (int)draw(c, 256), 20);
    if (draw(c, 8) == 0)
        memcpy(handshake.peer_id, "-FR0100-lonelonelone", 20);
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, bytes);
    buffer_append(&player->mouth, bytes, sizeof bytes);
    if (player->fast)
        wire_message_put(&player->mouth, WIRE_HAVE_ALL);
}

static void answer(struct chaos *c, struct player *player)
{
    listen_to_engine(c, player);
    if (player->asked_count == 0)
        return;
    uint32_t at = draw(c, 3) ? 0 : draw(c, player->asked_count);
    struct request request = player->asked[at];
    memmove(&player->asked[at], &player->asked[at + 1],
            (--player->asked_count - at) * sizeof request);
    if (player->fast && draw(c, 6) == 0)
        wire_message_put_block(&player->mouth, WIRE_REJECT, request.piece, request.begin,
                               request.length);
    else
        lone_put_block(&player->mouth, c->lone, request.piece, request.begin, draw(c, 40) != 0);
}

static void put_donthave(struct buffer *out, uint32_t piece)
{
    uint8_t payload[4] = {0, 0, 0, (uint8_t)piece};
    wire_message_put_extended(out, WIRE_EXTENSION_LT_DONTHAVE, (struct bytes){payload, 4});
}

static void speak(struct chaos *c, struct player *player)
{
    if (player->dialled) {
        pick_up(c, player);
        return;
    }
    struct buffer *mouth = &player->mouth;
    uint32_t piece = draw(c, LONE_PIECES);
    uint32_t begin = draw(c, 2) * LIMIT_BLOCK_SIZE;
    switch (draw(c, 16)) {
    case 0: wire_message_put(mouth, WIRE_CHOKE); break;
    case 1:
    case 2: wire_message_put(mouth, WIRE_UNCHOKE); break;
    case 3: wire_message_put(mouth, WIRE_INTERESTED); break;
    case 4: wire_message_put(mouth, WIRE_NOT_INTERESTED); break;
    case 5: wire_message_put_index(mouth, WIRE_HAVE, piece); break;
    case 6: wire_message_put_block(mouth, WIRE_REQUEST, piece, begin, 1 + draw(c, 16384)); break;
    case 7: wire_message_put_block(mouth, WIRE_CANCEL, piece, begin, LIMIT_BLOCK_SIZE); break;
    case 8:
        if (player->fast)
            wire_message_put_index(mouth, draw(c, 2) ? WIRE_ALLOWED_FAST : WIRE_SUGGEST, piece);
        break;
    case 9:
        if (player->extension)
            put_donthave(mouth, piece);
        break;
    case 10:
        if (draw(c, 30) == 0)
            lone_put_block(mouth, c->lone, piece, 0, draw(c, 2));
        break;
    default: answer(c, player); break;
    }
}

/* Some of what was said goes to the engine, cut anywhere. */
static void utter(struct chaos *c, struct player *player)
{
    size_t length = player->mouth.length;
    if (length == 0 || player->dialled || c->lone->closed[player->index])
        return;
    size_t part = draw(c, 3) ? length : 1 + draw(c, (uint32_t)length);
    struct buffer rest = {0};
    buffer_append(&rest, player->mouth.data + part, length - part);
    struct buffer now = player->mouth;
    player->mouth = rest;
    now.length = part;
    lone_feed_buffer(c->lone, player->index, &now);
}

static void leave(struct chaos *c, struct player *player)
{
    if (c->lone->closed[player->index])
        return;
    c->lone->closed[player->index] = true;
    struct event event = {.type = EVENT_CLOSED,
                          .conn = c->lone->conns[player->index],
                          .error = FRESHET_ERROR_CONNECTION};
    engine_input(c->lone->engine, c->lone->now, &event);
    lone_run(c->lone);
}

static void command(struct chaos *c, enum command_type type)
{
    struct address peer = lone_address((uint8_t)(1 + draw(c, 250)));
    uint8_t wanted[1] = {(uint8_t)(1 + draw(c, 7))};
    struct piece_window windows[3];
    for (uint32_t i = 0; i < 3; i++)
        windows[i] = (struct piece_window){draw(c, 40), draw(c, 12), draw(c, 2)};
    struct engine_command what = {.type = type,
                                  .torrent = 1,
                                  .upload_limit = draw(c, 2) * 50000,
                                  .download_limit = draw(c, 2) * 50000,
                                  .file_priorities = wanted,
                                  .windows = windows,
                                  .window_count = draw(c, 4),
                                  .peers = &peer,
                                  .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &what};
    engine_input(c->lone->engine, c->lone->now, &event);
    lone_run(c->lone);
}

static void finish_some(struct chaos *c)
{
    for (uint32_t i = draw(c, 4); i > 0 && c->lone->job_count > 0; i--)
        lone_finish(c->lone, draw(c, c->lone->job_count));
}

static void act_as_disk(struct chaos *c)
{
    struct lone_engine *lone = c->lone;
    if (draw(c, 3)) {
        lone->disk_full = draw(c, 2);
    } else if (lone_status(lone).complete && lone->job_count == 0 &&
               block_ledger_in_use(lone->engine->shared.pool) == 0) {
        /* While we write to it ourselves, nobody could tell. */
        lone->disk[draw(c, LONE_SIZE)] ^= 1;
        lone->mtime_ns++;
    }
}

static void act_as_person(struct chaos *c)
{
    switch (draw(c, 8)) {
    case 0:
        command(c, COMMAND_PAUSE);
        finish_some(c);
        command(c, COMMAND_RESUME);
        break;
    case 1: command(c, COMMAND_NEW_NETWORK); break;
    case 3: command(c, COMMAND_SET_LIMITS); break;
    case 4: command(c, COMMAND_SET_PRIORITIES); break;
    case 6: command(c, COMMAND_ADD_PEERS); break;
    case 7: command(c, COMMAND_SET_WINDOWS); break;
    case 5:
        if (draw(c, 4) == 0)
            command(c, COMMAND_RECHECK);
        break;
    default: break;
    }
}

#define LIVE_MAX 8u

/* One that is connected, at random; NULL when nobody is. Counts them. */
static struct player *somebody(struct chaos *c, uint32_t *ret_live)
{
    struct player *found = NULL;
    *ret_live = 0;
    for (uint32_t i = 0; i < c->count; i++)
        if (!c->lone->closed[c->players[i].index] && draw(c, ++*ret_live) == 0)
            found = &c->players[i];
    return found;
}

static void rage(struct chaos *c)
{
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t what = draw(c, 100);
        uint32_t live;
        struct player *player = somebody(c, &live);
        if (player == NULL && what < 80)
            what = 0;
        if (what < 6 && live < LIVE_MAX)
            come(c);
        else if (what < 50 && player)
            speak(c, player);
        else if (what < 75)
            utter(c, player);
        else if (what < 76)
            leave(c, player);
        else if (what < 92)
            finish_some(c);
        else if (what < 98)
            lone_wait(c->lone, draw(c, 3000) * MILLISECOND_NS);
        else if (draw(c, 2))
            act_as_person(c);
        else
            act_as_disk(c);
        notice_calls(c);
    }
}

static void finish_all(struct chaos *c)
{
    while (c->lone->job_count > 0)
        lone_finish(c->lone, draw(c, c->lone->job_count));
}

/* Everybody leaves; an honest seed comes. */
static void calm(struct chaos *c)
{
    struct lone_engine *lone = c->lone;
    for (uint32_t i = 0; i < c->count; i++) {
        leave(c, &c->players[i]);
        buffer_deinit(&c->players[i].mouth);
    }
    lone->disk_full = false;
    command(c, COMMAND_RESUME);
    struct engine_command limits = {.type = COMMAND_SET_LIMITS, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &limits};
    engine_input(lone->engine, lone->now, &event);
    for (uint32_t i = 0; i < 4; i++) {
        finish_all(c);
        lone_wait(lone, 15 * SECOND_NS);
    }
    for (uint32_t i = 0; i < 50 && !lone_status(lone).complete; i++) {
        finish_all(c);
        lone_wait(lone, 15 * SECOND_NS);
        if (lone->conn_count + 1 >= LONE_CONNS)
            break;
        uint32_t seed = lone_seed_peer(lone, 251, true);
        for (uint32_t round = 0; round < 20; round++) {
            finish_all(c);
            lone_wait(lone, SECOND_NS);
            if (lone->closed[seed] || lone_answer(lone, seed, true) == 0)
                break;
        }
    }
    finish_all(c);
    lone_wait(lone, 20 * SECOND_NS);
    finish_all(c);
    lone_wait(lone, 20 * SECOND_NS);
    finish_all(c);
    assert_true(lone_status(lone).complete);
    assert_memory_equal(lone->disk, lone->truth, LONE_SIZE);
}

static void play(uint64_t seed, const char *url_list, bool begins_as_seed, bool super_seed)
{
    static struct chaos c;
    c = (struct chaos){.lone = lone_prepare(begins_as_seed)};
    rng_init(&c.rng, seed);
    c.lone->defers = true;
    c.lone->fetch_lies = true;
    c.lone->pool_blocks = seed % 3 ? 64 : 5;
    struct torrent_options options = {.root = "/r",
                                      .seed_ratio = -1,
                                      .seed_time_s = -1,
                                      .wait_for_space = true,
                                      .super_seed = super_seed};
    lone_begin(c.lone, url_list, &options);
    rage(&c);
    calm(&c);
    c.lone->defers = false;
    command(&c, COMMAND_REMOVE_TORRENT);
    lone_wait(c.lone, 10 * SECOND_NS);
    assert_int_equal(c.lone->notices[NOTICE_REMOVED], 1);
    assert_int_equal(block_ledger_in_use(c.lone->engine->shared.pool), 0);
    assert_int_equal(c.lone->engine->shared.connections, 0);
    lone_free(c.lone);
}

static void a_download_survives_chaos(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++)
        play(seed, NULL, false, false);
}

static void a_download_with_web_seeds_survives_chaos(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 140; seed++)
        play(seed, "l13:http://liar/f13:http://good/fe", false, false);
}

static void a_seed_survives_chaos(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 220; seed++)
        play(seed, NULL, true, seed % 2);
}

/* Seeds that once lost a block: a web server's answer after the end, a verdict from before a
 * recheck. */
static void seeds_that_were_bugs_stay_good(void **state)
{
    (void)state;
    const uint64_t seeds[] = {1006, 1009, 1013};
    for (uint32_t i = 0; i < 3; i++)
        play(seeds[i], "l13:http://liar/f13:http://good/fe", false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_download_survives_chaos),
        cmocka_unit_test(a_download_with_web_seeds_survives_chaos),
        cmocka_unit_test(a_seed_survives_chaos),
        cmocka_unit_test(seeds_that_were_bugs_stay_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

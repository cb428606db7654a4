/* SPDX-License-Identifier: MIT */
/* Encryption among engines, and against others that mean ill. What is on the wire is in `sent`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"
#include "tests/engine/lone_magnet.h"
#include "tests/wire/mse_other_side.h"

#define CALLS_MAX 16

/* ---- two engines, and the wire between them ---- */

struct pair {
    struct lone_engine *dialler, *listener; /* the one has nothing, the other everything */
    uint32_t at_listener[CALLS_MAX];        /* connections by the dialler's index */
    uint32_t calls;
    bool told_dialler[CALLS_MAX], told_listener[CALLS_MAX]; /* of the other's close */
    bool saw_bittorrent;                                    /* in the clear */
    bool dialler_hidden, listener_hidden; /* each had a peer, the last one encrypted */
    bool dialler_clear, listener_clear;   /* ... or not */
};

static const struct address listener_address = {
    .family = ADDRESS_IPV4, .ip = {10, 0, 7, 7}, .port = 6881};

/* is_mean: the listener gives nothing, so that they stay together. */
static struct pair *pair_new(enum encryption dials, enum encryption listens, bool is_v2,
                             bool is_mean)
{
    struct pair *pair = memory_new(sizeof *pair);
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    pair->dialler = lone_prepare(false);
    pair->listener = lone_prepare(true);
    pair->dialler->encryption = dials;
    pair->listener->encryption = listens;
    pair->dialler->is_v2 = pair->listener->is_v2 = is_v2;
    pair->listener->self = 1;
    pair->listener->no_upload = is_mean;
    lone_begin(pair->listener, NULL, NULL);
    options.peers = &listener_address;
    options.peer_count = 1;
    lone_begin(pair->dialler, NULL, &options);
    return pair;
}

static void pair_free(struct pair *pair)
{
    lone_free(pair->dialler);
    lone_free(pair->listener);
    memory_free(pair);
}

static void answer_call(struct pair *pair)
{
    struct lone_engine *dialler = pair->dialler, *listener = pair->listener;
    uint32_t call = pair->calls++;
    assert_true(call < CALLS_MAX);
    conn_id conn = CONN_INBOUND + listener->conn_count;
    struct event accepted = {.type = EVENT_ACCEPTED,
                             .conn = conn,
                             .remote = address_ipv4((uint8_t[]){10, 0, 8, 8}, 1024)};
    struct event connected = {
        .type = EVENT_CONNECTED, .conn = dialler->conns[call], .remote = listener_address};
    pair->at_listener[call] = lone_new_conn(listener, conn);
    engine_input(listener->engine, listener->now, &accepted);
    lone_run(listener);
    engine_input(dialler->engine, dialler->now, &connected);
    lone_run(dialler);
}

/* What `from` has said goes to `to`; true: it was something. */
static bool carry(struct pair *pair, struct lone_engine *from, uint32_t out, struct lone_engine *to,
                  uint32_t in)
{
    static const char name[] = "BitTorrent protocol";
    struct buffer said = from->sent[out];
    if (said.length == 0)
        return false;
    from->sent[out] = (struct buffer){0};
    if (memmem(said.data, said.length, name, sizeof name - 1))
        pair->saw_bittorrent = true;
    lone_feed_buffer(to, in, &said);
    return true;
}

static void hang_up(struct lone_engine *from, uint32_t out, struct lone_engine *to, uint32_t in,
                    bool *told)
{
    if (!from->closed[out] || *told)
        return;
    *told = true;
    if (to->closed[in])
        return;
    struct event event = {
        .type = EVENT_CLOSED, .conn = to->conns[in], .error = FRESHET_ERROR_CLOSED};
    to->closed[in] = true;
    engine_input(to->engine, to->now, &event);
    lone_run(to);
}

static void look_at_peer(struct lone_engine *lone, bool *hidden, bool *clear)
{
    struct peer_status peer;
    if (engine_torrent_peers(lone->engine, 1, &peer, 1) == 1)
        *(peer.is_encrypted ? hidden : clear) = true;
}

static void pair_talk(struct pair *pair)
{
    bool any = true;
    for (uint32_t rounds = 0; any && rounds < 10000; rounds++) {
        any = false;
        while (pair->calls < pair->dialler->conn_count)
            answer_call(pair);
        for (uint32_t call = 0; call < pair->calls; call++) {
            uint32_t other = pair->at_listener[call];
            any = carry(pair, pair->dialler, call, pair->listener, other) || any;
            any = carry(pair, pair->listener, other, pair->dialler, call) || any;
            look_at_peer(pair->dialler, &pair->dialler_hidden, &pair->dialler_clear);
            look_at_peer(pair->listener, &pair->listener_hidden, &pair->listener_clear);
            hang_up(pair->dialler, call, pair->listener, other, &pair->told_listener[call]);
            hang_up(pair->listener, other, pair->dialler, call, &pair->told_dialler[call]);
        }
    }
}

static void pair_wait(struct pair *pair, int seconds)
{
    for (int i = 0; i < 4 * seconds; i++) {
        pair_talk(pair);
        lone_wait(pair->dialler, SECOND_NS / 4);
        lone_wait(pair->listener, SECOND_NS / 4);
    }
    pair_talk(pair);
}

static bool is_encrypted(struct lone_engine *lone)
{
    struct peer_status peer;
    assert_int_equal(engine_torrent_peers(lone->engine, 1, &peer, 1), 1);
    return peer.is_encrypted;
}

enum outcome { NOTHING, CLEAR, HEADER_ONLY, RC4, FALLBACK, TURNED }; /* TURNED: RC4 at the second */

static void assert_outcome(enum encryption dials, enum encryption listens, enum outcome outcome,
                           bool is_v2)
{
    struct pair *pair = pair_new(dials, listens, is_v2, false);
    pair_wait(pair, 4);
    bool complete = pair->dialler->notices[NOTICE_COMPLETE] == 1;
    if (outcome == NOTHING) {
        assert_false(complete);
        assert_int_equal(engine_torrent_peers(pair->dialler->engine, 1, NULL, 0), 0);
        assert_int_equal(lone_status(pair->dialler).downloaded, 0);
    } else {
        assert_true(complete);
        assert_memory_equal(pair->dialler->disk, pair->dialler->truth, LONE_SIZE);
        bool is_hidden = outcome == RC4 || outcome == TURNED;
        assert_int_equal(pair->dialler_hidden, is_hidden);
        assert_int_equal(pair->listener_hidden, is_hidden);
        assert_int_equal(pair->listener_clear, !is_hidden);
        assert_int_equal(pair->calls, outcome == FALLBACK || outcome == TURNED ? 2 : 1);
    }
    /* With header-only the answer to the handshake is seen. */
    if (dials == ENCRYPTION_REQUIRE || outcome == RC4)
        assert_false(pair->saw_bittorrent);
    else
        assert_true(pair->saw_bittorrent);
    pair_free(pair);
}

static void engine_mse_gives_each_pair_of_policies_what_both_allow(void **state)
{
    (void)state;
    static const enum outcome outcomes[4][4] = {
        [ENCRYPTION_ALLOW] = {CLEAR, CLEAR, CLEAR, TURNED},
        [ENCRYPTION_OFF] = {CLEAR, CLEAR, CLEAR, NOTHING},
        [ENCRYPTION_PREFER] = {HEADER_ONLY, FALLBACK, RC4, RC4},
        [ENCRYPTION_REQUIRE] = {RC4, NOTHING, RC4, RC4},
    };
    for (int dials = 0; dials < 4; dials++)
        for (int listens = 0; listens < 4; listens++)
            for (int is_v2 = 0; is_v2 < 2; is_v2++)
                assert_outcome((enum encryption)dials, (enum encryption)listens,
                               outcomes[dials][listens], is_v2);
}

static void engine_mse_remembers_who_does_not_speak_it(void **state)
{
    (void)state;
    struct pair *pair = pair_new(ENCRYPTION_PREFER, ENCRYPTION_OFF, false, true);
    pair_wait(pair, 2);
    assert_int_equal(pair->calls, 2);
    assert_true(pair->saw_bittorrent);
    /* The listener forgets who was there; the dialler does not. */
    struct engine_command pause = {.type = COMMAND_PAUSE, .torrent = 1};
    struct engine_command resume = {.type = COMMAND_RESUME, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &pause};
    engine_input(pair->dialler->engine, pair->dialler->now, &event);
    lone_run(pair->dialler);
    pair_talk(pair);
    pair->saw_bittorrent = false;
    event.command = &resume;
    engine_input(pair->dialler->engine, pair->dialler->now, &event);
    lone_run(pair->dialler);
    pair_wait(pair, 2);
    assert_int_equal(pair->calls, 3);
    assert_true(pair->saw_bittorrent);
    pair_free(pair);
}

/* Nothing is answered at all: each call ends at once. What the policy begins with is followed by
 * the other way, once. */
static void assert_turns_once_and_rests(enum encryption dials, bool begins_clear)
{
    struct pair *pair = pair_new(dials, ENCRYPTION_OFF, false, true);
    struct engine_command pause = {.type = COMMAND_PAUSE, .torrent = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &pause};
    engine_input(pair->listener->engine, pair->listener->now, &event);
    lone_run(pair->listener);
    pair_wait(pair, 2);
    assert_int_equal(pair->calls, 2);
    assert_true(pair->saw_bittorrent);
    pair_wait(pair, 1);
    assert_int_equal(pair->calls, 2);
    /* A person named it: after a rest it is tried again, and begun with the same. */
    pair->saw_bittorrent = false;
    for (int i = 0; i < 12 && pair->calls == 2; i++) {
        lone_wait(pair->dialler, SECOND_NS / 4);
        pair_talk(pair);
    }
    assert_int_equal(pair->calls, 3);
    assert_int_equal(pair->saw_bittorrent, begins_clear);
    pair->saw_bittorrent = false;
    pair_wait(pair, 2);
    assert_int_equal(pair->calls, 4);
    assert_int_equal(pair->saw_bittorrent, !begins_clear);
    pair_free(pair);
}

static void engine_mse_falls_back_once_and_then_rests(void **state)
{
    (void)state;
    assert_turns_once_and_rests(ENCRYPTION_PREFER, false);
    assert_turns_once_and_rests(ENCRYPTION_ALLOW, true);
}

static void engine_mse_gives_up_on_who_says_nothing(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct torrent_options options = {.root = "/r",
                                      .seed_ratio = -1,
                                      .seed_time_s = -1,
                                      .peers = &listener_address,
                                      .peer_count = 1};
    lone->encryption = ENCRYPTION_PREFER;
    lone_begin(lone, NULL, &options);
    lone_wait(lone, SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[0]};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    assert_true(lone->sent[0].length >= DIFFIE_HELLMAN_SIZE);
    lone_wait(lone, LIMIT_TIMEOUT_HANDSHAKE_NS - SECOND_NS);
    assert_false(lone->closed[0]);
    lone_wait(lone, 3 * SECOND_NS);
    assert_true(lone->closed[0]);
    assert_int_equal(lone->connect_count, 2);
    event.conn = lone->conns[1];
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    assert_int_equal(lone->sent[1].length, WIRE_HANDSHAKE_SIZE);
    assert_memory_equal(lone->sent[1].data,
                        "\x13"
                        "BitTorrent protocol",
                        20);
    lone_free(lone);
}

static void engine_mse_may_be_asked_for_at_any_time(void **state)
{
    (void)state;
    struct pair *pair = pair_new(ENCRYPTION_ALLOW, ENCRYPTION_ALLOW, false, false);
    struct engine_tuning tuning = {.no_lsd = true, .encryption = ENCRYPTION_REQUIRE};
    struct engine_command command = {.type = COMMAND_SET_SESSION, .session = &tuning};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(pair->dialler->engine, pair->dialler->now, &event);
    pair_wait(pair, 2);
    assert_int_equal(pair->dialler->notices[NOTICE_COMPLETE], 1);
    assert_true(pair->dialler_hidden);
    assert_false(pair->dialler_clear);
    assert_false(pair->saw_bittorrent);
    pair_free(pair);
}

static void engine_mse_hides_who_fetches_metadata(void **state)
{
    (void)state;
    struct pair *pair = memory_new(sizeof *pair);
    pair->dialler = lone_prepare(false);
    pair->listener = lone_prepare(true);
    pair->dialler->encryption = pair->listener->encryption = ENCRYPTION_REQUIRE;
    pair->listener->self = 1;
    lone_begin(pair->listener, NULL, NULL);
    lone_make_engine(pair->dialler);
    struct metainfo *metainfo = lone_metainfo(pair->dialler, NULL);
    lone_add_magnet(pair->dialler, metainfo);
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &listener_address, .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(pair->dialler->engine, pair->dialler->now, &event);
    lone_run(pair->dialler);
    pair_wait(pair, 3);
    assert_int_equal(pair->dialler->notices[NOTICE_METADATA], 1);
    lone_add_what_was_fetched(pair->dialler);
    pair_wait(pair, 3);
    assert_int_equal(pair->dialler->notices[NOTICE_COMPLETE], 1);
    assert_false(pair->saw_bittorrent);
    metainfo_free(metainfo);
    pair_free(pair);
}

/* ---- one engine, and an other side that is written by hand ---- */

static uint32_t come(struct lone_engine *lone, const struct address *from)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = *from};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    return index;
}

static struct lone_engine *new_seed(enum encryption encryption)
{
    struct lone_engine *lone = lone_prepare(true);
    lone->encryption = encryption;
    lone_begin(lone, NULL, NULL);
    return lone;
}

/* Comes and shows its public number, and takes the engine's. */
static uint32_t meet(struct lone_engine *lone, const struct address *from,
                     struct mse_other_side *side)
{
    struct buffer out = {0};
    uint32_t index = come(lone, from);
    other_side_init(side, (uint8_t)(index + 1), lone->info_hash);
    other_side_put_public(side, 100, &out);
    lone_feed_buffer(lone, index, &out);
    if (lone->sent[index].length >= DIFFIE_HELLMAN_SIZE)
        other_side_take_public(side, lone->sent[index].data, true);
    return index;
}

static void put_handshake(const struct lone_engine *lone, struct buffer *out)
{
    struct wire_handshake handshake = {.fast = true};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, 'x', 20);
    wire_handshake_encode(&handshake, bytes);
    buffer_append(out, bytes, sizeof bytes);
}

static void engine_mse_answers_a_peer_written_by_hand(void **state)
{
    (void)state;
    struct address from = lone_address(3);
    for (int early = 0; early < 3; early++) {
        struct lone_engine *lone = new_seed(ENCRYPTION_PREFER);
        struct mse_other_side side;
        struct buffer words = {0}, rest = {0}, out = {0};
        uint32_t index = meet(lone, &from, &side), method = 0;
        size_t end = 0;
        /* The handshake within, or half of it, or none: the rest comes after the answer. */
        put_handshake(lone, &words);
        size_t within = early == 0 ? WIRE_HANDSHAKE_SIZE : early == 1 ? 30 : 0;
        other_side_put_request(&side, MSE_RC4 | MSE_PLAINTEXT, (struct bytes){words.data, within},
                               &out);
        buffer_append(&rest, words.data + within, words.length - within);
        lone_feed_buffer(lone, index, &out);
        assert_true(other_side_find_answer(&side, buffer_bytes(&lone->sent[index]), &method, &end));
        assert_int_equal(method, MSE_RC4);
        wire_message_put(&rest, WIRE_INTERESTED);
        other_side_put_hidden(&side, &rest, &out);
        lone_feed_buffer(lone, index, &out);
        assert_false(lone->closed[index]);
        /* What the engine says from there on is in the cipher that we know. */
        rc4_apply(&side.in, lone->sent[index].data + end, lone->sent[index].length - end);
        assert_true(lone->sent[index].length - end > WIRE_HANDSHAKE_SIZE);
        assert_memory_equal(lone->sent[index].data + end, words.data, 20);
        assert_memory_equal(lone->sent[index].data + end + 28, lone->info_hash, 20);
        assert_true(is_encrypted(lone));
        buffer_deinit(&words);
        lone_free(lone);
    }
}

static void engine_mse_takes_words_that_come_before_the_answer(void **state)
{
    (void)state;
    struct address from = lone_address(3);
    struct lone_engine *lone = new_seed(ENCRYPTION_PREFER);
    struct mse_other_side side;
    struct buffer words = {0}, out = {0}, more = {0};
    uint32_t index = meet(lone, &from, &side);
    put_handshake(lone, &words);
    wire_message_put(&words, WIRE_HAVE_NONE);
    other_side_put_request(&side, MSE_RC4, buffer_bytes(&words), &out);
    /* All in one read with the third step, as nobody does who waits for what is selected. */
    wire_message_put(&more, WIRE_INTERESTED);
    other_side_put_hidden(&side, &more, &out);
    lone_feed_buffer(lone, index, &out);
    assert_false(lone->closed[index]);
    assert_true(is_encrypted(lone));
    buffer_deinit(&words);
    lone_free(lone);
}

static void engine_mse_ends_who_sends_payload_in_its_first_words(void **state)
{
    (void)state;
    struct address from = lone_address(3);
    struct lone_engine *lone = new_seed(ENCRYPTION_PREFER);
    struct mse_other_side side;
    struct buffer words = {0}, out = {0};
    uint32_t index = meet(lone, &from, &side);
    put_handshake(lone, &words);
    wire_message_put_block(&words, WIRE_PIECE, 0, 0, LIMIT_BLOCK_SIZE);
    buffer_append(&words, lone->truth, 1000);
    other_side_put_request(&side, MSE_RC4, buffer_bytes(&words), &out);
    lone_feed_buffer(lone, index, &out);
    assert_true(lone->closed[index]);
    assert_int_equal(engine_torrent_peers(lone->engine, 1, NULL, 0), 0);
    buffer_deinit(&words);
    lone_free(lone);
}

static void engine_mse_bounds_what_waits_for_the_answer(void **state)
{
    (void)state;
    struct address from = lone_address(3);
    struct lone_engine *lone = new_seed(ENCRYPTION_PREFER);
    struct mse_other_side side;
    struct buffer words = {0}, out = {0}, more = {0};
    uint32_t index = meet(lone, &from, &side);
    put_handshake(lone, &words);
    other_side_put_request(&side, MSE_RC4, buffer_bytes(&words), &out);
    buffer_append(&more, lone->truth, MSE_INITIAL_MAX);
    other_side_put_hidden(&side, &more, &out);
    /* All of it before the engine may say a word. */
    struct event event = {.type = EVENT_RECEIVED, .conn = lone->conns[index]};
    for (size_t at = 0; at < out.length; at += event.consumed) {
        event.bytes = (struct bytes){out.data + at, out.length - at};
        engine_input(lone->engine, lone->now, &event);
        assert_true(event.consumed > 0);
    }
    lone_run(lone);
    assert_true(lone->closed[index]);
    assert_int_equal(engine_torrent_peers(lone->engine, 1, NULL, 0), 0);
    buffer_deinit(&words);
    buffer_deinit(&out);
    lone_free(lone);
}

static void engine_mse_holds_few_handshakes_of_one_address(void **state)
{
    (void)state;
    struct lone_engine *lone = new_seed(ENCRYPTION_ALLOW);
    struct address from = lone_address(3), other = lone_address(4);
    struct mse_other_side side;
    for (uint32_t i = 0; i < LIMIT_MSE_PER_ADDRESS; i++)
        assert_false(lone->closed[meet(lone, &from, &side)]);
    from.port++;
    assert_true(lone->closed[meet(lone, &from, &side)]);
    assert_false(lone->closed[meet(lone, &other, &side)]);
    /* Who begins in the clear is not counted. */
    assert_false(lone->closed[lone_accept(lone, 3, true)]);
    lone_wait(lone, LIMIT_TIMEOUT_HANDSHAKE_NS);
    for (uint32_t i = 0; i < LIMIT_MSE_PER_ADDRESS; i++)
        assert_true(lone->closed[i]);
    assert_false(lone->closed[meet(lone, &from, &side)]);
    lone_free(lone);
}

static void engine_mse_waits_ten_seconds_for_who_is_slow(void **state)
{
    (void)state;
    struct lone_engine *lone = new_seed(ENCRYPTION_ALLOW);
    struct address from = lone_address(3);
    uint32_t index = come(lone, &from);
    for (int i = 0; i < 9; i++) {
        uint8_t bytes[10] = {0x77, 1, 2, 3};
        lone_feed(lone, index, bytes, sizeof bytes);
        lone_wait(lone, SECOND_NS);
        assert_false(lone->closed[index]);
    }
    lone_wait(lone, SECOND_NS);
    assert_true(lone->closed[index]);
    lone_free(lone);
}

static void engine_mse_ends_noise_and_strangers(void **state)
{
    (void)state;
    struct lone_engine *lone = new_seed(ENCRYPTION_REQUIRE);
    struct address from = lone_address(3);
    struct mse_other_side side;
    struct buffer out = {0};
    uint8_t noise[DIFFIE_HELLMAN_SIZE + MSE_PAD_MAX + SHA1_SIZE];
    memset(noise, 0x99, sizeof noise);
    uint32_t index = come(lone, &from);
    lone_feed(lone, index, noise, sizeof noise - 1);
    assert_false(lone->closed[index]);
    lone_feed(lone, index, noise, 1);
    assert_true(lone->closed[index]);
    /* A torrent that is not here. */
    index = meet(lone, &from, &side);
    side.skey[0] ^= 1;
    other_side_put_request(&side, MSE_RC4, BYTES_LITERAL(""), &out);
    lone_feed_buffer(lone, index, &out);
    assert_true(lone->closed[index]);
    /* Nothing but the clear is offered. */
    index = meet(lone, &from, &side);
    other_side_put_request(&side, MSE_PLAINTEXT, BYTES_LITERAL(""), &out);
    lone_feed_buffer(lone, index, &out);
    assert_true(lone->closed[index]);
    /* Encrypted, but no BitTorrent in it. */
    index = meet(lone, &from, &side);
    other_side_put_request(&side, MSE_RC4, BYTES_LITERAL("GET / HTTP/1.1"), &out);
    lone_feed_buffer(lone, index, &out);
    assert_true(lone->closed[index]);
    /* In the clear. */
    assert_true(lone->closed[lone_accept(lone, 5, true)]);
    lone_free(lone);
}

static void engine_mse_is_not_spoken_where_it_is_off(void **state)
{
    (void)state;
    struct lone_engine *lone = new_seed(ENCRYPTION_OFF);
    struct address from = lone_address(3);
    uint32_t index = come(lone, &from);
    uint8_t bytes[1] = {0x77};
    lone_feed(lone, index, bytes, sizeof bytes);
    assert_true(lone->closed[index]);
    assert_int_equal(lone->sent[index].length, 0);
    lone_free(lone);
}

/* The other side's number may be there before our first words are known: they follow then. */
static void engine_mse_sends_late_words_after_the_handshake(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(false);
    struct torrent_options options = {.root = "/r",
                                      .seed_ratio = -1,
                                      .seed_time_s = -1,
                                      .peers = &listener_address,
                                      .peer_count = 1};
    struct mse_other_side side;
    struct buffer out = {0}, plain = {0};
    lone->encryption = ENCRYPTION_REQUIRE;
    lone_begin(lone, NULL, &options);
    lone_wait(lone, SECOND_NS);
    other_side_init(&side, 0x33, lone->info_hash);
    other_side_put_public(&side, 0, &out);
    struct event event = {.type = EVENT_CONNECTED, .conn = lone->conns[0]};
    engine_input(lone->engine, lone->now, &event);
    event =
        (struct event){.type = EVENT_RECEIVED, .conn = lone->conns[0], .bytes = buffer_bytes(&out)};
    engine_input(lone->engine, lone->now, &event);
    assert_int_equal(event.consumed, out.length);
    lone_run(lone);
    buffer_clear(&out);
    other_side_take_public(&side, lone->sent[0].data, false);
    size_t handshake = lone->sent[0].length;
    other_side_put_head(&plain, MSE_RC4, 5, 5);
    other_side_put_hidden(&side, &plain, &out);
    put_handshake(lone, &plain);
    wire_message_put(&plain, WIRE_HAVE_ALL);
    other_side_put_hidden(&side, &plain, &out);
    lone_feed_buffer(lone, 0, &out);
    assert_false(lone->closed[0]);
    assert_true(lone->sent[0].length >= handshake + WIRE_HANDSHAKE_SIZE);
    assert_true(is_encrypted(lone));
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_mse_gives_each_pair_of_policies_what_both_allow),
        cmocka_unit_test(engine_mse_remembers_who_does_not_speak_it),
        cmocka_unit_test(engine_mse_falls_back_once_and_then_rests),
        cmocka_unit_test(engine_mse_gives_up_on_who_says_nothing),
        cmocka_unit_test(engine_mse_may_be_asked_for_at_any_time),
        cmocka_unit_test(engine_mse_hides_who_fetches_metadata),
        cmocka_unit_test(engine_mse_answers_a_peer_written_by_hand),
        cmocka_unit_test(engine_mse_takes_words_that_come_before_the_answer),
        cmocka_unit_test(engine_mse_ends_who_sends_payload_in_its_first_words),
        cmocka_unit_test(engine_mse_bounds_what_waits_for_the_answer),
        cmocka_unit_test(engine_mse_holds_few_handshakes_of_one_address),
        cmocka_unit_test(engine_mse_waits_ten_seconds_for_who_is_slow),
        cmocka_unit_test(engine_mse_ends_noise_and_strangers),
        cmocka_unit_test(engine_mse_is_not_spoken_where_it_is_off),
        cmocka_unit_test(engine_mse_sends_late_words_after_the_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/*
 * A swarm serves its info dictionary (BEP 9): to a test that asks for blocks, and to a
 * metadata_swarm at the other end of a pretended wire.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"
#include "tests/swarm/metadata_bench.h"

/* ---- block by block ---- */

static void say(struct lone_engine *lone, uint32_t peer, uint8_t id, const char *text)
{
    struct buffer out = {0};
    wire_message_put_extended(&out, id, (struct bytes){(const uint8_t *)text, strlen(text)});
    lone_feed_buffer(lone, peer, &out);
}

/* A peer whose id of ut_metadata is 9. */
static uint32_t meet(struct lone_engine *lone, uint8_t who)
{
    uint32_t peer = lone_accept_speaking(lone, who, true, true);
    say(lone, peer, WIRE_EXTENSION_HANDSHAKE, "d1:md11:ut_metadatai9eee");
    return peer;
}

/* The first extended message of the id that was sent; empty: none. */
static struct bytes sent_extended(struct lone_engine *lone, uint32_t peer, uint8_t id)
{
    struct cursor cursor;
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    if (cursor_left(&cursor) >= 68 && cursor.at[0] == 19)
        cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        if (message.length >= 2 && message.data[0] == WIRE_EXTENDED && message.data[1] == id)
            return (struct bytes){message.data + 2, message.length - 2};
    }
    return (struct bytes){NULL, 0};
}

static struct wire_extension_handshake handshake_of(struct lone_engine *lone, uint32_t peer)
{
    struct wire_extension_handshake handshake;
    struct bytes payload = sent_extended(lone, peer, WIRE_EXTENSION_HANDSHAKE);
    assert_int_equal(wire_extension_decode(payload, &handshake), FRESHET_OK);
    return handshake;
}

/* Asks for a block; true: the answer is in *ret_answer (borrowed until the next question). */
static bool ask(struct lone_engine *lone, uint32_t peer, uint32_t block,
                struct wire_metadata *ret_answer)
{
    struct buffer out = {0};
    lone_forget_sent(lone, peer);
    wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA,
                      &(struct wire_metadata){.type = WIRE_METADATA_REQUEST, .block = block});
    lone_feed_buffer(lone, peer, &out);
    struct bytes payload = sent_extended(lone, peer, 9);
    return payload.length && wire_metadata_decode(payload, ret_answer) == FRESHET_OK;
}

static void swarm_metadata_is_offered_and_given(void **state)
{
    (void)state;
    for (int seed = 0; seed < 2; seed++) {
        struct lone_engine *lone = lone_new(seed, NULL);
        struct bytes info = engine_torrent_metainfo(lone->engine, 1)->info;
        uint32_t peer = meet(lone, 1);
        struct wire_extension_handshake handshake = handshake_of(lone, peer);
        assert_true(handshake.named[WIRE_EXTENSION_UT_METADATA]);
        assert_int_equal(handshake.ids[WIRE_EXTENSION_UT_METADATA], WIRE_EXTENSION_UT_METADATA);
        assert_int_equal(handshake.metadata_size, info.length);
        struct wire_metadata answer;
        assert_true(ask(lone, peer, 0, &answer));
        assert_int_equal(answer.type, WIRE_METADATA_DATA);
        assert_int_equal(answer.total_size, info.length);
        assert_true(bytes_equal(answer.bytes, info));
        lone_free(lone);
    }
}

static void swarm_metadata_rejects_blocks_that_there_are_not(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = meet(lone, 1);
    static const uint32_t blocks[] = {1, 2, 1023};
    for (int i = 0; i < 3; i++) {
        struct wire_metadata answer;
        assert_true(ask(lone, peer, blocks[i], &answer));
        assert_int_equal(answer.type, WIRE_METADATA_REJECT);
        assert_int_equal(answer.block, blocks[i]);
    }
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_metadata_is_given_a_few_times_to_each_peer(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    struct bytes info = engine_torrent_metainfo(lone->engine, 1)->info;
    uint32_t peer = meet(lone, 1), given = 0;
    struct wire_metadata answer;
    while (ask(lone, peer, 0, &answer) && answer.type == WIRE_METADATA_DATA && given < 10000)
        given++;
    assert_int_equal(answer.type, WIRE_METADATA_REJECT);
    assert_false(lone->closed[peer]);
    assert_true(given >= 3);
    assert_true(given * info.length <= 3 * (info.length + WIRE_METADATA_BLOCK) + info.length);
    /* Another peer has not had any. */
    uint32_t other = meet(lone, 2);
    assert_true(ask(lone, other, 0, &answer));
    assert_int_equal(answer.type, WIRE_METADATA_DATA);
    lone_free(lone);
}

static void swarm_metadata_of_a_private_torrent_is_not_offered(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->is_private = true;
    lone_begin(lone, NULL, NULL);
    uint32_t peer = meet(lone, 1);
    struct wire_extension_handshake handshake = handshake_of(lone, peer);
    assert_false(handshake.named[WIRE_EXTENSION_UT_METADATA]);
    assert_int_equal(handshake.metadata_size, 0);
    struct wire_metadata answer;
    assert_false(ask(lone, peer, 0, &answer));
    assert_false(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_metadata_asks_for_nothing_and_bears_much(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = meet(lone, 1);
    lone_forget_sent(lone, peer);
    say(lone, peer, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei2e5:piecei0ee");
    say(lone, peer, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei1e5:piecei0eexxxx");
    say(lone, peer, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei5e5:piecei0ee");
    assert_int_equal(lone->sent[peer].length, 0);
    assert_false(lone->closed[peer]);
    /* Who has no id of its own for it cannot be answered. */
    uint32_t nameless = lone_accept_speaking(lone, 2, true, true);
    lone_forget_sent(lone, nameless);
    say(lone, nameless, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei0e5:piecei0ee");
    assert_int_equal(lone->sent[nameless].length, 0);
    assert_false(lone->closed[nameless]);
    say(lone, peer, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei0ee");
    assert_true(lone->closed[peer]);
    lone_free(lone);
}

static void swarm_metadata_leaves_who_asks_too_often(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(true, NULL);
    uint32_t peer = meet(lone, 1), asked = 0;
    while (!lone->closed[peer] && asked < 10 * LIMIT_NUISANCES) {
        say(lone, peer, WIRE_EXTENSION_UT_METADATA, "d8:msg_typei0e5:piecei7ee");
        asked++;
    }
    assert_true(lone->closed[peer]);
    /* The largest dictionary, asked for once, is no nuisance. */
    assert_true(asked > LIMIT_METADATA_SIZE / WIRE_METADATA_BLOCK);
    lone_free(lone);
}

/* ---- to a machine that asks as we do ---- */

struct pipe {
    struct bench *near; /* knows the hash */
    struct engine *far; /* has the torrent, not its files */
    uint32_t file_count;
    uint32_t conn;     /* of near; the far one's number is CONN_INBOUND + conn */
    size_t near_given; /* bytes of it that far has */
    bool has_ended;
    uint32_t step; /* of the cuts */
};

#define FAR_ID 1u

static void far_job_done(struct pipe *pipe, job_id job)
{
    struct event event = {.type = EVENT_JOB_DONE, .job = job};
    engine_input(pipe->far, pipe->near->now, &event);
}

/* There are no files: every one is still to be got. */
static void far_disk(struct pipe *pipe, struct disk_job *job)
{
    if (job->operation == DISK_OPEN)
        pipe->file_count = job->layout->file_count;
    if (job->operation == DISK_OPEN || job->operation == DISK_STAT)
        memset(job->ret_stats, 0, (pipe->file_count + 1) * sizeof job->ret_stats[0]);
    far_job_done(pipe, job->id);
}

/* As a stream may be: in pieces of any length. */
static void give_near(struct pipe *pipe, struct bytes bytes)
{
    for (size_t at = 0; at < bytes.length;) {
        size_t cut = 1 + (pipe->step++ * 2654435761u >> 16) % 20000;
        size_t length = cut < bytes.length - at ? cut : bytes.length - at;
        bench_feed(pipe->near, pipe->conn, bytes.data + at, length);
        at += length;
    }
}

static void far_act(struct pipe *pipe, const struct action *action)
{
    struct event event = {.type = EVENT_SENT, .conn = action->conn, .done = true};
    switch (action->type) {
    case ACTION_DISK: far_disk(pipe, action->disk); break;
    case ACTION_PERSIST: far_job_done(pipe, action->persist->id); break;
    case ACTION_CLOSE:
        pipe->has_ended = true;
        bench_end(pipe->near, pipe->conn);
        break;
    case ACTION_SEND:
        give_near(pipe, action->bytes);
        event.length = (uint32_t)action->bytes.length;
        engine_input(pipe->far, pipe->near->now, &event);
        break;
    default: break;
    }
}

static bool give_far(struct pipe *pipe)
{
    struct bench_conn *conn = &pipe->near->conns[pipe->conn];
    if (pipe->near_given == conn->sent.length)
        return false;
    size_t cut = 1 + (pipe->step++ * 2654435761u >> 16) % 100;
    size_t left = conn->sent.length - pipe->near_given;
    struct event event = {
        .type = EVENT_RECEIVED,
        .conn = CONN_INBOUND + pipe->conn,
        .bytes = {conn->sent.data + pipe->near_given, cut < left ? cut : left},
    };
    engine_input(pipe->far, pipe->near->now, &event);
    assert_int_equal(event.consumed, event.bytes.length);
    pipe->near_given += event.consumed;
    return true;
}

/* The near end has closed the connection. */
static bool end_far(struct pipe *pipe)
{
    if (pipe->has_ended || !pipe->near->conns[pipe->conn].closed)
        return false;
    struct event event = {.type = EVENT_CLOSED, .conn = CONN_INBOUND + pipe->conn};
    engine_input(pipe->far, pipe->near->now, &event);
    pipe->has_ended = true;
    return true;
}

static void pipe_run(struct pipe *pipe)
{
    bool again = true;
    while (again) {
        struct action action;
        again = give_far(pipe) || end_far(pipe);
        while (engine_output(pipe->far, pipe->near->now, &action)) {
            far_act(pipe, &action);
            again = true;
        }
        engine_check(pipe->far);
    }
}

static void pipe_connect(struct pipe *pipe, uint32_t who)
{
    pipe->conn = bench_name(pipe->near, who);
    pipe->near_given = 0;
    pipe->has_ended = false;
    struct event event = {.type = EVENT_ACCEPTED,
                          .conn = CONN_INBOUND + pipe->conn,
                          .remote = bench_address(who + 1000)};
    engine_input(pipe->far, pipe->near->now, &event);
    bench_connected(pipe->near, pipe->conn);
    pipe_run(pipe);
}

/* `far` and `truth`: the same torrent twice; both are taken. */
static void pipe_init(struct pipe *pipe, struct metainfo *far, struct metainfo *truth,
                      enum bench_known known)
{
    *pipe = (struct pipe){.has_ended = true};
    pipe->near = bench_new(truth, known);
    struct engine_settings settings = {.seed = 3, .listen_port = 1, .pool_blocks = 64};
    struct torrent_options options = {.root = "/r", .seed_ratio = -1, .seed_time_s = -1};
    struct engine_command command = {
        .type = COMMAND_ADD_TORRENT, .torrent = FAR_ID, .metainfo = far, .options = &options};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    memcpy(settings.peer_id, "-FR0100-farfarfarfar", 20);
    pipe->far = engine_new(&settings, pipe->near->now);
    engine_input(pipe->far, pipe->near->now, &event);
    pipe_run(pipe);
}

static void pipe_deinit(struct pipe *pipe)
{
    struct engine_command command = {.type = COMMAND_SHUTDOWN};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(pipe->far, pipe->near->now, &event);
    pipe_run(pipe);
    engine_free(pipe->far);
    bench_free(pipe->near);
}

static void swarm_metadata_reaches_a_swarm_without(void **state)
{
    (void)state;
    static const uint32_t pieces[] = {1, 816, 5000, 50000};
    for (int i = 0; i < 4; i++) {
        struct pipe pipe;
        pipe_init(&pipe, bench_plain(pieces[i]), bench_plain(pieces[i]), BENCH_V1);
        pipe_connect(&pipe, 1);
        assert_true(bench_is_right(pipe.near));
        pipe_deinit(&pipe);
    }
}

static void swarm_metadata_and_layers_reach_a_swarm_of_v2(void **state)
{
    (void)state;
    static const enum bench_known known[] = {BENCH_V1, BENCH_V2, BENCH_BOTH};
    for (int hybrid = 0; hybrid < 2; hybrid++)
        for (int i = 0; i < 3; i++) {
            struct pipe pipe;
            if (!hybrid && known[i] != BENCH_V2)
                continue;
            pipe_init(&pipe, bench_v2(hybrid, 1025), bench_v2(hybrid, 1025), known[i]);
            pipe_connect(&pipe, 1);
            /* Known by v1 alone, the same peer is met a second time. */
            if (known[i] == BENCH_V1) {
                assert_null(pipe.near->got);
                assert_true(pipe.near->conns[pipe.conn].closed);
                pipe_connect(&pipe, 2);
            }
            assert_true(bench_is_right(pipe.near));
            pipe_deinit(&pipe);
        }
}

/* 6 MB of dictionary, each block asked for in one breath. */
static void swarm_metadata_bears_who_asks_for_everything_at_once(void **state)
{
    (void)state;
    struct pipe pipe;
    pipe_init(&pipe, bench_plain(300000), bench_plain(300000), BENCH_V1);
    uint32_t count = bench_size(pipe.near) / WIRE_METADATA_BLOCK, given = 0;
    assert_true(bench_size(pipe.near) > LIMIT_OUT_BYTES);
    conn_id conn = CONN_INBOUND + 100;
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = bench_address(1)};
    engine_input(pipe.far, pipe.near->now, &event);
    struct wire_handshake handshake = bench_handshake(pipe.near, 1, false);
    uint8_t greeting[WIRE_HANDSHAKE_SIZE];
    wire_handshake_encode(&handshake, greeting);
    struct buffer out = {0};
    buffer_append(&out, greeting, sizeof greeting);
    wire_message_put_extended(&out, 0, BYTES_LITERAL("d1:md11:ut_metadatai9eee"));
    for (uint32_t block = 0; block < count; block++)
        wire_metadata_put(&out, WIRE_EXTENSION_UT_METADATA,
                          &(struct wire_metadata){.type = WIRE_METADATA_REQUEST, .block = block});
    event = (struct event){.type = EVENT_RECEIVED, .conn = conn, .bytes = buffer_bytes(&out)};
    engine_input(pipe.far, pipe.near->now, &event);
    buffer_deinit(&out);
    struct action action;
    struct buffer sent = {0};
    while (engine_output(pipe.far, pipe.near->now, &action)) {
        assert_int_equal(action.type, ACTION_SEND);
        buffer_append(&sent, action.bytes.data, action.bytes.length);
    }
    /* Each is answered, by a block or a reject. */
    struct bench_conn reader = {.sent = sent};
    struct bench_message message;
    size_t at = 0;
    uint32_t answers = 0;
    while (bench_next(&reader, &at, &message)) {
        struct wire_metadata answer;
        if (message.type != WIRE_EXTENDED || message.extended_id != BENCH_UT_ID)
            continue;
        assert_int_equal(wire_metadata_decode(message.body, &answer), FRESHET_OK);
        assert_int_equal(answer.block, answers++);
        given += answer.type == WIRE_METADATA_DATA;
    }
    assert_int_equal(answers, count);
    assert_true(given >= 100 && given < count);
    buffer_deinit(&sent);
    event = (struct event){.type = EVENT_CLOSED, .conn = conn};
    engine_input(pipe.far, pipe.near->now, &event);
    pipe_deinit(&pipe);
}

static void swarm_metadata_of_another_torrent_is_not_mistaken(void **state)
{
    (void)state;
    struct pipe pipe;
    pipe_init(&pipe, bench_plain(10), bench_plain(5000), BENCH_V1); /* another torrent */
    pipe_connect(&pipe, 1);
    assert_true(pipe.near->conns[pipe.conn].closed);
    assert_null(pipe.near->got);
    pipe_deinit(&pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_metadata_is_offered_and_given),
        cmocka_unit_test(swarm_metadata_rejects_blocks_that_there_are_not),
        cmocka_unit_test(swarm_metadata_is_given_a_few_times_to_each_peer),
        cmocka_unit_test(swarm_metadata_of_a_private_torrent_is_not_offered),
        cmocka_unit_test(swarm_metadata_asks_for_nothing_and_bears_much),
        cmocka_unit_test(swarm_metadata_leaves_who_asks_too_often),
        cmocka_unit_test(swarm_metadata_reaches_a_swarm_without),
        cmocka_unit_test(swarm_metadata_and_layers_reach_a_swarm_of_v2),
        cmocka_unit_test(swarm_metadata_bears_who_asks_for_everything_at_once),
        cmocka_unit_test(swarm_metadata_of_another_torrent_is_not_mistaken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

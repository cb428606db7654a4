/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/engine/engine_state.h"
#include "core/swarm/swarm_state.h"
#include "tests/engine/lone_engine.h"

static void set_windows(struct lone_engine *lone, const struct piece_window *windows,
                        uint32_t count)
{
    struct engine_command command = {
        .type = COMMAND_SET_WINDOWS, .torrent = 1, .windows = windows, .window_count = count};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

/* The pieces of the requests that the peer got, in their order, each once. */
static uint32_t asked(struct lone_engine *lone, uint32_t peer, uint32_t ret_pieces[LONE_PIECES])
{
    struct cursor cursor;
    uint32_t count = 0;
    cursor_init(&cursor, buffer_bytes(&lone->sent[peer]));
    cursor_bytes(&cursor, 68);
    while (cursor_left(&cursor) >= 4) {
        struct bytes message = cursor_bytes(&cursor, cursor_u32(&cursor));
        struct cursor fields;
        if (message.length != 13 || message.data[0] != WIRE_REQUEST)
            continue;
        cursor_init(&fields, (struct bytes){message.data + 1, 12});
        uint32_t piece = cursor_u32(&fields);
        if (count == 0 || ret_pieces[count - 1] != piece)
            ret_pieces[count++] = piece;
        assert_true(count <= LONE_PIECES);
    }
    return count;
}

static void swarm_asks_first_for_what_is_read(void **state)
{
    (void)state;
    for (uint32_t last = 0; last < LONE_PIECES; last++) {
        struct lone_engine *lone = lone_new(false, NULL);
        uint32_t pieces[LONE_PIECES];
        struct piece_window windows[] = {{last, 1, true}, {1, 2, false}, {90, 7, true}};
        set_windows(lone, windows, 3);
        uint32_t peer = lone_seed_peer(lone, 1, true);
        assert_true(asked(lone, peer, pieces) >= 2);
        assert_int_equal(pieces[0], last);
        assert_int_equal(pieces[1], last == 1 ? 2 : 1);
        lone_free(lone);
    }
}

static void swarm_gives_pieces_back_their_own_priority(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    struct swarm *swarm = engine_torrents_find(lone->engine, 1)->swarm;
    struct piece_window windows[] = {{0, UINT32_MAX, false}, {3, UINT32_MAX, true}};
    set_windows(lone, windows, 2);
    assert_int_equal(swarm_windows_priority(swarm, 0), PIECE_PRIORITY_SOON);
    assert_int_equal(swarm_windows_priority(swarm, 3), PIECE_PRIORITY_NOW);
    set_windows(lone, windows + 1, 1);
    assert_int_equal(swarm_windows_priority(swarm, 0), storage_piece_priority(swarm->storage, 0));
    assert_int_equal(swarm_windows_priority(swarm, 3), PIECE_PRIORITY_NOW);
    set_windows(lone, NULL, 0);
    assert_null(swarm->windows);
    assert_int_equal(swarm_windows_priority(swarm, 3), storage_piece_priority(swarm->storage, 3));
    /* What nobody wants is not fetched because it is read. */
    uint8_t unwanted = 0;
    struct engine_command command = {
        .type = COMMAND_SET_PRIORITIES, .torrent = 1, .file_priorities = &unwanted};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    set_windows(lone, windows, 2);
    assert_int_equal(swarm_windows_priority(swarm, 0), 0);
    lone_free(lone);
}

static void engine_tells_where_verified_bytes_lie(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_new(false, NULL);
    struct file_range range;
    assert_false(engine_torrent_range(lone->engine, 1, 0, 0, 10, &range));
    uint32_t peer = lone_seed_peer(lone, 1, true);
    while (lone_answer(lone, peer, true) > 0)
        continue;
    assert_true(engine_torrent_range(lone->engine, 1, 1, 100, 10, &range));
    assert_int_equal(range.offset, LONE_PIECE + 100);
    assert_int_equal(range.length, 10);
    assert_false(engine_torrent_range(lone->engine, 2, 0, 0, 10, &range));
    assert_false(engine_torrent_range(lone->engine, 1, LONE_PIECES, 0, 10, &range));
    assert_false(engine_torrent_range(lone->engine, 1, 0, 0, 0, &range));
    assert_false(engine_torrent_range(lone->engine, 1, 0, LONE_PIECE, 1, &range));
    assert_false(engine_torrent_range(lone->engine, 1, 0, 1, LONE_PIECE, &range));
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_asks_first_for_what_is_read),
        cmocka_unit_test(swarm_gives_pieces_back_their_own_priority),
        cmocka_unit_test(engine_tells_where_verified_bytes_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

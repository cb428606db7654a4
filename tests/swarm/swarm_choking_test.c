/* SPDX-License-Identifier: MIT */
/* Who may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_engine.h"

static uint32_t unchoked(struct lone_engine *lone)
{
    struct peer_status peers[LONE_CONNS];
    uint32_t count = engine_torrent_peers(lone->engine, 1, peers, LONE_CONNS), open = 0;
    for (uint32_t i = 0; i < count; i++)
        open += !peers[i].am_choking;
    return open;
}

static void swarm_choking_gives_a_free_slot_at_once(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .upload_slots = 3};
    struct lone_engine *lone = lone_new(true, &options);
    for (uint8_t who = 1; who <= 6; who++)
        lone_leecher(lone, who, true);
    assert_int_equal(unchoked(lone), 3);
    lone_say(lone, 0, WIRE_NOT_INTERESTED);
    assert_int_equal(lone_count_sent(lone, 0, WIRE_UNCHOKE), 1);
    /* One that leaves makes room, too, without waiting for the round. */
    struct event event = {
        .type = EVENT_CLOSED, .conn = lone->conns[1], .error = FRESHET_ERROR_CLOSED};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    assert_in_range(unchoked(lone), 3, 4);
    lone_free(lone);
}

static void swarm_choking_lets_everybody_have_a_turn(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .seed_ratio = -1, .seed_time_s = -1, .upload_slots = 2};
    struct lone_engine *lone = lone_new(true, &options);
    for (uint8_t who = 1; who <= 6; who++)
        lone_leecher(lone, who, true);
    for (int seconds = 0; seconds < 600; seconds += 10) {
        assert_in_range(unchoked(lone), 1, 2);
        lone_wait(lone, 10 * SECOND_NS);
        for (uint32_t peer = 0; peer < 6; peer++)
            lone_feed(lone, peer, "\0\0\0\0", 4);
    }
    for (uint32_t peer = 0; peer < 6; peer++)
        assert_true(lone_count_sent(lone, peer, WIRE_UNCHOKE) >= 1);
    lone_free(lone);
}

static void swarm_choking_serves_nobody_without_uploads(void **state)
{
    (void)state;
    struct lone_engine *lone = lone_prepare(true);
    lone->no_upload = true;
    lone_begin(lone, NULL, NULL);
    uint32_t peer = lone_leecher(lone, 1, true);
    lone_wait(lone, 60 * SECOND_NS);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_UNCHOKE), 0);
    assert_int_equal(lone_count_sent(lone, peer, WIRE_ALLOWED_FAST), 0);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(swarm_choking_gives_a_free_slot_at_once),
        cmocka_unit_test(swarm_choking_lets_everybody_have_a_turn),
        cmocka_unit_test(swarm_choking_serves_nobody_without_uploads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

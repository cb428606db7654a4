/* SPDX-License-Identifier: MIT */
/* Whom an IP filter has meets a closed door, whichever way he comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/engine/lone_magnet.h"

/* lone_address(1) to lone_address(9). */
static struct ip_filter *filter_of(const char *first, const char *last)
{
    struct address from, to;
    struct ip_filter_builder *builder = ip_filter_builder_new();
    assert_true(address_from_text(first, true, &from) && address_from_text(last, true, &to));
    assert_int_equal(ip_filter_builder_add(builder, &from, &to), FRESHET_OK);
    return ip_filter_builder_finish(builder);
}

static void set_filter(struct lone_engine *lone, const struct ip_filter *filter)
{
    struct engine_command command = {.type = COMMAND_SET_IP_FILTER, .ip_filter = filter};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static void add_peer(struct lone_engine *lone, uint8_t who)
{
    struct address address = lone_address(who);
    struct engine_command command = {
        .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &address, .peer_count = 1};
    struct event event = {.type = EVENT_COMMAND, .command = &command};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

/* A newcomer that has said nothing yet. */
static uint32_t knock(struct lone_engine *lone, uint8_t who)
{
    conn_id conn = CONN_INBOUND + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(who)};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
    return index;
}

static void engine_lets_nobody_in_whom_the_filter_has(void **state)
{
    (void)state;
    struct ip_filter *filter = filter_of("10.0.1.0", "10.0.5.255");
    struct lone_engine *lone = lone_new(true, NULL);
    set_filter(lone, filter);
    assert_true(lone->closed[knock(lone, 1)]);
    assert_true(lone->closed[knock(lone, 5)]);
    assert_false(lone->closed[knock(lone, 6)]);
    assert_false(lone->closed[lone_accept(lone, 6, true)]);
    set_filter(lone, NULL);
    assert_false(lone->closed[lone_accept(lone, 1, true)]);
    lone_free(lone);
    ip_filter_free(filter);
}

static void engine_drops_those_whom_a_new_filter_has(void **state)
{
    (void)state;
    struct ip_filter *filter = filter_of("10.0.1.0", "10.0.5.255");
    struct lone_engine *lone = lone_new(false, NULL);
    uint32_t greeting = knock(lone, 2), bad = lone_seed_peer(lone, 1, true),
             good = lone_seed_peer(lone, 6, true), other_greeting = knock(lone, 7);
    set_filter(lone, filter);
    assert_true(lone->closed[greeting]);
    assert_true(lone->closed[bad]);
    assert_false(lone->closed[good]);
    assert_false(lone->closed[other_greeting]);
    while (lone_answer(lone, good, true) > 0)
        ;
    lone_wait(lone, SECOND_NS);
    assert_true(lone_status(lone).complete);
    lone_free(lone);
    ip_filter_free(filter);
}

static void engine_connects_to_nobody_whom_the_filter_has(void **state)
{
    (void)state;
    struct ip_filter *filter = filter_of("10.0.1.0", "10.0.5.255");
    struct lone_engine *lone = lone_new(false, NULL);
    set_filter(lone, filter);
    add_peer(lone, 1);
    add_peer(lone, 6);
    lone_wait(lone, 100 * SECOND_NS);
    struct address allowed = lone_address(6), refused = lone_address(1);
    uint32_t tries = lone->connect_count;
    assert_true(tries >= 1); /* nobody answers, and it is tried again */
    for (uint32_t i = 0; i < tries; i++)
        assert_true(address_equal(&lone->connects[i], &allowed));
    /* Lists change: who is in it no more is tried without being named again. */
    set_filter(lone, NULL);
    lone_wait(lone, SECOND_NS);
    assert_true(lone->connect_count > tries);
    assert_true(address_equal(&lone->connects[tries], &refused));
    lone_free(lone);
    ip_filter_free(filter);
}

static void engine_stops_connecting_when_a_filter_comes(void **state)
{
    (void)state;
    struct ip_filter *filter = filter_of("10.0.1.0", "10.0.5.255");
    struct lone_engine *lone = lone_new(false, NULL);
    add_peer(lone, 1);
    assert_int_equal(lone->connect_count, 1);
    set_filter(lone, filter);
    assert_true(lone->closed[lone_conn_index(lone, 1)]);
    lone_wait(lone, 600 * SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    lone_free(lone);
    ip_filter_free(filter);
}

static void engine_filters_while_there_is_no_metadata(void **state)
{
    (void)state;
    struct ip_filter *filter = filter_of("10.0.1.0", "10.0.5.255");
    struct lone_engine *lone = lone_prepare(false);
    struct metainfo *metainfo = lone_metainfo(lone, NULL);
    lone_make_engine(lone);
    lone_add_magnet(lone, metainfo);
    uint32_t bad = lone_accept_speaking(lone, 1, true, true),
             good = lone_accept_speaking(lone, 6, true, true);
    set_filter(lone, filter);
    assert_true(lone->closed[bad]);
    assert_false(lone->closed[good]);
    assert_true(lone->closed[lone_accept_speaking(lone, 2, true, true)]);
    add_peer(lone, 3);
    lone_wait(lone, 10 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    set_filter(lone, NULL);
    lone_wait(lone, SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    /* What was learnt under a filter holds when there is metadata. */
    set_filter(lone, filter);
    lone_give_metadata(lone, metainfo);
    lone_add_what_was_fetched(lone);
    assert_true(lone->closed[lone_accept(lone, 4, true)]);
    lone_wait(lone, 600 * SECOND_NS);
    assert_int_equal(lone->connect_count, 1);
    metainfo_free(metainfo);
    lone_free(lone);
    ip_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_lets_nobody_in_whom_the_filter_has),
        cmocka_unit_test(engine_drops_those_whom_a_new_filter_has),
        cmocka_unit_test(engine_connects_to_nobody_whom_the_filter_has),
        cmocka_unit_test(engine_stops_connecting_when_a_filter_comes),
        cmocka_unit_test(engine_filters_while_there_is_no_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* A torrent that is to use one transport, with its metadata and before it has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/swarm/torrent_transport.h"
#include "tests/engine/lone_magnet.h"

static void command(struct lone_engine *lone, struct engine_command wish)
{
    struct event event = {.type = EVENT_COMMAND, .command = &wish};
    engine_input(lone->engine, lone->now, &event);
    engine_check(lone->engine);
    lone_run(lone);
}

static void use(struct lone_engine *lone, enum transport transport)
{
    struct torrent_tuning tuning = {.transport = transport, .seed_ratio = -1, .seed_time_s = -1};
    command(lone,
            (struct engine_command){.type = COMMAND_SET_OPTIONS, .torrent = 1, .tuning = &tuning});
}

static void name_peer(struct lone_engine *lone, uint8_t who)
{
    struct address peer = lone_address(who);
    command(lone, (struct engine_command){
                      .type = COMMAND_ADD_PEERS, .torrent = 1, .peers = &peer, .peer_count = 1});
}

static struct lone_engine *new_swarm(enum transport transport)
{
    struct torrent_options options = {
        .root = "/r", .transport = transport, .seed_ratio = -1, .seed_time_s = -1};
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = true;
    lone_begin(lone, NULL, &options);
    return lone;
}

/* Knows the hash alone. */
static struct lone_engine *new_magnet(enum transport transport)
{
    struct lone_engine *lone = lone_prepare(false);
    struct metainfo *metainfo = lone_metainfo(lone, NULL);
    lone->has_utp = true;
    lone_make_engine(lone);
    lone_add_magnet_by(lone, metainfo, transport);
    metainfo_free(metainfo);
    return lone;
}

typedef struct lone_engine *(*bench_maker)(enum transport transport);
static const bench_maker makers[] = {new_swarm, new_magnet};
#define EACH_MAKER(make)                                                                           \
    for (const bench_maker *make = makers; make < makers + sizeof makers / sizeof *makers; make++)

/* The newest dial went there so; its connection. */
static uint32_t expect_dial(struct lone_engine *lone, uint32_t count, uint8_t who,
                            enum transport transport)
{
    struct address there = lone_address(who);
    assert_int_equal(lone->connect_count, count);
    assert_true(address_equal(&lone->connects[count - 1], &there));
    assert_int_equal(lone->transports[count - 1], transport);
    return lone->conn_count - 1;
}

static void show_handshake(struct lone_engine *lone, uint32_t index, uint8_t who)
{
    struct wire_handshake handshake = {.fast = true, .extension = true};
    uint8_t bytes[WIRE_HANDSHAKE_SIZE];
    memcpy(handshake.info_hash, lone->info_hash, 20);
    memset(handshake.peer_id, who, 20);
    wire_handshake_encode(&handshake, bytes);
    lone_feed(lone, index, bytes, sizeof bytes);
}

static void connected(struct lone_engine *lone, uint32_t index, enum transport transport)
{
    struct event event = {
        .type = EVENT_CONNECTED, .conn = lone->conns[index], .transport = transport};
    engine_input(lone->engine, lone->now, &event);
    lone_run(lone);
}

static uint32_t come(struct lone_engine *lone, uint8_t who, bool is_utp)
{
    conn_id conn = (is_utp ? CONN_INBOUND_UTP : CONN_INBOUND) + lone->conn_count;
    uint32_t index = lone_new_conn(lone, conn);
    struct event event = {.type = EVENT_ACCEPTED, .conn = conn, .remote = lone_address(who)};
    engine_input(lone->engine, lone->now, &event);
    show_handshake(lone, index, who);
    return index;
}

static void torrent_transport_goes_with_every_dial(void **state)
{
    (void)state;
    EACH_MAKER(make)
    for (enum transport transport = TRANSPORT_ANY; transport <= TRANSPORT_UTP; transport++) {
        struct lone_engine *lone = (*make)(transport);
        name_peer(lone, 1);
        expect_dial(lone, 1, 1, transport);
        assert_int_equal(lone_status(lone).lacks, TRANSPORT_ANY);
        lone_free(lone);
    }
}

static void torrent_transport_refuses_who_comes_by_the_other(void **state)
{
    (void)state;
    EACH_MAKER(make)
    for (enum transport transport = TRANSPORT_ANY; transport <= TRANSPORT_UTP; transport++) {
        struct lone_engine *lone = (*make)(transport);
        uint32_t tcp = come(lone, 1, false), utp = come(lone, 2, true);
        assert_int_equal(lone->closed[tcp], transport == TRANSPORT_UTP);
        assert_int_equal(lone->closed[utp], transport == TRANSPORT_TCP);
        assert_int_equal(lone_status(lone).peers, transport == TRANSPORT_ANY ? 2 : 1);
        /* It was told nothing, and may come by the other way. */
        uint32_t refused = transport == TRANSPORT_TCP ? utp : tcp;
        if (transport != TRANSPORT_ANY) {
            assert_int_equal(lone->sent[refused].length, 0);
            assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 0);
            uint8_t who = transport == TRANSPORT_TCP ? 2 : 1;
            assert_false(lone->closed[come(lone, who, transport == TRANSPORT_UTP)]);
        }
        lone_free(lone);
    }
}

static void torrent_transport_closes_the_other_when_it_changes(void **state)
{
    (void)state;
    EACH_MAKER(make)
    for (enum transport transport = TRANSPORT_TCP; transport <= TRANSPORT_UTP; transport++) {
        struct lone_engine *lone = (*make)(TRANSPORT_ANY);
        uint32_t inbound[2] = {come(lone, 1, false), come(lone, 2, true)}, dialled[2];
        for (uint8_t i = 0; i < 2; i++) {
            name_peer(lone, 3 + i);
            dialled[i] = expect_dial(lone, i + 1u, 3 + i, TRANSPORT_ANY);
            connected(lone, dialled[i], i ? TRANSPORT_UTP : TRANSPORT_TCP);
            show_handshake(lone, dialled[i], 3 + i);
        }
        assert_int_equal(lone_status(lone).peers, 4);
        use(lone, transport);
        bool keeps_utp = transport == TRANSPORT_UTP;
        for (uint32_t i = 0; i < 2; i++) {
            assert_int_equal(lone->closed[inbound[i]], keeps_utp != (i == 1));
            assert_int_equal(lone->closed[dialled[i]], keeps_utp != (i == 1));
        }
        assert_int_equal(lone_status(lone).peers, 2);
        assert_int_equal(lone->notices[NOTICE_PEER_BANNED], 0);
        /* Whom we know where to find is met anew, by the way that is left. */
        lone_wait(lone, 2 * SECOND_NS);
        uint32_t again = expect_dial(lone, 3, keeps_utp ? 3 : 4, transport);
        connected(lone, again, transport);
        show_handshake(lone, again, keeps_utp ? 3 : 4);
        assert_int_equal(lone_status(lone).peers, 3);
        /* All may be as it is. */
        use(lone, TRANSPORT_ANY);
        assert_int_equal(lone_status(lone).peers, 3);
        lone_free(lone);
    }
}

static void torrent_transport_begins_dials_anew_when_it_changes(void **state)
{
    (void)state;
    EACH_MAKER(make)
    {
        struct lone_engine *lone = (*make)(TRANSPORT_ANY);
        name_peer(lone, 1);
        uint32_t first = expect_dial(lone, 1, 1, TRANSPORT_ANY);
        use(lone, TRANSPORT_UTP);
        assert_true(lone->closed[first]);
        lone_wait(lone, 2 * SECOND_NS);
        uint32_t second = expect_dial(lone, 2, 1, TRANSPORT_UTP);
        /* The same word once more disturbs nothing, and ANY is content with it. */
        use(lone, TRANSPORT_UTP);
        use(lone, TRANSPORT_ANY);
        lone_wait(lone, 2 * SECOND_NS);
        assert_false(lone->closed[second]);
        assert_int_equal(lone->connect_count, 2);
        lone_free(lone);
    }
}

static void torrent_transport_leaves_what_a_host_gives_instead(void **state)
{
    (void)state;
    EACH_MAKER(make)
    {
        struct lone_engine *lone = (*make)(TRANSPORT_TCP);
        name_peer(lone, 1);
        uint32_t dialled = expect_dial(lone, 1, 1, TRANSPORT_TCP);
        connected(lone, dialled, TRANSPORT_UTP);
        assert_true(lone->closed[dialled]);
        assert_int_equal(lone->sent[dialled].length, 0);
        lone_free(lone);
    }
}

static void torrent_transport_dials_nobody_without_a_way(void **state)
{
    (void)state;
    struct engine_tuning session = {.no_lsd = true, .has_utp = false};
    EACH_MAKER(make)
    {
        struct lone_engine *lone = (*make)(TRANSPORT_UTP);
        command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &session});
        name_peer(lone, 1);
        lone_wait(lone, 100 * SECOND_NS);
        assert_int_equal(lone->connect_count, 0);
        assert_int_equal(lone_status(lone).lacks, TRANSPORT_UTP);
        struct engine_tuning better = {.no_lsd = true, .has_utp = true};
        command(lone, (struct engine_command){.type = COMMAND_SET_SESSION, .session = &better});
        assert_int_equal(lone_status(lone).lacks, TRANSPORT_ANY);
        lone_wait(lone, 2 * SECOND_NS);
        expect_dial(lone, 1, 1, TRANSPORT_UTP);
        lone_free(lone);
    }
}

static void torrent_transport_may_lack_tcp(void **state)
{
    (void)state;
    struct torrent_options options = {
        .root = "/r", .transport = TRANSPORT_TCP, .seed_ratio = -1, .seed_time_s = -1};
    struct lone_engine *lone = lone_prepare(false);
    lone->has_utp = lone->no_tcp = true;
    lone_begin(lone, NULL, &options);
    name_peer(lone, 1);
    lone_wait(lone, 100 * SECOND_NS);
    assert_int_equal(lone->connect_count, 0);
    assert_int_equal(lone_status(lone).lacks, TRANSPORT_TCP);
    use(lone, TRANSPORT_ANY);
    lone_wait(lone, 2 * SECOND_NS);
    expect_dial(lone, 1, 1, TRANSPORT_ANY);
    assert_int_equal(lone_status(lone).lacks, TRANSPORT_ANY);
    lone_free(lone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torrent_transport_goes_with_every_dial),
        cmocka_unit_test(torrent_transport_refuses_who_comes_by_the_other),
        cmocka_unit_test(torrent_transport_closes_the_other_when_it_changes),
        cmocka_unit_test(torrent_transport_begins_dials_anew_when_it_changes),
        cmocka_unit_test(torrent_transport_leaves_what_a_host_gives_instead),
        cmocka_unit_test(torrent_transport_dials_nobody_without_a_way),
        cmocka_unit_test(torrent_transport_may_lack_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

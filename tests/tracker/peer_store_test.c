/* SPDX-License-Identifier: MIT */
/* The memory of a tracker: who is handed out, who is counted, who is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "core/tracker/peer_store.h"

#define LIFE_NS (3600 * SECOND_NS)

static uint8_t hash_a[20] = "aaaaaaaaaaaaaaaaaaaa";

struct world {
    struct peer_store *store;
    int64_t now;
    struct peer_answer answer;
};

static void build(struct world *world, uint32_t swarms_max, uint32_t peers_max)
{
    world->now = 1000 * SECOND_NS;
    world->store = peer_store_new(&(struct peer_store_options){
        .seed = 11, .life_ns = LIFE_NS, .swarms_max = swarms_max, .peers_max = peers_max});
}

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_from_text(text, false, &address));
    return address;
}

/* A peer of the public internet, told apart by its number, also by peer id. */
static struct address public_address(uint32_t number)
{
    uint8_t ip[4] = {20, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    return address_ipv4(ip, 6881);
}

static enum freshet_error visit_as(struct world *world, struct address address, uint32_t identity,
                                   enum peer_kind kind, enum tracker_event event, uint32_t wanted)
{
    uint8_t peer_id[20] = "-TT0001-";
    memcpy(peer_id + 8, &identity, 4);
    struct peer_visit visit = {
        .info_hash = hash_a,
        .address = address,
        .peer_id = peer_id,
        .key = identity,
        .kind = kind,
        .event = event,
        .wanted = wanted,
    };
    return peer_store_announce(world->store, world->now, &visit, &world->answer);
}

static void visit(struct world *world, uint32_t number, enum peer_kind kind,
                  enum tracker_event event, uint32_t wanted)
{
    assert_int_equal(visit_as(world, public_address(number), number, kind, event, wanted),
                     FRESHET_OK);
    peer_store_check(world->store);
}

static bool answer_has(const struct world *world, struct address address)
{
    for (uint32_t i = 0; i < world->answer.peer_count; i++)
        if (address_equal(&world->answer.peers[i]->address, &address))
            return true;
    return false;
}

static void store_hands_out_others_and_never_oneself(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    visit(&world, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 0);
    visit(&world, 2, PEER_KIND_SEED, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 1);
    visit(&world, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 1);
    assert_true(answer_has(&world, public_address(2)));
    assert_int_equal(world.answer.counts.complete, 1);
    assert_int_equal(world.answer.counts.incomplete, 1);
    /* The same client at another address is oneself too. */
    assert_int_equal(
        visit_as(&world, at("20.9.9.9:1"), 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50),
        FRESHET_OK);
    assert_int_equal(world.answer.peer_count, 1);
    assert_true(answer_has(&world, public_address(2)));
    peer_store_free(world.store);
}

static void store_gives_no_seeds_to_who_wants_no_pieces(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    for (uint32_t i = 0; i < 10; i++) {
        visit(&world, i, PEER_KIND_SEED, TRACKER_EVENT_STARTED, 50);
        visit(&world, 100 + i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
        visit(&world, 200 + i, PEER_KIND_PAUSED, TRACKER_EVENT_PAUSED, 50);
    }
    visit(&world, 0, PEER_KIND_SEED, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 10);
    for (uint32_t i = 0; i < world.answer.peer_count; i++)
        assert_int_equal(world.answer.peers[i]->kind, PEER_KIND_DOWNLOADER);
    visit(&world, 200, PEER_KIND_PAUSED, TRACKER_EVENT_PAUSED, 50);
    assert_int_equal(world.answer.peer_count, 10);
    visit(&world, 100, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 29);
    assert_int_equal(world.answer.counts.complete, 10);
    assert_int_equal(world.answer.counts.incomplete, 20);
    assert_int_equal(world.answer.counts.downloaders, 10);
    peer_store_free(world.store);
}

static void store_keeps_families_apart(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    struct address v4 = at("20.0.0.1:1"), v6 = at("[2a00::1]:1"), other = at("[2a00:1::2]:2");
    visit_as(&world, v4, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    visit_as(&world, v6, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 0);
    visit_as(&world, other, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 1);
    assert_true(answer_has(&world, v6));
    assert_int_equal(world.answer.counts.incomplete, 3);
    peer_store_free(world.store);
}

static void store_counts_a_client_of_both_families_once(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    struct address v4 = at("20.0.0.1:1"), v6 = at("[2a00::1]:1");
    for (int round = 0; round < 3; round++) {
        visit_as(&world, v4, 7, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
        visit_as(&world, v6, 7, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
        peer_store_check(world.store);
        assert_int_equal(world.answer.counts.incomplete, 1);
        assert_int_equal(peer_store_peer_count(world.store), 2);
    }
    visit_as(&world, v6, 7, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    visit_as(&world, v4, 7, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 1);
    assert_int_equal(world.answer.counts.complete, 1);
    assert_int_equal(world.answer.counts.incomplete, 0);
    /* The one that was counted leaves; the other is counted then. */
    visit_as(&world, v4, 7, PEER_KIND_SEED, TRACKER_EVENT_STOPPED, 0);
    peer_store_check(world.store);
    assert_int_equal(world.answer.counts.complete, 1);
    visit_as(&world, v6, 7, PEER_KIND_SEED, TRACKER_EVENT_STOPPED, 0);
    assert_int_equal(world.answer.counts.complete, 0);
    assert_int_equal(peer_store_peer_count(world.store), 0);
    peer_store_free(world.store);
}

static void store_counts_completions_only_on_a_real_transition(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    /* Not known before: it may have been complete for years. */
    visit(&world, 1, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 0);
    visit(&world, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    visit(&world, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 0);
    visit(&world, 2, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 1);
    /* A repetition because the answer was lost. */
    visit(&world, 2, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 1);
    visit(&world, 3, PEER_KIND_PAUSED, TRACKER_EVENT_PAUSED, 0);
    visit(&world, 3, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    assert_int_equal(world.answer.counts.downloaded, 2);
    /* The count outlives the peers. */
    for (uint32_t i = 1; i <= 3; i++)
        visit(&world, i, PEER_KIND_SEED, TRACKER_EVENT_STOPPED, 0);
    assert_int_equal(world.answer.counts.complete, 0);
    assert_int_equal(world.answer.counts.downloaded, 2);
    assert_int_equal(peer_store_swarm_count(world.store), 1);
    peer_store_free(world.store);
}

static void store_forgets_who_stops_or_falls_silent(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    assert_int_equal(peer_store_deadline(world.store), INT64_MAX);
    visit(&world, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    int64_t start = world.now;
    assert_int_equal(peer_store_deadline(world.store), start + LIFE_NS);
    world.now += LIFE_NS / 2;
    visit(&world, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 1);
    world.now = start + LIFE_NS - 1;
    peer_store_tick(world.store, world.now);
    assert_int_equal(peer_store_peer_count(world.store), 2);
    world.now = start + LIFE_NS;
    peer_store_tick(world.store, world.now);
    assert_int_equal(peer_store_peer_count(world.store), 1);
    visit(&world, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 1);
    assert_true(answer_has(&world, public_address(2)));
    visit(&world, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STOPPED, 50);
    assert_int_equal(world.answer.peer_count, 0);
    assert_int_equal(world.answer.counts.incomplete, 1);
    visit(&world, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STOPPED, 50);
    visit(&world, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STOPPED, 50);
    assert_int_equal(peer_store_swarm_count(world.store), 0);
    peer_store_free(world.store);
}

static void store_gives_a_new_client_the_old_ones_place(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    struct address address = at("20.0.0.1:6881");
    visit_as(&world, address, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    visit_as(&world, address, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    peer_store_check(world.store);
    assert_int_equal(world.answer.counts.incomplete, 1);
    assert_int_equal(world.answer.peer_count, 0);
    assert_int_equal(peer_store_peer_count(world.store), 1);
    peer_store_free(world.store);
}

/* Each of n peers is drawn with chance k/n an answer. Over r answers its count has the mean rk/n
 * and the variance rk/n (1 - k/n); the sum of the squared deviations over the variance has the mean
 * n and a standard deviation of about sqrt(2n). Five of those are allowed, with a fixed seed. */
static void store_hands_out_everybody_equally_often(void **state)
{
    (void)state;
    enum { PEERS = 300, SEEDS = 75, ANSWERS = 10000, WANTED = 50 };
    struct world world;
    static uint32_t counts[PEERS];
    memset(counts, 0, sizeof counts);
    build(&world, 0, 0);
    for (uint32_t i = 0; i < PEERS; i++)
        visit_as(&world, public_address(i), i, i < SEEDS ? PEER_KIND_SEED : PEER_KIND_DOWNLOADER,
                 TRACKER_EVENT_STARTED, 0);
    for (uint32_t answer = 0; answer < ANSWERS; answer++) {
        assert_int_equal(visit_as(&world, public_address(PEERS), PEERS, PEER_KIND_DOWNLOADER,
                                  TRACKER_EVENT_NONE, WANTED),
                         FRESHET_OK);
        assert_int_equal(world.answer.peer_count, WANTED);
        uint8_t seen[PEERS] = {0};
        for (uint32_t i = 0; i < WANTED; i++) {
            const uint8_t *ip = world.answer.peers[i]->address.ip;
            uint32_t number = (uint32_t)(ip[1] << 16 | ip[2] << 8 | ip[3]);
            assert_true(number < PEERS);
            assert_int_equal(seen[number]++, 0);
            counts[number]++;
        }
    }
    peer_store_check(world.store);
    /* In thousandths, without floating point: mean = r k / n, variance = mean (n - k) / n. */
    int64_t mean = (int64_t)ANSWERS * WANTED * 1000 / PEERS;
    int64_t variance = mean * (PEERS - WANTED) / PEERS;
    int64_t sum = 0, least = INT64_MAX, most = 0;
    for (uint32_t i = 0; i < PEERS; i++) {
        int64_t off = (int64_t)counts[i] * 1000 - mean;
        sum += off * off / variance;
        least = counts[i] < least ? counts[i] : least;
        most = counts[i] > most ? counts[i] : most;
    }
    assert_in_range(sum / 1000, PEERS - 5 * 25, PEERS + 5 * 25);
    assert_true(least > mean / 1000 * 85 / 100);
    assert_true(most < mean / 1000 * 115 / 100);
    peer_store_free(world.store);
}

static void store_hands_out_at_most_what_was_asked_and_200(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    for (uint32_t i = 0; i < 500; i++)
        visit_as(&world, public_address(i), i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    static const uint32_t wanted[] = {0, 1, 50, 199, 200, 201, UINT32_MAX};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        visit(&world, 1000, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, wanted[i]);
        assert_int_equal(world.answer.peer_count, wanted[i] < 200 ? wanted[i] : 200);
    }
    peer_store_free(world.store);
}

static void store_gives_no_private_addresses_to_the_internet(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    struct address public_peer = at("20.0.0.1:1"), lan = at("192.168.1.2:2"),
                   local = at("127.0.0.1:3");
    visit_as(&world, public_peer, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    visit_as(&world, lan, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    visit_as(&world, local, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 2);
    visit_as(&world, lan, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 1);
    assert_true(answer_has(&world, public_peer));
    visit_as(&world, public_peer, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 0);
    assert_int_equal(world.answer.counts.incomplete, 3);
    visit_as(&world, at("[fd00::1]:1"), 4, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    visit_as(&world, at("[2a00::1]:1"), 5, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 50);
    assert_int_equal(world.answer.peer_count, 0);
    peer_store_free(world.store);
}

static void store_caps_peers_behind_one_address(void **state)
{
    (void)state;
    struct world world;
    build(&world, 0, 0);
    struct address address = at("20.0.0.1:1");
    for (uint32_t i = 1; i <= LIMIT_TRACKER_SAME_ADDRESS + 5; i++) {
        address.port = (uint16_t)i;
        assert_int_equal(
            visit_as(&world, address, i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0),
            i <= LIMIT_TRACKER_SAME_ADDRESS ? FRESHET_OK : FRESHET_ERROR_REFUSED);
    }
    peer_store_check(world.store);
    /* Who is in stays in, and makes room by leaving. */
    address.port = 1;
    assert_int_equal(visit_as(&world, address, 1, PEER_KIND_SEED, TRACKER_EVENT_NONE, 0),
                     FRESHET_OK);
    assert_int_equal(visit_as(&world, address, 1, PEER_KIND_SEED, TRACKER_EVENT_STOPPED, 0),
                     FRESHET_OK);
    address.port = 9999;
    assert_int_equal(
        visit_as(&world, address, 9999, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0),
        FRESHET_OK);
    /* A /64 counts as one address. */
    for (uint32_t i = 1; i <= LIMIT_TRACKER_SAME_ADDRESS + 1; i++) {
        struct address v6 = at("[2a00:1:2:3::1]:6881");
        v6.ip[15] = (uint8_t)i;
        assert_int_equal(
            visit_as(&world, v6, 5000 + i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0),
            i <= LIMIT_TRACKER_SAME_ADDRESS ? FRESHET_OK : FRESHET_ERROR_REFUSED);
    }
    peer_store_free(world.store);
}

static void store_refuses_when_it_is_full(void **state)
{
    (void)state;
    struct world world;
    build(&world, 2, 5);
    for (uint32_t i = 0; i < 5; i++)
        visit(&world, i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    assert_int_equal(
        visit_as(&world, public_address(9), 9, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0),
        FRESHET_ERROR_LIMIT);
    visit(&world, 0, PEER_KIND_DOWNLOADER, TRACKER_EVENT_NONE, 50);
    assert_int_equal(world.answer.peer_count, 4);
    for (uint32_t i = 0; i < 5; i++)
        visit(&world, i, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STOPPED, 0);
    assert_int_equal(peer_store_swarm_count(world.store), 0);
    /* Swarms: the third one has no room, until one with only a count to remember gives way. */
    uint8_t saved = hash_a[0];
    hash_a[0] = '1';
    visit(&world, 1, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    hash_a[0] = '2';
    visit(&world, 2, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    visit(&world, 2, PEER_KIND_SEED, TRACKER_EVENT_COMPLETED, 0);
    hash_a[0] = '3';
    assert_int_equal(
        visit_as(&world, public_address(3), 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0),
        FRESHET_ERROR_LIMIT);
    hash_a[0] = '2';
    visit(&world, 2, PEER_KIND_SEED, TRACKER_EVENT_STOPPED, 0);
    assert_int_equal(peer_store_swarm_count(world.store), 2);
    hash_a[0] = '3';
    visit(&world, 3, PEER_KIND_DOWNLOADER, TRACKER_EVENT_STARTED, 0);
    assert_int_equal(peer_store_swarm_count(world.store), 2);
    hash_a[0] = saved;
    peer_store_free(world.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_hands_out_others_and_never_oneself),
        cmocka_unit_test(store_gives_no_seeds_to_who_wants_no_pieces),
        cmocka_unit_test(store_keeps_families_apart),
        cmocka_unit_test(store_counts_a_client_of_both_families_once),
        cmocka_unit_test(store_counts_completions_only_on_a_real_transition),
        cmocka_unit_test(store_forgets_who_stops_or_falls_silent),
        cmocka_unit_test(store_gives_a_new_client_the_old_ones_place),
        cmocka_unit_test(store_hands_out_everybody_equally_often),
        cmocka_unit_test(store_hands_out_at_most_what_was_asked_and_200),
        cmocka_unit_test(store_gives_no_private_addresses_to_the_internet),
        cmocka_unit_test(store_caps_peers_behind_one_address),
        cmocka_unit_test(store_refuses_when_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What a node keeps for others and what it lets them cost: tokens, budgets, votes, peers, items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <openssl/evp.h>

#include "core/dht/dht_announcer.h"
#include "core/dht/dht_budget.h"
#include "core/dht/dht_item_store.h"
#include "core/dht/dht_peer_store.h"
#include "core/dht/dht_token.h"
#include "core/dht/dht_vote.h"

static struct address v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return address_ipv4((uint8_t[4]){a, b, c, d}, 6881);
}

static struct dht_id id_of(uint32_t number)
{
    struct rng rng;
    struct dht_id id;
    rng_init(&rng, number);
    rng_fill(&rng, id.bytes, DHT_ID_SIZE);
    return id;
}

static void a_token_is_good_for_one_address_one_hash_and_five_minutes(void **state)
{
    (void)state;
    uint8_t secret[DHT_SECRET_SIZE] = {1}, other_secret[DHT_SECRET_SIZE] = {2};
    uint8_t bytes[DHT_TOKEN_SIZE];
    struct address address = v4(1, 2, 3, 4), other = v4(1, 2, 3, 5);
    struct dht_id hash = id_of(1), other_hash = id_of(2);
    int64_t now = 3000 * SECOND_NS;
    dht_token_make(secret, &address, &hash, now, bytes);
    struct bytes token = {bytes, sizeof bytes};
    assert_true(dht_token_is_good(secret, &address, &hash, now, token));
    assert_true(dht_token_is_good(secret, &address, &hash, now + 300 * SECOND_NS, token));
    assert_false(dht_token_is_good(secret, &address, &hash, now + 600 * SECOND_NS, token));
    assert_false(dht_token_is_good(secret, &other, &hash, now, token));
    assert_false(dht_token_is_good(secret, &address, &other_hash, now, token));
    assert_false(dht_token_is_good(other_secret, &address, &hash, now, token));
    /* Behind some NATs the port changes. */
    address.port++;
    assert_true(dht_token_is_good(secret, &address, &hash, now, token));
    for (size_t length = 0; length < DHT_TOKEN_SIZE; length++)
        assert_false(
            dht_token_is_good(secret, &address, &hash, now, (struct bytes){bytes, length}));
    bytes[7] ^= 1;
    assert_false(dht_token_is_good(secret, &address, &hash, now, token));
}

static void a_source_gets_five_answers_a_second(void **state)
{
    (void)state;
    struct dht_budget budget;
    struct address address = v4(1, 2, 3, 4), other = v4(1, 2, 3, 5);
    dht_budget_init(&budget, 1);
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < 5; i++) {
            address.port++; /* another port is no other source */
            assert_true(dht_budget_take_message(&budget, &address, second * SECOND_NS));
        }
        assert_false(dht_budget_take_message(&budget, &address, second * SECOND_NS + 999999999));
        assert_true(dht_budget_take_message(&budget, &other, second * SECOND_NS));
    }
    /* An IPv6 source is a /64. */
    for (uint8_t i = 0; i < 10; i++) {
        struct address six = address_ipv6((uint8_t[16]){0x2a, [15] = i}, 1);
        assert_int_equal(dht_budget_take_message(&budget, &six, 9 * SECOND_NS), i < 5);
    }
}

static void a_flood_of_sources_is_refused(void **state)
{
    (void)state;
    struct dht_budget budget;
    uint32_t taken = 0;
    dht_budget_init(&budget, 1);
    for (uint32_t i = 0; i < 5000; i++) {
        struct address address = v4(20, (uint8_t)(i >> 8), (uint8_t)i, 1);
        taken += dht_budget_take_message(&budget, &address, 0);
    }
    assert_int_equal(taken, DHT_BUDGET_SOURCES);
}

static void all_unproven_sources_share_8000_bytes_a_second(void **state)
{
    (void)state;
    struct dht_budget budget;
    dht_budget_init(&budget, 1);
    for (int second = 0; second < 3; second++) {
        size_t sent = 0;
        for (int i = 0; i < 100; i++)
            if (dht_budget_take_bytes(&budget, 300, second * SECOND_NS + i))
                sent += 300;
        assert_int_equal(sent, 7800);
        assert_true(dht_budget_take_bytes(&budget, 200, second * SECOND_NS));
        assert_false(dht_budget_take_bytes(&budget, 1, second * SECOND_NS));
    }
}

static void the_own_address_needs_eight_networks_and_two_thirds(void **state)
{
    (void)state;
    struct dht_vote vote = {0};
    struct address own = v4(99, 1, 1, 1), wrong = v4(66, 6, 6, 6), result;
    /* One network has one voice, however many it sends. */
    for (uint8_t i = 0; i < 200; i++) {
        struct address voter = v4(66, 6, i, i);
        assert_false(dht_vote_cast(&vote, &voter, &wrong, &result));
    }
    for (uint8_t i = 0; i < 6; i++) {
        struct address voter = v4((uint8_t)(20 + i), 1, 1, 1);
        assert_false(dht_vote_cast(&vote, &voter, &own, &result));
    }
    struct address last = v4(80, 1, 1, 1);
    assert_true(dht_vote_cast(&vote, &last, &own, &result));
    assert_true(address_same_ip(&result, &own));
    /* Half against half decides nothing. */
    for (uint8_t i = 0; i < 16; i++) {
        struct address voter = v4((uint8_t)(20 + i), 1, 1, 1);
        assert_false(dht_vote_cast(&vote, &voter, i % 2 ? &own : &wrong, &result));
    }
}

static void a_torrent_has_at_most_500_peers_and_four_an_address(void **state)
{
    (void)state;
    struct dht_peer_store *store = dht_peer_store_new(ADDRESS_IPV4, 1);
    struct dht_id hash = id_of(1);
    struct address peers[600];
    struct rng rng;
    rng_init(&rng, 1);
    for (uint16_t i = 0; i < 50; i++) {
        struct address address = v4(1, 2, 3, 4);
        address.port = (uint16_t)(1000 + i);
        dht_peer_store_announce(store, &hash, &address, false, i * SECOND_NS);
    }
    assert_int_equal(dht_peer_store_pick(store, &hash, false, &rng, peers, 600), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_in_range(peers[i].port, 1046, 1049);
    for (uint32_t i = 0; i < 700; i++) {
        struct address address = v4(2, 2, (uint8_t)(i >> 8), (uint8_t)i);
        dht_peer_store_announce(store, &hash, &address, i % 2, 60 * SECOND_NS);
        dht_peer_store_check(store);
    }
    assert_int_equal(dht_peer_store_pick(store, &hash, false, &rng, peers, 600), 500);
    assert_int_equal(dht_peer_store_pick(store, &hash, true, &rng, peers, 600), 250);
    assert_int_equal(dht_peer_store_pick(store, &hash, false, &rng, peers, 7), 7);
    uint8_t seeds[DHT_BLOOM_SIZE], others[DHT_BLOOM_SIZE];
    assert_true(dht_peer_store_blooms(store, &hash, seeds, others));
    assert_in_range(dht_bloom_estimate(seeds), 200, 300);
    assert_in_range(dht_bloom_estimate(others), 200, 300);
    dht_peer_store_tick(store, 60 * SECOND_NS + LIMIT_DHT_PEER_LIFE_NS);
    assert_int_equal(dht_peer_store_peer_count(store), 500);
    dht_peer_store_tick(store, 180 * SECOND_NS + LIMIT_DHT_PEER_LIFE_NS);
    assert_int_equal(dht_peer_store_torrent_count(store), 0);
    dht_peer_store_check(store);
    dht_peer_store_free(store);
}

static void a_flood_of_hashes_puts_out_itself(void **state)
{
    (void)state;
    struct dht_peer_store *store = dht_peer_store_new(ADDRESS_IPV4, 1);
    struct dht_id honest = id_of(0), samples[50];
    struct address peer = v4(1, 1, 1, 1), other = v4(1, 1, 1, 2);
    dht_peer_store_announce(store, &honest, &peer, false, 0);
    dht_peer_store_announce(store, &honest, &other, false, 0);
    for (uint32_t i = 1; i < 3000; i++) {
        struct dht_id hash = id_of(i);
        dht_peer_store_announce(store, &hash, &peer, false, i);
    }
    struct rng rng;
    rng_init(&rng, 1);
    assert_int_equal(dht_peer_store_torrent_count(store), LIMIT_DHT_TORRENTS);
    assert_int_equal(dht_peer_store_pick(store, &honest, false, &rng, &peer, 1), 1);
    assert_int_equal(dht_peer_store_sample(store, 5, samples, 50), 50);
    struct dht_id again[50];
    assert_int_equal(dht_peer_store_sample(store, 5, again, 50), 50);
    assert_memory_equal(samples, again, sizeof samples);
    assert_int_equal(dht_peer_store_sample(store, 6, again, 50), 50);
    assert_memory_not_equal(samples, again, sizeof samples);
    dht_peer_store_check(store);
    dht_peer_store_free(store);
}

static bool verify(void *context, const uint8_t key[32], struct bytes text, const uint8_t sig[64])
{
    (void)context;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = pkey && EVP_DigestVerifyInit(md, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(md, sig, 64, text.data, text.length) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    return good;
}

static void mutable_items_prove_themselves_by_the_vectors_of_bep_44(void **state)
{
    (void)state;
    struct dht_verifier verifier = {.verify = verify};
    uint8_t key[32], sig[64], sig_salted[64];
    assert_true(bytes_from_hex(
        BYTES_LITERAL("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"), key,
        32));
    assert_true(bytes_from_hex(
        BYTES_LITERAL("305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
                      "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"),
        sig, 64));
    assert_true(bytes_from_hex(
        BYTES_LITERAL("6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
                      "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"),
        sig_salted, 64));
    struct krpc_item item = {.value = BYTES_LITERAL("12:Hello World!"),
                             .key = key,
                             .signature = sig,
                             .has_seq = true,
                             .seq = 1};
    assert_int_equal(dht_item_judge(&item, &verifier), 0);
    item.salt = BYTES_LITERAL("foobar");
    assert_int_equal(dht_item_judge(&item, &verifier), KRPC_ERROR_SIGNATURE);
    item.signature = sig_salted;
    assert_int_equal(dht_item_judge(&item, &verifier), 0);
    item.seq = 2;
    assert_int_equal(dht_item_judge(&item, &verifier), KRPC_ERROR_SIGNATURE);
    item.seq = 1;
    verifier.verify = NULL;
    assert_int_equal(dht_item_judge(&item, &verifier), KRPC_ERROR_SIGNATURE);
    uint8_t large[1001] = {0};
    item.salt = (struct bytes){large, 65};
    assert_int_equal(dht_item_judge(&item, &verifier), KRPC_ERROR_SALT);
    item.value = (struct bytes){large, 1001};
    assert_int_equal(dht_item_judge(&item, &verifier), KRPC_ERROR_TOO_BIG);
}

static void items_follow_cas_and_sequence(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(1);
    struct dht_id own = id_of(1);
    uint8_t key[32] = {1}, sig[64] = {2};
    struct krpc_item item = {
        .value = BYTES_LITERAL("1:a"), .key = key, .signature = sig, .has_seq = true, .seq = 5};
    struct krpc_item got;
    struct dht_id target = krpc_item_target(&item);
    assert_int_equal(dht_item_store_put(store, &own, &item, 0), 0);
    item.value = BYTES_LITERAL("1:b");
    assert_int_equal(dht_item_store_put(store, &own, &item, 0), KRPC_ERROR_SEQ);
    item.seq = 6;
    item.has_cas = true;
    item.cas = 4;
    assert_int_equal(dht_item_store_put(store, &own, &item, 0), KRPC_ERROR_CAS);
    item.cas = 5;
    assert_int_equal(dht_item_store_put(store, &own, &item, SECOND_NS), 0);
    assert_true(dht_item_store_get(store, &target, &got));
    assert_true(bytes_is(got.value, "1:b"));
    assert_int_equal(got.seq, 6);
    assert_int_equal(dht_item_store_count(store), 1);
    dht_item_store_tick(store, LIMIT_DHT_ITEM_LIFE_NS);
    assert_true(dht_item_store_get(store, &target, &got));
    dht_item_store_tick(store, LIMIT_DHT_ITEM_LIFE_NS + SECOND_NS);
    assert_false(dht_item_store_get(store, &target, &got));
    dht_item_store_free(store);
}

static void full_of_items_the_nearest_to_us_stay(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(1);
    struct dht_id own = id_of(1);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 1500; i++) {
        uint8_t text[6] = {'4', ':', (uint8_t)(i >> 8), (uint8_t)i, 'x', 'y'};
        struct krpc_item item = {.value = {text, sizeof text}};
        refused += dht_item_store_put(store, &own, &item, 0) == KRPC_ERROR_SERVER;
    }
    dht_item_store_check(store);
    assert_int_equal(dht_item_store_count(store), LIMIT_DHT_ITEMS);
    assert_in_range(refused, 100, 800);
    dht_item_store_free(store);
}

static void announces_are_an_even_trickle(void **state)
{
    (void)state;
    struct dht_announcer announcer;
    uint32_t counts[1800] = {0}, taken = 0;
    dht_announcer_init(&announcer, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_id hash = id_of(i);
        assert_int_equal(dht_announcer_keep(&announcer, 0, &hash, 1, false), FRESHET_OK);
        assert_int_equal(dht_announcer_keep(&announcer, 0, &hash, 2, true), FRESHET_OK);
    }
    assert_int_equal(dht_announcer_count(&announcer), 1000);
    for (int64_t now; (now = dht_announcer_deadline(&announcer)) < 1800 * SECOND_NS; taken++) {
        const struct dht_announcement *due = dht_announcer_take(&announcer, now);
        assert_non_null(due);
        assert_int_equal(due->port, 2);
        counts[now / SECOND_NS]++;
    }
    assert_int_equal(taken, 2000);
    for (int i = 0; i < 1800; i++)
        assert_true(counts[i] <= 5);
    struct dht_id hash = id_of(3);
    dht_announcer_drop(&announcer, &hash);
    assert_int_equal(dht_announcer_count(&announcer), 999);
    dht_announcer_deinit(&announcer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_good_for_one_address_one_hash_and_five_minutes),
        cmocka_unit_test(a_source_gets_five_answers_a_second),
        cmocka_unit_test(a_flood_of_sources_is_refused),
        cmocka_unit_test(all_unproven_sources_share_8000_bytes_a_second),
        cmocka_unit_test(the_own_address_needs_eight_networks_and_two_thirds),
        cmocka_unit_test(a_torrent_has_at_most_500_peers_and_four_an_address),
        cmocka_unit_test(a_flood_of_hashes_puts_out_itself),
        cmocka_unit_test(mutable_items_prove_themselves_by_the_vectors_of_bep_44),
        cmocka_unit_test(items_follow_cas_and_sequence),
        cmocka_unit_test(full_of_items_the_nearest_to_us_stay),
        cmocka_unit_test(announces_are_an_even_trickle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

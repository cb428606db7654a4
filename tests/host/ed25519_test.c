/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/ed25519.h"

#include <string.h>

/* BEP 44, test vectors 1 and 2. Its private key is the expanded one, from which no seed follows. */
static const char bep_key[] = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548";
static const char bep_signature[] =
    "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
    "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01";
static const char bep_salted[] = "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
                                 "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08";

static void from_hex(const char *hex, uint8_t *bytes, size_t length)
{
    struct bytes text = {(const uint8_t *)hex, strlen(hex)};
    assert_true(bytes_from_hex(text, bytes, length));
}

/* The item of a vector, judged as a node judges it. */
static int judge(const char *key, const char *salt, int64_t seq, const char *signature,
                 const char *target)
{
    struct dht_verifier verifier = ed25519_verifier();
    uint8_t key_bytes[KRPC_KEY_SIZE], signature_bytes[KRPC_SIGNATURE_SIZE];
    struct dht_id expected;
    struct krpc_item item = {.value = BYTES_LITERAL("12:Hello World!"),
                             .key = key_bytes,
                             .signature = signature_bytes,
                             .salt = {(const uint8_t *)salt, strlen(salt)},
                             .has_seq = true,
                             .seq = seq};
    from_hex(key, key_bytes, sizeof key_bytes);
    from_hex(signature, signature_bytes, sizeof signature_bytes);
    from_hex(target, expected.bytes, DHT_ID_SIZE);
    struct dht_id named = krpc_item_target(&item);
    assert_true(dht_id_equal(&named, &expected));
    return dht_item_judge(&item, &verifier);
}

static void ed25519_believes_the_items_of_bep_44(void **state)
{
    static const char plain[] = "4a533d47ec9c7d95b1ad75f576cffc641853b750";
    static const char salted[] = "411eba73b6f087ca51a3795d9c8c938d365e32c1";

    (void)state;
    assert_int_equal(judge(bep_key, "", 1, bep_signature, plain), 0);
    assert_int_equal(judge(bep_key, "foobar", 1, bep_salted, salted), 0);
    /* Another number, another salt's signature. */
    assert_int_equal(judge(bep_key, "", 2, bep_signature, plain), KRPC_ERROR_SIGNATURE);
    assert_int_equal(judge(bep_key, "", 1, bep_salted, plain), KRPC_ERROR_SIGNATURE);
    assert_int_equal(judge(bep_key, "foobar", 1, bep_signature, salted), KRPC_ERROR_SIGNATURE);
}

/* RFC 8032, 7.1, tests 1 to 3. */
static void ed25519_signs_as_the_rfc_does(void **state)
{
    static const struct {
        const char *seed, *key, *signature;
        struct bytes text;
    } vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "c"
         "f9b46bd25bf5f0595bbe24655141438e7a100b",
         {(const uint8_t *)"", 0}},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0"
         "f11d8c387b2eaeb4302aeeb00d291612bb0c00",
         {(const uint8_t *)"\x72", 1}},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "8"
         "4dc6594a7c15e9716ed28dc027beceea1ec40a",
         {(const uint8_t *)"\xaf\x82", 2}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t seed[ED25519_SEED_SIZE], key[KRPC_KEY_SIZE], expected[KRPC_SIGNATURE_SIZE];
        uint8_t signature[KRPC_SIGNATURE_SIZE];
        struct ed25519_pair pair;
        from_hex(vectors[i].seed, seed, sizeof seed);
        from_hex(vectors[i].key, key, sizeof key);
        from_hex(vectors[i].signature, expected, sizeof expected);
        ed25519_from_seed(seed, &pair);
        assert_memory_equal(pair.seed, seed, sizeof seed);
        assert_memory_equal(pair.key, key, sizeof key);
        ed25519_sign(&pair, vectors[i].text, signature);
        assert_memory_equal(signature, expected, sizeof expected);
        assert_true(ed25519_verify(key, vectors[i].text, signature));
    }
}

static void ed25519_refuses_every_change_of_one_bit(void **state)
{
    uint8_t text[] = "3:seqi1e1:v12:Hello World!", signature[KRPC_SIGNATURE_SIZE];
    struct bytes bytes = {text, sizeof text - 1};
    struct ed25519_pair pair;

    (void)state;
    ed25519_generate(&pair);
    ed25519_sign(&pair, bytes, signature);
    assert_true(ed25519_verify(pair.key, bytes, signature));
    for (size_t bit = 0; bit < 8 * sizeof signature; bit++) {
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ed25519_verify(pair.key, bytes, signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof pair.key; bit++) {
        pair.key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ed25519_verify(pair.key, bytes, signature));
        pair.key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    text[8] ^= 1;
    assert_false(ed25519_verify(pair.key, bytes, signature));
}

static void ed25519_makes_another_pair_each_time(void **state)
{
    struct ed25519_pair first, second, again;

    (void)state;
    ed25519_generate(&first);
    ed25519_generate(&second);
    assert_memory_not_equal(first.seed, second.seed, sizeof first.seed);
    assert_memory_not_equal(first.key, second.key, sizeof first.key);
    ed25519_from_seed(first.seed, &again);
    assert_memory_equal(&again, &first, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_believes_the_items_of_bep_44),
        cmocka_unit_test(ed25519_signs_as_the_rfc_does),
        cmocka_unit_test(ed25519_refuses_every_change_of_one_bit),
        cmocka_unit_test(ed25519_makes_another_pair_each_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

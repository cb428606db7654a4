/* SPDX-License-Identifier: MIT */
#include "host/ed25519.h"

#include "core/base/check.h"
#include "host/entropy.h"

#include <openssl/evp.h>
#include <string.h>

void ed25519_from_seed(const uint8_t seed[ED25519_SEED_SIZE], struct ed25519_pair *ret_pair)
{
    size_t length = sizeof ret_pair->key;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);

    CHECK(key != NULL);
    memmove(ret_pair->seed, seed, ED25519_SEED_SIZE);
    CHECK(EVP_PKEY_get_raw_public_key(key, ret_pair->key, &length) == 1);
    CHECK(length == KRPC_KEY_SIZE);
    EVP_PKEY_free(key);
}

void ed25519_generate(struct ed25519_pair *ret_pair)
{
    uint8_t seed[ED25519_SEED_SIZE];

    entropy_fill(seed, sizeof seed);
    ed25519_from_seed(seed, ret_pair);
}

void ed25519_sign(const struct ed25519_pair *pair, struct bytes text,
                  uint8_t ret_signature[KRPC_SIGNATURE_SIZE])
{
    size_t length = KRPC_SIGNATURE_SIZE;
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, pair->seed, ED25519_SEED_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    CHECK(key != NULL);
    CHECK(context != NULL);
    CHECK(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    CHECK(EVP_DigestSign(context, ret_signature, &length, text.data, text.length) == 1);
    CHECK(length == KRPC_SIGNATURE_SIZE);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

bool ed25519_verify(const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                    const uint8_t signature[KRPC_SIGNATURE_SIZE])
{
    /* Any 32 bytes make an object; those that are no point of the curve fail below. */
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KRPC_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    CHECK(public != NULL);
    CHECK(context != NULL);
    bool is_good =
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
        EVP_DigestVerify(context, signature, KRPC_SIGNATURE_SIZE, text.data, text.length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    return is_good;
}

static bool verify(void *context, const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                   const uint8_t signature[KRPC_SIGNATURE_SIZE])
{
    (void)context;
    return ed25519_verify(key, text, signature);
}

struct dht_verifier ed25519_verifier(void)
{
    return (struct dht_verifier){.verify = verify};
}

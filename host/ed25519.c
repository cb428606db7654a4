/* SPDX-License-Identifier: MIT */
#include "host/ed25519.h"

#include <openssl/evp.h>

bool ed25519_verify(const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                    const uint8_t signature[KRPC_SIGNATURE_SIZE])
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, KRPC_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good =
        public && context && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public) == 1 &&
        EVP_DigestVerify(context, signature, KRPC_SIGNATURE_SIZE, text.data, text.length) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    return good;
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

bool ed25519_public_key(const uint8_t seed[ED25519_SEED_SIZE], uint8_t ret_key[KRPC_KEY_SIZE])
{
    EVP_PKEY *private =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
    size_t length = KRPC_KEY_SIZE;
    bool good = private && EVP_PKEY_get_raw_public_key(private, ret_key, &length) == 1 &&
                length == KRPC_KEY_SIZE;
    EVP_PKEY_free(private);
    return good;
}

bool ed25519_sign(const uint8_t seed[ED25519_SEED_SIZE], struct bytes text,
                  uint8_t ret_signature[KRPC_SIGNATURE_SIZE])
{
    EVP_PKEY *private =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = KRPC_SIGNATURE_SIZE;
    bool good = private && context && EVP_DigestSignInit(context, NULL, NULL, NULL, private) == 1 &&
                EVP_DigestSign(context, ret_signature, &length, text.data, text.length) == 1 &&
                length == KRPC_SIGNATURE_SIZE;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(private);
    return good;
}

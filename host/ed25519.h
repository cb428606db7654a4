/* SPDX-License-Identifier: MIT */
/*
 * ed25519 (RFC 8032) by libcrypto, for the mutable items of BEP 44: the check that the host lends
 * to the DHT (core/dht/dht_item.h says why), and for a person who puts items also the signing.
 */
#ifndef FRESHET_HOST_ED25519_H
#define FRESHET_HOST_ED25519_H

#include "core/dht/dht_item.h"

#define ED25519_SEED_SIZE 32u

/* A private key, as the 32 bytes that all else follows from, and its public key. */
struct ed25519_pair {
    uint8_t seed[ED25519_SEED_SIZE];
    uint8_t key[KRPC_KEY_SIZE];
};

/* From the system's randomness. */
void ed25519_generate(struct ed25519_pair *ret_pair);
void ed25519_from_seed(const uint8_t seed[ED25519_SEED_SIZE], struct ed25519_pair *ret_pair);
void ed25519_sign(const struct ed25519_pair *pair, struct bytes text,
                  uint8_t ret_signature[KRPC_SIGNATURE_SIZE]);
bool ed25519_verify(const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                    const uint8_t signature[KRPC_SIGNATURE_SIZE]);
/* The same as the DHT wants it. */
struct dht_verifier ed25519_verifier(void);

#endif

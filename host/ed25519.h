/* SPDX-License-Identifier: MIT */
/* ed25519 (RFC 8032) by libcrypto, for the mutable items of the DHT (BEP 44). */
#ifndef FRESHET_HOST_ED25519_H
#define FRESHET_HOST_ED25519_H

#include "core/dht/dht_item.h"

#define ED25519_SEED_SIZE 32

/* What the core is lent. */
struct dht_verifier ed25519_verifier(void);
bool ed25519_verify(const uint8_t key[KRPC_KEY_SIZE], struct bytes text,
                    const uint8_t signature[KRPC_SIGNATURE_SIZE]);
/* The public key of a private one (its 32-byte seed); false: libcrypto refuses. */
bool ed25519_public_key(const uint8_t seed[ED25519_SEED_SIZE], uint8_t ret_key[KRPC_KEY_SIZE]);
bool ed25519_sign(const uint8_t seed[ED25519_SEED_SIZE], struct bytes text,
                  uint8_t ret_signature[KRPC_SIGNATURE_SIZE]);

#endif

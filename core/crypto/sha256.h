/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4), thin over libcrypto's low-level calls: no allocation, no configuration. */
#ifndef FRESHET_CRYPTO_SHA256_H
#define FRESHET_CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
    uint64_t opaque[14]; /* an SHA256_CTX */
};

void sha256_init(struct sha256 *sha256);
void sha256_update(struct sha256 *sha256, const void *bytes, size_t length);
void sha256_final(struct sha256 *sha256, uint8_t ret_digest[SHA256_SIZE]);
void sha256_of(const void *bytes, size_t length, uint8_t ret_digest[SHA256_SIZE]);

#endif

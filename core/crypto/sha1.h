/* SPDX-License-Identifier: MIT */
/* SHA-1 (FIPS 180-4), thin over libcrypto's low-level calls: no allocation, no configuration. */
#ifndef FRESHET_CRYPTO_SHA1_H
#define FRESHET_CRYPTO_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

struct sha1 {
    uint64_t opaque[12]; /* an SHA_CTX */
};

void sha1_init(struct sha1 *sha1);
void sha1_update(struct sha1 *sha1, const void *bytes, size_t length);
void sha1_final(struct sha1 *sha1, uint8_t ret_digest[SHA1_SIZE]);
void sha1_of(const void *bytes, size_t length, uint8_t ret_digest[SHA1_SIZE]);

#endif

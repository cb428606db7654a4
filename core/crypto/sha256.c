/* SPDX-License-Identifier: MIT */
/* The low-level calls are deprecated in OpenSSL 3 in favour of EVP, which costs half as much again
 * on small inputs and reads a configuration file. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/sha256.h"

#include <openssl/sha.h>

_Static_assert(sizeof(struct sha256) >= sizeof(SHA256_CTX), "the opaque state holds an SHA256_CTX");

void sha256_init(struct sha256 *sha256)
{
    SHA256_Init((SHA256_CTX *)(void *)sha256->opaque);
}

void sha256_update(struct sha256 *sha256, const void *bytes, size_t length)
{
    SHA256_Update((SHA256_CTX *)(void *)sha256->opaque, bytes, length);
}

void sha256_final(struct sha256 *sha256, uint8_t ret_digest[SHA256_SIZE])
{
    SHA256_Final(ret_digest, (SHA256_CTX *)(void *)sha256->opaque);
}

void sha256_of(const void *bytes, size_t length, uint8_t ret_digest[SHA256_SIZE])
{
    struct sha256 sha256;
    sha256_init(&sha256);
    sha256_update(&sha256, bytes, length);
    sha256_final(&sha256, ret_digest);
}

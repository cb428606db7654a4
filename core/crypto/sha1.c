/* SPDX-License-Identifier: MIT */
/* The low-level calls are deprecated in OpenSSL 3 in favour of EVP, which costs half as much again
 * on small inputs and reads a configuration file. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/crypto/sha1.h"

#include <openssl/sha.h>

_Static_assert(sizeof(struct sha1) >= sizeof(SHA_CTX), "the opaque state holds an SHA_CTX");

void sha1_init(struct sha1 *sha1)
{
    SHA1_Init((SHA_CTX *)(void *)sha1->opaque);
}

void sha1_update(struct sha1 *sha1, const void *bytes, size_t length)
{
    SHA1_Update((SHA_CTX *)(void *)sha1->opaque, bytes, length);
}

void sha1_final(struct sha1 *sha1, uint8_t ret_digest[SHA1_SIZE])
{
    SHA1_Final(ret_digest, (SHA_CTX *)(void *)sha1->opaque);
}

void sha1_of(const void *bytes, size_t length, uint8_t ret_digest[SHA1_SIZE])
{
    struct sha1 sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, bytes, length);
    sha1_final(&sha1, ret_digest);
}

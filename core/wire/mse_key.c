/* SPDX-License-Identifier: MIT */
#include "core/wire/mse_key.h"

#define KEYSTREAM_DROPPED 1024u /* the first bytes of RC4 tell too much of the key */
#define LABEL_SIZE        4u

void mse_key_sync(const uint8_t shared[DIFFIE_HELLMAN_SIZE], uint8_t ret_hash[SHA1_SIZE])
{
    struct sha1 sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, "req1", LABEL_SIZE);
    sha1_update(&sha1, shared, DIFFIE_HELLMAN_SIZE);
    sha1_final(&sha1, ret_hash);
}

void mse_key_name(const uint8_t skey[MSE_SKEY_SIZE], uint8_t ret_name[SHA1_SIZE])
{
    struct sha1 sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, "req2", LABEL_SIZE);
    sha1_update(&sha1, skey, MSE_SKEY_SIZE);
    sha1_final(&sha1, ret_name);
}

void mse_key_veil(const uint8_t shared[DIFFIE_HELLMAN_SIZE], uint8_t name[SHA1_SIZE])
{
    uint8_t hash[SHA1_SIZE];
    struct sha1 sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, "req3", LABEL_SIZE);
    sha1_update(&sha1, shared, DIFFIE_HELLMAN_SIZE);
    sha1_final(&sha1, hash);
    for (size_t i = 0; i < SHA1_SIZE; i++)
        name[i] ^= hash[i];
}

void mse_key_cipher(const uint8_t shared[DIFFIE_HELLMAN_SIZE], const uint8_t skey[MSE_SKEY_SIZE],
                    bool of_initiator, struct rc4 *ret_cipher)
{
    uint8_t key[SHA1_SIZE];
    struct sha1 sha1;
    sha1_init(&sha1);
    sha1_update(&sha1, of_initiator ? "keyA" : "keyB", LABEL_SIZE);
    sha1_update(&sha1, shared, DIFFIE_HELLMAN_SIZE);
    sha1_update(&sha1, skey, MSE_SKEY_SIZE);
    sha1_final(&sha1, key);
    rc4_init(ret_cipher, key, sizeof key);
    rc4_skip(ret_cipher, KEYSTREAM_DROPPED);
}

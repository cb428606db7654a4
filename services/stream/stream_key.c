/* SPDX-License-Identifier: MIT */
#include "services/stream/stream_key.h"

#include "core/crypto/sha256.h"

#include <stdio.h>
#include <string.h>

#define KEY_BYTES 16

static const char purpose[] = "freshet stream";

void stream_key_secret(const char *text, uint8_t ret_secret[STREAM_SECRET_SIZE])
{
    struct sha256 sha256;

    sha256_init(&sha256);
    sha256_update(&sha256, purpose, sizeof purpose);
    sha256_update(&sha256, text, strlen(text));
    sha256_final(&sha256, ret_secret);
}

void stream_key_make(const uint8_t secret[STREAM_SECRET_SIZE], const uint8_t torrent[32],
                     char ret_key[STREAM_KEY_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    struct sha256 sha256;

    sha256_init(&sha256);
    sha256_update(&sha256, secret, STREAM_SECRET_SIZE);
    sha256_update(&sha256, purpose, sizeof purpose);
    sha256_update(&sha256, torrent, 32);
    sha256_final(&sha256, digest);
    for (size_t i = 0; i < KEY_BYTES; i++)
        snprintf(ret_key + 2 * i, 3, "%02x", digest[i]);
}

bool stream_key_is_good(const uint8_t secret[STREAM_SECRET_SIZE], const uint8_t torrent[32],
                        const char *key)
{
    char good[STREAM_KEY_SIZE];
    unsigned difference = 0;

    stream_key_make(secret, torrent, good);
    if (strlen(key) != STREAM_KEY_SIZE - 1)
        return false;
    for (size_t i = 0; i < STREAM_KEY_SIZE - 1; i++)
        difference |= (unsigned)(good[i] ^ key[i]);
    return difference == 0;
}
